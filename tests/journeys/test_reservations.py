"""Guests are seated through Mozrest, eat, pay and leave; Mozrest knows what the hub knows, also after an outage."""

from collections.abc import Iterator
from typing import Any

import pytest

from hub.model.payment import PaymentMethod
from tests.journeys.bistro import PLACE, SLUG, TABLES, Bistro, new_order_id
from tests.journeys.conftest import POSTGRES, SQLITE, NewStage
from tests.journeys.running import wait_for
from tests.journeys.site import bearer

LONGEST_PAUSE_SECONDS = 61
VENUE = f"{PLACE}/venue/{SLUG}"


@pytest.fixture(scope="module", params=[SQLITE, POSTGRES])
def bistro(request: pytest.FixtureRequest, new_shared_stage: NewStage) -> Iterator[Bistro]:
    stage = new_shared_stage(request.param)
    bistro = Bistro(stage)
    yield bistro
    bistro.mozrest.close()
    stage.close()


def totals(bistro: Bistro, order_id: str) -> list[tuple[str, str, Any]]:
    """What Mozrest heard of an order and took: operation, status, first total."""
    return [
        (call["operation"], call["body"]["status"], call["body"]["checks"][0]["totalAmount"])
        for call in bistro.mozrest.heard(order_id)
        if call["status"] == 200
    ]


def test_what_mozrest_looks_at_before_going_live(bistro: Bistro) -> None:
    tables = bistro.mozrest.tell("tables")
    assert (tables["status"], tables["problems"]) == (200, [])
    assert {table["id"] for table in tables["body"]} == set(TABLES)
    seated = bistro.mozrest.seat("T1", guestName="Ada", guestTelephone="34646883377", prepayment=10)
    order_id = seated["posOrderId"]
    found = bistro.server.client.get("/api/v1/orders", params={"storeSlug": SLUG}, headers=bearer()).json()["orders"]
    assert [(one["id"], one["tables"], one["orderType"]) for one in found if one["id"] == order_id] == [
        (order_id, ["T1"], "dine_in")
    ]
    assert seated["checkNumber"] == found[0]["orderNumber"]
    bistro.add(order_id, "Steak", 2)
    bistro.add(order_id, "Wine")
    bistro.wait_until_told(order_id)
    assert bistro.mozrest.differences() == []
    [check] = bistro.mozrest.view(order_id)["checks"]
    assert (check["totalAmount"], [(one["name"], one["price"], one["quantity"]) for one in check["items"]]) == (
        55.0,
        [("Steak", 24.95, 2), ("Wine", 5.1, 1)],
    )
    bistro.pay(order_id, 4500, tip_cents=300)
    bistro.close(order_id)
    bistro.wait_until_told(order_id)
    assert bistro.mozrest.differences() == []
    view = bistro.mozrest.view(order_id)
    assert (view["status"], view["payments"]) == (
        "closed",
        [{"checkNumber": seated["checkNumber"], "paymentMethod": "card", "amount": 55.0, "tip": 3.0}],
    )
    assert view["warnings"] == []
    assert [operation for operation, _, _ in totals(bistro, order_id)] == [
        "update_order",
        "update_order",
        "update_order",
        "close_order",
    ]


def test_a_void_order_is_void_there_too(bistro: Bistro) -> None:
    order_id = bistro.mozrest.seat("T2")["posOrderId"]
    bistro.add(order_id, "Wine")
    bistro.cancel(order_id)
    bistro.wait_until_told(order_id)
    assert bistro.mozrest.differences() == []
    view = bistro.mozrest.view(order_id)
    assert (view["status"], [check["status"] for check in view["checks"]]) == ("closed", ["void"])
    assert totals(bistro, order_id)[-1][:2] == ("void_order", "closed")


def test_one_seating_is_one_order_however_often_it_comes(bistro: Bistro) -> None:
    seated = bistro.mozrest.tell("seat", tables=["T3"], partySize=2, times=20)
    assert [len(ids) for ids in seated["distinct"].values()] == [1, 1]
    assert [answer["status"] for answer in seated["answers"]] == [200] * 20
    again = bistro.mozrest.tell("seat-again", id=seated["id"], tables=["T4"], partySize=5)
    assert again["posOrderId"] == seated["posOrderId"]
    order = bistro.server.order(seated["posOrderId"])
    assert (order["tables"], order["partySize"]) == (["T4"], 5)
    assert bistro.mozrest.differences() == []


def test_a_party_is_corrected_by_either_id(bistro: Bistro) -> None:
    seated = bistro.mozrest.seat("T7")
    order_id, token = seated["posOrderId"], bearer("sandbox-secret")
    for named, table in ((order_id, "T8"), (seated["id"], "T9")):
        body = {"tables": [table], "partySize": 4}
        answer = bistro.server.client.put(f"{VENUE}/orders/{named}", json=body, headers=token)
        assert answer.json() == {"id": order_id, "checkNumber": seated["checkNumber"]}
        shown = bistro.server.client.get(f"{VENUE}/orders/{named}", headers=token).json()
        assert (shown["id"], shown["tables"], shown["partySize"]) == (order_id, [table], 4)
    bistro.cancel(order_id)
    bistro.wait_until_told(order_id)


def test_an_occupied_table_is_409_in_mozrests_words(bistro: Bistro) -> None:
    bistro.mozrest.seat("T5")
    refused = bistro.mozrest.tell("seat", tables=["T5"], partySize=2)
    [answer] = refused["answers"]
    assert (refused["status"], answer["status"], answer["body"]["error"]["code"]) == ("refused", 409, 409)
    assert answer["body"]["error"]["reason"] == "TABLE_OCCUPIED"
    assert answer["problems"] == []


def test_a_walk_in_is_told_once_also_when_the_answer_is_lost(bistro: Bistro) -> None:
    bistro.mozrest.fail({"fault": "drop_after", "operation": "open_order", "times": 1})
    order_id = bistro.walk_in("T6")
    wait_for(lambda: bistro.state(order_id) != "queued", "the first try")
    bistro.add(order_id, "Wine")
    bistro.site.travel(seconds=LONGEST_PAUSE_SECONDS)
    bistro.wait_until_told(order_id)
    bistro.mozrest.work_again()
    assert bistro.mozrest.differences() == []
    assert [call["operation"] for call in bistro.mozrest.heard(order_id)].count("open_order") == 1
    view = bistro.mozrest.view(order_id)
    assert (view["origin"], view["checks"][0]["totalAmount"], view["partySize"]) == ("walk-in", 30.05, 3)


def test_the_operator_sees_the_address_and_can_pause_it(bistro: Bistro) -> None:
    site, token = bistro.site, bearer("sandbox-secret")
    looked = site.run("doctor").stdout
    assert f"ok     demo-bistro (mozrest): calls us at {PLACE}\n" in looked
    assert "ok     demo-bistro (mozrest): API key " in looked
    assert site.run("link", "pause", f"mozrest/{SLUG}").returncode == 0

    def answers(status: int) -> bool:
        return bistro.server.client.get(f"{VENUE}/tables", headers=token).status_code == status

    wait_for(lambda: answers(503), "the channel is sent away")
    assert bistro.server.client.get(f"{VENUE}/tables").status_code == 401
    assert site.run("link", "resume", f"mozrest/{SLUG}").returncode == 0
    wait_for(lambda: answers(200), "the channel is let in again")


def test_calls_are_recorded_without_secrets(bistro: Bistro) -> None:
    order_id = bistro.mozrest.seat("T10")["posOrderId"]
    bistro.add(order_id, "Wine")
    bistro.wait_until_told(order_id)
    shown = bistro.site.run("trace", order_id, "--bodies", "--reads").stdout
    assert f"<- POST {VENUE}/orders  200" in shown
    assert f"/v1/pos/{SLUG}/order/{order_id}  200" in shown
    assert "sandbox-secret" not in shown


def test_a_token_that_is_none_and_addresses_that_lead_nowhere(bistro: Bistro) -> None:
    client, token = bistro.server.client, bearer("sandbox-secret")
    answers = [
        client.get(f"{VENUE}/tables"),
        client.post(f"{VENUE}/orders", content=b"\xff", headers=bearer("wrong")),
        client.get(f"{VENUE}/tables", headers=bearer()),
        client.get(f"{PLACE}/venue/elsewhere/tables", headers=token),
        client.get(f"{VENUE}/orders/{new_order_id()}", headers=token),
        client.delete(f"{VENUE}/orders", headers=token),
        client.get("/inbound/mozrest/nowhere/venue/x/tables", headers=token),
        client.post(f"{VENUE}/orders", content=b"{", headers=token),
        client.post(f"{VENUE}/orders", json={"tables": []}, headers=token),
        client.get(f"{VENUE}/orders", params={"from": "soon"}, headers=token),
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 404, 404, 404, 404, 400, 400, 400]
    for answer in answers:
        assert answer.json()["error"]["code"] == answer.status_code
        assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("fault", "first"),
    [
        pytest.param({"fault": "status", "status": 500}, 11, id="500"),
        pytest.param({"fault": "status", "status": 503}, 14, id="503"),
        pytest.param({"fault": "down"}, 17, id="dropped"),
    ],
)
def test_after_two_hours_without_mozrest_it_knows_everything_in_order(
    bistro: Bistro, fault: dict[str, Any], first: int
) -> None:
    mozrest = bistro.mozrest
    orders = [mozrest.seat(f"T{number}")["posOrderId"] for number in range(first, first + 3)]
    for order_id in orders:
        bistro.add(order_id, "Steak")
        bistro.wait_until_told(order_id)
    mozrest.fail(fault)
    for _ in range(4):
        for order_id in orders:
            bistro.add(order_id, "Wine")
        bistro.site.travel(minutes=30)
    bistro.pay(orders[0], 1000, PaymentMethod.CASH)
    bistro.close(orders[0])
    bistro.cancel(orders[1])
    wait_for(lambda: mozrest.fired() >= 3, "Mozrest is called in vain")
    assert {bistro.state(order_id) for order_id in orders} <= {"queued", "retrying", "unknown", "sending"}
    mozrest.work_again()
    bistro.site.travel(seconds=LONGEST_PAUSE_SECONDS)
    for order_id in orders:
        wait_for_all(bistro, order_id)
    assert mozrest.differences() == []
    prices = [24.95, 30.05, 35.15, 40.25, 45.35]
    assert [told[2] for told in totals(bistro, orders[2])] == prices
    assert [told[2] for told in totals(bistro, orders[0])] == [*prices, 45.35, 45.35]
    assert [told[0] for told in totals(bistro, orders[0])].count("close_order") == 1
    assert totals(bistro, orders[0])[-1][0] == "close_order"
    assert [told[0] for told in totals(bistro, orders[1])][-1] == "void_order"
    assert [warning for order_id in orders for warning in mozrest.view(order_id)["warnings"]] == []


def wait_for_all(bistro: Bistro, order_id: str) -> None:
    """Everything about an order is told; the clock goes on, for a failed order waits longer from time to time."""
    for _ in range(10):
        try:
            bistro.wait_until_told(order_id, seconds=4)
        except AssertionError:
            bistro.site.travel(seconds=LONGEST_PAUSE_SECONDS)
            continue
        return
    bistro.wait_until_told(order_id)

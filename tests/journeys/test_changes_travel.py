"""Changes travel both ways at every POS that can: made here and seen there, and the other way; else it is told."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.journeys.conftest import NewStage
from tests.journeys.running import wait_for
from tests.journeys.site import CLIENT_SECRET, bearer
from tests.journeys.trio import CLOPOS, DESIBITS, DESKTOP_KITCHEN, Trio, fates
from tests.journeys.vendor import mark_of

TENANT = "taqueria-el-faro"
DELIVERY = {"orderType": "delivery", "deliveryAddress": "14 MG Road"}


@pytest.fixture(scope="module")
def trio(new_shared_stage: NewStage) -> Trio:
    return Trio(new_shared_stage())


def outcome(told: Mapping[str, Any]) -> tuple[str, str]:
    """What the answer to a change says of the hub and of the POS."""
    return told["hub"], told["pos"]


def at_desktop_kitchen(trio: Trio, method: str, path: str, body: Any = None) -> Any:
    """A call of the restaurant's manager, from another device than ours."""
    pos = trio.pos[DESKTOP_KITCHEN]
    tenant = {"X-Tenant-ID": TENANT}
    token = pos.call("POST", "/api/employees/login", {"pin": "739154"}, **tenant)["token"]
    return pos.call(method, path, body, Authorization=f"Bearer {token}", **tenant)


def at_desibits(trio: Trio, method: str, path: str, body: Any = None) -> Any:
    """A call of another device of the restaurant."""
    authorization = f"Bearer {CLIENT_SECRET}"
    return trio.pos[DESIBITS].call(method, f"/api/v1/pos{path}", body, Authorization=authorization)["data"]


def round_of(trio: Trio, order_id: str, connector: str, name: str, quantity: int = 1) -> dict[str, Any]:
    """Orders more."""
    items = trio.body(connector, [{"item": name, "quantity": quantity}])["items"]
    return trio.ask(order_id, "items", {"items": items})


def test_a_further_round_is_a_second_order_at_desktop_kitchen_and_both_share_their_end(trio: Trio) -> None:
    pos = trio.pos[DESKTOP_KITCHEN]
    order_id = trio.place(DESKTOP_KITCHEN, "Torta Cubana")
    assert outcome(round_of(trio, order_id, DESKTOP_KITCHEN, "Flan de Cajeta", 2)) == ("applied", "applied")
    cooked = [[(item["item_name"], item["quantity"]) for item in one["items"]] for one in pos.kitchen(order_id)]
    assert cooked == [[("Torta Cubana", 1)], [("Flan de Cajeta", 2)]]
    order = trio.wait_for(order_id, status="received")
    assert (order["total"]["cents"], len(order["items"])) == (23000, 2)
    trio.ask(order_id, "status", {"status": "preparing"})
    assert [one["status"] for one in pos.received(order_id)] == ["preparing", "preparing"]
    trio.ask(order_id, "payments", {"method": "card", "amount": 23000})
    assert [one["record"]["payment_status"] for one in pos.received(order_id)] == ["paid", "paid"]
    trio.ask(order_id, "cancel", {"reason": "kitchen fire"})
    trio.wait_for(order_id, status="cancelled", tabStatus="void")
    assert [one["status"] for one in pos.received(order_id)] == ["cancelled", "cancelled"]


def test_a_further_round_is_a_second_ticket_at_desibits_and_the_cancellation_carries_its_reason(trio: Trio) -> None:
    pos = trio.pos[DESIBITS]
    order_id = place_hot(trio)
    assert outcome(round_of(trio, order_id, DESIBITS, "Mango Lassi", 3)) == ("applied", "applied")
    arrived = pos.order(order_id)
    tickets = [[(item["name"], item["quantity"]) for item in kot["items"]] for kot in arrived["record"]["kots"]]
    assert tickets == [[("Samosa Chaat", 1)], [("Mango Lassi", 3)]]
    trio.ask(order_id, "cancel", {"reason": "qonaq getdi"})
    trio.wait_for(order_id, status="cancelled", tabStatus="void")
    arrived = pos.order(order_id)
    assert (arrived["status"], arrived["record"]["cancel_reason"]) == ("cancelled", "qonaq getdi")
    assert {kot["status"] for kot in arrived["record"]["kots"]} == {"cancelled"}


def place_hot(trio: Trio) -> str:
    """An order at Desibits that is in the kitchen, and of which the hub knows so."""
    order_id = trio.place(DESIBITS, "Samosa Chaat", orderType="dine_in", tables=["T2"])
    trio.wait_for(order_id, status="preparing")
    return order_id


def test_a_further_round_is_a_second_order_at_clopos(trio: Trio) -> None:
    order_id = trio.place(CLOPOS, "Lülə kabab")
    assert outcome(round_of(trio, order_id, CLOPOS, "Ayran", 2)) == ("applied", "applied")
    assert len(trio.server.order(order_id)["items"]) == 2
    first, second = trio.pos[CLOPOS].orders()[-2:]
    products = [[product["product_id"] for product in one["body"]["payload"]["products"]] for one in (first, second)]
    assert products == [[3], [9]]
    assert mark_of(first) == trio.server.order(order_id)["mark"] != mark_of(second)
    trio.ask(order_id, "cancel", {"reason": "left"})
    trio.wait_for(order_id, status="cancelled", tabStatus="void")
    assert [one["status"] for one in trio.pos[CLOPOS].orders()[-2:]] == ["IGNORE", "IGNORE"]


def test_a_round_that_the_waiter_adds_is_seen_here(trio: Trio) -> None:
    order_id = trio.place(DESKTOP_KITCHEN, "Torta Cubana")
    pos = trio.pos[DESKTOP_KITCHEN]
    items = [{"menu_item_id": 4, "quantity": 1}, {"menu_item_id": 19, "quantity": 2}]
    pos.play("PUT", f"orders/{pos.order(order_id)['number']}/items", {"items": items})
    check_added(trio, order_id, [("Torta Cubana", 1), ("Flan de Cajeta", 2)], 23000)

    order_id = place_hot(trio)
    number = trio.pos[DESIBITS].order(order_id)["number"]
    standing = at_desibits(trio, "GET", f"/orders/{number}")["items"]
    items = [*standing, {"menu_item_id": 21, "quantity": 1, "price": 3.95}]
    items = [
        {key: item[key] for key in ("id", "menu_item_id", "quantity", "price", "note") if key in item} for item in items
    ]
    trio.pos[DESIBITS].play("POST", f"orders/{number}/items", {"items": items})
    check_added(trio, order_id, [("Samosa Chaat", 1), ("Mango Lassi", 1)], 1045)


def check_added(trio: Trio, order_id: str, lines: list[tuple[str, int]], cents: int) -> None:
    """The order has these lines and this total in the end."""

    def shown() -> bool:
        order = trio.server.order(order_id)
        return [(line["name"], line["quantity"]) for line in order["items"]] == lines and order["total"][
            "cents"
        ] == cents

    wait_for(shown, f"{lines} for {cents}: {trio.server.order(order_id)['items']}")


def test_payments_made_here_are_at_the_pos(trio: Trio) -> None:
    order_id = trio.place(DESKTOP_KITCHEN, "Torta Cubana")
    pos = trio.pos[DESKTOP_KITCHEN]
    assert outcome(trio.ask(order_id, "payments", {"method": "cash", "amount": 3000})) == ("applied", "applied")
    assert pos.order(order_id)["record"]["payment_status"] == "unpaid"  # it knows no part payments
    assert "checks[0].payments[0]" in fates(trio.fidelity(order_id), "lost")
    assert outcome(trio.ask(order_id, "payments", {"method": "card", "amount": 10000})) == ("applied", "applied")
    arrived = pos.order(order_id)["record"]
    assert (arrived["payment_status"], arrived["payment_method"]) == ("paid", "split")
    order = trio.wait_for(order_id, paymentStatus="paid")
    assert (order["due"]["cents"], len(order["checks"][0]["payments"])) == (0, 2)

    order_id = place_hot(trio)
    split = {"payments": [{"method": "cash", "amount": 300}, {"method": "card", "amount": 350, "reference": "tx-9"}]}
    assert outcome(trio.ask(order_id, "payments", split)) == ("applied", "applied")
    arrived = trio.pos[DESIBITS].order(order_id)
    paid = [(one["payment_method"], float(one["amount"])) for one in arrived["record"]["payments"]]
    assert paid == [("cash", 3.0), ("card", 3.5)]
    assert arrived["status"] == "paid"
    order = trio.wait_for(order_id, paymentStatus="paid", tabStatus="open")
    assert [one["amount"]["cents"] for one in order["checks"][0]["payments"]] == [300, 350]

    order_id = trio.place(CLOPOS, "Lülə kabab")
    assert outcome(trio.ask(order_id, "payments", {"method": "card", "amount": 980})) == ("applied", "not_supported")
    assert fates(trio.fidelity(order_id), "lost") == {"checks[0].payments[0]": "lost"}


def test_payments_taken_at_the_till_are_seen_here(trio: Trio) -> None:
    pos = trio.pos[DESIBITS]
    order_id = place_hot(trio)
    number = pos.order(order_id)["number"]
    pos.play("POST", f"orders/{number}/payment", {"amount": 2.5, "payment_method": "cash"})
    order = trio.wait_for(order_id, paymentStatus="partial")
    assert (order["due"]["cents"], order["tabStatus"]) == (400, "open")
    pos.play("POST", f"orders/{number}/payment", {"payment_method": "card"})
    order = trio.wait_for(order_id, paymentStatus="paid")
    assert [(one["method"], one["amount"]["cents"]) for one in order["checks"][0]["payments"]] == [
        ("cash", 250),
        ("card", 400),
    ]

    pos = trio.pos[DESKTOP_KITCHEN]
    order_id = trio.place(DESKTOP_KITCHEN, "Flan de Cajeta")
    pos.play("POST", f"orders/{pos.order(order_id)['number']}/payment", {"payment_method": "cash", "tip": 10})
    trio.wait_for(order_id, paymentStatus="paid", status="preparing")


def test_refunds_are_at_the_pos_that_takes_them(trio: Trio) -> None:
    order_id, payment_id = paid_order(trio, DESKTOP_KITCHEN, "Flan de Cajeta", 5000)
    path = f"payments/{payment_id}/refund"
    assert outcome(trio.ask(order_id, path, {"reason": "cold", "amount": 2000})) == ("applied", "applied")
    record = trio.pos[DESKTOP_KITCHEN].order(order_id)["record"]
    assert float(record["refund_total"]) == 20.0
    [payment] = trio.server.order(order_id)["checks"][0]["payments"]
    assert payment["refunded"]["cents"] == 2000

    for connector, name, cents in ((DESIBITS, "Samosa Chaat", 650), (CLOPOS, "Lülə kabab", 980)):
        order_id, payment_id = paid_order(trio, connector, name, cents)
        told = trio.ask(order_id, f"payments/{payment_id}/refund", {"reason": "cold"})
        assert outcome(told) == ("applied", "not_supported")
        [payment] = told["order"]["checks"][0]["payments"]
        assert payment["refunded"]["cents"] == cents


def paid_order(trio: Trio, connector: str, name: str, cents: int) -> tuple[str, str]:
    """An order that was paid by card here, with the id of the payment."""
    order_id = trio.place(connector, name)
    told = trio.ask(order_id, "payments", {"method": "card", "amount": cents})
    [payment] = told["order"]["checks"][0]["payments"]
    return order_id, payment["id"]


def test_a_refund_given_at_the_till_is_seen_here(trio: Trio) -> None:
    order_id, _ = paid_order(trio, DESKTOP_KITCHEN, "Flan de Cajeta", 5000)
    number = trio.pos[DESKTOP_KITCHEN].order(order_id)["number"]
    at_desktop_kitchen(trio, "POST", "/api/payments/refund", {"order_id": number})
    trio.wait_for(order_id, paymentStatus="refunded")


def test_discounts_travel_where_they_can(trio: Trio) -> None:
    order_id = place_hot(trio)
    assert outcome(trio.ask(order_id, "discount", {"type": "percent", "value": 10})) == ("applied", "applied")
    record = trio.pos[DESIBITS].order(order_id)["record"]
    assert (record["discount_type"], float(record["discount_value"])) == ("percent", 10.0)
    assert trio.server.order(order_id)["total"]["cents"] == 585
    wait_for(lambda: trio.server.order(order_id)["moneyAudit"]["pos"]["cents"] == 585, "the POS has the same total")
    number = trio.pos[DESIBITS].order(order_id)["number"]
    at_desibits(trio, "POST", f"/orders/{number}/discount", {"discount_type": "percent", "discount_value": 50})
    wait_for(lambda: trio.server.order(order_id)["total"]["cents"] == 325, "the discount of the till counts")

    for connector, name, cents in ((DESKTOP_KITCHEN, "Flan de Cajeta", 4500), (CLOPOS, "Lülə kabab", 882)):
        order_id = trio.place(connector, name)
        told = trio.ask(order_id, "discount", {"type": "percent", "value": 10})
        assert (*outcome(told), told["order"]["total"]["cents"]) == ("applied", "not_supported", cents)
        assert "checks[0].discounts[0]" in fates(trio.fidelity(order_id), "lost")


def test_a_driver_is_told_where_there_are_drivers(trio: Trio) -> None:
    order_id = trio.place(DESIBITS, "Samosa Chaat", **DELIVERY)
    told = trio.ask(order_id, "driver", {"driverId": "1", "name": "Ravi Kumar"})
    assert outcome(told) == ("applied", "refused")  # no body is documented, so the link must say that it may be sent
    [left] = told["order"]["injection"][0]["openItems"]
    assert (left["operation"], "send_delivery" in left["detail"]) == ("assign_driver", True), left
    told = trio.ask(order_id, "status", {"status": "out_for_delivery"})
    assert (*outcome(told), told["order"]["status"]) == ("applied", "refused", "out_for_delivery")
    for connector, name in ((DESKTOP_KITCHEN, "Flan de Cajeta"), (CLOPOS, "Lülə kabab")):
        order_id = trio.place(connector, name, **DELIVERY)
        told = trio.ask(order_id, "driver", {"driverId": "1"}, status=400)
        assert told["code"] == "NOT_SUPPORTED_BY_POS"


def picked_up(trio: Trio, connector: str) -> list[dict[str, Any]]:
    """The orders that were opened at this POS."""
    documents = [json.loads(document) for (document,) in trio.site.rows("SELECT document FROM orders")]
    return [one for one in documents if one["origin"]["system"] == f"pos:{connector}"]


def test_orders_opened_at_the_till_are_picked_up_once_and_changed_here(trio: Trio) -> None:
    body = {"tenant": TENANT, "items": [{"menu_item_id": 4, "quantity": 2}]}
    opened = trio.pos[DESKTOP_KITCHEN].play("POST", "orders", body)
    trio.pos[DESIBITS].play(
        "POST",
        "orders",
        {"order_type_id": 2, "table_id": 5, "items": [{"menu_item_id": 11, "quantity": 2, "price": 6.5}]},
    )
    for connector, lines, cents in (
        (DESKTOP_KITCHEN, [("Torta Cubana", 2)], 26000),
        (DESIBITS, [("Samosa Chaat", 2)], 1300),
    ):
        wait_for(lambda name=connector: picked_up(trio, name), f"the order of {connector} is picked up")
        calls = trio.pos[connector].calls("list_orders")
        wait_for(lambda name=connector, calls=calls: trio.pos[name].calls("list_orders") >= calls + 3, "more polls")
        [order] = picked_up(trio, connector)
        check_added(trio, order["id"], lines, cents)
    [order] = picked_up(trio, DESKTOP_KITCHEN)
    assert outcome(trio.ask(order["id"], "status", {"status": "ready"})) == ("applied", "applied")
    assert trio.pos[DESKTOP_KITCHEN].play("GET", "orders")[opened["number"] - 1]["status"] == "ready"
    [order] = picked_up(trio, DESIBITS)
    assert trio.stored(order["id"])["tables"] == ["T3"]
    trio.ask(order["id"], "cancel", {"reason": "left"})
    trio.wait_for(order["id"], status="cancelled", tabStatus="void")


def flan(trio: Trio) -> bool:
    """Whether the flan is on sale at Desktop Kitchen."""
    rows = trio.pos[DESKTOP_KITCHEN].call("GET", "/api/menu/items?include_inactive=1", **{"X-Tenant-ID": TENANT})
    return bool(next(row for row in rows if row["id"] == 19)["active"])


def mark(trio: Trio, available: bool) -> dict[str, Any]:
    """86 or un-86 of the flan in the hub."""
    item = trio.server.item_id("Flan de Cajeta", "demo-taqueria")
    body = {"available": available, "storeSlug": "demo-taqueria"}
    answer = trio.server.client.patch(f"/api/v1/menu/items/{item}", json=body, headers=trio.headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_what_is_sold_out_travels_both_ways(trio: Trio) -> None:
    for available in (False, False, True, True):
        told = mark(trio, available)
        assert (told["hub"], told["available"]) == ("applied", available)
        wait_for(lambda wanted=available: flan(trio) is wanted, "the switch is as it was asked")
    at_desktop_kitchen(trio, "PUT", "/api/menu/items/19/toggle")
    done = trio.site.run("link", "sync", "demo-taqueria")
    assert done.returncode == 0, done.stdout + done.stderr
    wait_for(lambda: not trio.server.menu("demo-taqueria")["Flan de Cajeta"]["available"], "it is sold out here too")
    refused = trio.server.post(trio.body(DESKTOP_KITCHEN, [{"item": "Flan de Cajeta"}]), bearer())
    assert (refused.status_code, refused.json()["code"]) == (400, "ITEM_SOLD_OUT")
    mark(trio, True)
    wait_for(lambda: flan(trio), "it is back")


def test_a_switch_that_somebody_flips_at_the_same_moment_ends_as_it_was_asked_here(trio: Trio) -> None:
    pos = trio.pos[DESKTOP_KITCHEN]
    assert flan(trio)
    pos.fail({"operation": "toggle_item", "times": 1, "fault": "delay", "delay_seconds": 0.7})
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(mark, trio, False)
        wait_for(lambda: pos.fired() == 1, "the hub flips it", every=0.01)
        at_desktop_kitchen(trio, "PUT", "/api/menu/items/19/toggle")  # so that the hub's flip puts it on sale
        assert asked.result()["available"] is False
    wait_for(lambda: not flan(trio), "it is sold out in the end")
    for rule in ({"fault": "drop_after"}, {"fault": "drop_before"}):
        pos.fail({"operation": "toggle_item", "times": 1, **rule})
        wanted = not flan(trio)
        mark(trio, wanted)
        wait_for(lambda wanted=wanted: flan(trio) is wanted, f"{rule}: the switch is as it was asked", seconds=60)
    mark(trio, True)
    wait_for(lambda: flan(trio), "it is back")


@pytest.mark.parametrize(("connector", "name"), [(CLOPOS, "Lülə kabab"), (DESIBITS, "Samosa Chaat")])
def test_what_is_sold_out_is_the_hub_s_own_where_the_pos_takes_no_such_thing(
    trio: Trio, connector: str, name: str
) -> None:
    slug = trio.pos[connector].slug
    item = trio.server.item_id(name, slug)
    for available in (False, True):
        answer = trio.server.client.patch(
            f"/api/v1/menu/items/{item}", json={"available": available, "storeSlug": slug}, headers=bearer()
        )
        told = answer.json()
        assert (told["hub"], told["pos"], told["available"]) == ("applied", "not_supported", available)

"""Orders are changed over the API: once per key, for the version that was meant, and never without an honest answer."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.errors import VendorRejected
from tests.api.conftest import NewHouse
from tests.api.house import House
from tests.api.till import AT_TILL
from tests.database.stored import LINK, PLOV

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["sqlite", "postgresql"])
async def either(request: pytest.FixtureRequest, new_house: NewHouse) -> AsyncIterator[House]:
    """A hub on either database."""
    url = request.getfixturevalue("postgres").create_database() if request.param == "postgresql" else ""
    async with new_house(url) as opened:
        yield opened


@pytest.fixture
async def busy(new_house: NewHouse) -> AsyncIterator[House]:
    """A hub that delivers."""
    async with new_house(deliver=True) as opened:
        yield opened


async def test_an_order_without_a_pos_is_cancelled_at_once(either: House) -> None:
    order = await either.order("kiosk")
    answer = await either.post(f"/orders/{order['orderNumber']}/cancel", {"reason": "guest left"})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["hub"], told["pos"]) == ("applied", "no_pos")
    assert (told["order"]["status"], told["order"]["tabStatus"]) == ("cancelled", "void")
    assert (told["order"]["version"], answer.headers["ETag"]) == (2, '"2"')


async def test_an_order_that_was_not_sent_yet_is_taken_back(either: House) -> None:
    order = await either.order()
    told = (await either.post(f"/orders/{order['id']}/cancel", {"reason": "no"})).json()
    assert (told["hub"], told["pos"], told["order"]["status"]) == ("applied", "applied", "cancelled")


async def test_an_order_at_the_pos_is_cancelled_when_the_pos_agrees(busy: House) -> None:
    order = await busy.delivered(await busy.order())
    path = f"/orders/{order['id']}/cancel"
    told = (await busy.post(path, {"reason": "guest left"}, prefer="wait=10")).json()
    assert (told["hub"], told["pos"], told["order"]["status"]) == ("applied", "applied", "cancelled")


async def test_a_cancellation_the_pos_refuses_leaves_the_order_as_it_is(busy: House) -> None:
    order = await busy.delivered(await busy.order())
    busy.till.error = VendorRejected("till: the kitchen has it already")
    told = (await busy.post(f"/orders/{order['id']}/cancel", {"reason": "late"}, prefer="wait=10")).json()
    assert (told["hub"], told["pos"], told["order"]["status"]) == ("requested", "refused", "received")
    [way] = told["order"]["injection"]
    assert (way["state"], way["posOrderId"]) == ("confirmed_with_open_items", AT_TILL.id)
    assert way["openItems"] == [
        {
            "operation": "cancel_order",
            "state": "failed",
            "cause": "POS_REJECTED",
            "detail": "till: the kitchen has it already",
        }
    ]


@pytest.mark.parametrize("word", ["accepted", "preparing", "ready", "served", "completed"])
async def test_an_order_moves_on(house: House, word: str) -> None:
    order = await house.order()
    told = (await house.post(f"/orders/{order['id']}/status", {"status": word})).json()
    assert (told["hub"], told["pos"], told["order"]["status"]) == ("applied", "queued", word)


async def test_a_pos_that_takes_no_status_is_named(house: House) -> None:
    order = await house.order("other")
    told = (await house.post(f"/orders/{order['id']}/status", {"status": "ready"})).json()
    assert (told["hub"], told["pos"]) == ("applied", "not_supported")


async def test_a_change_meant_for_another_version_is_a_conflict(house: House) -> None:
    order = await house.order("kiosk")
    path = f"/orders/{order['id']}/status"
    for ask in (
        {"body": {"status": "ready"}, "if_match": '"7"'},
        {"body": {"status": "ready", "version": 7}},
    ):
        answer = await house.post(path, **ask)
        assert (answer.status_code, answer.json()["code"]) == (409, "VERSION_CONFLICT")
        assert answer.json()["field"] == "version"
    contrary = await house.post(path, {"status": "ready", "version": 1}, if_match="2")
    assert (contrary.status_code, contrary.json()["field"]) == (400, "version")
    assert (await house.post(path, {"status": "ready"}, if_match='"1"')).status_code == 200
    assert (await house.post(path, {"status": "served", "version": 2})).status_code == 200
    assert (await house.post(path, {"status": "completed"}, if_match="*")).json()["order"]["version"] == 4


async def test_a_further_round_is_priced_from_the_menu(either: House) -> None:
    order = await either.order("kiosk")
    body = {"items": [{"itemId": PLOV.id, "quantity": 2}]}
    told = (await either.post(f"/orders/{order['id']}/items", body, idempotency_key="round-2")).json()
    assert (told["order"]["total"]["cents"], told["order"]["checks"][0]["lines"]) == (5400, ["li_1", "li_2"])
    again = await either.post(f"/orders/{order['id']}/items", body, idempotency_key="round-2")
    assert (again.headers["Idempotent-Replayed"], again.json()) == ("true", told)
    assert (await either.get(f"/orders/{order['id']}")).json()["order"]["total"]["cents"] == 5400


async def test_a_key_used_for_something_else_is_refused(either: House) -> None:
    order = await either.order("kiosk")
    path = f"/orders/{order['id']}/items"
    await either.post(path, {"items": [{"itemId": PLOV.id}]}, idempotency_key="k")
    before = await either.counts()
    for other_path, body in (
        (path, {"items": [{"itemId": PLOV.id, "quantity": 3}]}),
        (f"/orders/{order['id']}/cancel", {"reason": "x"}),
    ):
        answer = await either.post(other_path, body, idempotency_key="k")
        assert (answer.status_code, answer.json()["code"]) == (422, "KEY_REUSED")
    assert await either.counts() == before


async def test_a_refused_change_does_not_use_its_key_up(either: House) -> None:
    order = await either.order("kiosk")
    path = f"/orders/{order['id']}/payments"
    wrong = await either.post(path, {"method": "cash", "amount": 1801}, idempotency_key="k")
    assert (wrong.status_code, wrong.json()["code"], wrong.json()["field"]) == (400, "PAYMENT_TOO_HIGH", "amount")
    assert (await either.post(path, {"method": "cash", "amount": 1800}, idempotency_key="k")).status_code == 200


async def test_a_split_bill_is_paid_and_partly_given_back(either: House) -> None:
    order = await either.order("kiosk")
    path = f"/orders/{order['id']}/payments"
    parts = [{"method": "cash", "amount": 800}, {"method": "card", "amount": 600, "tip": 100, "reference": "tx-1"}]
    told = (await either.post(path, {"payments": parts}, idempotency_key="split")).json()
    assert (told["order"]["paymentStatus"], told["order"]["due"]["cents"]) == ("partial", 400)
    [check] = told["order"]["checks"]
    assert [(p["method"], p["amount"]["cents"], p["tip"]["cents"], p["reference"]) for p in check["payments"]] == [
        ("cash", 800, 0, None),
        ("card", 600, 100, "tx-1"),
    ]
    again = (await either.post(path, {"payments": parts}, idempotency_key="split")).json()
    assert again == told
    rest = (await either.post(path, {"method": "wallet", "amount": 400, "code": "upi", "checkId": check["id"]})).json()
    assert (rest["order"]["paymentStatus"], rest["order"]["due"]["cents"]) == ("paid", 0)
    card = check["payments"][1]["id"]
    refund = f"{path}/{card}/refund"
    first = (await either.post(refund, {"amount": 200, "reason": "cold"}, idempotency_key="r")).json()
    await either.post(refund, {"amount": 200, "reason": "cold"}, idempotency_key="r")
    assert (first["order"]["paymentStatus"], first["order"]["due"]["cents"]) == ("partial", 200)
    whole = (await either.post(refund, {"reason": "cold"})).json()
    assert whole["order"]["checks"][0]["payments"][1]["refunded"]["cents"] == 600
    spent = await either.post(refund, {"reason": "cold"})
    assert (spent.status_code, spent.json()["code"]) == (400, "REFUND_TOO_HIGH")


async def test_a_discount_takes_the_place_of_the_one_before(house: House) -> None:
    order = await house.order("kiosk")
    path = f"/orders/{order['id']}/discount"
    assert (await house.post(path, {"type": "percent", "value": 10})).json()["order"]["total"]["cents"] == 1620
    told = (await house.post(path, {"type": "amount", "value": 300, "reason": "late"})).json()
    assert told["order"]["total"]["cents"] == 1500
    too_much = await house.post(path, {"type": "amount", "value": 1801})
    assert (too_much.status_code, too_much.json()["code"]) == (400, "DISCOUNT_TOO_LARGE")
    assert too_much.json()["field"] == "value"


async def test_a_coupon_is_confirmed_by_the_pos_first(house: House) -> None:
    order = await house.order()
    path = f"/orders/{order['id']}/discount"
    told = (await house.post(path, {"coupon": "TEN"}, idempotency_key="c")).json()
    assert (told["order"]["discount"]["cents"], told["pos"]) == (180, "queued")
    assert house.till.asked == [("validate_coupon", "TEN", 1800)]
    house.till.coupon = house.till.coupon.__class__(code="TEN", valid=False, detail="used up")
    refused = await house.post(path, {"coupon": "TEN"})
    assert (refused.status_code, refused.json()["code"]) == (400, "COUPON_INVALID")
    assert refused.json()["error"] == "coupon: used up"
    assert (await house.post(path, {"coupon": "TEN"}, idempotency_key="c")).json() == told


async def test_a_coupon_needs_its_worth_where_the_pos_cannot_check_it(house: House) -> None:
    order = await house.order("kiosk")
    path = f"/orders/{order['id']}/discount"
    answer = await house.post(path, {"coupon": "TEN"})
    assert (answer.status_code, answer.json()["field"]) == (400, "coupon")
    told = (await house.post(path, {"coupon": "TEN", "type": "percent", "value": "12.5"})).json()
    assert told["order"]["discount"]["cents"] == 225


async def test_a_driver_is_the_business_of_the_pos(house: House) -> None:
    order = await house.order()
    told = (await house.post(f"/orders/{order['id']}/driver", {"driverId": "8", "name": "Rashad"})).json()
    assert (told["hub"], told["pos"]) == ("applied", "queued")
    alone = await house.order("kiosk")
    answer = await house.post(f"/orders/{alone['id']}/driver", {"driverId": "8"})
    assert (answer.status_code, answer.json()["code"]) == (400, "NOT_SUPPORTED_BY_POS")


async def test_kitchen_and_printer_are_asked_directly(busy: House) -> None:
    order = await busy.delivered(await busy.order())
    sent = (await busy.post(f"/orders/{order['id']}/kitchen", {})).json()
    assert sent["pos"] == "queued"
    await busy.delivered(order)
    printed = (await busy.post(f"/orders/{order['id']}/kitchen", {"action": "print"})).json()
    assert (printed["printed"], printed["pos"]) == (1, "applied")
    await busy.post(f"/orders/{order['id']}/print", {"what": "invoice"})
    assert busy.till.asked[-2:] == [("print_ticket", "77", True), ("print_bill", "9001", "invoice")]
    state = (await busy.get(f"/orders/{order['id']}/payment-state")).json()["payment"]
    assert (state["status"], state["posStatus"], state["posPaid"]["cents"], state["posDue"]) == (
        "unpaid",
        "partial",
        800,
        None,
    )


async def test_what_the_pos_does_not_have_yet_cannot_be_printed(house: House) -> None:
    order = await house.order()
    for path, body in (("print", {}), ("kitchen", {"action": "print"})):
        answer = await house.post(f"/orders/{order['id']}/{path}", body)
        assert (answer.status_code, answer.json()["code"]) == (400, "NOT_AT_POS")


CHANGES: dict[str, Any] = {
    "cancel": {"reason": "x"},
    "status": {"status": "ready"},
    "items": {"items": [{"itemId": PLOV.id}]},
    "payments": {"method": "cash", "amount": 100},
    "payments/pay_x/refund": {"reason": "x"},
    "discount": {"type": "percent", "value": 10},
    "driver": {"driverId": "8"},
    "kitchen": {},
    "print": {},
}


@pytest.mark.parametrize("path", CHANGES)
async def test_a_change_needs_a_key_with_the_scope_for_this_store(shared_house: House, path: str) -> None:
    order = await shared_house.order()
    before = await shared_house.counts()
    for key, status, code in (
        ("", 401, "KEY_INVALID"),
        ("sk_unknown", 401, "KEY_INVALID"),
        ("sk_read", 403, "SCOPE_MISSING"),
        ("sk_other", 403, "LOCATION_FORBIDDEN"),
    ):
        answer = await shared_house.post(f"/orders/{order['id']}/{path}", CHANGES[path], key=key)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await shared_house.counts() == before
    assert shared_house.till.asked == []


@pytest.mark.parametrize("path", CHANGES)
@pytest.mark.parametrize("order", ["DT-999", "order_" + "f" * 32, "x" * 300, "%00", "..%2f..", "'; --", "ü"])
async def test_an_order_that_does_not_exist_is_not_found(shared_house: House, path: str, order: str) -> None:
    answer = await shared_house.post(f"/orders/{order}/{path}", CHANGES[path])
    assert answer.status_code == 404, answer.text


async def test_who_may_not_read_orders_sees_no_guest(house: House) -> None:
    order = await house.order("kiosk")
    told = (await house.post(f"/orders/{order['id']}/status", {"status": "ready"}, key="sk_orders")).json()
    assert "customer" not in told["order"]
    assert "payments" not in told["order"]["checks"][0]


@pytest.mark.parametrize("cause", ["LINK_PAUSED", "POS_AUTH_FAILED"])
async def test_an_order_that_waits_for_a_paused_link_says_why(house: House, cause: str) -> None:
    await house.hub.health.set_paused(LINK.id, cause)
    order = await house.order()
    [way] = order["injection"]
    assert (way["state"], way["cause"]["code"]) == ("queued", cause)
    assert (await house.get(f"/orders/{order['id']}")).json()["order"]["injection"] == [way]
    wrong = (await house.get(f"/orders/{order['id']}/failure")).json()
    assert [failure["code"] for failure in wrong["failures"]] == [cause]
    await house.hub.health.set_paused(LINK.id, "")
    [way] = (await house.get(f"/orders/{order['id']}")).json()["order"]["injection"]
    assert (way["state"], way["cause"]) == ("queued", None)

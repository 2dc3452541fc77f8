"""How orders, tables and errors look to Mozrest."""

from typing import Any

import jsonschema
import msgspec
import pytest

from connectors.mozrest.render import Writing, listed_order, opened_order, order_to_mozrest
from hub.contract.inbound import Tab
from hub.contract.tables import load_schema, load_tables
from hub.errors import Conflict, InvalidRequest
from hub.model.check import Totals
from hub.model.decimals import encode_json
from hub.model.order import Customer, Order, Origin, Timing
from hub.model.payment import Payment, PaymentMethod
from hub.model.status import Status
from tests.connectors.mozrest.linked import NOW_MS, ORDER_ID, LinkedMozrest, check, line, order

EURO = Writing(load_tables("mozrest"), "EUR")


def told(given: Order, writing: Writing = EURO) -> Any:
    body = order_to_mozrest(given, writing)
    jsonschema.validate(msgspec.json.decode(encode_json(body)), load_schema("mozrest/order"))
    return body


def test_an_order_as_it_goes_out_byte_for_byte() -> None:
    steak, wine = line(4000, 2), line(7000, 1, uid="li_2", item_id="17", name="Wine")
    totals = Totals(subtotal_cents=15000, discount_cents=1000, tax_cents=1200, tip_cents=2000, total_cents=16000)
    paid = Payment(id="pay_1", method=PaymentMethod.CARD, cents=14000)
    body = told(order(check(steak, wine, number="98766", totals=totals, payments=(paid,)), party_size=2))
    assert encode_json(body) == (
        b'{"id":"' + ORDER_ID.encode() + b'","status":"open","tables":["T12"],"checks":[{"checkNumber":"98766",'
        b'"status":"open","totalAmount":140.00,"tax":12.00,"tip":20.00,"discount":10.00,"items":['
        b'{"id":"item_1","name":"Steak","price":40.00,"quantity":2},'
        b'{"id":17,"name":"Wine","price":70.00,"quantity":1}],"paymentMethod":"card"}],"partySize":2}'
    )


@pytest.mark.parametrize(
    ("currency", "amount"), [("EUR", b":12.99,"), ("JPY", b":1299,"), ("KWD", b":1.299,"), ("XXX", b":12.99,")]
)
def test_amounts_have_the_decimals_of_their_currency(currency: str, amount: bytes) -> None:
    assert amount in encode_json(told(order(), Writing(EURO.tables, currency)))


def test_the_price_of_one_holds_its_modifiers_and_lines_that_do_not_divide_stay_exact() -> None:
    with_cheese = line(500, 2, gross_cents=1300)
    three_for_ten = line(0, 3, uid="li_2", gross_cents=1000)
    items = told(order(check(with_cheese, three_for_ten)))["checks"][0]["items"]
    assert [(str(item["price"]), item["quantity"]) for item in items] == [("6.50", 2), ("3.33", 2), ("3.34", 1)]


def test_a_check_without_a_number_has_the_orders() -> None:
    first, second, third = check(line()), check(id="check_2", number="A7"), check(id="check_3")
    given = order(first, second, third)
    assert [one["checkNumber"] for one in told(given)["checks"]] == ["DT-001", "A7", "DT-001-3"]
    assert opened_order(Tab(order=given)) == {"id": ORDER_ID, "checkNumber": "DT-001"}


@pytest.mark.parametrize(
    ("status", "checks", "expected", "each"),
    [
        (Status.OPEN, (Status.OPEN, Status.CLOSED), "open", ["open", "closed"]),
        (Status.OPEN, (Status.VOID, Status.VOID), "closed", ["void", "void"]),
        (Status.CLOSED, (Status.CLOSED, Status.VOID), "closed", ["closed", "void"]),
        (Status.CLOSED, (Status.OPEN,), "closed", ["closed"]),
        (Status.VOID, (Status.OPEN, Status.VOID), "closed", ["void", "void"]),
        (Status.UNKNOWN, (Status.UNKNOWN,), "open", ["open"]),
    ],
)
def test_the_status_of_an_order_and_of_its_checks(
    status: Status, checks: tuple[Status, ...], expected: str, each: list[str]
) -> None:
    own = tuple(check(line(), id=f"check_{index}", status=one) for index, one in enumerate(checks))
    body = told(order(*own, status=status))
    assert (body["status"], [one["status"] for one in body["checks"]]) == (expected, each)


@pytest.mark.parametrize(
    ("payments", "word"),
    [
        ([], None),
        ([("cash", 500, 0), ("card", 1500, 0)], "card"),
        ([("cash", 500, 0), ("card", 1500, 1200)], "cash"),
        ([("prepaid", 5000, 0)], "online payment"),
        ([("transfer", 1, 0)], "bank transfer"),
    ],
)
def test_the_payment_method_is_that_of_the_largest_payment(payments: list[Any], word: str | None) -> None:
    paid = tuple(
        Payment(id=f"pay_{index}", method=PaymentMethod(method), cents=cents, refunded_cents=refunded)
        for index, (method, cents, refunded) in enumerate(payments)
    )
    assert told(order(check(line(), payments=paid)))["checks"][0].get("paymentMethod") == word


def test_every_payment_method_has_a_word() -> None:
    for method in PaymentMethod:
        assert EURO.tables.to_vendor("payment_method", method)


def test_a_tip_given_with_the_payment_is_told_and_never_in_the_total() -> None:
    paid = Payment(id="pay_1", method=PaymentMethod.CARD, cents=2598, tip_cents=300)
    told_check = told(order(check(line(), payments=(paid,))))["checks"][0]
    assert (str(told_check["totalAmount"]), str(told_check["tip"])) == ("25.98", "3.00")


def test_an_order_in_a_list_has_guest_and_times_besides() -> None:
    closed = order(
        check(line(), status=Status.CLOSED),
        status=Status.CLOSED,
        timing=Timing(timezone="Europe/Madrid", business_date="2026-11-18", closed_at_ms=NOW_MS),
    )
    listed: Any = listed_order(Tab(order=closed), EURO)
    assert listed.keys() - told(closed).keys() == {
        "guestName", "guestEmail", "guestTelephone", "openedAt", "updatedAt", "closedAt",
    }  # fmt: skip
    assert listed["guestTelephone"] == "34646883377"
    assert (listed["openedAt"], listed["closedAt"]) == ("2026-11-18T10:06:40Z", "2026-11-18T11:06:40Z")


def test_a_guest_without_a_name_has_no_name() -> None:
    anonymous = order(customer=Customer(name="", phone="0501234567"), party_size=None)
    listed = listed_order(Tab(order=anonymous), EURO)
    assert "guestName" not in listed
    assert "partySize" not in listed
    assert listed["guestTelephone"] == "0501234567"


def test_the_guest_of_a_walk_in_is_not_told() -> None:
    listed = listed_order(Tab(order=order(origin=Origin(system="api")), channel_order_id="m-1"), EURO)
    assert [name for name in listed if name.startswith("guest")] == []


def test_an_error_as_documented() -> None:
    linked = LinkedMozrest().connector
    assert linked.render_error(InvalidRequest("This value should not be blank.", field="tables")).body == (
        b'{"error":{"code":400,"message":"Validation failed","details":{"tables":["This value should not be blank."]},'
        b'"reason":"INVALID_REQUEST"}}'
    )
    occupied = linked.render_error(Conflict("table T12 is occupied", code="TABLE_OCCUPIED"))
    assert occupied.status == 409
    assert occupied.body == b'{"error":{"code":409,"message":"table T12 is occupied","reason":"TABLE_OCCUPIED"}}'

"""Payments: the documented body, the restaurant's own codes, and what an unanswered one came to."""

from decimal import Decimal
from typing import Any

import jsonschema
import msgspec
import pytest

from connectors.desibits.payments import payment_state
from hub.contract.families import PaymentState
from hub.contract.tables import load_schema
from hub.contract.writes import Operation, OrderWrite, Replay, Verdict
from hub.errors import UnmappedValue, UnsupportedByVendor
from hub.model.change import PaymentChange
from hub.model.decimals import decode_json
from hub.model.order import VendorRef
from hub.model.payment import Payment, PaymentMethod
from tests.connectors.desibits.linked import CONFIG, LinkedDesibits, order_row, write

pytestmark = pytest.mark.anyio

METHODS = [
    {"id": 1, "name": "Cash", "code": "cash"},
    {"id": 2, "name": "Card", "code": "card"},
    {"id": 3, "name": "UPI", "code": "upi"},
    {"id": 4, "name": "Bank Transfer", "code": "bank"},
]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def paying(*payments: Payment) -> OrderWrite:
    change = PaymentChange(check_id="chk_1", payments=payments)
    return write(ref=VendorRef(kind="order", id="123"), change=change)


def payment(method: PaymentMethod = PaymentMethod.CARD, **changes: Any) -> Payment:
    return Payment(**{"id": "pay_1", "method": method, "cents": 4599, **changes})


async def test_the_documented_payment_goes_out_as_documented() -> None:
    linked = LinkedDesibits()
    linked.answers("GET", "/payment-methods", METHODS)
    route = linked.answers("POST", "/orders/123/payment", {"payment_id": 456, "status": "paid"})
    await linked.connector.record_payment(paying(payment(reference="TXN123456", tip_cents=500)))
    assert decode_json(route.calls.last.request.content) == {
        "payment_method": "card",
        "amount": Decimal("45.99"),
        "transaction_id": "TXN123456",
        "tip_amount": Decimal("5.00"),
    }
    jsonschema.validate(msgspec.json.decode(route.calls.last.request.content), load_schema("desibits/payment"))


async def test_a_payment_without_a_reference_carries_our_own_id() -> None:
    linked = LinkedDesibits()
    linked.answers("GET", "/payment-methods", METHODS)
    route = linked.answers("POST", "/orders/123/payment")
    await linked.connector.record_payment(paying(payment()))
    assert decode_json(route.calls.last.request.content) == {
        "payment_method": "card",
        "amount": Decimal("45.99"),
        "transaction_id": "pay_1",
    }


async def test_several_payments_are_one_split_bill() -> None:
    linked = LinkedDesibits()
    linked.answers("GET", "/payment-methods", METHODS)
    route = linked.answers("POST", "/orders/123/split-payment")
    await linked.connector.record_payment(
        paying(payment(), payment(PaymentMethod.CASH, id="pay_2", cents=100), payment(PaymentMethod.WALLET, id="pay_3"))
    )
    parts = msgspec.json.decode(route.calls.last.request.content)["payments"]
    assert [(part["payment_method"], part["amount"], part["transaction_id"]) for part in parts] == [
        ("card", 45.99, "pay_1"),
        ("cash", 1.0, "pay_2"),
        ("upi", 45.99, "pay_3"),
    ]
    for part in parts:
        jsonschema.validate(part, load_schema("desibits/payment"))


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (payment(PaymentMethod.CASH), "cash"),
        (payment(PaymentMethod.PREPAID), "card"),
        (payment(PaymentMethod.TRANSFER), "bank"),
        (payment(PaymentMethod.OTHER, raw_method="Upi"), "upi"),
        (payment(PaymentMethod.CARD, raw_method="bank-transfer"), "bank"),
    ],
)
async def test_the_method_is_one_of_the_restaurants(made: Payment, code: str) -> None:
    linked = LinkedDesibits()
    methods = linked.answers("GET", "/payment-methods", METHODS)
    route = linked.answers("POST", "/orders/123/payment")
    for _ in range(2):
        await linked.connector.record_payment(paying(made))
    assert decode_json(route.calls.last.request.content)["payment_method"] == code
    assert methods.call_count == 1


async def test_the_links_own_choice_of_a_method_needs_no_list() -> None:
    linked = LinkedDesibits({**CONFIG, "payment_methods": {"prepaid": "online"}})
    route = linked.answers("POST", "/orders/123/payment")
    await linked.connector.record_payment(paying(payment(PaymentMethod.PREPAID)))
    assert decode_json(route.calls.last.request.content)["payment_method"] == "online"


@pytest.mark.parametrize(
    "made", [payment(PaymentMethod.VOUCHER), payment(PaymentMethod.OTHER), payment(raw_method="Amex")]
)
async def test_a_method_the_restaurant_has_not_is_held(made: Payment) -> None:
    linked = LinkedDesibits()
    linked.answers("GET", "/payment-methods", METHODS)
    with pytest.raises(UnmappedValue, match="payment_methods"):
        await linked.connector.record_payment(paying(made))
    assert linked.sent() == ["GET /payment-methods"]


MINE = {"amount": "45.99", "transaction_id": "pay_1"}
OTHER = {"amount": "1.00", "transaction_id": None}


@pytest.mark.parametrize(
    ("shown", "made", "verdict"),
    [
        ([], [payment()], Verdict.ABSENT),
        ([OTHER], [payment()], Verdict.ABSENT),
        ([OTHER, MINE], [payment()], Verdict.FOUND),
        ([MINE], [payment(), payment(id="pay_2")], Verdict.AMBIGUOUS),
        ([MINE, {**MINE, "transaction_id": "T2"}], [payment(), payment(id="pay_2", reference="T2")], Verdict.FOUND),
    ],
)
async def test_an_unanswered_payment_is_looked_for_among_those_of_the_order(
    shown: Any, made: list[Payment], verdict: Verdict
) -> None:
    linked = LinkedDesibits()
    linked.shows(order_row(payments=shown))
    assert (await linked.connector.find_payment(paying(*made), since_ms=0)).verdict is verdict


@pytest.mark.parametrize("shown", [None, [{"amount": "45.99"}], [MINE, {"amount": "45.99"}]])
async def test_where_payments_cannot_be_told_apart_a_person_decides(shown: Any) -> None:
    linked = LinkedDesibits()
    linked.shows(order_row(payments=shown))
    with pytest.raises(UnsupportedByVendor):
        await linked.connector.find_payment(paying(payment()), since_ms=0)


def test_a_payment_is_never_sent_again_blindly() -> None:
    rule = LinkedDesibits().connector.write_rule(Operation.RECORD_PAYMENT)
    assert (rule.replay, rule.look_up) == (Replay.SEARCHABLE, "find_payment")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            {"payment_status": "partial", "amount_paid": "10.00", "remaining_balance": Decimal("15.98")},
            PaymentState(raw_status="partial", paid_cents=1000, due_cents=1598),
        ),
        ({"status": "unpaid", "balance": 5}, PaymentState(raw_status="unpaid", due_cents=500)),
        ({}, PaymentState(raw_status="")),
    ],
)
def test_what_is_left_to_pay(row: Any, expected: PaymentState) -> None:
    assert payment_state(row, "INR") == expected

"""Payments and refunds: an order is paid or not, as a whole, and never twice."""

from typing import Any

import httpx
import jsonschema
import pytest
from msgspec import structs

from hub.contract.families import PaymentState
from hub.contract.tables import load_schema
from hub.contract.writes import Operation, OrderWrite, Replay, Verdict
from hub.errors import OutcomeUnknown, UnmappedValue, VendorRejected
from hub.model.change import PaymentChange, RefundChange
from hub.model.check import Check, Totals
from hub.model.decimals import decode_json
from hub.model.order import LossKind, VendorRef
from hub.model.payment import Payment, PaymentMethod
from tests.connectors.desktop_kitchen.linked import (
    CONFIG,
    LinkedKitchen,
    order,
    payment,
    read_back,
    refused,
    sent,
    torta,
    write,
)

pytestmark = pytest.mark.anyio
REF = VendorRef(kind="order", id="108")
ROUNDS = (VendorRef(kind="order", id="109"), VendorRef(kind="ticket", id="5"))
PAID_BY_CARD = {"payment_status": "paid", "payment_method": "card"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def paying(*payments: Payment, **changes: Any) -> OrderWrite:
    """The order of 290.00 with these payments, as the hub asks for them to be recorded."""
    check = Check(
        id="chk_1", lines=(torta(),), payments=payments, totals=Totals(subtotal_cents=29000, total_cents=29000)
    )
    return write(order(checks=(check,), **changes), ref=REF, change=PaymentChange(check_id="chk_1", payments=payments))


def by(method: PaymentMethod, cents: int = 29000, **values: Any) -> Payment:
    return Payment(id=f"pay_{method}_{cents}", method=method, cents=cents, **values)


@pytest.mark.parametrize(
    ("method", "word"),
    [
        (PaymentMethod.CASH, "cash"),
        (PaymentMethod.CARD, "card"),
        (PaymentMethod.TRANSFER, "transfer"),
        (PaymentMethod.PREPAID, "card"),
    ],
)
async def test_one_method_marks_the_order_as_paid_and_leaves_its_status_alone(method: PaymentMethod, word: str) -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/payments/108", payment())
    patch = linked.answers("PATCH", "/orders/108/payment", {"success": True, "order": read_back()})
    result = await linked.connector.record_payment(paying(by(method)))
    assert sent(patch) == {"payment_method": word}
    jsonschema.validate(sent(patch), load_schema("desktop_kitchen/order_payment"))
    assert (result.ref, result.losses) == (REF, ())


async def test_a_tip_and_a_reference_are_reported_as_lost() -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/payments/108", payment())
    patch = linked.answers("PATCH", "/orders/108/payment", {"success": True})
    result = await linked.connector.record_payment(paying(by(PaymentMethod.CARD, tip_cents=2050, reference="TX-77")))
    assert sent(patch) == {"payment_method": "card", "reference": "TX-77"}
    assert [(loss.path, loss.kind) for loss in result.losses] == [
        ("checks.payments.tip_cents", LossKind.LOST),
        ("checks.payments.reference", LossKind.LOST),
    ]
    assert "MX$20.50" in result.losses[0].loss


async def test_cash_through_the_drawer_covers_the_pos_total_and_keeps_the_tip() -> None:
    linked = LinkedKitchen({**CONFIG, "cash_payments": "drawer"})
    linked.answers("GET", "/payments/108", payment(amount="299.90"))
    drawer = linked.answers("POST", "/payments/cash", {"success": True, "change_due": 0})
    result = await linked.connector.record_payment(paying(by(PaymentMethod.CASH, tip_cents=1005)))
    assert drawer.calls.last.request.content == b'{"order_id":108,"tip":10.05,"amount_received":309.95}'
    jsonschema.validate(sent(drawer), load_schema("desktop_kitchen/payment_cash"))
    assert result.losses == ()


async def test_several_methods_are_one_split_bill() -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/payments/108", payment())
    split = linked.answers("POST", "/payments/split", {"success": True, "splits_count": 2})
    await linked.connector.record_payment(
        paying(by(PaymentMethod.CASH, 10001, tip_cents=500), by(PaymentMethod.CARD, 18999))
    )
    assert b'"amount":100.01' in split.calls.last.request.content
    jsonschema.validate(sent(split), load_schema("desktop_kitchen/payment_split"))
    assert [(part["payment_method"], part["tip"]) for part in sent(split)["splits"]] == [("cash", 5), ("card", 0)]


async def test_a_part_payment_stays_in_the_hub_until_the_bill_is_covered() -> None:
    linked = LinkedKitchen()
    result = await linked.connector.record_payment(paying(by(PaymentMethod.CASH, 10000)))
    assert [(loss.path, loss.kind) for loss in result.losses] == [("checks.payments", LossKind.LOST)]
    assert linked.sink.calls == []


async def test_a_discounted_order_counts_as_covered_though_the_pos_wants_more() -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/payments/108", payment())
    patch = linked.answers("PATCH", "/orders/108/payment", {"success": True})
    await linked.connector.record_payment(paying(by(PaymentMethod.CARD, 26100), computed_cents=26100))
    assert patch.call_count == 1


@pytest.mark.parametrize("race", [False, True], ids=["read first", "refused as paid"])
async def test_paid_already_counts_as_success_only_when_it_is_the_same_method(race: bool) -> None:
    for told, accepted in ((PAID_BY_CARD, True), ({**PAID_BY_CARD, "payment_method": "cash"}, False)):
        linked = LinkedKitchen()
        linked.answers("GET", "/payments/108", *([payment()] if race else []), payment(**told))
        patch = linked.answers("PATCH", "/orders/108/payment", refused(400, "Order is already paid"))
        if accepted:
            await linked.connector.record_payment(paying(by(PaymentMethod.CARD)))
        else:
            with pytest.raises(VendorRejected, match="'paid' at the POS, by 'cash'"):
                await linked.connector.record_payment(paying(by(PaymentMethod.CARD)))
        assert patch.call_count == (1 if race else 0)


@pytest.mark.parametrize("status", ["processing", "pending_oxxo", "pending_spei", "refunded", "pledged"])
async def test_an_order_that_somebody_is_paying_or_nobody_understands_is_left_alone(status: str) -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/payments/108", payment(payment_status=status))
    with pytest.raises(VendorRejected):
        await linked.connector.record_payment(paying(by(PaymentMethod.CARD)))


async def test_a_method_without_a_word_is_held_unless_the_link_names_one() -> None:
    with pytest.raises(UnmappedValue, match="wallet"):
        await LinkedKitchen().connector.record_payment(paying(by(PaymentMethod.WALLET)))
    linked = LinkedKitchen({**CONFIG, "payment_methods": {"wallet": "transfer"}})
    linked.answers("GET", "/payments/108", payment())
    patch = linked.answers("PATCH", "/orders/108/payment", {"success": True})
    await linked.connector.record_payment(paying(by(PaymentMethod.WALLET)))
    await linked.connector.record_payment(paying(by(PaymentMethod.OTHER, raw_method="cash")))
    assert [decode_json(call.request.content)["payment_method"] for call in patch.calls] == ["transfer", "cash"]


async def test_a_payment_without_an_answer_is_looked_up() -> None:
    linked = LinkedKitchen()
    shown = [payment(), payment(), payment(**PAID_BY_CARD), payment(payment_status="paid", payment_method="cash")]
    linked.answers("GET", "/payments/108", *shown)
    linked.answers("PATCH", "/orders/108/payment", httpx.ReadTimeout("silence"))
    request = paying(by(PaymentMethod.CARD))
    with pytest.raises(OutcomeUnknown):
        await linked.connector.record_payment(request)
    verdicts = [(await linked.connector.find_payment(request, since_ms=0)).verdict for _ in range(3)]
    assert verdicts == [Verdict.ABSENT, Verdict.FOUND, Verdict.ABSENT]
    rule = linked.connector.write_rule(Operation.RECORD_PAYMENT)
    assert (rule.replay, rule.look_up) == (Replay.SEARCHABLE, "find_payment")


async def test_every_round_of_a_tab_is_marked_with_the_method_that_paid_most() -> None:
    linked = LinkedKitchen()
    patches = []
    for order_id in (108, 109):
        linked.answers("GET", f"/payments/{order_id}", payment(order_id))
        patches.append(linked.answers("PATCH", f"/orders/{order_id}/payment", {"success": True}))
    result = await linked.connector.record_payment(
        structs.replace(paying(by(PaymentMethod.CASH, 9000), by(PaymentMethod.TRANSFER, 20000)), further_refs=ROUNDS)
    )
    assert [sent(patch) for patch in patches] == [{"payment_method": "transfer"}] * 2
    assert "2 orders at the POS" in result.losses[-1].loss


def refunding(cents: int, **changes: Any) -> OrderWrite:
    return write(ref=REF, change=RefundChange(payment_id="pay_1", cents=cents), **changes)


@pytest.mark.parametrize(
    ("cents", "already", "body"),
    [
        (29000, "0.00", b'{"order_id":108,"reason":"frio"}'),
        (1999, "0.00", b'{"order_id":108,"amount":19.99,"reason":"frio"}'),
        (19000, "100.00", b'{"order_id":108,"amount":190,"reason":"frio"}'),
    ],
    ids=["full", "a part", "the rest"],
)
async def test_a_refund_is_full_or_an_exact_amount(cents: int, already: str, body: bytes) -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/payments/108", payment(**PAID_BY_CARD, refund_total=already))
    refund = linked.answers("POST", "/payments/refund", {"success": True})
    await linked.connector.refund_payment(refunding(cents, reason="frio"))
    assert refund.calls.last.request.content == body
    jsonschema.validate(sent(refund), load_schema("desktop_kitchen/refund"))


async def test_more_than_is_paid_is_never_given_back() -> None:
    for told in (payment(), payment(**PAID_BY_CARD, refund_total="290.00"), payment(**PAID_BY_CARD, amount="289.99")):
        linked = LinkedKitchen()
        linked.answers("GET", "/payments/108", told)
        refund = linked.answers("POST", "/payments/refund", {"success": True})
        with pytest.raises(VendorRejected, match="is paid at the POS and not given back yet"):
            await linked.connector.refund_payment(refunding(29000))
        assert refund.call_count == 0


async def test_a_refund_is_taken_from_the_rounds_one_after_the_other() -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/payments/108", payment(**PAID_BY_CARD))
    linked.answers("GET", "/payments/109", payment(109, **PAID_BY_CARD, amount="50.00"))
    refund = linked.answers("POST", "/payments/refund", {"success": True})
    await linked.connector.refund_payment(refunding(30000, further_refs=ROUNDS))
    bodies = [decode_json(call.request.content) for call in refund.calls]
    assert bodies == [{"order_id": 108}, {"order_id": 109, "amount": 10}]


async def test_a_refund_without_an_answer_is_for_a_person() -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/payments/108", payment(**PAID_BY_CARD))
    linked.answers("POST", "/payments/refund", refused(500, "Stripe says no"))
    with pytest.raises(OutcomeUnknown):
        await linked.connector.refund_payment(refunding(29000))
    assert linked.connector.write_rule(Operation.REFUND_PAYMENT).replay is Replay.ONCE


async def test_what_is_paid_and_how_one_may_pay_is_told() -> None:
    linked = LinkedKitchen()
    shown = [payment(), payment(**PAID_BY_CARD, refund_total="40.50")]
    linked.answers("GET", "/payments/108", *shown)
    states = [await linked.connector.fetch_payment_state("108") for _ in shown]
    assert states == [
        PaymentState(raw_status="unpaid", paid_cents=0, due_cents=29000),
        PaymentState(raw_status="paid", paid_cents=24950, due_cents=0),
    ]
    methods = await linked.connector.fetch_payment_methods()
    assert [(one.code, one.method) for one in methods] == [
        ("cash", PaymentMethod.CASH),
        ("card", PaymentMethod.CARD),
        ("transfer", PaymentMethod.TRANSFER),
    ]


async def test_a_write_that_carries_another_change_is_refused() -> None:
    linked = LinkedKitchen()
    for operation in ("record_payment", "refund_payment", "add_lines", "set_stage"):
        with pytest.raises(VendorRejected, match=f"^{operation}: no "):
            await getattr(linked.connector, operation)(structs.replace(write(ref=REF), change=None))

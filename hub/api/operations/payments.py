"""Money taken for an order, and money given back."""

from typing import Annotated

from msgspec import Meta, Struct

from hub.api.answers import ChangeAnswer
from hub.api.changing import VersionBody, asked_of, changed_reply, order_of
from hub.api.derived import answer_of, with_tool
from hub.api.json import encode
from hub.api.operation import Operation, Reply, Request, Services
from hub.api.views import MoneyView, money
from hub.errors import InvalidRequest
from hub.model.order import Order
from hub.model.payment import Payment, PaymentMethod
from hub.services.keys import require_venue

_Cents = Annotated[int, Meta(ge=1, le=10**12)]
_Tip = Annotated[int, Meta(ge=0, le=10**12)]
_Word = Annotated[str, Meta(max_length=100)]


class PaymentBody(Struct, frozen=True, rename="camel", kw_only=True):
    """One payment in cents. `code` is the venue's own word for the method, see its list of payment methods."""

    method: PaymentMethod
    amount: _Cents
    tip: _Tip = 0
    reference: _Word = ""
    """The payer's or processor's own number; the same one is recorded once."""
    code: _Word = ""


class PaymentsBody(VersionBody, frozen=True, rename="camel", kw_only=True):
    """`payments` (several are one bill split between methods), or one payment's own fields."""

    payments: Annotated[list[PaymentBody], Meta(min_length=1, max_length=50)] | None = None
    check_id: _Word = ""
    method: PaymentMethod | None = None
    amount: _Cents | None = None
    tip: _Tip = 0
    reference: _Word = ""
    code: _Word = ""


class RefundBody(VersionBody, frozen=True, rename="camel", kw_only=True):
    """How much of a payment is given back in cents; without an amount all that is left of it."""

    reason: Annotated[str, Meta(description="Why, in a few words", min_length=1, max_length=500)]
    amount: _Cents | None = None


class PaymentStateView(Struct, frozen=True, rename="camel"):
    """What is paid of an order, as the hub and as its POS know it."""

    status: str
    due: MoneyView
    pos_status: str
    pos_paid: MoneyView | None
    pos_due: MoneyView | None


async def record_payments(services: Services, request: Request) -> Reply:
    """Record payments of a check; a `reference` or an `Idempotency-Key` that came before records nothing twice."""
    body: PaymentsBody = request.body
    order = await order_of(services, request)
    asked = asked_of(services, request, order, "payments")
    payments = [payment_of(services, one) for one in _bodies(body)]
    change = services.changes.record_payments(asked, payments, check_id=body.check_id)
    return await changed_reply(services, request, asked, change)


async def refund_payment(services: Services, request: Request) -> Reply:
    """Give part or all of a payment back."""
    body: RefundBody = request.body
    order = await order_of(services, request)
    asked = asked_of(services, request, order, f"refund {request.path['payment']}")
    change = services.changes.refund(asked, request.path["payment"], body.amount, reason=body.reason)
    return await changed_reply(services, request, asked, change)


async def get_payment_state(services: Services, request: Request) -> Reply:
    """What is paid of an order, asked of the POS at this moment."""
    record = await services.orders.load(request.path["order"])
    order = record.order
    require_venue(request.caller, order.venue_id)
    state = await services.pos_desk.payment_state(order)
    view = PaymentStateView(
        status=order.payment_status,
        due=money(order.due_cents, order.currency),
        pos_status=state.raw_status,
        pos_paid=_money(state.paid_cents, order),
        pos_due=_money(state.due_cents, order),
    )
    return Reply(encode({"orderId": order.id, "payment": view}), order_id=order.id)


def _money(cents: int | None, order: Order) -> MoneyView | None:
    return None if cents is None else money(cents, order.currency)


def _bodies(body: PaymentsBody) -> list[PaymentBody]:
    if body.payments is not None:
        if body.method is not None or body.amount is not None:
            raise InvalidRequest("payments: give payments, or one payment's fields, not both", field="payments")
        return body.payments
    for name, value in (("method", body.method), ("amount", body.amount)):
        if value is None:
            raise InvalidRequest(f"{name}: a payment needs it", field=name, code="BODY_INVALID")
    assert body.method is not None and body.amount is not None
    return [PaymentBody(method=body.method, amount=body.amount, tip=body.tip, reference=body.reference, code=body.code)]


def payment_of(services: Services, body: PaymentBody) -> Payment:
    """A payment as the services record it."""
    return Payment(
        id=services.new_id("pay"),
        method=body.method,
        cents=body.amount,
        tip_cents=body.tip,
        reference=body.reference,
        raw_method=body.code,
        taken_at_ms=services.now_ms(),
    )


OPERATIONS = (
    with_tool(
        Operation(
            name="record_payments",
            method="POST",
            path="/orders/{order:str}/payments",
            summary="Record payments.",
            scope="orders:write",
            anonymous=False,
            handler=record_payments,
            body=PaymentsBody,
            answer=ChangeAnswer,
        ),
        "Record payments that were taken for a check, in cents; several are one bill split between methods. Give each "
        "a reference, or the call an idempotencyKey, so that a repetition records nothing twice. No money is moved.",
    ),
    with_tool(
        Operation(
            name="refund_payment",
            method="POST",
            path="/orders/{order:str}/payments/{payment:str}/refund",
            summary="Give a payment back.",
            scope="orders:write",
            anonymous=False,
            handler=refund_payment,
            body=RefundBody,
            answer=ChangeAnswer,
        ),
        "Note that part or all of a payment was given back; without an amount all that is left of it. Give an "
        "idempotencyKey, so that a repetition gives nothing back twice.",
        destructive=True,
    ),
    with_tool(
        Operation(
            name="get_payment_state",
            method="GET",
            path="/orders/{order:str}/payment-state",
            summary="What is paid of an order.",
            scope="orders:read",
            anonymous=False,
            handler=get_payment_state,
            answer=answer_of("PaymentStateAnswer", order_id=str, payment=PaymentStateView),
        ),
        "What is paid of an order and what is due, asked of the POS at this moment.",
    ),
)

"""What may be done to an order in the state it is in; what may not raises `InvalidRequest` naming the field."""

from msgspec import structs

from hub.errors import InvalidRequest
from hub.model import lifecycle
from hub.model.check import Check
from hub.model.order import Order
from hub.model.payment import Payment
from hub.model.status import FINAL_STAGES, OrderType, Stage, Status

_WAY = (
    Stage.RECEIVED,
    Stage.ACCEPTED,
    Stage.PREPARING,
    Stage.READY,
    Stage.OUT_FOR_DELIVERY,
    Stage.SERVED,
    Stage.COMPLETED,
)


def at_stage(order: Order, stage: Stage, now_ms: int) -> Order:
    """The order at a later stage; steps may be left out. Completing it closes it and its checks."""
    if stage is order.stage:
        return order
    if order.stage in FINAL_STAGES or order.status is not Status.OPEN:
        raise InvalidRequest(f"status: the order is {order.stage} already", field="status", code="ORDER_CLOSED")
    if stage is Stage.OUT_FOR_DELIVERY and order.order_type is not OrderType.DELIVERY:
        raise InvalidRequest(
            f"status: a {order.order_type} order is not brought to the guest", field="status", code="STATUS_NOT_ALLOWED"
        )
    if stage not in _WAY:
        raise InvalidRequest(
            f"status: {stage} cannot be asked for; use cancel", field="status", code="STATUS_NOT_ALLOWED"
        )
    if order.stage in _WAY and _WAY.index(stage) < _WAY.index(order.stage):
        raise InvalidRequest(
            f"status: the order is {order.stage}; it does not go back to {stage}",
            field="status",
            code="STATUS_NOT_ALLOWED",
        )
    after = structs.replace(order, stage=stage, updated_at_ms=now_ms)
    return lifecycle.closed(after, now_ms) if stage is Stage.COMPLETED else after


def still_open(order: Order, now_ms: int) -> Order:
    """The order as touched now; one that has ended is refused."""
    if order.status is not Status.OPEN:
        raise InvalidRequest(f"the order is {order.stage} already", code="ORDER_CLOSED")
    return structs.replace(order, updated_at_ms=now_ms)


def find_check(order: Order, check_id: str) -> Check:
    """A check by id; without one, the only open check."""
    if check_id:
        for check in order.checks:
            if check.id == check_id:
                return check
        raise InvalidRequest(f"checkId: the order has no check {check_id!r}", field="checkId", code="CHECK_UNKNOWN")
    opened = [check for check in order.checks if check.status is Status.OPEN]
    if len(opened) != 1:
        words = "no open check" if not opened else f"{len(opened)} open checks"
        raise InvalidRequest(f"checkId: the order has {words}; name one", field="checkId", code="CHECK_UNKNOWN")
    return opened[0]


def with_payments(order: Order, check: Check, payments: tuple[Payment, ...], now_ms: int) -> Order:
    """The order with these payments on the check, which may not take more than is due."""
    require_open(check)
    paid = sum(payment.cents for payment in payments)
    if paid > check.due_cents:
        raise InvalidRequest(
            f"amount: {paid} is more than the {check.due_cents} that are due", field="amount", code="PAYMENT_TOO_HIGH"
        )
    return lifecycle.with_check(order, structs.replace(check, payments=(*check.payments, *payments)), now_ms)


def with_refund(order: Order, payment_id: str, cents: int, now_ms: int) -> Order:
    """The order with part or all of a payment given back."""
    check, payment = _find_payment(order, payment_id)
    left = payment.cents - payment.refunded_cents
    if not 0 < cents <= left:
        raise InvalidRequest(
            f"amount: {cents} is more than the {left} that can be given back", field="amount", code="REFUND_TOO_HIGH"
        )
    refunded = structs.replace(payment, refunded_cents=payment.refunded_cents + cents)
    payments = tuple(refunded if own.id == payment_id else own for own in check.payments)
    return lifecycle.with_check(order, structs.replace(check, payments=payments), now_ms)


def left_of(order: Order, payment_id: str) -> int:
    """How much of a payment can still be given back; refused when nothing can."""
    payment = _find_payment(order, payment_id)[1]
    left = payment.cents - payment.refunded_cents
    if not left:
        raise InvalidRequest(
            f"paymentId: all of {payment_id} was given back already", field="paymentId", code="REFUND_TOO_HIGH"
        )
    return left


def _find_payment(order: Order, payment_id: str) -> tuple[Check, Payment]:
    for check in order.checks:
        for payment in check.payments:
            if payment.id == payment_id:
                return check, payment
    raise InvalidRequest(
        f"paymentId: the order has no payment {payment_id[:100]!r}", field="paymentId", code="PAYMENT_UNKNOWN"
    )


def require_open(check: Check) -> None:
    """Refuses a change of a check that is closed or void."""
    if check.status is not Status.OPEN:
        raise InvalidRequest(f"checkId: check {check.id} is {check.status}", field="checkId", code="CHECK_CLOSED")

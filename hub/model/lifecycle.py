"""How an order and its checks end, and how the order follows its checks: pure functions."""

from msgspec import structs

from hub.model.check import Check, payment_status_of
from hub.model.order import Order
from hub.model.status import Stage, Status


def closed(order: Order, now_ms: int) -> Order:
    """The order and its open checks closed."""
    checks = tuple(
        structs.replace(check, status=Status.CLOSED) if check.status is Status.OPEN else check for check in order.checks
    )
    return _rolled_up(structs.replace(order, checks=checks), now_ms)


def cancelled(order: Order, now_ms: int) -> Order:
    """The order without effect: it and its checks are void; what was paid stays visible."""
    checks = tuple(structs.replace(check, status=Status.VOID) for check in order.checks)
    after = structs.replace(order, checks=checks, stage=Stage.CANCELLED, updated_at_ms=now_ms)
    return _rolled_up(after, now_ms)


def with_check(order: Order, check: Check, now_ms: int) -> Order:
    """The order with this check in place of the one of the same id; payment and status follow the checks."""
    checks = tuple(check if own.id == check.id else own for own in order.checks)
    after = structs.replace(order, checks=checks, payment_status=payment_status_of(checks), updated_at_ms=now_ms)
    return _rolled_up(after, now_ms)


def _rolled_up(order: Order, now_ms: int) -> Order:
    """The order's status as its checks have it: open while one is open, void when all are."""
    statuses = {check.status for check in order.checks}
    if not statuses or Status.OPEN in statuses or Status.UNKNOWN in statuses:
        return order
    status = Status.VOID if statuses == {Status.VOID} else Status.CLOSED
    closed_at_ms = order.timing.closed_at_ms or now_ms
    timing = structs.replace(order.timing, closed_at_ms=closed_at_ms)
    return structs.replace(order, status=status, timing=timing, updated_at_ms=now_ms)

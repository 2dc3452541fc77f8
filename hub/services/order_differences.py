"""Where an order differs from what a POS tells of it, or from what a channel was last told: pure functions."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from hub.model.check import Check
from hub.model.menu import Item
from hub.model.order import Order, PosOrder
from hub.model.status import PaymentStatus, Status
from hub.services.comparison import known_line

Triple = tuple[str, str, str]
"""(field, here, there); amounts are minor units."""


def against_told(ours: Order, theirs: Order) -> list[Triple]:
    """Where an order and an earlier one of it differ."""
    pairs = (
        ("status", str(ours.status), str(theirs.status)),
        ("total", str(ours.totals.total_cents), str(theirs.totals.total_cents)),
        ("payments", str(_paid(ours.checks)), str(_paid(theirs.checks))),
        ("tables", _tables(ours.tables), _tables(theirs.tables)),
        ("lines", _lines(ours.checks), _lines(theirs.checks)),
    )
    return [pair for pair in pairs if pair[1] != pair[2]]


def against_pos(ours: Order, theirs: PosOrder, items: Mapping[str, Item]) -> list[Triple]:
    """The same against what a POS tells; what it does not tell is not compared. `items` is the venue's menu by id."""
    return list(_against_pos(ours, theirs, items))


def _against_pos(ours: Order, theirs: PosOrder, items: Mapping[str, Item]) -> Iterator[Triple]:
    if theirs.status is not ours.status:
        yield "status", str(ours.status), f"{theirs.status} ({theirs.raw_status})"
    if Status.VOID in (ours.status, theirs.status):
        return
    if theirs.total_cents is not None and theirs.total_cents != ours.totals.total_cents:
        yield "total", str(ours.totals.total_cents), str(theirs.total_cents)
    yield from _payments(ours, theirs)
    if theirs.tables and _tables(theirs.tables) != _tables(ours.tables):
        yield "tables", _tables(ours.tables), _tables(theirs.tables)
    if not theirs.summary_only and theirs.checks:
        told = [[known_line(line, items) for line in check.lines] for check in theirs.checks]
        by_name = any(not line.item_id for lines in told for line in lines)
        here = _lines(ours.checks, by_name=by_name)
        there = _counted((line.name if by_name else line.item_id, line.quantity) for lines in told for line in lines)
        if here != there:
            yield "lines", here, there


def _payments(ours: Order, theirs: PosOrder) -> Iterator[Triple]:
    """By amount where the POS names amounts, else by its word for all of them."""
    if not theirs.summary_only and any(check.payments for check in theirs.checks):
        if _paid(ours.checks) != _paid(theirs.checks):
            yield "payments", str(_paid(ours.checks)), str(_paid(theirs.checks))
    elif theirs.payment_status not in (None, PaymentStatus.UNKNOWN, ours.payment_status):
        yield "payments", str(ours.payment_status), str(theirs.payment_status)


def _paid(checks: Iterable[Check]) -> int:
    return sum(check.paid_cents for check in checks if check.status is not Status.VOID)


def _tables(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _lines(checks: Iterable[Check], *, by_name: bool = False) -> str:
    lines = [line for check in checks if check.status is not Status.VOID for line in check.lines]
    return _counted((line.name if by_name else line.item_id or line.name, line.quantity) for line in lines)


def _counted(lines: Iterable[tuple[str, int]]) -> str:
    """`2 item_a, 1 item_b`, the same for the same lines in whatever order."""
    counted: Counter[str] = Counter()
    for name, quantity in lines:
        counted[name] += quantity
    return ", ".join(f"{quantity} {name}" for name, quantity in sorted(counted.items())) or "none"

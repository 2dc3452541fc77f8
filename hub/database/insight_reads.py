"""Reads a venue's orders for insights, a page at a time, without anything that names a guest."""

import re
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, select

from hub.database.archive import first_id_at
from hub.database.order_reads import decode_order
from hub.database.tables import deliveries, order_events, orders
from hub.model.guest import visit_facts
from hub.model.insight import ItemFacts, OrderFacts
from hub.model.order import Order
from hub.model.status import Stage, Status

_PAGE = 200
_HEARD_OF_LATE_MS = 2 * 86_400_000  # an order made at the POS gets its id when the hub hears of it
_CLOCKS_DIFFER_MS = 60_000
_MINUTE_MS = 60_000
_READY = ("ready", "served", "out_for_delivery", "completed")
_TOLD_READY = re.compile(rf"-> (?:{'|'.join(_READY)}) \(")
_ENDS = ("cancelled", "rejected", "expired")


def walk_facts(
    connection: Connection, venue_id: str, *, from_ms: int, before_ms: int, preparation_minutes: int
) -> Iterator[OrderFacts]:
    """The orders of a venue made in [from, before), oldest first; stop reading when there are enough."""
    after = first_id_at(from_ms - _CLOCKS_DIFFER_MS)
    last = first_id_at(before_ms + _HEARD_OF_LATE_MS)
    while True:
        query = select(orders.c.id, orders.c.created_at_ms, orders.c.document).where(
            orders.c.venue_id == venue_id, orders.c.id > after, orders.c.id < last
        )
        rows = connection.execute(query.order_by(orders.c.id).limit(_PAGE)).all()
        found = [decode_order(row.document) for row in rows if from_ms <= row.created_at_ms < before_ms]
        yield from _facts(connection, found, preparation_minutes)
        if len(rows) < _PAGE:
            return
        after = rows[-1].id


def _facts(connection: Connection, found: Sequence[Order], preparation_minutes: int) -> Iterator[OrderFacts]:
    ids = [order.id for order in found]
    if not ids:
        return
    ready, reasons = _events(connection, ids)
    sent, failures, pos_cents = _deliveries(connection, ids)
    for order in found:
        facts = visit_facts(order)
        due_ms = max(order.timing.promised_at_ms or 0, order.created_at_ms + preparation_minutes * _MINUTE_MS)
        ready_ms = ready.get(order.id)
        audit = order.money_audit
        pos = audit.pos_cents if audit.pos_cents is not None else pos_cents.get(order.id)
        yield OrderFacts(
            at_ms=order.created_at_ms,
            counts=facts.counts,
            spend_cents=facts.spend_cents,
            items=tuple(
                ItemFacts(line.name, line.quantity, line.gross_cents - line.discount_cents)
                for check in order.checks
                if check.status is not Status.VOID
                for line in check.lines
            ),
            end=order.stage.value if order.stage in (Stage.CANCELLED, Stage.REJECTED, Stage.EXPIRED) else "",
            reason=reasons.get(order.id, ""),
            pos_difference_cents=None if pos is None else pos - audit.computed_cents,
            failures=tuple(failures.get(order.id, ())),
            was_sent=order.id in sent,
            late_minutes=None if ready_ms is None else (ready_ms - due_ms) / _MINUTE_MS,
        )


def _events(connection: Connection, ids: Sequence[str]) -> tuple[dict[str, int], dict[str, str]]:
    """When the kitchen was ready, and why orders ended; each by order."""
    event = order_events.c
    query = select(event.order_id, event.kind, event.detail, event.at_ms).where(event.order_id.in_(ids))
    ready: dict[str, int] = {}
    reasons: dict[str, str] = {}
    for row in connection.execute(query.order_by(event.order_id, event.id)):
        if row.kind in _READY or (row.kind == "pos_changed" and _TOLD_READY.search(row.detail)):
            ready.setdefault(row.order_id, row.at_ms)
        if row.kind in _ENDS and row.detail:
            reasons[row.order_id] = row.detail[:100]
    return ready, reasons


def _deliveries(connection: Connection, ids: Sequence[str]) -> tuple[set[str], dict[str, list[str]], dict[str, int]]:
    """The orders that were sent somewhere, the causes of what did not work at once, and totals the POS named."""
    column = deliveries.c
    query = select(column.order_id, column.state, column.attempts, column.cause, column.pos_cents)
    sent: set[str] = set()
    failures: dict[str, list[str]] = {}
    totals: dict[str, int] = {}
    for row in connection.execute(query.where(column.order_id.in_(ids))):
        sent.add(row.order_id)
        if row.attempts > 1 or row.state == "dead":
            failures.setdefault(row.order_id, []).append(row.cause or "sent more than once")
        if row.pos_cents is not None:
            totals[row.order_id] = row.pos_cents
    return sent, failures, totals

"""Tells a venue's channels what changed about an order: appended to the outbox in the transaction of the change."""

from typing import Any

from msgspec import Struct
from sqlalchemy import BindParameter, Connection, Select, bindparam, exists, or_, select

from hub.database.deliveries import enqueue
from hub.database.directory import load_channels
from hub.database.prepared import Listed, Prepared
from hub.database.tables import lanes, order_refs
from hub.model.change import OrderSnapshot
from hub.model.check import Check
from hub.model.ids import derived_id
from hub.model.order import Customer, Order
from hub.model.status import OrderType, Status
from hub.model.venue import Link

_TRIED_MS = 72 * 3_600_000  # decisions: synchronisation with channels is tried for 72 hours


class Shown(Struct, frozen=True):
    """What a channel sees of an order; how far the kitchen is, is not its business."""

    status: Status
    tables: tuple[str, ...]
    party_size: int | None
    customer: Customer | None
    checks: tuple[Check, ...]


def shown(order: Order) -> Shown:
    """The part of an order that a channel is told."""
    return Shown(order.status, order.tables, order.party_size, order.customer, order.checks)


def announce(
    connection: Connection, before: Order | None, after: Order, event_id: str, *, told_by_link_id: str = ""
) -> None:
    """Queues what the venue's channels must hear; `before` is None for a new order, `event_id` names the change.

    The channel that the change came from (`told_by_link_id`) is not told of it.
    """
    if before is not None:
        has_ended = Status.OPEN not in (before.status, after.status)
        if has_ended or shown(before) == shown(after):
            return
    for link in load_channels(connection, after.venue_id):
        if link.id == told_by_link_id:
            continue
        operation = _operation(connection, link, before, after)
        if operation:
            enqueue(
                connection,
                lane_id=derived_id("lane", after.id, link.id),
                delivery_id=derived_id("dlv", event_id, link.id),
                link_id=link.id,
                order_id=after.id,
                operation=operation,
                change=OrderSnapshot(order=after),
                now_ms=after.updated_at_ms,
                deliver_by_ms=after.updated_at_ms + _TRIED_MS,
            )


def _operation(connection: Connection, link: Link, before: Order | None, after: Order) -> str:
    """The write to make at this channel; empty for none."""
    if before is None:
        is_its_own = after.origin.system == link.connector
        is_seated = after.order_type is OrderType.DINE_IN and bool(after.tables)
        return "push_opened" if is_seated and link.walk_ins == "tell" and not is_its_own else ""
    if not _follows(connection, link, after):
        return ""
    if after.status is Status.VOID:
        return "push_void"
    return "push_closed" if after.status is Status.CLOSED else "push_changed"


def _follows(connection: Connection, link: Link, order: Order) -> bool:
    """Whether a channel knows the order, or is about to be told of it."""
    return bool(_FOLLOWS.run(connection, order.id, link.id)[0].follows)


def _follows_link(_: Listed) -> Select[Any]:
    of_order: BindParameter[str] = bindparam("order")
    of_link: BindParameter[str] = bindparam("link")
    known = exists().where(order_refs.c.order_id == of_order, order_refs.c.link_id == of_link)
    queued = exists().where(lanes.c.order_id == of_order, lanes.c.link_id == of_link)
    return select(or_(known, queued).label("follows"))


_FOLLOWS = Prepared(_follows_link, "order", "link")

"""Deliveries: appended to an order's lane, revived by a person, and shown as an order's way into each link."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import BigInteger, Connection, Select, String, Update, and_, bindparam, case, select, update

from hub.database.prepared import BulkInsert, Listed, Prepared, text_list
from hub.database.tables import deliveries, lanes, links, order_refs, orders
from hub.model.change import Change
from hub.model.order import InjectionState, Loss, OpenItem, VendorRef
from hub.model.status import Injection


class State(StrEnum):
    """Where one delivery stands. The last four are final."""

    PENDING = "pending"
    INFLIGHT = "inflight"
    UNKNOWN = "unknown"
    DELIVERED = "delivered"
    DEAD = "dead"
    DONE_BY_HAND = "done_by_hand"
    CANCELLED = "cancelled"


OPEN_STATES = (State.PENDING, State.INFLIGHT, State.UNKNOWN)

# While one of these is dead, the vendor does not have the order: whatever stands behind it waits for a person.
BLOCKING_OPERATIONS = ("submit_order", "send_to_kitchen", "push_opened")


def enqueue(
    connection: Connection,
    *,
    lane_id: str,
    delivery_id: str,
    link_id: str,
    order_id: str,
    operation: str,
    reason: str = "",
    change: Change | None = None,
    now_ms: int,
    deliver_by_ms: int,
) -> None:
    """Appends a delivery to the order's lane (made now, as `lane_id`, if there is none)."""
    found = _LANE.run(connection, order_id, link_id)
    if found:
        lane_id, seq = found[0].id, found[0].next_seq
        _PUT_BEHIND.run(connection, lane_id, operation, now_ms)
    else:
        seq = 1
        INSERT_LANES.run(connection, [(lane_id, link_id, order_id, 2, operation, now_ms, 0)])
    told = (operation, reason, encode_change(change), State.PENDING.value, deliver_by_ms, now_ms)
    _INSERT_DELIVERIES.run(connection, [(delivery_id, lane_id, order_id, link_id, seq, *told)])


def _put_behind(_: Listed) -> Update:
    """One more delivery in the lane `lane`; it is due at once when nothing waits before it."""
    blocking = select(deliveries.c.id).where(
        deliveries.c.lane_id == bindparam("lane"),
        deliveries.c.state == State.DEAD,
        deliveries.c.operation.in_(BLOCKING_OPERATIONS),
    )
    idle = and_(lanes.c.due_at_ms.is_(None), ~blocking.exists())
    now_ms, head = bindparam("now_ms", type_=BigInteger()), bindparam("head", type_=String())
    return (
        update(lanes)
        .where(lanes.c.id == bindparam("lane"))
        .values(
            next_seq=lanes.c.next_seq + 1,
            due_at_ms=case((idle, now_ms), else_=lanes.c.due_at_ms),
            operation=case((idle, head), else_=lanes.c.operation),
        )
    )


_LANE = Prepared(
    lambda _: (
        select(lanes.c.id, lanes.c.next_seq)
        .where(lanes.c.order_id == bindparam("order"), lanes.c.link_id == bindparam("link"))
        .with_for_update()
    ),
    "order",
    "link",
)
_PUT_BEHIND = Prepared(_put_behind, "lane", "head", "now_ms")
INSERT_LANES = BulkInsert(lanes, "id", "link_id", "order_id", "next_seq", "operation", "due_at_ms", "lease_epoch")
_INSERT_DELIVERIES = BulkInsert(
    deliveries,
    "id",
    "lane_id",
    "order_id",
    "link_id",
    "seq",
    "operation",
    "reason",
    "change",
    "state",
    "deliver_by_ms",
    "created_at_ms",
)


def encode_change(change: Change | None) -> str:
    """A change as it is stored with its delivery."""
    return "" if change is None else msgspec.json.encode(change).decode()


def decode_change(stored: str) -> Change | None:
    """The change stored with a delivery."""
    return _CHANGE.decode(stored) if stored else None


_CHANGE: msgspec.json.Decoder[Change] = msgspec.json.Decoder(Change)

MOST_LISTED = 200


class DeadDelivery(Struct, frozen=True, kw_only=True):
    """A delivery that waits for a person."""

    delivery_id: str
    order_id: str
    order_number: str
    link_id: str
    operation: str
    cause: str
    detail: str
    created_at_ms: int


def load_dead(connection: Connection, order_id: str | None = None, limit: int = MOST_LISTED) -> list[DeadDelivery]:
    """The deliveries that wait for a person, oldest first; all of them or one order's."""
    query = (
        select(deliveries, orders.c.number)
        .join(orders, orders.c.id == deliveries.c.order_id)
        .where(deliveries.c.state == State.DEAD)
        .order_by(deliveries.c.created_at_ms)
        .limit(limit)
    )
    if order_id is not None:
        query = query.where(deliveries.c.order_id == order_id)
    return [
        DeadDelivery(
            delivery_id=row.id,
            order_id=row.order_id,
            order_number=row.number,
            link_id=row.link_id,
            operation=row.operation,
            cause=row.cause,
            detail=row.detail,
            created_at_ms=row.created_at_ms,
        )
        for row in connection.execute(query)
    ]


def revive(connection: Connection, delivery_id: str, *, now_ms: int, deliver_by_ms: int, sent_before: bool) -> None:
    """Puts a dead delivery back to work with a new deadline; if it may have been sent, it is looked up first."""
    connection.execute(
        update(deliveries)
        .where(deliveries.c.id == delivery_id, deliveries.c.state == State.DEAD)
        .values(
            state=State.UNKNOWN if sent_before else State.PENDING,
            deliver_by_ms=deliver_by_ms,
            cause="",
            detail="",
            done_at_ms=None,
            absent_since_ms=None,
        )
    )
    lane_of = select(deliveries.c.lane_id).where(deliveries.c.id == delivery_id).scalar_subquery()
    free = lanes.c.lease_owner.is_(None)  # one that is being worked on looks for what is left when that is done
    operation = select(deliveries.c.operation).where(deliveries.c.id == delivery_id).scalar_subquery()
    wake = {"due_at_ms": now_ms, "operation": operation}
    connection.execute(update(lanes).where(lanes.c.id == lane_of, free).values(wake))


def finish_by_hand(connection: Connection, delivery_id: str, *, now_ms: int) -> None:
    """Ends a dead delivery that a person carried out; what stands behind it in the lane may go."""
    finished = (
        update(deliveries)
        .where(deliveries.c.id == delivery_id, deliveries.c.state == State.DEAD)
        .values(state=State.DONE_BY_HAND, cause="", done_at_ms=now_ms)
    )
    connection.execute(finished)
    lane_id = connection.execute(select(deliveries.c.lane_id).where(deliveries.c.id == delivery_id)).scalar_one()
    head = (
        select(deliveries.c.operation)
        .where(deliveries.c.lane_id == lane_id, deliveries.c.state.in_(OPEN_STATES))
        .order_by(deliveries.c.seq)
        .limit(1)
    )
    following = connection.execute(head).scalar_one_or_none()
    after = {"due_at_ms": None} if following is None else {"due_at_ms": now_ms, "operation": following}
    free = lanes.c.lease_owner.is_(None)
    connection.execute(update(lanes).where(lanes.c.id == lane_id, free).values(after))


def injection_states(connection: Connection, order_id: str) -> list[InjectionState]:
    """How far an order is on its way into each link."""
    return injection_states_of(connection, [order_id]).get(order_id, [])


def injection_states_of(connection: Connection, order_ids: Sequence[str]) -> dict[str, list[InjectionState]]:
    """The same of several orders, by their ids; what has no deliveries is left out."""
    by_link: dict[tuple[str, str], list[Any]] = {}
    for row in _WAYS.run(connection, text_list(connection, order_ids)):
        by_link.setdefault((row.order_id, row.link_id), []).append(row)
    states: dict[str, list[InjectionState]] = {}
    for (order_id, _), rows in by_link.items():
        states.setdefault(order_id, []).append(_injection(rows))
    return states


def _ways(listed: Listed) -> Select[Any]:
    """The deliveries of the orders in the parameter `order_ids`, each with the vendor's first id for its order."""
    first_ref = (
        select(order_refs.c.vendor_id)
        .where(
            order_refs.c.order_id == deliveries.c.order_id,
            order_refs.c.link_id == deliveries.c.link_id,
            order_refs.c.kind == "order",
        )
        .order_by(order_refs.c.noted_at_ms, order_refs.c.vendor_id)
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(deliveries, links.c.connector, links.c.paused_cause, first_ref.label("vendor_id"))
        .join(links, links.c.id == deliveries.c.link_id)
        .where(listed(deliveries.c.order_id, "order_ids"))
        .order_by(deliveries.c.order_id, deliveries.c.link_id, deliveries.c.seq)
    )


_WAYS = Prepared(_ways, "order_ids")
_LOSSES = msgspec.json.Decoder(tuple[Loss, ...])


def _injection(rows: Sequence[Any]) -> InjectionState:
    waiting = [row for row in rows if row.state not in (State.DELIVERED, State.DONE_BY_HAND)]
    current = waiting[0] if waiting else rows[-1]
    has_the_order = not any(row.operation in BLOCKING_OPERATIONS for row in waiting)
    ref = VendorRef(kind="order", id=current.vendor_id) if current.vendor_id else None
    told = [row.pos_cents for row in rows if row.pos_cents is not None]
    failed = has_the_order and current.state == State.DEAD
    is_held = current.state == State.PENDING and current.paused_cause != ""
    return InjectionState(
        target=current.connector,
        link_id=current.link_id,
        state=Injection.CONFIRMED_WITH_OPEN_ITEMS if failed else _injection_of(current),
        attempts=sum(row.attempts for row in rows),
        cause=current.paused_cause if is_held else current.cause,
        detail=current.detail,
        deadline_at_ms=current.deliver_by_ms,
        ref=ref,
        losses=tuple(loss for row in rows if row.losses for loss in _LOSSES.decode(row.losses)),
        pos_cents=told[-1] if told else None,
        open_items=tuple(_open_item(row) for row in waiting) if has_the_order else (),
    )


def _open_item(row: Any) -> OpenItem:
    state = "failed" if row.state == State.DEAD else _injection_of(row).value
    return OpenItem(operation=row.operation, state=state, cause=row.cause, detail=row.detail)


def _injection_of(row: Any) -> Injection:
    if row.state == State.PENDING:
        return Injection.RETRYING if row.attempts else Injection.QUEUED
    if row.state == State.DEAD:
        return Injection.FAILED if row.cause in ("POS_REJECTED", "POS_UNSUPPORTED") else Injection.MANUAL_REQUIRED
    return {
        State.INFLIGHT: Injection.SENDING,
        State.UNKNOWN: Injection.UNKNOWN,
        State.DELIVERED: Injection.CONFIRMED,
        State.DONE_BY_HAND: Injection.MANUAL_DONE,
        State.CANCELLED: Injection.FAILED,
    }[State(row.state)]

"""When a guest's data goes: with the last order and booking that name them, or when they ask for it."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct, structs
from sqlalchemy import Connection, Table, delete, insert, select, update

from hub.database.deliveries import decode_change, encode_change
from hub.database.first_versions import anonymise_first
from hub.database.guest_tables import (
    guest_keys,
    guest_visits,
    guests,
    reservations,
    segment_members,
    waitlist,
)
from hub.database.order_reads import decode_order
from hub.database.repetition_tables import idempotency_keys
from hub.database.tables import deliveries, order_events, order_holds, orders
from hub.database.webhook_tables import webhook_events
from hub.model.booking import EXPECTED, IN_QUEUE, ReservationStatus, WaitStatus
from hub.model.change import OrderSnapshot
from hub.model.ids import NewId
from hub.model.order import Order
from hub.model.status import Status

_KEEP_A_GUEST: tuple[Table, ...] = (guest_visits, reservations, waitlist)
_BOOKED: tuple[Table, ...] = (reservations, waitlist)
_EMPTIED: dict[str, Any] = {"customer": None, "customerId": None, "delivery": None, "notes": "", "note": ""}
"""What names a guest in an answer of the API, and how it reads once the guest is forgotten."""
_NOBODY: dict[str, Any] = {"guest_id": None, "name": "", "phone": "", "email": "", "note": ""}


def guests_of_orders(connection: Connection, order_ids: Sequence[str]) -> set[str]:
    """The guests that these orders, and what was booked for them, name."""
    found: set[str] = set()
    for table in _KEEP_A_GUEST:
        query = select(table.c.guest_id).where(table.c.order_id.in_(order_ids), table.c.guest_id.is_not(None))
        found.update(connection.execute(query).scalars())
    return found


def forget_unkept(connection: Connection, guest_ids: Iterable[str]) -> int:
    """Deletes those of these guests that no order, reservation or place on the waitlist names any more."""
    wanted = set(guest_ids)
    for table in _KEEP_A_GUEST:
        if wanted:
            query = select(table.c.guest_id).where(table.c.guest_id.in_(wanted)).distinct()
            wanted -= set(connection.execute(query).scalars())
    _delete(connection, wanted)
    return len(wanted)


def _delete(connection: Connection, guest_ids: Iterable[str]) -> None:
    wanted = sorted(guest_ids)
    if wanted:
        for table in (segment_members, guest_keys):
            connection.execute(delete(table).where(table.c.guest_id.in_(wanted)))
        connection.execute(delete(guests).where(guests.c.id.in_(wanted)))


def delete_bookings(connection: Connection, ended_until_ms: int, limit: int) -> int:
    """Deletes up to `limit` reservations that ended, and places on the waitlist that were taken, at or before a time,
    with the guests nothing else names; returns how many. Those with an order go when their order goes."""
    gone = 0
    for table, at_ms in ((reservations, reservations.c.ends_at_ms), (waitlist, waitlist.c.joined_at_ms)):
        over = select(table.c.id, table.c.guest_id).where(at_ms <= ended_until_ms, table.c.order_id.is_(None))
        rows = connection.execute(over.order_by(at_ms).limit(limit).with_for_update(skip_locked=True)).all()
        if rows:
            connection.execute(delete(table).where(table.c.id.in_([row.id for row in rows])))
            forget_unkept(connection, {row.guest_id for row in rows if row.guest_id})
        gone += len(rows)
    return gone


class Forgotten(Struct, frozen=True, kw_only=True):
    """What was done to forget a guest. `open_orders` are in the way: then nothing was changed."""

    orders: tuple[str, ...] = ()
    """Ids of the orders that name nobody any more."""
    held: tuple[str, ...] = ()
    """Numbers of orders under a legal hold: they stay as they are, and so does what names the guest in them."""
    open_orders: tuple[str, ...] = ()
    bookings: int = 0


def forget_guest(connection: Connection, guest_id: str, *, actor: str, now_ms: int, new_id: NewId) -> Forgotten:
    """Takes a guest's name and addresses out of everything but orders under a legal hold.

    Orders keep their lines and figures. What the guest had booked and not used is cancelled.
    """
    query = select(guest_visits.c.order_id).where(guest_visits.c.guest_id == guest_id)
    order_ids = list(connection.execute(query).scalars())
    locked = select(orders.c.document).where(orders.c.id.in_(order_ids)).order_by(orders.c.id).with_for_update()
    found = [decode_order(document) for document in connection.execute(locked).scalars()]
    opened = tuple(order.number for order in found if order.status is Status.OPEN)
    if opened:
        return Forgotten(open_orders=opened)
    held_ids = set(
        connection.execute(select(order_holds.c.order_id).where(order_holds.c.order_id.in_(order_ids))).scalars()
    )
    named = [order for order in found if order.id not in held_ids]
    for order in named:
        _anonymise(connection, order, actor=actor, now_ms=now_ms, event_id=new_id("evt"))
    _anonymise_told(connection, [order.id for order in named])
    anonymise_first(connection, [order.id for order in named])
    booked = [connection.execute(select(table.c.id).where(table.c.guest_id == guest_id)).scalars() for table in _BOOKED]
    _anonymise_answers(connection, [*(order.id for order in named), *(one for ids in booked for one in ids)])
    connection.execute(delete(guest_visits).where(guest_visits.c.guest_id == guest_id))
    bookings = _anonymise_bookings(connection, guest_id, now_ms)
    _delete(connection, [guest_id])
    return Forgotten(
        orders=tuple(order.id for order in named),
        held=tuple(order.number for order in found if order.id in held_ids),
        bookings=bookings,
    )


def _anonymise(connection: Connection, order: Order, *, actor: str, now_ms: int, event_id: str) -> None:
    """Nobody is told: for channels and the POS the order did not change."""
    after = structs.replace(order.without_guest(), version=order.version + 1)
    row = {"document": msgspec.json.encode(after).decode(), "version": after.version}
    connection.execute(update(orders).where(orders.c.id == order.id).values(row))
    told = update(webhook_events).where(webhook_events.c.order_id == order.id)
    connection.execute(told.values(document=row["document"]))  # what is told once more names nobody either
    event = {"id": event_id, "order_id": order.id, "version": after.version, "at_ms": now_ms}
    connection.execute(insert(order_events), [{**event, "kind": "guest_forgotten", "actor": actor, "detail": ""}])


def _anonymise_told(connection: Connection, order_ids: Sequence[str]) -> None:
    """What channels are told is kept with the whole order in it."""
    query = select(deliveries.c.id, deliveries.c.change).where(
        deliveries.c.order_id.in_(order_ids), deliveries.c.change != ""
    )
    for row in connection.execute(query).all():
        change = decode_change(row.change)
        if isinstance(change, OrderSnapshot):
            told = encode_change(OrderSnapshot(order=change.order.without_guest()))
            connection.execute(update(deliveries).where(deliveries.c.id == row.id).values(change=told))


def _anonymise_answers(connection: Connection, thing_ids: Sequence[str]) -> None:
    """An answer is kept with its idempotency key for a week, and is repeated from then on without the guest."""
    query = select(idempotency_keys.c.name, idempotency_keys.c.answer).where(idempotency_keys.c.order_id.in_(thing_ids))
    for row in connection.execute(query).all():
        try:
            answer = msgspec.json.decode(row.answer)
        except msgspec.DecodeError:  # none is kept yet
            continue
        nobodys = msgspec.json.encode(_without_guest(answer)).decode()
        connection.execute(update(idempotency_keys).where(idempotency_keys.c.name == row.name).values(answer=nobodys))


def _without_guest(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_guest(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: _EMPTIED[name] if name in _EMPTIED else _without_guest(one) for name, one in value.items()}


def _anonymise_bookings(connection: Connection, guest_id: str, now_ms: int) -> int:
    changed = 0
    for table, pending, status, ended in (
        (reservations, EXPECTED, ReservationStatus.CANCELLED, {}),
        (waitlist, IN_QUEUE, WaitStatus.CANCELLED, {"ended_at_ms": now_ms}),
    ):
        mine = table.c.guest_id == guest_id
        upcoming = update(table).where(mine, table.c.status.in_(pending))
        connection.execute(upcoming.values(status=status.value, updated_at_ms=now_ms, **ended))
        changed += connection.execute(update(table).where(mine).values(_NOBODY)).rowcount
    return changed

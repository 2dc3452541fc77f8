"""Bookings follow the tabs of their parties; a party that a channel seated counts as a booking of its own."""

from collections.abc import Iterator, Sequence

from msgspec import structs
from sqlalchemy import Connection, select

from hub.database.guest_tables import guest_visits
from hub.database.reservations import insert_reservation, of_orders, save_reservation
from hub.database.tables import links, order_refs, orders
from hub.model.booking import Reservation, ReservationStatus
from hub.model.ids import companion_id
from hub.model.order import Order
from hub.model.status import OrderType, Status
from hub.model.venue import Link, Venue

_MINUTE_MS = 60_000


def follow_tabs(
    connection: Connection, venue: Venue, read: Sequence[Order], *, channels: Sequence[Link], now_ms: int
) -> None:
    """Brings the bookings of these orders up to date. Called under the lock of the venue's guest book."""
    tabs = [order for order in read if order.order_type is OrderType.DINE_IN]
    if not tabs:
        return
    ids = [order.id for order in tabs]
    there = set(
        connection.execute(
            select(orders.c.id).where(orders.c.id.in_(ids)).with_for_update(read=True, key_share=True)
        ).scalars()
    )
    known = of_orders(connection, ids)
    seated_by = _seated_by(connection, tabs, channels)
    visits = guest_visits.c
    rows = connection.execute(select(visits.order_id, visits.guest_id).where(visits.order_id.in_(ids)))
    guest_of = {row.order_id: row.guest_id for row in rows}
    for order in (order for order in tabs if order.id in there):
        before = known.get(order.id)
        if before is not None:
            after = _followed(before, order, guest_of.get(order.id, ""), now_ms)
            if after != before:
                save_reservation(connection, before, structs.replace(after, updated_at_ms=now_ms))
        elif order.tables and order.id in seated_by:
            insert_reservation(
                connection, _booking_of(order, venue, guest_of.get(order.id, ""), seated_by[order.id], now_ms)
            )


def _seated_by(connection: Connection, tabs: Sequence[Order], channels: Sequence[Link]) -> dict[str, str]:
    """The channel that seated the party or knows its tab, by order."""
    if not channels:
        return {}
    labels = {link.id: link.label for link in channels}
    refs = order_refs.c
    query = (
        select(refs.order_id, refs.link_id)
        .join(links, links.c.id == refs.link_id)
        .where(refs.order_id.in_([order.id for order in tabs]), links.c.role == "channel")
    )
    found = {row.order_id: labels.get(row.link_id, "channel") for row in connection.execute(query)}
    return dict(_opened_by(tabs, channels)) | found


def _opened_by(tabs: Sequence[Order], channels: Sequence[Link]) -> Iterator[tuple[str, str]]:
    by_connector = {link.connector: link.label for link in channels}
    for order in tabs:
        if order.origin.system in by_connector:
            yield order.id, by_connector[order.origin.system]


def _followed(before: Reservation, order: Order, guest_id: str, now_ms: int) -> Reservation:
    ended = order.timing.closed_at_ms or now_ms
    after = structs.replace(
        before,
        status=_status(order),
        guest_id=guest_id or before.guest_id,
        customer=order.customer or before.customer,
        tables=order.tables or before.tables,
        party_size=order.party_size or before.party_size,
        ends_at_ms=before.ends_at_ms if order.status is Status.OPEN else max(ended, before.starts_at_ms),
    )
    return before if before.status is ReservationStatus.CANCELLED else after


def _status(order: Order) -> ReservationStatus:
    if order.status is Status.VOID:
        return ReservationStatus.CANCELLED
    return ReservationStatus.COMPLETED if order.status is Status.CLOSED else ReservationStatus.SEATED


def _booking_of(order: Order, venue: Venue, guest_id: str, channel: str, now_ms: int) -> Reservation:
    starts_at_ms = order.timing.seated_at_ms or order.created_at_ms
    planned_ms = starts_at_ms + venue.guests.reservation_minutes * _MINUTE_MS
    return Reservation(
        id=companion_id("res", order.id),
        venue_id=venue.id,
        guest_id=guest_id,
        customer=order.customer,
        party_size=order.party_size or 1,
        starts_at_ms=starts_at_ms,
        ends_at_ms=max(order.timing.closed_at_ms or planned_ms, starts_at_ms),
        tables=order.tables,
        status=_status(order),
        source=channel,
        order_id=order.id,
        external_id=order.origin.order_id,
        note="",
        reason="",
        version=1,
        created_at_ms=now_ms,
        updated_at_ms=now_ms,
    )

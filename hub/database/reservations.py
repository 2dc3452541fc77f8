"""Reservations by venue and time."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Row, and_, insert, or_, select, update

from hub.database.bookings import booking_row, booking_values
from hub.database.guest_tables import reservations
from hub.model.booking import HOLDS_TABLE, Reservation, ReservationSearch, ReservationStatus
from hub.model.table import table_key

_EXAMINED_AT_MOST = 2_000
_LONGEST_MS = 2 * 86_400_000  # nobody keeps a table for longer


class Place(Struct, frozen=True):
    """Where a page ended."""

    starts_at_ms: int
    id: str

    def __str__(self) -> str:
        return f"{self.starts_at_ms}.{self.id}"


class ReservationPage(Struct, frozen=True):
    """One page, the earliest first. `next` is None at the end; a page may be short and still not be the last."""

    reservations: Sequence[Reservation]
    next: Place | None


def find_reservation(connection: Connection, reservation_id: str, *, lock: bool = False) -> Reservation | None:
    """A reservation by id; with `lock` nobody else changes it until this transaction ends."""
    query = select(reservations).where(reservations.c.id == reservation_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _reservation(row)


def load_page(connection: Connection, wanted: ReservationSearch, *, after: Place | None, limit: int) -> ReservationPage:
    """The next page of a search, by when they begin."""
    column = reservations.c
    query = select(reservations)
    if wanted.venue_id:
        query = query.where(column.venue_id == wanted.venue_id)
    if wanted.from_ms is not None:
        query = query.where(column.starts_at_ms >= wanted.from_ms)
    if wanted.before_ms is not None:
        query = query.where(column.starts_at_ms < wanted.before_ms)
    if wanted.status is not None:
        query = query.where(column.status == wanted.status.value)
    if after is not None:
        same = and_(column.starts_at_ms == after.starts_at_ms, column.id > after.id)
        query = query.where(
            column.starts_at_ms >= after.starts_at_ms, or_(column.starts_at_ms > after.starts_at_ms, same)
        )
    query = query.order_by(column.starts_at_ms, column.id)
    if not wanted.table:
        rows = connection.execute(query.limit(limit + 1)).all()
        found = [_reservation(row) for row in rows[:limit]]
        return ReservationPage(found, place_of(found[-1]) if len(rows) > limit else None)
    rows = connection.execute(query.limit(_EXAMINED_AT_MOST)).all()
    return _with_table([_reservation(row) for row in rows], table_key(wanted.table), limit)


def _with_table(rows: Sequence[Reservation], key: str, limit: int) -> ReservationPage:
    found: list[Reservation] = []
    for reservation in rows:
        if any(table_key(name) == key for name in reservation.tables):
            if len(found) == limit:
                return ReservationPage(found, place_of(found[-1]))
            found.append(reservation)
    return ReservationPage(found, place_of(rows[-1]) if len(rows) == _EXAMINED_AT_MOST else None)


def load_at_the_same_time(
    connection: Connection, venue_id: str, from_ms: int, to_ms: int, *, but: str = ""
) -> list[Reservation]:
    """The reservations of a venue that hold their tables at some moment of this time, but one, the earliest first."""
    column = reservations.c
    query = select(reservations).where(
        column.venue_id == venue_id,
        column.starts_at_ms > from_ms - _LONGEST_MS,
        column.starts_at_ms < to_ms,
        column.ends_at_ms > from_ms,
        column.status.in_(HOLDS_TABLE),
        column.id != but,
    )
    return [_reservation(row) for row in connection.execute(query.order_by(column.starts_at_ms, column.id))]


def of_orders(connection: Connection, order_ids: Sequence[str]) -> dict[str, Reservation]:
    """The reservations whose party sits at these orders' tables, by order."""
    query = select(reservations).where(reservations.c.order_id.in_(order_ids))
    return {row.order_id: _reservation(row) for row in connection.execute(query)}


def insert_reservation(connection: Connection, reservation: Reservation) -> None:
    """Stores a new reservation."""
    connection.execute(insert(reservations), [booking_row(reservation)])


def save_reservation(connection: Connection, before: Reservation, after: Reservation) -> Reservation | None:
    """Stores a changed reservation under the next version; None when somebody else was faster."""
    row = booking_row(after) | {"version": before.version + 1}
    mine = (reservations.c.id == before.id, reservations.c.version == before.version)
    done = connection.execute(update(reservations).where(*mine).values(row)).rowcount == 1
    return msgspec.structs.replace(after, version=before.version + 1) if done else None


def place_of(reservation: Reservation) -> Place:
    """Right behind a reservation."""
    return Place(reservation.starts_at_ms, reservation.id)


def _reservation(row: Row[Any]) -> Reservation:
    return Reservation(**booking_values(row), status=ReservationStatus(row.status))

"""The waitlist by venue, and how long parties sat at tables lately."""

from typing import Any

import msgspec
from msgspec import Struct, field
from sqlalchemy import Connection, Row, insert, select, update

from hub.database.bookings import booking_row, booking_values
from hub.database.guest_tables import waitlist
from hub.database.tables import orders
from hub.model.booking import WaitEntry, WaitStatus
from hub.model.turns import Turn

_LONGEST_QUEUE = 500
_TURNS_AT_MOST = 1_000
_DINE_IN = '"order_type":"dine_in"'  # as the document is written; deliveries are not even read


def load_queue(connection: Connection, venue_id: str) -> list[WaitEntry]:
    """Who waits at a venue, the longest first."""
    column = waitlist.c
    query = select(waitlist).where(column.venue_id == venue_id, column.ended_at_ms.is_(None))
    query = query.order_by(column.joined_at_ms, column.id).limit(_LONGEST_QUEUE)
    return [_entry(row) for row in connection.execute(query)]


def find_entry(connection: Connection, entry_id: str, *, lock: bool = False) -> WaitEntry | None:
    """A party on the list by id; with `lock` nobody else changes it until this transaction ends."""
    query = select(waitlist).where(waitlist.c.id == entry_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _entry(row)


def insert_entry(connection: Connection, entry: WaitEntry) -> None:
    """Puts a party on the list."""
    connection.execute(insert(waitlist), [booking_row(entry)])


def save_entry(connection: Connection, before: WaitEntry, after: WaitEntry) -> WaitEntry | None:
    """Stores a changed entry under the next version; None when somebody else was faster."""
    row = booking_row(after) | {"version": before.version + 1}
    mine = (waitlist.c.id == before.id, waitlist.c.version == before.version)
    done = connection.execute(update(waitlist).where(*mine).values(row)).rowcount == 1
    return msgspec.structs.replace(after, version=before.version + 1) if done else None


class _Timing(Struct, frozen=True):
    seated_at_ms: int | None = None
    closed_at_ms: int | None = None


class _Sat(Struct, frozen=True):
    """The part of a stored order that tells how long a party sat."""

    created_at_ms: int
    stage: str = "received"
    status: str = "open"
    party_size: int | None = None
    tables: tuple[str, ...] = ()
    timing: _Timing = field(default_factory=_Timing)


_SAT = msgspec.json.Decoder(_Sat)


def load_turns(connection: Connection, venue_id: str, *, since_ms: int) -> list[Turn]:
    """The parties that left their tables since a time, the latest first; those nobody closed tell nothing."""
    column = orders.c
    query = select(column.document).where(
        column.venue_id == venue_id,
        column.updated_at_ms >= since_ms,
        column.closed_at_ms.is_not(None),
        column.document.contains(_DINE_IN, autoescape=True),
    )
    rows = connection.execute(query.order_by(column.updated_at_ms.desc(), column.id.desc()).limit(_TURNS_AT_MOST))
    found = (_SAT.decode(document) for document in rows.scalars())
    return [
        Turn(party_size=sat.party_size, minutes=(sat.timing.closed_at_ms - _since(sat)) / 60_000)
        for sat in found
        if sat.timing.closed_at_ms and sat.tables and sat.status == "closed" and sat.stage != "expired"
    ]


def _since(sat: _Sat) -> int:
    return sat.timing.seated_at_ms or sat.created_at_ms


def _entry(row: Row[Any]) -> WaitEntry:
    return WaitEntry(**booking_values(row), status=WaitStatus(row.status))

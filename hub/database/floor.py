"""A venue's tables, the other names they go by, and the names that nobody knows yet."""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, select

from hub.database.tables import table_names, venue_tables, venues
from hub.database.upsert import upsert
from hub.model.floor import Floor
from hub.model.table import Table, TableStatus, table_key

LONGEST_NAME = 100
_AT_MOST_LISTED = 500


class StoredTable(Struct, frozen=True, kw_only=True):
    """A table with where it comes from: the operator's file, the POS, or both."""

    table: Table
    declared: bool
    vendor_id: str = ""
    retired: bool = False


class UnknownName(Struct, frozen=True, kw_only=True):
    """A name that somebody used for a table and nobody knows."""

    venue_id: str
    name: str
    told_by: str
    order_id: str
    seen_at_ms: int


def lock_venue(connection: Connection, venue_id: str) -> None:
    """Makes others that seat guests or place orders at this venue wait until this transaction ends."""
    connection.execute(select(venues.c.id).where(venues.c.id == venue_id).with_for_update(key_share=True))


def load_tables(connection: Connection, venue_id: str) -> list[StoredTable]:
    """All tables ever known at a venue, by area and name."""
    query = select(venue_tables).where(venue_tables.c.venue_id == venue_id)
    rows = connection.execute(query.order_by(venue_tables.c.area, venue_tables.c.name))
    return [
        StoredTable(
            table=Table(
                id=row.id,
                name=row.name,
                seats=row.seats,
                area=row.area,
                status=TableStatus(row.told_status) if row.told_status else TableStatus.UNKNOWN,
            ),
            declared=row.declared,
            vendor_id=row.vendor_id,
            retired=row.retired,
        )
        for row in rows
    ]


def load_floor(connection: Connection, venue_id: str) -> Floor:
    """The tables a venue has now, with their other names. A status is what the POS last said."""
    known = table_names.c
    query = select(known.name_key, known.table_id).where(known.venue_id == venue_id, known.table_id.is_not(None))
    aliases = {row.name_key: row.table_id for row in connection.execute(query)}
    return Floor(tuple(entry.table for entry in load_tables(connection, venue_id) if not entry.retired), aliases)


def save_tables(connection: Connection, venue_id: str, entries: Sequence[StoredTable]) -> None:
    """Stores tables, new or changed."""
    changed = ["name", "seats", "area", "declared", "vendor_id", "told_status", "retired"]
    for entry in entries:
        row = {
            "id": entry.table.id,
            "venue_id": venue_id,
            "name": entry.table.name,
            "seats": entry.table.seats,
            "area": entry.table.area,
            "declared": entry.declared,
            "vendor_id": entry.vendor_id,
            "told_status": "" if entry.table.status is TableStatus.UNKNOWN else entry.table.status.value,
            "retired": entry.retired,
        }
        upsert(connection, venue_tables, [row], changed)


def save_alias(connection: Connection, venue_id: str, name: str, table_id: str, *, now_ms: int) -> None:
    """Remembers another name for a table; whoever uses it from now on means that table."""
    row = {"venue_id": venue_id, "name_key": table_key(name), "name": name, "seen_at_ms": now_ms}
    upsert(connection, table_names, [{**row, "table_id": table_id}], ["table_id"])


def note_unknown(
    connection: Connection, venue_id: str, names: Iterable[str], *, told_by: str, order_id: str, now_ms: int
) -> None:
    """Puts names that nobody knows into the queue for a person; one that is there keeps its place."""
    for name in names:
        row: dict[str, Any] = {"venue_id": venue_id, "name_key": table_key(name), "name": name}
        row |= {"told_by": told_by, "order_id": order_id}
        row |= {"table_id": None, "seen_at_ms": now_ms}
        upsert(connection, table_names, [row], ["table_id", "told_by", "order_id", "seen_at_ms"])


def load_unknown(connection: Connection, venue_id: str | None = None) -> list[UnknownName]:
    """The names that wait for a person, latest first; of all venues or of one."""
    query = select(table_names).where(table_names.c.table_id.is_(None))
    if venue_id is not None:
        query = query.where(table_names.c.venue_id == venue_id)
    rows = connection.execute(query.order_by(table_names.c.seen_at_ms.desc()).limit(_AT_MOST_LISTED))
    return [
        UnknownName(
            venue_id=row.venue_id,
            name=row.name,
            told_by=row.told_by,
            order_id=row.order_id,
            seen_at_ms=row.seen_at_ms,
        )
        for row in rows
    ]

"""A restaurant's tables, as a POS or the hub keeps them."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from hub.model.ids import derived_id


class TableStatus(StrEnum):
    """Whether guests can sit down. UNKNOWN only comes in, with the raw word kept."""

    FREE = "free"
    OCCUPIED = "occupied"
    RESERVED = "reserved"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


class Table(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One table. `name` is what the staff calls it."""

    id: str
    name: str
    seats: int | None = None
    area: str = ""
    status: TableStatus = TableStatus.UNKNOWN
    raw_status: str = ""
    vendor: Mapping[str, Any] = field(default_factory=dict)


def table_key(name: str) -> str:
    """A table's name as it is compared: case and white space do not count, so `7a` and ` 7 A` are one table."""
    return "".join(name.split()).upper()


def declared_table_id(venue_id: str, name: str) -> str:
    """The id of a table that a file declares; like that of a POS's table it stays, however the table is called."""
    return derived_id("tbl", venue_id, "name", table_key(name))


def pos_table_id(venue_id: str, id_at_pos: str) -> str:
    """The id of a table that a POS tells of."""
    return derived_id("tbl", venue_id, "pos", id_at_pos)

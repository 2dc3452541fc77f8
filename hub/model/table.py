"""A restaurant's tables, as a POS or the hub keeps them."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct, field


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

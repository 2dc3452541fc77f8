"""What may be booked: within the opening hours, not twice the same table, no more guests than seats."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.errors import InvalidRequest
from hub.model.booking import Reservation, overlaps
from hub.model.floor import Floor
from hub.model.venue import Venue, is_open

_GRACE_MS = 15 * 60_000  # a guest who stands at the door is booked as of a moment ago
_FURTHEST_AHEAD_MS = 366 * 86_400_000
_LONGEST_MS = 24 * 3_600_000


class Clash(Struct, frozen=True):
    """Something that speaks against a booking: a `code`, and words that name no other guest."""

    code: str
    message: str
    field: str


def check_times(venue: Venue, starts_at_ms: int, ends_at_ms: int, now_ms: int) -> None:
    """Refuses times that cannot be. Raises `InvalidRequest` naming the field."""
    if starts_at_ms < now_ms - _GRACE_MS:
        raise InvalidRequest("startsAt: this time is past", field="startsAt", code="TIME_PAST")
    if starts_at_ms > now_ms + _FURTHEST_AHEAD_MS:
        raise InvalidRequest("startsAt: more than a year ahead", field="startsAt", code="TIME_TOO_FAR")
    if not 0 < ends_at_ms - starts_at_ms <= _LONGEST_MS:
        raise InvalidRequest("endsAt: must be after startsAt, by 24 hours at most", field="endsAt")
    if not is_open(venue, datetime.fromtimestamp(starts_at_ms / 1000, UTC).astimezone(ZoneInfo(venue.timezone))):
        raise InvalidRequest(f"startsAt: {venue.name} is closed then", field="startsAt", code="STORE_CLOSED")


def clashes(
    floor: Floor,
    others: Sequence[Reservation],
    *,
    tables: Sequence[str],
    party_size: int,
    starts_at_ms: int,
    ends_at_ms: int,
) -> list[Clash]:
    """What speaks against it, given the reservations at the same time; empty when all is well."""
    at_once = [other for other in others if overlaps(starts_at_ms, ends_at_ms, other.starts_at_ms, other.ends_at_ms)]
    found = [clash for table in tables if (clash := _booked(floor, table, at_once)) is not None]
    seats = _seats(floor, tables)
    if tables and seats is not None and party_size > seats:
        found.append(Clash("TABLE_TOO_SMALL", f"tables: {seats} seats for a party of {party_size}", "tables"))
    capacity = _seats(floor, [table.name for table in floor.tables]) if floor.tables else None
    expected = sum(other.party_size for other in at_once)
    if capacity is not None and expected + party_size > capacity:
        words = f"partySize: {expected} guests are booked at that time already, of {capacity} seats"
        found.append(Clash("STORE_FULL", words, "partySize"))
    unknown = floor.unknown(tables)
    if unknown:
        found.append(Clash("TABLE_UNKNOWN", f"tables: this store has no table {unknown[0]!r}", "tables"))
    return found


def _booked(floor: Floor, table: str, at_once: Sequence[Reservation]) -> Clash | None:
    for other in at_once:
        if floor.spots([table]) & floor.spots(other.tables):
            return Clash("TABLE_BOOKED", f"tables: {table} is booked at that time ({other.id})", "tables")
    return None


def _seats(floor: Floor, tables: Sequence[str]) -> int | None:
    """The seats of these tables; None when nobody said how many one of them has."""
    seats = [None if (found := floor.find(name)) is None else found.seats for name in tables]
    return None if None in seats else sum(count for count in seats if count is not None)

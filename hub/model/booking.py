"""Tables kept for guests who will come, and guests who wait for one."""

from enum import StrEnum

from msgspec import Struct

from hub.model.order import Customer


class ReservationStatus(StrEnum):
    """How far a reservation is."""

    BOOKED = "booked"
    CONFIRMED = "confirmed"
    """The guest said again that they will come."""
    SEATED = "seated"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"


EXPECTED = (ReservationStatus.BOOKED, ReservationStatus.CONFIRMED)
HOLDS_TABLE = (*EXPECTED, ReservationStatus.SEATED)


class Reservation(Struct, frozen=True, kw_only=True):
    """A table for a party at a time; times are milliseconds since 1970, UTC. `guest_id` is empty after the guest was
    forgotten, and for a party whose guest nobody named."""

    id: str
    venue_id: str
    guest_id: str
    customer: Customer | None
    party_size: int
    starts_at_ms: int
    ends_at_ms: int
    tables: tuple[str, ...]
    status: ReservationStatus
    source: str
    """The key that made it, or the channel that seated the party."""
    order_id: str
    """The tab that was opened when the party sat down."""
    external_id: str
    note: str
    reason: str
    """Why it was cancelled."""
    version: int
    created_at_ms: int
    updated_at_ms: int


class ReservationSearch(Struct, frozen=True, kw_only=True):
    """What to look for; everything given must hold. Reservations that begin in [from, before)."""

    venue_id: str = ""
    from_ms: int | None = None
    before_ms: int | None = None
    status: ReservationStatus | None = None
    table: str = ""


class WaitStatus(StrEnum):
    """How far a party on the waitlist is."""

    WAITING = "waiting"
    NOTIFIED = "notified"
    """Told that their table is ready. The hub notes it; it sends nothing itself."""
    SEATED = "seated"
    CANCELLED = "cancelled"
    LEFT = "left"
    """They did not wait."""


IN_QUEUE = (WaitStatus.WAITING, WaitStatus.NOTIFIED)


class WaitEntry(Struct, frozen=True, kw_only=True):
    """A party that waits for a table."""

    id: str
    venue_id: str
    guest_id: str
    customer: Customer | None
    party_size: int
    status: WaitStatus
    quoted_minutes: int | None
    """How long the party was told it would take, when it was put on the list."""
    tables: tuple[str, ...]
    order_id: str
    source: str
    note: str
    version: int
    joined_at_ms: int
    notified_at_ms: int | None
    ended_at_ms: int | None
    updated_at_ms: int


def overlaps(one_from_ms: int, one_to_ms: int, other_from_ms: int, other_to_ms: int) -> bool:
    """Whether two times have a moment in common; one may begin when the other ends."""
    return one_from_ms < other_to_ms and other_from_ms < one_to_ms

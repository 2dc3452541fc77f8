"""What a venue may set about its guests: the thresholds of segments, and how long a table is booked for."""

from msgspec import Struct


class GuestRules(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`[venues.guests]` of the operator's file."""

    new_days: int = 30
    """A guest with one order is new for so many days."""
    regular_orders: int = 3
    """From so many orders on a guest is a regular."""
    regular_days: int = 21
    """A regular who did not come for so many days is at risk."""
    lapsed_days: int = 35
    """Who did not come for so many days is lapsed. The archive forgets guests after 45 days."""
    big_spender_checks: int = 5
    """A big spender spent so many average checks of the venue, unless `big_spender_cents` is set."""
    big_spender_cents: int | None = None
    reservation_minutes: int = 120
    """How long a table is booked for when nobody says."""

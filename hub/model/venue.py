"""A venue (a restaurant location) with its rules, and its link to a vendor."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct, field

from hub.model.guest_rules import GuestRules
from hub.model.menu import Tax
from hub.model.status import OrderType

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class OpeningHours(Struct, frozen=True, kw_only=True):
    """One opening period in local time, `HH:MM`; `closes` before `opens` runs past midnight."""

    day: str
    opens: str
    closes: str


class Policies(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the venue allows and charges."""

    practice: bool = False
    """A venue to try things at: its orders are kept like any other's and reach no kitchen."""
    anonymous_orders: bool = True
    anonymous_max_cents: int | None = None
    """The largest total an order without an API key may have."""
    delivery_address_required: bool = False
    service_charge_percent: str = "0"
    service_charge_order_types: tuple[OrderType, ...] = (OrderType.DINE_IN,)
    tax: Tax | None = None
    """For items whose menu entry names no tax."""
    preparation_minutes: int = 20
    delivery_deadline_minutes: int = 10
    """How long the hub tries to bring an order to the kitchen (the field's clocks run from 3 to 11.5 minutes)."""


class Venue(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One restaurant location."""

    id: str
    slug: str
    name: str
    currency: str
    timezone: str
    order_prefix: str
    address: str = ""
    phone: str = ""
    cuisines: tuple[str, ...] = ()
    order_types: tuple[OrderType, ...] = tuple(OrderType)
    hours: tuple[OpeningHours, ...] = ()
    """None given means always open."""
    policies: Policies = Policies()
    guests: GuestRules = GuestRules()
    seating: str = ""
    """Who says where guests sit: the name of a channel, `pos` or `hub`; empty: the only channel, else the hub."""


class RateLimit(Struct, frozen=True):
    """At most `requests` calls in any `seconds`; shared per link or, where the vendor counts so, per vendor.

    With an `operation` it counts that one operation alone (the name its calls are recorded under).
    """

    requests: int
    seconds: int
    scope: Literal["link", "vendor"] = "link"
    operation: str = ""


class LinkTuning(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an operator may change about a link's traffic; None keeps the connector manifest's value."""

    rate_limits: tuple[RateLimit, ...] | None = None
    max_in_flight: int | None = None
    connect_timeout_seconds: float | None = None
    total_timeout_seconds: float | None = None
    poll_seconds: int | None = None
    settle_seconds: float | None = None
    """How long the vendor may still be working on a write after our time-out."""


class Link(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A venue's connection to a vendor. `config` follows the connector's schema; secrets are `env:NAME` references."""

    id: str
    venue_id: str
    connector: str
    role: Literal["pos", "channel"] = "pos"
    name: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    tuning: LinkTuning = LinkTuning()
    kitchen: Literal["pos", "hub"] = "pos"
    """Who prints the kitchen's tickets: exactly one party, or the dish is cooked twice."""
    pos_orders: Literal["pick_up", "ignore"] = "pick_up"
    """Whether orders that the staff opens at the POS become orders here, where the vendor can list them."""
    walk_ins: Literal["tell", "keep"] = "tell"
    """Whether a channel is told of tables that were seated without it."""
    paused_cause: str = ""

    @property
    def label(self) -> str:
        """What the operator calls it."""
        return self.name or self.connector


def seating_owner(venue: Venue, channels: Sequence[Link]) -> str:
    """Who says where guests sit at a venue with these channels: a channel's label, `pos` or `hub`."""
    if venue.seating:
        return venue.seating
    return channels[0].label if len(channels) == 1 else "hub"


def is_open(venue: Venue, local: datetime) -> bool:
    """Whether the venue is open at this local time."""
    if not venue.hours:
        return True
    minute = local.strftime("%H:%M")
    today, yesterday = WEEKDAYS[local.weekday()], WEEKDAYS[local.weekday() - 1]
    for period in venue.hours:
        overnight = period.closes <= period.opens
        if period.day == today and period.opens <= minute and (overnight or minute < period.closes):
            return True
        if overnight and period.day == yesterday and minute < period.closes:
            return True
    return False

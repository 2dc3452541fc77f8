"""Groups of guests by rules that are written down: how lately, how often and for how much they came."""

from msgspec import Struct

from hub.model.guest import Guest
from hub.model.guest_rules import GuestRules
from hub.model.money import Money, display

_DAY_MS = 86_400_000
NAMES = {
    "all": "All guests",
    "new": "New",
    "regular": "Regular",
    "at_risk": "At risk",
    "lapsed": "Lapsed",
    "big_spender": "Big spender",
    "contactable": "Contactable",
}
KEYS = tuple(NAMES)
FEWEST_ORDERS = 10
"""Orders from which an average check says something."""


class Segment(Struct, frozen=True, kw_only=True):
    """A segment of a venue: its rule in words, and how many are in it. `reachable` are those who agreed to be
    written to and left an address."""

    key: str
    name: str
    rule: str
    members: int = 0
    reachable: int = 0
    computed_at_ms: int = 0


class Thresholds(Struct, frozen=True, kw_only=True):
    """What the rules of a venue come to now. `big_spender_cents` is None while there are too few orders."""

    rules: GuestRules
    currency: str
    orders: int
    big_spender_cents: int | None

    @classmethod
    def of(cls, rules: GuestRules, currency: str, *, orders: int, spend_cents: int) -> "Thresholds":
        """From the venue's settings and what all its guests together ordered and paid."""
        cents = rules.big_spender_cents
        if cents is None and orders >= FEWEST_ORDERS and spend_cents:
            cents = rules.big_spender_checks * spend_cents // orders
        return cls(rules=rules, currency=currency, orders=orders, big_spender_cents=cents)


def segments_of(guest: Guest, thresholds: Thresholds, now_ms: int) -> tuple[str, ...]:
    """The segments a guest is in; nobody is new, regular, at risk or lapsed without an order."""
    rules, found = thresholds.rules, ["all"]
    if guest.orders and guest.last_order_at_ms is not None and guest.first_order_at_ms is not None:
        away_days = (now_ms - guest.last_order_at_ms) / _DAY_MS
        known_days = (now_ms - guest.first_order_at_ms) / _DAY_MS
        if guest.orders == 1 and known_days <= rules.new_days:
            found.append("new")
        if away_days > rules.lapsed_days:
            found.append("lapsed")
        elif guest.orders >= rules.regular_orders:
            found.append("regular" if away_days <= rules.regular_days else "at_risk")
    if thresholds.big_spender_cents is not None and guest.spend_cents >= thresholds.big_spender_cents > 0:
        found.append("big_spender")
    if is_reachable(guest):
        found.append("contactable")
    return tuple(found)


def is_reachable(guest: Guest, channel: str = "none") -> bool:
    """Whether a guest may be written to: they agreed, and left the address that the channel needs."""
    address = {"email": guest.email, "sms": guest.phone}.get(channel, guest.email or guest.phone)
    return guest.marketing_consent and bool(address)


def described(thresholds: Thresholds) -> tuple[Segment, ...]:
    """All segments with their rules in words."""
    rules = thresholds.rules
    often = f"at least {rules.regular_orders} orders"
    if thresholds.big_spender_cents is None:
        big = f"not enough data for an average check: {thresholds.orders} orders, {FEWEST_ORDERS} needed"
    else:
        amount = display(Money(thresholds.big_spender_cents, thresholds.currency))
        big = f"spent {amount} or more"
        if rules.big_spender_cents is None:
            big += f" ({rules.big_spender_checks} average checks)"
    words = {
        "all": "every guest the hub knows",
        "new": f"one order, made in the last {rules.new_days} days",
        "regular": f"{often}, the last one in the last {rules.regular_days} days",
        "at_risk": f"{often}, the last one more than {rules.regular_days} and at most {rules.lapsed_days} days ago",
        "lapsed": f"the last order more than {rules.lapsed_days} days ago",
        "big_spender": big,
        "contactable": "agreed to be written to, and left a phone number or an e-mail address",
    }
    return tuple(Segment(key=key, name=name, rule=words[key]) for key, name in NAMES.items())

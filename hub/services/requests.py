"""What callers ask for, after the API has understood it and before the services price and store it."""

from decimal import Decimal
from typing import Literal, Self

from msgspec import Struct

from hub.model.check import Discount
from hub.model.order import Customer, Delivery
from hub.model.status import OrderType


class ModifierChoice(Struct, frozen=True, kw_only=True, gc=False):
    """One option the guest chose; `group_id` is empty when the caller did not name it."""

    option_id: str
    group_id: str = ""
    quantity: int = 1


class LineRequest(Struct, frozen=True, kw_only=True, gc=False):
    """One item the guest ordered."""

    item_id: str
    quantity: int = 1
    modifiers: tuple[ModifierChoice, ...] = ()
    note: str = ""


class DiscountRequest(Struct, frozen=True, kw_only=True):
    """A discount on the check: a percentage, or an amount in minor units."""

    type: Literal["percent", "amount"]
    value: Decimal
    reason: str = ""

    @classmethod
    def like(cls, given: Discount) -> Self:
        """The request behind a discount that was given."""
        return cls(type=given.type, value=Decimal(given.value), reason=given.reason)


class OrderRequest(Struct, frozen=True, kw_only=True, gc=False):
    """An order as asked for. Prices are not part of it: they come from our menu."""

    venue_id: str
    order_type: OrderType
    lines: tuple[LineRequest, ...]
    customer: Customer | None = None
    delivery: Delivery | None = None
    tables: tuple[str, ...] = ()
    party_size: int | None = None
    note: str = ""
    promised_at_ms: int | None = None
    discount: DiscountRequest | None = None
    declared_total_cents: int | None = None
    origin_order_id: str = ""
    origin_system: str = ""
    quoted_total_cents: int | None = None
    """What a quote said; the order is refused when it would cost something else by now."""
    quoted_until_ms: int | None = None


class Caller(Struct, frozen=True, kw_only=True):
    """Who asks. An anonymous caller has no scopes; `venue_id` binds a key to one venue; a key without limits of its
    own has the hub's."""

    id: str
    """`key_…`, or `anonymous:<address>`."""
    name: str
    scopes: frozenset[str] = frozenset()
    venue_id: str | None = None
    requests_per_minute: int | None = None
    requests_per_day: int | None = None

    @property
    def is_anonymous(self) -> bool:
        """Whether the caller showed no key."""
        return self.id.startswith("anonymous:")

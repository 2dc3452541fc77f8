"""The arithmetic of the Clopos sandbox: it believes no total it is sent and adds up its own.

The order of steps is read from the brief's example: (0 + 3 + 15) x 1 = 18, less 10 percent = 16.20. The
modifiers are part of the discount base, and 1 means percent. Service charge as a percentage of the discounted
sum, and the delivery fee on top, are readings of the receipt fields.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

NO_DISCOUNT, PERCENT, AMOUNT = 0, 1, 2
FOUR_PLACES = Decimal("0.0001")
CENTS = Decimal("0.01")


@dataclass(frozen=True)
class SoldLine:
    """One line with the prices of the vendor's own catalogue, in major units."""

    unit_price: Decimal
    """Product and modifiers together, for one piece."""
    count: int
    discountable: bool
    bears_service_charge: bool


@dataclass(frozen=True)
class Terms:
    """What applies to the whole order."""

    discount_type: int = NO_DISCOUNT
    discount_value: Decimal = Decimal(0)
    service_charge_percent: Decimal = Decimal(0)
    delivery_fee: Decimal = Decimal(0)


@dataclass(frozen=True)
class Totals:
    """The sums of an order, in major units."""

    subtotal: Decimal
    discount: Decimal
    service_charge: Decimal
    delivery_fee: Decimal

    @property
    def total(self) -> Decimal:
        """What the guest pays."""
        return self.subtotal - self.discount + self.service_charge + self.delivery_fee

    @property
    def order_total(self) -> str:
        """The total as `orderTotal` shows it: text with four decimals, `"16.2000"`."""
        return str(self.total.quantize(FOUR_PLACES, ROUND_HALF_UP))


def add_up(lines: Sequence[SoldLine], terms: Terms) -> Totals:
    """The totals of an order; a fixed discount never exceeds what it applies to."""
    subtotal = sum((line.unit_price * line.count for line in lines), Decimal(0))
    base = sum((line.unit_price * line.count for line in lines if line.discountable), Decimal(0))
    discount = Decimal(0)
    if terms.discount_type == PERCENT:
        discount = base * terms.discount_value / 100
    elif terms.discount_type == AMOUNT:
        discount = min(terms.discount_value, base)
    exempt = sum((line.unit_price * line.count for line in lines if not line.bears_service_charge), Decimal(0))
    charged = max(subtotal - discount - exempt, Decimal(0))
    service_charge = charged * terms.service_charge_percent / 100
    return Totals(
        subtotal,
        discount.quantize(FOUR_PLACES, ROUND_HALF_UP),
        service_charge.quantize(FOUR_PLACES, ROUND_HALF_UP),
        terms.delivery_fee,
    )


def cents(amount: Decimal) -> Decimal:
    """An amount as receipts show it, at two decimals."""
    return amount.quantize(CENTS, ROUND_HALF_UP)

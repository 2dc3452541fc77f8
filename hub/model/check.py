"""A check (bill): its lines, discounts, charges, taxes and totals, in minor units."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, Self

from msgspec import Struct, field, structs

from hub.model.money import percent_of
from hub.model.payment import Payment
from hub.model.status import PaymentStatus, Status


class Totals(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`total = subtotal - discount + charge + tax added on top + tip`; `tax` includes tax inside the prices."""

    subtotal_cents: int = 0
    discount_cents: int = 0
    charge_cents: int = 0
    tax_cents: int = 0
    tip_cents: int = 0
    total_cents: int = 0

    @classmethod
    def sum_of(cls, rows: Sequence[Self]) -> Self:
        """Adds totals up field by field."""
        if len(rows) == 1:
            return rows[0]
        return cls(**{name: sum(getattr(row, name) for row in rows) for name in cls.__struct_fields__})


# gc=False where many live at once: such values form no cycles, so the garbage collector need not visit them.
class Modifier(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One chosen option of a line; `quantity` is per one unit of the line. May hold options of its own."""

    modifier_id: str
    group_id: str
    name: str
    group: str = ""
    quantity: int = 1
    unit_cents: int = 0
    modifiers: tuple["Modifier", ...] = ()
    vendor: Mapping[str, Any] = field(default_factory=dict)


class LineTax(Struct, frozen=True, kw_only=True):
    """Tax on one line: `rate` is a percentage as a decimal string; inclusive tax is inside the price."""

    name: str
    rate: str
    type: Literal["inclusive", "exclusive"]
    cents: int


class Line(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One ordered item. `gross = (unit + modifiers) × quantity`; `net = gross - discount`."""

    uid: str
    item_id: str
    name: str
    quantity: int
    unit_cents: int
    """Price of one, without modifiers."""
    gross_cents: int
    discount_cents: int = 0
    tax: LineTax | None = None
    modifiers: tuple[Modifier, ...] = ()
    note: str = ""
    vendor: Mapping[str, Any] = field(default_factory=dict)
    """What the connector needs to send this line, pinned from the menu at order time."""


class Discount(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A reduction of the whole check: `percent` (value is a decimal string) or `amount` (minor units)."""

    type: Literal["percent", "amount"]
    value: str
    cents: int
    """What it took off, in minor units."""
    reason: str = ""


class Charge(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something added to the check; `percent` is set when it was computed from one.

    A `share` is what this check pays of the lines on another one, which has the same amount less.
    """

    type: Literal["service", "delivery", "bag", "gratuity", "rounding", "other", "share"]
    cents: int
    percent: str = ""


class Check(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One bill of an order."""

    id: str
    number: str = ""
    status: Status = Status.OPEN
    lines: tuple[Line, ...] = ()
    discounts: tuple[Discount, ...] = ()
    charges: tuple[Charge, ...] = ()
    payments: tuple[Payment, ...] = ()
    totals: Totals

    @property
    def paid_cents(self) -> int:
        """What was paid and not given back, without tips."""
        return sum([payment.cents - payment.refunded_cents for payment in self.payments])

    @property
    def due_cents(self) -> int:
        """What is still to be paid."""
        return max(self.totals.total_cents - self.paid_cents, 0)


def rebilled(check: Check, lines: Sequence[Line]) -> Check:
    """The check with these lines, priced and discounted as they are: its percentages and totals worked out anew."""
    discount = sum(line.discount_cents for line in lines)
    subtotal = sum(line.gross_cents for line in lines)
    charges = tuple(
        structs.replace(charge, cents=percent_of(subtotal - discount, Decimal(charge.percent)))
        if charge.percent
        else charge
        for charge in check.charges
        if charge.type != "other"  # what a POS had added for other lines
    )
    charge_cents = sum(charge.cents for charge in charges)
    added_tax = sum(line.tax.cents for line in lines if line.tax and line.tax.type == "exclusive")
    totals = Totals(
        subtotal_cents=subtotal,
        discount_cents=discount,
        charge_cents=charge_cents,
        tax_cents=sum(line.tax.cents for line in lines if line.tax),
        tip_cents=check.totals.tip_cents,
        total_cents=subtotal - discount + charge_cents + added_tax + check.totals.tip_cents,
    )
    discounts = tuple(
        structs.replace(given, cents=discount, value=given.value if given.type == "percent" else str(discount))
        for given in (check.discounts[:1] if discount else ())
    )
    return structs.replace(check, lines=tuple(lines), charges=charges, discounts=discounts, totals=totals)


def payment_status_of(checks: Iterable[Check]) -> PaymentStatus:
    """What is paid of these checks; those that are void do not count."""
    counted = [check for check in checks if check.status is not Status.VOID]
    payments = [payment for check in counted for payment in check.payments]
    if not payments:
        return PaymentStatus.UNPAID
    if all(payment.refunded_cents >= payment.cents for payment in payments):
        return PaymentStatus.REFUNDED
    return PaymentStatus.PARTIAL if any(check.due_cents for check in counted) else PaymentStatus.PAID

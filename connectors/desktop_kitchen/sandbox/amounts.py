"""Amounts of the Desktop Kitchen sandbox: pesos as decimals, shown as text when read and as numbers when created."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENTS = Decimal("0.01")
WITH_IVA = Decimal("1.16")


@dataclass(frozen=True)
class Totals:
    """The sums of an order in pesos; the total includes the tax."""

    subtotal: Decimal
    tax: Decimal
    total: Decimal


def round2(amount: Decimal) -> Decimal:
    """Two decimals, halves away from zero."""
    return amount.quantize(CENTS, ROUND_HALF_UP)


def extract_tax(total: Decimal) -> Totals:
    """Takes the 16 % IVA out of a total that includes it."""
    total = round2(total)
    tax = round2(total - total / WITH_IVA)
    return Totals(round2(total - tax), tax, total)


def as_text(amount: Any) -> str:
    """An amount as read calls show it: `"45.00"`."""
    return str(round2(Decimal(amount)))


def as_number(amount: Any) -> int | Decimal:
    """An amount as create calls show it, without useless zeros: `340`, `46.9`."""
    value = Decimal(amount)
    return int(value) if value == value.to_integral_value() else value.normalize()


def amount_of(value: Any) -> Decimal | None:
    """The amount in a body, as number or text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        amount = Decimal(value)
    except ArithmeticError:
        return None
    return amount if amount.is_finite() else None

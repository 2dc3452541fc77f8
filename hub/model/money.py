"""Money in integer minor units, its rounding rule, and how it is shown."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from msgspec import Struct

MOST_CENTS = 9_000_000_000_000_00
"""No amount is larger, or smaller than its negative: sums of ten thousand of them still fit the database's integers."""

_EXPONENTS = {
    # ISO 4217 currencies whose minor unit is not a hundredth.
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"), 0),
    **dict.fromkeys(("UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "AZN": "₼", "TRY": "₺", "INR": "₹", "MXN": "MX$"}


class Money(Struct, frozen=True):
    """An amount in minor units (`1499` is 14.99 where the currency has two decimals)."""

    cents: int
    currency: str


def exponent(currency: str) -> int:
    """How many decimals the currency's major unit has (ISO 4217)."""
    return _EXPONENTS.get(currency, 2)


def to_decimal(cents: int, currency: str) -> Decimal:
    """Minor units as an exact decimal in major units."""
    return Decimal(cents).scaleb(-exponent(currency))


def from_decimal(amount: Decimal, currency: str) -> int:
    """A decimal in major units as minor units, half up. Give it a `Decimal`, never a float.

    Raises `ArithmeticError` when it is not finite or beyond `MOST_CENTS`.
    """
    return round_half_up(amount.scaleb(exponent(currency)))


def round_half_up(amount: Decimal) -> int:
    """The hub's one rounding rule: half up, away from zero.

    Raises `ArithmeticError` when the amount is not finite or beyond `MOST_CENTS`.
    """
    if not -MOST_CENTS <= amount <= MOST_CENTS:  # a comparison with NaN raises
        raise OverflowError(f"{amount:.3E} is more than {MOST_CENTS}")
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def bounded(cents: int) -> int:
    """The amount itself. Raises `OverflowError` when it is beyond `MOST_CENTS`."""
    if not -MOST_CENTS <= cents <= MOST_CENTS:
        raise OverflowError(f"an amount of more than {MOST_CENTS}")
    return cents


def percent_of(cents: int, percent: Decimal) -> int:
    """`percent` of an amount, half up."""
    return round_half_up(Decimal(cents) * percent / 100)


def allocate(cents: int, weights: Sequence[int]) -> list[int]:
    """Splits an amount in proportion to `weights` so that the parts add up to it exactly (largest remainder)."""
    total = sum(weights)
    if total == 0:
        return [0] * len(weights)
    shares = [divmod(cents * weight, total) for weight in weights]
    parts = [quotient for quotient, _ in shares]
    by_remainder = sorted(range(len(weights)), key=lambda index: -shares[index][1])
    for index in by_remainder[: cents - sum(parts)]:
        parts[index] += 1
    return parts


def display(money: Money) -> str:
    """The amount as people read it: `$14.99`, `18.00 CHF`."""
    amount = f"{to_decimal(abs(money.cents), money.currency):,.{exponent(money.currency)}f}"
    sign = "-" if money.cents < 0 else ""
    symbol = _SYMBOLS.get(money.currency)
    return f"{sign}{symbol}{amount}" if symbol else f"{sign}{amount} {money.currency}"

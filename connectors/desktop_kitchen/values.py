"""Reads single values of Desktop Kitchen's JSON, where the same thing is a number here and a text there."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hub.contract.amounts import read_decimal
from hub.model.money import exponent


def read_id(value: Any) -> str | None:
    """An id, `1` or `"1"`, as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value).strip()
    return text if text.isascii() and text.isdecimal() else None


def read_count(value: Any) -> int | None:
    """A whole number, bare or as a text; None for anything else."""
    number = read_decimal(value)
    return int(number) if number is not None and number == number.to_integral_value() else None


def read_time_ms(value: Any) -> int | None:
    """A time like `2026-11-21T02:38:09.835Z` as milliseconds since 1970; one without a zone is taken as UTC."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)


def to_amount(cents: int, currency: str) -> int | Decimal:
    """Minor units as the bare number that is sent: whole where it is whole, else an exact decimal."""
    scale = exponent(currency)
    whole, rest = divmod(cents, 10**scale)
    return whole if rest == 0 else Decimal(cents).scaleb(-scale)

"""Reads single values of a Desibits row, under any of the names they may have: most answers are undocumented."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.desibits.wire import Row
from hub.contract.amounts import read_cents, read_decimal


def mapping(value: Any) -> Mapping[str, Any]:
    """The object, or an empty one: some servers write an empty object as an empty list."""
    return value if isinstance(value, Mapping) else {}


def text(row: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that is a word or a whole number, as text; else empty."""
    for name in names:
        value = row.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return ""


def decimal(row: Mapping[str, Any], *names: str) -> Decimal | None:
    """The first of these fields that is a number, bare or as text."""
    for name in names:
        number = read_decimal(row.get(name))
        if number is not None:
            return number
    return None


def cents(row: Mapping[str, Any], currency: str, *names: str) -> int | None:
    """The first of these fields that is an amount in major units, in minor units.

    Raises `VendorMalformed` for a number that is no amount.
    """
    for name in names:
        amount = read_cents(row.get(name), currency)
        if amount is not None:
            return amount
    return None


def rows(row: Mapping[str, Any], *names: str) -> list[Row] | None:
    """The first of these fields that is a list, its objects; None when none is one."""
    for name in names:
        value = row.get(name)
        if isinstance(value, list):
            return [dict(entry) for entry in value if isinstance(entry, Mapping)]
    return None


def moment_ms(row: Mapping[str, Any], name: str) -> int | None:
    """A time with its zone, in milliseconds since 1970; without a zone nobody knows which one is meant."""
    try:
        moment = datetime.fromisoformat(str(row.get(name)))
    except ValueError:
        return None
    return None if moment.tzinfo is None else int(moment.timestamp() * 1000)


def as_id(vendor_id: str) -> int | str:
    """An id as Desibits writes it: a number where it is one."""
    return int(vendor_id) if vendor_id.isdecimal() else vendor_id


def word_key(word: str) -> str:
    """A word as it is compared: `Dine In`, `dine-in` and `dine_in` are one."""
    return "".join(character for character in word.lower() if character not in " -_")

"""Reads a vendor's numbers and amounts: bare or as text, exact, and never more than the hub can keep."""

import logging
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from hub.errors import VendorMalformed
from hub.model.money import bounded, from_decimal, percent_of, round_half_up
from hub.model.order import PosOrder

_MOST_DIGITS: Final = 15  # before the point: what has more is no count, percentage or amount of a restaurant
_log = logging.getLogger(__name__)


def read_decimal(value: Any) -> Decimal | None:
    """A number, bare or as a text; None for anything else, and for what is infinite or absurdly large."""
    number = _number(value)
    if number is None or not number.is_finite() or number.adjusted() >= _MOST_DIGITS:
        return None
    return number


def read_cents(value: Any, currency: str) -> int | None:
    """An amount in major units as minor units, half up; None when there is no number.

    Raises `VendorMalformed` for a number that is no amount: not finite, or more than the hub can keep.
    """
    number = _number(value)
    return None if number is None else _amount(lambda: from_decimal(number, currency), number)


def find_cents(value: Any, currency: str) -> int | None:
    """`read_cents` where one unreadable amount of many is left out: then None as well."""
    try:
        return read_cents(value, currency)
    except VendorMalformed:
        return None


def share_cents(cents: int, percent: Decimal) -> int:
    """A vendor's percentage of an amount. Raises `VendorMalformed` when that is more than the hub can keep."""
    return _amount(lambda: percent_of(cents, percent), percent)


def times(cents: int, quantity: int | Decimal) -> int:
    """A vendor's quantity of something, half up. Raises `VendorMalformed` when that is more than the hub can keep."""
    if isinstance(quantity, int):
        return _amount(lambda: bounded(cents * quantity), quantity)
    return _amount(lambda: round_half_up(cents * quantity), quantity)


def find_readable(read: Callable[[], PosOrder], order_id: str) -> PosOrder | None:
    """The order that `read` makes of a vendor's answer, or None when the answer is malformed: it is there all the
    same, and must not keep others waiting."""
    try:
        return read()
    except VendorMalformed as problem:
        _log.info("order %s at the POS cannot be read: %s", order_id, problem.message)
        return None


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        return Decimal(value)
    except InvalidOperation:
        return None


def _amount(work: Callable[[], int], told: object) -> int:
    try:
        return work()
    except ArithmeticError as problem:
        raise VendorMalformed(f"{str(told)[:40]} makes no amount of money") from problem

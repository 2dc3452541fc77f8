"""A vendor's numbers: what is one, what is none, and what cannot be an amount of money."""

from decimal import Decimal
from typing import Any

import pytest

from hub.contract.amounts import find_cents, find_readable, read_cents, read_decimal, share_cents, times
from hub.errors import VendorMalformed
from hub.model.order import PosOrder

NO_AMOUNTS = ["99999999999999999999", Decimal("1e30"), "-1e300", "1e999999999", "NaN", Decimal("Infinity"), 10**20]


@pytest.mark.parametrize(
    ("told", "cents"),
    [(16, 1600), ("16.205", 1621), (Decimal("-0.5"), -50), ("9000000000000", 9_000_000_000_000_00), ("0", 0)],
)
def test_an_amount_is_read_bare_or_as_text(told: Any, cents: int) -> None:
    assert (read_cents(told, "AZN"), find_cents(told, "AZN")) == (cents, cents)


@pytest.mark.parametrize("told", [None, True, "soon", "", [], {}, 1.5])
def test_what_is_no_number_is_no_amount(told: Any) -> None:
    assert (read_cents(told, "AZN"), read_decimal(told)) == (None, None)


@pytest.mark.parametrize("told", [*NO_AMOUNTS, "9000000000000.01"])
def test_a_number_that_is_not_finite_or_too_large_is_malformed_as_an_amount(told: Any) -> None:
    with pytest.raises(VendorMalformed, match="makes no amount of money"):
        read_cents(told, "AZN")
    assert find_cents(told, "AZN") is None


@pytest.mark.parametrize("told", NO_AMOUNTS)
def test_a_number_that_is_not_finite_or_too_large_is_none_at_all(told: Any) -> None:
    assert read_decimal(told) is None


def test_percentages_and_quantities_of_an_amount_are_bounded_too() -> None:
    assert (share_cents(1800, Decimal("12.5")), times(1250, 3), times(333, Decimal("1.5"))) == (225, 3750, 500)
    for work in (
        lambda: share_cents(1800, Decimal("1e14")),
        lambda: times(9_000_000_000_000_00, 2),
        lambda: times(1800, Decimal("1e14")),
    ):
        with pytest.raises(VendorMalformed):
            work()


def test_an_order_that_is_malformed_is_left_out_with_one_line(caplog: pytest.LogCaptureFixture) -> None:
    def read() -> PosOrder:
        raise VendorMalformed("1E+30 makes no amount of money")

    caplog.set_level("INFO")
    assert find_readable(read, "108") is None
    assert caplog.messages == ["order 108 at the POS cannot be read: 1E+30 makes no amount of money"]

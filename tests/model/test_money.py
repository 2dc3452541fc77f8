"""Money is exact: rounding is half up, shares add up, and nothing is ever a float."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.model.money import (
    Money,
    allocate,
    bounded,
    display,
    exponent,
    from_decimal,
    percent_of,
    round_half_up,
    to_decimal,
)

cents = st.integers(-(10**12), 10**12)
weights = st.lists(st.integers(0, 10**9), max_size=12)


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [("0.5", 1), ("0.49", 0), ("1.5", 2), ("2.5", 3), ("-0.5", -1), ("-2.5", -3), ("-2.4", -2), ("0", 0)],
)
def test_rounding_is_half_up_away_from_zero(amount: str, rounded: int) -> None:
    assert round_half_up(Decimal(amount)) == rounded


@pytest.mark.parametrize(
    ("base", "percent", "part"), [(1800, "10", 180), (1499, "10", 150), (1, "50", 1), (333, "33.33", 111), (0, "99", 0)]
)
def test_a_percentage_is_rounded_half_up(base: int, percent: str, part: int) -> None:
    assert percent_of(base, Decimal(percent)) == part


@pytest.mark.parametrize(
    ("amount", "shares", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (180, [1000, 800], [100, 80]),
        (1, [1, 2], [0, 1]),
        (10, [0, 5, 0], [0, 10, 0]),
        (100, [0, 0], [0, 0]),
        (100, [], []),
        (0, [3, 4], [0, 0]),
    ],
)
def test_an_amount_is_shared_out_by_the_largest_remainder(amount: int, shares: list[int], parts: list[int]) -> None:
    assert allocate(amount, shares) == parts


@given(amount=cents, shares=weights)
def test_the_parts_add_up_to_the_amount(amount: int, shares: list[int]) -> None:
    parts = allocate(amount, shares)
    assert sum(parts) == (amount if any(shares) else 0)
    assert len(parts) == len(shares)


@given(amount=st.integers(0, 10**12), shares=weights)
def test_no_part_is_more_than_a_unit_off_its_fair_share(amount: int, shares: list[int]) -> None:
    for part, share in zip(allocate(amount, shares), shares, strict=True):
        assert abs(part - Decimal(amount) * share / (sum(shares) or 1)) < 1
        assert share or not part


@given(amount=st.integers(0, 10**9), lines=st.lists(st.integers(0, 10**9), min_size=1, max_size=12))
def test_a_share_of_a_discount_never_exceeds_the_line_it_is_taken_from(amount: int, lines: list[int]) -> None:
    taken = min(amount, sum(lines))
    assert all(part <= line for part, line in zip(allocate(taken, lines), lines, strict=True))


@pytest.mark.parametrize(("currency", "decimals"), [("AZN", 2), ("USD", 2), ("JPY", 0), ("KWD", 3), ("XXX", 2)])
def test_a_currency_has_its_number_of_decimals(currency: str, decimals: int) -> None:
    assert exponent(currency) == decimals


@pytest.mark.parametrize(
    ("minor", "currency", "major"),
    [(1499, "USD", "14.99"), (1499, "JPY", "1499"), (1499, "KWD", "1.499"), (-5, "EUR", "-0.05")],
)
def test_minor_units_and_decimals_are_turned_into_each_other(minor: int, currency: str, major: str) -> None:
    assert to_decimal(minor, currency) == Decimal(major)
    assert str(to_decimal(minor, currency)) == major
    assert from_decimal(Decimal(major), currency) == minor


@given(minor=cents, currency=st.sampled_from(["AZN", "JPY", "KWD"]))
def test_there_and_back_is_the_same_amount(minor: int, currency: str) -> None:
    assert from_decimal(to_decimal(minor, currency), currency) == minor


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (1499, "USD", "$14.99"),
        (1499, "AZN", "₼14.99"),
        (-250, "EUR", "-€2.50"),
        (1800, "CHF", "18.00 CHF"),
        (-1800, "CHF", "-18.00 CHF"),
        (123456789, "USD", "$1,234,567.89"),
        (500, "JPY", "500 JPY"),
        (1, "KWD", "0.001 KWD"),
    ],
)
def test_an_amount_is_shown_as_people_read_it(minor: int, currency: str, shown: str) -> None:
    assert display(Money(minor, currency)) == shown


@pytest.mark.parametrize("amount", ["9e14", "-9e14"])
def test_the_largest_amounts_are_kept(amount: str) -> None:
    assert abs(round_half_up(Decimal(amount))) == abs(bounded(int(Decimal(amount)))) == 9_000_000_000_000_00


@pytest.mark.parametrize("amount", ["900000000000001", "-1e30", "1e999", "NaN", "-Infinity"])
def test_what_is_larger_or_not_finite_is_no_amount(amount: str) -> None:
    with pytest.raises(ArithmeticError):
        round_half_up(Decimal(amount))


def test_a_sum_of_whole_numbers_is_bounded_too() -> None:
    with pytest.raises(OverflowError):
        bounded(9_000_000_000_000_01)

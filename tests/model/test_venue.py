"""A venue's opening hours, also past midnight."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hub.model.venue import WEEKDAYS, OpeningHours, Venue, is_open

VENUE = Venue(id="loc_1", slug="demo", name="Demo", currency="AZN", timezone="Asia/Baku", order_prefix="DT")
MON, FRI, SAT, SUN = 16, 20, 21, 22  # days of November 2026


def open_at(day: int, time: str, *periods: tuple[str, str, str]) -> bool:
    hours = tuple(OpeningHours(day=name, opens=opens, closes=closes) for name, opens, closes in periods)
    hour, minute = map(int, time.split(":"))
    return is_open(structs.replace(VENUE, hours=hours), datetime(2026, 11, day, hour, minute))  # noqa: DTZ001 - local


@given(st.datetimes())
def test_a_venue_without_hours_is_always_open(moment: datetime) -> None:
    assert is_open(VENUE, moment)


@pytest.mark.parametrize(("time", "expected"), [("08:59", False), ("09:00", True), ("21:59", True), ("22:00", False)])
def test_a_venue_opens_at_the_minute_and_closes_at_the_minute(time: str, expected: bool) -> None:
    assert open_at(MON, time, ("mon", "09:00", "22:00")) is expected
    assert open_at(FRI, time, ("mon", "09:00", "22:00")) is False


@pytest.mark.parametrize(
    ("day", "time", "expected"),
    [
        (FRI, "17:59", False),
        (FRI, "18:00", True),
        (FRI, "23:59", True),
        (SAT, "00:00", True),
        (SAT, "01:59", True),
        (SAT, "02:00", False),
        (SAT, "18:00", False),
        (FRI, "01:00", False),  # Thursday had no evening
    ],
)
def test_a_period_that_closes_before_it_opens_runs_past_midnight(day: int, time: str, expected: bool) -> None:
    assert open_at(day, time, ("fri", "18:00", "02:00")) is expected


def test_sunday_night_runs_into_monday() -> None:
    assert open_at(MON, "00:30", ("sun", "20:00", "01:00"))
    assert open_at(SUN, "20:00", ("sun", "20:00", "01:00"))
    assert not open_at(SUN, "00:30", ("sun", "20:00", "01:00"))


def test_opening_and_closing_at_the_same_minute_is_a_whole_day() -> None:
    assert open_at(MON, "10:00", ("mon", "10:00", "10:00"))
    assert open_at(17, "09:59", ("mon", "10:00", "10:00"))
    assert not open_at(17, "10:00", ("mon", "10:00", "10:00"))


def test_closing_at_midnight_ends_with_the_day() -> None:
    assert open_at(MON, "23:59", ("mon", "10:00", "00:00"))
    assert not open_at(17, "00:00", ("mon", "10:00", "00:00"))


def test_a_day_may_have_two_periods() -> None:
    periods = (("mon", "11:00", "14:00"), ("mon", "18:00", "23:00"))
    assert [open_at(MON, time, *periods) for time in ("12:00", "15:00", "19:00")] == [True, False, True]


@given(
    opens=st.integers(0, 1439), length=st.integers(1, 1440), day=st.integers(0, 6), minute=st.integers(0, 7 * 1440 - 1)
)
def test_one_period_is_open_for_exactly_its_length(opens: int, length: int, day: int, minute: int) -> None:
    closes = (opens + length) % 1440
    period = (WEEKDAYS[day], f"{opens // 60:02d}:{opens % 60:02d}", f"{closes // 60:02d}:{closes % 60:02d}")
    day_of_week, time = divmod(minute, 1440)
    expected = (minute - day * 1440 - opens) % (7 * 1440) < length
    assert open_at(MON + day_of_week, f"{time // 60}:{time % 60}", period) is expected

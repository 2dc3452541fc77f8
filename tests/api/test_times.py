"""Times at the edge have an offset, or are refused."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.api.times import parse_moment, parse_timestamp
from hub.api.views import timestamp
from hub.errors import InvalidRequest

offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("2026-02-09T12:30:00Z", 1_770_640_200_000),
        ("2026-02-09T16:30:00+04:00", 1_770_640_200_000),
        ("2026-02-09T12:30:00.250Z", 1_770_640_200_250),
        ("1970-01-01T00:00:00+00:00", 0),
    ],
)
def test_a_time_with_offset_is_understood(text: str, at_ms: int) -> None:
    assert parse_timestamp(text, "scheduledFor") == at_ms


def test_no_time_stays_no_time() -> None:
    assert parse_timestamp(None, "scheduledFor") is None
    assert timestamp(None) is None


@pytest.mark.parametrize(
    "text",
    ["", "2026-02-09", "2026-02-09T12:30:00", "tomorrow", "12:30", "2026-13-09T12:30:00Z", "١٢", "Z", "x" * 5000],
)
def test_anything_else_is_refused_with_the_field(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^scheduledFor: ") as raised:
        parse_timestamp(text, "scheduledFor")
    assert raised.value.field == "scheduledFor"
    assert raised.value.status == 400
    assert len(raised.value.message) < 200


@given(st.text(max_size=40))
def test_no_text_is_answered_with_anything_but_a_time_or_a_refusal(text: str) -> None:
    try:
        assert isinstance(parse_timestamp(text, "scheduledFor"), int)
    except InvalidRequest as refused:
        assert refused.field == "scheduledFor"


@given(st.datetimes(timezones=offsets, min_value=datetime(1970, 1, 2), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001
def test_a_time_is_exact_to_the_millisecond(moment: datetime) -> None:
    exact = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert parse_timestamp(moment.isoformat(), "scheduledFor") == exact


def test_a_time_is_shown_in_utc_to_the_second() -> None:
    assert timestamp(1_770_640_200_999) == "2026-02-09T12:30:00Z"
    assert timestamp(0) == "1970-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2026-02-09", "Asia/Baku", "2026-02-08T20:00:00Z"),
        ("2026-02-09", "UTC", "2026-02-09T00:00:00Z"),
        ("2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00Z"),  # the day the clocks go forward has 23 hours
        ("2026-03-30", "Europe/Berlin", "2026-03-29T22:00:00Z"),
        ("2026-02-09T12:30:00+04:00", "Europe/Berlin", "2026-02-09T08:30:00Z"),
    ],
)
def test_a_bare_date_is_the_beginning_of_the_stores_day(text: str, zone: str, utc: str) -> None:
    assert timestamp(parse_moment(text, "from", zone)) == utc


@pytest.mark.parametrize("text", ["", "2026-02-30", "0000-01-01", "2026-2-9", "2026-02-09T12:30:00"])
def test_a_moment_that_is_none_is_refused_with_the_field(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^from: "):
        parse_moment(text, "from", "Asia/Baku")

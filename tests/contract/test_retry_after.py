"""`Retry-After` in all the forms vendors send it."""

import email.utils
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.contract.waiting import rate_limit_reset_seconds, retry_after_seconds

NOW_MS = 1_795_000_000_000  # Wed, 18 Nov 2026 11:06:40 GMT


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("1.5", 1.5),
        (" 30 ", 30.0),
        ("900", 900.0),
        ("901", 900.0),
        ("1000000000", 900.0),
        ("Wed, 18 Nov 2026 11:07:40 GMT", 60.0),
        ("Wed, 18 Nov 2026 15:07:40 +0400", 60.0),
        ("Wednesday, 18-Nov-26 11:07:40 GMT", 60.0),
        ("Thu, 19 Nov 2026 11:06:40 GMT", 900.0),
        ("Wed, 18 Nov 2026 11:05:40 GMT", None),
        ("-5", None),
        ("inf", None),
        ("nan", None),
        ("soon", None),
        ("Wed, 99 Nov 2026 11:07:40 GMT", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_capped_at_a_quarter_of_an_hour(
    text: str | None, seconds: float | None
) -> None:
    headers = {} if text is None else {"retry-after": text}
    assert retry_after_seconds(headers, now_ms=NOW_MS) == seconds


@given(st.text(max_size=60) | st.from_regex(r"\A[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{2,6} \d\d:\d\d:\d\d .{0,6}\Z"))
def test_no_text_makes_a_wait_that_is_not_sane(text: str) -> None:
    for asked in (
        retry_after_seconds({"retry-after": text}, now_ms=NOW_MS),
        rate_limit_reset_seconds({"x-ratelimit-reset": text}, now_ms=NOW_MS),
    ):
        assert asked is None or 0 <= asked <= 900


@given(st.integers(0, 900))
def test_a_date_means_the_same_as_the_seconds_until_then(seconds: int) -> None:
    date = email.utils.format_datetime(datetime.fromtimestamp(NOW_MS // 1000 + seconds, UTC), usegmt=True)
    assert retry_after_seconds({"retry-after": date}, now_ms=NOW_MS) == seconds


@pytest.mark.parametrize(
    ("name", "text", "seconds"),
    [
        ("x-ratelimit-reset", "12", 12.0),
        ("ratelimit-reset", "12", 12.0),
        ("x-ratelimit-reset", "1795000060", 60.0),
        ("x-ratelimit-reset", "1794999999", None),
        ("x-ratelimit-reset", "later", None),
        ("x-ratelimit", "12", None),
    ],
)
def test_a_rate_limit_s_reset_is_seconds_or_a_point_in_time(name: str, text: str, seconds: float | None) -> None:
    assert rate_limit_reset_seconds({name: text}, now_ms=NOW_MS) == seconds

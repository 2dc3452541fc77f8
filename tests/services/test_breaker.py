"""When a vendor is left alone, for how long, and how its return is found out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.database.link_state import Breaker
from hub.services.breaker import after_failure, is_open, is_trying, pause_seconds

NOW = 1_795_000_000_000
REST = Breaker("link_1", "submit_order")


def failed(breaker: Breaker, *, reached: bool, now_ms: int = NOW, remaining: float = 600.0) -> Breaker:
    return after_failure(breaker, reached=reached, now_ms=now_ms, remaining_seconds=remaining, jitter=1.0)


def test_at_rest_it_is_neither_open_nor_trying() -> None:
    assert not is_open(REST, NOW)
    assert not is_trying(REST, NOW)


def test_it_opens_at_once_when_no_connection_stands() -> None:
    after = failed(REST, reached=False)
    assert after == Breaker("link_1", "submit_order", failures=1, trips=1, open_until_ms=NOW + 1000)
    assert is_open(after, NOW)


def test_it_opens_after_five_unclear_answers_in_a_row() -> None:
    breaker = REST
    for count in range(1, 5):
        breaker = failed(breaker, reached=True)
        assert breaker == Breaker("link_1", "submit_order", failures=count)
    assert failed(breaker, reached=True) == Breaker(
        "link_1", "submit_order", failures=5, trips=1, open_until_ms=NOW + 1000
    )


def test_when_the_pause_is_over_it_tries() -> None:
    breaker = failed(REST, reached=False)
    assert (is_open(breaker, NOW + 999), is_trying(breaker, NOW + 999)) == (True, False)
    assert (is_open(breaker, NOW + 1000), is_trying(breaker, NOW + 1000)) == (False, True)


@pytest.mark.parametrize("reached", [True, False])
def test_a_failed_try_opens_it_again_at_once_and_for_longer(reached: bool) -> None:
    breaker, pauses = failed(REST, reached=False), []
    for _ in range(8):
        now_ms = breaker.open_until_ms
        breaker = failed(breaker, reached=reached, now_ms=now_ms, remaining=7200)
        pauses.append((breaker.open_until_ms - now_ms) / 1000)
    assert pauses == [2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 60.0, 60.0]
    assert (breaker.trips, breaker.failures) == (9, 9)


@pytest.mark.parametrize(
    ("repetition", "remaining", "jitter", "seconds"),
    [
        (0, 600, 1.0, 1.0),
        (0, 600, 0.0, 0.5),
        (3, 600, 1.0, 8.0),
        (6, 600, 1.0, 30.0),
        (6, 7200, 1.0, 60.0),
        (100, 7200, 1.0, 60.0),
        (6, 100, 1.0, 5.0),
        (6, 5, 1.0, 1.0),
        (6, 0, 1.0, 1.0),
        (6, -50, 0.5, 0.75),
    ],
)
def test_a_pause_grows_but_is_never_more_than_a_twentieth_of_the_time_left(
    repetition: int, remaining: float, jitter: float, seconds: float
) -> None:
    assert pause_seconds(repetition, remaining, jitter) == seconds


@given(deadline=st.floats(20, 86_400), jitter=st.floats(0, 1))
def test_at_least_twenty_tries_fit_into_the_time_an_order_has(deadline: float, jitter: float) -> None:
    waited, tries = 0.0, 0
    while waited < deadline and tries < 20:
        waited += pause_seconds(tries, deadline - waited, jitter)
        tries += 1
    assert tries == 20


@given(repetition=st.integers(0, 50), remaining=st.floats(-1000, 1e6), jitter=st.floats(0, 1))
def test_a_pause_is_between_half_a_second_and_a_minute(repetition: int, remaining: float, jitter: float) -> None:
    assert 0.5 <= pause_seconds(repetition, remaining, jitter) <= 60

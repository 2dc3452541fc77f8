"""When a vendor cannot be reached: how long to leave it alone, and how to find out that it is back. Pure.

One breaker per (link, operation), so that a failing menu sync never stops orders. It opens at once when no
connection stands, and after five calls in a row without a clear answer. While it is open every waiting order of the
link is held back to one time; then one order is tried. When that succeeds the backlog goes out one by one, by age.
"""

from msgspec import structs

from hub.database.link_state import Breaker

UNCLEAR_ANSWERS_UNTIL_OPEN = 5
LONGEST_PAUSE_SECONDS = 60.0
_PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, LONGEST_PAUSE_SECONDS)
_TRIES_BEFORE_DEADLINE = 20


def is_open(breaker: Breaker, now_ms: int) -> bool:
    """Whether nothing may be sent now."""
    return breaker.open_until_ms > now_ms


def is_trying(breaker: Breaker, now_ms: int) -> bool:
    """Whether the pause is over and a single order shall find out if the vendor is back."""
    return breaker.trips > 0 and breaker.open_until_ms <= now_ms


def pause_seconds(repetition: int, remaining_seconds: float, jitter: float) -> float:
    """How long to wait before trial number `repetition` (from 0): growing, but always so that at least twenty
    tries fit into the time an order has left. `jitter` is between 0 and 1."""
    ladder = _PAUSES_SECONDS[min(repetition, len(_PAUSES_SECONDS) - 1)]
    longest = max(remaining_seconds / _TRIES_BEFORE_DEADLINE, 1.0)
    return min(ladder, longest) * (0.5 + jitter / 2)


def after_failure(breaker: Breaker, *, reached: bool, now_ms: int, remaining_seconds: float, jitter: float) -> Breaker:
    """The breaker after a call that failed for the vendor's sake; `reached` says that a connection stood."""
    failures = breaker.failures + 1
    if reached and failures < UNCLEAR_ANSWERS_UNTIL_OPEN and not breaker.trips:
        return structs.replace(breaker, failures=failures)
    pause_ms = int(pause_seconds(breaker.trips, remaining_seconds, jitter) * 1000)
    return structs.replace(breaker, failures=failures, trips=breaker.trips + 1, open_until_ms=now_ms + pause_ms)

"""However calls fall, no window of a vendor's limit holds more of them than it allows."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

from hub.database.engine import Database
from hub.database.tables import metadata, rate_use
from hub.model.venue import RateLimit
from hub.services.pacing import Pacing
from tests.contract.ports import StandingClock
from tests.database.stored import NOW


class Memory:
    """A database of one table, without threads."""

    def __init__(self) -> None:
        self._engine = create_engine("sqlite://")
        metadata.create_all(self._engine, tables=[rate_use])
        self.asked = 0

    async def write(self, unit: object) -> object:
        self.asked += 1
        with self._engine.begin() as connection:
            return unit(connection)  # type: ignore[operator]

    def close(self) -> None:
        self._engine.dispose()


class Clock(StandingClock):
    def advance_ms(self, milliseconds: int) -> None:
        self._now_ms += milliseconds


def calls_made(limits: Sequence[RateLimit], pauses_ms: Sequence[int], processes: int = 1) -> tuple[list[int], int]:
    """When calls went that were asked for after these pauses, and how often the database was asked."""

    async def run() -> tuple[list[int], int]:
        memory, clock, made = Memory(), Clock(NOW), []
        pacings = [Pacing(memory, clock) for _ in range(processes)]  # type: ignore[arg-type]
        for index, pause_ms in enumerate(pauses_ms):
            clock.advance_ms(pause_ms)
            if await pacings[index % processes].acquire("till", "link_1", limits) == 0:
                made.append(clock.now_ms())
        memory.close()
        return made, memory.asked

    return asyncio.run(run())


def test_without_limits_the_database_is_never_asked() -> None:
    made, asked = calls_made((), [0] * 100)
    assert (len(made), asked) == (100, 0)


def test_a_limit_is_kept_to_the_call() -> None:
    made, _ = calls_made((RateLimit(5, 60),), [1000] * 20)
    assert made == [NOW + n * 1000 for n in range(1, 6)]


def test_a_busy_link_asks_the_database_about_once_a_second() -> None:
    made, asked = calls_made((RateLimit(6000, 60),), [5] * 400)  # two seconds of calls
    assert len(made) >= 195
    assert asked <= 5


@pytest.mark.parametrize("seconds", [1, 2, 5])
def test_an_allowance_that_is_used_late_does_not_crowd_a_short_window(seconds: int) -> None:
    limit = RateLimit(5 * seconds, seconds)
    made, _ = calls_made((limit,), [950, *[1] * 10, *[20] * 300])
    assert busiest(made, seconds) <= limit.requests


@settings(max_examples=40, deadline=None)
@given(
    requests=st.integers(1, 30),
    seconds=st.sampled_from([1, 3, 10, 60]),
    pauses_ms=st.lists(st.integers(0, 1500), min_size=1, max_size=60),
    processes=st.integers(1, 3),
)
def test_no_window_holds_more_calls_than_allowed(
    requests: int, seconds: int, pauses_ms: list[int], processes: int
) -> None:
    made, _ = calls_made((RateLimit(requests, seconds),), pauses_ms, processes)
    assert busiest(made, seconds) <= requests


def busiest(made: Sequence[int], seconds: int) -> int:
    return max((len([at for at in made if start <= at < start + seconds * 1000]) for start in made), default=0)


@pytest.mark.anyio
async def test_links_of_a_vendor_share_a_limit_that_counts_per_vendor(database: Database) -> None:
    pacing = Pacing(database, StandingClock(NOW))
    shared, own = (RateLimit(3, 60, "vendor"),), (RateLimit(3, 60),)
    waits = [await pacing.acquire("till", f"link_{n}", shared) for n in range(5)]
    assert [wait == 0 for wait in waits] == [True, True, True, False, False]
    assert [await pacing.acquire("other", f"own_{n}", own) for n in range(5)] == [0.0] * 5


@pytest.mark.anyio
async def test_an_operation_with_a_limit_of_its_own_waits_alone_and_counts_towards_the_general_one(
    database: Database,
) -> None:
    create, general = RateLimit(2, 900, "vendor", "create_order"), RateLimit(4, 60, "vendor")
    processes = [Pacing(database, StandingClock(NOW)) for _ in range(2)]
    waits = [await processes[n % 2].acquire("till", f"link_{n % 3}", (general, create)) for n in range(4)]
    assert [wait == 0 for wait in waits] == [True, True, False, False]
    assert waits[2] > 60, "it waits for its own window, not for the general one"
    others = [await processes[0].acquire("till", "link_0", (general,)) for _ in range(3)]
    assert [wait == 0 for wait in others] == [True, True, False]

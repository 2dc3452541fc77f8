"""Requests are counted in windows: never more than the limit, in one process or in several."""

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from hub.database.engine import Database
from hub.database.migrate import migrate
from hub.database.tables import request_use
from hub.model.venue import RateLimit
from hub.services.limits import Allowance, RequestLimits, RequestRules
from hub.services.requests import Caller
from tests.contract.ports import StandingClock
from tests.postgres import Server, postgres_server

pytestmark = pytest.mark.anyio

MINUTE_START = 1_795_000_020_000  # 2026-11-18 11:07:00 UTC
DAY_ENDS = 1_795_046_400  # 2026-11-19 00:00:00 UTC
FIVE = (RateLimit(5, 60),)
DAY = request_use.c.window_seconds == 86_400
SEVEN_A_DAY = (RateLimit(5, 60), RateLimit(7, 86_400))


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    with postgres_server(fsync=False) as server:
        yield server


@pytest.fixture
def url(postgres: Server) -> str:
    return postgres.create_database()


@pytest.fixture
def shared(url: str) -> Iterator[list[Database]]:
    """Two processes' connections to one PostgreSQL database."""
    databases = [Database(url, durable=False) for _ in range(2)]
    databases[0].run_now(migrate)
    yield databases
    for database in databases:
        database.close_now()


def alone(database: Database, clock: StandingClock) -> RequestLimits:
    return RequestLimits(database=database, clock=clock, shared=False)


async def test_a_window_holds_its_limit_and_says_where_the_caller_stands(database: Database) -> None:
    clock = StandingClock(MINUTE_START + 48_500)
    limits = alone(database, clock)
    seen = [await limits.take("key_1", FIVE) for _ in range(7)]
    ends = MINUTE_START // 1000 + 60
    assert seen[0] == Allowance(5, 4, ends)
    assert [allowance.remaining for allowance in seen] == [4, 3, 2, 1, 0, 0, 0]
    assert [allowance.retry_after_seconds for allowance in seen] == [0, 0, 0, 0, 0, 12, 12]
    clock.advance(11)
    assert (await limits.take("key_1", FIVE)).retry_after_seconds == 1
    clock.advance(1)
    assert await limits.take("key_1", FIVE) == Allowance(5, 4, ends + 60)


async def test_callers_have_windows_of_their_own(database: Database) -> None:
    limits = alone(database, StandingClock(MINUTE_START))
    for _ in range(6):
        await limits.take("key_1", FIVE)
    assert (await limits.take("key_2", FIVE)).remaining == 4


async def test_the_tightest_window_is_the_one_shown(database: Database) -> None:
    clock = StandingClock(MINUTE_START)
    limits = alone(database, clock)
    assert [(await limits.take("k", SEVEN_A_DAY)).limit for _ in range(5)] == [5] * 5
    clock.advance(60)
    assert await limits.take("k", SEVEN_A_DAY) == Allowance(7, 1, DAY_ENDS)
    await limits.take("k", SEVEN_A_DAY)
    refused = await limits.take("k", SEVEN_A_DAY)
    assert refused == Allowance(7, 0, DAY_ENDS, DAY_ENDS - (MINUTE_START // 1000 + 60))


async def test_a_refused_request_and_one_taken_back_are_not_counted(database: Database) -> None:
    clock = StandingClock(MINUTE_START)
    limits = alone(database, clock)
    for _ in range(9):
        await limits.take("k", SEVEN_A_DAY)
    clock.advance(60)
    counted = await limits.take("k", SEVEN_A_DAY)
    assert counted.remaining == 1
    limits.give_back("k", counted)
    assert limits.look("k", SEVEN_A_DAY).remaining == 2


async def test_what_was_refused_or_belongs_to_another_window_is_not_given_back(database: Database) -> None:
    clock = StandingClock(MINUTE_START)
    limits = alone(database, clock)
    first = await limits.take("k", FIVE)
    for _ in range(4):
        await limits.take("k", FIVE)
    limits.give_back("k", await limits.take("k", FIVE))
    assert (await limits.take("k", FIVE)).retry_after_seconds > 0
    clock.advance(60)
    await limits.take("k", FIVE)
    limits.give_back("k", first)
    assert limits.look("k", FIVE).remaining == 4


async def test_changed_limits_count_what_was_spent_before(database: Database) -> None:
    limits = alone(database, StandingClock(MINUTE_START))
    for _ in range(4):
        await limits.take("k", FIVE)
    assert (await limits.take("k", (RateLimit(10, 60),))).remaining == 5
    assert (await limits.take("k", (RateLimit(3, 60),))).retry_after_seconds == 60


async def test_the_day_s_count_outlives_a_restart_and_the_day_does_not(database: Database) -> None:
    clock = StandingClock(MINUTE_START)
    first = alone(database, clock)
    for _ in range(4):
        await first.take("k", SEVEN_A_DAY)
    await first.close()
    second = alone(database, clock)
    await second.load()
    for left in (2, 1, 0):
        assert (await second.take("k", SEVEN_A_DAY)).remaining == left
    assert (await second.take("k", SEVEN_A_DAY)).retry_after_seconds > 0
    await second.close()
    clock.advance(86_400)
    third = alone(database, clock)
    await third.load()
    assert (await third.take("k", SEVEN_A_DAY)).remaining == 4
    await third.forget_windows()
    clock.advance(86_400)
    await third.forget_windows()
    assert database.read_now(lambda connection: connection.execute(select(request_use)).all()) == []


async def test_small_counts_are_not_written(database: Database) -> None:
    limits = alone(database, StandingClock(MINUTE_START))
    rules = RequestRules().of(Caller(id="k", name="k"))
    for _ in range(99):
        await limits.take("k", (RateLimit(1000, 60), rules[1]))
    await limits.save()
    assert database.read_now(lambda connection: connection.execute(select(request_use)).all()) == []
    await limits.take("k", (RateLimit(1000, 60), rules[1]))
    await limits.save()
    [row] = database.read_now(lambda connection: connection.execute(select(request_use)).all())
    assert (row.subject, row.window_seconds, row.used) == ("k", 86_400, 100)


async def test_callers_of_earlier_days_are_forgotten(database: Database) -> None:
    clock = StandingClock(MINUTE_START)
    limits = alone(database, clock)
    await limits.take("k", SEVEN_A_DAY)
    clock.advance(120)
    await limits.tidy()
    assert limits.look("k", SEVEN_A_DAY).remaining == 5
    assert len(limits._subjects) == 1
    clock.advance(86_400)
    await limits.tidy()
    assert limits._subjects == {}


async def test_two_processes_together_let_through_exactly_the_limit(shared: list[Database]) -> None:
    clock = StandingClock(MINUTE_START)
    both = [RequestLimits(database=database, clock=clock, shared=True) for database in shared]
    wanted = (RateLimit(60, 60), RateLimit(100, 86_400))

    async def admitted(count: int) -> int:
        calls = [both[index % 2].take("k", wanted) for index in range(count)]
        return sum(not allowance.retry_after_seconds for allowance in await asyncio.gather(*calls))

    assert await admitted(200) == 60
    assert await admitted(50) == 0
    clock.advance(60)
    assert await admitted(200) == 40  # the day's limit
    refused = await both[0].take("k", wanted)
    assert (refused.limit, refused.resets_at) == (100, DAY_ENDS)


async def test_what_a_process_took_and_did_not_spend_goes_back_when_it_stops(shared: list[Database]) -> None:
    clock = StandingClock(MINUTE_START)
    first, second = (RequestLimits(database=database, clock=clock, shared=True) for database in shared)
    wanted = (RateLimit(80, 60),)
    assert (await first.take("k", wanted)).remaining == 79
    spent = 0
    while not (await second.take("k", wanted)).retry_after_seconds:
        spent += 1
    assert spent == 70  # nine of the first one's ten are still with it
    await first.close()
    third = RequestLimits(database=shared[0], clock=clock, shared=True)
    assert (await third.take("k", wanted)).remaining == 8


async def test_processes_that_die_again_and_again_take_little_of_the_day_with_them(shared: list[Database]) -> None:
    clock = StandingClock(MINUTE_START)
    rules = (RateLimit(60, 60), RateLimit(10_000, 86_400))
    for _ in range(100):
        dying = RequestLimits(database=shared[0], clock=clock, shared=True)
        assert (await dying.take("key_1", rules)).retry_after_seconds == 0
        clock.advance(60)
    heir = RequestLimits(database=shared[1], clock=clock, shared=True)
    seen = [await heir.take("key_1", rules) for _ in range(8)]
    assert [allowance.retry_after_seconds for allowance in seen] == [0] * 8
    used = shared[1].read_now(lambda c: c.execute(select(request_use.c.used).where(DAY)).scalar_one())
    assert used == 102 * 7


async def test_a_process_that_dies_takes_a_few_hundred_of_a_large_limit(shared: list[Database]) -> None:
    clock = StandingClock(MINUTE_START)
    rules = (RateLimit(1_000_000, 60), RateLimit(1_000_000, 86_400))
    for _ in range(30):
        dying = RequestLimits(database=shared[0], clock=clock, shared=True)
        assert (await dying.take("key_1", rules)).remaining > 980_000


async def test_a_shared_budget_costs_few_writes(shared: list[Database]) -> None:
    limits = RequestLimits(database=shared[0], clock=StandingClock(MINUTE_START), shared=True)
    asked = 0
    original = shared[0].write_each

    async def counting(unit: object, item: object) -> object:
        nonlocal asked
        asked += 1
        return await original(unit, item)  # type: ignore[arg-type, var-annotated]

    shared[0].write_each = counting  # type: ignore[method-assign, assignment]
    wanted = (RateLimit(100_000, 60), RateLimit(10_000_000, 86_400))
    for _ in range(50_000):
        await limits.take("k", wanted)
    assert asked == 100


async def test_changed_limits_hold_in_a_shared_budget_too(shared: list[Database]) -> None:
    limits = RequestLimits(database=shared[0], clock=StandingClock(MINUTE_START), shared=True)
    for _ in range(16):
        await limits.take("k", (RateLimit(80, 60),))
    assert (await limits.take("k", (RateLimit(10, 60),))).retry_after_seconds == 60


def test_a_key_s_own_limits_stand_in_place_of_the_hub_s() -> None:
    rules = RequestRules(per_minute=60, per_day=10_000)
    own = Caller(id="k", name="k", requests_per_minute=600)
    assert list(rules.of(own)) == [RateLimit(600, 60), RateLimit(10_000, 86_400)]
    assert list(rules.of(Caller(id="k", name="k"))) == [RateLimit(60, 60), RateLimit(10_000, 86_400)]

"""Calls are written many at once, wait while the database is away, and none is lost or written twice."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from hub.database.calls import days_kept, load_calls
from hub.database.engine import Database
from hub.errors import Unavailable
from hub.model.call import Call
from hub.trace import recorder as recorder_module
from hub.trace.recorder import Recorder
from tests.database.test_calls import MIDNIGHT, call

pytestmark = pytest.mark.anyio


class Flaky:
    """A database that can be switched off, held up, and counts what is written to it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.away = False
        self.away_for: Callable[[Any], bool] = lambda item: False
        self.batches: list[int] = []
        self.held: asyncio.Event | None = None
        self.reached = asyncio.Event()

    async def write(self, unit: Any) -> Any:
        await self._wait()
        return await self._database.write(unit)

    async def write_each(self, unit: Any, item: Any) -> Any:
        await self._wait()
        if self.away_for(item):
            raise Unavailable("away")
        self.batches.append(len(item[1]))
        return await self._database.write_each(unit, item)

    async def _wait(self) -> None:
        self.reached.set()
        if self.held is not None:
            await self.held.wait()
        if self.away:
            raise Unavailable("away")


@pytest.fixture
def flaky(database: Database) -> Flaky:
    return Flaky(database)


@pytest.fixture
def recorder(flaky: Flaky) -> Recorder:
    return Recorder(flaky)  # type: ignore[arg-type]


def stored(database: Database, order_id: str = "order_1") -> list[Call]:
    return database.read_now(lambda connection: load_calls(connection, order_id, from_ms=0))


async def test_many_calls_are_written_at_once(recorder: Recorder, flaky: Flaky, database: Database) -> None:
    calls = [call(at_ms=MIDNIGHT + n) for n in range(500)]
    for one in calls:
        recorder.record(one)
    await recorder.close()
    assert flaky.batches == [500]
    assert stored(database) == calls


async def test_calls_are_written_without_anybody_asking(recorder: Recorder, flaky: Flaky, database: Database) -> None:
    recorder.record(call())
    await asyncio.wait_for(flaky.reached.wait(), 30)
    recorder.record(call())
    await recorder.close()
    assert len(stored(database)) == 2


async def test_calls_around_midnight_go_to_their_days(recorder: Recorder, database: Database) -> None:
    recorder.record(call(at_ms=MIDNIGHT - 1))
    recorder.record(call(at_ms=MIDNIGHT))
    await recorder.close()
    assert database.read_now(days_kept) == ["20261118", "20261119"]
    assert [one.at_ms for one in stored(database)] == [MIDNIGHT - 1, MIDNIGHT]


async def test_calls_wait_while_the_database_is_away(recorder: Recorder, flaky: Flaky, database: Database) -> None:
    flaky.away = True
    recorder.record(call(at_ms=MIDNIGHT))
    await recorder.flush()
    recorder.record(call(at_ms=MIDNIGHT + 1))
    await recorder.flush()
    flaky.away = False
    await recorder.flush()
    assert [one.at_ms for one in stored(database)] == [MIDNIGHT, MIDNIGHT + 1]
    await recorder.close()


async def test_a_day_that_was_written_is_not_written_again_when_the_next_one_fails(
    recorder: Recorder, flaky: Flaky, database: Database
) -> None:
    flaky.away_for = lambda item: item[0] == "20261119"
    recorder.record(call(at_ms=MIDNIGHT - 1))
    recorder.record(call(at_ms=MIDNIGHT))
    await recorder.flush()
    assert [one.at_ms for one in stored(database)] == [MIDNIGHT - 1]
    flaky.away_for = lambda item: False
    await recorder.flush()
    await recorder.close()
    assert [one.at_ms for one in stored(database)] == [MIDNIGHT - 1, MIDNIGHT]


async def test_nothing_is_lost_when_it_is_closed_in_the_middle_of_writing(
    recorder: Recorder, flaky: Flaky, database: Database
) -> None:
    flaky.held = asyncio.Event()
    recorder.record(call(at_ms=MIDNIGHT - 1))
    recorder.record(call(at_ms=MIDNIGHT))
    await asyncio.wait_for(flaky.reached.wait(), 30)
    recorder.record(call(at_ms=MIDNIGHT + 1))
    closing = asyncio.ensure_future(recorder.close())
    await asyncio.sleep(0)
    flaky.held.set()
    await asyncio.wait_for(closing, 30)
    assert Counter(one.at_ms for one in stored(database)) == {MIDNIGHT - 1: 1, MIDNIGHT: 1, MIDNIGHT + 1: 1}


async def test_one_call_that_no_database_takes_does_not_stop_the_recording(
    recorder: Recorder, flaky: Flaky, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    recorder.record(call(url="\ud800"))  # cannot be written as UTF-8
    await recorder.flush()
    recorder.record(call(at_ms=MIDNIGHT))
    await recorder.close()
    assert [one.at_ms for one in stored(database)] == [MIDNIGHT]


async def test_what_does_not_fit_is_counted_and_reported(
    recorder: Recorder, flaky: Flaky, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(recorder_module, "_MOST_WAITING", 3)
    for n in range(5):
        recorder.record(call(at_ms=MIDNIGHT + n))
    await recorder.close()
    assert flaky.batches == [3]
    assert "2 calls could not be recorded" in caplog.text

"""Every process ticks, one of them runs each slot, and a failing job is tried again at the next."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from hub.errors import Unavailable
from hub.jobs.schedule import Job, Schedule

pytestmark = pytest.mark.anyio
NOW = 1_795_000_000_000


class Slots:
    """Gives each slot once, as the database does."""

    def __init__(self) -> None:
        self.given: list[tuple[str, int]] = []

    async def claim(self, job: str, slot: int) -> bool:
        if (job, slot) in self.given:
            return False
        self.given.append((job, slot))
        return True


def schedule(job: Job, slots: Slots, now_ms: Callable[[], int] = lambda: NOW) -> Schedule:
    return Schedule([job], now_ms=now_ms, claim_slot=slots.claim)


def counting() -> tuple[list[str], Callable[[], Awaitable[object]]]:
    runs: list[str] = []

    async def run() -> None:
        runs.append("run")

    return runs, run


async def test_of_two_processes_one_runs_a_slot_and_either_may_run_the_next() -> None:
    runs, run = counting()
    now, slots, job = [NOW], Slots(), Job("sync", 900, run)
    first, second = (schedule(job, slots, lambda: now[0]) for _ in range(2))
    await first._tick(job)
    await second._tick(job)
    assert runs == ["run"]
    now[0] += 900_000
    await second._tick(job)
    assert runs == ["run", "run"]
    assert slots.given == [("sync", 1_994_444), ("sync", 1_994_445)]


async def test_a_job_for_every_process_runs_in_each() -> None:
    runs, run = counting()
    slots, job = Slots(), Job("reload", 1, run, everywhere=True)
    for _ in range(2):
        await schedule(job, slots)._tick(job)
    assert runs == ["run", "run"]
    assert slots.given == []


@pytest.mark.parametrize("problem", [Unavailable("the database is away"), ValueError("a bug")])
async def test_a_failing_job_is_noted_and_never_stops_the_schedule(
    problem: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        raise problem

    job = Job("sync", 900, run)
    with caplog.at_level(logging.ERROR):
        await schedule(job, Slots())._tick(job)
    assert "job sync" in caplog.text


async def test_a_slot_that_cannot_be_claimed_is_noted(caplog: pytest.LogCaptureFixture) -> None:
    async def claim(job: str, slot: int) -> bool:
        raise Unavailable("the database is away")

    runs, run = counting()
    job = Job("sync", 900, run)
    await Schedule([job], now_ms=lambda: NOW, claim_slot=claim)._tick(job)
    assert runs == []
    assert "the database is away" in caplog.text


async def test_a_started_schedule_ticks_until_it_is_stopped() -> None:
    ran = asyncio.Event()

    async def run() -> None:
        ran.set()

    ticking = schedule(Job("quick", 0.01, run, everywhere=True), Slots())
    ticking.stop()  # not started yet: nothing to do
    ticking.start()
    await asyncio.wait_for(ran.wait(), 5)
    ticking.stop()
    await asyncio.sleep(0)
    ran.clear()
    await asyncio.sleep(0.03)
    assert not ran.is_set()


async def test_a_job_that_is_broken_off_by_the_stop_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    begun, broken_off = asyncio.Event(), asyncio.Event()

    async def run() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            broken_off.set()

    ticking = schedule(Job("slow", 0.01, run, everywhere=True), Slots())
    ticking.start()
    await asyncio.wait_for(begun.wait(), 5)
    with caplog.at_level(logging.WARNING):
        ticking.stop()
        await asyncio.wait_for(broken_off.wait(), 5)
        await asyncio.sleep(0)
    assert [record.getMessage() for record in caplog.records] == []

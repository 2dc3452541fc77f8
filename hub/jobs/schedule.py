"""The schedule: every process ticks, and for each slot of a job exactly one of them runs it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from hub.errors import HubError

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """Something to do every so many seconds; `everywhere` in each process, else in one of them per slot."""

    name: str
    seconds: float
    run: Callable[[], Awaitable[object]]
    everywhere: bool = False


class Schedule:
    """Runs jobs with APScheduler. `claim_slot(name, slot)` says whether this process is the one to run it."""

    def __init__(
        self,
        jobs: list[Job],
        *,
        now_ms: Callable[[], int],
        claim_slot: Callable[[str, int], Awaitable[bool]],
    ) -> None:
        self._now_ms = now_ms
        self._claim_slot = claim_slot
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        for job in jobs:
            self._scheduler.add_job(
                self._tick,
                "interval",
                args=[job],
                seconds=job.seconds,
                id=job.name,
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
            )

    def start(self) -> None:
        """Begins to tick in the running event loop."""
        self._scheduler.start()

    def stop(self) -> None:
        """Ticks no more."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    async def _tick(self, job: Job) -> None:
        try:
            slot = int(self._now_ms() // (job.seconds * 1000))
            if job.everywhere or await self._claim_slot(job.name, slot):
                await job.run()
        except asyncio.CancelledError:
            _log.debug("job %s was broken off: the process stops", job.name)
        except HubError as problem:
            _log.error("job %s: %s", job.name, problem.message)
        except Exception:  # the edge of a job: the next slot tries again
            _log.exception("job %s failed", job.name)

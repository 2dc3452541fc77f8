"""Keeps recorded calls in memory for a moment and writes many of them at once, off the order's path."""

import asyncio
import logging

from hub.database.calls import create_day, day_of, insert_calls
from hub.database.engine import Database
from hub.errors import Unavailable
from hub.model.call import Call

_FLUSH_SECONDS = 0.2
_MOST_WAITING = 20_000
_log = logging.getLogger(__name__)


class Recorder:
    """Implements `CallSink`. Nobody waits for it; what a crash may cost is the last fifth of a second of calls."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[Call] = []
        self._days: set[str] = set()
        self._flushing: asyncio.Task[None] | None = None
        self._lost = 0

    def record(self, call: Call) -> None:
        """Keeps one call; when the database has been away for long, the newest are counted instead of kept."""
        if len(self._waiting) >= _MOST_WAITING:
            self._lost += 1
            return
        self._waiting.append(call)
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().create_task(self._flush_soon())

    async def flush(self) -> None:
        """Writes what waits."""
        calls, self._waiting = self._waiting, []
        by_day: dict[str, list[Call]] = {}
        for call in calls:
            by_day.setdefault(day_of(call.at_ms), []).append(call)
        try:
            for day, rows in by_day.items():
                await self._ensure(day)
                await self._database.write_each(insert_calls, (day, rows))
        except Unavailable as problem:
            self._waiting = (calls + self._waiting)[:_MOST_WAITING]
            _log.error("recorded calls wait: %s", problem.message)
        if self._lost and not self._waiting:
            _log.error("%d calls could not be recorded while the database was away", self._lost)
            self._lost = 0

    async def close(self) -> None:
        """Writes the rest."""
        if self._flushing is not None:
            self._flushing.cancel()
        await self.flush()

    async def _ensure(self, day: str) -> None:
        if day not in self._days:
            await self._database.write(lambda connection: create_day(connection, day))
            self._days.add(day)

    async def _flush_soon(self) -> None:
        while self._waiting:
            await asyncio.sleep(_FLUSH_SECONDS)
            await self.flush()
        self._flushing = None

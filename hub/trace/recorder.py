"""Keeps recorded calls in memory for a moment and writes many of them at once, off the order's path."""

import asyncio
import logging

from hub.database.calls import create_day, day_of, insert_calls
from hub.database.engine import Database
from hub.errors import Unavailable
from hub.model.call import Call

_FLUSH_SECONDS = 0.2
_RETRY_SECONDS = 2.0
_MOST_WAITING = 20_000
_DAY_MS = 86_400_000
_log = logging.getLogger(__name__)


class Recorder:
    """Implements `CallSink`. Nobody waits for it; what a crash may cost is the last fifth of a second of calls."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[Call] = []
        self._days: set[str] = set()
        self._writing = asyncio.Lock()
        self._closing = asyncio.Event()
        self._flusher: asyncio.Task[None] | None = None
        self._lost = 0

    def record(self, call: Call) -> None:
        """Keeps one call; when the database has been away for long, the newest are counted instead of kept."""
        if len(self._waiting) >= _MOST_WAITING:
            self._lost += 1
            return
        self._waiting.append(call)
        if self._flusher is None:
            self._flusher = asyncio.get_running_loop().create_task(self._flush_until_empty())

    async def flush(self) -> bool:
        """Writes what waits; False when some of it has to wait longer."""
        async with self._writing:
            by_day: dict[int, list[Call]] = {}
            for call in self._waiting:
                by_day.setdefault(call.at_ms // _DAY_MS, []).append(call)
            self._waiting = []
            for calls in by_day.values():
                if not await self._write(day_of(calls[0].at_ms), calls):
                    self._waiting = calls + self._waiting
        if self._lost and not self._waiting:
            _log.error("%d calls could not be recorded while the database was away", self._lost)
            self._lost = 0
        return not self._waiting

    async def close(self) -> None:
        """Writes the rest."""
        self._closing.set()
        if self._flusher is not None:
            await self._flusher
        await self.flush()

    async def _write(self, day: str, calls: list[Call]) -> bool:
        """Writes the calls of one day; False when they can be written later."""
        try:
            if day not in self._days:
                await self._database.write(lambda connection: create_day(connection, day))
                self._days.add(day)
            await self._database.write_each(insert_calls, (day, calls))
        except Unavailable as problem:
            _log.error("%d recorded calls wait: %s", len(calls), problem.message)
            return False
        except Exception:  # the edge of a job: one call that no database takes must not stop the recording
            _log.exception("%d calls could not be recorded", len(calls))
        return True

    async def _flush_until_empty(self) -> None:
        pause_seconds = _FLUSH_SECONDS
        while self._waiting and not self._closing.is_set():
            try:
                await asyncio.wait_for(self._closing.wait(), pause_seconds)
            except TimeoutError:
                pause_seconds = _FLUSH_SECONDS if await self.flush() else _RETRY_SECONDS
        self._flusher = None

"""Deletes closed orders when their time in the archive is over, with everything that names their guests."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from msgspec import Struct

from hub.contract.ports import Clock
from hub.database import calls as stored_calls
from hub.database import retention
from hub.database.archive import first_id_at
from hub.database.engine import Database, Unit

_T = TypeVar("_T")

DAY_MS = 86_400_000
ORDERS_KEPT_DAYS = 45  # Mozrest: closed orders must remain accessible for 45 days, for reconciliation
CALLS_KEPT_DAYS = 48  # a day and a half more than an order is open and then kept; those that outlive it are copied
ORDERS_PER_UNIT = 250  # some 25 ms of the writer; fewer at once cost more each, for they share fewer pages
_REFS_PER_UNIT = 200
_PAUSE_PER_WORK = 3.0  # the writer belongs to orders coming in for at least three quarters of the time
_SHORTEST_PAUSE_SECONDS = 0.001

Progress = Callable[[str, int], None]
"""Told how many orders, learnt ids or calls are deleted so far."""


class Tidied(Struct, frozen=True, kw_only=True):
    """What a run deleted, and the days whose calls it dropped."""

    orders: int
    refs: int
    calls: int
    days: tuple[str, ...]


def _silent(_thing: str, _count: int) -> None:
    pass


class Retention:
    """Keeps nothing in memory between its units of work, so that it may be killed and begun again at any point.

    Units are short and leave the writer to others in between. Several processes may run it at once: on PostgreSQL
    each unit locks its own orders and passes by those of others.
    """

    def __init__(
        self,
        *,
        database: Database,
        calls_database: Database,
        clock: Clock,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._calls = calls_database
        self._clock = clock
        self._pause = pause

    async def run(self, progress: Progress = _silent) -> Tidied:
        """Everything there is to delete."""
        orders = await self.delete_orders(progress)
        refs = await self.forget_refs(progress)
        calls, days = await self.tidy_calls(progress)
        return Tidied(orders=orders, refs=refs, calls=calls, days=days)

    async def delete_orders(self, progress: Progress = _silent) -> int:
        """Deletes the orders closed 45 × 24 hours ago or earlier, except those under a hold; returns how many."""
        closed_until_ms = self._clock.now_ms() - ORDERS_KEPT_DAYS * DAY_MS
        deleted, after = 0, None
        while True:
            unit = partial(retention.delete_closed, closed_until_ms=closed_until_ms, after=after, limit=ORDERS_PER_UNIT)
            done = await self._in_turns(unit)
            deleted += done.orders
            if done.orders:
                progress("orders", deleted)
            if done.last is None:
                return deleted
            after = done.last

    async def forget_refs(self, progress: Progress = _silent) -> int:
        """Forgets what was learnt of vendors' customers and not used for as long as orders are kept."""
        unused_since_ms = self._clock.now_ms() - ORDERS_KEPT_DAYS * DAY_MS
        forgotten = 0
        while True:
            unit = partial(retention.delete_unused_refs, unused_since_ms=unused_since_ms, limit=_REFS_PER_UNIT)
            count = await self._in_turns(unit)
            forgotten += count
            if count:
                progress("learnt ids", forgotten)
            if count < _REFS_PER_UNIT:
                return forgotten

    async def tidy_calls(self, progress: Progress = _silent) -> tuple[int, tuple[str, ...]]:
        """Drops the days of calls that are over; returns how many single calls were deleted besides, and those days.

        What belongs to an order that is still there is copied first. Of the days that stay, calls of deleted orders
        go: somebody read these orders late, and the answer was recorded.
        """
        now_ms, deleted = self._clock.now_ms(), 0
        for day in await self._calls.read(stored_calls.days_kept):
            if day >= stored_calls.day_of(now_ms - ORDERS_KEPT_DAYS * DAY_MS):
                deleted += await self._forget_calls_of_the_deleted(day, now_ms)
        deleted += await self._forget_calls_of_the_deleted(None, now_ms)
        if deleted:
            progress("calls", deleted)
        over = await self._calls.read(lambda connection: stored_calls.days_before(connection, now_ms, CALLS_KEPT_DAYS))
        if over:
            await self.delete_orders()  # else the calls of orders that are about to go would be copied
        for day in over:
            await self._keep_what_is_needed(day)
            await self._calls.write(partial(stored_calls.drop_day, day=day))
        return deleted, tuple(over)

    async def _keep_what_is_needed(self, day: str) -> None:
        after = ""
        while True:
            page = await self._calls.read(partial(stored_calls.orders_of_day, day=day, after=after))
            if not page:
                return
            there = await self._database.read(partial(retention.existing, order_ids=page))
            if there:
                await self._calls.write(partial(stored_calls.keep_calls, day=day, order_ids=sorted(there)))
            after = page[-1]

    async def _forget_calls_of_the_deleted(self, day: str | None, now_ms: int) -> int:
        """Of one day, or of the dropped days; a deleted order was made at least 45 days ago, so few are looked at."""
        after, deleted = "", 0
        before = first_id_at(now_ms - ORDERS_KEPT_DAYS * DAY_MS + 1)
        while True:
            if day is None:
                page = await self._calls.read(partial(stored_calls.orders_kept, after=after))
            else:
                page = await self._calls.read(partial(stored_calls.orders_of_day, day=day, after=after, before=before))
            if not page:
                return deleted
            there = await self._database.read(partial(retention.existing, order_ids=page))
            gone = [order_id for order_id in page if order_id not in there]
            if gone:
                deleted += await self._calls.write(partial(stored_calls.forget_calls, day=day, order_ids=gone))
            after = page[-1]

    async def _in_turns(self, unit: Unit[_T]) -> _T:
        """Runs a unit and then leaves the writer alone for a multiple of the time it took."""
        started = self._clock.elapsed_seconds()
        result = await self._database.write(unit)
        worked = self._clock.elapsed_seconds() - started
        await self._pause(max(worked * _PAUSE_PER_WORK, _SHORTEST_PAUSE_SECONDS))
        return result

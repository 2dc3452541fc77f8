"""How many requests a caller may make: counted in windows, exactly, over all processes.

A window is a stretch of the clock: a minute from second 0 to second 59, a day in UTC. One process alone counts in
memory and saves the day's counts now and then. Several processes share a budget in the database: each takes a part
of what is left (an eighth) and spends it without asking again, so a busy caller costs a few small writes a minute
and not one a request. What all of them spend is never more than the limit; what one process took and has not spent,
another cannot spend, so a caller whose requests are spread unevenly may be refused a little early. A process that dies
takes its part with it: of the day that is never more than of the minute, and never more than 500.
"""

import asyncio
import math
from collections.abc import Sequence
from functools import lru_cache

from msgspec import Struct
from sqlalchemy import Connection

from hub.contract.ports import Clock
from hub.database import request_use as stored
from hub.database.engine import Database
from hub.database.request_use import Lease, Leased, Window
from hub.model.venue import RateLimit
from hub.services.requests import Caller

MINUTE_SECONDS = 60
DAY_SECONDS = 86_400
_PART = 8
_MOST_AT_ONCE = 500
_SAVED_FROM_PERCENT = 1
_MOST_SUBJECTS = 50_000


class Allowance(Struct, frozen=True):
    """Where a caller stands in its tightest window, after this request. Refused when it must wait."""

    limit: int
    remaining: int
    resets_at: int
    """Seconds since 1970."""
    retry_after_seconds: int = 0


class RequestRules(Struct, frozen=True):
    """The hub's limits: for keys without their own, for anonymous callers, and for anonymous callers' orders."""

    per_minute: int = 60
    per_day: int = 10_000
    public_orders_per_minute: int = 20

    def of(self, caller: Caller) -> Sequence[RateLimit]:
        """The limits on all requests of a caller."""
        per_minute, per_day = caller.requests_per_minute, caller.requests_per_day
        return _windows(
            self.per_minute if per_minute is None else per_minute, self.per_day if per_day is None else per_day
        )

    def of_public_orders(self) -> Sequence[RateLimit]:
        """The limits on what an anonymous caller may have stored."""
        return _windows(self.public_orders_per_minute, None)


@lru_cache(maxsize=1000)
def _windows(per_minute: int, per_day: int | None) -> Sequence[RateLimit]:
    minute = RateLimit(per_minute, MINUTE_SECONDS)
    return (minute,) if per_day is None else (minute, RateLimit(per_day, DAY_SECONDS))


class _Count:
    """One window of one caller, as this process knows it."""

    __slots__ = ("full", "left", "limit", "seconds", "slot", "spent", "used")

    def __init__(self, limit: RateLimit) -> None:
        self.seconds = limit.seconds
        self.limit = limit.requests
        self.slot = -1
        self.spent = 0
        """By this process."""
        self.left = 0
        """What this process may spend without asking."""
        self.used = 0
        """What all processes had taken when this one last asked."""
        self.full = False

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used + self.left)

    def standing(self, now_seconds: float, *, refused: bool = False) -> Allowance:
        resets_at = (self.slot + 1) * self.seconds
        wait = max(1, math.ceil(resets_at - now_seconds)) if refused else 0
        return Allowance(self.limit, 0 if refused else self.remaining, resets_at, wait)


class _Subject:
    """The windows of one caller."""

    __slots__ = ("counts", "limits", "lock")

    def __init__(self, limits: Sequence[RateLimit]) -> None:
        self.limits = limits
        self.counts = [_Count(limit) for limit in limits]
        self.lock = asyncio.Lock()


class RequestLimits:
    """Counts requests. `shared`: other processes count the same callers, in the same database."""

    def __init__(self, *, database: Database, clock: Clock, shared: bool) -> None:
        self._database = database
        self._clock = clock
        self._shared = shared
        self._subjects: dict[str, _Subject] = {}
        self._saved_day = -1
        self._saved: dict[str, int] = {}

    async def load(self) -> None:
        """Reads the day's counts that an earlier process left behind."""
        if self._shared:
            return
        day = self._clock.now_ms() // 1000 // DAY_SECONDS
        self._saved = await self._database.read(lambda connection: stored.load_used(connection, DAY_SECONDS, day))
        self._saved_day = day

    async def take(self, subject: str, limits: Sequence[RateLimit]) -> Allowance:
        """Counts one request. Raises `Unavailable` when the shared budget cannot be asked."""
        entry, now_seconds = self._turn(subject, limits)
        allowance = self._spend(entry, now_seconds)
        if allowance is not None:
            return allowance
        async with entry.lock:
            while True:
                entry, now_seconds = self._turn(subject, limits)
                allowance = self._spend(entry, now_seconds)
                if allowance is not None:
                    return allowance
                await self._lease(subject, entry)

    def look(self, subject: str, limits: Sequence[RateLimit]) -> Allowance:
        """Where a caller stands, counting nothing."""
        entry, now_seconds = self._turn(subject, limits)
        return _tightest(entry).standing(now_seconds)

    def give_back(self, subject: str, counted: Allowance) -> None:
        """Takes the request back that was counted with this outcome; a refused one, or one of a window that is over,
        is not there any more."""
        entry = self._subjects.get(subject)
        if entry is None or counted.retry_after_seconds:
            return
        if counted.resets_at not in [(count.slot + 1) * count.seconds for count in entry.counts]:
            return
        for count in entry.counts:
            if count.spent:
                count.spent -= 1
                count.left += 1

    async def save(self) -> None:
        """Keeps the day's counts for after a restart; small ones are not worth the write."""
        if self._shared:
            return
        used = {}
        for name, entry in self._subjects.items():
            for count in entry.counts:
                total = count.limit - count.left
                if count.seconds == DAY_SECONDS and total * 100 >= count.limit * _SAVED_FROM_PERCENT:
                    used[Window(name, DAY_SECONDS, count.slot)] = total
        changed = {window: total for window, total in used.items() if self._saved.get(window.subject) != total}
        if changed:
            await self._database.write(lambda connection: stored.save_used(connection, changed))
            self._saved |= {window.subject: total for window, total in changed.items()}

    async def tidy(self) -> None:
        """Forgets callers of earlier days, and, when there are very many, those that called little."""
        now_seconds = self._clock.now_ms() // 1000
        crowded = len(self._subjects) > _MOST_SUBJECTS
        unspent: dict[Window, int] = {}
        for name, entry in list(self._subjects.items()):
            over = [count.slot < now_seconds // count.seconds for count in entry.counts]
            few = all(count.spent * 100 < count.limit * _SAVED_FROM_PERCENT for count in entry.counts)
            if entry.lock.locked() or not (all(over) or (crowded and any(over) and (self._shared or few))):
                continue
            del self._subjects[name]
            unspent |= _unspent(name, entry, now_seconds)
        await self._give_back(unspent)

    async def forget_windows(self) -> None:
        """Deletes counts of windows that are over from the database."""
        now_seconds = self._clock.now_ms() // 1000
        before = {seconds: now_seconds // seconds - 1 for seconds in (MINUTE_SECONDS, DAY_SECONDS)}
        await self._database.write(lambda connection: stored.forget_windows(connection, before))

    async def close(self) -> None:
        """Saves what was counted, and returns what was taken and not spent."""
        await self.save()
        now_seconds = self._clock.now_ms() // 1000
        unspent: dict[Window, int] = {}
        for name, entry in self._subjects.items():
            unspent |= _unspent(name, entry, now_seconds)
        self._subjects.clear()
        await self._give_back(unspent)

    async def _give_back(self, unspent: dict[Window, int]) -> None:
        if self._shared and unspent:
            await self._database.write(lambda connection: stored.give_back(connection, unspent))

    def _turn(self, subject: str, limits: Sequence[RateLimit]) -> tuple[_Subject, float]:
        """The caller's counts, turned to the windows of this moment."""
        now_seconds = self._clock.now_ms() / 1000
        entry = self._subjects.get(subject)
        if entry is None:
            entry = self._subjects[subject] = _Subject(limits)
        elif entry.limits is not limits and entry.limits != limits:
            self._relimit(entry, limits)
        for count in entry.counts:
            slot = int(now_seconds // count.seconds)
            if count.slot == slot:
                continue
            count.slot, count.spent, count.full = slot, 0, False
            count.used, count.left = (0, 0) if self._shared else (count.limit, count.limit)
            if not self._shared and count.seconds == DAY_SECONDS and slot == self._saved_day:
                count.left = max(0, count.limit - self._saved.get(subject, 0))
        return entry, now_seconds

    def _relimit(self, entry: _Subject, limits: Sequence[RateLimit]) -> None:
        """Somebody changed the limits: what was counted in the current windows counts against the new ones."""
        before = {count.seconds: count for count in entry.counts}
        entry.limits = limits
        entry.counts = [_Count(limit) for limit in limits]
        for count in entry.counts:
            old = before.get(count.seconds)
            if old is None:
                continue
            count.slot, count.spent = old.slot, old.spent
            if self._shared:
                count.used = old.used
            else:
                count.used, count.left = count.limit, max(0, count.limit - (old.limit - old.left))

    def _spend(self, entry: _Subject, now_seconds: float) -> Allowance | None:
        """Takes one from each window, or says which one refuses; None when the shared budget must be asked."""
        empty = [count for count in entry.counts if count.left <= 0]
        if not empty:
            for count in entry.counts:
                count.left -= 1
                count.spent += 1
            return _tightest(entry).standing(now_seconds)
        full = [count for count in empty if count.full or not self._shared]
        if not full:
            return None
        return max(full, key=lambda count: count.seconds).standing(now_seconds, refused=True)

    async def _lease(self, subject: str, entry: _Subject) -> None:
        empty = [(count, count.slot) for count in entry.counts if count.left <= 0]
        most = min(_MOST_AT_ONCE, *(limit.requests // _PART for limit in entry.limits))
        wishes = tuple(
            Lease(Window(subject, count.seconds, slot), count.limit, max(1, min(most, count.remaining // _PART)))
            for count, slot in empty
        )
        answers = await self._database.write_each(_lease_all, wishes)
        for (count, slot), leased in zip(empty, answers, strict=True):
            if count.slot == slot:
                count.left += leased.granted
                count.used = leased.used
                count.full = not leased.granted


def _lease_all(connection: Connection, wishes: Sequence[tuple[Lease, ...]]) -> list[list[Leased]]:
    """All that wait, in one go."""
    leased = iter(stored.lease(connection, [wish for each in wishes for wish in each]))
    return [[next(leased) for _ in each] for each in wishes]


def _tightest(entry: _Subject) -> _Count:
    tightest = entry.counts[0]
    for count in entry.counts:
        if count.remaining < tightest.remaining:
            tightest = count
    return tightest


def _unspent(name: str, entry: _Subject, now_seconds: int) -> dict[Window, int]:
    current = (count for count in entry.counts if count.left and count.slot == now_seconds // count.seconds)
    return {Window(name, count.seconds, count.slot): count.left for count in current}

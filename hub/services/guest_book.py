"""Keeps the book of guests up to date with the orders, off the orders' path: read later, and each counted once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from sqlalchemy import Connection

from hub.contract.ports import Clock
from hub.database import guest_visits
from hub.database.engine import Database
from hub.database.guest_retention import delete_bookings
from hub.database.guest_visits import Position
from hub.database.tab_bookings import follow_tabs
from hub.model.ids import NewId
from hub.model.order import Order
from hub.model.venue import Venue
from hub.services.directory import Directory
from hub.services.retention import DAY_MS, ORDERS_KEPT_DAYS

_LATE_MS = 20_000  # longer than a statement may take: who changed an order before this is surely visible
_ORDERS_PER_UNIT = 25
_ORDERS_READ_AT_ONCE = 200
_MOST_WHILE_SOMEBODY_WAITS = 1_000
_BOOKINGS_PER_UNIT = 100
_MOST_REMEMBERED = 10_000
_PAUSE_PER_WORK = 3.0  # the writer belongs to orders coming in
_SHORTEST_PAUSE_SECONDS = 0.001


class GuestBook:
    """Reads each venue's orders by when they changed. Where it is, is kept in the database: it may be killed and
    begun again at any point, and several processes may read at once."""

    def __init__(
        self,
        *,
        database: Database,
        directory: Directory,
        clock: Clock,
        new_id: NewId,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._directory = directory
        self._clock = clock
        self._new_id = new_id
        self._pause = pause
        self._taken: dict[str, int] = {}
        """The versions of orders this process took in lately, so that reading them again costs no writing."""

    async def read_on(self) -> int:
        """Takes in what changed at all venues until a moment ago; returns how many orders were looked at."""
        until_ms = self._clock.now_ms() - _LATE_MS
        looked_at = 0
        for venue in self._directory.venues():
            looked_at += await self._read_on(venue, until_ms=until_ms, at_most=None)
        return looked_at

    async def catch_up(self, venues: Sequence[Venue]) -> None:
        """Takes in what changed until now, for somebody who waits: a large backlog is left to the job."""
        for venue in venues:
            await self._read_on(venue, until_ms=None, at_most=_MOST_WHILE_SOMEBODY_WAITS)

    async def forget_bookings(self) -> int:
        """Deletes reservations and places on the waitlist that ended 45 days ago; returns how many."""
        ended_until_ms = self._clock.now_ms() - ORDERS_KEPT_DAYS * DAY_MS
        forgotten = 0
        while True:
            unit = partial(delete_bookings, ended_until_ms=ended_until_ms, limit=_BOOKINGS_PER_UNIT)
            gone = await self._database.write(unit)
            forgotten += gone
            if gone < _BOOKINGS_PER_UNIT:
                return forgotten
            await self._pause(_SHORTEST_PAUSE_SECONDS)

    async def _read_on(self, venue: Venue, *, until_ms: int | None, at_most: int | None) -> int:
        after = await self._database.read(partial(guest_visits.load_position, venue_id=venue.id))
        settled_until_ms = self._clock.now_ms() - _LATE_MS
        looked_at = 0
        while at_most is None or looked_at < at_most:
            page = await self._database.read(
                partial(guest_visits.load_changed, venue_id=venue.id, after=after, limit=_ORDERS_READ_AT_ONCE)
            )
            read = [order for order in page if until_ms is None or order.updated_at_ms <= until_ms]
            for start in range(0, len(read), _ORDERS_PER_UNIT):
                await self._take_in(venue, read[start : start + _ORDERS_PER_UNIT], settled_until_ms)
            looked_at += len(read)
            if len(read) < _ORDERS_READ_AT_ONCE:
                return looked_at
            after = Position.of(read[-1])
        return looked_at

    async def _take_in(self, venue: Venue, orders: Sequence[Order], settled_until_ms: int) -> None:
        """One unit of work. Orders of the last moments are taken in and read again later: another process may still
        be storing one that changed before them."""
        settled = [order for order in orders if order.updated_at_ms <= settled_until_ms]
        fresh = [order for order in orders if self._taken.get(order.id) != order.version]
        if not settled and not fresh:
            return
        channels = self._directory.channels_of(venue.id)
        now_ms = self._clock.now_ms()

        def unit(connection: Connection) -> None:
            guest_visits.take_in(
                connection,
                venue.id,
                fresh,
                read_until=Position.of(settled[-1]) if settled else None,
                now_ms=now_ms,
                new_id=self._new_id,
            )
            follow_tabs(connection, venue, fresh, channels=channels, now_ms=now_ms)

        started = self._clock.elapsed_seconds()
        await self._database.write(unit)
        worked = self._clock.elapsed_seconds() - started
        if len(self._taken) > _MOST_REMEMBERED:
            self._taken.clear()
        self._taken |= {order.id: order.version for order in fresh}
        await self._pause(max(worked * _PAUSE_PER_WORK, _SHORTEST_PAUSE_SECONDS))

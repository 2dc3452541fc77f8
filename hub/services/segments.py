"""Computes the segments of a venue's guests, and keeps who is in them."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial

from msgspec import structs
from sqlalchemy import Connection

from hub.contract.ports import Clock
from hub.database import segments as stored
from hub.database.engine import Database
from hub.errors import NotFound
from hub.model.segment import KEYS, Segment, Thresholds, described, is_reachable, segments_of
from hub.model.venue import Venue
from hub.services.directory import Directory
from hub.services.guest_book import GuestBook

_MEMBERS_PER_UNIT = 100
_PAUSE_SECONDS = 0.005


class Segments:
    """Computed by a job, and when somebody asks for those of a venue the first time."""

    def __init__(
        self,
        *,
        database: Database,
        directory: Directory,
        book: GuestBook,
        clock: Clock,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._directory = directory
        self._book = book
        self._clock = clock
        self._pause = pause

    async def refresh(self) -> None:
        """Computes the segments of all venues anew."""
        for venue in self._directory.venues():
            await self.compute(venue)

    async def load(self, venue: Venue) -> list[Segment]:
        """The segments of a venue as last computed; computed now, if never before."""
        found = await self._database.read(partial(stored.load_segments, venue_id=venue.id))
        if not found:
            await self.compute(venue)
            found = await self._database.read(partial(stored.load_segments, venue_id=venue.id))
        return sorted(found, key=lambda segment: KEYS.index(segment.key))

    async def compute(self, venue: Venue) -> None:
        """Computes the segments of a venue from its guests' figures."""
        await self._book.catch_up([venue])
        now_ms = self._clock.now_ms()

        def read(connection: Connection) -> tuple[list[Segment], set[tuple[str, str]], set[tuple[str, str]]]:
            guests = list(stored.walk_guests(connection, venue.id))
            thresholds = Thresholds.of(
                venue.guests,
                venue.currency,
                orders=sum(guest.orders for guest in guests),
                spend_cents=sum(guest.spend_cents for guest in guests),
            )
            members, reachable, wanted = Counter[str](), Counter[str](), set[tuple[str, str]]()
            for guest in guests:
                for key in segments_of(guest, thresholds, now_ms):
                    members[key] += 1
                    reachable[key] += is_reachable(guest)
                    wanted.add((key, guest.id))
            computed = [
                structs.replace(
                    segment,
                    members=members[segment.key],
                    reachable=reachable[segment.key],
                    computed_at_ms=now_ms,
                )
                for segment in described(thresholds)
            ]
            return computed, wanted, stored.load_members(connection, venue.id)

        computed, wanted, before = await self._database.read(read)
        joined, left = sorted(wanted - before), sorted(before - wanted)
        while joined or left:
            unit = partial(
                stored.change_members,
                venue_id=venue.id,
                joined=joined[:_MEMBERS_PER_UNIT],
                left=left[:_MEMBERS_PER_UNIT],
            )
            await self._database.write(unit)
            joined, left = joined[_MEMBERS_PER_UNIT:], left[_MEMBERS_PER_UNIT:]
            await self._pause(_PAUSE_SECONDS)
        await self._database.write(partial(stored.save_segments, venue_id=venue.id, computed=computed))


def check_segment(key: str) -> str:
    """A segment's key. Raises `NotFound`."""
    if key not in KEYS:
        raise NotFound(f"there is no segment {key[:40]!r} (there are {', '.join(KEYS)})")
    return key

"""Sold out or back in stock: here at once, at the POS as soon as it can be reached. A state, never a toggle."""

import asyncio
import logging
from enum import StrEnum
from functools import partial

from msgspec import Struct, structs
from sqlalchemy import Connection

from hub.contract.base import Capability
from hub.contract.families import HasAvailability
from hub.contract.ports import Clock
from hub.database import availability as stored
from hub.database import directory as stored_directory
from hub.database.availability import Push
from hub.database.directory import MenuSource
from hub.database.engine import Database
from hub.errors import (
    ConfigurationError,
    Conflict,
    ConnectorError,
    HubError,
    NextStep,
    NotFound,
    UnsupportedByVendor,
    VendorRateLimited,
)
from hub.model import causes
from hub.model.ids import parse_id
from hub.model.menu import Item
from hub.model.venue import Link, Venue
from hub.services.connections import Connections
from hub.services.directory import Directory

_ANSWER_SECONDS = 3.0  # how long a caller waits for the POS before it hears "queued"
_LEASE_MS = 120_000
_FIRST_PAUSE_MS, _LONGEST_PAUSE_MS = 5_000, 900_000
_log = logging.getLogger(__name__)


class AtPos(StrEnum):
    """What the POS knows of it."""

    APPLIED = "applied"
    QUEUED = "queued"
    REFUSED = "refused"
    NOT_SUPPORTED = "not_supported"


class Changed(Struct, frozen=True, kw_only=True):
    """The outcome for the caller. `orderable` says whether the item can be ordered now."""

    item: Item
    pos: AtPos
    orderable: bool


class RefusedItem(Struct, frozen=True, kw_only=True):
    """What a POS was told about an item and did not take; it waits for a person."""

    venue: Venue
    link_id: str
    item_id: str
    item_name: str
    available: bool
    cause: str
    detail: str


class Availability:
    """Marks items as sold out, and tells the POS."""

    def __init__(self, *, database: Database, directory: Directory, connections: Connections, clock: Clock) -> None:
        self._database = database
        self._directory = directory
        self._connections = connections
        self._clock = clock
        self._telling: set[asyncio.Task[AtPos]] = set()

    async def set(self, venue: Venue, item_id: str, *, available: bool) -> Changed:
        """Makes an item sold out or available; doing so twice is the same as once. Raises `NotFound`."""
        item = await self._item(venue, item_id)
        link = self._link_that_can(venue)
        now_ms = self._clock.now_ms()

        def unit(connection: Connection) -> None:
            stored_directory.set_sold_out(connection, venue.id, item.id, is_sold_out=not available, now_ms=now_ms)
            if link is not None:
                stored.want(connection, link.id, item.id, available=available, now_ms=now_ms)

        await self._database.write(unit)
        await self._directory.refresh()
        pos = AtPos.NOT_SUPPORTED if link is None else await self._tell_soon(link, item.id)
        catalog = await self._directory.catalog(venue.id)
        return Changed(item=item, pos=pos, orderable=catalog.is_available(catalog.items[item.id]))

    async def find_venue_of(self, item_id: str, venues: list[Venue]) -> Venue:
        """The venue that sells an item. Raises `NotFound`."""
        wanted = parse_id("item", item_id) or item_id
        for venue in venues:
            if wanted in (await self._directory.catalog(venue.id)).items:
                return venue
        raise _unknown(item_id)

    async def tell_due(self) -> None:
        """Tells every POS what it has yet to be told; a job."""
        now_ms = self._clock.now_ms()
        claimed = await self._database.write(
            lambda connection: stored.claim(connection, now_ms=now_ms, until_ms=now_ms + _LEASE_MS)
        )
        await asyncio.gather(*(self._tell(push) for push in claimed))

    async def load_refused(self) -> list[RefusedItem]:
        """What POS systems refused for good, with the names of the items."""
        found = []
        for push in await self._database.read(stored.load_refused):
            venue = self._directory.venue(self._directory.link(push.link_id).venue_id)
            item = (await self._directory.catalog(venue.id)).items.get(push.item_id)
            found.append(
                RefusedItem(
                    venue=venue,
                    link_id=push.link_id,
                    item_id=push.item_id,
                    item_name=push.item_id if item is None else item.name,
                    available=push.available,
                    cause=push.cause,
                    detail=push.detail,
                )
            )
        return found

    async def tell_again(self, refused: RefusedItem) -> AtPos:
        """Tells the POS once more. Raises `Conflict` when nothing waits any more."""
        link, now_ms = self._directory.link(refused.link_id), self._clock.now_ms()
        unit = partial(stored.try_again, link_id=link.id, item_id=refused.item_id, now_ms=now_ms)
        if not await self._database.write(unit):
            raise Conflict(f"{refused.item_name}: nothing waits for a person any more")
        return await self._tell_soon(link, refused.item_id)

    async def dismiss(self, refused: RefusedItem) -> None:
        """Tells the POS nothing more of it: a person saw to it there. Raises `Conflict` when nothing waits any more."""
        unit = partial(stored.dismiss, link_id=refused.link_id, item_id=refused.item_id)
        if not await self._database.write(unit):
            raise Conflict(f"{refused.item_name}: nothing waits for a person any more")

    async def _item(self, venue: Venue, item_id: str) -> Item:
        catalog = await self._directory.catalog(venue.id)
        item = catalog.items.get(parse_id("item", item_id) or item_id)
        if item is None or item.retired:
            raise _unknown(item_id)
        return item

    def _link_that_can(self, venue: Venue) -> Link | None:
        link = self._directory.link_of(venue.id)
        if link is None:
            return None
        try:
            connector = self._connections.pos(link.id)
        except ConfigurationError:
            return link  # once the settings are right the POS is told, if it can be
        return link if Capability.SET_ITEM_AVAILABILITY in connector.capabilities else None

    async def _tell_soon(self, link: Link, item_id: str) -> AtPos:
        """Tells the POS now if it answers soon; otherwise it is told later."""
        now_ms = self._clock.now_ms()
        one = (link.id, item_id)
        claimed = await self._database.write(
            lambda connection: stored.claim(connection, now_ms=now_ms, until_ms=now_ms + _LEASE_MS, one=one)
        )
        if not claimed:  # somebody is telling it another state at this moment
            return AtPos.QUEUED
        telling = asyncio.create_task(self._tell(claimed[0]))
        self._telling.add(telling)  # it goes on when the caller is answered
        telling.add_done_callback(self._telling.discard)
        done, _ = await asyncio.wait([telling], timeout=_ANSWER_SECONDS)
        return telling.result() if done else AtPos.QUEUED

    async def _tell(self, push: Push) -> AtPos:
        """One try at one push."""
        try:
            link = self._directory.link(push.link_id)
            if link.paused_cause:
                return await self._postpone(push, _FIRST_PAUSE_MS, link.paused_cause, "")
            connector = self._connections.pos(link.id)
            if not isinstance(connector, HasAvailability):
                raise UnsupportedByVendor(f"{link.connector} offers no set_item_availability")
            item = (await self._directory.catalog(link.venue_id)).items.get(push.item_id)
            if item is not None:  # else the menu lost it meanwhile
                await connector.set_item_availability(item, available=push.available)
            await self._database.write(lambda connection: _told(connection, link, push, self._clock.now_ms()))
            await self._directory.refresh()
            return AtPos.APPLIED
        except UnsupportedByVendor:
            await self._database.write(lambda connection: stored.finish(connection, push))
            return AtPos.NOT_SUPPORTED
        except (ConnectorError, ConfigurationError, NotFound) as problem:
            return await self._failed(push, problem)

    async def _failed(self, push: Push, problem: HubError) -> AtPos:
        _log.warning("item %s at link %s: %s", push.item_id, push.link_id, problem.message)
        if not isinstance(problem, ConnectorError):
            return await self._postpone(push, _LONGEST_PAUSE_MS, causes.LINK_MISCONFIGURED, problem.message)
        if isinstance(problem, VendorRateLimited):
            pause_ms = int(problem.retry_after_seconds * 1000)
            return await self._postpone(push, pause_ms, causes.POS_RATE_LIMITED, problem.message)
        if problem.next_step is NextStep.NEVER:
            await self._postpone(push, None, causes.POS_REJECTED, problem.message)
            return AtPos.REFUSED
        if problem.next_step is NextStep.PAUSE:
            return await self._postpone(push, _LONGEST_PAUSE_MS, causes.POS_AUTH_FAILED, problem.message)
        pause_ms = min(_FIRST_PAUSE_MS << min(push.attempts, 10), _LONGEST_PAUSE_MS)
        return await self._postpone(push, pause_ms, causes.POS_UNREACHABLE, problem.message)

    async def _postpone(self, push: Push, pause_ms: int | None, cause: str, detail: str) -> AtPos:
        due_at_ms = None if pause_ms is None else self._clock.now_ms() + pause_ms
        await self._database.write(
            lambda connection: stored.postpone(connection, push, due_at_ms=due_at_ms, cause=cause, detail=detail)
        )
        return AtPos.QUEUED


def _told(connection: Connection, link: Link, push: Push, now_ms: int) -> None:
    """The POS took the state over, so its word about the item in the stored menu is this one from now on."""
    stored.finish(connection, push)
    menu = stored_directory.load_menu(connection, link.venue_id)
    items = tuple(
        structs.replace(item, available=push.available) if item.id == push.item_id else item for item in menu.items
    )
    source = stored_directory.load_menu_source(connection, link.venue_id)
    if items != menu.items and source == MenuSource.POS:
        changed = structs.replace(menu, items=items)
        stored_directory.save_menu(connection, link.venue_id, changed, source=source, now_ms=now_ms)


def _unknown(item_id: str) -> NotFound:
    return NotFound(f"itemId: there is no item {item_id[:100]!r} here", field="itemId", code="ITEM_UNKNOWN")

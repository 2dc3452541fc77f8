"""Guests sit down: what channels ask about tables and tabs is carried out here, in the hub's own words."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from itertools import islice

from sqlalchemy import Connection

from hub.contract.base import Capability
from hub.contract.inbound import (
    Command,
    CommandResult,
    GetTab,
    ListTables,
    ListTabs,
    OpenTab,
    Tab,
    TablesResult,
    TabResult,
    TabsResult,
)
from hub.contract.ports import Clock
from hub.contract.registry import Registry
from hub.database.engine import Database
from hub.database.floor import load_floor
from hub.database.order_reads import load_order
from hub.database.tabs import KnownTab, TabWindow, find_tab, known_tabs, may_see, walk_tabs
from hub.errors import ConfigurationError, Conflict, ConnectorError, Forbidden, InvalidRequest, NotFound
from hub.model.ids import NewId, parse_id
from hub.model.order import Order
from hub.model.venue import Link, Venue, seating_owner
from hub.services.directory import Directory
from hub.services.new_tab import check_wanted, new_tab
from hub.services.orders import new_submission
from hub.services.party import Outcome, Party, Seated, sit_down
from hub.services.tables import TableMap

_LOOK_SECONDS = 2.0
_TRIES_WHILE_MENU_CHANGES = 5
_WINDOW_MS = 45 * 86_400_000  # closed orders stay readable for 45 days
_LONGEST_ID = 200
_OURSELVES = "hub"
_log = logging.getLogger(__name__)


class Seating:
    """Carries out channels' commands. `look` polls a link to a POS once; `on_queued` is told the link that has
    something to send."""

    def __init__(
        self,
        *,
        database: Database,
        directory: Directory,
        registry: Registry,
        tables: TableMap,
        look: Callable[[str], Awaitable[object]],
        clock: Clock,
        new_id: NewId,
        on_queued: Callable[[str], None],
        look_seconds: float = _LOOK_SECONDS,
    ) -> None:
        self._database = database
        self._directory = directory
        self._registry = registry
        self._tables = tables
        self._look = look
        self._clock = clock
        self._new_id = new_id
        self._on_queued = on_queued
        self._look_seconds = look_seconds

    async def carry_out(self, link: Link, command: Command) -> CommandResult:
        """Does what a channel asks at its venue.

        Raises `InvalidRequest` naming the field, `NotFound`, `Forbidden` (code `SEATING_NOT_YOURS`: somebody else
        says where guests sit) or `Conflict` (code `TABLE_OCCUPIED`, naming the table and the order).
        """
        if isinstance(command, ListTables):
            return TablesResult(await self._tables.as_seen(link.venue_id))
        if isinstance(command, OpenTab):
            return TabResult(await self._open(link, command))
        if isinstance(command, GetTab):
            return TabResult(await self._get(link, command.order_id))
        return TabsResult(await self._list(link, command))

    async def seat(self, venue: Venue, wanted: OpenTab, *, actor: str) -> Order:
        """Seats a party in the hub's own name, for a reservation or from the waitlist; the same `channel_order_id`
        again is the same tab. Raises what `carry_out` raises."""
        link = Link(id="", venue_id=venue.id, connector=_OURSELVES, role="channel", name=actor)
        return (await self._open(link, wanted, says=("hub",))).order

    async def _open(self, link: Link, wanted: OpenTab, *, says: tuple[str, ...] = ()) -> Tab:
        check_wanted(wanted)
        venue = self._directory.venue(link.venue_id)
        owner = seating_owner(venue, self._directory.channels_of(venue.id))
        may_open = owner in (says or (link.label,))
        if not may_open and owner != "pos":
            raise _not_yours(link, venue, owner)
        if not await self._database.read(lambda connection: _sits_there(connection, link, wanted)):
            await self._look_at_pos(venue)
        for _ in range(_TRIES_WHILE_MENU_CHANGES):
            seated = await self._sit_down(link, venue, wanted, may_open=may_open)
            if seated.outcome is not Outcome.MENU_CHANGED:
                return self._answer(link, venue, wanted, seated, owner)
            await self._directory.refresh()
        raise Conflict("the store's menu is changing at this moment; repeat the request")

    async def _sit_down(self, link: Link, venue: Venue, wanted: OpenTab, *, may_open: bool) -> Seated:
        catalog = await self._directory.catalog(venue.id)
        pos_link = self._directory.link_of(venue.id)
        now_ms, new_id = self._clock.now_ms(), self._new_id
        pos = None if pos_link is None else self._registry.get(pos_link.connector).pos

        def build(tables: tuple[str, ...]) -> Order:
            return new_tab(wanted, tables, link=link, venue=venue, catalog=catalog, now_ms=now_ms, new_id=new_id)

        def submits(order: Order) -> bool:
            return pos is not None and (pos.opens_empty_orders or any(check.lines for check in order.checks))

        party = Party(
            link=link,
            venue=venue,
            wanted=wanted,
            catalog_version=catalog.version,
            build=build,
            submit=lambda order: (
                new_submission(pos_link, pos, venue, order, new_id)
                if pos_link is not None and pos is not None and submits(order)
                else None
            ),
            may_open=may_open,
            new_id=new_id,
            now_ms=now_ms,
        )
        seated = await self._database.write(lambda connection: sit_down(connection, party))
        if seated.outcome is Outcome.OPENED and pos_link is not None:
            self._on_queued(pos_link.id)
        return seated

    def _answer(self, link: Link, venue: Venue, wanted: OpenTab, seated: Seated, owner: str) -> Tab:
        if seated.outcome is Outcome.OCCUPIED and seated.order is not None:
            raise Conflict(
                f"tables: table {seated.table} is occupied by order {seated.order.number}",
                field="tables",
                code="TABLE_OCCUPIED",
            )
        if seated.order is None:
            raise _not_yours(link, venue, owner)
        return Tab(order=seated.order, channel_order_id=wanted.channel_order_id)

    async def _look_at_pos(self, venue: Venue) -> None:
        """Takes in what the staff opened a moment ago, if the POS tells in time; guests do not wait for it."""
        link = self._directory.link_of(venue.id)
        if link is None or link.paused_cause or link.pos_orders == "ignore":
            return
        if Capability.LIST_ORDERS not in self._registry.get(link.connector).pos.capabilities:
            return
        try:
            async with asyncio.timeout(self._look_seconds):
                await self._look(link.id)
        except (TimeoutError, ConnectorError, ConfigurationError) as problem:
            _log.info("venue %s: seated without a look at the POS: %s", venue.slug, problem)

    async def _get(self, link: Link, order_id: str) -> Tab:
        if not 1 <= len(order_id) <= _LONGEST_ID or not order_id.isprintable():
            raise NotFound("there is no such order")
        tab = await self._database.read(lambda connection: _find(connection, link, order_id))
        if tab is None:
            raise NotFound(f"there is no order {order_id!r}")
        return tab

    async def _list(self, link: Link, wanted: ListTabs) -> list[Tab]:
        if wanted.offset < 0 or (wanted.limit is not None and wanted.limit < 0):
            raise InvalidRequest("offset: offset and limit are not below 0", field="offset")
        now_ms = self._clock.now_ms()
        window = TabWindow(
            from_ms=now_ms - _WINDOW_MS if wanted.from_ms is None else wanted.from_ms,
            until_ms=now_ms + 1 if wanted.until_ms is None else wanted.until_ms,
            is_open=wanted.is_open,
        )
        end = None if wanted.limit is None else wanted.offset + wanted.limit

        def query(connection: Connection) -> list[Tab]:
            return [_tab(known) for known in islice(walk_tabs(connection, link, window), wanted.offset, end)]

        return await self._database.read(query)


def _not_yours(link: Link, venue: Venue, owner: str) -> Forbidden:
    who = {"pos": "its POS", "hub": "the hub"}.get(owner, owner)
    return Forbidden(
        f"{link.label} may not seat guests at {venue.slug}: {who} does (`seating` of the venue)",
        code="SEATING_NOT_YOURS",
    )


def _sits_there(connection: Connection, link: Link, wanted: OpenTab) -> bool:
    """Whether this party is known and does not move: then the POS need not be asked."""
    known = find_tab(connection, link, wanted.channel_order_id)
    if known is None:
        return False
    floor = load_floor(connection, link.venue_id)
    return floor.spots(known.tables) == floor.spots(wanted.tables)


def _find(connection: Connection, link: Link, order_id: str) -> Tab | None:
    order = find_tab(connection, link, order_id)
    if order is None:
        record = load_order(connection, parse_id("order", order_id) or order_id)
        order = None if record is None else record.order
    if order is None:
        return None
    [known] = known_tabs(connection, link, [order])
    return _tab(known) if may_see(link, known) else None


def _tab(known: KnownTab) -> Tab:
    return Tab(order=known.order, channel_order_id=known.channel_order_id)

"""A venue's menu: synced from its POS, or kept in the hub; and the hub's own sold-out list."""

import logging
from collections.abc import Callable

from msgspec import structs
from sqlalchemy import Connection

from hub.contract.base import Capability
from hub.contract.ports import Clock
from hub.database import directory as stored
from hub.database import link_state
from hub.database.directory import MenuSource
from hub.database.engine import Database
from hub.database.link_state import CodeRow
from hub.errors import UnsupportedByVendor
from hub.model.menu import Menu
from hub.services.connections import Connections
from hub.services.directory import Directory
from hub.services.tables import sync_tables

_log = logging.getLogger(__name__)


class Catalogs:
    """Brings menus in."""

    def __init__(self, *, database: Database, directory: Directory, connections: Connections, clock: Clock) -> None:
        self._database = database
        self._directory = directory
        self._connections = connections
        self._clock = clock

    async def sync(self, link_id: str, progress: Callable[[str], None] = lambda words: None) -> bool:
        """Reads the menu, the venue's codes and its tables from the POS; returns whether the menu changed.

        Items that are gone stay known as retired, so that old orders keep their meaning. A menu that was declared
        in a file stays: only codes and tables are read. Raises `ConnectorError`.
        """
        connector = self._connections.pos(link_id)
        venue_id = self._directory.link(link_id).venue_id
        if Capability.FETCH_CODES in connector.capabilities:
            progress("reading the venue's codes")
            codes = await connector.fetch_codes()
            rows = [CodeRow(code_table=c.table, code_id=c.id, name=c.name, detail=c.detail) for c in codes]
            await self._database.write(lambda connection: link_state.replace_codes(connection, link_id, rows))
        await sync_tables(self._database, connector, venue_id, now_ms=self._clock.now_ms())
        if await self._database.read(lambda connection: _is_from_file(connection, venue_id)):
            return False
        progress("reading the menu")
        fetched = _sellable(await connector.fetch_menu())
        return await self.replace(venue_id, fetched, source=MenuSource.POS)

    async def replace(self, venue_id: str, menu: Menu, *, source: str) -> bool:
        """Stores a menu if it differs from the one there is; the POS's never takes the place of one from a file."""
        before = await self._database.read(lambda connection: stored.load_menu(connection, venue_id))
        after = with_retired(before, menu)
        if after == before:
            return False
        now_ms = self._clock.now_ms()

        def unit(connection: Connection) -> bool:
            if source == MenuSource.POS and _is_from_file(connection, venue_id):  # declared while the POS answered
                return False
            stored.save_menu(connection, venue_id, after, source=source, now_ms=now_ms)
            return True

        saved = await self._database.write(unit)
        await self._directory.refresh()
        return saved

    async def sync_if_possible(self, link_id: str) -> bool:
        """`sync`, or False where the POS has no menu to read."""
        try:
            return await self.sync(link_id)
        except UnsupportedByVendor:
            return False


def _sellable(menu: Menu) -> Menu:
    """The menu with items of a negative price as sold out: a POS's mistake that nobody may order at.

    A negative price of a modifier is a reduction, and stays.
    """
    wrong = {item.id for item in menu.items if item.price_cents < 0 and item.available}
    if not wrong:
        return menu
    _log.warning("items with a negative price are not sold: %s", ", ".join(sorted(wrong))[:200])
    items = tuple(structs.replace(item, available=False) if item.id in wrong else item for item in menu.items)
    return structs.replace(menu, items=items)


def _is_from_file(connection: Connection, venue_id: str) -> bool:
    return stored.load_menu_source(connection, venue_id) == MenuSource.FILE


def with_retired(before: Menu, after: Menu) -> Menu:
    """The new menu, with items of the old one that are gone kept at its end as retired."""
    present = {item.id for item in after.items}
    gone = [structs.replace(item, retired=True, available=False) for item in before.items if item.id not in present]
    return structs.replace(after, items=(*after.items, *gone)) if gone else after

"""The table map of a venue: from its POS and its file, with the names tables go by and who sits where."""

from collections.abc import Sequence

from msgspec import Struct, structs
from sqlalchemy import Connection

from hub.contract.base import Capability, PosConnector
from hub.contract.families import HasTables
from hub.contract.ports import Clock
from hub.database import floor as stored
from hub.database import orders as stored_orders
from hub.database.engine import Database
from hub.database.floor import LONGEST_NAME, StoredTable, UnknownName
from hub.database.order_reads import load_open_orders
from hub.database.tabs import is_live, lock_order
from hub.errors import InvalidRequest, NotFound
from hub.model.floor import Floor
from hub.model.ids import NewId
from hub.model.order import Order
from hub.model.table import Table, TableStatus, pos_table_id, table_key


class TableSeen(Struct, frozen=True, kw_only=True):
    """A table as the hub sees it, with the order that sits there."""

    table: Table
    order: Order | None = None


class TableMap:
    """Reads and mends the table map."""

    def __init__(self, *, database: Database, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    async def seen(self, venue_id: str) -> list[TableSeen]:
        """The venue's tables: occupied where an open order sits, else as the POS said last."""
        return await self._database.read(lambda connection: _seen(connection, venue_id))

    async def as_seen(self, venue_id: str) -> list[Table]:
        """The same without the orders."""
        return [entry.table for entry in await self.seen(venue_id)]

    async def unknown(self, venue_id: str | None = None) -> list[UnknownName]:
        """The names that wait for a person."""
        return await self._database.read(lambda connection: stored.load_unknown(connection, venue_id))

    async def map(self, venue_id: str, name: str, table: str, *, actor: str) -> Table:
        """Says which table a name means, from now on and for the guests who sit there already.

        Raises `NotFound` when there is no such table, `InvalidRequest` when the name is a table of its own.
        """
        if not 1 <= len(name.strip()) <= LONGEST_NAME:
            raise InvalidRequest(f"name: 1 to {LONGEST_NAME} characters", field="name")
        now_ms = self._clock.now_ms()

        def unit(connection: Connection) -> Table:
            stored.lock_venue(connection, venue_id)
            floor = stored.load_floor(connection, venue_id)
            found = floor.find(table)
            if found is None:
                raise NotFound(f"there is no table {table!r}; `openpos-hub tables list` names them")
            own = floor.find(name)
            if own is not None and table_key(own.name) == table_key(name) and own.id != found.id:
                raise InvalidRequest(f"name: {own.name!r} is a table of its own", field="name")
            stored.save_alias(connection, venue_id, name, found.id, now_ms=now_ms)
            after = stored.load_floor(connection, venue_id)
            for order in load_open_orders(connection, venue_id):
                if is_live(order) and after.named(order.tables) != order.tables:
                    self._rename(connection, order.id, after, actor, now_ms)
            return found

        return await self._database.write(unit)

    def _rename(self, connection: Connection, order_id: str, floor: Floor, actor: str, now_ms: int) -> None:
        order = lock_order(connection, order_id)
        tables = floor.named(order.tables)
        stored_orders.save_change(
            connection,
            order,
            structs.replace(order, tables=tables, updated_at_ms=now_ms),
            event_id=self._new_id("evt"),
            kind="table_mapped",
            actor=actor,
            detail=f"{', '.join(order.tables)} -> {', '.join(tables)}",
        )


async def sync_tables(database: Database, connector: PosConnector, venue_id: str, *, now_ms: int) -> None:
    """Reads the tables of a POS that knows any. Raises `ConnectorError`."""
    if Capability.FETCH_TABLES not in connector.capabilities or not isinstance(connector, HasTables):
        return
    fetched = await connector.fetch_tables()
    await database.write(lambda connection: replace_pos_tables(connection, venue_id, fetched, now_ms=now_ms))


def replace_pos_tables(connection: Connection, venue_id: str, fetched: Sequence[Table], *, now_ms: int) -> None:
    """Takes over the tables of a POS. A table keeps its id when it is renamed there, and its old name is remembered;
    one that is gone there is retired, unless the file declares it."""
    known = stored.load_tables(connection, venue_id)
    by_vendor = {entry.vendor_id: entry for entry in known if entry.vendor_id}
    by_name = {table_key(entry.table.name): entry for entry in known if not entry.vendor_id}
    saved: dict[str, StoredTable] = {}
    for table in fetched:
        own = by_vendor.get(table.id) or by_name.pop(table_key(table.name), None)
        entry = _from_pos(venue_id, own, table)
        saved[entry.table.id] = entry
        if own is not None and table_key(own.table.name) != table_key(entry.table.name):
            stored.save_alias(connection, venue_id, own.table.name, own.table.id, now_ms=now_ms)
    for entry in known:
        if entry.table.id not in saved and entry.vendor_id:
            untold = structs.replace(entry.table, status=TableStatus.UNKNOWN)
            saved[entry.table.id] = structs.replace(entry, table=untold, vendor_id="", retired=not entry.declared)
    stored.save_tables(connection, venue_id, [entry for entry in saved.values() if entry not in known])


def replace_declared_tables(connection: Connection, venue_id: str, declared: Sequence[Table]) -> bool:
    """Takes over the tables of the file; says whether anything changed. One that is gone from it stays if the POS
    knows it."""
    known = stored.load_tables(connection, venue_id)
    by_key = {table_key(entry.table.name): entry for entry in known}
    saved: dict[str, StoredTable] = {}
    for table in declared:
        own = by_key.get(table_key(table.name))
        told = StoredTable(table=table, declared=True) if own is None else own
        kept = structs.replace(told.table, name=table.name, seats=table.seats, area=table.area)
        entry = structs.replace(told, table=kept, declared=True, retired=False)
        saved[entry.table.id] = entry
    for entry in known:
        if entry.table.id not in saved and entry.declared:
            saved[entry.table.id] = structs.replace(entry, declared=False, retired=not entry.vendor_id)
    changed = [entry for entry in saved.values() if entry not in known]
    stored.save_tables(connection, venue_id, changed)
    return bool(changed)


def _from_pos(venue_id: str, own: StoredTable | None, told: Table) -> StoredTable:
    """A table as the POS tells it; what the file says of it stays as it says."""
    name, area = told.name.strip()[:LONGEST_NAME], told.area[:LONGEST_NAME]
    if own is None:
        kept = Table(id=pos_table_id(venue_id, told.id), name=name, seats=told.seats, area=area, status=told.status)
        return StoredTable(table=kept, declared=False, vendor_id=told.id)
    kept = structs.replace(own.table, status=told.status)
    if not own.declared:
        kept = structs.replace(kept, name=name, seats=told.seats, area=area)
    return structs.replace(own, table=kept, vendor_id=told.id, retired=False)


def _seen(connection: Connection, venue_id: str) -> list[TableSeen]:
    floor = stored.load_floor(connection, venue_id)
    sitting: dict[str, Order] = {}
    for order in load_open_orders(connection, venue_id):
        if is_live(order):
            for spot in floor.spots(order.tables):
                sitting.setdefault(spot, order)
    return [
        TableSeen(
            table=structs.replace(table, status=_status(table, sitting.get(table.id))), order=sitting.get(table.id)
        )
        for table in floor.tables
    ]


def _status(table: Table, order: Order | None) -> TableStatus:
    if order is not None:
        return TableStatus.OCCUPIED
    return table.status if table.status in (TableStatus.RESERVED, TableStatus.BLOCKED) else TableStatus.FREE

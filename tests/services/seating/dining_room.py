"""A dining room: a venue with a POS and a channel, and what its seating service is asked."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy import Connection, select

from hub.contract.base import PosConnector
from hub.contract.channel import ChannelConnector
from hub.contract.inbound import GetTab, ListTables, ListTabs, OpenTab, Tab, TablesResult, TabResult, TabsResult
from hub.contract.manifest import Manifest
from hub.contract.registry import Registration, Registry
from hub.contract.tables import VendorTables
from hub.database import directory as stored_directory
from hub.database.engine import Database
from hub.database.order_reads import load_events, load_order
from hub.database.orders import place_orders
from hub.database.tables import deliveries, orders
from hub.database.vendor_refs import save_ref
from hub.model.check import Check, Line, Totals
from hub.model.order import MoneyAudit, Order, Origin, Timing, VendorRef
from hub.model.status import OrderType
from hub.model.table import Table
from hub.model.venue import Link, Venue
from hub.services.directory import Directory
from hub.services.seating import Seating
from hub.services.tables import TableMap, replace_pos_tables
from tests.contract.ports import StandingClock
from tests.database.stored import DAY, LINK, NOW, OTHER_VENUE, PLOV, VENUE, counting_ids, new_id, new_order
from tests.services.fake_pos import PlainPos

CHANNEL = Link(id="link_" + "5" * 32, venue_id=VENUE.id, connector="book", role="channel")
SECOND = Link(id="link_" + "6" * 32, venue_id=VENUE.id, connector="ring", role="channel")
ELSEWHERE = Link(id="link_" + "7" * 32, venue_id=OTHER_VENUE.id, connector="book", role="channel")
FLOOR = tuple(Table(id=str(number), name=f"T{number}", seats=4, area="Hall") for number in range(1, 9))


class DraftPos(PlainPos):
    """Opens a table's order before anything was ordered."""

    opens_empty_orders = True


class ListingPos(PlainPos):
    """Can tell what is open."""

    async def list_orders(self, *, since_ms: int) -> Sequence[Any]:
        return ()


def registry_of(pos: type[PosConnector]) -> Registry:
    """The POS `till` and two channels, which only the names of matter here."""
    tables = VendorTables("till", {})

    def registration(name: str, role: Any, connector: Any) -> Registration:
        manifest = Manifest(id=name, name=name.title(), role=role, docs="https://example.com", secret_headers=())
        return Registration(connector=connector, manifest=manifest, config_schema={}, tables=tables)

    channels = {name: registration(name, "channel", ChannelConnector) for name in ("book", "ring")}
    return Registry({"till": registration("till", "pos", pos), **channels})


class DiningRoom:
    """The seating service of one process."""

    def __init__(
        self,
        database: Database,
        clock: StandingClock,
        *,
        pos: type[PosConnector] = PlainPos,
        look: Callable[[str], Awaitable[object]] | None = None,
        process: int = 1,
        registry: Registry | None = None,
    ) -> None:
        self.database, self.clock = database, clock
        self.woken: list[str] = []
        self.directory = Directory(database)
        self.registry = registry or registry_of(pos)
        self.new_id = counting_ids(NOW + (process + 1) * DAY)
        self.tables = TableMap(database=database, clock=clock, new_id=self.new_id)
        self.seating = Seating(
            database=database,
            directory=self.directory,
            registry=self.registry,
            tables=self.tables,
            look=look or self._no_look,
            clock=clock,
            new_id=self.new_id,
            on_queued=self.woken.append,
            look_seconds=0.05,
        )

    async def _no_look(self, link_id: str) -> None:
        raise AssertionError("this POS can list nothing")

    async def open_doors(self, *channels: Link, tables: Sequence[Table] = FLOOR, venue: Venue = VENUE) -> "DiningRoom":
        """Declares channels (one, when none is named) and the POS's tables."""

        def unit(connection: Connection) -> None:
            stored_directory.save_venue(connection, venue)
            for link in channels or (CHANNEL,):
                stored_directory.save_link(connection, link)
            replace_pos_tables(connection, VENUE.id, tables, now_ms=NOW)

        self.database.run_now(unit)
        await self.directory.refresh()
        return self

    async def open(self, *tables: str, link: Link = CHANNEL, **values: Any) -> Tab:
        command = OpenTab(tables=tables, **{"channel_order_id": "b-1", "party_size": 4, **values})
        result = await self.seating.carry_out(link, command)
        assert isinstance(result, TabResult)
        return result.tab

    async def get(self, order_id: str, link: Link = CHANNEL) -> Tab:
        result = await self.seating.carry_out(link, GetTab(order_id=order_id))
        assert isinstance(result, TabResult)
        return result.tab

    async def tabs(self, link: Link = CHANNEL, **values: Any) -> Sequence[Tab]:
        result = await self.seating.carry_out(link, ListTabs(**values))
        assert isinstance(result, TabsResult)
        return result.tabs

    async def list_tables(self, link: Link = CHANNEL) -> Sequence[Table]:
        result = await self.seating.carry_out(link, ListTables())
        assert isinstance(result, TablesResult)
        return result.tables

    def stored(self, order_id: str) -> Order:
        record = self.database.read_now(lambda connection: load_order(connection, order_id))
        assert record is not None
        return record.order

    def kinds(self, order_id: str) -> list[str]:
        return [event.kind for event in self.database.read_now(lambda c: load_events(c, order_id))]

    def order_count(self) -> int:
        return len(self.database.read_now(lambda c: c.execute(select(orders.c.id)).all()))

    def told(self, link: Link = CHANNEL) -> list[str]:
        """What is queued for a link, in order."""
        query = select(deliveries.c.operation).where(deliveries.c.link_id == link.id, deliveries.c.state == "pending")
        return list(self.database.read_now(lambda c: c.execute(query.order_by(deliveries.c.seq)).scalars().all()))

    def opened_at_the_pos(self, *tables: str, id_there: str = "till-1", at_ms: int = NOW) -> Order:
        """An order that a poll picked up at the POS."""
        return opened_at_the_pos(self.database, *tables, id_there=id_there, at_ms=at_ms)


def opened_at_the_pos(database: Database, *tables: str, id_there: str = "till-1", at_ms: int = NOW) -> Order:
    """An order that a poll picked up at the POS."""
    line = Line(uid="1", item_id=PLOV.id, name="Plov", quantity=2, unit_cents=1800, gross_cents=3600)
    totals = Totals(subtotal_cents=3600, total_cents=3600)
    item = new_order(link=None, at_ms=at_ms)
    order = Order(
        id=item.order.id,
        venue_id=VENUE.id,
        order_type=OrderType.DINE_IN,
        origin=Origin(system="pos:till", order_id=id_there),
        timing=Timing(timezone=VENUE.timezone, business_date="2026-11-18"),
        currency=VENUE.currency,
        checks=(Check(id=new_id("chk"), lines=(line,), totals=totals),),
        tables=tables,
        money_audit=MoneyAudit(computed_cents=3600),
        created_at_ms=at_ms,
        updated_at_ms=at_ms,
    )
    placed = type(item)(**{name: getattr(item, name) for name in item.__struct_fields__} | {"order": order})

    def unit(connection: Connection) -> None:
        place_orders(connection, [placed])
        save_ref(connection, LINK.id, VendorRef(kind="order", id=id_there), order.id, now_ms=at_ms)

    database.run_now(unit)
    return order

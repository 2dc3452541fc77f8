"""A quote tells what an order would cost, and ordering from it makes one order at that price or none."""

import pytest
from msgspec import structs
from sqlalchemy import select

from hub.contract.registry import Registry
from hub.database import directory as stored
from hub.database.engine import Database
from hub.database.order_reads import load_order
from hub.database.tables import orders as orders_table
from hub.database.tables import quotes as quotes_table
from hub.errors import Forbidden, InvalidRequest, NotFound
from hub.model.menu import Menu
from hub.model.order import Customer, OrderRecord
from hub.model.status import OrderType
from hub.model.venue import Policies
from hub.services.directory import Directory
from hub.services.orders import Orders, Placed
from hub.services.quotes import Additions, Quote, Quotes
from hub.services.requests import Caller, LineRequest, OrderRequest
from tests.contract.ports import StandingClock
from tests.database.stored import LINK, NOW, OTHER_VENUE, PLOV, VENUE, counting_ids

pytestmark = pytest.mark.anyio

KEY = Caller(id="key_1", name="agent", scopes=frozenset({"read", "write"}))
OTHER_KEY = structs.replace(KEY, id="key_2")
ANYBODY = Caller(id="anonymous:203.0.113.5", name="web")
WANTED = OrderRequest(venue_id=VENUE.id, order_type=OrderType.PICKUP, lines=(LineRequest(item_id=PLOV.id, quantity=2),))
NOTHING = Additions()


class House:
    """Quotes and orders of a venue without a POS."""

    def __init__(self, database: Database, clock: StandingClock, directory: Directory) -> None:
        new_id = counting_ids()
        self.database, self.clock, self.directory = database, clock, directory
        self.quotes = Quotes(database=database, directory=directory, clock=clock, new_id=new_id)
        self.orders = Orders(
            database=database,
            directory=directory,
            registry=Registry({}),
            clock=clock,
            new_id=new_id,
            on_placed=lambda link_id: None,
        )

    async def quote(self, request: OrderRequest = WANTED, caller: Caller = KEY) -> str:
        """The id of a new quote."""

        def render(quote: Quote) -> str:
            return f"{quote.id} {quote.order.totals.total_cents}"

        return (await self.quotes.make(request, caller, render=render)).split()[0]

    async def order(self, quote_id: str, caller: Caller = KEY, additions: Additions = NOTHING) -> Placed:
        """Orders from a quote, as the API does."""
        request = await self.quotes.load_order(quote_id, caller, additions)
        return await self.orders.place(request, caller, idempotency_key=quote_id, render=_number)

    def count(self) -> int:
        return len(self.database.read_now(lambda connection: connection.execute(select(orders_table)).all()))


def _number(record: OrderRecord) -> str:
    return record.order.number


@pytest.fixture
async def house(database: Database, clock: StandingClock) -> House:
    database.run_now(
        lambda connection: stored.save_venue(connection, structs.replace(VENUE, policies=Policies(practice=True)))
    )
    directory = Directory(database)
    await directory.refresh()
    return House(database, clock, directory)


async def test_a_quote_orders_nothing_and_ordering_from_it_twice_makes_one_order(house: House) -> None:
    quote_id = await house.quote()
    assert house.count() == 0
    first = await house.order(quote_id)
    again = await house.order(quote_id)
    assert (first.answer, first.replayed) == ("DT-001", False)
    assert (again.answer, again.replayed) == ("DT-001", True)
    record = house.database.read_now(lambda connection: load_order(connection, first.order_id))
    assert record is not None
    assert (record.order.totals.total_cents, record.order.origin.order_id) == (3600, quote_id)
    assert house.count() == 1


async def test_a_repetition_is_answered_when_the_quote_is_over_and_the_price_has_changed(house: House) -> None:
    quote_id = await house.quote()
    placed = await house.order(quote_id)
    house.clock.advance(3600)
    dearer = Menu(items=(structs.replace(PLOV, price_cents=2000),))
    house.database.run_now(lambda c: stored.save_menu(c, VENUE.id, dearer, source="pos", now_ms=NOW))
    await house.directory.refresh()
    assert (await house.order(quote_id)).order_id == placed.order_id


async def test_a_quote_ends_after_a_quarter_of_an_hour(house: House) -> None:
    quote_id = await house.quote()
    house.clock.advance(15 * 60)
    house.clock.advance(1)
    with pytest.raises(InvalidRequest) as refused:
        await house.order(quote_id)
    assert (refused.value.code, refused.value.field, house.count()) == ("QUOTE_EXPIRED", "quoteId", 0)


async def test_an_order_costs_what_was_quoted_or_is_refused(house: House) -> None:
    quote_id = await house.quote()
    dearer = Menu(items=(structs.replace(PLOV, price_cents=2000),))
    house.database.run_now(lambda c: stored.save_menu(c, VENUE.id, dearer, source="pos", now_ms=NOW))
    await house.directory.refresh()
    with pytest.raises(InvalidRequest, match=r"from ₼36\.00 to ₼40\.00") as refused:
        await house.order(quote_id)
    assert (refused.value.code, house.count()) == ("QUOTE_OUTDATED", 0)


async def test_the_guest_may_be_named_when_ordering(house: House) -> None:
    quote_id = await house.quote()
    placed = await house.order(quote_id, additions=Additions(customer=Customer(name="Alice"), note="quick"))
    record = house.database.read_now(lambda connection: load_order(connection, placed.order_id))
    assert record is not None and record.order.customer is not None
    assert (record.order.customer.name, record.order.note) == ("Alice", "quick")


async def test_a_quote_belongs_to_the_key_it_was_made_with(house: House) -> None:
    quote_id = await house.quote()
    for caller in (OTHER_KEY, ANYBODY):
        with pytest.raises(NotFound):
            await house.order(quote_id, caller)
    with pytest.raises(Forbidden):
        await house.order(quote_id, structs.replace(KEY, venue_id=OTHER_VENUE.id))


async def test_without_a_key_whoever_knows_a_quote_may_order_it_once(house: House) -> None:
    quote_id = await house.quote(caller=ANYBODY)
    first = await house.order(quote_id, ANYBODY)
    moved = structs.replace(ANYBODY, id="anonymous:198.51.100.9")
    assert (await house.order(quote_id, moved)).order_id == first.order_id
    with pytest.raises(NotFound):
        await house.order(quote_id, KEY)


@pytest.mark.parametrize("quote_id", ["", "quote_", "quote_1", "x\x00", "order_" + "1" * 32])
async def test_what_is_no_quote_is_not_found(house: House, quote_id: str) -> None:
    with pytest.raises(NotFound):
        await house.order(quote_id)


async def test_what_could_not_be_ordered_is_not_quoted(house: House) -> None:
    with pytest.raises(InvalidRequest, match="not on the menu"):
        await house.quote(structs.replace(WANTED, lines=(LineRequest(item_id="item_0"),)))


async def test_old_quotes_are_forgotten(house: House) -> None:
    await house.quote()
    house.clock.advance(7 * 86_400 - 1)
    await house.quotes.forget()
    assert len(house.database.read_now(lambda c: c.execute(select(quotes_table)).all())) == 1
    house.clock.advance(1)
    await house.quotes.forget()
    assert house.database.read_now(lambda c: c.execute(select(quotes_table)).all()) == []


async def test_a_venue_to_practise_at_has_no_way_to_its_pos(house: House) -> None:
    assert house.directory.link(LINK.id).venue_id == VENUE.id
    assert house.directory.link_of(VENUE.id) is None

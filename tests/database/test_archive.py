"""Orders are found by what people know of them, in pages that never look at more than a bounded number of orders."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, event

from hub.database import archive
from hub.database.archive import Position, load_page, parse_position
from hub.database.deliveries import State
from hub.database.engine import Database
from hub.database.order_reads import links_with_open_orders, load_unchanged, open_orders_at_link
from hub.database.orders import place_orders
from hub.database.retention import save_hold
from hub.model.archive import Hold, Search
from hub.model.order import Customer, Order, VendorRef
from hub.model.status import Stage, Status
from tests.database.stored import (
    DAY,
    LINK,
    NOW,
    OTHER_LINK,
    OTHER_VENUE,
    VENUE,
    claim_one,
    close,
    counting_ids,
    finish,
    new_id,
    new_order,
    place,
)

HOUR = 3_600_000


def put(database: Database, *, at_ms: int = NOW, venue: Any = VENUE, **values: Any) -> Order:
    """Stores an order made at a time, without deliveries."""
    item = new_order(venue=venue, link=None, at_ms=at_ms, catalog_version=1 if venue is VENUE else 0)
    order = msgspec.structs.replace(item.order, id=counting_ids(at_ms)("order")[:-6] + new_id("x")[-6:], **values)
    database.run_now(lambda c: place_orders(c, [msgspec.structs.replace(item, order=order)]))
    return order


def find(database: Database, **wanted: Any) -> list[str]:
    """Ids of all orders found, page by page."""
    found, after = [], None
    while True:
        page = database.read_now(lambda c, after=after: load_page(c, Search(**wanted), after=after, limit=2))
        found += [record.order.id for record in page.records]
        if page.next is None:
            return found
        after = page.next


def ids(*orders: Order) -> list[str]:
    return [order.id for order in orders]


def test_all_orders_come_newest_first_and_a_venue_sees_its_own(database: Database) -> None:
    first, second, other = put(database), put(database, at_ms=NOW + 1), put(database, at_ms=NOW + 2, venue=OTHER_VENUE)
    assert find(database) == ids(other, second, first)
    assert find(database, venue_id=VENUE.id) == ids(second, first)
    assert find(database, venue_id=OTHER_VENUE.id) == ids(other)


def test_a_page_shows_orders_with_their_way_into_the_pos(database: Database) -> None:
    item = place(database)
    finish(database, claim_one(database), State.DELIVERED, ref=VendorRef(kind="order", id="4711"))
    page = database.read_now(lambda c: load_page(c, Search()))
    [record] = page.records
    assert record.order.id == item.order.id
    assert [(state.state, state.ref) for state in record.injection] == [
        ("confirmed", VendorRef(kind="order", id="4711"))
    ]
    assert page.next is None


def test_orders_are_found_by_what_they_are(database: Database) -> None:
    received = put(database)
    ready = put(database, stage=Stage.READY)
    closed = close(database, put(database).id)
    void = close(database, put(database).id, status=Status.VOID)
    assert find(database, status=Status.OPEN) == ids(ready, received)
    assert find(database, status=Status.CLOSED) == ids(closed)
    assert find(database, status=Status.VOID) == ids(void)
    assert find(database, stage=Stage.READY) == ids(ready)
    assert find(database, status=Status.OPEN, venue_id=OTHER_VENUE.id) == []


def test_orders_are_found_by_when_they_were_made(database: Database) -> None:
    orders = [put(database, at_ms=NOW + n * HOUR) for n in range(4)]
    assert find(database, created_from_ms=NOW + HOUR) == ids(*orders[:0:-1])
    assert find(database, created_before_ms=NOW + HOUR) == ids(orders[0])
    assert find(database, created_from_ms=NOW + HOUR, created_before_ms=NOW + 3 * HOUR) == ids(orders[2], orders[1])
    assert find(database, created_from_ms=NOW + HOUR + 1, created_before_ms=NOW + 2 * HOUR) == []
    assert find(database, created_from_ms=NOW + HOUR, status=Status.OPEN) == ids(*orders[:0:-1])


def test_an_order_the_hub_heard_of_a_day_later_is_found_by_when_it_was_made(database: Database) -> None:
    late = put(database, at_ms=NOW + DAY, created_at_ms=NOW)
    put(database, at_ms=NOW + DAY)
    assert find(database, created_from_ms=NOW, created_before_ms=NOW + 1) == ids(late)
    assert find(database, created_before_ms=NOW + 1, venue_id=VENUE.id) == ids(late)


def test_orders_are_found_by_when_they_were_closed_the_last_closed_first(database: Database) -> None:
    orders = [put(database, at_ms=NOW + n) for n in range(6)]
    for order, hours in zip(orders, (5, 1, 3, 3, 3), strict=False):
        close(database, order.id, at_ms=NOW + hours * HOUR)
    assert find(database, closed_from_ms=NOW) == ids(orders[0], orders[4], orders[3], orders[2], orders[1])
    assert find(database, closed_from_ms=NOW + 3 * HOUR, closed_before_ms=NOW + 5 * HOUR) == ids(*orders[4:1:-1])
    assert find(database, closed_before_ms=NOW + 3 * HOUR, venue_id=VENUE.id) == ids(orders[1])
    assert find(database, closed_from_ms=NOW, venue_id=OTHER_VENUE.id) == []


def test_an_order_is_found_by_its_number_its_vendor_s_id_and_its_sender_s_number(database: Database) -> None:
    other = place(database, venue=OTHER_VENUE, link=OTHER_LINK, catalog_version=0)
    claimed = claim_one(database, link=OTHER_LINK)
    finish(database, claimed, State.DELIVERED, ref=VendorRef(kind="order", id="4711"))
    mine = place(database, origin_order_id="EXT 7")
    finish(database, claim_one(database), State.DELIVERED, ref=VendorRef(kind="order", id="4711"))
    assert find(database, ref="4711") == ids(mine.order, other.order)
    assert find(database, ref="4711", venue_id=VENUE.id) == ids(mine.order)
    assert find(database, ref="471") == []
    assert find(database, number="DT-001") == ids(mine.order)
    assert find(database, number="DT-001", venue_id=OTHER_VENUE.id) == []
    assert find(database, number="DT-00") == []
    assert find(database, external_id="EXT 7") == ids(mine.order)
    assert find(database, external_id="EXT") == []


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("gülnarə", True),
        ("GULNARƏ", True),
        ("Əliyeva", True),
        ("gulnare aliyeva", False),
        ("gulnare eliyeva", True),
        ("@guest.example", True),
        ("Gulnara@Guest", True),
        ("050 111", True),
        ("+994 (50) 111-22-33", True),
        ("0501112233", True),
        ("111", False),
        ("Ali", False),
        ("5550", False),
    ],
)
def test_a_guest_is_found_by_name_mail_or_phone(database: Database, wanted: str, found: bool) -> None:
    put(database)
    guest = Customer(name="Gülnarə Əliyeva", phone="+994 50 111 22 33", email="gulnara@guest.example")
    order = put(database, customer=guest)
    assert find(database, guest=wanted) == (ids(order) if found else [])


def test_an_order_is_found_by_any_of_its_tables(database: Database) -> None:
    order = put(database, tables=("Terrace 4", "T5"))
    put(database, tables=("T55",))
    assert find(database, table="t5") == ids(order)
    assert find(database, table="terrace 4") == ids(order)
    assert find(database, table="terrace") == []


def test_held_orders_are_found(database: Database) -> None:
    orders = [put(database, at_ms=NOW + n) for n in range(4)]
    for order in orders[1:]:
        hold = Hold(order_id=order.id, reason="a case", actor="me", since_ms=NOW)
        database.run_now(lambda c, hold=hold: save_hold(c, hold, event_id=new_id("evt")))
    assert find(database, held=True) == ids(*orders[:0:-1])
    assert find(database, held=True, venue_id=OTHER_VENUE.id) == []


def test_a_search_that_finds_little_goes_on_in_steps(database: Database) -> None:
    orders = [put(database, at_ms=NOW + n, tables=("T1",) if n == 0 else ()) for n in range(200)]

    def page(after: Position | None) -> archive.Page:
        search = Search(table="T1")
        return database.read_now(lambda c: load_page(c, search, after=after, limit=10, examine=100))

    first = page(None)
    assert (list(first.records), first.next is None) == ([], False)
    assert 100 <= first.examined < 200
    second = page(first.next)
    assert ([record.order.id for record in second.records], second.next) == ([orders[0].id], None)
    assert first.examined + second.examined == 200


@pytest.mark.parametrize("position", [Position("order_" + "a" * 32), Position("order_" + "a" * 32, 17)])
def test_a_position_is_text_and_comes_back(position: Position) -> None:
    assert parse_position(str(position)) == position


@pytest.mark.parametrize("wrong", ["", "order_1", "x.order_" + "a" * 32, "1" * 16 + ".order_" + "a" * 32, "17."])
def test_what_is_no_position_is_refused(wrong: str) -> None:
    assert parse_position(wrong) is None


SEARCHES = [
    (Search(), "PRIMARY KEY"),
    (Search(venue_id=VENUE.id), "ix_orders_venue_id"),
    (Search(venue_id=VENUE.id, guest="x"), "ix_orders_venue_id"),
    (Search(created_from_ms=NOW, created_before_ms=NOW + DAY), "PRIMARY KEY"),
    (Search(closed_from_ms=NOW, closed_before_ms=NOW + DAY), "ix_orders_closed"),
    (Search(closed_from_ms=NOW, venue_id=VENUE.id), "ix_orders_venue_id"),
    (Search(status=Status.OPEN), "ix_orders_open"),
    (Search(status=Status.OPEN, created_from_ms=NOW), "ix_orders_open"),
    (Search(status=Status.OPEN, venue_id=VENUE.id), "ix_orders_open"),
    (Search(number="DT-001"), "number"),
    (Search(ref="4711"), "order_refs"),
    (Search(held=True), "order_holds"),
]


@pytest.mark.parametrize(("search", "index"), SEARCHES)
def test_a_page_is_read_through_an_index_and_only_small_sets_are_sorted(
    sqlite_url: str, search: Search, index: str
) -> None:
    database = Database(sqlite_url, durable=False)
    position = Position("order_" + "f" * 32, NOW if search.by_closing else None)
    plan = " / ".join(database.read_now(lambda c: _plan(c, lambda c: load_page(c, search, after=position))))
    database.close_now()
    used = {"PRIMARY KEY": "sqlite_autoindex_orders_1", "number": "sqlite_autoindex_orders_2"}.get(index, index)
    assert used in plan, plan
    assert not re.search(r"SCAN orders\w*(?! USING INDEX ix_orders_open)\b", plan), plan
    few = search.held or bool(search.ref) or search.status is Status.OPEN
    assert ("TEMP B-TREE" in plan) is few, plan


@pytest.mark.parametrize(
    "read",
    [
        links_with_open_orders,
        lambda c: open_orders_at_link(c, LINK.id),
        lambda c: load_unchanged(c, NOW, after_id="order_" + "0" * 32),
    ],
)
def test_what_is_read_every_few_seconds_looks_at_open_orders_only(
    sqlite_url: str, read: Callable[[Connection], object]
) -> None:
    database = Database(sqlite_url, durable=False)
    plan = " / ".join(database.read_now(lambda c: _plan(c, read)))
    database.close_now()
    assert "ix_orders_open" in plan, plan
    assert not re.search(r"SCAN (?!orders_\d+ USING (COVERING )?INDEX ix_orders_open)", plan), plan
    assert "link_id=?" not in plan.replace("order_id=? AND link_id=?", ""), plan


def _plan(connection: Connection, read: Callable[[Connection], object]) -> Sequence[str]:
    """How SQLite carries out the first query of a function."""
    seen: list[tuple[str, Any]] = []

    def note(_c: Any, _k: Any, statement: str, parameters: Any, *_more: Any) -> None:
        seen.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    read(connection)
    statement, parameters = seen[0]
    return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]

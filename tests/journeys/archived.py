"""Orders with a past, written straight into a site's database with the hub's own functions."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from msgspec import structs
from sqlalchemy import Connection, insert, update

from hub.clock import SystemClock
from hub.database import directory
from hub.database.engine import Database
from hub.database.order_reads import load_order
from hub.database.orders import place_orders, save_change
from hub.database.tables import deliveries, lanes, order_refs
from hub.model.ids import time_ordered_id
from hub.model.order import Order
from hub.model.status import Status
from tests.database.stored import DAY, OTHER_LINK, OTHER_VENUE, counting_ids, new_order
from tests.journeys.site import Site

_AT_ONCE = 250


@contextmanager
def opened(site: Site) -> Iterator[Database]:
    """The site's database, beside the processes that use it."""
    database = Database(site.database_url or f"sqlite:///{site.data / 'hub.sqlite'}", durable=False)
    try:
        yield database
    finally:
        database.close_now()


def close_orders(site: Site, ids: Sequence[str], status: str = "closed") -> None:
    """Closes orders now, by the clock of the site."""
    now_ms = SystemClock(site.clock).now_ms()
    new_id = counting_ids(now_ms)
    with opened(site) as database:
        for order_id in ids:
            record = database.read_now(lambda c, order_id=order_id: load_order(c, order_id))
            assert record is not None
            database.run_now(lambda c, order=record.order: _close(c, order, Status(status), now_ms, new_id("evt")))


def _close(connection: Connection, order: Order, status: Status, at_ms: int, event_id: str) -> None:
    timing = structs.replace(order.timing, closed_at_ms=at_ms)
    after = structs.replace(order, status=status, timing=timing, updated_at_ms=at_ms)
    words = {"event_id": event_id, "kind": "closed", "actor": "tester", "detail": ""}
    assert save_change(connection, order, after, **words) is not None


def fill(site: Site, *, orders: int, closed_days_ago: int) -> list[str]:
    """Many delivered orders of a second venue, each closed at a moment of its own; gives their ids."""
    at_ms = SystemClock(site.clock).now_ms() - closed_days_ago * DAY - orders
    ids: list[str] = []
    with opened(site) as database:
        database.run_now(_declare)
        for start in range(0, orders, _AT_ONCE):
            at = [at_ms + number for number in range(start, min(start + _AT_ONCE, orders))]
            ids += database.run_now(lambda c, at=at: _place_closed(c, at))
    return ids


def _declare(connection: Connection) -> None:
    if OTHER_VENUE.id not in {entry.venue.id for entry in directory.load_venues(connection)}:
        directory.save_venue(connection, OTHER_VENUE)
        directory.save_link(connection, OTHER_LINK)


def _place_closed(connection: Connection, at: Sequence[int]) -> list[str]:
    items = []
    for at_ms in at:
        new_id = counting_ids(at_ms)
        item = new_order(venue=OTHER_VENUE, link=OTHER_LINK, at_ms=at_ms, catalog_version=0)
        order = structs.replace(item.order, id=new_id("order"))
        items.append(structs.replace(item, order=order))
    place_orders(connection, items)
    ids = [item.order.id for item in items]
    connection.execute(update(lanes).where(lanes.c.order_id.in_(ids)).values(due_at_ms=None))
    connection.execute(update(deliveries).where(deliveries.c.order_id.in_(ids)).values(state="delivered"))
    refs = [
        {"link_id": OTHER_LINK.id, "kind": "order", "vendor_id": order_id, "order_id": order_id} for order_id in ids
    ]
    connection.execute(insert(order_refs), refs)
    for at_ms, order_id in zip(at, ids, strict=True):
        record = load_order(connection, order_id)
        assert record is not None
        event_id = time_ordered_id("evt", now_ms=at_ms, random_bytes=order_id.encode()[-10:])
        _close(connection, record.order, Status.CLOSED, at_ms, event_id)
    return ids

"""Orders for the growth benchmark: fresh ones as a caller sends them, and ones that were delivered and closed."""

from collections.abc import Sequence
from functools import cache

from msgspec import structs
from sqlalchemy import Connection, insert, update

from hub.database import directory
from hub.database.deliveries import State
from hub.database.order_reads import decode_order
from hub.database.orders import NewOrder, Submission, place_orders, save_change
from hub.database.outbox import Completion, claim, complete
from hub.database.tables import deliveries, lanes, order_events, order_refs
from hub.model.check import Check, Line, Totals
from hub.model.ids import time_ordered_id
from hub.model.menu import Menu
from hub.model.order import Customer, MoneyAudit, Order, Origin, Timing, VendorRef
from hub.model.status import OrderType, Stage, Status
from hub.model.venue import Link, Venue

STEP_MS = 4  # a million orders in a little more than an hour: only their order matters here
_DAY_MS = 86_400_000
VENUES = tuple(
    Venue(
        id=f"loc_{number:032x}",
        slug=f"store-{number}",
        name=f"Store {number}",
        currency="EUR",
        timezone="Europe/Berlin",
        order_prefix=f"S{number}",
    )
    for number in range(100)
)
LINKS = tuple(
    Link(id=f"link_{number:032x}", venue_id=venue.id, connector="till") for number, venue in enumerate(VENUES)
)


def declare(connection: Connection) -> None:
    """A hundred stores with their links."""
    for venue, link in zip(VENUES, LINKS, strict=True):
        directory.save_venue(connection, venue)
        directory.save_link(connection, link)
        directory.save_menu(connection, venue.id, Menu(), source="pos", now_ms=0)


def _id(prefix: str, at_ms: int, number: int) -> str:
    return time_ordered_id(prefix, now_ms=at_ms, random_bytes=number.to_bytes(10, "big"))


@cache
def _lines() -> tuple[Line, ...]:
    return tuple(
        Line(
            uid=f"li_{number}",
            item_id=f"item_{number:032x}",
            name=f"Dish number {number}",
            quantity=1 + number % 2,
            unit_cents=900,
            gross_cents=900 * (1 + number % 2),
            vendor={"id": number, "station": 1},
        )
        for number in range(3)
    )


def _order(number: int, now_ms: int) -> Order:
    at_ms = now_ms + number * STEP_MS
    totals = Totals(subtotal_cents=3600, total_cents=3600)
    return Order(
        id=_id("order", at_ms, number),
        venue_id=VENUES[number % len(VENUES)].id,
        order_type=OrderType.PICKUP,
        origin=Origin(system="platform", order_id=f"EXT-{number}"),
        timing=Timing(timezone="Europe/Berlin", business_date="2026-11-18"),
        currency="EUR",
        checks=(Check(id=_id("chk", at_ms, number), lines=_lines(), totals=totals),),
        customer=Customer(name=f"Guest {number}", phone=f"+4930{number:08d}", email=f"guest{number}@mail.example"),
        money_audit=MoneyAudit(computed_cents=3600),
        created_at_ms=at_ms,
        updated_at_ms=at_ms,
    )


def fresh_orders(numbers: Sequence[int], now_ms: int) -> list[NewOrder]:
    """Orders as a caller sends them, with an external id and one delivery each."""
    return [_new(_order(number, now_ms), number) for number in numbers]


def _new(order: Order, number: int) -> NewOrder:
    at_ms = order.created_at_ms
    return NewOrder(
        order=order,
        order_prefix=VENUES[number % len(VENUES)].order_prefix,
        catalog_version=1,
        fingerprint=number.to_bytes(32, "big"),
        principal="key_1",
        idempotency_key="",
        key_expires_at_ms=0,
        event_id=_id("evt", at_ms, number),
        actor="platform",
        submission=Submission(
            link_id=LINKS[number % len(LINKS)].id,
            lane_id=_id("lane", at_ms, number),
            steps=((_id("dlv", at_ms, number), "submit_order"),),
            deliver_by_ms=at_ms + 600_000,
        ),
        answer=lambda record: record.order.number,
    )


def live(connection: Connection, numbers: Sequence[int], now_ms: int) -> None:
    """Delivers these orders and closes them, as the dispatcher and the poll do."""
    for number in numbers:
        at_ms = now_ms + number * STEP_MS
        [claimed] = claim(
            connection,
            link_id=LINKS[number % len(LINKS)].id,
            owner="bench",
            now_ms=at_ms,
            lease_ms=45_000,
            limit=1,
            marked_on_claim={"submit_order"},
        )
        shared = {name: getattr(claimed, name) for name in ("delivery_id", "lane_id", "epoch", "order_id", "link_id")}
        done = Completion(
            **{name: value for name, value in shared.items() if name in Completion.__struct_fields__},
            seq=claimed.seq,
            state=State.DELIVERED,
            now_ms=at_ms,
            ref=VendorRef(kind="order", id=f"pos-{number}"),
        )
        complete(connection, [done])
        before = decode_order(claimed.document)
        save_change(
            connection,
            before,
            _closed(before),
            event_id=_id("evt", at_ms + 1, number),
            kind="pos_changed",
            actor="pos",
            detail="received -> completed",
        )


def _closed(order: Order) -> Order:
    timing = structs.replace(order.timing, closed_at_ms=order.created_at_ms + 1)
    return structs.replace(order, status=Status.CLOSED, stage=Stage.COMPLETED, timing=timing)


def lived_batch(connection: Connection, first: int, count: int, now_ms: int) -> None:
    """Stores orders that have all this behind them, with the same rows, in fewer steps."""
    items = []
    for number in range(first, first + count):
        new = _new(_closed(_order(number, now_ms)), number)
        items.append(new)
    place_orders(connection, items)
    ids = [item.order.id for item in items]
    connection.execute(update(lanes).where(lanes.c.order_id.in_(ids)).values(due_at_ms=None, lease_epoch=1))
    delivered = {"state": State.DELIVERED, "attempts": 1, "sent_at_ms": now_ms, "done_at_ms": now_ms}
    connection.execute(update(deliveries).where(deliveries.c.order_id.in_(ids)).values(**delivered))
    refs = [
        {
            "link_id": LINKS[number % len(LINKS)].id,
            "kind": "order",
            "vendor_id": f"pos-{number}",
            "order_id": order_id,
        }
        for number, order_id in enumerate(ids, start=first)
    ]
    connection.execute(insert(order_refs), refs)
    events = [
        {
            "id": _id("evt", item.order.created_at_ms + 1, number),
            "order_id": item.order.id,
            "version": 2,
            "at_ms": item.order.created_at_ms + 1,
            "kind": "pos_changed",
            "actor": "pos",
            "detail": "received -> completed",
        }
        for number, item in enumerate(items, start=first)
    ]
    connection.execute(insert(order_events), events)

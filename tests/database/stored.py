"""A venue, its link and menu, and orders for it: what the tests of everything above the database start from."""

from collections.abc import Callable
from itertools import count
from typing import Any

import msgspec
from sqlalchemy import Connection

from hub.database import directory
from hub.database.deliveries import State
from hub.database.engine import Database
from hub.database.order_reads import load_order
from hub.database.orders import NewOrder, Submission, place_orders, save_change
from hub.database.outbox import Claimed, Completion, claim, complete
from hub.model.check import Check, Line, Totals
from hub.model.ids import time_ordered_id
from hub.model.menu import Item, Menu
from hub.model.order import InjectionState, MoneyAudit, Order, Origin, Timing
from hub.model.status import Injection, OrderType, Status
from hub.model.venue import Link, Venue

NOW = 1_795_000_000_000  # 2026-11-18 11:06:40 UTC
MINUTE = 60_000
DAY = 86_400_000
VENUE = Venue(
    id="loc_" + "1" * 32,
    slug="demo",
    name="Demo",
    currency="AZN",
    timezone="Asia/Baku",
    order_prefix="DT",
)
OTHER_VENUE = msgspec.structs.replace(VENUE, id="loc_" + "2" * 32, slug="other", name="Other", order_prefix="OT")
LINK = Link(id="link_" + "1" * 32, venue_id=VENUE.id, connector="till")
OTHER_LINK = Link(id="link_" + "2" * 32, venue_id=OTHER_VENUE.id, connector="till")
PLOV = Item(id="item_" + "1" * 32, name="Plov", price_cents=1800)


def counting_ids(now_ms: int = NOW) -> Callable[[str], str]:
    """A maker of identifiers that grow, the same in every run."""
    numbers = count(1)
    return lambda prefix: time_ordered_id(prefix, now_ms=now_ms, random_bytes=next(numbers).to_bytes(10, "big"))


new_id = counting_ids()


def declare(connection: Connection) -> None:
    """Two venues, each with its link; the first has a menu (its catalog version is 1)."""
    for venue, link in ((VENUE, LINK), (OTHER_VENUE, OTHER_LINK)):
        directory.save_venue(connection, venue)
        directory.save_link(connection, link)
    directory.save_menu(connection, VENUE.id, Menu(items=(PLOV,)), source="pos", now_ms=NOW)


def order_of(venue: Venue = VENUE, *, at_ms: int = NOW, origin_order_id: str = "", order_id: str = "") -> Order:
    """An order of one plov, not yet numbered."""
    totals = Totals(subtotal_cents=1800, total_cents=1800)
    line = Line(uid="li_1", item_id=PLOV.id, name="Plov", quantity=1, unit_cents=1800, gross_cents=1800)
    return Order(
        id=order_id or new_id("order"),
        venue_id=venue.id,
        order_type=OrderType.PICKUP,
        origin=Origin(system="web", order_id=origin_order_id),
        timing=Timing(timezone=venue.timezone, business_date="2026-11-18"),
        currency=venue.currency,
        checks=(Check(id=new_id("chk"), lines=(line,), totals=totals),),
        money_audit=MoneyAudit(computed_cents=1800),
        created_at_ms=at_ms,
        updated_at_ms=at_ms,
    )


def new_order(
    *,
    venue: Venue = VENUE,
    link: Link | None = LINK,
    key: str = "",
    principal: str = "key_1",
    body: bytes = b"a",
    origin_order_id: str = "",
    at_ms: int = NOW,
    catalog_version: int = 1,
    operations: tuple[str, ...] = ("submit_order",),
    deliver_by_ms: int = NOW + 10 * MINUTE,
) -> NewOrder:
    """A `NewOrder` as the services make it; `body` stands for what the caller sent."""
    order = order_of(venue, at_ms=at_ms, origin_order_id=origin_order_id)
    submission: Submission | None = None
    injection: tuple[InjectionState, ...] = ()
    if link is not None:
        steps = tuple((new_id("dlv"), operation) for operation in operations)
        submission = Submission(link_id=link.id, lane_id=new_id("lane"), steps=steps, deliver_by_ms=deliver_by_ms)
        queued = InjectionState(
            target=link.connector,
            link_id=link.id,
            state=Injection.QUEUED,
            attempts=0,
            deadline_at_ms=deliver_by_ms,
        )
        injection = (queued,)
    return NewOrder(
        order=order,
        order_prefix=venue.order_prefix,
        catalog_version=catalog_version,
        fingerprint=body.ljust(32, b"\x00"),
        principal=principal,
        idempotency_key=key,
        key_expires_at_ms=at_ms + 7 * DAY,
        event_id=new_id("evt"),
        actor="tester",
        submission=submission,
        injection=injection,
        answer=lambda record: f"answer {record.order.number}",
    )


def place(database: Database, **values: Any) -> NewOrder:
    """Stores one new order."""
    item = new_order(**values)
    database.run_now(lambda connection: place_orders(connection, [item]))
    return item


def close(database: Database, order_id: str, *, at_ms: int = NOW, status: Status = Status.CLOSED) -> Order:
    """Closes an order (or makes it void)."""

    def unit(connection: Connection) -> Order:
        record = load_order(connection, order_id)
        assert record is not None
        timing = msgspec.structs.replace(record.order.timing, closed_at_ms=at_ms)
        after = msgspec.structs.replace(record.order, status=status, timing=timing, updated_at_ms=at_ms)
        words = {"event_id": new_id("evt"), "kind": "closed", "actor": "tester", "detail": ""}
        saved = save_change(connection, record.order, after, **words)
        assert saved is not None
        return saved

    return database.run_now(unit)


def claim_one(database: Database, *, now_ms: int = NOW, link: Link = LINK, harmless: bool = True) -> Claimed:
    """Claims the one lane that is due. `harmless` notes the attempt with the claim (R0, R1)."""
    [claimed] = claim_all(database, now_ms=now_ms, link=link, harmless=harmless)
    return claimed


def claim_all(
    database: Database,
    *,
    now_ms: int = NOW,
    link: Link = LINK,
    harmless: bool = True,
    limit: int = 10,
    owner: str = "me",
    oldest_order_first: bool = False,
) -> list[Claimed]:
    """Claims what is due, under a lease of 45 seconds."""
    marked = {"submit_order", "cancel_order"} if harmless else set()
    return database.run_now(
        lambda connection: claim(
            connection,
            link_id=link.id,
            owner=owner,
            now_ms=now_ms,
            lease_ms=45_000,
            limit=limit,
            marked_on_claim=marked,
            oldest_order_first=oldest_order_first,
        )
    )


def outcome(claimed: Claimed, state: State, *, now_ms: int = NOW + 1000, **values: Any) -> Completion:
    """What became of a claimed delivery."""
    shared = {name: getattr(claimed, name) for name in _SHARED}
    return Completion(**{**shared, "state": state, "now_ms": now_ms, **values})


_SHARED = [
    name
    for name in Completion.__struct_fields__
    if name in Claimed.__struct_fields__ and name not in ("absent_since_ms", "ref")
]


def finish(database: Database, claimed: Claimed, state: State, **values: Any) -> bool:
    """Records an outcome; False when the lease was lost."""
    [held] = database.run_now(lambda connection: complete(connection, [outcome(claimed, state, **values)]))
    return held

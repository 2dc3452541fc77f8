"""Orders as a channel sees them: which it may see, under what id of its own, and since when they are as they are."""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from sqlalchemy import Connection, case, insert, select, tuple_, update

from hub.database.deliveries import State
from hub.database.order_reads import decode_order, find_order_by_ref, load_order
from hub.database.orders import origin_name
from hub.database.tables import deliveries, lanes, links, order_refs, orders
from hub.model.ids import parse_id
from hub.model.order import Order, Origin, VendorRef
from hub.model.status import OrderType, Status
from hub.model.venue import Link

_PAGE = 200
_DINE_IN = '"order_type":"dine_in"'  # as the document is written; deliveries are not even read


class KnownTab(Struct, frozen=True):
    """An order with the channel's own id of it; `follows` when the channel opened it or was told of it."""

    order: Order
    channel_order_id: str
    follows: bool


class TabWindow(Struct, frozen=True, kw_only=True):
    """Orders that last changed in [from, until); `is_open` None for open and closed ones."""

    from_ms: int
    until_ms: int
    is_open: bool | None = None


def may_see(link: Link, tab: KnownTab) -> bool:
    """Whether a channel may see an order of its venue: one it follows, or a walk-in it wants to hear of."""
    order = tab.order
    if order.venue_id != link.venue_id:
        return False
    is_seated = order.order_type is OrderType.DINE_IN and bool(order.tables)
    return tab.follows or order.origin.system == link.connector or (is_seated and link.walk_ins == "tell")


def known_tabs(connection: Connection, link: Link, found: Sequence[Order]) -> list[KnownTab]:
    """What a channel knows of these orders (a page of them at most)."""
    ids = [order.id for order in found]
    refs, told = order_refs.c, lanes.c
    query = select(refs.order_id, refs.vendor_id).where(
        refs.link_id == link.id, refs.kind == "order", refs.order_id.in_(ids)
    )
    rows = list(connection.execute(query.order_by(refs.noted_at_ms.desc(), refs.vendor_id.desc())))
    names = {row.order_id: row.vendor_id for row in rows}  # the oldest one comes last and stays
    followed = set(
        connection.execute(select(told.order_id).where(told.link_id == link.id, told.order_id.in_(ids))).scalars()
    )
    return [KnownTab(order, names.get(order.id, ""), order.id in names or order.id in followed) for order in found]


def walk_tabs(connection: Connection, link: Link, window: TabWindow) -> Iterator[KnownTab]:
    """The orders a channel may see, by when they last changed, read a page at a time."""
    column = orders.c
    query = select(column.id, column.updated_at_ms, column.document).where(
        column.venue_id == link.venue_id,
        column.updated_at_ms >= window.from_ms,
        column.updated_at_ms < window.until_ms,
        column.document.contains(_DINE_IN, autoescape=True),
    )
    if window.is_open is not None:
        query = query.where(column.is_open == window.is_open)
    query = query.order_by(column.updated_at_ms, column.id).limit(_PAGE)
    rows = list(connection.execute(query))
    while rows:
        found = [decode_order(row.document) for row in rows]
        yield from (tab for tab in known_tabs(connection, link, found) if may_see(link, tab))
        if len(rows) < _PAGE:
            return
        last = rows[-1]
        after = tuple_(column.updated_at_ms, column.id) > tuple_(last.updated_at_ms, last.id)
        rows = list(connection.execute(query.where(after)))


def has_channel(connection: Connection, order: Order) -> bool:
    """Whether a channel has an id for this order."""
    query = (
        select(order_refs.c.order_id)
        .join(links, links.c.id == order_refs.c.link_id)
        .where(order_refs.c.order_id == order.id, links.c.role == "channel")
    )
    return connection.execute(query.limit(1)).first() is not None


def seated_by_channel(connection: Connection, order: Order, owner: Link | None) -> bool:
    """Whether a channel that says where guests sit (`owner`) seated these."""
    return owner is not None and (order.origin.system == owner.connector or has_channel(connection, order))


def follow(connection: Connection, link_id: str, order: Order, *, lane_id: str) -> None:
    """Lets a channel hear of an order it knows already: what it would have been told as news is a change to it."""
    lane = select(lanes.c.id).where(lanes.c.order_id == order.id, lanes.c.link_id == link_id)
    found = connection.execute(lane.with_for_update()).scalar_one_or_none()
    if found is None:
        row = {"id": lane_id, "link_id": link_id, "order_id": order.id, "next_seq": 1, "operation": "push_changed"}
        connection.execute(insert(lanes), [{**row, "due_at_ms": None, "lease_epoch": 0}])
        return
    told = deliveries.c
    waiting = (told.lane_id == found, told.operation == "push_opened", told.state.in_((State.PENDING, State.DEAD)))
    news = {"operation": "push_changed", "state": State.PENDING, "cause": "", "done_at_ms": None}
    if connection.execute(update(deliveries).where(*waiting).values(**news)).rowcount:
        wake = case((lanes.c.due_at_ms.is_(None), order.updated_at_ms), else_=lanes.c.due_at_ms)
        connection.execute(update(lanes).where(lanes.c.id == found).values(due_at_ms=wake, operation="push_changed"))


def is_live(order: Order) -> bool:
    """Whether somebody sits at this order's tables."""
    return order.status is Status.OPEN and order.order_type is OrderType.DINE_IN and bool(order.tables)


def is_our_id(order_id: str) -> bool:
    """Whether this is how the hub names an order."""
    return parse_id("order", order_id) == order_id


def find_tab(connection: Connection, link: Link, channel_order_id: str) -> Order | None:
    """The order a channel knows under an id of its own, or names by ours if it may see it."""
    if not channel_order_id:
        return None
    if is_our_id(channel_order_id):
        record = load_order(connection, channel_order_id)
        tabs = known_tabs(connection, link, [] if record is None else [record.order])
        return next((tab.order for tab in tabs if may_see(link, tab)), None)
    order = find_order_by_ref(connection, link.id, VendorRef(kind="order", id=channel_order_id))
    if order is not None:
        return order
    name = origin_name(link.venue_id, Origin(system=link.connector, order_id=channel_order_id))
    document = connection.execute(select(orders.c.document).where(orders.c.origin == name)).scalar_one_or_none()
    return None if document is None else decode_order(document)


def lock_order(connection: Connection, order_id: str) -> Order:
    """An order, which nobody else changes until this transaction ends."""
    query = select(orders.c.document).where(orders.c.id == order_id).with_for_update(key_share=True)
    return decode_order(connection.execute(query).scalar_one())

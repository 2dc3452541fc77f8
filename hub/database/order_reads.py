"""Reading orders: one with its way into the POS, and the lists that jobs work through."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, or_, select

from hub.database.deliveries import OPEN_STATES, injection_states
from hub.database.prepared import Prepared
from hub.database.tables import deliveries, lanes, links, order_events, order_refs, orders
from hub.model.order import Loss, Order, OrderRecord, VendorRef

_IDS_PER_QUERY = 200
_ORDER = msgspec.json.Decoder(Order)


def decode_order(document: str) -> Order:
    """An order from its stored document."""
    return _ORDER.decode(document)


def open_ids(venue_id: ColumnElement[str] | None = None) -> Select[tuple[str]]:
    """The ids of open orders, for use inside a query: read from their own index, whatever the archive holds."""
    opened = orders.alias()
    query = select(opened.c.id).where(opened.c.is_open)
    return query if venue_id is None else query.where(opened.c.venue_id == venue_id)


_BY_ID = Prepared(lambda _: select(orders.c.document).where(orders.c.id == bindparam("wanted")), "wanted")
_BY_NUMBER = Prepared(lambda _: select(orders.c.document).where(orders.c.number == bindparam("wanted")), "wanted")


def load_order(connection: Connection, id_or_number: str) -> OrderRecord | None:
    """An order by `order_…` id or by number (`DT-001`), with its way into the POS; None when there is none."""
    rows = (_BY_ID if id_or_number.startswith("order_") else _BY_NUMBER).run(connection, id_or_number)
    if not rows:
        return None
    order = decode_order(rows[0].document)
    injection = tuple(injection_states(connection, order.id))
    return OrderRecord(order=order, injection=injection, kept_here=_kept_here(connection, order))


def _kept_here(connection: Connection, order: Order) -> tuple[Loss, ...]:
    """What only the hub has of an order that a POS has too: a POS knows one bill of it."""
    if len(order.checks) < 2:
        return ()
    sent = select(lanes.c.link_id).where(lanes.c.order_id == order.id)
    known = select(order_refs.c.link_id).where(order_refs.c.order_id == order.id)
    there = or_(links.c.id.in_(sent), links.c.id.in_(known))
    connector = connection.execute(select(links.c.connector).where(links.c.role == "pos", there)).scalar_one_or_none()
    if connector is None:
        return ()
    words = f"the POS has one bill; the hub keeps its {len(order.checks)} checks"
    return (Loss(target=connector, path="checks", loss=words),)


def find_order_by_ref(connection: Connection, link_id: str, ref: VendorRef) -> Order | None:
    """The order a vendor's id at a link stands for."""
    query = (
        select(orders.c.document)
        .join(order_refs, order_refs.c.order_id == orders.c.id)
        .where(order_refs.c.link_id == link_id, order_refs.c.kind == ref.kind, order_refs.c.vendor_id == ref.id)
    )
    document = connection.execute(query).scalar_one_or_none()
    return None if document is None else decode_order(document)


def known_refs(connection: Connection, link_id: str, kind: str, vendor_ids: Sequence[str]) -> set[str]:
    """Which of these vendor ids at a link belong to an order of ours."""
    known: set[str] = set()
    for start in range(0, len(vendor_ids), _IDS_PER_QUERY):
        some = vendor_ids[start : start + _IDS_PER_QUERY]
        query = select(order_refs.c.vendor_id).where(
            order_refs.c.link_id == link_id, order_refs.c.kind == kind, order_refs.c.vendor_id.in_(some)
        )
        known.update(connection.execute(query).scalars())
    return known


def load_order_refs(connection: Connection, link_id: str, order_id: str, kind: str) -> list[VendorRef]:
    """An order's ids of one kind at a link, in the order of the vendor's ids."""
    query = (
        select(order_refs.c.kind, order_refs.c.vendor_id)
        .where(order_refs.c.link_id == link_id, order_refs.c.order_id == order_id, order_refs.c.kind == kind)
        .order_by(order_refs.c.vendor_id)
    )
    return [VendorRef(kind=row.kind, id=row.vendor_id) for row in connection.execute(query)]


def load_open_orders(connection: Connection, venue_id: str) -> list[Order]:
    """A venue's open orders, oldest first."""
    query = select(orders.c.document).where(orders.c.venue_id == venue_id, orders.c.is_open).order_by(orders.c.id)
    return [decode_order(document) for document in connection.execute(query).scalars()]


class OpenRef(Struct, frozen=True):
    """An open order that a vendor has, and what the vendor last said of it."""

    ref: VendorRef
    order_id: str
    created_at_ms: int
    last_told: str
    version: int = 1
    is_changing: bool = False
    """Whether something of ours is on its way to this vendor, so that what it tells may be older than that."""


def open_orders_at_link(connection: Connection, link_id: str) -> list[OpenRef]:
    """The open orders this link's vendor has, oldest first."""
    at_venue = select(links.c.venue_id).where(links.c.id == link_id).scalar_subquery()
    mine = order_refs.c.link_id.concat("") == link_id  # not by the link's index, which holds its closed orders too
    on_its_way = (
        select(deliveries.c.id)
        .join(lanes, lanes.c.id == deliveries.c.lane_id)
        .where(deliveries.c.order_id == orders.c.id, deliveries.c.link_id == link_id)
        .where(deliveries.c.state.in_(OPEN_STATES))
        .where(or_(lanes.c.due_at_ms.is_not(None), lanes.c.lease_owner.is_not(None)))  # what waits for a person stays
        .exists()
    )
    query = (
        select(order_refs, orders.c.created_at_ms, orders.c.version, on_its_way.label("is_changing"))
        .join(orders, orders.c.id == order_refs.c.order_id)
        .where(order_refs.c.order_id.in_(open_ids(at_venue)), mine, order_refs.c.kind == "order")
        .order_by(orders.c.id)
    )
    return [
        OpenRef(
            ref=VendorRef(kind=row.kind, id=row.vendor_id),
            order_id=row.order_id,
            created_at_ms=row.created_at_ms,
            last_told=row.last_told,
            version=row.version,
            is_changing=bool(row.is_changing),
        )
        for row in connection.execute(query)
    ]


def load_events(connection: Connection, order_id: str) -> list[Row[Any]]:
    """The audit rows of an order, oldest first (version, at_ms, kind, actor, detail)."""
    query = select(order_events).where(order_events.c.order_id == order_id).order_by(order_events.c.id)
    return list(connection.execute(query))


def load_unchanged(connection: Connection, since_ms: int, *, after_id: str, limit: int = 200) -> list[Order]:
    """A page of the open orders that have not changed since a time, by id."""
    key = orders.c.id.concat("")  # sorted, lest a database walks through all orders to find the open ones in order
    query = (
        select(orders.c.document)
        .where(orders.c.id.in_(open_ids()), orders.c.updated_at_ms < since_ms, key > after_id)
        .order_by(key)
        .limit(limit)
    )
    return [decode_order(document) for document in connection.execute(query).scalars()]


def links_with_open_orders(connection: Connection) -> list[str]:
    """The links whose vendor has open orders of ours."""
    query = select(order_refs.c.link_id).where(order_refs.c.order_id.in_(open_ids()), order_refs.c.kind == "order")
    return list(connection.execute(query.distinct()).scalars())

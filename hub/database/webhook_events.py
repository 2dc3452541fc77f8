"""Writes down what partners must be told, in the transaction of the change; nothing is written where nobody listens."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, exists, select

from hub.database.prepared import BulkInsert, Prepared, text_list
from hub.database.tables import orders, venues
from hub.database.webhook_tables import webhook_deliveries, webhook_endpoints, webhook_events
from hub.model.ids import time_ordered_id
from hub.model.menu import Item, Menu
from hub.model.order import Order
from hub.model.webhook import Event, EventType, ItemState, kind_of_change

ALL_VENUES = ""
_MOST_ITEMS = 200  # a change of more items than these is told as the menu's alone

_LISTENERS = Prepared(
    lambda listed: select(
        webhook_endpoints.c.id, webhook_endpoints.c.venue_id, webhook_endpoints.c.events, webhook_endpoints.c.enabled
    ).where(listed(webhook_endpoints.c.venue_id, "venue_ids")),
    "venue_ids",
)
_INSERT_EVENTS = BulkInsert(
    webhook_events, "id", "venue_id", "order_id", "type", "subject", "seq", "at_ms", "document", or_leave=True
)
_INSERT_DELIVERIES = BulkInsert(
    webhook_deliveries,
    "endpoint_id",
    "event_id",
    "order_id",
    "subject",
    "seq",
    "state",
    "due_at_ms",
    "created_at_ms",
    or_leave=True,
)


def is_told(venue_id: Any) -> ColumnElement[bool]:
    """Whether anybody listens at a venue (a column or bound value); costs one probe inside another statement."""
    return exists().where(webhook_endpoints.c.venue_id.in_((ALL_VENUES, venue_id)))


_IS_TOLD = Prepared(lambda _: select(is_told(bindparam("venue_id"))), "venue_id")


def has_listener(connection: Connection, venue_id: str) -> bool:
    """Whether anybody listens at a venue."""
    return bool(_IS_TOLD.run(connection, venue_id)[0][0])


def note_new_orders(connection: Connection, placed: Sequence[tuple[Order, str]]) -> None:
    """Orders that were placed, each with the id of its audit row, which is the event's too."""
    note(connection, [_order_event(order, event_id, EventType.ORDER_CREATED) for order, event_id in placed])


def note_changed_order(connection: Connection, before: Order, after: Order, event_id: str) -> None:
    """An order that changed; `event_id` is the id of its audit row."""
    note(connection, [_order_event(after, event_id, kind_of_change(before, after))])


def note_failed_deliveries(connection: Connection, failed: Iterable[tuple[str, str]], now_ms: int) -> None:
    """Deliveries of orders (delivery id, order id) that a person must look at."""
    by_order = {order_id: delivery_id for delivery_id, order_id in failed}
    query = select(orders.c.id, orders.c.document).where(orders.c.id.in_(by_order), is_told(orders.c.venue_id))
    events = []
    for row in connection.execute(query):
        order = msgspec.json.decode(row.document, type=Order)
        event = _order_event(order, _event_id(now_ms, by_order[row.id]), EventType.ORDER_DELIVERY_FAILED)
        events.append(msgspec.structs.replace(event, at_ms=now_ms))
    note(connection, events)


def note_catalog(
    connection: Connection,
    venue_id: str,
    before: tuple[Menu, frozenset[str]],
    after: tuple[Menu, frozenset[str]],
    now_ms: int,
) -> None:
    """A menu or a sold-out list that changed: each item that can, or cannot, be ordered by now, and the menu itself
    if more is different than that."""
    version = connection.execute(select(venues.c.catalog_version).where(venues.c.id == venue_id)).scalar_one()
    was, now = _orderable(*before), _orderable(*after)
    items = {item.id: item for item in after[0].items if not item.retired}
    changed = [items[item_id] for item_id in items if item_id in was and was[item_id] != now[item_id]]
    events = [
        Event(
            id=_event_id(now_ms, venue_id, item.id, str(version)),
            venue_id=venue_id,
            order_id=None,
            type=EventType.ITEM_AVAILABILITY_CHANGED,
            subject=item.id,
            seq=version,
            at_ms=now_ms,
            document=_json(ItemState(item_id=item.id, name=item.name, available=now[item.id])),
        )
        for item in (changed if len(changed) <= _MOST_ITEMS else ())
    ]
    if len(changed) > _MOST_ITEMS or _without_availability(before[0]) != _without_availability(after[0]):
        menu = {"id": _event_id(now_ms, venue_id, "menu", str(version)), "subject": venue_id, "seq": version}
        events.append(
            Event(**menu, venue_id=venue_id, order_id=None, type=EventType.MENU_UPDATED, at_ms=now_ms, document="")
        )
    note(connection, events)


def note(connection: Connection, events: Sequence[Event]) -> None:
    """Stores events that somebody wants, and their way to each endpoint that is switched on."""
    if not events:
        return
    listeners = _LISTENERS.run(connection, text_list(connection, [ALL_VENUES, *{event.venue_id for event in events}]))
    wanted: list[Event] = []
    deliveries: list[tuple[Any, ...]] = []
    for event in events:
        mine = [
            listener
            for listener in listeners
            if listener.venue_id in (ALL_VENUES, event.venue_id)
            and (not listener.events or event.type in listener.events.split())
        ]
        wanted += [event] * bool(mine)
        deliveries += [delivery_row(event, listener.id, event.at_ms) for listener in mine if listener.enabled]
    _INSERT_EVENTS.run(connection, [_event_row(event) for event in wanted])
    insert_deliveries(connection, deliveries)


def delivery_row(event: Event, endpoint_id: str, due_at_ms: int) -> tuple[Any, ...]:
    """An event's way to an endpoint, for `insert_deliveries`."""
    return (
        endpoint_id,
        event.id,
        event.order_id,
        event.subject,
        event.seq,
        "pending",
        due_at_ms,
        event.at_ms,
    )


def insert_deliveries(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Stores deliveries; one that is there already stays as it is."""
    _INSERT_DELIVERIES.run(connection, rows)


def _order_event(order: Order, event_id: str, kind: EventType) -> Event:
    return Event(
        id=event_id,
        venue_id=order.venue_id,
        order_id=order.id,
        type=kind,
        subject=order.id,
        seq=order.version,
        at_ms=order.updated_at_ms,
        document=_json(order),
    )


def _event_row(event: Event) -> tuple[Any, ...]:
    return (
        event.id,
        event.venue_id,
        event.order_id,
        event.type.value,
        event.subject,
        event.seq,
        event.at_ms,
        event.document,
    )


def _event_id(now_ms: int, *parts: str) -> str:
    """The same for the same parts at the same time, so that a repeated unit of work writes it once."""
    digest = hashlib.sha256("\x1f".join((str(now_ms), *parts)).encode()).digest()
    return time_ordered_id("evt", now_ms=now_ms, random_bytes=digest[:10])


def _orderable(menu: Menu, sold_out: frozenset[str]) -> dict[str, bool]:
    return {item.id: item.available and item.id not in sold_out for item in menu.items if not item.retired}


def _without_availability(menu: Menu) -> Menu:
    items: tuple[Item, ...] = tuple(msgspec.structs.replace(item, available=True) for item in menu.items)
    return msgspec.structs.replace(menu, items=items)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()

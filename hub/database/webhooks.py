"""Endpoints of webhooks, and the log of what was sent to them."""

from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Row, and_, delete, insert, or_, select, update

from hub.database.tables import api_keys, order_holds
from hub.database.webhook_events import delivery_row, insert_deliveries
from hub.database.webhook_tables import webhook_deliveries, webhook_endpoints, webhook_events
from hub.model.webhook import DeliveryEntry, DeliveryState, Endpoint, Event, EventType, Period


class Owner(Struct, frozen=True):
    """The key whose endpoint it is: what it may read now, of which venue (None for all), and if it still works."""

    name: str
    scopes: tuple[str, ...]
    venue_id: str | None
    is_revoked: bool


def save_endpoint(connection: Connection, endpoint: Endpoint) -> bool:
    """Stores a changed endpoint; False when it is gone meanwhile."""
    changed = update(webhook_endpoints).where(webhook_endpoints.c.id == endpoint.id).values(_row(endpoint))
    return connection.execute(changed).rowcount == 1


def insert_endpoint(connection: Connection, endpoint: Endpoint, *, most: int) -> bool:
    """Stores a new endpoint; False when its key has `most` already."""
    mine = select(webhook_endpoints.c.id).where(webhook_endpoints.c.key_id == endpoint.key_id).limit(most)
    if len(connection.execute(mine).all()) >= most:
        return False
    connection.execute(insert(webhook_endpoints), [_row(endpoint)])
    return True


def delete_endpoint(connection: Connection, endpoint_id: str) -> None:
    """Deletes an endpoint with its log."""
    connection.execute(delete(webhook_deliveries).where(webhook_deliveries.c.endpoint_id == endpoint_id))
    connection.execute(delete(webhook_endpoints).where(webhook_endpoints.c.id == endpoint_id))


def find_endpoint(connection: Connection, endpoint_id: str, *, lock: bool = False) -> Endpoint | None:
    """One endpoint; with `lock` nobody else changes it until this transaction ends; no order waits for that."""
    query = select(webhook_endpoints).where(webhook_endpoints.c.id == endpoint_id)
    row = connection.execute(query.with_for_update(key_share=True) if lock else query).one_or_none()
    return None if row is None else _endpoint(row)


def load_endpoints(connection: Connection, key_id: str | None = None) -> list[Endpoint]:
    """All endpoints, or those of one key, oldest first."""
    query = select(webhook_endpoints).order_by(webhook_endpoints.c.id)
    if key_id is not None:
        query = query.where(webhook_endpoints.c.key_id == key_id)
    return [_endpoint(row) for row in connection.execute(query)]


def load_owner(connection: Connection, key_id: str) -> Owner:
    """The key an endpoint belongs to."""
    row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).one()
    return Owner(row.name, tuple(row.scopes.split()), row.venue_id, row.revoked_at_ms is not None)


def stop_deliveries(connection: Connection, endpoint_id: str, *, detail: str, now_ms: int) -> None:
    """Ends what is on its way to an endpoint that was switched off; a replay sends it later."""
    waiting = (webhook_deliveries.c.endpoint_id == endpoint_id, webhook_deliveries.c.due_at_ms.is_not(None))
    ended = {"state": DeliveryState.FAILED, "due_at_ms": None, "leased": False, "detail": detail, "done_at_ms": now_ms}
    connection.execute(update(webhook_deliveries).where(*waiting).values(ended))


def load_log(
    connection: Connection, endpoint_id: str, *, state: DeliveryState | None, before: str, limit: int
) -> list[DeliveryEntry]:
    """What was sent to an endpoint, the newest events first, up to `limit`; `before` is an event's id, or empty."""
    log = webhook_deliveries.c
    query = (
        select(webhook_deliveries, webhook_events.c.type, webhook_events.c.at_ms)
        .join(webhook_events, webhook_events.c.id == log.event_id)
        .where(log.endpoint_id == endpoint_id)
        .order_by(log.event_id.desc())
        .limit(limit)
    )
    if before:
        query = query.where(log.event_id < before)
    if state is not None:
        query = query.where(log.state == state)
    return [
        DeliveryEntry(
            event_id=row.event_id,
            type=EventType(row.type),
            order_id=row.order_id,
            state=DeliveryState(row.state),
            attempts=row.tries,
            status=row.status,
            detail=row.detail,
            due_at_ms=row.due_at_ms,
            at_ms=row.at_ms,
            done_at_ms=row.done_at_ms,
        )
        for row in connection.execute(query)
    ]


def select_events(
    connection: Connection,
    endpoint: Endpoint,
    wanted: Period,
    *,
    venue_id: str | None,
    limit: int,
    after: Event | None = None,
) -> list[Event]:
    """Events that this endpoint is told of, oldest first, up to `limit`; those that follow `after`, if it is given."""
    events = webhook_events.c
    query = select(webhook_events).order_by(events.at_ms, events.id).limit(limit)
    if wanted.event_id:
        query = query.where(events.id == wanted.event_id)
    else:
        query = query.where(events.at_ms >= wanted.from_ms, events.at_ms < wanted.before_ms)
    if after is not None:
        same = and_(events.at_ms == after.at_ms, events.id > after.id)
        query = query.where(or_(events.at_ms > after.at_ms, same))
    bound_to = endpoint.venue_id or venue_id
    if bound_to:
        query = query.where(events.venue_id == bound_to)
    if endpoint.events:
        query = query.where(events.type.in_(endpoint.events))
    return [
        Event(
            **{name: row._mapping[name] for name in Event.__struct_fields__ if name != "type"}, type=EventType(row.type)
        )
        for row in connection.execute(query)
    ]


def requeue(connection: Connection, endpoint_id: str, events: list[Event], now_ms: int) -> int:
    """Sends events to an endpoint once more, or for the first time; returns how many. Those that are on their way
    already are left alone."""
    ids = [event.id for event in events]
    mine = webhook_deliveries.c.endpoint_id == endpoint_id
    known = set(
        connection.execute(
            select(webhook_deliveries.c.event_id).where(mine, webhook_deliveries.c.event_id.in_(ids))
        ).scalars()
    )
    again = (mine, webhook_deliveries.c.event_id.in_(known), webhook_deliveries.c.due_at_ms.is_(None))
    anew = {"state": DeliveryState.PENDING, "due_at_ms": now_ms, "leased": False, "tries": 0, "done_at_ms": None}
    repeated = connection.execute(update(webhook_deliveries).where(*again).values(anew)).rowcount
    fresh = [delivery_row(event, endpoint_id, now_ms) for event in events if event.id not in known]
    insert_deliveries(connection, fresh)
    return repeated + len(fresh)


def forget_events(connection: Connection, before_ms: int, limit: int) -> int:
    """Deletes up to `limit` events that happened before a time, with their log; returns how many. Those of an order
    under legal hold stay."""
    held = select(order_holds.c.order_id).where(order_holds.c.order_id == webhook_events.c.order_id).exists()
    old = (webhook_events.c.at_ms < before_ms, ~held)
    over = select(webhook_events.c.id).where(*old).order_by(webhook_events.c.at_ms)
    ids = list(connection.execute(over.limit(limit)).scalars())
    if ids:
        connection.execute(delete(webhook_deliveries).where(webhook_deliveries.c.event_id.in_(ids)))
        connection.execute(delete(webhook_events).where(webhook_events.c.id.in_(ids)))
    return len(ids)


def _row(endpoint: Endpoint) -> dict[str, Any]:
    row = {name: getattr(endpoint, name) for name in Endpoint.__struct_fields__}
    return row | {"events": " ".join(endpoint.events)}


def _endpoint(row: Row[Any]) -> Endpoint:
    fields = {name: row._mapping[name] for name in Endpoint.__struct_fields__}
    return Endpoint(**{**fields, "events": tuple(EventType(word) for word in row.events.split())})

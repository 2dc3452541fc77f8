"""What ends an order's time in the archive: legal holds, and units of work that delete what is over.

Rows are deleted, for the keys that make an order unique must live in one table. What that costs grows with the number
of orders deleted, never with the number kept: a unit finds its orders at the old end of an index and touches only
their rows. Children go by the index of their order; nothing is counted or scanned.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Column, Connection, Table, and_, delete, insert, or_, select

from hub.database.guest_retention import forget_unkept, guests_of_orders
from hub.database.guest_tables import guest_visits, reservations, waitlist
from hub.database.prepared import Prepared, text_list
from hub.database.repetition_tables import first_versions, idempotency_keys
from hub.database.tables import (
    deliveries,
    lanes,
    link_refs,
    order_events,
    order_holds,
    order_refs,
    orders,
)
from hub.database.upsert import upsert
from hub.database.webhook_tables import webhook_deliveries, webhook_events
from hub.model.archive import Hold

OF_AN_ORDER: tuple[Table, ...] = (
    order_events,
    deliveries,
    lanes,
    order_refs,
    order_holds,
    first_versions,
    webhook_deliveries,
    webhook_events,
    guest_visits,
    reservations,
    waitlist,
)
"""Every table with rows of one order, children before parents: deleted with it, and part of its evidence.

Idempotency keys are not here: they end by themselves weeks before.
"""


def find_hold(connection: Connection, order_id: str) -> Hold | None:
    """The hold on an order; None when there is none."""
    row = connection.execute(select(order_holds).where(order_holds.c.order_id == order_id)).one_or_none()
    return None if row is None else Hold(**row._mapping)


def save_hold(connection: Connection, hold: Hold, *, event_id: str) -> bool:
    """Holds an order, or changes the reason; False when the order is gone.

    The order's row is locked first, so that a deletion either is over or sees the hold.
    """
    version = _lock(connection, hold.order_id)
    if version is None:
        return False
    before = find_hold(connection, hold.order_id)
    if before is not None and before.reason == hold.reason:
        return True
    row = {name: getattr(hold, name) for name in Hold.__struct_fields__}
    upsert(connection, order_holds, [row], ["reason", "actor"])
    _note(connection, hold.order_id, version, event_id, hold.since_ms, "held", hold.actor, hold.reason)
    return True


def release_hold(connection: Connection, order_id: str, *, actor: str, now_ms: int, event_id: str) -> bool:
    """Lets go of an order; False when the order is gone. Releasing what is not held does nothing."""
    version = _lock(connection, order_id)
    if version is None:
        return False
    if connection.execute(delete(order_holds).where(order_holds.c.order_id == order_id)).rowcount:
        _note(connection, order_id, version, event_id, now_ms, "released", actor, "")
    return True


def _lock(connection: Connection, order_id: str) -> int | None:
    """The order's version, with its row locked until the transaction ends; None when there is no such order."""
    version: int | None = connection.execute(
        select(orders.c.version).where(orders.c.id == order_id).with_for_update()
    ).scalar_one_or_none()
    return version


def _note(
    connection: Connection, order_id: str, version: int, event_id: str, at_ms: int, kind: str, actor: str, detail: str
) -> None:
    row = {"id": event_id, "order_id": order_id, "version": version, "at_ms": at_ms, "kind": kind}
    connection.execute(insert(order_events), [{**row, "actor": actor, "detail": detail}])


_HELD = Prepared(lambda listed: select(order_holds.c.order_id).where(listed(order_holds.c.order_id, "ids")), "ids")


def _deletion(column: Column[str]) -> Prepared:
    return Prepared(lambda listed: delete(column.table).where(listed(column, "ids")), "ids")


_DELETE = (*(_deletion(table.c.order_id) for table in OF_AN_ORDER), _deletion(orders.c.id))


class Deleted(Struct, frozen=True):
    """What one unit did. `last` is where the next one goes on, None when nothing else is over."""

    orders: int
    last: tuple[int, str] | None


def delete_closed(
    connection: Connection, *, closed_until_ms: int, after: tuple[int, str] | None, limit: int
) -> Deleted:
    """Deletes up to `limit` orders that were closed at or before a time, oldest first, with all that is theirs.

    Held orders stay, and so do those another process is deleting (or changing) at this moment: it goes on behind
    them. Orders under a hold are passed once per run, which begins with `after` None.
    """
    over = select(orders.c.closed_at_ms, orders.c.id).where(orders.c.closed_at_ms <= closed_until_ms)
    if after is not None:
        behind = or_(orders.c.closed_at_ms > after[0], and_(orders.c.closed_at_ms == after[0], orders.c.id > after[1]))
        over = over.where(orders.c.closed_at_ms >= after[0], behind)
    over = over.order_by(orders.c.closed_at_ms, orders.c.id).limit(limit).with_for_update(skip_locked=True)
    rows = connection.execute(over).all()
    if not rows:
        return Deleted(0, None)
    ids = [row.id for row in rows]
    # A statement of its own: whoever held an order before its row was locked here is seen now.
    held = {order_id for (order_id,) in _HELD.run(connection, text_list(connection, ids))}
    ids = [order_id for order_id in ids if order_id not in held]
    if ids:
        named = guests_of_orders(connection, ids)
        for statement in _DELETE:
            statement.run(connection, text_list(connection, ids))
        forget_unkept(connection, named)
    return Deleted(len(ids), (rows[-1].closed_at_ms, rows[-1].id) if len(rows) == limit else None)


def delete_unused_refs(connection: Connection, unused_since_ms: int, limit: int) -> int:
    """Forgets up to `limit` learnt vendor ids nobody used since a time; returns how many."""
    key = (link_refs.c.link_id, link_refs.c.kind, link_refs.c.ref_key)
    over = select(*key).where(link_refs.c.used_at_ms <= unused_since_ms).order_by(link_refs.c.used_at_ms).limit(limit)
    rows = connection.execute(over.with_for_update(skip_locked=True)).all()
    for row in rows:
        mine = (key[0] == row.link_id, key[1] == row.kind, key[2] == row.ref_key)
        connection.execute(delete(link_refs).where(*mine, link_refs.c.used_at_ms <= unused_since_ms))
    return len(rows)


def delete_expired_keys(connection: Connection, now_ms: int, limit: int) -> int:
    """Deletes up to `limit` idempotency keys that ended; returns how many."""
    table = idempotency_keys.c
    ended = select(table.name).where(table.expires_at_ms <= now_ms).limit(limit)
    return connection.execute(delete(idempotency_keys).where(table.name.in_(ended))).rowcount


def existing(connection: Connection, order_ids: Sequence[str]) -> set[str]:
    """Those of these orders that are there."""
    return set(connection.execute(select(orders.c.id).where(orders.c.id.in_(order_ids))).scalars())


def load_belongings(connection: Connection, order_id: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of an order by table, in the order of the tables' own keys; the order itself comes first."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for table in (orders, *OF_AN_ORDER):
        column = table.c.id if table is orders else table.c.order_id
        query = select(table).where(column == order_id).order_by(*table.primary_key)
        rows[table.name] = [dict(row._mapping) for row in connection.execute(query)]
    return rows

"""How orders were when they were placed, so that a repeated request gets the first answer again."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, select, update

from hub.database.order_reads import decode_order
from hub.database.prepared import BulkInsert, Prepared, text_list
from hub.database.repetition_tables import first_versions
from hub.database.tables import orders
from hub.model.ids import time_ordered_id
from hub.model.order import Order

_INSERT = BulkInsert(first_versions, "order_id", "document")
_LOAD = Prepared(
    lambda _: (
        select(func.coalesce(first_versions.c.document, orders.c.document).label("document"))
        .select_from(orders)
        .outerjoin(first_versions, first_versions.c.order_id == orders.c.id)
        .where(orders.c.id == bindparam("order_id"))
    ),
    "order_id",
)
_AMONG = Prepared(
    lambda listed: select(first_versions.c.document).where(listed(first_versions.c.order_id, "ids")), "ids"
)


def keep_first(connection: Connection, order: Order) -> None:
    """Keeps an order's first version; called by whoever changes it first, in the same transaction."""
    _INSERT.run(connection, [(order.id, msgspec.json.encode(order).decode())])


def load_first(connection: Connection, order_id: str) -> Order | None:
    """An order as it was placed; as it is now where the first version is no longer kept, None where there is none."""
    rows = _LOAD.run(connection, order_id)
    return decode_order(rows[0].document) if rows else None


def anonymise_first(connection: Connection, order_ids: Sequence[str]) -> None:
    """Takes the guest out of the first versions of these orders."""
    for row in _AMONG.run(connection, text_list(connection, order_ids)):
        nobodys = decode_order(row.document).without_guest()
        values = {"document": msgspec.json.encode(nobodys).decode()}
        connection.execute(update(first_versions).where(first_versions.c.order_id == nobodys.id).values(values))


def delete_first_versions(connection: Connection, placed_until_ms: int, limit: int) -> int:
    """Deletes up to `limit` first versions of orders placed before a time; returns how many. Ids tell the time."""
    bound = time_ordered_id("order", now_ms=placed_until_ms, random_bytes=bytes(10))
    table = first_versions.c
    ended = select(table.order_id).where(table.order_id < bound).order_by(table.order_id).limit(limit)
    return connection.execute(delete(first_versions).where(table.order_id.in_(ended))).rowcount

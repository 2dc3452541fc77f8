"""Recorded calls: one table per day, so that old ones are dropped whole instead of deleted row by row.

Calls of orders that outlive their day (under a legal hold, or placed long before they were closed) are copied into
one more table before the day is dropped.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    delete,
    insert,
    inspect,
    literal,
    select,
    text,
)

from hub.database.prepared import BulkInsert
from hub.model.call import Call

_PREFIX = "calls_"
_KEPT = "kept_calls"
_IDS_AT_ONCE = 500
_BEFORE_ITS_ORDER_MS = 60_000  # the call that makes an order begins a moment before the order is made


def day_of(at_ms: int) -> str:
    """The day (UTC) a call is filed under, e.g. `20261121`."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y%m%d")


def calls_table(day: str) -> Table:
    """The table of one day."""
    key = Column("id", Integer().with_variant(BigInteger(), "postgresql"), primary_key=True, autoincrement=True)
    return _table(f"{_PREFIX}{day}", key)


def kept_calls_table() -> Table:
    """The table of calls whose day was dropped."""
    day = Column("day", String(8), primary_key=True)
    return _table(_KEPT, day, Column("id", BigInteger, primary_key=True, autoincrement=False))


def _table(name: str, *key: Column[Any]) -> Table:
    return Table(
        name,
        MetaData(),
        *key,
        Column("at_ms", BigInteger, nullable=False),
        Column("direction", String(3), nullable=False),
        Column("link_id", String(64), nullable=False),
        Column("order_id", String(64), nullable=False),
        Column("operation", String(60), nullable=False),
        Column("attempt", Integer, nullable=False),
        Column("method", String(10), nullable=False),
        Column("url", Text, nullable=False),
        Column("status", Integer),
        Column("milliseconds", Float, nullable=False),
        Column("request_headers", Text, nullable=False),
        Column("request_body", Text, nullable=False),
        Column("response_headers", Text, nullable=False),
        Column("response_body", Text, nullable=False),
        Column("error", Text, nullable=False),
        Index(f"ix_{name}_order_id", "order_id"),
        sqlite_autoincrement=False,
    )


def create_day(connection: Connection, day: str) -> None:
    """Makes the table of a day; does nothing when it is there."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7021401)")  # two processes, one midnight
    calls_table(day).create(connection, checkfirst=True)


def insert_calls(connection: Connection, batches: Sequence[tuple[str, Sequence[Call]]]) -> Sequence[None]:
    """Stores calls in the tables of their days, which exist (a batch unit: several buffers may come together)."""
    for day, calls in batches:
        _insert(day).run(connection, [_row(call) for call in calls])
    return [None] * len(batches)


def _row(call: Call) -> tuple[Any, ...]:
    """A call as it is stored; no database takes null bytes, and one such call must not lose the others.

    Headers and bodies hold none: they are texts that a redactor made.
    """
    row = msgspec.structs.astuple(call)
    if "\x00" in f"{call.link_id}{call.order_id}{call.operation}{call.method}{call.url}{call.error}":
        return tuple(value.replace("\x00", "�") if isinstance(value, str) else value for value in row)
    return row


@lru_cache(maxsize=4)
def _insert(day: str) -> BulkInsert:
    return BulkInsert(calls_table(day), *Call.__struct_fields__)


def days_kept(connection: Connection) -> list[str]:
    """The days there are calls of, oldest first."""
    names = inspect(connection).get_table_names()
    return sorted(name.removeprefix(_PREFIX) for name in names if name.startswith(_PREFIX))


def load_calls(connection: Connection, order_id: str, *, from_ms: int) -> list[Call]:
    """All calls of an order since it was created, in the order they were made."""
    first = day_of(from_ms - _BEFORE_ITS_ORDER_MS)
    calls: list[Call] = []
    tables = [kept_calls_table()] if inspect(connection).has_table(_KEPT) else []
    tables += [calls_table(day) for day in days_kept(connection) if day >= first]
    for table in tables:
        columns = [table.c[name] for name in Call.__struct_fields__]
        query = select(*columns).where(table.c.order_id == order_id).order_by(table.c.at_ms, table.c.id)
        calls.extend(Call(**row._mapping) for row in connection.execute(query))
    return calls


def days_before(connection: Connection, now_ms: int, keep_days: int) -> list[str]:
    """The days that ended more than `keep_days` ago, oldest first."""
    oldest = day_of(now_ms - keep_days * 86_400_000)
    return [day for day in days_kept(connection) if day < oldest]


def orders_of_day(connection: Connection, day: str, *, after: str = "", before: str = "") -> list[str]:
    """A page of the orders that have calls on a day, by id: those behind `after` and, if given, before `before`."""
    return _orders_in(connection, calls_table(day), after, before)


def orders_kept(connection: Connection, *, after: str = "") -> list[str]:
    """A page of the orders that have calls of dropped days, by id."""
    if not inspect(connection).has_table(_KEPT):
        return []
    return _orders_in(connection, kept_calls_table(), after, "")


def _orders_in(connection: Connection, table: Table, after: str, before: str) -> list[str]:
    query = select(table.c.order_id).where(table.c.order_id > after)
    if before:
        query = query.where(table.c.order_id < before)
    query = query.distinct().order_by(table.c.order_id).limit(_IDS_AT_ONCE)
    return list(connection.execute(query).scalars())


def keep_calls(connection: Connection, day: str, order_ids: Sequence[str]) -> None:
    """Copies these orders' calls out of a day that will be dropped; doing it twice changes nothing."""
    source, target = calls_table(day), kept_calls_table()
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(7021402)"))  # two processes, one table to make
    target.create(connection, checkfirst=True)
    connection.execute(delete(target).where(target.c.day == day, target.c.order_id.in_(order_ids)))
    names = [column.name for column in source.columns]
    copied = select(literal(day), *source.columns).where(source.c.order_id.in_(order_ids))
    connection.execute(insert(target).from_select(["day", *names], copied))


def forget_calls(connection: Connection, day: str | None, order_ids: Sequence[str]) -> int:
    """Deletes these orders' calls of a day (of dropped days when None); returns how many."""
    table = kept_calls_table() if day is None else calls_table(day)
    return connection.execute(delete(table).where(table.c.order_id.in_(order_ids))).rowcount


def drop_day(connection: Connection, day: str) -> None:
    """Drops a day's calls."""
    calls_table(day).drop(connection, checkfirst=True)

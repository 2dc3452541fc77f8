"""Recorded calls: one table per day, so that old ones are dropped whole instead of deleted row by row."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    Index,
    Insert,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    insert,
    inspect,
    select,
)

from hub.model.call import Call

_PREFIX = "calls_"


def day_of(at_ms: int) -> str:
    """The day (UTC) a call is filed under, e.g. `20261121`."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y%m%d")


def calls_table(day: str) -> Table:
    """The table of one day."""
    name = f"{_PREFIX}{day}"
    return Table(
        name,
        MetaData(),
        Column("id", Integer().with_variant(BigInteger(), "postgresql"), primary_key=True, autoincrement=True),
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
        connection.execute(_insert(day), [_row(call) for call in calls])
    return [None] * len(batches)


def _row(call: Call) -> dict[str, Any]:
    """A call as it is stored; no database takes null bytes, and one such call must not lose the others."""
    row = msgspec.structs.asdict(call)
    if any("\x00" in value for value in row.values() if isinstance(value, str)):
        return {name: value.replace("\x00", "�") if isinstance(value, str) else value for name, value in row.items()}
    return row


@lru_cache(maxsize=4)
def _insert(day: str) -> Insert:
    return insert(calls_table(day))


def days_kept(connection: Connection) -> list[str]:
    """The days there are calls of, oldest first."""
    names = inspect(connection).get_table_names()
    return sorted(name.removeprefix(_PREFIX) for name in names if name.startswith(_PREFIX))


def load_calls(connection: Connection, order_id: str, *, from_ms: int) -> list[Call]:
    """All calls of an order since it was created, in the order they were made."""
    first = day_of(from_ms)
    calls: list[Call] = []
    for day in days_kept(connection):
        if day < first:
            continue
        table = calls_table(day)
        columns = [table.c[name] for name in Call.__struct_fields__]
        query = select(*columns).where(table.c.order_id == order_id).order_by(table.c.at_ms, table.c.id)
        calls.extend(Call(**row._mapping) for row in connection.execute(query))
    return calls


def drop_calls_before(connection: Connection, now_ms: int, keep_days: int) -> list[str]:
    """Drops the tables of days that ended more than `keep_days` ago; returns those days."""
    oldest = (datetime.fromtimestamp(now_ms / 1000, UTC) - timedelta(days=keep_days)).strftime("%Y%m%d")
    expired = [day for day in days_kept(connection) if day < oldest]
    for day in expired:
        calls_table(day).drop(connection, checkfirst=True)
    return expired

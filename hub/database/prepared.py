"""Statements of the order's path: declared with SQLAlchemy Core, compiled once, run without its machinery.

For one small statement the machinery costs ten times what the database does. What goes in are texts, whole numbers
and bytes, in the order of the names given; what comes out are named tuples.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import (
    ARRAY,
    BindParameter,
    ClauseElement,
    ColumnElement,
    Connection,
    Dialect,
    String,
    Table,
    Text,
    any_,
    bindparam,
    cast,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

_LARGEST_CHUNK = 32

Listed = Callable[[ColumnElement[str], str], ColumnElement[bool]]
"""`listed(column, name)`: the column is one of the texts that the parameter `name` holds, made by `text_list`."""


class Prepared:
    """A statement that is compiled once per kind of database."""

    def __init__(self, declare: Callable[[Listed], ClauseElement], *names: str) -> None:
        self._compiled = lru_cache(maxsize=2)(lambda is_sqlite: _compile(declare(_listed(is_sqlite)), is_sqlite, names))

    def run(self, connection: Connection, *values: Any) -> list[Any]:
        """Runs the statement and returns its rows, if it has any. Raises what SQLAlchemy would."""
        sql, arrange = self._compiled(connection.dialect.name == "sqlite")
        cursor = _execute(connection, sql, arrange(values))
        if cursor.description is None:
            return []
        make = _row_type(tuple([column[0] for column in cursor.description]))
        return [make(row) for row in cursor.fetchall()]

    def run_each(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Runs the statement once for every row of values."""
        if rows:
            sql, arrange = self._compiled(connection.dialect.name == "sqlite")
            _execute(connection, sql, [arrange(values) for values in rows], many=True)


def text_list(connection: Connection, texts: Sequence[str]) -> str:
    """Texts as the one parameter that `listed` takes."""
    return msgspec.json.encode(texts).decode() if connection.dialect.name == "sqlite" else _array(texts)


class BulkInsert:
    """Inserts many rows with few statements; columns that are not named get their defaults.

    SQLite: `VALUES` of several rows, because each statement is one hand-over of the interpreter lock. PostgreSQL: one
    statement with an array per column, because each statement is a round trip.
    """

    def __init__(self, table: Table, *columns: str, or_leave: bool = False) -> None:
        """`or_leave`: rows whose key exists are left as they are."""
        self._table = table
        self._columns = columns
        self._or_leave = or_leave
        self._for_rows = lru_cache(maxsize=16)(self._sqlite_insert)
        self._for_arrays = lru_cache(maxsize=1)(self._postgresql_insert)

    def run(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Inserts the rows, whose values are in the order of the columns. Raises what SQLAlchemy would."""
        if connection.dialect.name == "sqlite":
            for chunk in _chunks(rows):
                _execute(connection, self._for_rows(len(chunk)), [value for row in chunk for value in row])
        elif rows:
            _execute(connection, self._for_arrays(), [_array(values) for values in zip(*rows, strict=True)])

    def _sqlite_insert(self, count: int) -> str:
        names = [[f"{column}_{index}" for column in self._columns] for index in range(count)]
        rows: list[dict[str, BindParameter[Any]]] = [
            {column: bindparam(name) for column, name in zip(self._columns, row, strict=True)} for row in names
        ]
        statement = sqlite.insert(self._table).values(rows)
        return _text(statement.on_conflict_do_nothing() if self._or_leave else statement, is_sqlite=True)

    def _postgresql_insert(self) -> str:
        arrays = [func.unnest(_array_parameter(name, self._table.c[name].type)) for name in self._columns]
        statement = postgresql.insert(self._table).from_select(self._columns, select(*arrays))
        return _text(statement.on_conflict_do_nothing() if self._or_leave else statement, is_sqlite=False)


def _text(statement: ClauseElement, *, is_sqlite: bool) -> str:
    return str(statement.compile(dialect=_dialect(is_sqlite)))


@lru_cache(maxsize=64)
def _row_type(names: tuple[str, ...]) -> Callable[[Iterable[Any]], Any]:
    new_type: Any = namedtuple
    make: Callable[[Iterable[Any]], Any] = new_type("Row", names)._make
    return make


def _listed(is_sqlite: bool) -> Listed:
    if is_sqlite:
        return lambda column, name: column.in_(select(func.json_each(bindparam(name)).table_valued("value").c.value))
    return lambda column, name: column == any_(_array_parameter(name, Text()))


def _array_parameter(name: str, type_: TypeEngine[Any]) -> ColumnElement[Any]:
    text: BindParameter[str] = bindparam(name, type_=Text())
    return cast(text, ARRAY(Text() if isinstance(type_, String) else type_))  # a cast to VARCHAR(n) would cut


def _array(values: Sequence[Any]) -> str:
    """Values as one PostgreSQL array literal; the driver's own way of writing arrays is many times slower."""
    return "{" + ",".join([_element(value) for value in values]) + "}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, bytes):
        return f'"\\\\x{value.hex()}"'
    return str(value)


@lru_cache(maxsize=2)
def _dialect(is_sqlite: bool) -> Dialect:
    """The dialect with parameters by position."""
    make: Any = sqlite.dialect if is_sqlite else PGDialect_psycopg
    dialect: Dialect = make(paramstyle="qmark" if is_sqlite else "format")
    return dialect


def _compile(
    statement: ClauseElement, is_sqlite: bool, names: tuple[str, ...]
) -> tuple[str, Callable[[tuple[Any, ...]], tuple[Any, ...]]]:
    """The SQL text, and what brings values into its order."""
    compiled: Any = statement.compile(dialect=_dialect(is_sqlite))
    state = compiled.construct_expanded_state(dict.fromkeys(names))
    places = {name: index for index, name in enumerate(names)}
    order = [(places.get(name), _plain(state.parameters.get(name))) for name in state.positiontup]
    if [place for place, _ in order] == list(range(len(names))):
        return state.statement, lambda values: values
    return state.statement, lambda values: tuple([value if at is None else values[at] for at, value in order])


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _execute(connection: Connection, sql: str, parameters: Any, *, many: bool = False) -> Any:
    pooled = connection.connection
    cursor = pooled.cursor()
    try:
        (cursor.executemany if many else cursor.execute)(sql, parameters)
    except connection.dialect.loaded_dbapi.Error as problem:
        lost = connection.dialect.is_disconnect(problem, pooled, cursor)
        if lost:
            connection.invalidate(problem)
        raise DBAPIError.instance(
            sql,
            None,
            problem,
            connection.dialect.loaded_dbapi.Error,
            hide_parameters=True,
            connection_invalidated=lost,
            dialect=connection.dialect,
        ) from problem
    return cursor


def _chunks(rows: Sequence[tuple[Any, ...]]) -> Iterator[Sequence[tuple[Any, ...]]]:
    """Cuts rows into pieces of 32, 16 … 1, so that only six statements have to be kept prepared."""
    start, size = 0, _LARGEST_CHUNK
    while start < len(rows):
        while size > len(rows) - start:
            size //= 2
        yield rows[start : start + size]
        start += size

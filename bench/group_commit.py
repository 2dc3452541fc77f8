"""Group commit for the bare servers: one writer thread takes all that waits and commits it in one transaction.

This is the strongest honest way to store an order that we know: one flush and one wake-up of the event loop for
many orders. A batch is written with as few statements as possible, because sqlite3 gives up the interpreter lock at
every step. After a batch of more than one the writer waits a moment for company; a lone order never waits.
"""

import asyncio
import queue
import sqlite3
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

import psycopg

_LARGEST_CHUNK = 64


class NewOrder(NamedTuple):
    """The row of an accepted order."""

    id: str
    key: str
    status: str
    body: str
    received_at: int


class Outcome(NamedTuple):
    """What the vendor said: the order's new status and one trace with both bodies."""

    order_id: str
    status: str
    vendor_id: str
    request: str
    response: str
    http_status: int
    ended_at: int


Row = NewOrder | Outcome
RowT = TypeVar("RowT", NewOrder, Outcome)


class Store(ABC):
    """A database that can write one batch durably; used by the writer thread alone."""

    company_seconds: float
    """How long to wait for more orders after a batch of more than one; found by trying."""

    @abstractmethod
    def open(self) -> None: ...

    @abstractmethod
    def write(self, orders: Sequence[NewOrder], outcomes: Sequence[Outcome]) -> None:
        """Insert and update everything in one transaction; return after the flush."""

    @abstractmethod
    def close(self) -> None: ...


class Writer:
    """Hands rows to the writer thread and wakes the callers after their commit."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: queue.SimpleQueue[tuple[Row, asyncio.Future[None]] | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self._thread.start()

    def commit(self, row: Row) -> asyncio.Future[None]:
        """Return a future that is done once the row is durable."""
        done = self._loop.create_future()
        self._waiting.put((row, done))
        return done

    def stop(self) -> None:
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        self._store.open()
        while True:
            first = self._waiting.get()
            if first is None:
                break
            batch = [first]
            while True:
                try:
                    more = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    self._waiting.put(None)
                    break
                batch.append(more)
            self._store.write(
                [row for row, _ in batch if isinstance(row, NewOrder)],
                [row for row, _ in batch if isinstance(row, Outcome)],
            )
            self._loop.call_soon_threadsafe(_wake, [done for _, done in batch])
            if len(batch) > 1:
                time.sleep(self._store.company_seconds)
        self._store.close()


class SqliteStore(Store):
    """SQLite in WAL mode; FULL flushes at every commit."""

    company_seconds = 0.001

    def __init__(self, path: str) -> None:
        self._path = path

    def open(self) -> None:
        self._db = sqlite3.connect(self._path, isolation_level=None, cached_statements=256)
        for statement in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=FULL",
            "CREATE TABLE orders (id TEXT PRIMARY KEY, key TEXT NOT NULL UNIQUE, status TEXT NOT NULL, "
            "body TEXT NOT NULL, received_at INTEGER NOT NULL, vendor_id TEXT) WITHOUT ROWID",
            "CREATE TABLE traces (id INTEGER PRIMARY KEY, order_id TEXT NOT NULL, request TEXT NOT NULL, "
            "response TEXT NOT NULL, http_status INTEGER NOT NULL, ended_at INTEGER NOT NULL)",
            "CREATE INDEX traces_by_order ON traces (order_id)",
        ):
            self._db.execute(statement)

    def write(self, orders: Sequence[NewOrder], outcomes: Sequence[Outcome]) -> None:
        execute = self._db.execute
        execute("BEGIN IMMEDIATE")
        for new in _chunks(orders):
            rows = ",".join(["(?,?,?,?,?)"] * len(new))
            execute(
                f"INSERT INTO orders (id, key, status, body, received_at) VALUES {rows}",
                [value for row in new for value in row],
            )
        for ended in _chunks(outcomes):
            rows = ",".join(["(?,?,?)"] * len(ended))
            execute(
                f"UPDATE orders SET status = v.column2, vendor_id = v.column3 FROM (VALUES {rows}) AS v "
                "WHERE orders.id = v.column1",
                [value for row in ended for value in row[:3]],
            )
            rows = ",".join(["(?,?,?,?,?)"] * len(ended))
            execute(
                f"INSERT INTO traces (order_id, request, response, http_status, ended_at) VALUES {rows}",
                [value for row in ended for value in (row[0], *row[3:])],
            )
        execute("COMMIT")

    def close(self) -> None:
        self._db.close()


class PostgresStore(Store):
    """PostgreSQL over one connection; a batch travels as arrays in one statement.

    The server works on another core, so orders gather while it does: a shorter wait is enough.
    """

    company_seconds = 0.0003

    def __init__(self, address: str) -> None:
        self._address = address

    def open(self) -> None:
        self._db = psycopg.connect(self._address, autocommit=True, prepare_threshold=0)
        self._db.execute(
            "CREATE TABLE orders (id text PRIMARY KEY, key text NOT NULL UNIQUE, status text NOT NULL, "
            "body text NOT NULL, received_at bigint NOT NULL, vendor_id text)"
        )
        self._cursor = self._db.cursor()

    def write(self, orders: Sequence[NewOrder], outcomes: Sequence[Outcome]) -> None:
        assert not outcomes, "the PostgreSQL ceiling only accepts orders"
        columns = [
            array_literal([row.id for row in orders]),
            array_literal([row.key for row in orders]),
            array_literal([row.status for row in orders]),
            array_literal([row.body for row in orders]),
            array_literal([str(row.received_at) for row in orders]),
        ]
        self._cursor.execute(
            "INSERT INTO orders (id, key, status, body, received_at) "
            "SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[])",
            columns,
        )

    def close(self) -> None:
        self._db.close()


def _chunks(rows: Sequence[RowT]) -> Iterator[Sequence[RowT]]:
    """Cut a batch into pieces of 64, 32 … 1, so that only seven statements have to be kept prepared."""
    start, size = 0, _LARGEST_CHUNK
    while start < len(rows):
        while size > len(rows) - start:
            size //= 2
        yield rows[start : start + size]
        start += size


def array_literal(texts: Sequence[str]) -> str:
    """Return texts as one PostgreSQL array literal; psycopg's own list adapter is plain Python and much slower."""
    escaped = [text.replace("\\", "\\\\").replace('"', '\\"') for text in texts]
    return '{"' + '","'.join(escaped) + '"}'


def _wake(futures: Sequence[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)

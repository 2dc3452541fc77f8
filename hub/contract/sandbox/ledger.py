"""The memory of a sandbox: accepted orders, answers kept for repeated calls, and the vendor's own documents.

Everything is committed before a call is answered, so a ledger in a file survives `kill -9`.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import msgspec

_T = TypeVar("_T")
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)

_TABLES = """
CREATE TABLE IF NOT EXISTS orders (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    scope TEXT NOT NULL,
    status TEXT NOT NULL,
    idempotency_key TEXT,
    received_at TEXT NOT NULL,
    changed_at TEXT NOT NULL,
    headers BLOB NOT NULL,
    body BLOB NOT NULL,
    record BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS orders_by_status ON orders (status, received_at);
CREATE INDEX IF NOT EXISTS orders_by_scope ON orders (scope, received_at);
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, kept_at TEXT NOT NULL,
    status INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (kind, key)
);
"""
_COLUMNS = "number, scope, status, idempotency_key, received_at, changed_at, headers, body, record"
_SORTABLE = {"number": "number", "received_at": "received_at", "changed_at": "changed_at"}


def to_json(value: Any) -> bytes:
    """JSON text; a `Decimal` becomes a bare number with every digit it has."""
    return _ENCODER.encode(value)


def from_json(raw: bytes | str) -> Any:
    """The value of a JSON text, with `Decimal` for every fraction; raises `msgspec.DecodeError`, also for text that
    is not UTF-8 or nested too deeply."""
    return _read(lambda: _DECODER.decode(raw))


def typed_from_json(raw: bytes, kind: type[_T]) -> _T:
    """The same as a value of one type; raises `msgspec.DecodeError`, also where it does not fit."""
    return _read(lambda: msgspec.json.decode(raw, type=kind))


def _read(decode: Callable[[], _T]) -> _T:
    try:
        return decode()
    except (UnicodeDecodeError, RecursionError) as broken:
        raise msgspec.DecodeError(str(broken)) from broken


class LedgerOrder(msgspec.Struct, frozen=True):
    """An accepted order: as it was received, and the vendor's own record of it."""

    number: int
    scope: str
    """Whose order it is, in the vendor's terms, for example brand and venue."""
    status: str
    idempotency_key: str | None
    received_at: datetime
    changed_at: datetime
    headers: Mapping[str, str]
    body: Any
    record: Any


class KeptAnswer(msgspec.Struct, frozen=True):
    """The first answer to a call that carried an idempotency key."""

    fingerprint: str
    status: int
    body: bytes


class Ledger:
    """Orders, kept answers and documents in SQLite: in a file, or in memory without one."""

    def __init__(self, state: Path | None = None) -> None:
        self._connection = sqlite3.connect(state or ":memory:", isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        """Closes the file; the ledger cannot be used afterwards."""
        self._connection.close()

    @contextmanager
    def unit(self) -> Iterator[None]:
        """What happens inside is committed together, or not at all."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def accept(
        self,
        *,
        scope: str,
        status: str,
        at: datetime,
        headers: Mapping[str, str],
        body: bytes,
        record: Any,
        idempotency_key: str | None = None,
    ) -> int:
        """Writes one order down and gives it a number, which is never used twice."""
        cursor = self._connection.execute(
            "INSERT INTO orders (scope, status, idempotency_key, received_at, changed_at, headers, body, record)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (scope, status, idempotency_key, _text(at), _text(at), to_json(headers), body, to_json(record)),
        )
        number = cursor.lastrowid
        assert number is not None
        return number

    def find_order(self, number: int) -> LedgerOrder | None:
        """The order with this number."""
        row = self._connection.execute(f"SELECT {_COLUMNS} FROM orders WHERE number = ?", (number,)).fetchone()
        return _order(row) if row else None

    def load_orders(
        self,
        *,
        scope: str | None = None,
        status: str | None = None,
        from_time: datetime | None = None,
        before_time: datetime | None = None,
        sort: str = "number",
        descending: bool = False,
        limit: int = -1,
        offset: int = 0,
    ) -> tuple[list[LedgerOrder], int]:
        """A page of the orders that match, and how many match; `sort` is number, received_at or changed_at."""
        conditions = {
            "scope = ?": scope,
            "status = ?": status,
            "received_at >= ?": _text(from_time) if from_time else None,
            "received_at < ?": _text(before_time) if before_time else None,
        }
        wanted = {condition: value for condition, value in conditions.items() if value is not None}
        where = " AND ".join(wanted) or "1"
        values = list(wanted.values())
        (total,) = self._connection.execute(f"SELECT count(*) FROM orders WHERE {where}", values).fetchone()
        direction = "DESC" if descending else "ASC"
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM orders WHERE {where}"
            f" ORDER BY {_SORTABLE[sort]} {direction}, number {direction} LIMIT ? OFFSET ?",
            [*values, limit, offset],
        )
        return [_order(row) for row in rows], total

    def set_status(self, number: int, status: str, at: datetime) -> None:
        """Moves one order to another status."""
        self._connection.execute(
            "UPDATE orders SET status = ?, changed_at = ? WHERE number = ?", (status, _text(at), number)
        )

    def set_record(self, number: int, record: Any) -> None:
        """Puts another record of the vendor's in place of an order's; status and times stay."""
        self._connection.execute("UPDATE orders SET record = ? WHERE number = ?", (to_json(record), number))

    def replace_record(self, number: int, record: Any, *, status: str, at: datetime) -> None:
        """Puts the vendor's record of one order, and its status, in place of what was there."""
        self._connection.execute(
            "UPDATE orders SET record = ?, status = ?, changed_at = ? WHERE number = ?",
            (to_json(record), status, _text(at), number),
        )

    def advance(self, from_status: str, to_status: str, *, received_until: datetime, at: datetime) -> None:
        """Moves every order that has had a status since `received_until` or longer to another."""
        self._connection.execute(
            "UPDATE orders SET status = ?, changed_at = ? WHERE status = ? AND received_at <= ?",
            (to_status, _text(at), from_status, _text(received_until)),
        )

    def forget_orders(self) -> None:
        """Removes all orders and kept answers; documents stay, and numbers go on."""
        with self.unit():
            self._connection.execute("DELETE FROM orders")
            self._connection.execute("DELETE FROM answers")

    def find_answer(self, key: str, *, kept_since: datetime) -> KeptAnswer | None:
        """The answer kept under this key, unless it is older than `kept_since`."""
        row = self._connection.execute(
            "SELECT fingerprint, status, body FROM answers WHERE key = ? AND kept_at >= ?", (key, _text(kept_since))
        ).fetchone()
        return KeptAnswer(*row) if row else None

    def keep_answer(self, key: str, answer: KeptAnswer, at: datetime) -> None:
        """Keeps the answer to repeat when the same key comes again."""
        self._connection.execute(
            "INSERT OR REPLACE INTO answers (key, fingerprint, kept_at, status, body) VALUES (?, ?, ?, ?, ?)",
            (key, answer.fingerprint, _text(at), answer.status, answer.body),
        )

    def put_document(self, kind: str, key: str, value: Any) -> None:
        """Stores a JSON value of the vendor's (a token, a customer) in place of any under this key."""
        self._connection.execute(
            "INSERT OR REPLACE INTO documents (kind, key, value) VALUES (?, ?, ?)", (kind, key, to_json(value))
        )

    def find_document(self, kind: str, key: str) -> Any | None:
        """The JSON value under this key, or None."""
        row = self._connection.execute("SELECT value FROM documents WHERE kind = ? AND key = ?", (kind, key)).fetchone()
        return from_json(row[0]) if row else None

    def load_documents(self, kind: str) -> list[Any]:
        """All JSON values of one kind, oldest first."""
        rows = self._connection.execute("SELECT value FROM documents WHERE kind = ? ORDER BY rowid", (kind,))
        return [from_json(value) for (value,) in rows]

    def forget_documents(self, kind: str) -> None:
        """Removes all JSON values of one kind."""
        self._connection.execute("DELETE FROM documents WHERE kind = ?", (kind,))


def _text(moment: datetime) -> str:
    # One zone and one width, so that text sorts as time does.
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _order(row: Any) -> LedgerOrder:
    number, scope, status, key, received_at, changed_at, headers, body, record = row
    return LedgerOrder(
        number=number,
        scope=scope,
        status=status,
        idempotency_key=key,
        received_at=datetime.fromisoformat(received_at),
        changed_at=datetime.fromisoformat(changed_at),
        headers=from_json(headers),
        body=from_json(body),
        record=from_json(record),
    )

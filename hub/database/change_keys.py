"""Idempotency keys of changes: a key is taken in the change's own transaction, so a repetition changes nothing."""

from msgspec import Struct
from sqlalchemy import Connection, delete, select, update

from hub.database.repetition_tables import idempotency_keys
from hub.database.upsert import upsert


class FirstAnswer(Struct, frozen=True, kw_only=True):
    """What the first request with a key was: the digest of its content, and its answer word for word."""

    fingerprint: bytes
    answer: str


def find_first(connection: Connection, name: str, now_ms: int) -> FirstAnswer | None:
    """The first request with this key, if there was one and the key is still kept."""
    table = idempotency_keys.c
    query = select(table.fingerprint, table.answer).where(table.name == name, table.expires_at_ms > now_ms)
    row = connection.execute(query).one_or_none()
    return None if row is None else FirstAnswer(fingerprint=row.fingerprint, answer=row.answer)


def take_key(
    connection: Connection, *, name: str, fingerprint: bytes, order_id: str, now_ms: int, expires_at_ms: int
) -> FirstAnswer | None:
    """Takes a key for a change; None when it is taken now, else the request that had it first.

    On PostgreSQL this waits for another transaction that takes the same key at this moment.
    """
    table = idempotency_keys.c
    connection.execute(delete(idempotency_keys).where(table.name == name, table.expires_at_ms <= now_ms))
    row = {"name": name, "fingerprint": fingerprint, "order_id": order_id, "answer": "", "expires_at_ms": expires_at_ms}
    return None if upsert(connection, idempotency_keys, [row]) == 1 else find_first(connection, name, now_ms)


def keep_answer(connection: Connection, name: str, answer: str) -> None:
    """Stores what the request that took a key was answered."""
    connection.execute(update(idempotency_keys).where(idempotency_keys.c.name == name).values(answer=answer))

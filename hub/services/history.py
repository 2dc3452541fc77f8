"""What happened to an order, for those who ask from outside: its changes, its calls, and what is wrong now."""

from msgspec import Struct
from sqlalchemy import Connection

from hub.database import calls as stored_calls
from hub.database.engine import Database
from hub.database.order_reads import load_events
from hub.model.causes import CAUSES, Cause
from hub.model.order import OrderRecord
from hub.model.status import Injection, Stage

_BAD = (Injection.RETRYING, Injection.UNKNOWN, Injection.FAILED, Injection.MANUAL_REQUIRED)
MOST_ENTRIES = 200


class Entry(Struct, frozen=True, kw_only=True):
    """One thing that happened. Of a call only what it was and how it ended, never its content."""

    at_ms: int
    kind: str
    detail: str = ""
    actor: str = ""
    status: int | None = None
    milliseconds: float | None = None


class Failure(Struct, frozen=True, kw_only=True):
    """Something that keeps an order from its way. `cause` is None when the hub knows no reason yet."""

    target: str
    state: str
    attempts: int
    deadline_at_ms: int | None
    cause: Cause | None
    detail: str


class History:
    """Reads what was recorded; calls of the last moment may be missing."""

    def __init__(self, database: Database, calls_database: Database) -> None:
        self._database = database
        self._calls_database = calls_database

    async def load(self, record: OrderRecord) -> list[Entry]:
        """Changes of an order and calls about it to its POS, oldest first; the newest `MOST_ENTRIES`."""
        order = record.order

        def calls(connection: Connection) -> list[Entry]:
            return [
                Entry(
                    at_ms=call.at_ms,
                    kind=call.operation if call.operation.startswith("webhook.") else f"pos.{call.operation}",
                    detail=call.error or ("answered" if call.status else "no answer"),
                    status=call.status,
                    milliseconds=call.milliseconds,
                )
                for call in stored_calls.load_calls(connection, order.id, from_ms=order.created_at_ms)
                if call.direction == "out"
            ]

        events = await self._database.read(lambda connection: load_events(connection, order.id))
        entries = [Entry(at_ms=e.at_ms, kind=f"order.{e.kind}", detail=e.detail, actor=e.actor) for e in events]
        entries += await self._calls_database.read(calls)
        return sorted(entries, key=lambda entry: entry.at_ms)[-MOST_ENTRIES:]


def failures(record: OrderRecord) -> list[Failure]:
    """What is wrong with an order now; empty when all is well."""
    return [
        Failure(
            target=state.target,
            state=state.state,
            attempts=state.attempts,
            deadline_at_ms=state.deadline_at_ms,
            cause=CAUSES.get(state.cause),
            detail=state.detail,
        )
        for state in record.injection
        if state.state in _BAD or state.cause
    ]


def is_refused(record: OrderRecord) -> bool:
    """Whether the order ended without being made."""
    return record.order.stage in (Stage.REJECTED, Stage.CANCELLED, Stage.EXPIRED)

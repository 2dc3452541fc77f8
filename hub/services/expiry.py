"""Closes orders that nobody closed, and forgets what need not be kept."""

from msgspec import structs
from sqlalchemy import Connection

from hub.contract.ports import Clock
from hub.database import orders as stored
from hub.database.engine import Database
from hub.database.order_reads import load_unchanged
from hub.model.ids import NewId
from hub.model.status import OrderType, Stage, Status

_HOUR_MS = 3_600_000
UNCHANGED_UNTIL_EXPIRED_HOURS = 24  # decisions: an order nobody closes is closed after 24 h without change
UNCHANGED_UNTIL_EXPIRED_HOURS_DINE_IN = 36


class Expiry:
    """Periodic tidying; every step may be repeated and interrupted."""

    def __init__(self, *, database: Database, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    async def close_forgotten(self) -> int:
        """Closes open orders that did not change for a day (a day and a half at a table); returns how many."""
        now_ms = self._clock.now_ms()

        def unit(connection: Connection) -> int:
            expired = 0
            for order in load_unchanged(connection, now_ms - UNCHANGED_UNTIL_EXPIRED_HOURS * _HOUR_MS):
                hours = UNCHANGED_UNTIL_EXPIRED_HOURS
                if order.order_type is OrderType.DINE_IN:
                    hours = UNCHANGED_UNTIL_EXPIRED_HOURS_DINE_IN
                last_ms = max(order.updated_at_ms, order.timing.promised_at_ms or 0)
                if last_ms > now_ms - hours * _HOUR_MS:
                    continue
                timing = structs.replace(order.timing, closed_at_ms=now_ms)
                after = structs.replace(
                    order, stage=Stage.EXPIRED, status=Status.CLOSED, timing=timing, updated_at_ms=now_ms
                )
                detail = f"no change for {hours} hours"
                event_id = self._new_id("evt")
                stored.save_change(
                    connection, order, after, event_id=event_id, kind="expired", actor="hub", detail=detail
                )
                expired += 1
            return expired

        return await self._database.write(unit)

    async def forget_keys(self) -> int:
        """Deletes idempotency keys that ended, in small steps; returns how many."""
        now_ms, forgotten = self._clock.now_ms(), 0
        while True:
            deleted = await self._database.write(lambda connection: stored.delete_expired_keys(connection, now_ms))
            forgotten += deleted
            if not deleted:
                return forgotten

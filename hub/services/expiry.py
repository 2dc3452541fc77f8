"""Closes orders that nobody closed, and forgets what need not be kept."""

from collections.abc import Callable, Sequence
from functools import partial

from msgspec import structs
from sqlalchemy import Connection

from hub.contract.ports import Clock
from hub.database import orders as stored
from hub.database.engine import Database
from hub.database.first_versions import delete_first_versions
from hub.database.order_reads import load_unchanged
from hub.database.retention import delete_expired_keys
from hub.model.ids import NewId
from hub.model.order import Order
from hub.model.status import FINAL_STAGES, OrderType, Stage, Status
from hub.services.orders import IDEMPOTENCY_DAYS

_HOUR_MS = 3_600_000
UNCHANGED_UNTIL_EXPIRED_HOURS = 24  # decisions: an order nobody closes is closed after 24 h without change
UNCHANGED_UNTIL_EXPIRED_HOURS_DINE_IN = 36
_AT_ONCE = 1000


class Expiry:
    """Periodic tidying; every step may be repeated and interrupted."""

    def __init__(self, *, database: Database, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    async def close_forgotten(self) -> int:
        """Closes open orders that did not change for a day (a day and a half at a table); returns how many."""
        now_ms, after_id, closed = self._clock.now_ms(), "", 0
        while True:
            since_ms = now_ms - UNCHANGED_UNTIL_EXPIRED_HOURS * _HOUR_MS
            page = await self._database.read(partial(load_unchanged, since_ms=since_ms, after_id=after_id))
            if not page:
                return closed
            after_id = page[-1].id
            forgotten = [order for order in page if is_forgotten(order, now_ms)]
            if forgotten:
                closed += await self._database.write(partial(self._close, orders=forgotten, now_ms=now_ms))

    def _close(self, connection: Connection, *, orders: Sequence[Order], now_ms: int) -> int:
        closed = 0
        for order in orders:
            after = structs.replace(
                order,
                stage=order.stage if order.stage in FINAL_STAGES else Stage.EXPIRED,
                status=Status.CLOSED,
                timing=structs.replace(order.timing, closed_at_ms=now_ms),
                updated_at_ms=now_ms,
            )
            saved = stored.save_change(
                connection,
                order,
                after,
                event_id=self._new_id("evt"),
                kind="expired",
                actor="hub",
                detail="nobody closed it",
            )
            closed += saved is not None
        return closed

    async def forget_keys(self) -> int:
        """Deletes idempotency keys that ended, and what their answers were written from; returns how many keys."""
        now_ms = self._clock.now_ms()
        forgotten = await self._in_steps(partial(delete_expired_keys, now_ms=now_ms, limit=_AT_ONCE))
        placed_until_ms = now_ms - IDEMPOTENCY_DAYS * 24 * _HOUR_MS
        await self._in_steps(partial(delete_first_versions, placed_until_ms=placed_until_ms, limit=_AT_ONCE))
        return forgotten

    async def _in_steps(self, delete: Callable[[Connection], int]) -> int:
        deleted = 0
        while step := await self._database.write(delete):
            deleted += step
        return deleted


def is_forgotten(order: Order, now_ms: int) -> bool:
    """Whether an open order has not changed for so long that nobody will close it any more."""
    dine_in = order.order_type is OrderType.DINE_IN
    hours = UNCHANGED_UNTIL_EXPIRED_HOURS_DINE_IN if dine_in else UNCHANGED_UNTIL_EXPIRED_HOURS
    last_ms = max(order.updated_at_ms, order.timing.promised_at_ms or 0)
    return last_ms <= now_ms - hours * _HOUR_MS

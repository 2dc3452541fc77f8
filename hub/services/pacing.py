"""Paces calls to vendors so that their published limits hold across all processes and venues."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from hub.contract.ports import Clock
from hub.database.engine import Database
from hub.database.link_state import Budget, lock_budgets, take_from_budgets
from hub.model.venue import RateLimit

_ALLOWANCE_MS = 1000


@dataclass
class _Allowance:
    """Calls this process may still make without asking the database, until they lapse."""

    left: int = 0
    lapses_at_ms: int = 0
    blocked_until_ms: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Pacing:
    """Implements `RateLimiter`. Takes allowances for about a second from the shared budget, so that a busy link
    costs one small transaction a second and not one a call. An operation with a limit of its own has an allowance of
    its own."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._allowances: dict[tuple[str, str], _Allowance] = {}

    async def acquire(self, connector: str, link_id: str, limits: Sequence[RateLimit]) -> float:
        """Takes one call: 0 when it may go, else the seconds to wait with nothing taken."""
        if not limits:
            return 0.0
        operation = next((limit.operation for limit in limits if limit.operation), "")
        allowance = self._allowances.get((link_id, operation))
        if allowance is None:
            allowance = self._allowances[link_id, operation] = _Allowance()
        if self._spend(allowance):
            return 0.0
        async with allowance.lock:
            if self._spend(allowance):
                return 0.0
            return await self._refill(allowance, connector, link_id, limits)

    def _spend(self, allowance: _Allowance) -> bool:
        if allowance.left <= 0 or self._clock.now_ms() >= allowance.lapses_at_ms:
            return False
        allowance.left -= 1
        return True

    async def _refill(self, allowance: _Allowance, connector: str, link_id: str, limits: Sequence[RateLimit]) -> float:
        now_ms = self._clock.now_ms()
        if now_ms < allowance.blocked_until_ms:
            return (allowance.blocked_until_ms - now_ms) / 1000
        want = max(1, min(limit.requests // limit.seconds for limit in limits))
        budgets = [Budget(_budget_name(limit, connector, link_id), limit.requests, limit.seconds) for limit in limits]

        def take(connection: Connection) -> tuple[int, float]:
            lock_budgets(connection, budgets)
            return take_from_budgets(connection, budgets, want=want, now_ms=now_ms)

        granted, wait_seconds = await self._database.write(take)
        if not granted:
            allowance.blocked_until_ms = now_ms + int(wait_seconds * 1000)
            return wait_seconds
        allowance.left = granted - 1
        slot_ms = min(int(budget.slot_ms) for budget in budgets)
        allowance.lapses_at_ms = now_ms + min(_ALLOWANCE_MS, slot_ms - now_ms % slot_ms)  # not past what it counts for
        return 0.0


def _budget_name(limit: RateLimit, connector: str, link_id: str) -> str:
    """Who shares a limit: a link or all links to a vendor, for one operation or for all of them."""
    owner = connector if limit.scope == "vendor" else link_id
    return f"{owner} {limit.operation}" if limit.operation else owner

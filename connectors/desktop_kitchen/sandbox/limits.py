"""The rate limits of Desktop Kitchen by remote address, in windows that begin with the first call."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from math import ceil

from connectors.desktop_kitchen.sandbox.answers import Refused
from hub.contract.sandbox import Clock


@dataclass(frozen=True)
class Allowance:
    """How many calls are let through in how many seconds, and the text for the next one."""

    calls: int
    seconds: int
    refusal: str


class Limit(Enum):
    """Which calls are counted together. Only the text for orders has been seen; the others are worded after it."""

    ALL = Allowance(200, 60, "Too many requests. Please try again later.")
    LOGIN = Allowance(10, 900, "Too many login attempts. Please try again later.")
    ORDERS = Allowance(30, 900, "Too many order requests. Please try again later.")
    PAYMENTS = Allowance(20, 900, "Too many payment requests. Please try again later.")
    REFUNDS = Allowance(10, 900, "Too many refund requests. Please try again later.")
    GUEST_ORDERS = Allowance(5, 900, "Too many order requests. Please try again later.")
    GUEST_STATUS = Allowance(60, 60, "Too many requests. Please try again later.")


class RateLimits:
    """Counts calls, those that fail included. In memory, as on the server: a restart forgets."""

    def __init__(self, clock: Clock, scale: float) -> None:
        self._clock = clock
        self._scale = scale
        self._windows: dict[tuple[Limit, str], tuple[datetime, int]] = {}

    def take(self, limit: Limit, key: str) -> dict[str, str]:
        """Counts one call and gives the headers of its answer; refuses it (429) over the limit."""
        now, allowance = self._clock(), limit.value
        calls = max(1, int(allowance.calls * self._scale))
        ends, used = self._windows.get((limit, key), (now, 0))
        if ends <= now:
            ends, used = now + timedelta(seconds=allowance.seconds), 0
        used += 1
        self._windows[limit, key] = (ends, used)
        left = ceil((ends - now).total_seconds())
        headers = {
            "RateLimit-Policy": f"{calls};w={allowance.seconds}",
            "RateLimit-Limit": str(calls),
            "RateLimit-Remaining": str(max(0, calls - used)),
            "RateLimit-Reset": str(left),
        }
        if used > calls:
            raise Refused(429, allowance.refusal, headers={**headers, "Retry-After": str(left)})
        return headers

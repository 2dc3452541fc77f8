"""The rate limits of Clopos as documented: v1 by API key, v2 by integrator and brand, and by address."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from connectors.clopos.sandbox.answers import Dialect, Refused, slug_refused

# Clopos v1 overview page: 100 a minute and 1000 an hour for each API key.
V1_LIMITS = ((100, 60), (1000, 3600))
# Clopos v2 rate limits page, all by the minute: /auth and failed calls by address, the rest by integrator and brand.
V2_AUTH, V2_FAILED, V2_CALLS = 60, 600, 300


@dataclass(frozen=True)
class Standing:
    """How far one limit is used up."""

    limit: int
    used: int
    resets_at: int
    """Epoch seconds."""

    @property
    def remaining(self) -> int:
        """Calls left in this window."""
        return max(0, self.limit - self.used)


class RateLimits:
    """Counts calls in fixed windows of the injected clock."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._used: dict[tuple[str, int], tuple[int, int]] = {}

    def take(self, dialect: Dialect, operation: str, key: str, address: str) -> dict[str, str]:
        """Counts one call and gives the headers of its answer; raises `Refused` (429) over the limit."""
        if dialect is Dialect.V1:
            return self._headers_v1([self._count(f"v1 {key}", limit, seconds) for limit, seconds in V1_LIMITS])
        if self._standing(f"failed {address}", V2_FAILED, 60).remaining == 0:
            return self._headers_v2(Standing(V2_FAILED, V2_FAILED + 1, self._next(60)))
        if operation == "authenticate":
            return self._headers_v2(self._count(f"auth {address}", V2_AUTH, 60))
        return self._headers_v2(self._count(f"v2 {key}", V2_CALLS, 60))

    def count_failure(self, address: str) -> None:
        """Counts an answer of 400 or above towards the limit on failed calls (v2)."""
        self._count(f"failed {address}", V2_FAILED, 60)

    def _headers_v1(self, standings: list[Standing]) -> dict[str, str]:
        tightest = min(standings, key=lambda standing: standing.limit - standing.used)
        return _checked(
            tightest,
            {
                "X-RateLimit-Limit": str(tightest.limit),
                "X-RateLimit-Remaining": str(tightest.remaining),
                "X-RateLimit-Reset": str(tightest.resets_at),
            },
        )

    def _headers_v2(self, standing: Standing) -> dict[str, str]:
        return _checked(
            standing,
            {
                "RateLimit-Limit": str(standing.limit),
                "RateLimit-Remaining": str(standing.remaining),
                "RateLimit-Reset": str(standing.resets_at - int(self._clock().timestamp())),
            },
        )

    def _count(self, key: str, limit: int, seconds: int) -> Standing:
        used = self._standing(key, limit, seconds).used + 1
        self._used[key, seconds] = (self._next(seconds), used)
        return Standing(limit, used, self._next(seconds))

    def _standing(self, key: str, limit: int, seconds: int) -> Standing:
        resets_at, used = self._used.get((key, seconds), (0, 0))
        current = resets_at == self._next(seconds)
        return Standing(limit, used if current else 0, self._next(seconds))

    def _next(self, seconds: int) -> int:
        return (int(self._clock().timestamp()) // seconds + 1) * seconds


def _checked(standing: Standing, headers: dict[str, str]) -> dict[str, str]:
    if standing.used > standing.limit:
        refused = slug_refused(429, "rate_limited", "Too many requests")
        raise Refused(refused.status, refused.body, headers)
    return headers

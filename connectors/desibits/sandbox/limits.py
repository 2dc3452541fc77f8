"""The rate limit of the Desibits sandbox: so many calls a minute for a token, with the headers that tell how many."""

from collections.abc import Mapping

from connectors.desibits.sandbox.answers import error
from hub.contract.sandbox import Clock

WINDOW_SECONDS = 60


class RateLimit:
    """Counts calls in windows of a minute that begin with a token's first call."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows: dict[str, tuple[int, int]] = {}

    def take(self, token: str, limit: int) -> Mapping[str, str]:
        """Counts one call and gives the headers of its answer; raises `Refused` (429) over the limit."""
        now = int(self._clock().timestamp())
        ends_at, used = self._windows.get(token, (0, 0))
        if ends_at <= now:
            ends_at, used = now + WINDOW_SECONDS, 0
        headers = {"X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": str(max(0, limit - used - 1))}
        if used >= limit:
            late = {"Retry-After": str(ends_at - now), "X-RateLimit-Reset": str(ends_at)}
            raise error(429, "Too Many Attempts.", headers | late)
        self._windows[token] = (ends_at, used + 1)
        return headers

"""The ports a connector is given, kept in memory, and a clock that stands until it is told to move."""

from collections.abc import Sequence

from hub.model.call import Call
from hub.model.venue import RateLimit


class StandingClock:
    """Time that moves only by `advance`."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def elapsed_seconds(self) -> float:
        return self._now_ms / 1000

    def advance(self, seconds: int) -> None:
        self._now_ms += seconds * 1000


class MemoryTokens:
    """Tokens by link."""

    def __init__(self) -> None:
        self.tokens: dict[str, tuple[str, int]] = {}

    async def load_token(self, link_id: str) -> tuple[str, int] | None:
        return self.tokens.get(link_id)

    async def save_token(self, link_id: str, token: str, expires_at_ms: int) -> None:
        self.tokens[link_id] = (token, expires_at_ms)


class MemoryRefs:
    """Learnt ids by link, kind and key."""

    def __init__(self) -> None:
        self.refs: dict[tuple[str, str, str], str] = {}

    async def load_ref(self, link_id: str, kind: str, key: str) -> str | None:
        return self.refs.get((link_id, kind, key))

    async def save_ref(self, link_id: str, kind: str, key: str, vendor_id: str) -> None:
        self.refs[(link_id, kind, key)] = vendor_id


class CallList:
    """Keeps every recorded call."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def record(self, call: Call) -> None:
        self.calls.append(call)


class NoPacing:
    """Lets every call go at once."""

    async def acquire(self, connector: str, link_id: str, limits: Sequence[RateLimit]) -> float:
        return 0.0

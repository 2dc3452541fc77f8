"""What connectors share with the rest of the hub; implemented elsewhere, so that a connector keeps no state."""

from collections.abc import Sequence
from typing import Protocol

from hub.model.call import Call
from hub.model.venue import RateLimit


class Clock(Protocol):
    """Time, as everything in the hub sees it."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC; the database's clock where several processes must agree."""
        ...

    def elapsed_seconds(self) -> float:
        """Seconds that never jump and go on while the machine sleeps; only differences mean anything."""
        ...


class CallSink(Protocol):
    """Takes calls; never blocks and never raises."""

    def record(self, call: Call) -> None:
        """Keeps one call."""
        ...


class TokenStore(Protocol):
    """Access tokens by link, shared by all processes."""

    async def load_token(self, link_id: str) -> tuple[str, int] | None:
        """The token and when it ends (ms since 1970), if there is one."""
        ...

    async def save_token(self, link_id: str, token: str, expires_at_ms: int) -> None:
        """Replaces the link's token."""
        ...


class RefStore(Protocol):
    """Vendor ids the hub has learnt, by link and kind, e.g. the vendor's customer id of a phone number.

    What is not asked for during the 45 days an order is kept is forgotten: keep here only what can be learnt again.
    """

    async def load_ref(self, link_id: str, kind: str, key: str) -> str | None:
        """The vendor's id, if known."""
        ...

    async def save_ref(self, link_id: str, kind: str, key: str, vendor_id: str) -> None:
        """Remembers the vendor's id."""
        ...


class RateLimiter(Protocol):
    """Paces our calls so that a vendor's published limits hold across all processes and venues."""

    async def acquire(self, connector: str, link_id: str, limits: Sequence[RateLimit]) -> float:
        """Takes one call from the link's budgets (and the vendor's, for limits of that scope).

        `limits` are those that hold for this call; those that name an operation name the same one.
        0 when the call may go now, else how many seconds to wait, with nothing taken.
        """
        ...

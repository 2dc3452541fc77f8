"""A connector's manifest: who the vendor is, what is secret in its calls, and how fast it may be called."""

from typing import Literal

from msgspec import Struct

from hub.model.venue import RateLimit


class ManifestLimit(Struct, frozen=True, kw_only=True):
    """A published rate limit and where it was read."""

    requests: int
    seconds: int
    scope: Literal["link", "vendor"] = "link"
    operation: str = ""
    """The one operation it is about, as the connector names it in its calls; all of them if empty."""
    source: str

    def as_rate_limit(self) -> RateLimit:
        """The limit without its source."""
        return RateLimit(self.requests, self.seconds, self.scope, self.operation)


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of `manifest.toml`. Header and field names are compared without case."""

    id: str
    name: str
    role: Literal["pos", "channel"]
    docs: str
    secret_headers: tuple[str, ...]
    secret_fields: tuple[str, ...] = ()
    rate_limits: tuple[ManifestLimit, ...] = ()
    max_in_flight: int = 8
    connect_timeout_seconds: float = 3.0
    total_timeout_seconds: float = 30.0
    settle_seconds: float = 30.0
    poll_seconds: int = 15

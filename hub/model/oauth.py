"""A program that asks somebody for leave to use their API key (an OAuth client)."""

from msgspec import Struct


class OAuthClient(Struct, frozen=True, kw_only=True):
    """A program, and the addresses it may be answered at."""

    id: str
    """`client_…`, or the address of the document that describes it."""
    name: str
    """What it calls itself: nobody has checked that."""
    redirect_uris: tuple[str, ...]
    created_at_ms: int
    used_at_ms: int | None = None
    """When somebody last allowed it something."""

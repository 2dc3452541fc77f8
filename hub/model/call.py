"""One recorded call between the hub and somebody else."""

from msgspec import Struct


class Call(Struct, frozen=True, kw_only=True):
    """One call in or out, already redacted and cut to size."""

    at_ms: int
    direction: str
    """`out` (we called) or `in` (we were called)."""
    link_id: str
    order_id: str
    operation: str
    attempt: int
    method: str
    url: str
    status: int | None
    """The HTTP status; None when no answer came."""
    milliseconds: float
    request_headers: str
    request_body: str
    response_headers: str
    response_body: str
    error: str
    """The error class, empty on success."""

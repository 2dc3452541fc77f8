"""What one looks for among all orders, and the hold that keeps one of them from being deleted."""

from msgspec import Struct

from hub.model.status import Stage, Status


class Search(Struct, frozen=True, kw_only=True):
    """What to look for; everything given must hold. Times are milliseconds since 1970; the upper ends are outside."""

    venue_id: str = ""
    status: Status | None = None
    stage: Stage | None = None
    created_from_ms: int | None = None
    created_before_ms: int | None = None
    closed_from_ms: int | None = None
    closed_before_ms: int | None = None
    number: str = ""
    ref: str = ""
    """A vendor's own id of the order, its receipt, check or ticket."""
    external_id: str = ""
    """The sender's own number."""
    table: str = ""
    guest: str = ""
    """Part of a name or an e-mail address, or at least four digits of a phone number."""
    held: bool = False
    """Only orders under a legal hold."""

    @property
    def by_closing(self) -> bool:
        """Whether pages go by closing time (the last closed first) instead of by creation.

        So it is when all venues are searched by closing time; one venue's orders are few enough to be looked through.
        """
        return not self.venue_id and (self.closed_from_ms is not None or self.closed_before_ms is not None)


class Hold(Struct, frozen=True, kw_only=True):
    """A legal hold: nothing of this order is deleted until somebody releases it."""

    order_id: str
    reason: str
    actor: str
    since_ms: int

"""A message to the guests of a segment. The hub sends nothing itself: it says to whom, and notes what became of it."""

from enum import StrEnum

from msgspec import Struct


class Channel(StrEnum):
    """How the message is brought to guests, by whoever sends it."""

    EMAIL = "email"
    SMS = "sms"
    NONE = "none"
    """Not written to: shown at the counter, printed on the bill."""


class CampaignStatus(StrEnum):
    """Where a campaign stands; follows from its times."""

    SCHEDULED = "scheduled"
    RUNNING = "running"
    ENDED = "ended"
    CANCELLED = "cancelled"


class Result(StrEnum):
    """What became of one message."""

    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    OPENED = "opened"
    REDEEMED = "redeemed"
    UNSUBSCRIBED = "unsubscribed"
    """Takes the guest's consent back."""


class Campaign(Struct, frozen=True, kw_only=True):
    """One campaign of a venue."""

    id: str
    venue_id: str
    name: str
    segment: str
    channel: Channel
    message: str
    starts_at_ms: int
    ends_at_ms: int | None
    cancelled_at_ms: int | None
    created_by: str
    version: int
    created_at_ms: int
    updated_at_ms: int

    def status(self, now_ms: int) -> CampaignStatus:
        """Where it stands at a time."""
        if self.cancelled_at_ms is not None:
            return CampaignStatus.CANCELLED
        if now_ms < self.starts_at_ms:
            return CampaignStatus.SCHEDULED
        if self.ends_at_ms is not None and now_ms >= self.ends_at_ms:
            return CampaignStatus.ENDED
        return CampaignStatus.RUNNING


class MessageResult(Struct, frozen=True, kw_only=True):
    """What became of the message to one guest, as whoever sent it said."""

    guest_id: str
    result: Result
    at_ms: int
    detail: str = ""

"""The shapes of answers about segments, campaigns and insights."""

from typing import Any, Literal

from msgspec import Struct

from hub.api.guest_answers import CustomerShape


class SegmentShape(Struct, frozen=True, rename="camel"):
    """A group of customers with its rule."""

    key: str
    name: str
    rule: str
    customers: int
    reachable: int
    computed_at: str


class SegmentsAnswer(Struct, frozen=True, rename="camel"):
    """The segments of a store."""

    store_slug: str
    location_id: str
    segments: list[SegmentShape]


class SegmentCustomersAnswer(Struct, frozen=True, rename="camel"):
    """One page of a segment's customers."""

    segment: str
    customers: list[CustomerShape]
    next_cursor: str | None


class TallyShape(Struct, frozen=True):
    """How many customers each result was told of."""

    sent: int
    delivered: int
    failed: int
    opened: int
    redeemed: int
    unsubscribed: int


class CampaignShape(Struct, frozen=True, rename="camel"):
    """A campaign."""

    id: str
    store_slug: str
    location_id: str
    name: str
    segment: str
    channel: Literal["email", "sms", "none"]
    message: str
    status: Literal["scheduled", "running", "ended", "cancelled"]
    starts_at: str
    ends_at: str | None
    results: TallyShape
    created_by: str
    version: int
    created_at: str
    updated_at: str


class CampaignAnswer(Struct, frozen=True):
    """One campaign."""

    campaign: CampaignShape


class CampaignsAnswer(Struct, frozen=True, rename="camel"):
    """One page of campaigns."""

    campaigns: list[CampaignShape]
    next_cursor: str | None


class ReachedShape(Struct, frozen=True, rename="camel"):
    """Somebody the message may go to."""

    customer_id: str
    name: str
    phone: str | None
    email: str | None


class AudienceAnswer(Struct, frozen=True, rename="camel"):
    """One page of a campaign's audience."""

    campaign_id: str
    channel: Literal["email", "sms", "none"]
    message: str
    audience: list[ReachedShape]
    next_cursor: str | None


class PeriodShape(Struct, frozen=True, rename={"from_": "from"}):
    """From … until before."""

    from_: str
    to: str


class InsightShape(Struct, frozen=True, rename="camel"):
    """One statement with the figures it rests on, those of the period before, and how sure it is."""

    key: str
    title: str
    summary: str
    figures: dict[str, Any]
    before: dict[str, Any]
    sureness: Literal["high", "medium", "low", "none"]
    sample_size: int
    rule: str


class TextShape(Struct, frozen=True):
    """What a language model wrote about it."""

    by: str
    text: str | None
    problem: str | None


class InsightsAnswer(Struct, frozen=True, rename="camel"):
    """What a store's orders say."""

    store_slug: str
    location_id: str
    period: PeriodShape
    compared_with: PeriodShape
    timezone: str
    complete: bool
    insights: list[InsightShape]
    text: TextShape | None

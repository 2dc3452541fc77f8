"""The shapes of answers about guests: customers, reservations, the waitlist, segments, campaigns, insights."""

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from hub.api.answers import GuestShape, MoneyShape
from hub.model.booking import ReservationStatus, WaitStatus


class StoreFiguresShape(Struct, frozen=True, rename="camel"):
    """What a guest's orders at one store add up to."""

    customer_id: str
    store_slug: str
    location_id: str
    order_count: int
    spend: MoneyShape
    first_order_at: str | None
    last_order_at: str | None


class CustomerShape(Struct, frozen=True, rename="camel"):
    """A guest. One whom only the POS knows has no id here, no figures and no version."""

    id: str | None
    store_slug: str
    location_id: str
    name: str
    phone: str | None
    email: str | None
    marketing_consent: bool
    order_count: int | None
    spend: MoneyShape | None
    first_order_at: str | None
    last_order_at: str | None
    stores: list[StoreFiguresShape]
    sources: list[str]
    pos_customer_id: str | None
    consent_changed_at: str | UnsetType | None = UNSET
    consent_noted_by: str | UnsetType | None = UNSET
    version: int | UnsetType = UNSET
    created_at: str | UnsetType = UNSET
    updated_at: str | UnsetType = UNSET


class PosSearchShape(Struct, frozen=True):
    """How asking the POS went."""

    status: str
    problem: str | None


class CustomersAnswer(Struct, frozen=True, rename="camel"):
    """A page of guests."""

    customers: list[CustomerShape]
    pos: PosSearchShape
    next_cursor: str | None


class CustomerAnswer(Struct, frozen=True):
    """One guest."""

    customer: CustomerShape


class ForgottenShape(Struct, frozen=True, rename="camel"):
    """What was made anonymous; orders under a legal hold keep the guest."""

    customer_id: str
    orders_anonymised: int
    bookings_anonymised: int
    orders_on_hold: list[str]


class ForgottenAnswer(Struct, frozen=True):
    """What forgetting a guest came to."""

    forgotten: ForgottenShape


class ReservationShape(Struct, frozen=True, rename="camel"):
    """A table for a party at a time."""

    id: str
    store_slug: str
    location_id: str
    status: ReservationStatus
    customer_id: str | None
    customer: GuestShape | None
    party_size: int
    starts_at: str
    ends_at: str
    starts_at_local: str
    ends_at_local: str
    timezone: str
    tables: list[str]
    notes: str
    reason: str | None
    source: str
    external_id: str | None
    order_id: str | None
    version: int
    created_at: str
    updated_at: str


class ReservationsAnswer(Struct, frozen=True, rename="camel"):
    """A page of reservations."""

    reservations: list[ReservationShape]
    next_cursor: str | None


class WarningShape(Struct, frozen=True):
    """What speaks against a booking that was made all the same."""

    code: str
    message: str
    field: str


class ReservationAnswer(Struct, frozen=True):
    """One reservation."""

    reservation: ReservationShape
    warnings: list[WarningShape]


class TabShape(Struct, frozen=True, rename="camel"):
    """The tab that was opened."""

    id: str
    order_number: str


class SeatedAnswer(Struct, frozen=True):
    """The reservation, and the tab of its party."""

    reservation: ReservationShape
    order: TabShape


class WaitEstimateShape(Struct, frozen=True, rename="camel"):
    """How long a party may wait, and what that is computed from; null minutes: nobody can say, and `rule` says why."""

    minutes: int | None
    from_minutes: int | None
    to_minutes: int | None
    sureness: str
    sample_size: int
    median_turn_minutes: int | None
    rule: str


class WaitShape(Struct, frozen=True, rename="camel"):
    """A party on the list; `position` is null once it waits no more."""

    id: str
    store_slug: str
    location_id: str
    status: WaitStatus
    position: int | None
    estimated_wait: WaitEstimateShape | None
    quoted_minutes: int | None
    customer_id: str | None
    customer: GuestShape | None
    party_size: int
    tables: list[str]
    order_id: str | None
    notes: str
    source: str
    version: int
    joined_at: str
    notified_at: str | None
    ended_at: str | None


class WaitlistAnswer(Struct, frozen=True, rename="camel"):
    """Who waits; `parties` counts all of them, not only this page's."""

    waitlist: list[WaitShape]
    parties: int
    next_cursor: str | None


class WaitAnswer(Struct, frozen=True):
    """One party."""

    entry: WaitShape


class WaitSeatedAnswer(Struct, frozen=True):
    """The party, and its tab."""

    entry: WaitShape
    order: TabShape


class SegmentShape(Struct, frozen=True, rename="camel"):
    """A segment: its rule in words, how many are in it, and how many of them agreed to be written to."""

    key: str
    name: str
    rule: str
    customers: int
    reachable: int
    computed_at: str | None


class SegmentsAnswer(Struct, frozen=True, rename="camel"):
    """The segments of a store."""

    store_slug: str
    location_id: str
    segments: list[SegmentShape]


class SegmentCustomersAnswer(Struct, frozen=True, rename="camel"):
    """A page of a segment."""

    segment: str
    customers: list[CustomerShape]
    next_cursor: str | None


class CampaignShape(Struct, frozen=True, rename="camel"):
    """A campaign; `results` counts what became of its messages."""

    id: str
    store_slug: str
    location_id: str
    name: str
    segment: str
    channel: str
    message: str
    status: str
    starts_at: str | None
    ends_at: str | None
    results: dict[str, int]
    created_by: str
    version: int
    created_at: str
    updated_at: str


class CampaignsAnswer(Struct, frozen=True, rename="camel"):
    """A page of campaigns."""

    campaigns: list[CampaignShape]
    next_cursor: str | None


class CampaignAnswer(Struct, frozen=True):
    """One campaign."""

    campaign: CampaignShape


class ReachableShape(Struct, frozen=True, rename="camel"):
    """A guest to whom the message may go."""

    customer_id: str
    name: str
    phone: str | None
    email: str | None


class AudienceAnswer(Struct, frozen=True, rename="camel"):
    """A page of those to whom a campaign's message may go."""

    campaign_id: str
    channel: str
    message: str
    audience: list[ReachableShape]
    next_cursor: str | None


class PeriodShape(Struct, frozen=True, rename={"begins": "from", "ends": "to"}):
    """From when, and until before when."""

    begins: str
    ends: str


class InsightShape(Struct, frozen=True, rename="camel"):
    """One statement with its figures, those of the period before, and how sure it is."""

    key: str
    title: str
    summary: str
    figures: dict[str, Any]
    before: dict[str, Any]
    sureness: str
    sample_size: int
    rule: str


class InsightTextShape(Struct, frozen=True):
    """The same in running text, written by a model; or why there is none."""

    by: str
    text: str | None
    problem: str | None


class InsightsAnswer(Struct, frozen=True, rename="camel"):
    """What a store's orders of a period say. `complete` is false where it has more than are read."""

    store_slug: str
    location_id: str
    period: PeriodShape
    compared_with: PeriodShape
    timezone: str
    complete: bool
    insights: list[InsightShape]
    text: InsightTextShape | None

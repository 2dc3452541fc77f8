"""The shapes of answers about guests and their bookings."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from hub.api.answers import MoneyShape


class VisitedShape(Struct, frozen=True, rename="camel"):
    """A customer's figures at one store."""

    customer_id: str
    store_slug: str
    location_id: str
    order_count: int
    spend: MoneyShape
    first_order_at: str | None
    last_order_at: str | None


class CustomerShape(Struct, frozen=True, rename="camel"):
    """A guest of a store; of one whom only the POS knows there is no `id` and there are no figures."""

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
    stores: list[VisitedShape]
    sources: list[Literal["hub", "pos"]]
    pos_customer_id: str | None
    consent_changed_at: str | UnsetType | None = UNSET
    consent_noted_by: str | UnsetType | None = UNSET
    version: int | UnsetType = UNSET
    created_at: str | UnsetType | None = UNSET
    updated_at: str | UnsetType | None = UNSET


class PosSearchShape(Struct, frozen=True):
    """How the search at the POS went."""

    status: Literal["searched", "not_asked", "no_pos", "not_supported", "failed"]
    problem: str | None


class CustomersAnswer(Struct, frozen=True, rename="camel"):
    """One page of customers."""

    customers: list[CustomerShape]
    pos: PosSearchShape
    next_cursor: str | None


class CustomerAnswer(Struct, frozen=True):
    """One customer."""

    customer: CustomerShape


class ForgottenShape(Struct, frozen=True, rename="camel"):
    """What was done to forget a customer; `ordersOnHold` stay as they are."""

    customer_id: str
    orders_anonymised: int
    bookings_anonymised: int
    orders_on_hold: list[str]


class ForgottenAnswer(Struct, frozen=True):
    """What became of the customer's data."""

    forgotten: ForgottenShape


class WhoShape(Struct, frozen=True):
    """The guest as a booking names them."""

    name: str
    phone: str | None
    email: str | None


class ReservationShape(Struct, frozen=True, rename="camel"):
    """A table kept for a party."""

    id: str
    store_slug: str
    location_id: str
    status: Literal["booked", "confirmed", "seated", "completed", "cancelled", "no_show"]
    customer_id: str | None
    customer: WhoShape | None
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


class WarningShape(Struct, frozen=True):
    """Something that speaks against a booking."""

    code: str
    message: str
    field: str


class ReservationAnswer(Struct, frozen=True):
    """One reservation."""

    reservation: ReservationShape
    warnings: list[WarningShape]


class ReservationsAnswer(Struct, frozen=True, rename="camel"):
    """One page of reservations."""

    reservations: list[ReservationShape]
    next_cursor: str | None


class TabShape(Struct, frozen=True, rename="camel"):
    """The tab that was opened."""

    id: str
    order_number: str


class SeatedAnswer(Struct, frozen=True):
    """A reservation whose party sits, and its tab."""

    reservation: ReservationShape
    order: TabShape


class WaitShape(Struct, frozen=True, rename="camel"):
    """How long a party will wait, and how sure that is."""

    minutes: int | None
    from_minutes: int | None
    to_minutes: int | None
    sureness: Literal["high", "medium", "low", "none"]
    sample_size: int
    median_turn_minutes: int | None
    rule: str


class WaitEntryShape(Struct, frozen=True, rename="camel"):
    """A party on the waitlist."""

    id: str
    store_slug: str
    location_id: str
    status: Literal["waiting", "notified", "seated", "cancelled", "left"]
    position: int | None
    estimated_wait: WaitShape | None
    quoted_minutes: int | None
    customer_id: str | None
    customer: WhoShape | None
    party_size: int
    tables: list[str]
    order_id: str | None
    notes: str
    source: str
    version: int
    timezone: str
    joined_at: str
    joined_at_local: str
    notified_at: str | None
    ended_at: str | None


class WaitlistAnswer(Struct, frozen=True, rename="camel"):
    """One page of the queue; `parties` are all who wait."""

    waitlist: list[WaitEntryShape]
    parties: int
    next_cursor: str | None


class WaitEntryAnswer(Struct, frozen=True):
    """One party."""

    entry: WaitEntryShape


class WaitSeatedAnswer(Struct, frozen=True):
    """A party that sits, and its tab."""

    entry: WaitEntryShape
    order: TabShape

"""The shapes of answers, from which agents' output schemas are made. An answer may hold more, never less or other."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

_Utc = Annotated[str, Meta(description="ISO 8601 in UTC, e.g. 2026-02-09T12:30:00Z")]
_Local = Annotated[str, Meta(description="The same moment in the store's time zone, with offset")]


class MoneyShape(Struct, frozen=True):
    """An amount. `cents` is exact; `dollars` is the major unit of `currency`, whatever it is."""

    cents: int
    dollars: float
    display: str
    currency: str


class HoursShape(Struct, frozen=True):
    """An opening period in local time; `closes` before `opens` runs past midnight."""

    day: str
    opens: str
    closes: str


class PoliciesShape(Struct, frozen=True, rename="camel"):
    """What the store allows and charges."""

    practice: Annotated[bool, Meta(description="Orders here are kept but reach no kitchen: try things here")]
    anonymous_orders: bool
    anonymous_order_limit: MoneyShape | None
    delivery_address_required: bool
    service_charge_percent: float
    service_charge_order_types: list[str]
    preparation_minutes: int


class StoreShape(Struct, frozen=True, rename="camel"):
    """A store."""

    id: str
    slug: str
    name: str
    address: str
    phone: str
    cuisines: list[str]
    currency: str
    timezone: str
    local_time: _Local
    is_open: bool
    hours: Annotated[list[HoursShape], Meta(description="None given means always open")]
    order_types: list[str]
    policies: PoliciesShape


class StoresAnswer(Struct, frozen=True):
    """Stores."""

    stores: list[StoreShape]


class StoreAnswer(Struct, frozen=True):
    """One store."""

    store: StoreShape


class OptionShape(Struct, frozen=True, rename="camel"):
    """One option of a modifier group; its price is added per item."""

    id: str
    name: str
    price: MoneyShape
    max_quantity: int | None
    available: bool


class GroupShape(Struct, frozen=True, rename="camel"):
    """Options that belong together."""

    id: str
    name: str
    required: bool
    min_select: int
    max_select: int | None
    options: list[OptionShape]


class ItemShape(Struct, frozen=True, rename="camel"):
    """Something one can order."""

    id: str
    name: str
    description: str
    image_url: str | None
    price: MoneyShape
    available: bool
    dietary: list[str]
    allergens: list[str]
    modifier_groups: list[GroupShape]


class CategoryShape(Struct, frozen=True):
    """A section of the menu."""

    id: str
    name: str
    items: list[ItemShape]


class MenuShape(Struct, frozen=True, rename="camel"):
    """A store's menu."""

    store_slug: str
    location_id: str
    currency: str
    categories: list[CategoryShape]


class MenuAnswer(Struct, frozen=True):
    """A menu."""

    menu: MenuShape


class ContextAnswer(Struct, frozen=True, rename="camel"):
    """All an agent needs to order at a store."""

    store: StoreShape
    menu: MenuShape
    guidance: Annotated[list[str], Meta(description="What to do and what to leave, in this order")]


class ChosenShape(Struct, frozen=True, rename="camel"):
    """A chosen option."""

    modifier_group_id: str
    option_id: str
    name: str
    quantity: int
    unit_price: MoneyShape


class LineShape(Struct, frozen=True, rename="camel"):
    """An ordered item."""

    uid: str
    item_id: str
    name: str
    quantity: int
    unit_price: MoneyShape
    modifiers: list[ChosenShape]
    total: MoneyShape
    notes: str


class CauseShape(Struct, frozen=True, rename="camel"):
    """Why something is wrong, who can remove it, and what to do."""

    code: str
    title: str
    owner: str
    next_action: str


class OpenItemShape(Struct, frozen=True, rename="camel"):
    """Something a POS that has the order has yet to do."""

    operation: str
    state: str
    cause: str | None
    detail: str


class InjectionShape(Struct, frozen=True, rename="camel"):
    """How far the order is on its way into a POS; the last three only with `orders:read`."""

    target: str
    state: str
    attempts: int
    deadline_at: str | None
    cause: CauseShape | None
    detail: str | UnsetType = UNSET
    pos_order_id: str | UnsetType | None = UNSET
    open_items: list[OpenItemShape] | UnsetType = UNSET


class PaymentShape(Struct, frozen=True, rename="camel"):
    """A payment of a check."""

    id: str
    method: str
    code: str | None
    amount: MoneyShape
    tip: MoneyShape
    refunded: MoneyShape
    reference: str | None
    taken_at: str | None


class CheckShape(Struct, frozen=True, rename="camel"):
    """A bill of an order. `lines` are the uids of its items."""

    id: str
    number: str
    status: str
    lines: list[str]
    total: MoneyShape
    paid: MoneyShape
    due: MoneyShape
    payments: list[PaymentShape] = []


class GuestShape(Struct, frozen=True, rename="camel"):
    """Who ordered."""

    name: str
    phone: str | None
    email: str | None


class AuditShape(Struct, frozen=True, rename="camel"):
    """What the total is by our menu, by the caller, and by the POS."""

    computed: MoneyShape
    declared: MoneyShape | None
    pos: MoneyShape | None
    difference: MoneyShape
    rule: str


class LossShape(Struct, frozen=True):
    """A part of the order that did not reach a target as it was."""

    target: str
    path: str
    kind: str
    loss: str


class OrderShape(Struct, frozen=True, rename="camel"):
    """An order. From `customer` on only with `orders:read`."""

    id: str
    order_number: str
    version: int
    status: str
    tab_status: str
    payment_status: str
    store_slug: str
    location_id: str
    order_type: str
    items: list[LineShape]
    subtotal: MoneyShape
    discount: MoneyShape
    service_charge: MoneyShape
    tax: MoneyShape
    total: MoneyShape
    due: MoneyShape
    checks: list[CheckShape]
    scheduled_for: str | None
    timezone: str
    business_date: str
    created_at: _Utc
    created_at_local: _Local
    updated_at: _Utc
    closed_at: str | None
    injection: list[InjectionShape]
    customer: GuestShape | UnsetType | None = UNSET
    delivery_address: str | UnsetType | None = UNSET
    delivery_instructions: str | UnsetType | None = UNSET
    tables: list[str] | UnsetType = UNSET
    party_size: int | UnsetType | None = UNSET
    notes: str | UnsetType = UNSET
    external_id: str | UnsetType | None = UNSET
    mark: str | UnsetType = UNSET
    origin: str | UnsetType = UNSET
    money_audit: AuditShape | UnsetType = UNSET
    fidelity: list[LossShape] | UnsetType = UNSET


class OrderAnswer(Struct, frozen=True):
    """One order."""

    order: OrderShape


class ChangeAnswer(Struct, frozen=True):
    """What asking for a change of an order came to."""

    order: OrderShape
    hub: Annotated[Literal["applied", "requested"], Meta(description="requested: the POS has to agree first")]
    pos: Annotated[
        Literal["applied", "queued", "refused", "not_supported", "no_pos"],
        Meta(description="queued: the POS will be told; not_supported: it must be told by hand"),
    ]


class QuoteShape(Struct, frozen=True, rename="camel"):
    """A price that holds until `expiresAt`. Order it with `quoteId`."""

    id: str
    expires_at: _Utc
    expires_at_local: _Local
    store_slug: str
    location_id: str
    order_type: str
    items: list[LineShape]
    subtotal: MoneyShape
    discount: MoneyShape
    service_charge: MoneyShape
    tax: MoneyShape
    total: MoneyShape


class QuoteAnswer(Struct, frozen=True):
    """One quote."""

    quote: QuoteShape


class AvailabilityAnswer(Struct, frozen=True, rename="camel"):
    """What a change of an item's availability came to."""

    item_id: str
    name: str
    location_id: str
    available: Annotated[bool, Meta(description="Whether the item can be ordered now")]
    hub: Literal["applied"]
    pos: Annotated[
        Literal["applied", "queued", "refused", "not_supported"],
        Meta(
            description="queued: the POS will be told; refused: it was and said no; "
            "not_supported: it must be told by hand, or there is none"
        ),
    ]


class EntryShape(Struct, frozen=True, rename="camel"):
    """One thing that happened to an order."""

    at: _Utc
    at_local: _Local
    kind: str
    detail: str
    actor: str
    status: int | None
    milliseconds: float | None


class TraceAnswer(Struct, frozen=True, rename="camel"):
    """What happened to an order, oldest first."""

    order_id: str
    order_number: str
    status: str
    entries: list[EntryShape]
    injection: list[InjectionShape]


class FailureShape(Struct, frozen=True, rename="camel"):
    """One thing that keeps an order from its way."""

    target: str
    state: str
    attempts: int
    deadline_at: str | None
    code: str
    title: str
    owner: str
    next_action: str
    retry_helps: bool
    detail: str


class FailureAnswer(Struct, frozen=True, rename="camel"):
    """What is wrong with an order, if anything."""

    order_id: str
    order_number: str
    status: str
    failed: bool
    summary: str
    failures: list[FailureShape]

"""The JSON of Clopos' Open API as its documentation shows it (https://developer.clopos.com, read 2026-11-21).

Only what the hub sends is complete; of what it reads, the fields it uses. Fractions are `Decimal` on both ways.
"""

from decimal import Decimal
from typing import Any, NotRequired, TypedDict, final

from msgspec import Raw

Number = int | Decimal
Row = dict[str, Any]
"""One object of a vendor's list, as it came: nothing in it may be taken for granted."""


class Discount(TypedDict):
    """`discount_type` 0 none, 1 percent, 2 amount; see `mappings/clopos.toml`."""

    discount_type: int
    discount_value: Number


class ServiceV1(TypedDict):
    """How and where the order is fulfilled."""

    sale_type_id: int
    sale_type_name: str
    venue_id: int
    venue_name: str


class CustomerV1(TypedDict):
    """The guest of a v1 order."""

    id: int
    name: str
    customer_discount_type: int
    phone: str | None
    address: str | None


class ModificatorV1(TypedDict):
    """A modifier by number; `count` is per one unit of its product."""

    modificator_id: int
    count: int


class CatalogueModificator(TypedDict):
    """A modifier as the catalogue has it."""

    id: int
    name: str
    price: Number


class PricedModificatorV1(TypedDict):
    """A modifier with its name and price, as in the documentation's first example."""

    modificator: CatalogueModificator
    count: int


class OrderProductV1(TypedDict):
    """The catalogue's view of a line."""

    product: dict[str, Any]
    count: int
    status: str
    product_modificators: list[ModificatorV1] | list[PricedModificatorV1]
    product_hash: str


class ProductMetaV1(TypedDict):
    """The line's unit price without modifiers, and its catalogue data."""

    price: Number
    order_product: OrderProductV1


class ProductV1(TypedDict):
    """One line of a v1 order."""

    product_id: int
    count: int
    product_modificators: list[ModificatorV1]
    meta: ProductMetaV1


class OrderMetaV1(TypedDict):
    """What concerns the whole order; `orderTotal` is a decimal string with four places."""

    comment: str
    discount: Discount
    orderTotal: str
    apply_service_charge: bool
    customer_discount_type: int
    service_charge_value: Number


class PayloadV1(TypedDict):
    """The inner object of a v1 order."""

    service: ServiceV1
    customer: CustomerV1
    products: list[Raw]
    """Each one a `ProductV1` as JSON."""
    meta: OrderMetaV1


@final
class OrderV1(TypedDict):
    """Body of `POST /orders`."""

    customer_id: int
    payload: PayloadV1


class CustomerV2(TypedDict):
    """The guest of a v2 order."""

    id: int
    phone: str
    address: str
    customer_discount_type: int
    name: str


class ModifierV2(TypedDict):
    """A modifier of a v2 line."""

    modifier_id: int
    modifier_name: str
    count: int
    price: Number


class ProductV2(TypedDict):
    """One line of a v2 order."""

    product_id: int
    product_name: str
    count: int
    price: Number
    status: str
    product_hash: str
    note: NotRequired[str]
    modifiers: list[ModifierV2]


class ServiceChargeV2(TypedDict):
    """`value` is a percentage."""

    enabled: bool
    value: Number


@final
class OrderV2(TypedDict):
    """Body of `POST /v2/orders`."""

    order_number: NotRequired[str]
    sale_type_id: int
    venue_id: int
    customer: CustomerV2
    products: list[Raw]
    """Each one a `ProductV2` as JSON."""
    delivery_fee: NotRequired[Number]
    comment: str
    discount: Discount
    service_charge: ServiceChargeV2


class NewCustomer(TypedDict):
    """Body of `POST /customers`; a phone number is unique among a brand's customers."""

    name: str
    phone: str
    email: NotRequired[str]

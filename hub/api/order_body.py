"""What callers send to have something priced or ordered, and what it means to the services."""

from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Literal

from msgspec import Meta, Struct

from hub.api.times import parse_timestamp
from hub.errors import InvalidRequest
from hub.model.ids import parse_id
from hub.model.order import Customer, Delivery
from hub.model.status import OrderType
from hub.services.quotes import Additions
from hub.services.requests import DiscountRequest, LineRequest, ModifierChoice, OrderRequest

_Name = Annotated[str, Meta(min_length=1, max_length=200)]
_Text = Annotated[str, Meta(max_length=1000)]
_Table = Annotated[str, Meta(max_length=64)] | Annotated[int, Meta(ge=0, lt=10**9)]
_Quantity = Annotated[int, Meta(ge=1, le=99)]
_ORDER_TYPES = {
    "pickup": OrderType.PICKUP,
    "takeout": OrderType.PICKUP,
    "takeaway": OrderType.PICKUP,
    "delivery": OrderType.DELIVERY,
    "dine_in": OrderType.DINE_IN,
    "dine-in": OrderType.DINE_IN,
    "dinein": OrderType.DINE_IN,
}


# gc=False: a body forms no cycles, so the garbage collector need not visit its parts (decoding takes 10 % less).
class ModifierBody(Struct, frozen=True, rename="camel", gc=False):
    """One chosen option. `modifierGroupId` may be left out where the option id alone is clear."""

    option_id: _Name
    modifier_group_id: str = ""
    quantity: _Quantity = 1


class ItemBody(Struct, frozen=True, rename="camel", gc=False):
    """One ordered item. A modifier may also be given as its bare option id."""

    item_id: _Name
    quantity: _Quantity = 1
    modifiers: Annotated[list[str | ModifierBody], Meta(max_length=50)] = []
    notes: _Text = ""


class CustomerBody(Struct, frozen=True, rename="camel"):
    """The guest."""

    name: _Name
    phone: Annotated[str, Meta(max_length=40)] = ""
    email: Annotated[str, Meta(max_length=254)] = ""


class DiscountBody(Struct, frozen=True, rename="camel"):
    """`percent`: value 10 is ten percent. `amount`: value in cents."""

    type: Literal["percent", "amount"]
    value: Annotated[Decimal, Meta(extra_json_schema={"type": "number"})]
    reason: _Text = ""


_Items = Annotated[list[ItemBody], Meta(min_length=1, max_length=100)]
_OrderType = Annotated[str, Meta(description='"pickup", "delivery" or "dine_in"', max_length=40)]


class PricedBody(Struct, frozen=True, rename="camel", kw_only=True, gc=False):
    """What is wanted. Name the store by `storeSlug` or `locationId`. Prices come from the store's menu."""

    items: _Items
    order_type: _OrderType
    store_slug: Annotated[str, Meta(description="Store slug, from get_stores")] = ""
    location_id: Annotated[str, Meta(description="The store's id (loc_…), in place of storeSlug")] = ""
    customer: CustomerBody | None = None
    delivery_address: Annotated[str, Meta(max_length=500)] = ""
    delivery_instructions: _Text = ""
    table_number: _Table = ""
    tables: Annotated[list[_Table], Meta(max_length=20)] = []
    party_size: Annotated[int, Meta(ge=1, le=500)] | None = None
    notes: _Text = ""
    scheduled_for: Annotated[str, Meta(description="ISO 8601 with offset; leave out for now", max_length=60)] | None = (
        None
    )
    discount: DiscountBody | None = None
    declared_total: (
        Annotated[int, Meta(description="What you computed, in cents: compared, never charged", ge=0, le=10**12)] | None
    ) = None
    external_id: Annotated[
        str, Meta(description="Your own order number: the same one always makes the same order", max_length=200)
    ] = ""


class OrderBody(PricedBody, frozen=True, rename="camel", kw_only=True, gc=False):
    """An order, with `items` and `orderType`; or the id of a quote, and what the quote left open."""

    items: _Items = []
    order_type: _OrderType = ""
    quote_id: Annotated[
        str,
        Meta(
            description="Order what this quote says: leave items, orderType and the store out. "
            "Repeating it never makes a second order",
            max_length=100,
        ),
    ] = ""


def additions(body: OrderBody) -> Additions:
    """What a body adds to its quote. Raises `InvalidRequest` when it says what the quote says already."""
    settled = {
        "items": body.items,
        "orderType": body.order_type,
        "discount": body.discount,
        "scheduledFor": body.scheduled_for,
        "externalId": body.external_id,
    }
    for field, value in settled.items():
        if value:
            raise InvalidRequest(f"{field}: the quote says this already; leave it out", field=field)
    return Additions(
        customer=_customer(body),
        delivery=_delivery(body),
        tables=_tables(body),
        party_size=body.party_size,
        note=body.notes,
    )


def order_request(body: PricedBody, venue_id: str) -> OrderRequest:
    """A body as the services understand it. Raises `InvalidRequest` naming the field."""
    if not body.items or not body.order_type:
        field = "orderType" if body.items else "items"
        raise InvalidRequest(f"{field}: Object missing required field `{field}`", field=field, code="BODY_INVALID")
    return OrderRequest(
        venue_id=venue_id,
        order_type=_order_type(body.order_type),
        lines=tuple([line_request(item) for item in body.items]),
        customer=_customer(body),
        delivery=_delivery(body),
        tables=_tables(body),
        party_size=body.party_size,
        note=body.notes,
        promised_at_ms=parse_timestamp(body.scheduled_for, "scheduledFor"),
        discount=None if body.discount is None else discount_request(body.discount, "discount.value"),
        declared_total_cents=body.declared_total,
        origin_order_id=body.external_id,
    )


def _customer(body: PricedBody) -> Customer | None:
    guest = body.customer
    return None if guest is None else Customer(name=guest.name, phone=guest.phone, email=guest.email)


def _delivery(body: PricedBody) -> Delivery | None:
    if not body.delivery_address:
        return None
    return Delivery(address=body.delivery_address, instructions=body.delivery_instructions)


def _tables(body: PricedBody) -> tuple[str, ...]:
    """A table's name may be sent as a number; "" is none, 0 is one."""
    if body.tables:
        return tuple([str(table) for table in body.tables])
    return () if body.table_number == "" else (str(body.table_number),)


def _order_type(text: str) -> OrderType:
    order_type = _ORDER_TYPES.get(text.lower())
    if order_type is None:
        raise InvalidRequest(
            f"orderType: {text!r} is none of pickup, delivery, dine_in", field="orderType", code="BODY_INVALID"
        )
    return order_type


def line_request(item: ItemBody) -> LineRequest:
    """One item as the services understand it."""
    modifiers = tuple(
        [
            ModifierChoice(option_id=choice)
            if isinstance(choice, str)
            else ModifierChoice(option_id=choice.option_id, group_id=choice.modifier_group_id, quantity=choice.quantity)
            for choice in item.modifiers
        ]
    )
    return LineRequest(item_id=_item_id(item.item_id), quantity=item.quantity, modifiers=modifiers, note=item.notes)


@lru_cache(maxsize=10_000)  # the same items are ordered again and again: 50 ns instead of 400
def _item_id(text: str) -> str:
    return parse_id("item", text) or text


def discount_request(body: DiscountBody, field: str = "value") -> DiscountRequest:
    """A discount as the services understand it. Raises `InvalidRequest` naming the field."""
    highest = 100 if body.type == "percent" else 10**9
    digits = body.value.as_tuple().exponent
    if not body.value.is_finite() or not 0 < body.value <= highest or not isinstance(digits, int):
        raise InvalidRequest(f"{field}: must be above 0 and at most {highest}", field=field)
    if digits < (-2 if body.type == "percent" else 0):
        allowed = "two decimals" if body.type == "percent" else "a whole number of cents"
        raise InvalidRequest(f"{field}: {allowed} at most", field=field)
    return DiscountRequest(type=body.type, value=body.value, reason=body.reason)

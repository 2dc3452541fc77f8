"""Placing an order and reading one."""

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from hub.api.json import encode
from hub.api.operation import Operation, Reply, Request, Services
from hub.api.times import parse_timestamp
from hub.api.views import order_view
from hub.errors import InvalidRequest
from hub.model.ids import parse_id
from hub.model.order import Customer, Delivery, OrderRecord
from hub.model.status import OrderType
from hub.services.keys import allows, require, require_venue
from hub.services.requests import Caller, DiscountRequest, LineRequest, ModifierChoice, OrderRequest

_Name = Annotated[str, Meta(min_length=1, max_length=200)]
_Text = Annotated[str, Meta(max_length=1000)]
_Short = Annotated[str, Meta(max_length=64)]
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


class ModifierBody(Struct, frozen=True, rename="camel"):
    """One chosen option. `modifierGroupId` may be left out where the option id alone is clear."""

    option_id: _Name
    modifier_group_id: str = ""
    quantity: _Quantity = 1


class ItemBody(Struct, frozen=True, rename="camel"):
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
    value: Decimal
    reason: _Text = ""


class OrderBody(Struct, frozen=True, rename="camel"):
    """An order. Name the store by `storeSlug` or `locationId`. Prices come from the store's menu."""

    items: Annotated[list[ItemBody], Meta(min_length=1, max_length=100)]
    order_type: str
    store_slug: str = ""
    location_id: str = ""
    customer: CustomerBody | None = None
    delivery_address: Annotated[str, Meta(max_length=500)] = ""
    delivery_instructions: _Text = ""
    table_number: _Short = ""
    tables: Annotated[list[_Short], Meta(max_length=20)] = []
    party_size: Annotated[int, Meta(ge=1, le=500)] | None = None
    notes: _Text = ""
    scheduled_for: str | None = None
    """ISO 8601 with offset; none means as soon as possible."""
    discount: DiscountBody | None = None
    declared_total: Annotated[int, Meta(ge=0, le=10**12)] | None = None
    """What the caller computed, in cents; kept for comparison, never charged."""
    external_id: Annotated[str, Meta(max_length=200)] = ""
    """The caller's own order number; the same one makes the same order, for as long as that order exists."""


async def create_order(services: Services, request: Request) -> Reply:
    """Place a new order. Repeat it with the same `Idempotency-Key` as often as needed: there will be one order.

    The answer comes as soon as the order is stored; with `Prefer: wait=10` it waits up to ten seconds for the POS.
    """
    body: OrderBody = request.body
    named = body.store_slug or body.location_id
    if not named:
        raise InvalidRequest("storeSlug: name the store by storeSlug or locationId", field="storeSlug")
    venue = services.directory.venue(named)
    require_venue(request.caller, venue.id)
    if body.discount is not None and not request.caller.is_anonymous:
        require(request.caller, "orders:write")

    def render(record: OrderRecord) -> str:
        return encode({"order": order_view(record, venue, private=_sees_private_data(request.caller))})

    placed = await services.orders.place(
        order_request(body, venue.id), request.caller, idempotency_key=request.idempotency_key, render=render
    )
    headers = {"Location": f"/api/v1/orders/{placed.order_id}"}
    if placed.replayed:
        headers["Idempotent-Replayed"] = "true"
    answer = placed.answer
    if request.wait_seconds:
        record = await services.outcomes.wait(placed.order_id, request.wait_seconds)
        headers["Preference-Applied"] = f"wait={request.wait_seconds:g}"
        answer = answer if record is None else render(record)
    return Reply(answer, status=201, headers=headers, order_id=placed.order_id)


async def get_order(services: Services, request: Request) -> Reply:
    """Status and details of an order, by id, UUID or number (`DT-001`). Without a key: no customer data."""
    record = await services.orders.load(request.path["order"])
    require_venue(request.caller, record.order.venue_id)
    venue = services.directory.venue(record.order.venue_id)
    view = order_view(record, venue, private=_sees_private_data(request.caller))
    return Reply(encode({"order": view}), order_id=record.order.id)


def _sees_private_data(caller: Caller) -> bool:
    return not caller.is_anonymous and allows(caller.scopes, "orders:read")


def order_request(body: OrderBody, venue_id: str) -> OrderRequest:
    """A body as the services understand it. Raises `InvalidRequest` naming the field."""
    customer = body.customer
    tables = tuple(body.tables) or ((body.table_number,) if body.table_number else ())
    return OrderRequest(
        venue_id=venue_id,
        order_type=_order_type(body.order_type),
        lines=tuple(_line_request(item) for item in body.items),
        customer=None if customer is None else Customer(name=customer.name, phone=customer.phone, email=customer.email),
        delivery=Delivery(address=body.delivery_address, instructions=body.delivery_instructions)
        if body.delivery_address
        else None,
        tables=tables,
        party_size=body.party_size,
        note=body.notes,
        promised_at_ms=parse_timestamp(body.scheduled_for, "scheduledFor"),
        discount=_discount_request(body.discount),
        declared_total_cents=body.declared_total,
        origin_order_id=body.external_id,
    )


def _order_type(text: str) -> OrderType:
    order_type = _ORDER_TYPES.get(text.lower())
    if order_type is None:
        raise InvalidRequest(
            f"orderType: {text!r} is none of pickup, delivery, dine_in", field="orderType", code="BODY_INVALID"
        )
    return order_type


def _line_request(item: ItemBody) -> LineRequest:
    return LineRequest(
        item_id=parse_id("item", item.item_id) or item.item_id,
        quantity=item.quantity,
        modifiers=tuple(
            ModifierChoice(option_id=choice)
            if isinstance(choice, str)
            else ModifierChoice(option_id=choice.option_id, group_id=choice.modifier_group_id, quantity=choice.quantity)
            for choice in item.modifiers
        ),
        note=item.notes,
    )


def _discount_request(body: DiscountBody | None) -> DiscountRequest | None:
    if body is None:
        return None
    highest = 100 if body.type == "percent" else 10**9
    digits = body.value.as_tuple().exponent
    if not body.value.is_finite() or not 0 < body.value <= highest or not isinstance(digits, int):
        raise InvalidRequest(f"discount.value: must be above 0 and at most {highest}", field="discount.value")
    if digits < (-2 if body.type == "percent" else 0):
        allowed = "two decimals" if body.type == "percent" else "a whole number of cents"
        raise InvalidRequest(f"discount.value: {allowed} at most", field="discount.value")
    return DiscountRequest(type=body.type, value=body.value, reason=body.reason)


OPERATIONS = (
    Operation(
        name="create_order",
        method="POST",
        path="/orders",
        summary="Place a new order.",
        scope="orders:write",
        anonymous=True,
        handler=create_order,
        body=OrderBody,
    ),
    Operation(
        name="get_order",
        method="GET",
        path="/orders/{order:str}",
        summary="Get order status and details.",
        scope="orders:read",
        anonymous=True,
        handler=get_order,
    ),
)

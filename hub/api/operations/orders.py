"""Placing an order and reading one."""

from typing import Annotated

from msgspec import Meta, Struct

from hub.api.answers import FailureAnswer, OrderAnswer, QuoteAnswer, TraceAnswer
from hub.api.json import encode
from hub.api.listing import venue_by
from hub.api.operation import Call, Operation, Reply, Request, Services, Tool
from hub.api.order_body import OrderBody, PricedBody, additions, order_request
from hub.api.views import failure_view, order_view, quote_view, trace_view
from hub.errors import InvalidRequest
from hub.model.order import OrderRecord
from hub.model.venue import Venue
from hub.services.keys import allows, require, require_venue
from hub.services.quotes import QUOTE_MINUTES, Quote
from hub.services.requests import Caller, OrderRequest


class OrderArguments(OrderBody, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """An order: either a `quoteId`, or `storeSlug`, `items` and `orderType`."""

    idempotency_key: Annotated[
        str,
        Meta(
            description="Without a quoteId: any text of yours; a repetition with the same one is the same order",
            pattern="^[!-~]*$",
            max_length=200,
        ),
    ] = ""


class QuoteArguments(PricedBody, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """What to price: `storeSlug`, `items` and `orderType` are needed."""


class OrderIdArguments(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Which order."""

    order_id: Annotated[str, Meta(description='Order ID or number (e.g., "DT-001")', min_length=1, max_length=100)]


async def create_order(services: Services, request: Request) -> Reply:
    """Place a new order. Repeat it with the same `Idempotency-Key` as often as needed: there will be one order.

    The answer comes as soon as the order is stored; with `Prefer: wait=10` it waits up to ten seconds for the POS.
    """
    wanted = await _wanted(services, request)
    venue = services.directory.venue(wanted.venue_id)

    def render(record: OrderRecord) -> str:
        return encode({"order": order_view(record, venue, private=_sees_private_data(request.caller))})

    placed = await services.orders.place(
        wanted, request.caller, idempotency_key=request.idempotency_key or request.body.quote_id, render=render
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


async def _wanted(services: Services, request: Request) -> OrderRequest:
    body: OrderBody = request.body
    if body.quote_id:
        wanted = await services.quotes.load_order(body.quote_id, request.caller, additions(body))
        named = body.store_slug or body.location_id
        if named and venue_by(services, body.store_slug, body.location_id).id != wanted.venue_id:
            raise InvalidRequest("storeSlug: the quote is for another store; leave it out", field="storeSlug")
        return wanted
    return order_request(body, _venue_of(services, request.caller, body).id)


def _venue_of(services: Services, caller: Caller, body: PricedBody) -> Venue:
    venue = venue_by(services, body.store_slug, body.location_id)
    require_venue(caller, venue.id)
    if body.discount is not None and not caller.is_anonymous:
        require(caller, "orders:write")
    return venue


async def quote_order(services: Services, request: Request) -> Reply:
    """What an order would cost, checked like the order itself; nothing is ordered."""
    venue = _venue_of(services, request.caller, request.body)

    def render(quote: Quote) -> str:
        return encode({"quote": quote_view(quote, venue)})

    answer = await services.quotes.make(order_request(request.body, venue.id), request.caller, render=render)
    return Reply(answer, status=201)


async def get_order(services: Services, request: Request) -> Reply:
    """Status and details of an order, by id, UUID or number (`DT-001`). Without a key: no customer data."""
    record = await _load(services, request)
    venue = services.directory.venue(record.order.venue_id)
    view = order_view(record, venue, private=_sees_private_data(request.caller))
    headers = {"ETag": f'"{record.order.version}"'}
    return Reply(encode({"order": view}), headers=headers, order_id=record.order.id)


async def trace_order(services: Services, request: Request) -> Reply:
    """What happened to an order and on its way into the POS, oldest first; no personal data."""
    record = await _load(services, request)
    entries = await services.history.load(record)
    return Reply(encode(trace_view(record, entries)), order_id=record.order.id)


async def explain_failure(services: Services, request: Request) -> Reply:
    """What keeps an order from its way, who can remove it, and what to do."""
    record = await _load(services, request)
    return Reply(encode(failure_view(record)), order_id=record.order.id)


async def _load(services: Services, request: Request) -> OrderRecord:
    record = await services.orders.load(request.path["order"])
    require_venue(request.caller, record.order.venue_id)
    return record


def _sees_private_data(caller: Caller) -> bool:
    return not caller.is_anonymous and allows(caller.scopes, "orders:read")


def _create_call(arguments: OrderArguments) -> Call:
    return Call(body=arguments, idempotency_key=arguments.idempotency_key)


def _order_call(arguments: OrderIdArguments) -> Call:
    return Call(path={"order": arguments.order_id})


_EXAMPLE = {
    "storeSlug": "demo-restaurant",
    "items": [{"itemId": "item_xxx", "quantity": 2}],
    "orderType": "pickup",
    "customer": {"name": "Alice", "phone": "555-1234"},
}
OPERATIONS = (
    Operation(
        name="quote_order",
        method="POST",
        path="/quotes",
        summary="Price an order without placing it.",
        scope="orders:write",
        anonymous=True,
        handler=quote_order,
        body=PricedBody,
        answer=QuoteAnswer,
        success=201,
        example=_EXAMPLE,
        tools=(
            Tool(
                name="quote_order",
                title="Price an order",
                description="Price an order and check it against the store's rules, without placing it. Gives a quote "
                f"whose total holds for {QUOTE_MINUTES} minutes. Tell the guest the total, then call create_order "
                "with the quote's id.",
                arguments=QuoteArguments,
                call=lambda arguments: Call(body=arguments),
            ),
        ),
    ),
    Operation(
        name="create_order",
        method="POST",
        path="/orders",
        summary="Place a new order.",
        scope="orders:write",
        anonymous=True,
        handler=create_order,
        body=OrderBody,
        answer=OrderAnswer,
        success=201,
        heeds=("Idempotency-Key", "Prefer"),
        gives=("Location",),
        example=_EXAMPLE,
        tools=(
            Tool(
                name="create_order",
                title="Place an order",
                description="Place a new order with items, modifiers, and customer info; or, better, with the quoteId "
                "of quote_order: repeated, also in other words, it is the same order. With an idempotencyKey it is so "
                "in the same words; without either, each call is a new order. It is a real order: the kitchen will "
                "cook it (except at a practice store).",
                arguments=OrderArguments,
                call=_create_call,
            ),
        ),
    ),
    Operation(
        name="get_order",
        method="GET",
        path="/orders/{order:str}",
        summary="Get order status and details.",
        scope="orders:read",
        anonymous=True,
        handler=get_order,
        answer=OrderAnswer,
        gives=("ETag",),
        tools=(
            Tool(
                name="get_order",
                title="Order status",
                description="Check the status of an order by ID or order number.",
                arguments=OrderIdArguments,
                call=_order_call,
            ),
        ),
    ),
    Operation(
        name="trace_order",
        method="GET",
        path="/orders/{order:str}/trace",
        summary="What happened to an order, step by step.",
        scope="orders:read",
        anonymous=False,
        handler=trace_order,
        answer=TraceAnswer,
        tools=(
            Tool(
                name="trace_order",
                title="Order history",
                description="What happened to an order, step by step: changes, deliveries and calls to the POS, with "
                "times. Use it when somebody asks where an order is; explain_failure says what is wrong.",
                arguments=OrderIdArguments,
                call=_order_call,
            ),
        ),
    ),
    Operation(
        name="explain_failure",
        method="GET",
        path="/orders/{order:str}/failure",
        summary="What is wrong with an order, and what to do.",
        scope="orders:read",
        anonymous=False,
        handler=explain_failure,
        answer=FailureAnswer,
        tools=(
            Tool(
                name="explain_failure",
                title="Why an order failed",
                description="What keeps an order from reaching the kitchen: the cause, who can remove it, what to do "
                "next, and whether trying again can help. Says so when nothing is wrong.",
                arguments=OrderIdArguments,
                call=_order_call,
            ),
        ),
    ),
)

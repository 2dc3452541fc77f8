"""Finding orders, open and closed, and keeping one from being deleted."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct

from hub.api.answers import OrderShape
from hub.api.json import encode
from hub.api.listing import limit_of, text_of, venue_id_of
from hub.api.operation import Operation, Reply, Request, Services
from hub.api.times import parse_timestamp
from hub.api.views import hold_view, order_view
from hub.errors import InvalidRequest
from hub.model.archive import Search
from hub.model.order import Order
from hub.model.status import Stage, Status
from hub.services.keys import require_venue

_TAB_WORDS = (Status.OPEN, Status.CLOSED, Status.VOID)


class HoldBody(Struct, frozen=True):
    """Why the order must not be deleted, e.g. the number of a court case."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]


class OrdersAnswer(Struct, frozen=True, rename="camel"):
    """A page of orders. `nextCursor` leads to the next one; null at the end."""

    orders: list[OrderShape]
    next_cursor: str | None


class HoldShape(Struct, frozen=True, rename="camel"):
    """A legal hold."""

    order_id: str
    order_number: str
    reason: str
    held_by: str
    since: str


class HoldAnswer(Struct, frozen=True):
    """The hold on the order; null when there is none."""

    hold: HoldShape | None


async def list_orders(services: Services, request: Request) -> Reply:
    """Orders from the newest to the oldest, open and closed, in pages.

    `nextCursor` leads to the next page. A search that must look at many orders may give a short page, or an empty
    one, with a cursor: go on until there is none.
    """
    query = request.query
    search = search_of(query, venue_id_of(services, request))
    page = await services.archive.page(search, after=query["cursor"], limit=limit_of(query))
    venue_of = services.directory.venue
    orders = [order_view(record, venue_of(record.order.venue_id), private=True) for record in page.records]
    return Reply(encode({"orders": orders, "nextCursor": None if page.next is None else str(page.next)}))


async def hold_order(services: Services, request: Request) -> Reply:
    """Keep an order, its history and its calls beyond 45 days, until it is released."""
    order = await _order(services, request)
    hold = await services.archive.hold(order, reason=request.body.reason, actor=request.caller.name)
    return Reply(encode({"hold": hold_view(hold, order)}), order_id=order.id)


async def release_order(services: Services, request: Request) -> Reply:
    """End an order's hold; it is deleted when its 45 days are over. Releasing what is not held does nothing."""
    order = await _order(services, request)
    await services.archive.release(order, actor=request.caller.name)
    return Reply(encode({"hold": None}), order_id=order.id)


async def _order(services: Services, request: Request) -> Order:
    record = await services.orders.load(request.path["order"])
    require_venue(request.caller, record.order.venue_id)
    return record.order


def search_of(query: Mapping[str, str], venue_id: str) -> Search:
    """A search from query parameters. Raises `InvalidRequest` naming the parameter."""
    tab, stage = _status(query["status"])
    return Search(
        venue_id=venue_id,
        status=tab,
        stage=stage,
        created_from_ms=parse_timestamp(query["from"] or None, "from"),
        created_before_ms=parse_timestamp(query["to"] or None, "to"),
        closed_from_ms=parse_timestamp(query["closedFrom"] or None, "closedFrom"),
        closed_before_ms=parse_timestamp(query["closedTo"] or None, "closedTo"),
        number=text_of(query, "number"),
        ref=text_of(query, "ref"),
        external_id=text_of(query, "externalId"),
        table=text_of(query, "table"),
        guest=text_of(query, "guest"),
        held=_held(query["held"]),
    )


def _status(word: str) -> tuple[Status | None, Stage | None]:
    """`open`, `closed` and `void` are about the tab, all other words about how far the order is."""
    if word in _TAB_WORDS:
        return Status(word), None
    if word and word not in tuple(Stage):
        raise InvalidRequest(f"status: {word[:40]!r} is none of {', '.join((*_TAB_WORDS, *Stage))}", field="status")
    return None, Stage(word) if word else None


def _held(word: str) -> bool:
    if word not in ("", "true", "false"):
        raise InvalidRequest("held: must be true or false", field="held")
    return word == "true"


OPERATIONS = (
    Operation(
        name="list_orders",
        method="GET",
        path="/orders",
        summary="Find orders, open and closed, newest first.",
        scope="orders:read",
        anonymous=False,
        handler=list_orders,
        query=(
            *("storeSlug", "locationId", "status", "from", "to", "closedFrom", "closedTo"),
            *("table", "number", "ref", "externalId", "guest", "held", "cursor", "limit"),
        ),
        of_many=True,
        answer=OrdersAnswer,
    ),
    Operation(
        name="hold_order",
        method="POST",
        path="/orders/{order:str}/hold",
        summary="Keep an order from being deleted (legal hold).",
        scope="orders:write",
        anonymous=False,
        handler=hold_order,
        body=HoldBody,
        answer=HoldAnswer,
    ),
    Operation(
        name="release_order",
        method="DELETE",
        path="/orders/{order:str}/hold",
        summary="End an order's legal hold.",
        scope="orders:write",
        anonymous=False,
        handler=release_order,
        answer=HoldAnswer,
    ),
)

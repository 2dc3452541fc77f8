"""Marking items as sold out, or back in stock."""

from typing import Annotated

from msgspec import Meta, Struct

from hub.api.answers import AvailabilityAnswer
from hub.api.json import encode
from hub.api.listing import venue_by
from hub.api.operation import Call, Operation, Reply, Request, Services, StoreArguments, Tool
from hub.model.venue import Venue
from hub.services.keys import require_venue


class AvailabilityBody(Struct, frozen=True, rename="camel"):
    """Whether an item can be ordered. The store may be left out: the item's id says it."""

    available: bool
    store_slug: Annotated[str, Meta(max_length=100)] = ""
    location_id: Annotated[str, Meta(max_length=100)] = ""


class ItemArguments(StoreArguments, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Which item of which store."""

    item_id: Annotated[str, Meta(description="Menu item ID, from get_menu", min_length=1, max_length=100)]


async def set_availability(services: Services, request: Request) -> Reply:
    """Sold out or back in stock, here at once and at the POS as soon as it can be reached."""
    body: AvailabilityBody = request.body
    item_id = request.path["item"]
    venue = await _venue(services, request, item_id, body)
    changed = await services.availability.set(venue, item_id, available=body.available)
    answer = {
        "itemId": changed.item.id,
        "name": changed.item.name,
        "locationId": venue.id,
        "available": changed.orderable,
        "hub": "applied",
        "pos": changed.pos,
    }
    return Reply(encode(answer))


async def _venue(services: Services, request: Request, item_id: str, body: AvailabilityBody) -> Venue:
    if body.store_slug or body.location_id:
        venue = venue_by(services, body.store_slug, body.location_id)
    else:
        venue = await services.availability.find_venue_of(item_id, services.directory.venues())
    require_venue(request.caller, venue.id)
    return venue


def _sold_out(arguments: ItemArguments) -> Call:
    return _marked(arguments, available=False)


def _back_in_stock(arguments: ItemArguments) -> Call:
    return _marked(arguments, available=True)


def _marked(arguments: ItemArguments, *, available: bool) -> Call:
    slug, store = arguments.store_slug, arguments.store
    body = AvailabilityBody(available=available, store_slug=slug, location_id="" if slug else store)
    return Call(path={"item": arguments.item_id}, body=body)


OPERATIONS = (
    Operation(
        name="set_item_availability",
        method="PATCH",
        path="/menu/items/{item:str}",
        summary="Mark an item as sold out (86) or back in stock.",
        scope="menu:write",
        anonymous=False,
        handler=set_availability,
        body=AvailabilityBody,
        answer=AvailabilityAnswer,
        example={"available": False, "locationId": "loc_xxx"},
        tools=(
            Tool(
                name="86_item",
                title="Mark as sold out",
                description="Mark a menu item as unavailable (sold out). Restaurant term: '86' means out of stock. "
                "From then on nobody can order it here. The answer says whether the POS knows too.",
                arguments=ItemArguments,
                call=_sold_out,
                idempotent=True,
            ),
            Tool(
                name="un86_item",
                title="Back in stock",
                description="Restore a menu item to available (back in stock). `available` in the answer is false when "
                "the POS itself still says that it is sold out.",
                arguments=ItemArguments,
                call=_back_in_stock,
                idempotent=True,
            ),
        ),
    ),
)

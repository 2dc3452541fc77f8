"""Stores and their menus: what anyone may read."""

from typing import Annotated

from msgspec import Meta, Struct

from hub.api.answers import ContextAnswer, MenuAnswer, StoreAnswer, StoresAnswer
from hub.api.json import encode
from hub.api.operation import Call, Operation, Reply, Request, Services, StoreArguments, Tool
from hub.api.views import menu_view, store_view
from hub.errors import InvalidRequest
from hub.model.venue import Venue
from hub.services.keys import require_venue
from hub.services.quotes import QUOTE_MINUTES

_YES_NO = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": False}
_MOST_STORES = 500


class NoArguments(Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing has to be said."""


class SearchArguments(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which stores to find."""

    search: Annotated[str, Meta(description="Words of the store's name, address or slug", max_length=200)] = ""
    cuisine: Annotated[str, Meta(description="A kind of food, e.g. pizza", max_length=100)] = ""
    limit: Annotated[int, Meta(description="The most stores to give", ge=1, le=_MOST_STORES)] = 20


class MenuArguments(StoreArguments, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Whose menu, and which part of it."""

    category: Annotated[str, Meta(description="Only this category: its name or id", max_length=200)] = ""
    in_stock: Annotated[bool, Meta(description="Only items that can be ordered now")] = False


async def get_stores(services: Services, request: Request) -> Reply:
    """The restaurant locations the caller may see: all, or those that fit `search` and `cuisine`."""
    words = request.query.get("search", "").casefold().split()
    cuisine = request.query.get("cuisine", "").casefold()
    bound_to = request.caller.venue_id
    found = [
        venue for venue in services.directory.venues() if bound_to in (None, venue.id) and _fits(venue, words, cuisine)
    ]
    stores = [store_view(venue, services.now_ms()) for venue in found[: _limit(request.query.get("limit", ""))]]
    return Reply(encode({"stores": stores}))


def _fits(venue: Venue, words: list[str], cuisine: str) -> bool:
    said = " ".join((venue.name, venue.slug, venue.address, *venue.cuisines)).casefold()
    fits_cuisine = not cuisine or any(cuisine in kind.casefold() for kind in venue.cuisines)
    return fits_cuisine and all(word in said for word in words)


def _limit(text: str) -> int:
    if not text:
        return _MOST_STORES
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) <= _MOST_STORES:
        raise InvalidRequest(f"limit: must be from 1 to {_MOST_STORES}", field="limit")
    return int(text)


async def get_store_info(services: Services, request: Request) -> Reply:
    """Hours, address, order types and policies of one store."""
    venue = services.directory.venue(request.path["store"])
    require_venue(request.caller, venue.id)
    return Reply(encode({"store": store_view(venue, services.now_ms())}))


async def get_menu(services: Services, request: Request) -> Reply:
    """The full menu with prices, categories, dietary information and modifiers."""
    venue = services.directory.venue(request.path["store"])
    require_venue(request.caller, venue.id)
    in_stock = _YES_NO.get(request.query.get("inStock", "").lower())
    if in_stock is None:
        raise InvalidRequest("inStock: must be true or false", field="inStock")
    catalog = await services.directory.catalog(venue.id)
    menu = menu_view(venue, catalog, category=request.query.get("category") or None, in_stock=in_stock)
    return Reply(encode({"menu": menu}))


async def get_store_context(services: Services, request: Request) -> Reply:
    """All an agent needs to order at a store, in one call: store, menu of what is in stock, guidance."""
    venue = services.directory.venue(request.path["store"])
    require_venue(request.caller, venue.id)
    catalog = await services.directory.catalog(venue.id)
    context = {
        "store": store_view(venue, services.now_ms()),
        "menu": menu_view(venue, catalog, category=None, in_stock=True),
        "guidance": _guidance(venue),
    }
    return Reply(encode(context))


def _guidance(venue: Venue) -> list[str]:
    offered = ", ".join(venue.order_types)
    guidance = [
        f"Order types: {offered}. Amounts are in cents of {venue.currency}; prices come from the menu, never from you.",
        "An item with a required modifier group needs an option of it; give option ids from the menu.",
        f"Call quote_order, tell the guest the total, then create_order with the quoteId within {QUOTE_MINUTES} "
        "minutes. "
        "Repeating create_order with the same quoteId never makes a second order.",
        f"Times need an offset; the store's time zone is {venue.timezone}.",
    ]
    if venue.policies.delivery_address_required:
        guidance.append("A delivery needs deliveryAddress.")
    if venue.policies.practice:
        guidance.append("This is a practice store: orders are kept and answered like real ones, and reach no kitchen.")
    return guidance


def _in_store(arguments: StoreArguments) -> Call:
    return Call(path={"store": arguments.store})


def _menu_call(arguments: MenuArguments) -> Call:
    query = {"category": arguments.category, "inStock": "true" if arguments.in_stock else ""}
    return Call(path={"store": arguments.store}, query=query)


def _search_call(arguments: SearchArguments) -> Call:
    query = {"search": arguments.search, "cuisine": arguments.cuisine, "limit": str(arguments.limit)}
    return Call(query=query)


OPERATIONS = (
    Operation(
        name="get_stores",
        method="GET",
        path="/stores",
        summary="List all restaurant locations.",
        scope="menu:read",
        anonymous=True,
        handler=get_stores,
        query=("search", "cuisine", "limit"),
        answer=StoresAnswer,
        tools=(
            Tool(
                name="get_stores",
                title="List stores",
                description="List all available restaurant locations. Returns store slugs needed for other operations.",
                arguments=NoArguments,
                call=lambda _: Call(),
            ),
            Tool(
                name="search_stores",
                title="Search stores",
                description="Find stores by words of their name or address, and by cuisine. Without arguments: "
                "the first 20.",
                arguments=SearchArguments,
                call=_search_call,
            ),
        ),
    ),
    Operation(
        name="get_store_info",
        method="GET",
        path="/stores/{store:str}",
        summary="Store details: hours, address, order types, and policies.",
        scope="menu:read",
        anonymous=True,
        handler=get_store_info,
        answer=StoreAnswer,
        tools=(
            Tool(
                name="get_store_info",
                title="Store details",
                description="Get detailed info for a store: hours, address, order types, policies.",
                arguments=StoreArguments,
                call=_in_store,
            ),
        ),
    ),
    Operation(
        name="get_menu",
        method="GET",
        path="/stores/{store:str}/menu",
        summary="Full menu with prices, categories, dietary info, and modifiers.",
        scope="menu:read",
        anonymous=True,
        handler=get_menu,
        query=("category", "inStock"),
        answer=MenuAnswer,
        tools=(
            Tool(
                name="get_menu",
                title="Menu",
                description="Full menu with items, prices, categories, dietary info, and modifiers. "
                "Its item and option ids are what quote_order and create_order need.",
                arguments=MenuArguments,
                call=_menu_call,
            ),
        ),
    ),
    Operation(
        name="get_store_context",
        method="GET",
        path="/stores/{store:str}/context",
        summary="Store, menu of what is in stock, and guidance for ordering, in one call.",
        scope="menu:read",
        anonymous=True,
        handler=get_store_context,
        answer=ContextAnswer,
        tools=(
            Tool(
                name="get_store_context",
                title="Everything for ordering",
                description="Everything needed to order at one store in a single call: store info, the menu of what is "
                "in stock, and guidance. Prefer it to get_store_info and get_menu when you are going to order.",
                arguments=StoreArguments,
                call=_in_store,
            ),
        ),
    ),
)

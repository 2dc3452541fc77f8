"""Stores and their menus: what anyone may read."""

from hub.api.json import encode
from hub.api.operation import Operation, Reply, Request, Services
from hub.api.views import menu_view, store_view
from hub.errors import InvalidRequest
from hub.services.keys import require_venue

_YES_NO = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": False}


async def get_stores(services: Services, request: Request) -> Reply:
    """All restaurant locations the caller may see."""
    bound_to = request.caller.venue_id
    venues = [venue for venue in services.directory.venues() if bound_to in (None, venue.id)]
    return Reply(encode({"stores": [store_view(venue, services.now_ms()) for venue in venues]}))


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


OPERATIONS = (
    Operation(
        name="get_stores",
        method="GET",
        path="/stores",
        summary="List all restaurant locations.",
        scope="menu:read",
        anonymous=True,
        handler=get_stores,
    ),
    Operation(
        name="get_store_info",
        method="GET",
        path="/stores/{store:str}",
        summary="Store details: hours, address, order types, and policies.",
        scope="menu:read",
        anonymous=True,
        handler=get_store_info,
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
    ),
)

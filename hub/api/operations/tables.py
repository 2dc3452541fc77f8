"""A store's tables as the hub sees them."""

from typing import Any

from hub.api.json import encode
from hub.api.operation import Operation, Reply, Request, Services
from hub.api.views import timestamp
from hub.errors import InvalidRequest
from hub.services.keys import require_venue
from hub.services.tables import TableSeen


async def get_tables(services: Services, request: Request) -> Reply:
    """The tables of a store with their status (free, occupied, reserved, blocked) and the order that sits there."""
    named = request.query.get("storeSlug") or request.query.get("locationId")
    if not named:
        raise InvalidRequest("storeSlug: name the store by storeSlug or locationId", field="storeSlug")
    venue = services.directory.venue(named)
    require_venue(request.caller, venue.id)
    seen = await services.tables.seen(venue.id)
    view = {"storeSlug": venue.slug, "locationId": venue.id, "tables": [_table_view(entry) for entry in seen]}
    return Reply(encode(view))


def _table_view(entry: TableSeen) -> dict[str, Any]:
    table, order = entry.table, entry.order
    sitting = order and {
        "id": order.id,
        "orderNumber": order.number,
        "partySize": order.party_size,
        "seatedAt": timestamp(order.timing.seated_at_ms or order.created_at_ms),
    }
    return {
        "id": table.id,
        "name": table.name,
        "seats": table.seats,
        "area": table.area or None,
        "status": table.status,
        "order": sitting,
    }


OPERATIONS = (
    Operation(
        name="get_tables",
        method="GET",
        path="/tables",
        summary="List restaurant tables and their status.",
        scope="read",
        anonymous=False,
        handler=get_tables,
        query=("storeSlug", "locationId"),
        of_many=True,
    ),
)

"""A store's tables as the hub sees them."""

from msgspec import Struct

from hub.api.derived import with_tool
from hub.api.json import encode
from hub.api.listing import venue_by
from hub.api.operation import Operation, Reply, Request, Services
from hub.api.views import local_timestamp, timestamp
from hub.model.table import TableStatus
from hub.services.keys import require_venue
from hub.services.tables import TableSeen


class SittingShape(Struct, frozen=True, rename="camel"):
    """The order of the guests who sit at a table."""

    id: str
    order_number: str
    party_size: int | None
    seated_at: str | None
    seated_at_local: str


class FloorTableShape(Struct, frozen=True, rename="camel"):
    """A table; `order` is null where nobody sits."""

    id: str
    name: str
    seats: int | None
    area: str | None
    status: TableStatus
    order: SittingShape | None


class FloorAnswer(Struct, frozen=True, rename="camel"):
    """The tables of a store."""

    store_slug: str
    location_id: str
    timezone: str
    tables: list[FloorTableShape]


async def get_tables(services: Services, request: Request) -> Reply:
    """The tables of a store with their status (free, occupied, reserved, blocked) and the order that sits there."""
    venue = venue_by(services, request.query.get("storeSlug", ""), request.query.get("locationId", ""))
    require_venue(request.caller, venue.id)
    seen = await services.tables.seen(venue.id)
    shown = [_shown(entry, venue.timezone) for entry in seen]
    return Reply(encode(FloorAnswer(venue.slug, venue.id, venue.timezone, shown)))


def _shown(entry: TableSeen, timezone: str) -> FloorTableShape:
    table, order = entry.table, entry.order
    sitting = None
    if order is not None:
        since_ms = order.timing.seated_at_ms or order.created_at_ms
        sitting = SittingShape(
            id=order.id,
            order_number=order.number,
            party_size=order.party_size,
            seated_at=timestamp(since_ms),
            seated_at_local=local_timestamp(since_ms, timezone),
        )
    return FloorTableShape(
        id=table.id,
        name=table.name,
        seats=table.seats,
        area=table.area or None,
        status=table.status,
        order=sitting,
    )


OPERATIONS = (
    with_tool(
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
            answer=FloorAnswer,
        ),
        "A store's tables with seats, status (free, occupied, reserved, blocked) and the order of the guests who sit "
        "there. Prefer it to get_pos_tables.",
    ),
)

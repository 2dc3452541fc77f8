"""Where a store's orders differ from its POS's, and from what its channels last took."""

from msgspec import Struct

from hub.api.at_store import venue_of
from hub.api.json import encode
from hub.api.operation import Operation, Reply, Request, Services
from hub.api.times import parse_moment
from hub.errors import InvalidRequest
from hub.model.venue import Venue
from hub.services.reconcile import By


class DifferenceShape(Struct, frozen=True, rename="camel"):
    """One thing on which two sides disagree; amounts are minor units of the store's currency.

    `field` is `status`, `total`, `payments`, `tables`, `lines`, `missing_here`, `missing_there`, or `not_asked` where
    nobody could be asked; then `order` may be `*`, for all of them.
    """

    target: str
    order: str
    field: str
    here: str
    there: str


class ReconciliationAnswer(Struct, frozen=True, rename="camel"):
    """How many orders were looked at, with whom they were compared, and what differs."""

    store_slug: str
    orders: int
    compared: list[str]
    differences: list[DifferenceShape]


async def get_reconciliation(services: Services, request: Request) -> Reply:
    """Compares the orders made (or closed, if `by` says so) from `from` to before `to` with the POS and the channels
    now; changes nothing. A bare date is the beginning of that day at the store."""
    venue = venue_of(services, request)
    from_ms, to_ms = _time(request, "from", venue), _time(request, "to", venue)
    report = await services.reconciler.check(venue, from_ms, to_ms, by=_by(request))
    answer = ReconciliationAnswer(
        store_slug=report.venue_slug,
        orders=report.orders,
        compared=list(report.compared),
        differences=[
            DifferenceShape(one.target, one.order, one.field, one.here, one.there) for one in report.differences
        ],
    )
    return Reply(encode(answer))


def _time(request: Request, name: str, venue: Venue) -> int:
    return parse_moment(request.query.get(name, ""), name, venue.timezone)


def _by(request: Request) -> By:
    match request.query.get("by") or "creation":
        case "creation":
            return "creation"
        case "closing":
            return "closing"
    raise InvalidRequest("by: creation or closing", field="by")


OPERATIONS = (
    Operation(
        name="get_reconciliation",
        method="GET",
        path="/stores/{store:str}/reconciliation",
        summary="Where the store's orders differ from its POS and its channels.",
        scope="orders:read",
        anonymous=False,
        handler=get_reconciliation,
        query=("from", "to", "by"),
        answer=ReconciliationAnswer,
    ),
)

"""Where a store's orders differ from its POS's, and from what its channels last took."""

from msgspec import Struct

from hub.api.at_store import venue_of
from hub.api.json import encode
from hub.api.operation import Operation, Reply, Request, Services
from hub.api.times import parse_timestamp
from hub.errors import InvalidRequest


class DifferenceShape(Struct, frozen=True, rename="camel"):
    """One thing on which two sides disagree; amounts are minor units of the store's currency."""

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
    """Compares the orders made from `from` to before `to` with the POS and the channels now; changes nothing."""
    from_ms, to_ms = _time(request, "from"), _time(request, "to")
    report = await services.reconciler.check(venue_of(services, request), from_ms, to_ms)
    answer = ReconciliationAnswer(
        store_slug=report.venue_slug,
        orders=report.orders,
        compared=list(report.compared),
        differences=[
            DifferenceShape(one.target, one.order, one.field, one.here, one.there) for one in report.differences
        ],
    )
    return Reply(encode(answer))


def _time(request: Request, name: str) -> int:
    at_ms = parse_timestamp(request.query.get(name) or None, name)
    if at_ms is None:
        raise InvalidRequest(f"{name}: say a time, e.g. 2026-02-09T19:30:00+04:00", field=name)
    return at_ms


OPERATIONS = (
    Operation(
        name="get_reconciliation",
        method="GET",
        path="/stores/{store:str}/reconciliation",
        summary="Where the store's orders differ from its POS and its channels.",
        scope="orders:read",
        anonymous=False,
        handler=get_reconciliation,
        query=("from", "to"),
        answer=ReconciliationAnswer,
    ),
)

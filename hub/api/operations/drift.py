"""Where a store's menu and its POS's differ: tomorrow's failures, today."""

import msgspec
from msgspec import Struct

from hub.api.at_store import venue_of
from hub.api.derived import with_tool
from hub.api.json import encode
from hub.api.operation import Operation, Reply, Request, Services


class DriftShape(Struct, frozen=True, rename="camel"):
    """One difference: what will happen because of it, and what to do."""

    severity: str
    kind: str
    subject: str
    found: str
    effect: str
    action: str
    item_id: str


class DriftAnswer(Struct, frozen=True, rename="camel"):
    """What differs; errors first. `pos` is null for a store without a POS."""

    store_slug: str
    pos: str | None
    errors: int
    compared: list[str]
    rows: list[DriftShape]


async def get_drift(services: Services, request: Request) -> Reply:
    """Compares the store with its POS now; changes nothing."""
    report = await services.drift.check(venue_of(services, request))
    answer = DriftAnswer(
        store_slug=report.venue_slug,
        pos=report.pos or None,
        errors=report.errors,
        compared=list(report.compared),
        rows=[DriftShape(**msgspec.structs.asdict(row)) for row in report.rows],
    )
    return Reply(encode(answer))


OPERATIONS = (
    with_tool(
        Operation(
            name="get_drift",
            method="GET",
            path="/stores/{store:str}/drift",
            summary="Where the store and its POS differ.",
            scope="menu:read",
            anonymous=False,
            handler=get_drift,
            answer=DriftAnswer,
        ),
        "Compare a store's menu, modifiers, prices and codes with its POS now, and say what will fail because of each "
        "difference and what to do. Changes nothing; asks the POS, so it may take some seconds.",
    ),
)

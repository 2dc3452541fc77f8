"""What arrived of an order at its POS and its channels, part by part."""

from typing import Any

from msgspec import Struct

from hub.api.derived import with_tool
from hub.api.json import encode
from hub.api.operation import Operation, Reply, Request, Services
from hub.services.fidelity import TargetFidelity
from hub.services.keys import require_venue


class PartShape(Struct, frozen=True):
    """One part of the order; `fate` is kept, flattened, rounded, lost or pending."""

    path: str
    name: str
    value: str
    fate: str
    why: list[str]


class OtherShape(Struct, frozen=True):
    """Something the target could not take that is no part of the order itself."""

    path: str
    kind: str
    loss: str


class TargetShape(Struct, frozen=True):
    """What became of the order at one target."""

    target: str
    state: str
    counts: dict[str, int]
    parts: list[PartShape]
    others: list[OtherShape]


class FidelityAnswer(Struct, frozen=True, rename="camel"):
    """One report per target."""

    order_id: str
    order_number: str
    targets: list[TargetShape]


async def get_fidelity(services: Services, request: Request) -> Reply:
    """What arrived of an order at each target: kept, flattened, rounded or lost, with the reason."""
    record = await services.orders.load(request.path["order"])
    require_venue(request.caller, record.order.venue_id)
    reports = await services.fidelity.load(record)
    answer = {
        "orderId": record.order.id,
        "orderNumber": record.order.number,
        "targets": [target_view(report) for report in reports],
    }
    return Reply(encode(answer), order_id=record.order.id)


def target_view(report: TargetFidelity) -> dict[str, Any]:
    """One target's report."""
    return {
        "target": report.target,
        "state": report.state,
        "counts": report.counts,
        "parts": [
            {
                "path": entry.part.path,
                "name": entry.part.name,
                "value": entry.part.value,
                "fate": entry.fate,
                "why": list(entry.why),
            }
            for entry in report.parts
        ],
        "others": [{"path": loss.path, "kind": loss.kind, "loss": loss.loss} for loss in report.others],
    }


OPERATIONS = (
    with_tool(
        Operation(
            name="get_fidelity",
            method="GET",
            path="/orders/{order:str}/fidelity",
            summary="What arrived of an order at its POS.",
            scope="orders:read",
            anonymous=False,
            handler=get_fidelity,
            answer=FidelityAnswer,
        ),
        "What arrived of an order at its POS and its channels, part by part: kept, flattened (it is there as text or "
        "in another place), rounded or lost, each with the reason.",
    ),
)

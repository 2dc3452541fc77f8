"""Cancelling an order."""

from typing import Annotated

from msgspec import Meta, Struct

from hub.api.answers import CancelAnswer
from hub.api.json import encode
from hub.api.operation import Call, Operation, Reply, Request, Services, Tool
from hub.api.views import order_view
from hub.services.changes import Asked
from hub.services.keys import allows, require_venue

_Reason = Annotated[str, Meta(description="Why, in a few words; the POS gets it too", max_length=500)]
_Version = Annotated[int, Meta(description="Cancel only if the order is still at this version", ge=1)]


class CancelBody(Struct, frozen=True):
    """Why an order is cancelled."""

    reason: _Reason = ""
    version: _Version | None = None


class CancelArguments(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Which order to cancel, and why."""

    order_id: Annotated[str, Meta(description='Order ID or number (e.g., "DT-001")', min_length=1, max_length=100)]
    reason: _Reason = ""
    version: _Version | None = None


async def cancel_order(services: Services, request: Request) -> Reply:
    """Cancel an order. What the POS may have is cancelled once it agrees; `cancelled` says whether it is done."""
    body: CancelBody = request.body
    caller = request.caller
    record = await services.orders.load(request.path["order"])
    require_venue(caller, record.order.venue_id)
    asked = Asked(order_id=record.order.id, actor=caller.name, version=body.version)
    changed = await services.changes.cancel(asked, reason=body.reason)
    venue = services.directory.venue(record.order.venue_id)
    view = order_view(changed.record, venue, private=allows(caller.scopes, "orders:read"))
    answer = encode({"cancelled": changed.applied, "pos": changed.pos, "order": view})
    return Reply(answer, order_id=record.order.id)


def _cancel_call(arguments: CancelArguments) -> Call:
    return Call(path={"order": arguments.order_id}, body=CancelBody(reason=arguments.reason, version=arguments.version))


OPERATIONS = (
    Operation(
        name="cancel_order",
        method="POST",
        path="/orders/{order:str}/cancel",
        summary="Cancel an order.",
        scope="orders:write",
        anonymous=False,
        handler=cancel_order,
        body=CancelBody,
        answer=CancelAnswer,
        tools=(
            Tool(
                name="cancel_order",
                title="Cancel an order",
                description="Cancel an order. It cannot be undone, so ask the guest first. `cancelled` is false while "
                "the POS still has to agree: look again with get_order. Cancelling twice is the same as once.",
                arguments=CancelArguments,
                call=_cancel_call,
                destructive=True,
                idempotent=True,
            ),
        ),
    ),
)

"""The checks of a tab: split between guests, joined, closed and voided one by one."""

from typing import Annotated

from msgspec import Meta, Struct

from hub.api.answers import ChangeAnswer
from hub.api.changing import VersionBody, asked_of, changed_reply, order_of
from hub.api.derived import with_tool
from hub.api.operation import Handler, Operation, Reply, Request, Services
from hub.api.operations.payments import PaymentBody, payment_of
from hub.errors import InvalidRequest

_Id = Annotated[str, Meta(min_length=1, max_length=100)]
_ONE_OPEN = "May be left out while the order has one open check"


class TakenLine(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """How many of a line; without a quantity all of it."""

    uid: Annotated[_Id, Meta(description="The uid of an item of the order")]
    quantity: Annotated[int, Meta(ge=1, le=99_999)] | None = None


_Lines = Annotated[list[TakenLine], Meta(min_length=1, max_length=200)]


class SplitBody(VersionBody, frozen=True, rename="camel", kw_only=True):
    """`ways` for equal shares, or `parts`: the lines of each further check."""

    ways: Annotated[int, Meta(description="Divide what is due by so many", ge=2, le=50)] | None = None
    parts: Annotated[list[_Lines], Meta(description="A further check for each", min_length=1, max_length=50)] | None = (
        None
    )
    check_id: Annotated[str, Meta(description=_ONE_OPEN, max_length=100)] = ""


class MoveBody(VersionBody, frozen=True, rename="camel", kw_only=True):
    """Which lines go to which check."""

    items: _Lines
    to: Annotated[_Id, Meta(description="The check they go to")]


class CloseCheckBody(VersionBody, frozen=True, rename="camel", kw_only=True):
    """Payments that were taken for the check, if any; it may be closed without."""

    payments: Annotated[list[PaymentBody], Meta(max_length=50)] | None = None


class VoidCheckBody(VersionBody, frozen=True, rename="camel", kw_only=True):
    """Why a check has no effect."""

    reason: Annotated[str, Meta(description="Why, in a few words", min_length=1, max_length=500)]


async def split_check(services: Services, request: Request) -> Reply:
    """Split a check: some of its lines to checks of their own, or what is due into equal shares."""
    body: SplitBody = request.body
    order = await order_of(services, request)
    asked = asked_of(services, request, order, "split")
    if (body.ways is None) == (body.parts is None):
        raise InvalidRequest("ways: give either ways or parts", field="ways")
    if body.ways is not None:
        change = services.checks.split_evenly(asked, body.ways, check_id=body.check_id)
    else:
        parts = [_taken(part, f"parts[{index}]") for index, part in enumerate(body.parts or ())]
        change = services.checks.split_by_lines(asked, parts, check_id=body.check_id)
    return await changed_reply(services, request, asked, change)


async def move_lines(services: Services, request: Request) -> Reply:
    """Move lines from one open check to another one of the order."""
    body: MoveBody = request.body
    order, check_id = await order_of(services, request), request.path["check"]
    asked = asked_of(services, request, order, f"move {check_id}")
    change = services.checks.move(asked, _taken(body.items, "items"), check_id=check_id, to_check_id=body.to)
    return await changed_reply(services, request, asked, change)


async def close_check(services: Services, request: Request) -> Reply:
    """Close one check, with or without a payment. The order is completed with its last check."""
    body: CloseCheckBody = request.body
    order, check_id = await order_of(services, request), request.path["check"]
    asked = asked_of(services, request, order, f"close {check_id}")
    payments = [payment_of(services, one) for one in body.payments or ()]
    return await changed_reply(
        services, request, asked, services.checks.close(asked, check_id=check_id, payments=payments)
    )


async def void_check(services: Services, request: Request) -> Reply:
    """Void one check; when no other one counts, the order is cancelled."""
    body: VoidCheckBody = request.body
    order, check_id = await order_of(services, request), request.path["check"]
    asked = asked_of(services, request, order, f"void {check_id}")
    return await changed_reply(
        services, request, asked, services.checks.void(asked, check_id=check_id, reason=body.reason)
    )


def _taken(lines: list[TakenLine], field: str) -> dict[str, int | None]:
    taken = {line.uid: line.quantity for line in lines}
    if len(taken) < len(lines):
        raise InvalidRequest(f"{field}: name each line once", field=field)
    return taken


def _operation(name: str, path: str, summary: str, handler: Handler, body: type) -> Operation:
    return Operation(
        name=name,
        method="POST",
        path=f"/orders/{{order:str}}/checks/{path}",
        summary=summary,
        scope="orders:write",
        anonymous=False,
        handler=handler,
        body=body,
        answer=ChangeAnswer,
    )


OPERATIONS = (
    with_tool(
        _operation("split_check", "split", "Split a check.", split_check, SplitBody),
        "Split a check between guests: `ways` makes equal shares of what is due, `parts` gives each part's lines (uid "
        "and quantity, from get_order) a check of their own. The sum stays the same to the cent.",
    ),
    with_tool(
        _operation("move_lines", "{check:str}/move", "Move lines to another check.", move_lines, MoveBody),
        "Move lines (uid and quantity) from one open check to another one of the same order. Payments stay.",
    ),
    with_tool(
        _operation("close_check", "{check:str}/close", "Close a check.", close_check, CloseCheckBody),
        "Close one check, with the payments that were taken for it if any. No money is moved. The order is completed "
        "with its last check, and cannot be opened again.",
        destructive=True,
        repeatable=True,
    ),
    with_tool(
        _operation("void_check", "{check:str}/void", "Void a check.", void_check, VoidCheckBody),
        "Take one check out of the bill, with a reason; when no other check counts, the whole order is cancelled. It "
        "cannot be undone.",
        destructive=True,
        repeatable=True,
    ),
)

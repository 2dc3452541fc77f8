"""Changing an order after it was placed: cancel, move on, further rounds, discounts, drivers, kitchen and printer."""

from collections.abc import Awaitable
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from hub.api.answers import ChangeAnswer
from hub.api.at_store import ID_AT_POS
from hub.api.changing import VersionBody, asked_of, changed_reply, order_of
from hub.api.derived import with_tool
from hub.api.json import encode
from hub.api.operation import Handler, Operation, Reply, Request, Services
from hub.api.order_body import DiscountBody, ItemBody, discount_request, line_request
from hub.errors import InvalidRequest
from hub.model.order import Order
from hub.model.status import Stage
from hub.services.asked import Asked, Changed
from hub.services.coupons import coupon_discount
from hub.services.order_rules import find_check
from hub.services.requests import DiscountRequest

_Reason = Annotated[str, Meta(description="Why, in a few words; the POS gets it too", max_length=500)]
_Id = Annotated[str, Meta(max_length=100)]


class CancelBody(VersionBody, frozen=True, rename="camel", kw_only=True):
    """Why an order is cancelled; the POS is told so where it takes a reason."""

    reason: _Reason = ""


class StatusBody(VersionBody, frozen=True, rename="camel", kw_only=True):
    """How far the order is. Steps may be left out; there is none back."""

    status: Literal["accepted", "preparing", "ready", "out_for_delivery", "served", "completed"]


class RoundBody(VersionBody, frozen=True, rename="camel", kw_only=True):
    """A further round. `checkId` may be left out while the order has one open check."""

    items: Annotated[list[ItemBody], Meta(min_length=1, max_length=100)]
    check_id: _Id = ""


class DiscountChangeBody(VersionBody, frozen=True, rename="camel", kw_only=True):
    """A discount in place of any the check had: `type` and `value`, or a `coupon` that the POS knows."""

    type: Literal["percent", "amount"] | None = None
    value: Annotated[Decimal, Meta(extra_json_schema={"type": "number"})] | None = None
    reason: Annotated[str, Meta(max_length=500)] = ""
    coupon: Annotated[str, Meta(max_length=100)] = ""
    check_id: _Id = ""


class DriverBody(VersionBody, frozen=True, rename="camel", kw_only=True):
    """Who brings the order; ids are the POS's, see the list of drivers."""

    driver_id: Annotated[str, Meta(pattern=ID_AT_POS)]
    name: Annotated[str, Meta(max_length=200)] = ""


class KitchenBody(VersionBody, frozen=True, rename="camel", kw_only=True):
    """`send` makes tickets for what has none yet; `print` prints the tickets there are once more."""

    action: Literal["send", "print"] = "send"


class PrintBody(Struct, frozen=True, rename="camel", kw_only=True):
    """What the POS prints for the guest."""

    what: Literal["bill", "invoice"] = "bill"


async def cancel_order(services: Services, request: Request) -> Reply:
    """Cancel an order. What the POS may have is cancelled once the POS agrees: then `hub` is `requested`."""
    body: CancelBody = request.body
    asked = asked_of(services, request, await order_of(services, request), "cancel")
    return await changed_reply(services, request, asked, services.changes.cancel(asked, reason=body.reason))


async def set_order_status(services: Services, request: Request) -> Reply:
    """Accept an order, say that it is ready, complete it, …"""
    body: StatusBody = request.body
    asked = asked_of(services, request, await order_of(services, request), "status")
    return await changed_reply(services, request, asked, services.changes.set_stage(asked, Stage(body.status)))


async def add_items(services: Services, request: Request) -> Reply:
    """Add a further round to an open order, priced from the menu."""
    body: RoundBody = request.body
    asked = asked_of(services, request, await order_of(services, request), "items")
    lines = [line_request(item) for item in body.items]
    change = services.changes.add_lines(asked, lines, check_id=body.check_id)
    return await changed_reply(services, request, asked, change)


async def set_discount(services: Services, request: Request) -> Reply:
    """Give a check a discount, by value or by a coupon that the POS confirms first."""
    body: DiscountChangeBody = request.body
    order = await order_of(services, request)
    asked = asked_of(services, request, order, "discount")
    discount = await _discount(services, asked, order, body)
    change = services.changes.discount(asked, discount, check_id=body.check_id, coupon=body.coupon)
    return await changed_reply(services, request, asked, _naming_own_field(change))


async def assign_driver(services: Services, request: Request) -> Reply:
    """Give a delivery to one of the POS's drivers."""
    body: DriverBody = request.body
    asked = asked_of(services, request, await order_of(services, request), "driver")
    change = services.changes.assign_driver(asked, body.driver_id, body.name)
    return await changed_reply(services, request, asked, change)


async def send_to_kitchen(services: Services, request: Request) -> Reply:
    """Send an order to the kitchen again, or print its tickets once more."""
    body: KitchenBody = request.body
    order = await order_of(services, request)
    if body.action == "print":
        printed = await services.pos_desk.print_tickets(order)
        return Reply(encode({"orderId": order.id, "printed": printed, "pos": "applied"}), order_id=order.id)
    asked = asked_of(services, request, order, "kitchen")
    return await changed_reply(services, request, asked, services.changes.send_to_kitchen(asked))


async def print_bill(services: Services, request: Request) -> Reply:
    """Have the POS print the guest's bill or invoice."""
    body: PrintBody = request.body
    order = await order_of(services, request)
    await services.pos_desk.print_bill(order, body.what)
    return Reply(encode({"orderId": order.id, "printed": 1, "pos": "applied"}), order_id=order.id)


async def _discount(services: Services, asked: Asked, order: Order, body: DiscountChangeBody) -> DiscountRequest:
    """The discount asked for: the caller's own figures, or what the POS says the coupon is worth."""
    given = None
    if body.type is not None or body.value is not None:
        given = discount_request(_whole(body))
    if not body.coupon:
        if given is None:
            raise InvalidRequest("value: give type and value, or a coupon", field="value", code="BODY_INVALID")
        return given
    if await services.changes.find_first_answer(asked):
        # It was taken then, though by now the POS may call it used up; the answer of then is given again.
        return given or DiscountRequest(type="percent", value=Decimal(1))
    check = find_check(order, body.check_id)
    return await coupon_discount(services.pos_desk, order, check, body.coupon, given=given, reason=body.reason)


async def _naming_own_field(change: Awaitable[Changed]) -> Changed:
    """In this body the discount's value stands by itself."""
    try:
        return await change
    except InvalidRequest as problem:
        if problem.field != "discount.value":
            raise
        words = problem.message.removeprefix("discount.")
        raise InvalidRequest(words, field="value", code=problem.code) from problem


def _whole(body: DiscountChangeBody) -> DiscountBody:
    for name, value in (("type", body.type), ("value", body.value)):
        if value is None:
            raise InvalidRequest(f"{name}: a discount needs type and value", field=name, code="BODY_INVALID")
    assert body.type is not None and body.value is not None
    return DiscountBody(type=body.type, value=body.value, reason=body.reason)


def _change(name: str, path: str, summary: str, handler: Handler, body: type, answer: type[Struct]) -> Operation:
    return Operation(
        name=name,
        method="POST",
        path=f"/orders/{{order:str}}/{path}",
        summary=summary,
        scope="orders:write",
        anonymous=False,
        handler=handler,
        body=body,
        answer=answer,
    )


class PrintedAnswer(Struct, frozen=True, rename="camel"):
    """What was printed; or, for an order that was sent to the kitchen again, what that came to."""

    pos: str
    printed: int = 0


OPERATIONS = (
    with_tool(
        _change("cancel_order", "cancel", "Cancel an order.", cancel_order, CancelBody, ChangeAnswer),
        "Cancel an order. It cannot be undone, so ask the guest first. `hub` is `requested` while the POS still has to "
        "agree: look again with get_order. Cancelling twice is the same as once.",
        destructive=True,
        repeatable=True,
    ),
    with_tool(
        _change("set_order_status", "status", "Move an order on.", set_order_status, StatusBody, ChangeAnswer),
        "Accept an order, or say that it is preparing, ready, out for delivery, served or completed. Steps may be left "
        "out; none goes back. Use cancel_order to cancel.",
        repeatable=True,
    ),
    with_tool(
        _change("add_order_items", "items", "Add a further round.", add_items, RoundBody, ChangeAnswer),
        "Add a further round of items to an open order, priced from the menu. Give an idempotencyKey, so that a "
        "repetition adds nothing twice.",
    ),
    with_tool(
        _change("discount_order", "discount", "Give a discount.", set_discount, DiscountChangeBody, ChangeAnswer),
        "Give a check a discount in place of any it had: type and value, or a coupon, which the POS confirms first.",
        repeatable=True,
    ),
    with_tool(
        _change("assign_driver", "driver", "Give a delivery to a driver.", assign_driver, DriverBody, ChangeAnswer),
        "Give a delivery to one of the POS's drivers; get_pos_drivers lists them.",
        repeatable=True,
    ),
    with_tool(
        _change(
            "send_to_kitchen", "kitchen", "Send to the kitchen again.", send_to_kitchen, KitchenBody, PrintedAnswer
        ),
        "Have the POS make kitchen tickets for what has none yet, or with action `print` print its tickets once more.",
    ),
    with_tool(
        _change("print_bill", "print", "Print the guest's bill.", print_bill, PrintBody, PrintedAnswer),
        "Have the POS print the guest's bill or invoice.",
    ),
)

"""Moving an order on where the sandbox cannot show it: what is skipped, what is refused, what is told."""

from typing import Any

import httpx
import pytest
from msgspec import structs

from hub.contract.families import TicketState
from hub.contract.writes import OrderWrite
from hub.errors import UnmappedValue, UnsupportedByVendor, VendorRejected
from hub.model.change import DiscountChange, StageChange
from hub.model.check import Discount
from hub.model.decimals import decode_json
from hub.model.order import VendorRef
from hub.model.status import OrderType, Stage
from hub.model.table import TableStatus
from tests.connectors.desibits.linked import CONFIG, LinkedDesibits, order, order_row, ticket_row, write

pytestmark = pytest.mark.anyio

REF = VendorRef(kind="order", id="123")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def moving(stage: Stage, **changes: Any) -> OrderWrite:
    return write(order(**changes), ref=REF, change=StageChange(stage=stage))


def linked_with(row: Any, **options: Any) -> LinkedDesibits:
    linked = LinkedDesibits(**options)
    linked.shows(row)
    linked.answers("PUT", r"/(orders|kot)/\d+/status")
    return linked


def puts(linked: LinkedDesibits) -> list[tuple[str, str]]:
    calls = [call.request for call in linked.router.calls if call.request.method == "PUT"]
    return [(one.url.path.removeprefix("/api/v1/pos"), decode_json(one.content)["status"]) for one in calls]


COOKING = order_row(
    status="kot", kots=[ticket_row(1, "sent_to_kitchen"), ticket_row(2, "food_ready"), ticket_row(3, "cancelled")]
)


@pytest.mark.parametrize(
    ("stage", "row", "expected"),
    [
        (Stage.ACCEPTED, order_row(kots=[ticket_row(1)]), [("/orders/123/status", "kot")]),
        (Stage.ACCEPTED, order_row(items=[]), []),
        (Stage.ACCEPTED, COOKING, []),
        (Stage.PREPARING, COOKING, [("/kot/1/status", "in_kitchen")]),
        (Stage.READY, COOKING, [("/kot/1/status", "food_ready")]),
        (Stage.SERVED, COOKING, [("/kot/1/status", "served"), ("/kot/2/status", "served")]),
        (
            Stage.COMPLETED,
            COOKING,
            [("/kot/1/status", "served"), ("/kot/2/status", "served"), ("/orders/123/status", "billed")],
        ),
        (Stage.COMPLETED, {**COOKING, "status": "paid", "kots": [ticket_row(1, "served")]}, []),
        (Stage.COMPLETED, {**COOKING, "status": "Billed", "kots": [ticket_row(1, "served")]}, []),
    ],
)
async def test_only_what_is_not_as_far_yet_is_moved(stage: Stage, row: Any, expected: list[tuple[str, str]]) -> None:
    linked = linked_with(row)
    result = await linked.connector.set_stage(moving(stage))
    assert (result.ref, puts(linked), result.losses) == (REF, expected, ())


async def test_tickets_that_the_order_does_not_show_are_those_the_hub_keeps() -> None:
    linked = linked_with(order_row(status="kot", kots=None))
    kept = (VendorRef(kind="ticket", id="31"), VendorRef(kind="order", id="9"), VendorRef(kind="ticket", id="32"))
    await linked.connector.set_stage(structs.replace(moving(Stage.READY), further_refs=kept))
    assert puts(linked) == [("/kot/31/status", "food_ready"), ("/kot/32/status", "food_ready")]


@pytest.mark.parametrize("stage", [Stage.ACCEPTED, Stage.PREPARING, Stage.READY, Stage.SERVED, Stage.COMPLETED])
async def test_a_draft_that_nobody_was_told_to_cook_moves_nowhere(stage: Stage) -> None:
    linked = linked_with(order_row())
    with pytest.raises(VendorRejected, match="send it to the kitchen first"):
        await linked.connector.set_stage(moving(stage))
    assert puts(linked) == []
    hub_prints = linked_with(order_row(), kitchen="hub")
    await hub_prints.connector.set_stage(moving(stage))
    assert puts(hub_prints) == [("/orders/123/status", "billed" if stage is Stage.COMPLETED else "kot")]


async def test_where_the_hub_prints_desibits_is_not_told_what_the_kitchen_does() -> None:
    linked = linked_with(order_row(status="kot"), kitchen="hub")
    result = await linked.connector.set_stage(moving(Stage.READY))
    assert (puts(linked), [(loss.path, loss.kind.value) for loss in result.losses]) == ([], [("stage", "lost")])


@pytest.mark.parametrize("stage", [Stage.RECEIVED, Stage.REJECTED, Stage.CANCELLED, Stage.EXPIRED, Stage.UNKNOWN])
async def test_other_stages_cannot_be_set(stage: Stage) -> None:
    linked = linked_with(COOKING)
    with pytest.raises(UnsupportedByVendor, match=f"cannot be set to {stage}"):
        await linked.connector.set_stage(moving(stage))
    assert linked.sent() == []


async def test_a_cancelled_order_moves_nowhere() -> None:
    with pytest.raises(VendorRejected, match="was cancelled"):
        await linked_with(order_row(status="canceled")).connector.set_stage(moving(Stage.READY))


async def test_a_delivery_is_completed_by_its_delivery_status_alone() -> None:
    linked = linked_with(COOKING, config={**CONFIG, "send_delivery": True})
    put = linked.answers("PUT", "/orders/123/delivery-status")
    await linked.connector.set_stage(moving(Stage.COMPLETED, order_type=OrderType.DELIVERY))
    assert decode_json(put.calls.last.request.content) == {"status": "delivered"}
    assert linked.sent() == ["PUT /orders/123/delivery-status"]


@pytest.mark.parametrize("state", [TicketState.SENT, TicketState.CANCELLED, TicketState.UNKNOWN])
async def test_a_ticket_state_that_cannot_be_set_is_refused(state: TicketState) -> None:
    with pytest.raises(UnsupportedByVendor):
        await LinkedDesibits().connector.set_ticket_state("9", state)


async def test_a_table_state_without_a_word_is_held() -> None:
    with pytest.raises(UnmappedValue, match="blocked"):
        await LinkedDesibits().connector.set_table_status("5", TableStatus.BLOCKED)


CANCEL = write(ref=REF, reason="Guest left")


async def test_an_order_is_cancelled_with_its_reason() -> None:
    linked = LinkedDesibits()
    route = linked.answers("POST", "/orders/123/cancel")
    assert (await linked.connector.cancel_order(CANCEL)).ref == REF
    assert decode_json(route.calls.last.request.content) == {"reason": "Guest left"}


@pytest.mark.parametrize(("status", "is_done"), [("cancelled", True), ("Canceled", True), ("paid", False)])
async def test_a_refused_cancellation_succeeds_where_it_was_done_before(status: str, is_done: bool) -> None:
    linked = linked_with(order_row(status=status))
    refused = httpx.Response(200, json={"success": False, "message": "Order is closed"})
    linked.route("POST", "/orders/123/cancel").mock(return_value=refused)
    if is_done:
        assert (await linked.connector.cancel_order(CANCEL)).ref == REF
    else:
        with pytest.raises(VendorRejected, match="Order is closed"):
            await linked.connector.cancel_order(CANCEL)


def discounting(discount: Discount, coupon: str = "") -> OrderWrite:
    return write(ref=REF, change=DiscountChange(check_id="chk_1", discount=discount, coupon=coupon))


@pytest.mark.parametrize(
    ("discount", "mode", "expected"),
    [
        (Discount(type="percent", value="10", cents=260), "percent", ("percent", 10)),
        (Discount(type="amount", value="500", cents=500), "fixed", ("fixed", 5)),
        (Discount(type="amount", value="1299", cents=1299), "fold", ("percent", 50)),
        (Discount(type="amount", value="0", cents=0), "percent", ("percent", 0)),
    ],
)
async def test_a_discount_given_later_goes_as_the_link_says(discount: Discount, mode: str, expected: Any) -> None:
    linked = LinkedDesibits({**CONFIG, "amount_discount": mode})
    route = linked.answers("POST", "/orders/123/discount")
    await linked.connector.apply_discount(discounting(discount, "WELCOME"))
    body = decode_json(route.calls.last.request.content)
    assert (body["discount_type"], body["discount_value"], body["coupon_code"]) == (*expected, "WELCOME")


async def test_a_discount_that_is_not_shown_leaves_it_to_a_person() -> None:
    linked = linked_with(order_row(status="kot"))
    with pytest.raises(UnsupportedByVendor):
        await linked.connector.find_discount(discounting(Discount(type="percent", value="10", cents=260)), since_ms=0)

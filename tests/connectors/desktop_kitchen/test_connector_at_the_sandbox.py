"""Orders at the sandbox, over real sockets: connector and sandbox were written apart, from the same facts."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec import structs

from hub.contract.writes import Verdict
from hub.errors import (
    OutcomeUnknown,
    VendorRejected,
)
from hub.model.call import Call
from hub.model.change import LinesChange, RefundChange, StageChange
from hub.model.order import MoneyAudit, VendorRef
from hub.model.payment import PaymentMethod
from hub.model.status import OrderType, PaymentStatus, Stage
from tests.connectors.desktop_kitchen.linked import KEY
from tests.connectors.desktop_kitchen.restaurant import CONFIG, Restaurant, by, opened, paying, placed

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def restaurant() -> AsyncIterator[Restaurant]:
    async with opened() as restaurant:
        yield restaurant


async def test_everything_a_link_needs_is_there(restaurant: Restaurant) -> None:
    steps = await restaurant.connector.probe()
    assert [(step.name, step.ok) for step in steps] == [
        ("credentials", True),
        ("permission", True),
        ("menu", True),
        ("orders", True),
    ]
    assert {code.id: code.name for code in await restaurant.connector.fetch_codes()}["1"] == "Hub"


@pytest.mark.parametrize("order_type", list(OrderType))
async def test_an_order_is_taken_read_back_and_found(restaurant: Restaurant, order_type: OrderType) -> None:
    request = await restaurant.request(order_type=order_type)
    result = await restaurant.connector.submit_order(request)
    assert result.ref is not None and result.order is not None
    assert {loss.path for loss in result.losses} == {"order_type", "customer.name", "customer.phone"}
    told = await restaurant.connector.fetch_order(result.ref)
    assert (told.stage, told.mark, told.order_type) == (Stage.RECEIVED, request.mark, order_type)
    assert (told.total_cents, result.order.total_cents) == (34000, 34000)
    ours, theirs = request.order.checks[0], told.checks[0]
    assert [(line.item_id, line.quantity, line.gross_cents) for line in theirs.lines] == [
        (line.item_id, line.quantity, line.gross_cents) for line in ours.lines
    ]
    assert theirs.totals.tax_cents == 4690
    found = await restaurant.connector.find_order(request, since_ms=request.order.created_at_ms)
    assert (found.verdict, found.ref) == (Verdict.FOUND, result.ref)
    listed = await restaurant.connector.list_orders(since_ms=request.order.created_at_ms)
    assert [(row.ref, row.total_cents, row.summary_only) for row in listed] == [(result.ref, 34000, True)]


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "drop_after"},
        {"fault": "status", "status": 500, "after_commit": True},
        {"fault": "status", "status": 503, "after_commit": True},
        {"fault": "malformed", "after_commit": True},
    ],
    ids=["dropped", "500", "503", "html"],
)
async def test_an_order_whose_answer_was_lost_is_found_even_after_it_left_the_kitchen(
    restaurant: Restaurant, fault: dict[str, Any]
) -> None:
    request = await restaurant.request()
    await restaurant.fail({**fault, "operation": "create_order", "times": 1})
    with pytest.raises(OutcomeUnknown):
        await restaurant.connector.submit_order(request)
    for status in (None, "prepare", "ready", "complete"):
        if status:
            await restaurant.control("POST", "/orders/1/status", {"status": status})
        found = await restaurant.connector.find_order(request, since_ms=request.order.created_at_ms)
        assert (found.verdict, found.ref) == (Verdict.FOUND, VendorRef(kind="order", id="1"))
    again = await restaurant.connector.submit_order(request)
    assert again.ref == VendorRef(kind="order", id="1")
    assert len(await restaurant.kitchen()) == 1


async def test_an_order_that_was_lost_on_its_way_is_absent_and_sent_again_becomes_one(restaurant: Restaurant) -> None:
    request = await restaurant.request()
    await restaurant.fail({"fault": "drop_before", "operation": "create_order", "times": 1})
    with pytest.raises(OutcomeUnknown):
        await restaurant.connector.submit_order(request)
    found = await restaurant.connector.find_order(request, since_ms=request.order.created_at_ms)
    assert found.verdict is Verdict.ABSENT
    refs = [(await restaurant.connector.submit_order(request)).ref for _ in range(3)]
    assert set(refs) == {VendorRef(kind="order", id="1")}


async def test_six_calls_at_once_make_six_orders_which_is_why_the_hub_sends_one_after_the_other() -> None:
    async with opened(insert_gap_ms=500) as restaurant:  # all six have looked before the first is written down
        request = await restaurant.request()
        await restaurant.connector.probe()
        results = await asyncio.gather(*[restaurant.connector.submit_order(request) for _ in range(6)])
        assert len({result.ref for result in results}) == 6
        found = await restaurant.connector.find_order(request, since_ms=request.order.created_at_ms)
        assert (found.verdict, len(found.candidates)) == (Verdict.AMBIGUOUS, 6)


async def test_six_calls_one_after_the_other_make_one_order(restaurant: Restaurant) -> None:
    request = await restaurant.request()
    refs = {(await restaurant.connector.submit_order(request)).ref for _ in range(6)}
    assert len(refs) == 1


async def test_an_order_is_readable_right_after_it_was_taken_although_the_server_commits_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with opened(commit_delay_ms=50) as restaurant:
        ref = (await restaurant.connector.submit_order(await restaurant.request())).ref
        assert ref is not None
        seen: list[int | None] = []

        def note(call: Call) -> None:
            seen.append(call.status)
            restaurant.clock.advance(seconds=1)  # it commits after the first look

        monkeypatch.setattr(restaurant.linked.sink, "record", note)
        assert (await restaurant.connector.fetch_order(ref)).ref == ref
        assert seen == [404, 200]


async def test_a_modifier_the_restaurant_removed_is_reported_with_the_difference(restaurant: Restaurant) -> None:
    request = await restaurant.request()
    seed = await restaurant.control("GET", "/seed")
    for tenant in seed["tenants"]:
        tenant["modifier_groups"] = [group for group in tenant["modifier_groups"] if group["id"] != 1]
    await restaurant.control("PUT", "/seed", seed)
    result = await restaurant.connector.submit_order(request)
    told = {loss.path: loss.loss for loss in result.losses}
    assert "dropped the modifier 'Queso extra'" in told["checks[0].lines[0].modifiers"]
    assert "MX$310.00 instead of MX$340.00" in told["totals.total_cents"]
    assert result.order is not None
    assert MoneyAudit(computed_cents=34000, pos_cents=result.order.total_cents).difference_cents == -3000


async def test_an_order_walks_to_its_stage_and_is_never_moved_back(restaurant: Restaurant) -> None:
    request = await placed(restaurant, await restaurant.request())
    assert request.ref is not None
    for stage, expected in (
        (Stage.READY, Stage.READY),
        (Stage.READY, Stage.READY),
        (Stage.ACCEPTED, Stage.READY),
        (Stage.OUT_FOR_DELIVERY, Stage.READY),
        (Stage.COMPLETED, Stage.COMPLETED),
    ):
        await restaurant.connector.set_stage(structs.replace(request, change=StageChange(stage=stage)))
        assert (await restaurant.connector.fetch_order(request.ref)).stage is expected
    with pytest.raises(VendorRejected):
        await restaurant.connector.cancel_order(request)


async def test_an_order_moved_back_by_the_till_is_told_as_it_is_and_walks_again(restaurant: Restaurant) -> None:
    request = await placed(restaurant, await restaurant.request())
    assert request.ref is not None
    await restaurant.connector.set_stage(structs.replace(request, change=StageChange(stage=Stage.READY)))
    await restaurant.control("POST", "/orders/1/payment", {"payment_method": "cash"})
    told = await restaurant.connector.fetch_order(request.ref)
    assert (told.stage, told.payment_status) == (Stage.PREPARING, PaymentStatus.PAID)
    await restaurant.connector.set_stage(structs.replace(request, change=StageChange(stage=Stage.COMPLETED)))
    assert (await restaurant.connector.fetch_order(request.ref)).stage is Stage.COMPLETED


async def test_two_hands_that_move_an_order_at_once_both_succeed(restaurant: Restaurant) -> None:
    request = await placed(restaurant, await restaurant.request())
    change = structs.replace(request, change=StageChange(stage=Stage.COMPLETED))
    await asyncio.gather(*[restaurant.connector.set_stage(change) for _ in range(2)])
    assert request.ref is not None
    assert (await restaurant.connector.fetch_order(request.ref)).stage is Stage.COMPLETED


async def test_an_order_is_cancelled_with_its_rounds(restaurant: Restaurant) -> None:
    request = await placed(restaurant, await restaurant.request())
    change = LinesChange(check_id="chk_1", lines=(await restaurant.line(11, 3),))
    more = structs.replace(request, change=change, idempotency_key=KEY.replace("0", "1"))
    result = await restaurant.connector.add_lines(more)
    assert result.further_refs == (VendorRef(kind="order", id="2"),)
    assert await restaurant.connector.add_lines(more) == result, "the same round again is the same order"
    found = await restaurant.connector.find_order(request, since_ms=0)
    assert (found.verdict, found.ref) == (Verdict.FOUND, request.ref)
    assert (await restaurant.connector.find_round(more, since_ms=0)).ref == VendorRef(kind="order", id="2")
    both = structs.replace(request, further_refs=result.further_refs)
    await restaurant.connector.cancel_order(both)
    await restaurant.connector.cancel_order(both)
    assert {ticket["status"] for ticket in await restaurant.kitchen()} == {"cancelled"}


async def test_a_ready_order_is_paid_and_refunded_without_moving_back(restaurant: Restaurant) -> None:
    request = await placed(restaurant, await restaurant.request())
    assert request.ref is not None
    await restaurant.connector.set_stage(structs.replace(request, change=StageChange(stage=Stage.READY)))
    for _ in range(2):
        await restaurant.connector.record_payment(paying(request, by(PaymentMethod.CARD)))
    with pytest.raises(VendorRejected, match="by 'card'"):
        await restaurant.connector.record_payment(paying(request, by(PaymentMethod.CASH)))
    told = await restaurant.connector.fetch_order(request.ref)
    assert (told.stage, told.payment_status) == (Stage.READY, PaymentStatus.PAID)
    refund = structs.replace(request, change=RefundChange(payment_id="pay_card", cents=4050))
    await restaurant.connector.refund_payment(refund)
    state = await restaurant.connector.fetch_payment_state("1")
    assert (state.paid_cents, state.due_cents) == (29950, 0)
    rest = structs.replace(request, change=RefundChange(payment_id="pay_card", cents=29950))
    await restaurant.connector.refund_payment(rest)
    assert (await restaurant.connector.fetch_order(request.ref)).payment_status is PaymentStatus.REFUNDED
    with pytest.raises(VendorRejected, match=r"only MX\$0.00"):
        await restaurant.connector.refund_payment(rest)


async def test_a_split_bill_and_cash_through_the_drawer_are_taken(restaurant: Restaurant) -> None:
    request = await placed(restaurant, await restaurant.request())
    parts = (by(PaymentMethod.CASH, 10001), by(PaymentMethod.CARD, 23999, tip_cents=500))
    await restaurant.connector.record_payment(paying(request, *parts))
    assert (await restaurant.connector.fetch_payment_state("1")).raw_status == "paid"
    found = await restaurant.connector.find_payment(paying(request, *parts), since_ms=0)
    assert found.verdict is Verdict.FOUND
    drawer = restaurant.link({**CONFIG, "cash_payments": "drawer"}).connector
    other = structs.replace(request, order=structs.replace(request.order, id="order_019b"), ref=None)
    other = structs.replace(other, ref=(await drawer.submit_order(other)).ref)
    await drawer.record_payment(paying(other, by(PaymentMethod.CASH, tip_cents=1005)))
    assert other.ref is not None
    assert (await drawer.fetch_order(other.ref)).stage is Stage.PREPARING

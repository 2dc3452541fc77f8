"""Orders and their tickets at the sandbox, over a real socket: one order is cooked once, whatever gets lost."""

from typing import Any

import pytest
from msgspec import structs

from hub.contract.writes import Verdict
from hub.errors import OutcomeUnknown, VendorRejected
from hub.model.change import LinesChange, StageChange
from hub.model.check import Discount
from hub.model.order import Customer, VendorRef
from hub.model.payment import Payment, PaymentMethod
from hub.model.status import OrderType, PaymentStatus, Stage, Status
from hub.model.table import TableStatus
from tests.connectors.desibits.linked import empty_tab, line, write
from tests.connectors.desibits.restaurant import playing

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("options", [{}, {"notes_on_create": True}, {"brief_lists": True}, {"per_page": 1}], ids=str)
async def test_an_order_is_taken_cooked_read_back_and_found(options: Any) -> None:
    async with playing(**options) as restaurant:
        request = restaurant.write(
            line(note="No onions"),
            line(22, 210, 1),
            order_type=OrderType.DINE_IN,
            tables=("t 1",),
            customer=Customer(name="Nisha", phone="+91 98765 43210", email="n@example.com"),
            note="Birthday",
            party_size=4,
            discount=Discount(type="percent", value="10", cents=281),
        )
        submitted = await restaurant.connector.submit_order(request)
        assert submitted.ref == VendorRef(kind="order", id="1")
        assert submitted.order is not None
        assert (submitted.order.total_cents, submitted.order.stage, submitted.order.number) == (
            2527,
            Stage.RECEIVED,
            "ORD-001-001",
        )
        assert [loss.path for loss in submitted.losses] == ["party_size"]
        assert await restaurant.cooked() == []
        request = structs.replace(request, ref=submitted.ref)
        sent = await restaurant.connector.send_to_kitchen(request)
        assert sent.further_refs == (VendorRef(kind="ticket", id="301"),)
        assert await restaurant.cooked() == [(1, [("Butter Chicken", 2), ("Masala Chai", 1)])]
        told = await restaurant.connector.fetch_order(submitted.ref)
        assert (told.status, told.stage, told.raw_status, told.payment_status) == (
            Status.OPEN,
            Stage.PREPARING,
            "kot / sent_to_kitchen",
            PaymentStatus.UNPAID,
        )
        assert (told.mark, told.note, told.order_type, told.tables) == (
            request.mark,
            "Birthday | Party of 4",
            OrderType.DINE_IN,
            ("T1",),
        )
        assert told.customer == Customer(name="Nisha", phone="+91 98765 43210", email="n@example.com")
        (bill,) = told.checks
        assert [(one.vendor, one.quantity, one.unit_cents, one.note) for one in bill.lines] == [
            ({"id": 15}, 2, 1299, "No onions"),
            ({"id": 22}, 1, 210, ""),
        ]
        assert (bill.totals.subtotal_cents, bill.totals.discount_cents, bill.totals.total_cents) == (2808, 281, 2527)
        found = await restaurant.connector.find_order(request, since_ms=restaurant.now_ms)
        assert (found.verdict, found.ref, found.candidates) == (Verdict.FOUND, submitted.ref, ())
        listed = await restaurant.connector.list_orders(since_ms=restaurant.now_ms)
        assert [one.stage for one in listed] == ([] if options.get("brief_lists") else [Stage.PREPARING])


@pytest.mark.parametrize("brief_lists", [False, True])
async def test_a_lost_answer_and_a_lost_look_up_still_make_one_order_and_one_ticket(brief_lists: bool) -> None:
    async with playing(brief_lists=brief_lists) as restaurant:
        request = restaurant.write()
        await restaurant.fails("drop_after", "create_order")
        with pytest.raises(OutcomeUnknown):
            await restaurant.connector.submit_order(request)
        found = await restaurant.connector.find_order(request, since_ms=restaurant.now_ms)
        assert (found.verdict, found.ref) == (Verdict.FOUND, VendorRef(kind="order", id="1"))
        # A list that lags behind would have had it sent once more.
        second = await restaurant.connector.submit_order(request)
        await restaurant.connector.send_to_kitchen(structs.replace(request, ref=second.ref))
        assert await restaurant.orders() == [(1, "cancelled"), (2, "kot")]
        assert [number for number, _ in await restaurant.cooked()] == [2]
        found = await restaurant.connector.find_order(request, since_ms=restaurant.now_ms)
        assert (found.ref, [one.id for one in found.candidates]) == (VendorRef(kind="order", id="2"), ["1"])


async def test_an_order_that_never_arrived_is_absent() -> None:
    async with playing() as restaurant:
        request = restaurant.write()
        await restaurant.fails("drop_before", "create_order")
        with pytest.raises(OutcomeUnknown):
            await restaurant.connector.submit_order(request)
        found = await restaurant.connector.find_order(request, since_ms=restaurant.now_ms)
        assert found.verdict is Verdict.ABSENT


@pytest.mark.parametrize("kots_in_order", [True, False])
async def test_a_lost_answer_to_the_ticket_makes_no_second_one(kots_in_order: bool) -> None:
    async with playing(kots_in_order=kots_in_order) as restaurant:
        request = restaurant.write()
        request = structs.replace(request, ref=(await restaurant.connector.submit_order(request)).ref)
        found = await restaurant.connector.find_in_kitchen(request, since_ms=restaurant.now_ms)
        assert found.verdict is Verdict.ABSENT
        await restaurant.fails("drop_after", "generate_kot")
        with pytest.raises(OutcomeUnknown):
            await restaurant.connector.send_to_kitchen(request)
        found = await restaurant.connector.find_in_kitchen(request, since_ms=restaurant.now_ms)
        assert found.verdict is Verdict.FOUND
        await restaurant.connector.send_to_kitchen(request)
        assert await restaurant.cooked() == [(1, [("Butter Chicken", 2)])]


async def test_where_the_hub_prints_no_ticket_is_generated() -> None:
    async with playing(kitchen="hub") as restaurant:
        request = await restaurant.placed(restaurant.write())
        assert await restaurant.orders() == [(1, "kot")]
        assert await restaurant.cooked() == []
        added = LinesChange(check_id="chk_1", lines=(line(22, 210, 1),))
        await restaurant.connector.add_lines(restaurant.changed(request, added))
        assert await restaurant.cooked() == []


async def test_a_seated_table_is_a_draft_until_its_first_round() -> None:
    async with playing() as restaurant:
        request = write(structs.replace(empty_tab(tables=("T2",)), created_at_ms=restaurant.now_ms))
        request = await restaurant.placed(request)
        assert await restaurant.orders() == [(1, "draft")]
        assert (await restaurant.connector.fetch_table("4")).status is TableStatus.OCCUPIED
        added = restaurant.changed(request, LinesChange(check_id="chk_1", lines=(line(22, 210, 2),)))
        result = await restaurant.connector.add_lines(added)
        assert result.further_refs == (VendorRef(kind="ticket", id="301"),)
        assert await restaurant.cooked() == [(1, [("Masala Chai", 2)])]
        assert await restaurant.orders() == [(1, "kot")]


async def test_an_empty_tab_whose_answer_was_lost_is_found_by_its_table() -> None:
    async with playing() as restaurant:
        request = write(structs.replace(empty_tab(tables=("T2",)), created_at_ms=restaurant.now_ms))
        await restaurant.fails("drop_after", "create_order")
        with pytest.raises(OutcomeUnknown):
            await restaurant.connector.submit_order(request)
        found = await restaurant.connector.find_order(request, since_ms=restaurant.now_ms)
        assert (found.verdict, found.ref) == (Verdict.FOUND, VendorRef(kind="order", id="1"))


async def test_a_round_keeps_what_the_waiter_added_and_cooks_only_what_is_new() -> None:
    async with playing() as restaurant:
        request = await restaurant.placed(restaurant.write())
        waiters = [
            {"menu_item_id": 15, "quantity": 2, "price": 12.99, "note": request.mark},
            {"menu_item_id": 18, "quantity": 1, "price": 2.75},
        ]
        await restaurant.control("POST", "orders/1/items", {"items": waiters})
        await restaurant.control("POST", "orders/1/status", {"status": "accept"})
        added = restaurant.changed(request, LinesChange(check_id="chk_1", lines=(line(18, 275, 1), line(22, 210, 1))))
        result = await restaurant.connector.add_lines(added)
        assert [items for _, items in await restaurant.cooked()] == [
            [("Butter Chicken", 2)],
            [("Garlic Naan", 1)],
            [("Garlic Naan", 1), ("Masala Chai", 1)],
        ]
        assert result.order is not None
        assert result.order.total_cents == 2598 + 275 + 275 + 210
        assert (await restaurant.connector.find_round(added, since_ms=0)).verdict is Verdict.FOUND
        await restaurant.connector.add_lines(added)
        assert len(await restaurant.cooked()) == 3


@pytest.mark.parametrize("operation", ["update_order", "generate_kot"])
async def test_a_round_whose_answer_was_lost_is_cooked_once(operation: str) -> None:
    async with playing() as restaurant:
        request = await restaurant.placed(restaurant.write())
        added = restaurant.changed(request, LinesChange(check_id="chk_1", lines=(line(22, 210, 1),)))
        assert (await restaurant.connector.find_round(added, since_ms=0)).verdict is Verdict.ABSENT
        await restaurant.fails("drop_after", operation)
        with pytest.raises(Exception, match="no clear answer"):
            await restaurant.connector.add_lines(added)
        in_kitchen = operation == "generate_kot"
        found = await restaurant.connector.find_round(added, since_ms=0)
        assert found.verdict is (Verdict.FOUND if in_kitchen else Verdict.ABSENT)
        await restaurant.connector.add_lines(added)
        assert [items for _, items in await restaurant.cooked()] == [[("Butter Chicken", 2)], [("Masala Chai", 1)]]


async def test_a_server_that_appends_the_items_of_an_update_gets_no_second_ticket() -> None:
    async with playing(items_update="append") as restaurant:
        request = await restaurant.placed(restaurant.write())
        added = restaurant.changed(request, LinesChange(check_id="chk_1", lines=(line(22, 210, 1),)))
        with pytest.raises(VendorRejected, match="shows 3 items after the round where 2 were set"):
            await restaurant.connector.add_lines(added)
        assert len(await restaurant.cooked()) == 1


async def test_tickets_and_bill_follow_the_stages() -> None:
    async with playing() as restaurant:
        request = await restaurant.placed(restaurant.write())
        assert request.ref is not None
        seen = []
        for stage in (Stage.ACCEPTED, Stage.PREPARING, Stage.READY, Stage.SERVED, Stage.COMPLETED, Stage.COMPLETED):
            await restaurant.connector.set_stage(restaurant.changed(request, StageChange(stage=stage)))
            told = await restaurant.connector.fetch_order(request.ref)
            seen.append((told.stage, told.raw_status))
        assert seen == [
            (Stage.PREPARING, "kot / sent_to_kitchen"),
            (Stage.PREPARING, "kot / in_kitchen"),
            (Stage.READY, "kot / food_ready"),
            (Stage.SERVED, "kot / served"),
            (Stage.SERVED, "billed / served"),
            (Stage.SERVED, "billed / served"),
        ]
        await restaurant.pay(request, Payment(id="pay_1", method=PaymentMethod.CASH, cents=2598))
        told = await restaurant.connector.fetch_order(request.ref)
        assert (told.status, told.stage, told.payment_status) == (Status.CLOSED, Stage.COMPLETED, PaymentStatus.PAID)


async def test_an_order_that_is_paid_goes_on_while_its_ticket_is_open() -> None:
    async with playing() as restaurant:
        request = await restaurant.placed(restaurant.write())
        assert request.ref is not None
        await restaurant.pay(request, Payment(id="pay_1", method=PaymentMethod.PREPAID, cents=2598, tip_cents=300))
        told = await restaurant.connector.fetch_order(request.ref)
        assert (told.status, told.stage, told.payment_status) == (Status.OPEN, Stage.PREPARING, PaymentStatus.PAID)
        (payment,) = told.checks[0].payments
        assert (payment.raw_method, payment.cents, payment.tip_cents, payment.reference) == ("card", 2598, 300, "pay_1")
        state = await restaurant.connector.fetch_payment_state("1")
        assert (state.raw_status, state.paid_cents, state.due_cents) == ("paid", 2598, 0)


async def test_a_cancelled_order_is_not_cooked_and_may_be_cancelled_again() -> None:
    async with playing(cancelled_word="canceled") as restaurant:
        request = restaurant.write()
        request = structs.replace(request, ref=(await restaurant.connector.submit_order(request)).ref)
        for _ in range(2):
            await restaurant.connector.cancel_order(structs.replace(request, reason="Guest left"))
        assert request.ref is not None
        told = await restaurant.connector.fetch_order(request.ref)
        assert (told.status, told.stage, told.raw_status) == (Status.VOID, Stage.CANCELLED, "canceled")
        with pytest.raises(VendorRejected, match="was cancelled"):
            await restaurant.connector.send_to_kitchen(request)

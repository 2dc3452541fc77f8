"""The connector against the sandbox, over a real socket: the two were written apart, from the page alone."""

from decimal import Decimal

import pytest

from hub.contract.families import BillKind, TicketState
from hub.contract.writes import Verdict
from hub.errors import OutcomeUnknown, UnsupportedByVendor, VendorRejected
from hub.model.change import DiscountChange, DriverChange, PaymentChange, StageChange
from hub.model.check import Discount
from hub.model.order import Customer, Delivery
from hub.model.payment import Payment, PaymentMethod
from hub.model.status import OrderType, Stage, Status
from hub.model.table import TableStatus
from tests.connectors.desibits.linked import check, line
from tests.connectors.desibits.restaurant import playing

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_everything_a_link_needs_is_there() -> None:
    async with playing() as restaurant:
        assert [(step.name, step.ok, step.detail) for step in await restaurant.connector.probe()] == [
            ("order types", True, ""),
            ("tables", True, ""),
            ("payment methods", True, ""),
            ("kitchens", True, ""),
            ("orders", True, ""),
        ]
        assert await restaurant.orders() == []


async def test_two_guests_with_one_phone_number_are_one_customer() -> None:
    async with playing() as restaurant:
        for name in ("Priya", "Priya S."):
            guest = Customer(name=name, phone="098200 11111")
            result = await restaurant.connector.submit_order(restaurant.write(customer=guest))
            assert result.order is not None
            assert result.order.customer is not None
            assert result.order.customer.name == "Priya Sharma"


@pytest.mark.parametrize("split", [False, True])
async def test_a_payment_whose_answer_was_lost_is_not_taken_twice(split: bool) -> None:
    async with playing() as restaurant:
        request = await restaurant.placed(restaurant.write())
        payments = [Payment(id="pay_1", method=PaymentMethod.CASH, cents=1000)]
        if split:
            payments.append(Payment(id="pay_2", method=PaymentMethod.WALLET, cents=1598, reference="UPI-77"))
        paying = restaurant.changed(request, PaymentChange(check_id="chk_1", payments=tuple(payments)))
        assert (await restaurant.connector.find_payment(paying, since_ms=0)).verdict is Verdict.ABSENT
        await restaurant.fails("drop_after", "split_payment" if split else "record_payment")
        with pytest.raises(OutcomeUnknown):
            await restaurant.connector.record_payment(paying)
        assert (await restaurant.connector.find_payment(paying, since_ms=0)).verdict is Verdict.FOUND
        state = await restaurant.connector.fetch_payment_state("1")
        assert state.due_cents == (0 if split else 1598)


async def test_a_paid_order_cannot_be_cancelled() -> None:
    async with playing(refusals_in_200=True) as restaurant:
        request = await restaurant.placed(restaurant.write())
        await restaurant.control("POST", "orders/1/status", {"status": "pay"})
        with pytest.raises(VendorRejected, match="already paid"):
            await restaurant.connector.cancel_order(request)


async def test_a_discount_is_given_and_found() -> None:
    async with playing() as restaurant:
        request = await restaurant.placed(restaurant.write(line(15, 1000, 2)))
        discount = Discount(type="amount", value="500", cents=500)
        request = restaurant.changed(request, DiscountChange(check_id="chk_1", discount=discount))
        assert (await restaurant.connector.find_discount(request, since_ms=0)).verdict is Verdict.ABSENT
        await restaurant.connector.apply_discount(request)
        assert (await restaurant.connector.find_discount(request, since_ms=0)).verdict is Verdict.FOUND
        assert request.ref is not None
        assert (await restaurant.connector.fetch_order(request.ref)).total_cents == 1500


async def test_coupons_are_listed_and_validated() -> None:
    async with playing() as restaurant:
        coupons = await restaurant.connector.fetch_coupons()
        assert [(one.code, one.type, one.value) for one in coupons] == [
            ("WELCOME10", "percent", "10.00"),
            ("FLAT5", "fixed", "5.00"),
        ]
        good = await restaurant.connector.validate_coupon("welcome10", total_cents=2598)
        assert (good.valid, Decimal(good.value)) == (True, Decimal(10))
        bad = await restaurant.connector.validate_coupon("WELCOME10", total_cents=1000)
        assert (bad.valid, bad.detail) == (False, "The order must be at least 20.00")
        assert not (await restaurant.connector.validate_coupon("NOBODY", total_cents=1000)).valid


async def test_deliveries_go_out_where_the_link_says_so() -> None:
    async with playing(settings={"send_delivery": True}) as restaurant:
        request = restaurant.write(order_type=OrderType.DELIVERY, delivery=Delivery(address="MG Road 1"))
        request = await restaurant.placed(request)
        await restaurant.connector.assign_driver(restaurant.changed(request, DriverChange(driver_id="1")))
        out = StageChange(stage=Stage.OUT_FOR_DELIVERY)
        await restaurant.connector.set_stage(restaurant.changed(request, out))
        assert request.ref is not None
        told = await restaurant.connector.fetch_order(request.ref)
        assert (told.stage, told.raw_status) == (Stage.OUT_FOR_DELIVERY, "kot / sent_to_kitchen / out_for_delivery")
        await restaurant.pay(request, Payment(id="pay_1", method=PaymentMethod.CARD, cents=2598))
        done = StageChange(stage=Stage.COMPLETED)
        await restaurant.connector.set_stage(restaurant.changed(request, done))
        told = await restaurant.connector.fetch_order(request.ref)
        assert (told.status, told.stage) == (Status.CLOSED, Stage.COMPLETED)


async def test_deliveries_stay_with_the_hub_unless_the_link_says_so() -> None:
    async with playing() as restaurant:
        request = restaurant.write(order_type=OrderType.DELIVERY)
        request = await restaurant.placed(request)
        for change in (StageChange(stage=Stage.OUT_FOR_DELIVERY), StageChange(stage=Stage.COMPLETED)):
            with pytest.raises(UnsupportedByVendor, match="send_delivery"):
                await restaurant.connector.set_stage(restaurant.changed(request, change))
        with pytest.raises(UnsupportedByVendor, match="send_delivery"):
            await restaurant.connector.assign_driver(restaurant.changed(request, DriverChange(driver_id="1")))


async def test_paper_comes_out_where_it_is_asked_for() -> None:
    async with playing(settings={"print_kot": True}) as restaurant:
        await restaurant.placed(restaurant.write())
        await restaurant.connector.print_ticket("301", again=True)
        (ticket,) = await restaurant.control("GET", "kitchen")
        assert (ticket["printed"], ticket["reprinted"]) == (1, 1)
        await restaurant.connector.print_bill("1", BillKind.BILL)
        await restaurant.connector.print_bill("1", BillKind.INVOICE)
        (record,) = await restaurant.control("GET", "orders")
        assert record["record"]["printed"] == {"bill": 1, "invoice": 1}


async def test_a_ticket_is_moved_by_its_id() -> None:
    async with playing() as restaurant:
        await restaurant.placed(restaurant.write())
        await restaurant.connector.set_ticket_state("301", TicketState.READY)
        (ticket,) = await restaurant.control("GET", "kitchen")
        assert ticket["status"] == "food_ready"


async def test_what_the_restaurant_has_is_listed() -> None:
    async with playing() as restaurant:
        connector = restaurant.connector
        tables = await connector.fetch_tables()
        assert [(one.id, one.name, one.seats, one.area, one.status) for one in tables][:1] == [
            ("3", "T1", 2, "Hall", TableStatus.FREE)
        ]
        await connector.set_table_status("3", TableStatus.RESERVED)
        assert (await connector.fetch_table("3")).status is TableStatus.RESERVED
        assert [one.item_ids for one in await connector.fetch_kitchens()] == [
            ("11", "12", "15", "16", "19"),
            ("18",),
            ("21", "22"),
        ]
        assert "22" in await connector.fetch_item_ids()
        methods = await connector.fetch_payment_methods()
        assert [(one.code, one.method) for one in methods] == [("cash", "cash"), ("card", "card"), ("upi", "wallet")]
        assert next((one.id, one.name) for one in await connector.fetch_printers()) == ("1", "Kitchen printer")
        assert [one.raw_status for one in await connector.fetch_drivers()] == ["available", "on_delivery", "inactive"]
        assert [one.name for one in await connector.fetch_delivery_platforms()] == ["Own Delivery", "QuickBite"]
        codes = {(one.table, one.id): (one.name, one.detail) for one in await connector.fetch_codes()}
        assert codes["order_type", "3"] == ("Delivery", "delivery")
        assert codes["payment_method", "3"] == ("UPI", "upi")


async def test_guests_are_searched_read_and_added() -> None:
    async with playing() as restaurant:
        connector = restaurant.connector
        assert [one.id for one in await connector.search_customers("arjun")] == ["12"]
        added = await connector.create_customer(Customer(name="Nisha", phone="+91 98765 43210"))
        assert (await connector.fetch_customer(added.id)).customer == Customer(name="Nisha", phone="+91 98765 43210")
        with pytest.raises(VendorRejected):
            await connector.fetch_customer("999")


async def test_a_dine_in_order_without_a_table_is_refused_in_desibits_words() -> None:
    async with playing() as restaurant:
        with pytest.raises(VendorRejected, match="table_id: The table id field is required"):
            await restaurant.connector.submit_order(restaurant.write(order_type=OrderType.DINE_IN))


async def test_two_bills_of_one_table_are_one_order() -> None:
    async with playing() as restaurant:
        checks = (check([line()]), check([line(22, 210, 1)], id="chk_2"))
        result = await restaurant.connector.submit_order(restaurant.write(checks=checks))
        assert result.order is not None
        assert result.order.total_cents == 2808
        assert [loss.path for loss in result.losses] == ["checks"]

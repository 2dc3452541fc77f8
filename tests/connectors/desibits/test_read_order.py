"""How a Desibits order reads in the hub's words."""

from decimal import Decimal
from typing import Any

import pytest

from connectors.desibits.read_order import ReadSetup, order_from_desibits
from hub.contract.tables import load_tables
from hub.errors import VendorMalformed
from hub.model.check import Charge, Discount
from hub.model.order import Customer, PosOrder, VendorRef
from hub.model.payment import Payment, PaymentMethod
from hub.model.status import OrderType, PaymentStatus, Stage, Status
from tests.connectors.desibits.linked import MARK, item_row, order_row, ticket_row


def read(**changes: Any) -> PosOrder:
    setup = ReadSetup(
        currency="INR",
        tables=load_tables("desibits"),
        order_types={"4": OrderType.DINE_IN},
        table_names={"5": "7A"},
    )
    return order_from_desibits(order_row(**changes), setup)


OPEN, CLOSED, VOID, UNKNOWN = Status.OPEN, Status.CLOSED, Status.VOID, Status.UNKNOWN


@pytest.mark.parametrize(
    ("status", "tickets", "expected"),
    [
        ("draft", [], (OPEN, Stage.RECEIVED)),
        ("draft", ["in_kitchen"], (OPEN, Stage.PREPARING)),
        ("kot", [], (OPEN, Stage.ACCEPTED)),
        ("kot", ["sent_to_kitchen"], (OPEN, Stage.PREPARING)),
        ("KOT", ["IN_KITCHEN", "food_ready"], (OPEN, Stage.PREPARING)),
        ("kot", ["food_ready", "served"], (OPEN, Stage.READY)),
        ("kot", ["served", "cancelled"], (OPEN, Stage.SERVED)),
        ("kot", ["cancelled"], (OPEN, Stage.ACCEPTED)),
        ("kot", ["flambeed"], (OPEN, Stage.ACCEPTED)),
        ("billed", [], (OPEN, Stage.ACCEPTED)),
        ("billed", ["food_ready"], (OPEN, Stage.READY)),
        ("paid", [], (CLOSED, Stage.COMPLETED)),
        ("paid", ["in_kitchen"], (OPEN, Stage.PREPARING)),
        ("paid", ["served", "flambeed"], (OPEN, Stage.ACCEPTED)),
        ("paid", ["food_ready", "served"], (OPEN, Stage.READY)),
        ("paid", ["served", "served"], (CLOSED, Stage.COMPLETED)),
        ("cancelled", ["in_kitchen"], (VOID, Stage.CANCELLED)),
        ("canceled", [], (VOID, Stage.CANCELLED)),
        ("payment_due", ["in_kitchen"], (UNKNOWN, Stage.UNKNOWN)),
    ],
)
def test_an_order_is_as_far_as_its_tickets_say(status: str, tickets: list[str], expected: tuple[Status, Stage]) -> None:
    found = read(status=status, kots=[ticket_row(number, word) for number, word in enumerate(tickets, 1)])
    assert (found.status, found.stage) == expected
    assert found.raw_status == " / ".join([status, *dict.fromkeys(tickets)])


def test_an_order_that_shows_no_tickets_is_as_far_as_its_status_says() -> None:
    row = order_row(status="kot")
    del row["kots"]
    setup = ReadSetup(currency="INR", tables=load_tables("desibits"), order_types={}, table_names={})
    assert order_from_desibits(row, setup).stage is Stage.ACCEPTED


@pytest.mark.parametrize(
    ("word", "status", "expected"),
    [
        ("out_for_delivery", "kot", (OPEN, Stage.OUT_FOR_DELIVERY)),
        ("Dispatched", "paid", (OPEN, Stage.OUT_FOR_DELIVERY)),
        ("delivered", "kot", (OPEN, Stage.SERVED)),
        ("delivered", "paid", (CLOSED, Stage.COMPLETED)),
        ("pending", "kot", (OPEN, Stage.READY)),
        ("delivered", "cancelled", (VOID, Stage.CANCELLED)),
    ],
)
def test_the_delivery_goes_before_the_kitchen(word: str, status: str, expected: tuple[Status, Stage]) -> None:
    found = read(status=status, delivery_status=word, kots=[ticket_row(status="food_ready")])
    assert (found.status, found.stage) == expected
    assert found.raw_status == f"{status} / food_ready / {word}"


def test_everything_an_order_tells_is_kept() -> None:
    found = read(
        status="billed",
        notes=f"Birthday | Party of 4 | {MARK}",
        items=[item_row(15, 2, Decimal("12.99"), f"No onions {MARK}", id=7, name="Butter Chicken"), item_row(22, 1, 2)],
        kots=[ticket_row(9), ticket_row(10)],
        payments=[
            {"id": 3, "payment_method": "upi", "amount": "20", "tip_amount": Decimal("1.5"), "transaction_id": "T1"}
        ],
        order_type_id=4,
        table_id=5,
        customer={"id": 1, "name": "Asha", "phone": "98", "email": None},
        discount_type="percent",
        discount_value="10.00",
        discount_amount=Decimal("2.80"),
        total=Decimal("25.18"),
        created_at="2026-11-18T11:00:00.000000Z",
    )
    assert found.ref == VendorRef(kind="order", id="123")
    assert (found.mark, found.note, found.number, found.total_cents) == (
        MARK,
        "Birthday | Party of 4",
        "ORD-001-123",
        2518,
    )
    assert (found.order_type, found.tables, found.created_at_ms) == (OrderType.DINE_IN, ("7A",), 1_794_999_600_000)
    assert found.customer == Customer(name="Asha", phone="98")
    assert [ref.id for ref in found.tickets] == ["9", "10"]
    assert found.payment_status is PaymentStatus.PARTIAL
    assert not found.summary_only
    (bill,) = found.checks
    assert [(one.uid, one.item_id, one.name, one.quantity, one.unit_cents, one.note) for one in bill.lines] == [
        ("7", "", "Butter Chicken", 2, 1299, "No onions"),
        ("1", "", "22", 1, 200, ""),
    ]
    assert [one.vendor for one in bill.lines] == [{"id": 15}, {"id": 22}]
    assert bill.discounts == (Discount(type="percent", value="10", cents=280),)
    assert bill.payments == (
        Payment(id="3", method=PaymentMethod.WALLET, cents=2000, tip_cents=150, reference="T1", raw_method="upi"),
    )
    assert (bill.totals.subtotal_cents, bill.totals.total_cents, bill.charges) == (2798, 2518, ())


@pytest.mark.parametrize(
    ("told", "discount", "charge", "tax"),
    [
        ({"total": "25.98"}, 0, 0, 0),
        ({"total": "28.58"}, 0, 260, 0),
        ({"total": "27.28", "tax_amount": "1.30"}, 0, 0, 130),
        ({"total": "25.98", "tax_amount": "1.24"}, 0, 0, 124),
        ({"total": "20.00"}, 598, 0, 0),
        ({"total": "23.38", "discount_type": "percent", "discount_value": 10}, 260, 0, 0),
        ({"total": "20.98", "discount_type": "fixed", "discount_value": 5}, 500, 0, 0),
    ],
)
def test_a_bill_adds_up_to_what_desibits_says(told: Any, discount: int, charge: int, tax: int) -> None:
    (bill,) = read(**told).checks
    totals = bill.totals
    assert (totals.discount_cents, totals.charge_cents, totals.tax_cents) == (discount, charge, tax)
    added = tax if totals.total_cents > 2598 - discount + charge else 0
    assert totals.total_cents == 2598 - discount + charge + added
    assert bill.charges == ((Charge(type="other", cents=charge),) if charge else ())


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, PaymentStatus.UNPAID),
        ({"payment_status": "Partially Paid"}, PaymentStatus.PARTIAL),
        ({"payment_status": "refunded", "status": "billed"}, PaymentStatus.REFUNDED),
        ({"payment_status": "unpaid", "status": "paid"}, PaymentStatus.PAID),
        ({"payments": [{"amount": "25.98"}], "status": "kot"}, PaymentStatus.PAID),
        ({"payments": [{"amount": 25}], "status": "kot", "payment_status": "nobody knows"}, PaymentStatus.PARTIAL),
        ({"payments": None, "status": "kot"}, None),
        ({"payments": None}, PaymentStatus.UNPAID),
    ],
)
def test_what_is_paid(told: Any, expected: PaymentStatus | None) -> None:
    assert read(**told).payment_status is expected


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"order_type_id": "4"}, OrderType.DINE_IN),
        ({"order_type_id": 99, "order_type": "Home-Delivery"}, OrderType.DELIVERY),
        ({"order_type": {"id": 8, "name": "Take Away"}}, OrderType.PICKUP),
        ({"order_type": {"id": 8, "name": "Drive in"}}, None),
        ({}, None),
    ],
)
def test_the_order_type_by_id_or_by_its_words(told: Any, expected: OrderType | None) -> None:
    assert read(**told).order_type is expected


@pytest.mark.parametrize(
    "items",
    [None, "two", [{"menu_item_id": 15, "quantity": 2}], [item_row(quantity=0)], [item_row(), {"price": 1}]],
)
def test_lines_that_cannot_be_read_leave_a_summary(items: Any) -> None:
    found = read(items=items)
    assert (found.checks, found.summary_only, found.total_cents) == ((), True, 2598)


def test_a_menu_item_may_stand_inside_its_line() -> None:
    (bill,) = read(items=[{"menu_item": {"id": 15, "name": "Samosa"}, "qty": "2", "unit_price": "12.99"}]).checks
    assert [(one.name, one.vendor, one.gross_cents) for one in bill.lines] == [("Samosa", {"id": 15}, 2598)]


def test_an_option_that_went_as_an_item_is_an_option_of_the_item_before() -> None:
    items = [
        item_row(15, 2, "12.99", f"Mild {MARK}"),
        item_row(18, 4, "2.75", f"with Butter Chicken {MARK}+", name="Naan"),
        item_row(21, 2, "3.95", f"with Butter Chicken {MARK}+"),
        item_row(22, 2, "2.10", "with milk"),
    ]
    (bill,) = read(items=items, total="49.08").checks
    assert [(one.vendor["id"], one.quantity, one.unit_cents, one.gross_cents, one.note) for one in bill.lines] == [
        (15, 2, 1299, 2598 + 1100 + 790, "Mild"),
        (22, 2, 210, 420, "with milk"),
    ]
    assert [(one.name, one.quantity, one.unit_cents, one.vendor) for one in bill.lines[0].modifiers] == [
        ("Naan", 2, 275, {"id": 18}),
        ("21", 1, 395, {"id": 21}),
    ]


def test_an_option_whose_number_the_waiter_changed_is_a_line() -> None:
    items = [item_row(15, 2), item_row(18, 3, "2.75", f"with Butter Chicken {MARK}+")]
    (bill,) = read(items=items).checks
    assert [(one.vendor["id"], one.quantity) for one in bill.lines] == [(15, 2), (18, 3)]


@pytest.mark.parametrize(
    ("notes", "table", "expected"),
    [
        (f"Hi | Table 7A, 7B | Party of 4 | {MARK}", "7 a", ("7A", "7B")),
        (f"Table 7A, 7B | {MARK}", "9", ("9",)),
        (f"Table 7A, 7B | {MARK}", None, ()),
    ],
)
def test_further_tables_stay_while_the_order_is_at_one_of_them(notes: str, table: Any, expected: Any) -> None:
    assert read(notes=notes, table={"name": table}).tables == expected


def test_a_table_is_known_by_its_name_or_by_what_was_learnt() -> None:
    assert read(table={"id": 6, "table_code": "T6"}).tables == ("T6",)
    assert read(table_id=5).tables == ("7A",)
    assert read(table_id=77).tables == ()


@pytest.mark.parametrize("row", [{"id": None}, {"id": True}, {"id": ""}])
def test_an_order_without_an_id_is_malformed(row: Any) -> None:
    with pytest.raises(VendorMalformed):
        read(**row)


def test_a_time_without_a_zone_is_no_time() -> None:
    assert read(created_at="2026-11-18 11:00:00").created_at_ms is None

"""A POS that can do everything the contract knows, and answers as a test tells it; nothing goes over a network."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from hub.contract.base import PosConnector
from hub.contract.connector import ProbeStep
from hub.contract.families import (
    BillKind,
    Coupon,
    DeliveryPlatform,
    Driver,
    HasAvailability,
    HasCustomers,
    HasDelivery,
    HasDiscounts,
    HasKitchen,
    HasPayments,
    HasReports,
    HasStock,
    HasTables,
    ItemSales,
    Kitchen,
    PaymentState,
    PosCustomer,
    PosPaymentMethod,
    Printer,
    SalesReport,
    StockItem,
    TicketState,
)
from hub.contract.manifest import Manifest
from hub.contract.registry import Registration, Registry
from hub.contract.tables import VendorTables
from hub.contract.writes import OrderWrite, Replay, WriteResult, write
from hub.model.menu import Item, Menu
from hub.model.order import Customer, Loss, PosOrder, VendorRef
from hub.model.payment import PaymentMethod
from hub.model.table import Table, TableStatus
from tests.database.stored import PLOV
from tests.services.fake_pos import PlainPos

AT_TILL = VendorRef(kind="order", id="9001")
TEN_PERCENT = Coupon(code="TEN", name="Ten off", type="percent", value="10")


class Script:
    """What the till was asked, and the error it answers with next, if any."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.error: Exception | None = None
        self.coupon = TEN_PERCENT
        self.menu = Menu(items=(PLOV,))
        self.losses: tuple[Loss, ...] = ()

    def note(self, *words: Any) -> None:
        """Keeps a question; raises the scripted error."""
        self.asked.append(words)
        if self.error is not None:
            raise self.error


def till_registry(script: Script) -> Registry:
    """The connectors `till`, which can do everything, and `plain`, which only takes orders."""

    class Till(
        HasAvailability,
        HasTables,
        HasKitchen,
        HasPayments,
        HasDiscounts,
        HasCustomers,
        HasDelivery,
        HasStock,
        HasReports,
        PosConnector,
    ):
        """Every optional ability."""

        async def probe(self) -> Sequence[ProbeStep]:
            return []

        @write(Replay.REPEATABLE)
        async def submit_order(self, request: OrderWrite) -> WriteResult:
            script.note("submit_order", request.mark)
            ticket = VendorRef(kind="ticket", id="77")
            return WriteResult(ref=AT_TILL, further_refs=(ticket,), losses=script.losses)

        @write(Replay.REPEATABLE)
        async def add_lines(self, request: OrderWrite) -> WriteResult:
            script.note("write", request.change)
            return WriteResult(ref=request.ref)

        cancel_order = set_stage = send_to_kitchen = record_payment = add_lines
        refund_payment = apply_discount = assign_driver = add_lines

        async def fetch_order(self, ref: VendorRef) -> PosOrder:
            raise self.unsupported("fetch_order")

        async def fetch_menu(self) -> Menu:
            script.note("fetch_menu")
            return script.menu

        async def set_item_availability(self, item: Item, *, available: bool) -> None:
            script.note("set_item_availability", item.id, available)

        async def fetch_tables(self) -> Sequence[Table]:
            script.note("fetch_tables")
            return [Table(id="7", name="7A", seats=4, status=TableStatus.OCCUPIED, raw_status="busy")]

        async def fetch_table(self, table_id: str) -> Table:
            script.note("fetch_table", table_id)
            return Table(id=table_id, name="7A")

        async def set_table_status(self, table_id: str, status: TableStatus) -> None:
            script.note("set_table_status", table_id, status)

        async def fetch_kitchens(self) -> Sequence[Kitchen]:
            script.note("fetch_kitchens")
            return [Kitchen(id="1", name="Grill", item_ids=("5",))]

        async def fetch_printers(self) -> Sequence[Printer]:
            script.note("fetch_printers")
            return [Printer(id="3", name="Bar", detail="192.0.2.1")]

        async def set_ticket_state(self, ticket_id: str, state: TicketState) -> None:
            script.note("set_ticket_state", ticket_id, state)

        async def print_ticket(self, ticket_id: str, *, again: bool) -> None:
            script.note("print_ticket", ticket_id, again)

        async def print_bill(self, order_id: str, kind: BillKind) -> None:
            script.note("print_bill", order_id, kind)

        async def fetch_payment_methods(self) -> Sequence[PosPaymentMethod]:
            script.note("fetch_payment_methods")
            return [PosPaymentMethod(code="upi", name="UPI", method=PaymentMethod.WALLET)]

        async def fetch_payment_state(self, order_id: str) -> PaymentState:
            script.note("fetch_payment_state", order_id)
            return PaymentState(raw_status="partial", paid_cents=800)

        async def fetch_coupons(self) -> Sequence[Coupon]:
            script.note("fetch_coupons")
            return [TEN_PERCENT]

        async def validate_coupon(self, code: str, *, total_cents: int) -> Coupon:
            script.note("validate_coupon", code, total_cents)
            return script.coupon

        async def search_customers(self, query: str) -> Sequence[PosCustomer]:
            script.note("search_customers", query)
            return [PosCustomer(id="4", customer=Customer(name="Alice", phone="555-1234"))]

        async def fetch_customer(self, customer_id: str) -> PosCustomer:
            script.note("fetch_customer", customer_id)
            return PosCustomer(id=customer_id, customer=Customer(name="Alice"))

        async def create_customer(self, customer: Customer) -> PosCustomer:
            script.note("create_customer", customer)
            return PosCustomer(id="5", customer=customer)

        async def fetch_drivers(self) -> Sequence[Driver]:
            script.note("fetch_drivers")
            return [Driver(id="8", name="Rashad", raw_status="free")]

        async def fetch_delivery_platforms(self) -> Sequence[DeliveryPlatform]:
            script.note("fetch_delivery_platforms")
            return [DeliveryPlatform(id="2", name="Bolt")]

        async def fetch_stock(self) -> Sequence[StockItem]:
            script.note("fetch_stock")
            return [StockItem(id="6", name="Rice", quantity="12.5", unit="kg")]

        async def add_stock_item(self, item: StockItem) -> StockItem:
            script.note("add_stock_item", item)
            return StockItem(id="9", name=item.name, quantity=item.quantity)

        async def set_stock(self, item_id: str, *, quantity: str) -> None:
            script.note("set_stock", item_id, quantity)

        async def fetch_sales_report(self, period: str, on: date | None = None) -> SalesReport:
            script.note("fetch_sales_report", period, on)
            return SalesReport(period=period, orders=3, revenue_cents=5400)

        async def fetch_item_report(self, period: str, on: date | None = None) -> Sequence[ItemSales]:
            script.note("fetch_item_report", period, on)
            return [ItemSales(name="Plov", quantity=3, revenue_cents=5400)]

    return Registry({"till": _registration("till", Till), "plain": _registration("plain", PlainPos)})


def _registration(name: str, connector: type[PosConnector]) -> Registration:
    manifest = Manifest(id=name, name=name.title(), role="pos", docs="https://example.com", secret_headers=())
    return Registration(connector=connector, manifest=manifest, config_schema={}, tables=VendorTables(name, {}))

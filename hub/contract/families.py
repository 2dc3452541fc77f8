"""Families of optional abilities. A connector adds a family by deriving its class and overriding what it can do.

Methods about one order are writes of the outbox (see `hub.contract.base.Operation`) and declare a replay class with
`@write`; the others are asked directly, while somebody waits. What a connector leaves out raises
`UnsupportedByVendor`, and does not show among its capabilities.
"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

from msgspec import Struct

from hub.contract.writes import OrderWrite, WriteResult
from hub.errors import UnsupportedByVendor
from hub.model.menu import Item
from hub.model.order import Customer
from hub.model.payment import PaymentMethod
from hub.model.table import Table, TableStatus


class _Optional:
    """What every family shares: the error for a method that was left out."""

    def unsupported(self, operation: str) -> UnsupportedByVendor:
        """The error for an optional method this connector does not offer; `PosConnector` names itself in it."""
        return UnsupportedByVendor(f"this POS offers no {operation}", operation=operation)


class HasAvailability(_Optional):
    """The POS can mark an item as sold out."""

    async def set_item_availability(self, item: Item, *, available: bool) -> None:
        """Makes an item available or sold out; one that is so already counts as success."""
        raise self.unsupported("set_item_availability")


class HasMenuEditing(_Optional):
    """The POS lets others keep its menu."""

    async def save_menu_item(self, item: Item) -> Item:
        """Adds an item, or changes the one that `item.vendor["id"]` names; gives it back as the POS knows it now.

        Name, price, category and description are written; modifier groups stay as they are.
        """
        raise self.unsupported("save_menu_item")


class HasTables(_Optional):
    """The POS knows the restaurant's tables."""

    async def fetch_tables(self) -> Sequence[Table]:
        """All tables, with who sits there where the POS tells."""
        raise self.unsupported("fetch_tables")

    async def fetch_table(self, table_id: str) -> Table:
        """One table. Raises `VendorRejected` when there is none."""
        raise self.unsupported("fetch_table")

    async def set_table_status(self, table_id: str, status: TableStatus) -> None:
        """Marks a table; one that is so already counts as success."""
        raise self.unsupported("set_table_status")


class TicketState(StrEnum):
    """How far the kitchen is with one ticket. UNKNOWN only comes in."""

    SENT = "sent"
    IN_KITCHEN = "in_kitchen"
    READY = "ready"
    SERVED = "served"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class Kitchen(Struct, frozen=True, kw_only=True):
    """A place where food is made, with the vendor's ids of the items it makes."""

    id: str
    name: str
    item_ids: tuple[str, ...] = ()


class Printer(Struct, frozen=True, kw_only=True):
    """A printer of the POS."""

    id: str
    name: str
    detail: str = ""


class BillKind(StrEnum):
    """What is printed for the guest."""

    BILL = "bill"
    INVOICE = "invoice"


class HasKitchen(_Optional):
    """The POS has kitchen tickets and printers. `ref` kinds: `order` and `ticket`."""

    async def send_to_kitchen(self, request: OrderWrite) -> WriteResult:
        """Makes the kitchen's ticket for what has none yet; also a step of a submission."""
        raise self.unsupported("send_to_kitchen")

    async def fetch_kitchens(self) -> Sequence[Kitchen]:
        """The kitchens and what each one makes."""
        raise self.unsupported("fetch_kitchens")

    async def set_ticket_state(self, ticket_id: str, state: TicketState) -> None:
        """Moves one ticket on."""
        raise self.unsupported("set_ticket_state")

    async def print_ticket(self, ticket_id: str, *, again: bool) -> None:
        """Prints a kitchen ticket, or prints it `again`."""
        raise self.unsupported("print_ticket")

    async def print_bill(self, order_id: str, kind: BillKind) -> None:
        """Prints the guest's bill or invoice of the vendor's order."""
        raise self.unsupported("print_bill")

    async def fetch_printers(self) -> Sequence[Printer]:
        """The POS's printers."""
        raise self.unsupported("fetch_printers")


class PosPaymentMethod(Struct, frozen=True, kw_only=True):
    """A way to pay that this venue takes; `code` is the venue's own word."""

    code: str
    name: str
    method: PaymentMethod


class PaymentState(Struct, frozen=True, kw_only=True):
    """What is paid of a vendor's order, in minor units; None where the POS does not say."""

    raw_status: str
    paid_cents: int | None = None
    due_cents: int | None = None


class HasPayments(_Optional):
    """The POS records payments."""

    async def record_payment(self, request: OrderWrite) -> WriteResult:
        """Records the payments of `request.change`; several of them are one split bill."""
        raise self.unsupported("record_payment")

    async def refund_payment(self, request: OrderWrite) -> WriteResult:
        """Gives part or all of a payment back."""
        raise self.unsupported("refund_payment")

    async def fetch_payment_methods(self) -> Sequence[PosPaymentMethod]:
        """The ways to pay at this venue."""
        raise self.unsupported("fetch_payment_methods")

    async def fetch_payment_state(self, order_id: str) -> PaymentState:
        """What is paid of the vendor's order."""
        raise self.unsupported("fetch_payment_state")


class Coupon(Struct, frozen=True, kw_only=True):
    """A coupon the POS knows; `value` is a percentage or an amount in major units, as the POS writes it."""

    code: str
    name: str = ""
    type: str = ""
    value: str = ""
    valid: bool = True
    detail: str = ""


class HasDiscounts(_Optional):
    """The POS takes discounts after the order was placed, and coupons."""

    async def apply_discount(self, request: OrderWrite) -> WriteResult:
        """Gives the discount of `request.change`, in place of any before."""
        raise self.unsupported("apply_discount")

    async def fetch_coupons(self) -> Sequence[Coupon]:
        """The coupons that work now."""
        raise self.unsupported("fetch_coupons")

    async def validate_coupon(self, code: str, *, total_cents: int) -> Coupon:
        """Whether a coupon may be used for a total in minor units; `valid` and `detail` say so."""
        raise self.unsupported("validate_coupon")


class PosCustomer(Struct, frozen=True, kw_only=True):
    """A guest as the POS knows them."""

    id: str
    customer: Customer
    detail: str = ""


class HasCustomers(_Optional):
    """The POS keeps guests."""

    async def search_customers(self, query: str) -> Sequence[PosCustomer]:
        """Guests by name, phone or email."""
        raise self.unsupported("search_customers")

    async def fetch_customer(self, customer_id: str) -> PosCustomer:
        """One guest. Raises `VendorRejected` when there is none."""
        raise self.unsupported("fetch_customer")

    async def create_customer(self, customer: Customer) -> PosCustomer:
        """Adds a guest."""
        raise self.unsupported("create_customer")


class Driver(Struct, frozen=True, kw_only=True):
    """Somebody who brings orders to guests."""

    id: str
    name: str
    phone: str = ""
    raw_status: str = ""


class DeliveryPlatform(Struct, frozen=True, kw_only=True):
    """A delivery platform the POS works with."""

    id: str
    name: str
    active: bool = True


class HasDelivery(_Optional):
    """The POS manages deliveries. That an order is out for delivery or delivered goes through `set_stage`."""

    async def assign_driver(self, request: OrderWrite) -> WriteResult:
        """Gives the order to the driver of `request.change`."""
        raise self.unsupported("assign_driver")

    async def fetch_drivers(self) -> Sequence[Driver]:
        """The drivers."""
        raise self.unsupported("fetch_drivers")

    async def fetch_delivery_platforms(self) -> Sequence[DeliveryPlatform]:
        """The delivery platforms."""
        raise self.unsupported("fetch_delivery_platforms")


class StockItem(Struct, frozen=True, kw_only=True):
    """Something the restaurant keeps in stock; `quantity` and `low_below` are decimal strings in `unit`."""

    id: str
    name: str
    quantity: str
    unit: str = ""
    low_below: str = ""
    category: str = ""


class HasStock(_Optional):
    """The POS keeps an inventory."""

    async def fetch_stock(self) -> Sequence[StockItem]:
        """Everything in the inventory."""
        raise self.unsupported("fetch_stock")

    async def add_stock_item(self, item: StockItem) -> StockItem:
        """Adds an item to the inventory; its id is the POS's."""
        raise self.unsupported("add_stock_item")

    async def set_stock(self, item_id: str, *, quantity: str) -> None:
        """Sets what is there of an item."""
        raise self.unsupported("set_stock")


class SalesReport(Struct, frozen=True, kw_only=True):
    """What was sold in a period, in minor units; None where the POS does not say."""

    period: str
    orders: int | None = None
    revenue_cents: int | None = None
    tip_cents: int | None = None
    tax_cents: int | None = None


class ItemSales(Struct, frozen=True, kw_only=True):
    """How often an item was sold in a period."""

    name: str
    quantity: int
    revenue_cents: int | None = None


class HasReports(_Optional):
    """The POS reports sales. `period` is `daily`, `weekly` or `monthly`; `on` is any day of it, today if None."""

    async def fetch_sales_report(self, period: str, on: date | None = None) -> SalesReport:
        """The period's sales."""
        raise self.unsupported("fetch_sales_report")

    async def fetch_item_report(self, period: str, on: date | None = None) -> Sequence[ItemSales]:
        """The period's items, best first."""
        raise self.unsupported("fetch_item_report")


FAMILIES: tuple[type[_Optional], ...] = (
    HasAvailability,
    HasMenuEditing,
    HasTables,
    HasKitchen,
    HasPayments,
    HasDiscounts,
    HasCustomers,
    HasDelivery,
    HasStock,
    HasReports,
)

"""The connector contract: what every POS connector must do, may do, and says about the safety of its writes."""

from abc import abstractmethod
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, ClassVar

from msgspec import Struct

from hub.contract.connector import Connector
from hub.contract.families import FAMILIES
from hub.contract.writes import POS_OPERATIONS, LookUp, Operation, OrderWrite, WriteResult
from hub.model.menu import Menu
from hub.model.order import PosOrder, VendorRef


class Capability(StrEnum):
    """Optional abilities; each value is the name of the method that stands for it (see `hub.contract.families`)."""

    FIND_ORDER = "find_order"
    LIST_ORDERS = "list_orders"
    CANCEL_ORDER = "cancel_order"
    SET_STAGE = "set_stage"
    ADD_LINES = "add_lines"
    FETCH_MENU = "fetch_menu"
    FETCH_ITEM_IDS = "fetch_item_ids"
    FETCH_CODES = "fetch_codes"
    SET_ITEM_AVAILABILITY = "set_item_availability"
    SAVE_MENU_ITEM = "save_menu_item"
    FETCH_TABLES = "fetch_tables"
    FETCH_TABLE = "fetch_table"
    SET_TABLE_STATUS = "set_table_status"
    SEND_TO_KITCHEN = "send_to_kitchen"
    FETCH_KITCHENS = "fetch_kitchens"
    SET_TICKET_STATE = "set_ticket_state"
    PRINT_TICKET = "print_ticket"
    PRINT_BILL = "print_bill"
    FETCH_PRINTERS = "fetch_printers"
    RECORD_PAYMENT = "record_payment"
    REFUND_PAYMENT = "refund_payment"
    FETCH_PAYMENT_METHODS = "fetch_payment_methods"
    FETCH_PAYMENT_STATE = "fetch_payment_state"
    APPLY_DISCOUNT = "apply_discount"
    FETCH_COUPONS = "fetch_coupons"
    VALIDATE_COUPON = "validate_coupon"
    SEARCH_CUSTOMERS = "search_customers"
    FETCH_CUSTOMER = "fetch_customer"
    CREATE_CUSTOMER = "create_customer"
    ASSIGN_DRIVER = "assign_driver"
    FETCH_DRIVERS = "fetch_drivers"
    FETCH_DELIVERY_PLATFORMS = "fetch_delivery_platforms"
    FETCH_STOCK = "fetch_stock"
    ADD_STOCK_ITEM = "add_stock_item"
    SET_STOCK = "set_stock"
    FETCH_SALES_REPORT = "fetch_sales_report"
    FETCH_ITEM_REPORT = "fetch_item_report"


class VendorCode(Struct, frozen=True, kw_only=True):
    """One of a venue's own codes at the vendor, e.g. the sale type 2 named "Delivery"."""

    table: str
    id: str
    name: str
    detail: str = ""


class PosConnector(Connector):
    """One POS vendor at one venue: a system where orders are worked, and which the hub calls."""

    capabilities: ClassVar[frozenset[Capability]] = frozenset()
    """Computed from the methods a class overrides, never written by hand."""

    submission: ClassVar[tuple[Operation, ...]] = (Operation.SUBMIT_ORDER,)
    """The steps that bring an order into the POS; each is an outbox delivery of its own, in this order."""

    opens_empty_orders: ClassVar[bool] = False
    """Whether a table's order can be opened at the POS before anything was ordered."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.capabilities = frozenset(capability for capability in Capability if _offers(cls, capability.value))
        for operation in POS_OPERATIONS:
            if _offers(cls, operation.value) and not hasattr(getattr(cls, operation.value), "__write_rule__"):
                raise TypeError(f"{cls.__name__}.{operation.value} must declare its replay class with @write(…)")

    @abstractmethod
    async def submit_order(self, request: OrderWrite) -> WriteResult:
        """Brings the order into the POS and returns the vendor's id."""

    @abstractmethod
    async def fetch_order(self, ref: VendorRef) -> PosOrder:
        """Reads one order back."""

    async def find_order(self, request: OrderWrite, *, since_ms: int) -> LookUp:
        """Looks for our order among those the vendor got since `since_ms`, by our mark or reference."""
        raise self.unsupported("find_order")

    async def list_orders(self, *, since_ms: int) -> Sequence[PosOrder]:
        """All orders the vendor got since `since_ms`, with the least number of calls.

        A vendor whose list is cut short may leave out orders the kitchen is done with; `fetch_order` shows them.
        """
        raise self.unsupported("list_orders")

    async def cancel_order(self, request: OrderWrite) -> WriteResult:
        """Cancels an order; one that is cancelled already counts as success."""
        raise self.unsupported("cancel_order")

    async def set_stage(self, request: OrderWrite) -> WriteResult:
        """Moves the order to the stage of `request.change`; one that is there already counts as success.

        Walks the steps in between where the vendor wants every one of them.
        """
        raise self.unsupported("set_stage")

    async def add_lines(self, request: OrderWrite) -> WriteResult:
        """Adds the lines of `request.change` (a further round) to the order."""
        raise self.unsupported("add_lines")

    async def fetch_item_ids(self) -> Sequence[str]:
        """The vendor's ids of what can be ordered, where it tells no more than that; for the drift report."""
        raise self.unsupported("fetch_item_ids")

    async def fetch_menu(self) -> Menu:
        """The whole menu with its modifier groups; ids are derived from the vendor's and stay the same."""
        raise self.unsupported("fetch_menu")

    async def fetch_codes(self) -> Sequence[VendorCode]:
        """The venue's own codes (sale types, payment methods, stations, …), for set-up."""
        raise self.unsupported("fetch_codes")


def _offers(connector: type, name: str) -> bool:
    """Whether a class has a method of its own by this name, and not only the contract's, which raises."""
    owner = next((base for base in connector.__mro__ if name in vars(base)), None)
    return owner is not None and owner is not PosConnector and owner not in FAMILIES

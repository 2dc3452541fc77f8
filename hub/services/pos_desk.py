"""Asks a store's POS directly while somebody waits: tables, kitchens, guests, stock, reports, and what it can do."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import TypeVar

from hub.contract.base import Capability, PosConnector
from hub.contract.context import working_for
from hub.contract.families import (
    BillKind,
    Coupon,
    DeliveryPlatform,
    Driver,
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
from hub.database import link_state
from hub.database.engine import Database
from hub.database.link_state import CodeRow
from hub.database.order_reads import load_order_refs
from hub.errors import (
    ConfigurationError,
    Conflict,
    ConnectorError,
    HubError,
    InvalidRequest,
    OutcomeUnknown,
    Unavailable,
    UnmappedValue,
    UnsupportedByVendor,
    VendorAuthFailed,
    VendorMalformed,
    VendorRateLimited,
    VendorRejected,
)
from hub.model import causes
from hub.model.order import Customer, Order, VendorRef
from hub.model.table import Table, TableStatus
from hub.model.venue import Link
from hub.services.connections import Connections
from hub.services.directory import Directory

_PAUSED_SECONDS = 60
_AWAY_SECONDS = 5

Family = TypeVar("Family")


class PosDesk:
    """One question, one answer. What the POS cannot do, refuses or does not answer becomes an error for the caller:
    `InvalidRequest` (`NOT_SUPPORTED_BY_POS`, `POS_REJECTED`), `Conflict` (`OUTCOME_UNKNOWN`) or `Unavailable`.
    """

    def __init__(self, *, database: Database, directory: Directory, connections: Connections) -> None:
        self._database = database
        self._directory = directory
        self._connections = connections

    @asynccontextmanager
    async def at(
        self, venue_id: str, family: type[Family], ability: Capability, *, order_id: str = ""
    ) -> AsyncIterator[Family]:
        """The store's POS as the family that is asked for; errors inside the block become the caller's.

        Calls are filed under `order_id`.
        """
        connector = self._connector(venue_id)
        if not isinstance(connector, family) or ability not in connector.capabilities:
            raise _not_supported(ability)
        try:
            with working_for(order_id):
                yield connector
        except ConnectorError as problem:
            raise for_the_caller(problem) from problem

    def abilities(self, venue_id: str) -> frozenset[Capability]:
        """What the store's POS can do; nothing without a POS."""
        link = self._directory.link_of(venue_id)
        if link is None:
            return frozenset()
        return self._connections.abilities(link.id)

    async def codes(self, venue_id: str) -> Sequence[CodeRow]:
        """The venue's own codes at its POS, as last read from there."""
        link = self._directory.link_of(venue_id)
        if link is None:
            raise _no_pos()
        return await self._database.read(lambda connection: link_state.load_codes(connection, link.id))

    async def tables(self, venue_id: str) -> Sequence[Table]:
        """All tables."""
        async with self.at(venue_id, HasTables, Capability.FETCH_TABLES) as pos:
            return await pos.fetch_tables()

    async def table(self, venue_id: str, table_id: str) -> Table:
        """One table."""
        async with self.at(venue_id, HasTables, Capability.FETCH_TABLE) as pos:
            return await pos.fetch_table(table_id)

    async def set_table_status(self, venue_id: str, table_id: str, status: TableStatus) -> None:
        """Marks a table."""
        async with self.at(venue_id, HasTables, Capability.SET_TABLE_STATUS) as pos:
            await pos.set_table_status(table_id, status)

    async def kitchens(self, venue_id: str) -> Sequence[Kitchen]:
        """The kitchens and what each one makes."""
        async with self.at(venue_id, HasKitchen, Capability.FETCH_KITCHENS) as pos:
            return await pos.fetch_kitchens()

    async def printers(self, venue_id: str) -> Sequence[Printer]:
        """The POS's printers."""
        async with self.at(venue_id, HasKitchen, Capability.FETCH_PRINTERS) as pos:
            return await pos.fetch_printers()

    async def set_ticket_state(self, venue_id: str, ticket_id: str, state: str) -> None:
        """Moves a kitchen ticket on; `state` is a value of `TicketState`."""
        async with self.at(venue_id, HasKitchen, Capability.SET_TICKET_STATE) as pos:
            await pos.set_ticket_state(ticket_id, TicketState(state))

    async def print_ticket(self, venue_id: str, ticket_id: str, *, again: bool) -> None:
        """Prints a kitchen ticket."""
        async with self.at(venue_id, HasKitchen, Capability.PRINT_TICKET) as pos:
            await pos.print_ticket(ticket_id, again=again)

    async def payment_methods(self, venue_id: str) -> Sequence[PosPaymentMethod]:
        """The ways to pay."""
        async with self.at(venue_id, HasPayments, Capability.FETCH_PAYMENT_METHODS) as pos:
            return await pos.fetch_payment_methods()

    async def coupons(self, venue_id: str) -> Sequence[Coupon]:
        """The coupons that work now."""
        async with self.at(venue_id, HasDiscounts, Capability.FETCH_COUPONS) as pos:
            return await pos.fetch_coupons()

    async def validate_coupon(self, venue_id: str, code: str, total_cents: int, *, order_id: str = "") -> Coupon:
        """What the POS says of a coupon for a total; it may say that it is not valid."""
        async with self.at(venue_id, HasDiscounts, Capability.VALIDATE_COUPON, order_id=order_id) as pos:
            return await pos.validate_coupon(code, total_cents=total_cents)

    async def search_customers(self, venue_id: str, query: str) -> Sequence[PosCustomer]:
        """Guests by name, phone or email."""
        async with self.at(venue_id, HasCustomers, Capability.SEARCH_CUSTOMERS) as pos:
            return await pos.search_customers(query)

    async def customer(self, venue_id: str, customer_id: str) -> PosCustomer:
        """One guest."""
        async with self.at(venue_id, HasCustomers, Capability.FETCH_CUSTOMER) as pos:
            return await pos.fetch_customer(customer_id)

    async def create_customer(self, venue_id: str, customer: Customer) -> PosCustomer:
        """Adds a guest."""
        async with self.at(venue_id, HasCustomers, Capability.CREATE_CUSTOMER) as pos:
            return await pos.create_customer(customer)

    async def drivers(self, venue_id: str) -> Sequence[Driver]:
        """Those who bring orders to guests."""
        async with self.at(venue_id, HasDelivery, Capability.FETCH_DRIVERS) as pos:
            return await pos.fetch_drivers()

    async def delivery_platforms(self, venue_id: str) -> Sequence[DeliveryPlatform]:
        """The delivery platforms the POS works with."""
        async with self.at(venue_id, HasDelivery, Capability.FETCH_DELIVERY_PLATFORMS) as pos:
            return await pos.fetch_delivery_platforms()

    async def stock(self, venue_id: str) -> Sequence[StockItem]:
        """Everything in the inventory."""
        async with self.at(venue_id, HasStock, Capability.FETCH_STOCK) as pos:
            return await pos.fetch_stock()

    async def add_stock_item(
        self, venue_id: str, *, name: str, quantity: str, unit: str, low_below: str, category: str
    ) -> StockItem:
        """Adds something to the inventory; quantities are decimal strings."""
        item = StockItem(id="", name=name, quantity=quantity, unit=unit, low_below=low_below, category=category)
        async with self.at(venue_id, HasStock, Capability.ADD_STOCK_ITEM) as pos:
            return await pos.add_stock_item(item)

    async def set_stock(self, venue_id: str, item_id: str, quantity: str) -> None:
        """Sets what is there of something; `quantity` is a decimal string."""
        async with self.at(venue_id, HasStock, Capability.SET_STOCK) as pos:
            await pos.set_stock(item_id, quantity=quantity)

    async def sales_report(self, venue_id: str, period: str, on: date | None) -> SalesReport:
        """What was sold in the period (`daily`, `weekly`, `monthly`) around a day."""
        async with self.at(venue_id, HasReports, Capability.FETCH_SALES_REPORT) as pos:
            return await pos.fetch_sales_report(period, on)

    async def item_report(self, venue_id: str, period: str, on: date | None) -> Sequence[ItemSales]:
        """What sold best in the period."""
        async with self.at(venue_id, HasReports, Capability.FETCH_ITEM_REPORT) as pos:
            return await pos.fetch_item_report(period, on)

    async def payment_state(self, order: Order) -> PaymentState:
        """What the POS has as paid of an order; of one that is several orders there, the sum."""
        refs = await self._order_refs(order)
        async with self.at(order.venue_id, HasPayments, Capability.FETCH_PAYMENT_STATE, order_id=order.id) as pos:
            states = [await pos.fetch_payment_state(ref.id) for ref in refs]
        return PaymentState(
            raw_status=", ".join(dict.fromkeys(state.raw_status for state in states)),
            paid_cents=_sum(state.paid_cents for state in states),
            due_cents=_sum(state.due_cents for state in states),
        )

    async def print_bill(self, order: Order, kind: str) -> None:
        """Prints the guest's `bill` or `invoice` at the POS."""
        refs = await self._order_refs(order)
        async with self.at(order.venue_id, HasKitchen, Capability.PRINT_BILL, order_id=order.id) as pos:
            for ref in refs:
                await pos.print_bill(ref.id, BillKind(kind))

    async def print_tickets(self, order: Order) -> int:
        """Prints the kitchen's tickets of an order once more; returns how many there are."""
        tickets = await self._refs(order, "ticket")
        if not tickets:
            raise InvalidRequest("the POS has no kitchen ticket of this order", code="NOT_AT_POS")
        async with self.at(order.venue_id, HasKitchen, Capability.PRINT_TICKET, order_id=order.id) as pos:
            for ticket in tickets:
                await pos.print_ticket(ticket.id, again=True)
        return len(tickets)

    async def _order_refs(self, order: Order) -> list[VendorRef]:
        refs = await self._refs(order, "order")
        if not refs:
            raise InvalidRequest("the POS does not have this order yet", code="NOT_AT_POS")
        return refs

    async def _refs(self, order: Order, kind: str) -> list[VendorRef]:
        link = self._link(order.venue_id)
        return await self._database.read(lambda connection: load_order_refs(connection, link.id, order.id, kind))

    def _link(self, venue_id: str) -> Link:
        link = self._directory.link_of(venue_id)
        if link is None:
            raise _no_pos()
        if link.paused_cause:
            cause = causes.CAUSES.get(link.paused_cause)
            raise Unavailable(
                f"the link to this store's POS is paused: {link.paused_cause if cause is None else cause.title}",
                retry_after_seconds=_PAUSED_SECONDS,
                code=link.paused_cause,
            )
        return link

    def _connector(self, venue_id: str) -> PosConnector:
        link = self._link(venue_id)
        try:
            return self._connections.pos(link.id)
        except ConfigurationError as problem:
            raise Unavailable(
                "the link to this store's POS is not set up right; the operator finds out with `openpos-hub doctor`",
                retry_after_seconds=_PAUSED_SECONDS,
                code=causes.LINK_MISCONFIGURED,
            ) from problem


def for_the_caller(problem: ConnectorError) -> HubError:
    """A vendor's failure as an error of the API; the vendor's own words are kept where it gave some."""
    match problem:
        case UnsupportedByVendor():
            return InvalidRequest(problem.message, code="NOT_SUPPORTED_BY_POS")
        case VendorRejected():
            return InvalidRequest(problem.message, field=problem.field, code=causes.POS_REJECTED)
        case UnmappedValue():
            return InvalidRequest(problem.message, field=problem.field, code=causes.VALUE_NOT_MAPPED)
        case OutcomeUnknown():
            return Conflict(
                f"{problem.message}; it may have happened: look at the POS before you repeat it",
                code=causes.OUTCOME_UNKNOWN,
            )
        case VendorRateLimited():
            wait = max(int(problem.retry_after_seconds) + 1, 1)
            return Unavailable(problem.message, retry_after_seconds=wait, code=causes.POS_RATE_LIMITED)
        case VendorAuthFailed():
            return Unavailable(problem.message, retry_after_seconds=_PAUSED_SECONDS, code=causes.POS_AUTH_FAILED)
        case VendorMalformed():
            return Unavailable(problem.message, retry_after_seconds=_AWAY_SECONDS, code=causes.POS_ANSWER_MALFORMED)
    return Unavailable(problem.message, retry_after_seconds=_AWAY_SECONDS, code=causes.POS_UNREACHABLE)


def _sum(amounts: Iterable[int | None]) -> int | None:
    known = list(amounts)
    return None if None in known else sum(cents for cents in known if cents is not None)


def _not_supported(ability: Capability) -> InvalidRequest:
    return InvalidRequest(f"this store's POS offers no {ability.value}", code="NOT_SUPPORTED_BY_POS")


def _no_pos() -> InvalidRequest:
    return InvalidRequest("this store has no POS", code="NOT_SUPPORTED_BY_POS")

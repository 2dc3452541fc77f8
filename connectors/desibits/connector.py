"""The Desibits connector: puts client and translation together for one link."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from connectors.desibits.client import DesibitsClient, Listing
from connectors.desibits.customers import Customers
from connectors.desibits.discounts import coupon_from_desibits, discount_body, discount_to_desibits, shows_discount
from connectors.desibits.fields import as_id, mapping
from connectors.desibits.kitchen import KitchenDoor
from connectors.desibits.orders import Orders
from connectors.desibits.payments import find_payments, payment_state, payment_to_desibits
from connectors.desibits.places import (
    driver_from_desibits,
    kitchen_from_desibits,
    platform_from_desibits,
    printer_from_desibits,
)
from connectors.desibits.read_order import is_cancelled
from connectors.desibits.settings import CONNECTOR, read_settings
from connectors.desibits.stages import Stages
from connectors.desibits.submission import Submission
from connectors.desibits.tables import table_from_desibits
from connectors.desibits.venue_codes import VenueCodes
from connectors.desibits.wire import DiscountBody
from hub.contract.base import PosConnector, VendorCode
from hub.contract.connector import LinkContext, ProbeStep
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
    HasTables,
    Kitchen,
    PaymentState,
    PosCustomer,
    PosPaymentMethod,
    Printer,
    TicketState,
)
from hub.contract.writes import LookUp, Operation, OrderWrite, Replay, Verdict, WriteResult, write
from hub.errors import ConnectorError, UnsupportedByVendor, VendorRejected
from hub.model.change import DiscountChange, DriverChange, LinesChange, PaymentChange, StageChange
from hub.model.check import Totals
from hub.model.money import to_decimal
from hub.model.order import Customer, Loss, PosOrder, VendorRef
from hub.model.status import OrderType, Status
from hub.model.table import Table, TableStatus

_Change = TypeVar("_Change")
_NO_REASON = "Cancelled"


class DesibitsConnector(PosConnector, HasTables, HasKitchen, HasPayments, HasDiscounts, HasCustomers, HasDelivery):
    """Desibits at one restaurant. Menu and sold-out items it does not offer: the hub keeps them."""

    submission = (Operation.SUBMIT_ORDER, Operation.SEND_TO_KITCHEN)
    opens_empty_orders = True

    def __init__(self, context: LinkContext) -> None:
        super().__init__(context)
        self._settings = read_settings(context.config)
        self._client = DesibitsClient(context, self._settings)
        self._codes = VenueCodes(context, self._client, self._settings)
        self._orders = Orders(context, self._client, self._codes)
        self._submission = Submission(context, self._client, self._settings, self._codes, self._orders)
        self._kitchen = KitchenDoor(context, self._client, self._settings, self._orders)
        self._stages = Stages(context, self._client, self._settings)
        self._customers = Customers(context, self._client)

    async def probe(self) -> Sequence[ProbeStep]:
        """Reads order types, tables, payment methods, kitchens and today's orders."""
        steps = [await self._probe_order_types()]
        if not steps[0].ok:
            return steps
        for name, fetch in (
            ("tables", self._client.fetch_tables),
            ("payment methods", self._client.fetch_payment_methods),
            ("kitchens", self._client.fetch_kitchens),
        ):
            steps.append(await _probe(name, fetch))
        now_ms = self.context.clock.now_ms()
        return [*steps, await _probe("orders", lambda: self.list_orders(since_ms=now_ms))]

    @write(Replay.TWO_PHASE, look_up="find_order")
    async def submit_order(self, request: OrderWrite) -> WriteResult:
        """Creates the order as a draft, which no kitchen sees."""
        return await self._submission.submit(request)

    async def find_order(self, request: OrderWrite, *, since_ms: int) -> LookUp:
        """Looks for our mark in the orders since then; of several the one that is furthest, the others beside it."""
        table_id = await self._submission.table_id(request)
        return await self._orders.find(request, since_ms=since_ms, table_id=table_id)

    async def fetch_order(self, ref: VendorRef) -> PosOrder:
        """Reads one order back."""
        return await self._orders.read(await self._client.fetch_order(ref.id))

    async def list_orders(self, *, since_ms: int) -> Sequence[PosOrder]:
        """The orders since then, but for those of which a list does not say how far the kitchen is."""
        return await self._orders.list_all(since_ms=since_ms)

    @write(Replay.SEARCHABLE, look_up="find_in_kitchen")
    async def send_to_kitchen(self, request: OrderWrite) -> WriteResult:
        """Generates the kitchen ticket; where the hub prints, only moves the order on. An empty tab stays a draft."""
        ref = _ref(request, "send_to_kitchen")
        if not any(check.lines for check in request.order.checks if check.status is not Status.VOID):
            return WriteResult(ref=ref)
        row = await self._client.fetch_order(ref.id)
        losses = () if is_cancelled(row, self.context.tables) else await self._submission.complete_notes(request, row)
        return _with(await self._kitchen.send(request, ref, row), losses)

    async def find_in_kitchen(self, request: OrderWrite, *, since_ms: int) -> LookUp:
        """Whether the order is beyond a draft."""
        return await self._kitchen.find(_ref(request, "find_in_kitchen"))

    @write(Replay.SEARCHABLE, look_up="find_round")
    async def add_lines(self, request: OrderWrite) -> WriteResult:
        """Adds a round to the order and generates its ticket."""
        return await self._kitchen.add_round(request, _ref(request, "add_lines"), _change(request, LinesChange))

    async def find_round(self, request: OrderWrite, *, since_ms: int) -> LookUp:
        """Whether the round is on the order and in the kitchen."""
        return await self._kitchen.find_round(request, _ref(request, "find_round"))

    @write(Replay.REPEATABLE)
    async def set_stage(self, request: OrderWrite) -> WriteResult:
        """Moves the order's tickets, status or delivery to a stage."""
        stage = _change(request, StageChange).stage
        return await self._stages.set(request, _ref(request, "set_stage"), stage)

    @write(Replay.REPEATABLE)
    async def cancel_order(self, request: OrderWrite) -> WriteResult:
        """Cancels the order with its reason. Raises `VendorRejected` when Desibits does not let it."""
        ref = _ref(request, "cancel_order")
        try:
            await self._client.cancel_order(ref.id, request.reason or _NO_REASON)
        except VendorRejected:
            if not is_cancelled(await self._client.fetch_order(ref.id), self.context.tables):
                raise
        return WriteResult(ref=ref)

    async def fetch_codes(self) -> Sequence[VendorCode]:
        """Order types, tables, payment methods, kitchens, printers and delivery platforms."""
        return await self._codes.fetch_all()

    async def fetch_item_ids(self) -> Sequence[str]:
        """The menu items that a kitchen makes: the only ones Desibits lists."""
        kitchens = await self.fetch_kitchens()
        return tuple(dict.fromkeys(item_id for kitchen in kitchens for item_id in kitchen.item_ids))

    async def fetch_tables(self) -> Sequence[Table]:
        """All tables."""
        return await self._codes.tables()

    async def fetch_table(self, table_id: str) -> Table:
        """One table."""
        return table_from_desibits(await self._client.fetch_table(table_id), self.context.tables)

    async def set_table_status(self, table_id: str, status: TableStatus) -> None:
        """Marks a table."""
        await self._client.set_table_status(table_id, self.context.tables.to_vendor("table_status", status.value))

    async def fetch_kitchens(self) -> Sequence[Kitchen]:
        """The kitchens with the ids of their menu items."""
        return tuple(kitchen_from_desibits(row) for row in (await self._client.fetch_kitchens()).rows)

    async def set_ticket_state(self, ticket_id: str, state: TicketState) -> None:
        """Moves one kitchen ticket on."""
        await self._stages.set_ticket(ticket_id, state)

    async def print_ticket(self, ticket_id: str, *, again: bool) -> None:
        """Prints a kitchen ticket, or prints it again."""
        await self._client.print_ticket(ticket_id, again=again)

    async def print_bill(self, order_id: str, kind: BillKind) -> None:
        """Prints the bill or the invoice of an order."""
        await self._client.print_bill(order_id, invoice=kind is BillKind.INVOICE)

    async def fetch_printers(self) -> Sequence[Printer]:
        """The restaurant's printers."""
        return tuple(printer_from_desibits(row) for row in (await self._client.fetch_printers()).rows)

    @write(Replay.SEARCHABLE, look_up="find_payment")
    async def record_payment(self, request: OrderWrite) -> WriteResult:
        """Records one payment, or several as a split of the bill."""
        ref, change = _ref(request, "record_payment"), _change(request, PaymentChange)
        bodies = [
            payment_to_desibits(payment, await self._codes.payment_code(payment), self.context.currency)
            for payment in change.payments
        ]
        if len(bodies) == 1:
            await self._client.create_payment(ref.id, bodies[0])
        else:
            await self._client.split_payment(ref.id, {"payments": bodies})
        return WriteResult(ref=ref)

    async def find_payment(self, request: OrderWrite, *, since_ms: int) -> LookUp:
        """Whether the order shows our transaction ids; where it shows none, a person decides."""
        ref = _ref(request, "find_payment")
        row = await self._client.fetch_order(ref.id)
        return LookUp(verdict=find_payments(row, _change(request, PaymentChange).payments), ref=ref)

    async def fetch_payment_methods(self) -> Sequence[PosPaymentMethod]:
        """The restaurant's payment methods."""
        return await self._codes.payment_methods()

    async def fetch_payment_state(self, order_id: str) -> PaymentState:
        """What is paid of an order and what is left."""
        return payment_state(await self._client.fetch_payment_status(order_id), self.context.currency)

    @write(Replay.SEARCHABLE, look_up="find_discount")
    async def apply_discount(self, request: OrderWrite) -> WriteResult:
        """Gives the order a discount."""
        ref, losses = _ref(request, "apply_discount"), list[Loss]()
        await self._client.apply_discount(ref.id, self._discount(request, losses))
        return WriteResult(ref=ref, losses=tuple(losses))

    async def find_discount(self, request: OrderWrite, *, since_ms: int) -> LookUp:
        """Whether the order shows this discount; where it shows none at all, a person decides."""
        ref = _ref(request, "find_discount")
        there = shows_discount(await self._client.fetch_order(ref.id), self._discount(request, []))
        if there is None:
            raise UnsupportedByVendor("the order does not show its discount", connector=CONNECTOR)
        return LookUp(verdict=Verdict.FOUND if there else Verdict.ABSENT, ref=ref)

    async def fetch_coupons(self) -> Sequence[Coupon]:
        """The coupons that are active."""
        return tuple(coupon_from_desibits(row) for row in (await self._client.fetch_coupons()).rows)

    async def validate_coupon(self, code: str, *, total_cents: int) -> Coupon:
        """Whether a coupon may be used; a refusal is an answer."""
        total = to_decimal(total_cents, self.context.currency)
        try:
            row = await self._client.validate_coupon({"code": code, "order_total": total})
        except VendorRejected as refused:
            return Coupon(code=code, valid=False, detail=refused.reason or refused.message)
        return coupon_from_desibits({"code": code, **row, **mapping(row.get("coupon"))})

    async def search_customers(self, query: str) -> Sequence[PosCustomer]:
        """Guests by name, phone or email."""
        return await self._customers.search(query)

    async def fetch_customer(self, customer_id: str) -> PosCustomer:
        """One guest."""
        return await self._customers.fetch(customer_id)

    async def create_customer(self, customer: Customer) -> PosCustomer:
        """Adds a guest."""
        return await self._customers.create(customer)

    @write(Replay.REPEATABLE)
    async def assign_driver(self, request: OrderWrite) -> WriteResult:
        """Gives the order to a driver, where the link sends deliveries."""
        ref, change = _ref(request, "assign_driver"), _change(request, DriverChange)
        if not self._settings.send_delivery:
            raise UnsupportedByVendor(
                "the link does not send deliveries; Desibits does not document how, try the link's send_delivery",
                connector=CONNECTOR,
            )
        await self._client.assign_driver(ref.id, as_id(change.driver_id))
        return WriteResult(ref=ref)

    async def fetch_drivers(self) -> Sequence[Driver]:
        """The restaurant's drivers."""
        return tuple(driver_from_desibits(row) for row in (await self._client.fetch_drivers()).rows)

    async def fetch_delivery_platforms(self) -> Sequence[DeliveryPlatform]:
        """The delivery platforms the restaurant works with."""
        return tuple(platform_from_desibits(row) for row in (await self._client.fetch_delivery_platforms()).rows)

    def _discount(self, request: OrderWrite, losses: list[Loss]) -> DiscountBody:
        change = _change(request, DiscountChange)
        check = next((one for one in request.order.checks if one.id == change.check_id), None)
        subtotal = 0 if check is None else check.totals.subtotal_cents
        totals = Totals(subtotal_cents=subtotal, discount_cents=change.discount.cents)
        # A bill that stands cannot have its prices changed, so "fold" goes as a percentage.
        mode = "percent" if self._settings.amount_discount == "fold" else self._settings.amount_discount
        fields = discount_to_desibits(
            [change.discount], totals, self.context.currency, mode, self.context.tables, losses
        )
        word = self.context.tables.to_vendor("discount_type", "percent")
        return discount_body(fields or (word, 0), change.coupon)

    async def _probe_order_types(self) -> ProbeStep:
        try:
            rows = (await self._client.fetch_order_types()).rows
        except ConnectorError as problem:
            return ProbeStep(name="order types", ok=False, detail=problem.message)
        chosen = {*self._codes.choose_order_types(rows).values(), *self._settings.order_types}
        missing = [str(one) for one in OrderType if one not in chosen]
        detail = f"none for {', '.join(missing)}" if missing else ""
        return ProbeStep(name="order types", ok=len(missing) < len(OrderType), detail=detail)


async def _probe(name: str, fetch: Callable[[], Awaitable[Listing | Sequence[PosOrder]]]) -> ProbeStep:
    try:
        await fetch()
    except ConnectorError as problem:
        return ProbeStep(name=name, ok=False, detail=problem.message)
    return ProbeStep(name=name, ok=True)


def _ref(request: OrderWrite, operation: str) -> VendorRef:
    if request.ref is None:
        raise VendorRejected(f"{operation}: Desibits has given this order no id yet", connector=CONNECTOR)
    return request.ref


def _change(request: OrderWrite, kind: type[_Change]) -> _Change:
    if not isinstance(request.change, kind):
        raise TypeError(f"this write needs a {kind.__name__}, not {type(request.change).__name__}")
    return request.change


def _with(result: WriteResult, losses: Sequence[Loss]) -> WriteResult:
    return WriteResult(
        ref=result.ref, further_refs=result.further_refs, order=result.order, losses=(*losses, *result.losses)
    )

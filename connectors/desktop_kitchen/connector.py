"""The Desktop Kitchen connector: puts client, menu, orders and payments together for one link."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from msgspec import structs

from connectors.desktop_kitchen.availability import set_active
from connectors.desktop_kitchen.catalogue import (
    item_from_desktop_kitchen,
    item_to_desktop_kitchen,
    menu_from_desktop_kitchen,
)
from connectors.desktop_kitchen.client import DesktopKitchenClient
from connectors.desktop_kitchen.customers import customers_from_desktop_kitchen
from connectors.desktop_kitchen.look_up import OrderLists
from connectors.desktop_kitchen.notes import CONNECTOR
from connectors.desktop_kitchen.payments import Payments
from connectors.desktop_kitchen.platforms import platforms_from_desktop_kitchen
from connectors.desktop_kitchen.probe import probe_link
from connectors.desktop_kitchen.read_order import ReadSetup, order_from_desktop_kitchen
from connectors.desktop_kitchen.reports import PERIODS, item_sales_from_desktop_kitchen, sales_from_desktop_kitchen
from connectors.desktop_kitchen.rounds import order_ids, order_ref, round_code
from connectors.desktop_kitchen.settings import read_settings
from connectors.desktop_kitchen.stages import move_order
from connectors.desktop_kitchen.stock import (
    quantity_to_desktop_kitchen,
    stock_from_desktop_kitchen,
    stock_item_from_desktop_kitchen,
    stock_item_to_desktop_kitchen,
)
from connectors.desktop_kitchen.translate import (
    Translated,
    compare,
    lost,
    order_to_desktop_kitchen,
    round_to_desktop_kitchen,
)
from connectors.desktop_kitchen.values import read_id
from connectors.desktop_kitchen.wire import Row
from hub.contract.amounts import find_readable
from hub.contract.base import PosConnector, VendorCode
from hub.contract.connector import LinkContext, ProbeStep
from hub.contract.families import (
    DeliveryPlatform,
    HasAvailability,
    HasCustomers,
    HasDelivery,
    HasMenuEditing,
    HasPayments,
    HasReports,
    HasStock,
    ItemSales,
    PaymentState,
    PosCustomer,
    PosPaymentMethod,
    SalesReport,
    StockItem,
)
from hub.contract.retry import read_patiently
from hub.contract.writes import LookUp, OrderWrite, Replay, WriteResult, write
from hub.errors import ConnectorError, OutcomeUnknown, UnmappedValue, VendorMalformed, VendorRejected
from hub.model.change import LinesChange, StageChange
from hub.model.menu import Item, Menu
from hub.model.order import Loss, PosOrder, VendorRef
from hub.model.status import Stage

_NOT_AT_THE_POS = frozenset({Stage.OUT_FOR_DELIVERY, Stage.SERVED})
_CANCELLED = frozenset({Stage.CANCELLED, Stage.REJECTED})


class DesktopKitchenConnector(
    PosConnector,
    HasAvailability,
    HasMenuEditing,
    HasPayments,
    HasCustomers,
    HasDelivery,
    HasStock,
    HasReports,
):
    """Desktop Kitchen at one restaurant."""

    def __init__(self, context: LinkContext) -> None:
        super().__init__(context)
        self._settings = read_settings(context.config)
        self._client = DesktopKitchenClient(context, self._settings)
        self._setup = ReadSetup(link_id=context.link.id, currency=context.currency, tables=context.tables)
        self._lists = OrderLists(self._client, self._setup)
        self._payments = Payments(context, self._client, self._settings)

    async def probe(self) -> Sequence[ProbeStep]:
        """Logs in, then reads employees, the menu and the kitchen's orders."""
        return await probe_link(self._client, self._settings)

    @write(Replay.KEYED, look_up="find_order", one_at_a_time=True)
    async def submit_order(self, request: OrderWrite) -> WriteResult:
        """Sends the order; it waits as pending until the restaurant, or `confirm_on_arrival`, takes it."""
        employee_id = await self._client.session.employee_id()
        translated = order_to_desktop_kitchen(request, employee_id=employee_id)
        ref, told, losses = await self._create(translated)
        if self._settings.confirm_on_arrival:
            losses += await self._confirm(ref)
        return WriteResult(ref=ref, order=told, losses=losses)

    @write(Replay.KEYED, look_up="find_round", one_at_a_time=True)
    async def add_lines(self, request: OrderWrite) -> WriteResult:
        """Sends a further round as an order of its own: Desktop Kitchen's orders cannot be changed."""
        change = request.change
        if not isinstance(change, LinesChange):
            raise VendorRejected("add_lines: no lines to add", connector=CONNECTOR)
        ref, employee_id = order_ref(request), await self._client.session.employee_id()
        translated = round_to_desktop_kitchen(
            request, change.lines, round_code=round_code(request), employee_id=employee_id
        )
        further, _, losses = await self._create(translated)
        if self._settings.confirm_on_arrival:
            losses += await self._confirm(further)
        return WriteResult(ref=ref, further_refs=(further,), losses=losses)

    async def fetch_order(self, ref: VendorRef) -> PosOrder:
        """Reads one order back; one that was made a moment ago is asked for twice."""
        return self._order(await self._client.fetch_order(ref.id))

    async def find_order(self, request: OrderWrite, *, since_ms: int) -> LookUp:
        """Looks for our mark in the kitchen's orders, then in those that have left it since."""
        return await self._lists.find(request.mark, "", since_ms=since_ms)

    async def find_round(self, request: OrderWrite, *, since_ms: int) -> LookUp:
        """Looks for one round of `add_lines`; its id is one more of the order's."""
        found = await self._lists.find(request.mark, round_code(request), since_ms=since_ms)
        return structs.replace(found, order=None)  # its total is not that of the whole order

    async def list_orders(self, *, since_ms: int) -> Sequence[PosOrder]:
        """All orders since then, as summaries; beyond the list's hundred newest, those the kitchen still works on."""
        return await self._lists.all_since(since_ms)

    @write(Replay.REPEATABLE)
    async def set_stage(self, request: OrderWrite) -> WriteResult:
        """Moves the order, and its rounds, forward; a stage it has passed already counts as success."""
        ref, change = order_ref(request), request.change
        if not isinstance(change, StageChange):
            raise VendorRejected("set_stage: no stage to move to", connector=CONNECTOR)
        if change.stage in _NOT_AT_THE_POS:
            loss = lost("stage", f"Desktop Kitchen has no status for {change.stage}; the hub alone knows")
            return WriteResult(ref=ref, losses=(loss,))
        if change.stage is Stage.RECEIVED:
            return WriteResult(ref=ref)
        stage = Stage.CANCELLED if change.stage in _CANCELLED else change.stage
        await self._move(request, stage)
        return WriteResult(ref=ref)

    @write(Replay.REPEATABLE)
    async def cancel_order(self, request: OrderWrite) -> WriteResult:
        """Cancels the order and its rounds; possible until it is completed. The reason stays in the hub."""
        ref = order_ref(request)
        await self._move(request, Stage.CANCELLED)
        losses = (lost("reason", "Desktop Kitchen keeps no reason for a cancellation"),) if request.reason else ()
        return WriteResult(ref=ref, losses=losses)

    @write(Replay.SEARCHABLE, look_up="find_payment")
    async def record_payment(self, request: OrderWrite) -> WriteResult:
        """Marks the order as paid once its payments cover it."""
        return await self._payments.record(request)

    async def find_payment(self, request: OrderWrite, *, since_ms: int) -> LookUp:
        """Whether the POS shows the order as paid by the method of these payments."""
        return await self._payments.find(request)

    @write(Replay.ONCE)
    async def refund_payment(self, request: OrderWrite) -> WriteResult:
        """Gives an amount back; nothing at the POS would tell one refund from the same one made twice."""
        return await self._payments.refund(request)

    async def fetch_payment_methods(self) -> Sequence[PosPaymentMethod]:
        """Cash, card and transfer; asks the POS nothing."""
        return self._payments.methods()

    async def fetch_payment_state(self, order_id: str) -> PaymentState:
        """What is paid of an order of the POS."""
        return await self._payments.state(order_id)

    async def fetch_menu(self) -> Menu:
        """The whole menu. Which groups an item has is asked item by item, and only where there are any groups."""
        categories, items = await self._client.fetch_categories(), await self._client.fetch_items()
        groups: dict[str, Sequence[Row]] = {}
        if await self._client.fetch_groups():
            for vendor_id in filter(None, (read_id(row.get("id")) for row in items)):
                groups[vendor_id] = await self._item_groups(vendor_id)
        context = self.context
        return menu_from_desktop_kitchen(categories, items, groups, link_id=context.link.id, currency=context.currency)

    async def save_menu_item(self, item: Item) -> Item:
        """Adds an item to one of the POS's categories, or changes the one whose id `item.vendor` names."""
        context = self.context
        categories = await self._client.fetch_categories()
        body = item_to_desktop_kitchen(item, categories, link_id=context.link.id, currency=context.currency)
        vendor_id = read_id(item.vendor.get("id"))
        row: Mapping[str, object] = body
        if vendor_id is None:
            created = await self._client.create_item(body)
            vendor_id = read_id(created.get("id"))
            if vendor_id is None:
                raise OutcomeUnknown("create_item: the POS named no id", connector=CONNECTOR, operation="create_item")
            row = {**body, **created}
        else:
            await self._client.update_item(vendor_id, body)
        groups = {vendor_id: await self._client.fetch_item_groups(vendor_id)}
        saved = item_from_desktop_kitchen(
            {**row, "id": vendor_id, "active": item.available},
            groups,
            link_id=context.link.id,
            currency=context.currency,
        )
        if saved is None:
            raise VendorMalformed("save_menu_item: no readable price in the answer", connector=CONNECTOR)
        return saved

    async def set_item_availability(self, item: Item, *, available: bool) -> None:
        """Switches an item on or off, as the POS can only flip it: read, flip, read again."""
        vendor_id = read_id(item.vendor.get("id"))
        if vendor_id is None:
            raise UnmappedValue(f"{item.name!r} is not in the menu synced from Desktop Kitchen", connector=CONNECTOR)
        await set_active(self._client, vendor_id, active=available)

    async def fetch_codes(self) -> Sequence[VendorCode]:
        """The employees, for the setting `employee_id`."""
        return [
            VendorCode(
                table="employee",
                id=str(row.get("id")),
                name=str(row.get("name") or ""),
                detail=str(row.get("role") or "") + ("" if row.get("active") not in (False, 0) else ", inactive"),
            )
            for row in await self._client.fetch_employees()
        ]

    async def search_customers(self, query: str) -> Sequence[PosCustomer]:
        """Guests of the loyalty programme; the employee's role must have `manage_loyalty`."""
        return customers_from_desktop_kitchen(await self._client.fetch_customers(query))

    async def fetch_delivery_platforms(self) -> Sequence[DeliveryPlatform]:
        """The delivery platforms the restaurant works with."""
        return platforms_from_desktop_kitchen(await self._client.fetch_platforms())

    async def fetch_stock(self) -> Sequence[StockItem]:
        """The inventory."""
        return stock_from_desktop_kitchen(await self._client.fetch_stock())

    async def add_stock_item(self, item: StockItem) -> StockItem:
        """Adds an item to the inventory; the employee's role must have `manage_inventory`."""
        row = await self._client.create_stock_item(stock_item_to_desktop_kitchen(item))
        added = stock_item_from_desktop_kitchen({**stock_item_to_desktop_kitchen(item), **row})
        if added is None:
            raise OutcomeUnknown("add_stock_item: the POS named no id", connector=CONNECTOR)
        return added

    async def set_stock(self, item_id: str, *, quantity: str) -> None:
        """Sets what is there of an item; the employee's role must have `manage_inventory`."""
        await self._client.set_stock(item_id, quantity_to_desktop_kitchen(quantity, "quantity"))

    async def fetch_sales_report(self, period: str, on: date | None = None) -> SalesReport:
        """The sales of the current period; the POS reports no earlier ones."""
        self._refuse_other_periods("fetch_sales_report", period, on)
        return sales_from_desktop_kitchen(await self._client.fetch_sales(period), period, self.context.currency)

    async def fetch_item_report(self, period: str, on: date | None = None) -> Sequence[ItemSales]:
        """What sold best in the current period; the POS reports no earlier ones."""
        self._refuse_other_periods("fetch_item_report", period, on)
        return item_sales_from_desktop_kitchen(await self._client.fetch_item_sales(period), self.context.currency)

    async def _create(self, translated: Translated) -> tuple[VendorRef, PosOrder | None, tuple[Loss, ...]]:
        """The order is there: an amount in the answer that cannot be is only one that the POS has not told."""
        row = await self._client.create_order(translated.body)
        order_id = read_id(row.get("id"))
        if order_id is None:
            raise OutcomeUnknown(
                "create_order: the POS took the order and named no id", connector=CONNECTOR, operation="create_order"
            )
        told = find_readable(lambda: self._order(row), order_id)
        losses = (*translated.losses, *compare(translated, row, self.context.currency))
        return VendorRef(kind="order", id=order_id), told, losses

    async def _confirm(self, ref: VendorRef) -> tuple[Loss, ...]:
        """Confirms an order that has arrived. It is in the kitchen either way, so a failure must not undo that."""
        word = self.context.tables.to_vendor("order_status", Stage.ACCEPTED.value)
        try:
            await move_order(self._client, self.context.tables, ref.id, word)
        except ConnectorError as problem:
            return (lost("stage", f"the order arrived and could not be confirmed: {problem.message}"),)
        return ()

    async def _move(self, request: OrderWrite, stage: Stage) -> None:
        word = self.context.tables.to_vendor("order_status", stage.value)
        for order_id in order_ids(request):
            await move_order(self._client, self.context.tables, order_id, word)

    async def _item_groups(self, vendor_id: str) -> Sequence[Row]:
        return await read_patiently(lambda: self._client.fetch_item_groups(vendor_id))

    def _order(self, row: Row) -> PosOrder:
        return order_from_desktop_kitchen(row, self._setup)

    def _refuse_other_periods(self, operation: str, period: str, on: date | None) -> None:
        today = datetime.fromtimestamp(self.context.clock.now_ms() // 1000, ZoneInfo(self.context.timezone)).date()
        if period not in PERIODS or on not in (None, today):
            raise self.unsupported(f"{operation} for {period} of {on}")

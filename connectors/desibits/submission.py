"""Creates an order's draft at Desibits, reads it back, and completes its notes."""

from connectors.desibits.client import DesibitsClient
from connectors.desibits.customers import Customers
from connectors.desibits.fields import as_id
from connectors.desibits.lines import lost
from connectors.desibits.mark import order_notes as notes_shown
from connectors.desibits.mark import shows_notes
from connectors.desibits.orders import Orders
from connectors.desibits.read_order import order_id
from connectors.desibits.settings import CONNECTOR, DesibitsSettings
from connectors.desibits.translate import OrderSetup, Translated, compare_items, order_to_desibits
from connectors.desibits.venue_codes import VenueCodes
from connectors.desibits.wire import Row
from hub.contract.connector import LinkContext
from hub.contract.writes import OrderWrite, WriteResult
from hub.errors import ConnectorError, OutcomeUnknown, UnmappedValue
from hub.model.order import Loss, LossKind, VendorRef


class Submission:
    """Submits orders over one link."""

    def __init__(
        self,
        context: LinkContext,
        client: DesibitsClient,
        settings: DesibitsSettings,
        codes: VenueCodes,
        orders: Orders,
    ) -> None:
        self._context = context
        self._client = client
        self._settings = settings
        self._codes = codes
        self._orders = orders
        self._customers = Customers(context, client)

    async def submit(self, request: OrderWrite) -> WriteResult:
        """Creates the draft. What follows the answer cannot fail it: the order is there then.

        The answer's total is not trusted (the page's own example leaves its discount out), so the order is read.
        """
        translated = await self.translate(request)
        answer = await self._client.create_order(translated.body)
        vendor_id = order_id(answer)
        if not vendor_id:
            raise OutcomeUnknown(
                "create_order: Desibits took the order and named no id", connector=CONNECTOR, operation="create_order"
            )
        ref = VendorRef(kind="order", id=vendor_id)
        losses = list(translated.losses)
        try:
            row = await self._client.fetch_order(vendor_id)
        except ConnectorError as problem:
            words = f"the order could not be read back, so total and items are not compared: {problem.message}"
            return WriteResult(ref=ref, losses=(*losses, lost("totals.total_cents", words, LossKind.LOST)))
        losses += compare_items(translated.body["items"], row)
        losses += await self.complete_notes(request, row, translated)
        return WriteResult(ref=ref, order=await self._orders.read_if_possible(row), losses=tuple(losses))

    async def translate(self, request: OrderWrite) -> Translated:
        """The body for an order, with the restaurant's ids for type, table and guest.

        Raises `UnmappedValue` for an order type, an item or, when a tab is opened, a table that Desibits has not.
        """
        order = request.order
        order_type_id = as_id(await self._codes.order_type_id(order.order_type))
        table_id = await self.table_id(request)
        if not table_id and order.tables and not any(check.lines for check in order.checks):
            raise UnmappedValue(
                f"Desibits has no table {order.tables[0]!r} to open a tab on", connector=CONNECTOR, field="tables"
            )
        guest = await self._customers.find_or_create(order.customer)
        setup = OrderSetup(
            tables=self._context.tables,
            order_type_id=order_type_id,
            table_id=as_id(table_id) if table_id else None,
            customer_id=guest.customer_id,
            amount_discount=self._settings.amount_discount,
        )
        translated = order_to_desibits(request, setup)
        return Translated(translated.body, (*guest.losses, *translated.losses))

    async def table_id(self, request: OrderWrite) -> str:
        """The id of the order's first table; empty for an order without one, or one Desibits does not have."""
        tables = request.order.tables
        return (await self._codes.find_table_id(tables[0]) or "") if tables else ""

    async def complete_notes(
        self, request: OrderWrite, row: Row, translated: Translated | None = None
    ) -> tuple[Loss, ...]:
        """Sets the order's notes unless they show our mark: the page names them for updates, not for new orders.

        Without `translated`, some time later, only notes that are shown empty are set: others somebody else wrote.
        """
        if request.mark in notes_shown(row):
            return ()
        if translated is None and (notes_shown(row) or not shows_notes(row)):
            return ()
        translated = translated or await self.translate(request)
        try:
            await self._client.update_order(order_id(row), {"notes": translated.body["notes"]})
        except ConnectorError as problem:
            return (lost("note", f"the notes could not be completed: {problem.message}", LossKind.LOST),)
        return ()

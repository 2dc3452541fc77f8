"""The Clopos connector: puts client, catalogue and translation together for one link."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import structs

from connectors.clopos.catalogue import CatalogueSetup, menu_from_clopos
from connectors.clopos.client import CloposClient, Listing
from connectors.clopos.customers import Customers
from connectors.clopos.dialect import DIALECTS, KEY_RETENTION
from connectors.clopos.read_order import ReadSetup, find_comment, find_order_id, order_from_clopos
from connectors.clopos.rounds import ROUND_LOSS, round_of
from connectors.clopos.settings import read_settings
from connectors.clopos.translate import CONNECTOR, OrderSetup
from connectors.clopos.venue_codes import VenueCodes
from connectors.clopos.wire import Row
from hub.contract.amounts import find_readable
from hub.contract.base import PosConnector, VendorCode
from hub.contract.connector import LinkContext, ProbeStep
from hub.contract.writes import LookUp, Operation, OrderWrite, Replay, Verdict, WriteResult, WriteRule, write
from hub.errors import ConnectorError, OutcomeUnknown, VendorMalformed, VendorRejected
from hub.model.menu import Menu
from hub.model.order import PosOrder, VendorRef
from hub.model.status import OrderType, Stage

_CLOCK_SKEW_MS: Final = 120_000
_ZONES_APART_MS: Final = 14 * 3_600_000  # the furthest a local time can be from UTC
_MOST_SINGLE_READS: Final = 25
_CANNOT_CANCEL = frozenset({Stage.ACCEPTED, Stage.COMPLETED})


class CloposConnector(PosConnector):
    """Clopos at one venue, in the dialect its link names."""

    def __init__(self, context: LinkContext) -> None:
        super().__init__(context)
        self._settings = read_settings(context.config)
        self._dialect = DIALECTS[self._settings.dialect]
        self._client = CloposClient(context, self._settings, self._dialect)
        self._codes = VenueCodes(context, self._client, self._settings)
        self._customers = Customers(context, self._client, self._settings)

    def write_rule(self, operation: Operation) -> WriteRule:
        """The connector's rule, unless this link's dialect promises less."""
        return self._dialect.rules.get(operation) or super().write_rule(operation)

    async def probe(self) -> Sequence[ProbeStep]:
        """Signs in, then reads venues, sale types, products and orders."""
        try:
            await self._client.authenticate()
        except ConnectorError as problem:
            return [ProbeStep(name="credentials", ok=False, detail=problem.message)]
        return [
            ProbeStep(name="credentials", ok=True),
            await self._probe_venue(),
            await self._probe_sale_types(),
            await self._probe_list("products", self._client.probe_products),
            await self._probe_list("orders", self._client.probe_orders),
        ]

    @write(Replay.KEYED, look_up="find_order", key_retention=KEY_RETENTION)
    async def submit_order(self, request: OrderWrite) -> WriteResult:
        """Sends the order to Clopos, which shows it to the clerk."""
        return await self._create(request)

    @write(Replay.KEYED, look_up="find_round", key_retention=KEY_RETENTION)
    async def add_lines(self, request: OrderWrite) -> WriteResult:
        """Sends a further round as an order of its own: Clopos' orders cannot be changed."""
        result = await self._create(round_of(request))
        further = () if result.ref is None else (result.ref,)
        return WriteResult(ref=request.ref, further_refs=further, losses=(ROUND_LOSS, *result.losses))

    async def _create(self, request: OrderWrite) -> WriteResult:
        order = request.order
        found = await self._customers.find_or_create(order.customer)
        needs_phone = found.is_default and self._dialect.needs_phone
        sale_type = await self._codes.sale_type(order.order_type)
        setup = OrderSetup(
            tables=self.context.tables,
            venue_id=self._settings.venue_id,
            venue_name=await self._codes.venue_name() if self._dialect.names_venue else "",
            sale_type=sale_type,
            customer_id=found.customer_id,
            default_phone=await self._customers.phone_of(found.customer_id) if needs_phone else "",
            customer_discount_type=self._settings.customer_discount_type,
            apply_service_charge=self._settings.apply_service_charge,
            full_products=self._settings.order_product == "full",
        )
        translated = self._dialect.order_to_clopos(request, setup)
        row = await self._client.create_order(translated.body, idempotency_key=request.idempotency_key)
        order_id = find_order_id(row)
        if order_id is None:
            raise OutcomeUnknown(
                "create_order: Clopos took the order and named no id", connector=CONNECTOR, operation="create_order"
            )
        reading = self._reading({sale_type.id: order.order_type})
        # The order is there: an amount in the answer that cannot be is only one that Clopos has not told.
        echo = find_readable(lambda: order_from_clopos(row, reading), order_id)
        ref = VendorRef(kind="order", id=order_id)
        return WriteResult(ref=ref, order=echo, losses=(*found.losses, *translated.losses))

    async def fetch_order(self, ref: VendorRef) -> PosOrder:
        """Reads one order back."""
        return await self._order(await self._client.fetch_order(ref.id))

    async def find_order(self, request: OrderWrite, *, since_ms: int) -> LookUp:
        """Looks for our mark in every order since then, whatever its status; a cancelled one is found as well."""
        return await self._find(request.mark, since_ms)

    async def find_round(self, request: OrderWrite, *, since_ms: int) -> LookUp:
        """Looks for the order that one round of `add_lines` became; its id is one more of the hub's order."""
        found = await self._find(round_of(request).mark, since_ms)
        return structs.replace(found, order=None, losses=(ROUND_LOSS,) if found.ref else ())

    async def _find(self, mark: str, since_ms: int) -> LookUp:
        listing = await self._orders_since(since_ms)
        matches: list[Row] = []
        hidden = 0
        for row in listing.rows:
            shown = row
            if find_comment(row) is None:
                # The oldest pages of the documentation list orders without their content.
                hidden += 1
                if hidden > _MOST_SINGLE_READS:
                    return LookUp(verdict=Verdict.AMBIGUOUS)
                shown = await self._client.fetch_order(str(find_order_id(row)))
            if mark in (find_comment(shown) or ""):
                matches.append(shown)
        refs = tuple(VendorRef(kind="order", id=order_id) for row in matches if (order_id := find_order_id(row)))
        if len(matches) == len(refs) == 1:
            reading = self._reading(await self._codes.order_types())
            order = find_readable(lambda: order_from_clopos(matches[0], reading), refs[0].id)
            return LookUp(verdict=Verdict.FOUND, ref=refs[0], order=order)
        if not matches and listing.complete:
            return LookUp(verdict=Verdict.ABSENT)
        return LookUp(verdict=Verdict.AMBIGUOUS, candidates=refs)

    async def list_orders(self, *, since_ms: int) -> Sequence[PosOrder]:
        """All orders since then that can be read; raises `VendorMalformed` when the list cannot be read to its end."""
        listing = await self._orders_since(since_ms)
        if not listing.complete:
            raise VendorMalformed("list_orders: the list cannot be read to its end", connector=CONNECTOR)
        reading = self._reading(await self._codes.order_types())
        recent = [row for row in listing.rows if not _is_older(row, since_ms)]
        found = [find_readable(partial(order_from_clopos, row, reading), str(find_order_id(row))) for row in recent]
        return [order for order in found if order is not None]

    @write(Replay.REPEATABLE)
    async def cancel_order(self, request: OrderWrite) -> WriteResult:
        """Sets the order and its rounds to IGNORE. Raises `VendorRejected` when the clerk has already taken one."""
        if request.ref is None:
            raise VendorRejected("cancel_order: Clopos has given this order no id yet", connector=CONNECTOR)
        rounds = [request.ref, *(ref for ref in request.further_refs if ref.kind == "order")]
        orders = [await self.fetch_order(ref) for ref in rounds]
        for order in orders:
            self._refuse_late_cancellation(order)
        for order in orders:
            await self._ignore(order)
        return WriteResult(ref=request.ref)

    async def _ignore(self, order: PosOrder) -> None:
        if order.stage is Stage.CANCELLED:
            return
        word = self.context.tables.to_vendor("order_status", Stage.CANCELLED.value)
        try:
            await self._client.update_order(order.ref.id, word)
        except VendorRejected:
            order = await self.fetch_order(order.ref)
            self._refuse_late_cancellation(order)
            if order.stage is not Stage.CANCELLED:
                raise

    async def fetch_menu(self) -> Menu:
        """The whole catalogue as a menu, with what is sold out."""
        categories = _whole(await self._client.fetch_categories(), "categories")
        products = _whole(await self._client.fetch_products(), "products")
        stop_list = await self._client.fetch_stop_list()
        setup = CatalogueSetup(
            link_id=self.context.link.id,
            currency=self.context.currency,
            full_products=self._settings.order_product == "full",
        )
        return menu_from_clopos(categories, products, stop_list.rows, setup)

    async def fetch_codes(self) -> Sequence[VendorCode]:
        """Sale types, payment methods, venues, stations and customer groups."""
        return await self._codes.fetch_all()

    async def _order(self, row: Row) -> PosOrder:
        return order_from_clopos(row, self._reading(await self._codes.order_types()))

    def _reading(self, order_types: Mapping[int, OrderType]) -> ReadSetup:
        context = self.context
        return ReadSetup(
            link_id=context.link.id, currency=context.currency, tables=context.tables, order_types=order_types
        )

    async def _orders_since(self, since_ms: int) -> Listing:
        """Orders since then, a little more at both ends because clocks and zones differ.

        Where the dialect takes days, they are those of UTC and of the venue, as Clopos does not say which it means.
        """
        from_ms = since_ms - _CLOCK_SKEW_MS
        until_ms = self.context.clock.now_ms() + _CLOCK_SKEW_MS
        zones = (UTC, ZoneInfo(self.context.timezone))
        first = min(datetime.fromtimestamp(from_ms // 1000, zone).date() for zone in zones)
        last = max(datetime.fromtimestamp(until_ms // 1000, zone).date() for zone in zones)

        def enough(rows: list[Row]) -> bool:
            # Only a list that runs from new to old, as seen so far, may be left before its end.
            times = [_latest_ms(row) for row in rows]
            known = [time for time in times if time is not None]
            falling = len(known) == len(times) > 1 and all(a >= b for a, b in pairwise(known))
            return falling and known[0] > known[-1] and known[-1] < from_ms

        return await self._client.fetch_orders(days=(first.isoformat(), last.isoformat()), enough=enough)

    def _refuse_late_cancellation(self, order: PosOrder) -> None:
        if order.stage in _CANNOT_CANCEL:
            raise VendorRejected(
                f"Clopos order {order.ref.id} is {order.raw_status}: the restaurant has already taken it,"
                " so it can only be cancelled at the POS",
                connector=CONNECTOR,
                operation=Operation.CANCEL_ORDER,
            )

    async def _probe_venue(self) -> ProbeStep:
        try:
            rows = (await self._client.fetch_venues()).rows
        except ConnectorError as problem:
            return ProbeStep(name="venue", ok=False, detail=problem.message)
        venue_id = str(self._settings.venue_id)
        names = [str(row.get("name")) for row in rows if str(row.get("id")) == venue_id]
        detail = names[0] if names else f"Clopos shows these credentials no venue {venue_id}"
        return ProbeStep(name="venue", ok=bool(names), detail=detail)

    async def _probe_sale_types(self) -> ProbeStep:
        try:
            rows = (await self._client.fetch_sale_types()).rows
        except ConnectorError as problem:
            return ProbeStep(name="sale types", ok=False, detail=problem.message)
        missing = [str(one) for one in OrderType if self._codes.choose_sale_type(rows, one) is None]
        detail = f"none for {', '.join(missing)}" if missing else ""
        return ProbeStep(name="sale types", ok=len(missing) < len(OrderType), detail=detail)

    async def _probe_list(self, name: str, read: Callable[[], Awaitable[Listing]]) -> ProbeStep:
        try:
            await read()
        except ConnectorError as problem:
            return ProbeStep(name=name, ok=False, detail=problem.message)
        return ProbeStep(name=name, ok=True)


def _whole(listing: Listing, name: str) -> tuple[Row, ...]:
    # A menu cut short would retire every item behind the cut.
    if not listing.complete:
        raise VendorMalformed(f"{name}: the list cannot be read to its end", connector=CONNECTOR)
    return listing.rows


def _latest_ms(row: Row) -> int | None:
    """The latest moment a row's `created_at` can mean; without a zone it may be any zone's time."""
    try:
        created = datetime.fromisoformat(str(row.get("created_at")))
    except ValueError:
        return None
    if created.tzinfo is not None:
        return int(created.timestamp() * 1000)
    return int(created.replace(tzinfo=UTC).timestamp() * 1000) + _ZONES_APART_MS


def _is_older(row: Row, since_ms: int) -> bool:
    latest = _latest_ms(row)
    return latest is not None and latest < since_ms - _CLOCK_SKEW_MS

"""The venue's own codes at Clopos: its name, its sale types, and the lists shown at set-up."""

from collections.abc import Mapping
from typing import Any, Final

from connectors.clopos.client import CloposClient
from connectors.clopos.settings import CloposSettings, SaleType
from connectors.clopos.translate import CONNECTOR
from connectors.clopos.wire import Row
from hub.contract.base import VendorCode
from hub.contract.connector import LinkContext
from hub.errors import UnmappedValue
from hub.model.status import OrderType

_SALE_TYPE: Final = "sale_type"
_VENUE: Final = "venue"


class VenueCodes:
    """What the link's settings say, else what Clopos said once and the hub remembers."""

    def __init__(self, context: LinkContext, client: CloposClient, settings: CloposSettings) -> None:
        self._context = context
        self._client = client
        self._settings = settings

    async def venue_name(self) -> str:
        """The venue's name; raises `UnmappedValue` when Clopos shows no such venue."""
        if self._settings.venue_name:
            return self._settings.venue_name
        venue_id = str(self._settings.venue_id)
        known = await self._context.refs.load_ref(self._context.link.id, _VENUE, venue_id)
        if known is not None:
            return known
        rows = (await self._client.fetch_venues()).rows
        name = next((str(row["name"]) for row in rows if str(row.get("id")) == venue_id and row.get("name")), None)
        if name is None:
            raise UnmappedValue(
                f"Clopos shows these credentials no venue {venue_id}; set venue_id, or venue_name, of the link",
                connector=CONNECTOR,
                field="venue_id",
            )
        await self._context.refs.save_ref(self._context.link.id, _VENUE, venue_id, name)
        return name

    async def sale_type(self, order_type: OrderType) -> SaleType:
        """The venue's sale type for an order type; raises `UnmappedValue` when it has none."""
        known = await self._known_sale_type(order_type)
        if known is not None:
            return known
        rows = (await self._client.fetch_sale_types()).rows
        chosen = {one: self.choose_sale_type(rows, one) for one in OrderType}
        for one, sale_type in chosen.items():
            if sale_type is not None:
                stored = f"{sale_type.id} {sale_type.name}"
                await self._context.refs.save_ref(self._context.link.id, _SALE_TYPE, one.value, stored)
        found = chosen[order_type]
        if found is None:
            raise UnmappedValue(
                f"Clopos has no active sale type for {order_type} at venue {self._settings.venue_id};"
                f" set sale_types.{order_type} of the link",
                connector=CONNECTOR,
                field="order_type",
            )
        return found

    def choose_sale_type(self, rows: tuple[Row, ...], order_type: OrderType) -> SaleType | None:
        """The first sale type of the right kind that is on at this venue; the link's own choice comes before all."""
        if order_type in self._settings.sale_types:
            return self._settings.sale_types[order_type]
        wanted = self._context.tables.to_vendor("order_type", order_type.value)
        for row in rows:
            number = _number(row.get("id"))
            if row.get("system_type") == wanted and self._is_on(row) and number is not None:
                return SaleType(number, str(row.get("name") or wanted))
        return None

    async def order_types(self) -> Mapping[int, OrderType]:
        """Our order type for each sale type number that is known so far; asks Clopos nothing."""
        known = [(await self._known_sale_type(order_type), order_type) for order_type in OrderType]
        return {sale_type.id: order_type for sale_type, order_type in known if sale_type is not None}

    async def fetch_all(self) -> tuple[VendorCode, ...]:
        """Sale types, payment methods, venues, stations and customer groups."""
        tables = (
            ("sale_type", await self._client.fetch_sale_types()),
            ("payment_method", await self._client.fetch_payment_methods()),
            ("venue", await self._client.fetch_venues()),
            ("station", await self._client.fetch_stations()),
            ("customer_group", await self._client.fetch_customer_groups()),
        )
        return tuple(
            VendorCode(table=table, id=str(row.get("id")), name=str(row.get("name") or ""), detail=self._detail(row))
            for table, listing in tables
            for row in listing.rows
        )

    async def _known_sale_type(self, order_type: OrderType) -> SaleType | None:
        if order_type in self._settings.sale_types:
            return self._settings.sale_types[order_type]
        stored = await self._context.refs.load_ref(self._context.link.id, _SALE_TYPE, order_type.value)
        if stored is None:
            return None
        number, _, name = stored.partition(" ")
        return SaleType(int(number), name)

    def _is_on(self, row: Row) -> bool:
        """Whether a row is on at this venue: `status` is a map of venue to 0 or 1; empty or missing says nothing."""
        status: Any = row.get("status")
        if not isinstance(status, Mapping) or not status:
            return True
        return status.get(str(self._settings.venue_id)) in (1, True, "1")

    def _detail(self, row: Row) -> str:
        system_type = row.get("system_type")
        parts = [str(system_type)] if system_type else []
        return ", ".join(parts if self._is_on(row) else [*parts, "off at this venue"])


def _number(vendor_id: Any) -> int | None:
    """An id that is a number, bare or as text."""
    if isinstance(vendor_id, str) and vendor_id.isascii() and vendor_id.isdecimal():
        return int(vendor_id)
    return vendor_id if isinstance(vendor_id, int) and not isinstance(vendor_id, bool) else None

"""The restaurant's own codes at Desibits: order types, tables and payment methods, read once and remembered."""

from collections.abc import Mapping
from typing import Final

import msgspec

from connectors.desibits.client import DesibitsClient
from connectors.desibits.fields import text, word_key
from connectors.desibits.payments import method_of
from connectors.desibits.settings import CONNECTOR, DesibitsSettings
from connectors.desibits.tables import table_from_desibits
from connectors.desibits.wire import Row
from hub.contract.base import VendorCode
from hub.contract.connector import LinkContext
from hub.contract.families import PosPaymentMethod
from hub.errors import UnmappedValue
from hub.model.payment import Payment, PaymentMethod
from hub.model.status import OrderType
from hub.model.table import Table, table_key

_KIND: Final = "codes"
_ORDER_TYPES: Final = "order_types"
_TABLES: Final = "tables"
_METHODS: Final = "payment_methods"


class VenueCodes:
    """What the link's settings say, else what Desibits said and the hub remembers."""

    def __init__(self, context: LinkContext, client: DesibitsClient, settings: DesibitsSettings) -> None:
        self._context = context
        self._client = client
        self._settings = settings

    async def order_type_id(self, order_type: OrderType) -> str:
        """The restaurant's id for an order type; raises `UnmappedValue` when it has none."""
        known = await self.order_types()
        if order_type not in known.values():
            rows = (await self._client.fetch_order_types()).rows
            await self._remember(_ORDER_TYPES, self.choose_order_types(rows))
            known = await self.order_types()
        found = next((vendor_id for vendor_id, one in known.items() if one is order_type), None)
        if found is None:
            raise UnmappedValue(
                f"Desibits has no order type for {order_type}; set order_types.{order_type} of the link",
                connector=CONNECTOR,
                field="order_type",
            )
        return found

    async def order_types(self) -> Mapping[str, OrderType]:
        """Our order type by the restaurant's id, as far as known; asks Desibits nothing."""
        chosen = self._settings.order_types
        learnt = await self._remembered(_ORDER_TYPES)
        read = {vendor_id: OrderType(word) for vendor_id, word in learnt.items() if OrderType(word) not in chosen}
        return {**read, **{str(vendor_id): order_type for order_type, vendor_id in chosen.items()}}

    def choose_order_types(self, rows: tuple[Row, ...]) -> Mapping[str, str]:
        """Our order type by id: each row by its type, slug, code or name, the first of each kind."""
        chosen: dict[str, str] = {}
        for row in rows:
            words = (text(row, name) for name in ("type", "slug", "code", "name", "order_type_name"))
            known = (self._context.tables.from_vendor("order_type", word_key(word)) for word in words)
            found = next((one["order_type"] for one in known if one is not None), None)
            if found is not None and found not in chosen.values():
                chosen[text(row, "id")] = found
        return chosen

    async def tables(self) -> tuple[Table, ...]:
        """All tables, which are remembered by name."""
        rows = (await self._client.fetch_tables()).rows
        tables = tuple(table_from_desibits(row, self._context.tables) for row in rows)
        await self._remember(_TABLES, {table.id: table.name for table in tables})
        return tables

    async def find_table_id(self, name: str) -> str | None:
        """The id of the table the staff calls so; None when Desibits has no such table."""
        known = _by_name(await self._remembered(_TABLES), name)
        return known or _by_name({table.id: table.name for table in await self.tables()}, name)

    async def table_names(self) -> Mapping[str, str]:
        """Names by id, as far as known; asks Desibits nothing."""
        return await self._remembered(_TABLES)

    async def payment_methods(self) -> tuple[PosPaymentMethod, ...]:
        """The ways to pay, which are remembered."""
        rows = (await self._client.fetch_payment_methods()).rows
        methods = tuple(self._method(row) for row in rows)
        await self._remember(_METHODS, {method.code: method.name for method in methods})
        return methods

    async def payment_code(self, payment: Payment) -> str:
        """The restaurant's code for a payment: the one named, the link's choice, or the one of this kind.

        Raises `UnmappedValue` when the restaurant has none.
        """
        chosen = self._settings.payment_methods.get(payment.method)
        if chosen is not None and not payment.raw_method:
            return chosen
        found = self._choose_method(payment, await self._remembered(_METHODS))
        if found is None:
            await self.payment_methods()
            found = self._choose_method(payment, await self._remembered(_METHODS))
        if found is None:
            raise UnmappedValue(
                f"Desibits has no payment method for {payment.raw_method or payment.method};"
                f" set payment_methods.{payment.method} of the link",
                connector=CONNECTOR,
                field="payments.method",
            )
        return found

    async def fetch_all(self) -> tuple[VendorCode, ...]:
        """Order types, tables, payment methods, kitchens, printers and delivery platforms."""
        lists = (
            ("order_type", (await self._client.fetch_order_types()).rows),
            ("table", (await self._client.fetch_tables()).rows),
            ("payment_method", (await self._client.fetch_payment_methods()).rows),
            ("kitchen", (await self._client.fetch_kitchens()).rows),
            ("printer", (await self._client.fetch_printers()).rows),
            ("delivery_platform", (await self._client.fetch_delivery_platforms()).rows),
        )
        return tuple(_code(table, row) for table, rows in lists for row in rows)

    def _method(self, row: Row) -> PosPaymentMethod:
        code, name = text(row, "code", "id"), text(row, "name")
        return PosPaymentMethod(code=code, name=name or code, method=method_of(code, name, self._context.tables))

    def _choose_method(self, payment: Payment, known: Mapping[str, str]) -> str | None:
        """The code that was named, else the usual one of the payment's kind, else any of that kind."""
        if payment.raw_method:
            wanted = word_key(payment.raw_method)
            return next((code for code, name in known.items() if wanted in (word_key(code), word_key(name))), None)
        tables = self._context.tables
        try:
            usual: str | None = tables.to_vendor("payment_method", payment.method.value)
        except UnmappedValue:
            usual = None
        if usual in known:
            return usual
        if payment.method is PaymentMethod.OTHER:
            return None
        return next((code for code, name in known.items() if method_of(code, name, tables) is payment.method), None)

    async def _remembered(self, name: str) -> Mapping[str, str]:
        stored = await self._context.refs.load_ref(self._context.link.id, _KIND, name)
        return {} if stored is None else msgspec.json.decode(stored, type=dict[str, str])

    async def _remember(self, name: str, codes: Mapping[str, str]) -> None:
        encoded = msgspec.json.encode(codes).decode()
        await self._context.refs.save_ref(self._context.link.id, _KIND, name, encoded)


def _by_name(names: Mapping[str, str], wanted: str) -> str | None:
    return next((vendor_id for vendor_id, name in names.items() if table_key(name) == table_key(wanted)), None)


def _code(table: str, row: Row) -> VendorCode:
    detail = ", ".join(dict.fromkeys(text(row, name) for name in ("type", "slug", "code") if text(row, name)))
    name = text(row, "name", "order_type_name", "table_code", "table_number", "code")
    return VendorCode(table=table, id=text(row, "id"), name=name, detail=detail)

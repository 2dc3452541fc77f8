"""The inventory calls of the Desktop Kitchen sandbox, and the ingredients an order uses up."""

from decimal import Decimal
from typing import Any

from aiohttp import web

from connectors.desktop_kitchen.sandbox.amounts import amount_of, as_text
from connectors.desktop_kitchen.sandbox.answers import Refused, as_id, body_of, id_in_path
from connectors.desktop_kitchen.sandbox.doors import Visit
from connectors.desktop_kitchen.sandbox.order_book import OrderBook
from connectors.desktop_kitchen.sandbox.store import Store
from hub.contract.sandbox import json_answer
from hub.contract.sandbox.ledger import LedgerOrder

AMOUNTS = ("quantity", "low_stock_threshold", "cost_price")
SETTABLE = ("quantity", "low_stock_threshold", "sku", "barcode", "expiry_date", "lot_number", "cost_price")
ADDED = ("unit", "category", *SETTABLE)


class Stock:
    """Ingredients and what is left of them."""

    def __init__(self, store: Store, book: OrderBook) -> None:
        self._store = store
        self._book = book

    async def browse(self, visit: Visit) -> web.Response:
        """`GET /api/inventory`."""
        rows = self._store.rows(visit.tenant_id, "inventory")
        return json_answer([{**row, **{name: _shown(row[name]) for name in AMOUNTS}} for row in rows])

    async def add(self, visit: Visit) -> web.Response:
        """`POST /api/inventory`; the answer is a 200."""
        body = await body_of(visit.request)
        if not body.get("name"):
            raise Refused(400, "name is required")
        defaults: dict[str, Any] = {"quantity": 0, "low_stock_threshold": 0, "unit": "pz", "category": "general"}
        fields = {name: _checked(name, body.get(name, defaults.get(name))) for name in ADDED}
        row = self._store.add(visit.tenant_id, "inventory", {"name": body["name"], **fields, "last_counted_at": None})
        return json_answer(row)

    async def update(self, visit: Visit) -> web.Response:
        """`PUT /api/inventory/:id`."""
        number, body = id_in_path(visit.request, "Failed to update inventory item"), await body_of(visit.request)
        fields = {name: _checked(name, body[name]) for name in SETTABLE if name in body}
        if not fields:
            raise Refused(400, "No fields to update")
        if self._store.find(visit.tenant_id, "inventory", number) is None:
            raise Refused(404, "Inventory item not found")
        self._store.change(visit.tenant_id, "inventory", number, fields)
        return json_answer({"id": visit.request.match_info["id"], **fields})

    async def deduct(self, visit: Visit) -> web.Response:
        """`POST /api/inventory/deduct`: the recipes of an order's items, as often as it is called."""
        number = as_id((await body_of(visit.request)).get("order_id"))
        if number is None:
            raise Refused(400, "order_id is required")
        order = self._book.find(visit.tenant_id, number)
        if order is None:
            raise Refused(404, "Order not found")
        self.use_up(order)
        return json_answer({"success": True, "message": "Inventory deducted"})

    def use_up(self, order: LedgerOrder) -> None:
        """Takes what the recipes of an order's items need; the count may fall below zero."""
        for line in order.record["items"]:
            item = self._store.find(order.scope, "items", line["menu_item_id"]) or {}
            for part in item.get("recipe", ()):
                row = self._store.find(order.scope, "inventory", part["inventory_id"])
                if row is not None:
                    left = Decimal(row["quantity"]) - Decimal(part["quantity"]) * line["quantity"]
                    self._store.change(order.scope, "inventory", row["id"], {"quantity": left})


def _checked(name: str, value: Any) -> Any:
    if name not in AMOUNTS or value is None:
        return value
    amount = amount_of(value)
    if amount is None:
        raise Refused(500, "Failed to update inventory item")
    return amount


def _shown(amount: Any) -> str | None:
    return None if amount is None else as_text(amount)

"""Orders by QR code in the Desktop Kitchen sandbox: public, without a key, and the only ones with a table."""

from decimal import Decimal
from typing import Any

from aiohttp import web

from connectors.desktop_kitchen.sandbox.amounts import as_text
from connectors.desktop_kitchen.sandbox.answers import Refused, as_id, body_of, id_in_path, timestamp
from connectors.desktop_kitchen.sandbox.doors import Visit
from connectors.desktop_kitchen.sandbox.order_book import OrderBook
from connectors.desktop_kitchen.sandbox.order_lines import lines_of, order_fields
from connectors.desktop_kitchen.sandbox.store import Store
from hub.contract.sandbox import json_answer

SOURCE = "qr_order"
MOST_ITEMS, MOST_PIECES, LONGEST_NOTE, LONGEST_TABLE = 50, 99, 500, 20


class Guests:
    """What a guest orders with a telephone."""

    def __init__(self, store: Store, book: OrderBook) -> None:
        self._store = store
        self._book = book

    async def create(self, visit: Visit) -> web.Response:
        """`POST /api/customer-order`."""
        body = await body_of(visit.request)
        items, table = body.get("items"), body.get("table_number")
        if not isinstance(items, list) or not items:
            raise Refused(400, "Missing required fields")
        if len(items) > MOST_ITEMS:
            raise Refused(400, f"Maximum {MOST_ITEMS} items per order")
        for item in items:
            _check(item)
        if table is not None and (not isinstance(table, str | int | Decimal) or len(str(table)) > LONGEST_TABLE):
            raise Refused(400, "Invalid table number")
        lines = lines_of(items, self._store, visit.tenant_id)
        fields = order_fields(lines, source=SOURCE, employee_id=None)
        fields["table_number"] = None if table is None else str(table)
        raw = await visit.request.read()
        order = self._book.add(visit.tenant_id, fields, body=raw)
        names = ("order_number", "estimated_ready_minutes", "estimated_ready_range")
        return json_answer({"order_id": order.number, **{name: order.record[name] for name in names}}, 201)

    async def status(self, visit: Visit) -> web.Response:
        """`GET /api/customer-order/:id/status`: of these orders only."""
        order = self._book.find(visit.tenant_id, id_in_path(visit.request, "Failed to fetch order status"))
        if order is None or order.record["source"] != SOURCE:
            raise Refused(404, "Order not found")
        record = order.record
        return json_answer(
            {
                "order_id": order.number,
                "order_number": record["order_number"],
                "status": order.status,
                "table_number": record["table_number"],
                "estimated_ready_minutes": record["estimated_ready_minutes"],
                "created_at": timestamp(order.received_at),
                "ready_at": record["ready_at"],
                "total": as_text(record["total"]),
            }
        )


def _check(item: Any) -> None:
    if not isinstance(item, dict) or as_id(item.get("menu_item_id")) is None:
        raise Refused(400, "Invalid item")
    quantity = as_id(item.get("quantity"))
    if quantity is None or not 1 <= quantity <= MOST_PIECES:
        raise Refused(400, f"Quantity must be between 1 and {MOST_PIECES}")
    if item.get("notes") and len(str(item["notes"])) > LONGEST_NOTE:
        raise Refused(400, f"Notes must be at most {LONGEST_NOTE} characters")

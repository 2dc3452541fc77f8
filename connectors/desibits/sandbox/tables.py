"""The tables of the Desibits sandbox. The page gives no words for their state; these are ours.

A table with an open order is `running`, whatever was set; without one it is what was set last, at first as the
seed says.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from aiohttp import web

from connectors.desibits.sandbox.answers import Asked, answer, listing, refuse
from connectors.desibits.sandbox.book import FINAL, Shop
from connectors.desibits.sandbox.order_view import view_head
from connectors.desibits.sandbox.totals import add_up
from hub.contract.sandbox.ledger import LedgerOrder


class TableStatus(StrEnum):
    """What a table is doing."""

    AVAILABLE = "available"
    RESERVED = "reserved"
    RUNNING = "running"


class Tables:
    """Shows tables and sets their status."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def browse(self, asked: Asked) -> web.Response:
        """`GET /tables`."""
        open_orders = self._open_orders()
        rows = [self._view(table, open_orders.get(number, [])) for number, table in self._shop.catalogue.tables.items()]
        return listing(rows, asked, self._shop.options)

    def show(self, asked: Asked) -> web.Response:
        """`GET /tables/{id}`, with the orders that are open there."""
        table = self._find(asked.id)
        orders = self._open_orders().get(asked.id, [])
        shown = [{**view_head(order, self._shop), "total": add_up(order.record).total} for order in orders]
        return answer({**self._view(table, orders), "orders": shown})

    def set_status(self, asked: Asked) -> web.Response:
        """`PUT /tables/{id}/status`; a table with an open order stays `running`."""
        table = self._find(asked.id)
        status = asked.fields.one_of("status", list(TableStatus), required=True)
        asked.fields.finish()
        orders = self._open_orders().get(asked.id, [])
        if orders and status != TableStatus.RUNNING:
            raise refuse(409, f"Table {table['name']} has an open order")
        self._shop.ledger.put_document("table status", str(asked.id), status)
        return answer(self._view(table, orders), "Table status updated successfully")

    def _find(self, number: int) -> dict[str, Any]:
        table = self._shop.catalogue.tables.get(number)
        if table is None:
            raise refuse(404, "Table not found")
        return table

    def _view(self, table: Mapping[str, Any], orders: list[LedgerOrder]) -> dict[str, Any]:
        status = self._shop.ledger.find_document("table status", str(table["id"])) or table["status"]
        return {**table, "status": TableStatus.RUNNING if orders else status}

    def _open_orders(self) -> dict[int, list[LedgerOrder]]:
        found: dict[int, list[LedgerOrder]] = {}
        for order in self._shop.orders():
            if order.status not in FINAL and order.record["table_id"] is not None:
                found.setdefault(order.record["table_id"], []).append(order)
        return found

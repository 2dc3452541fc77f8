"""The delivery calls of the Desktop Kitchen sandbox: platforms, their orders, mark-ups and analytics."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from aiohttp import web

from connectors.desktop_kitchen.sandbox.amounts import as_text
from connectors.desktop_kitchen.sandbox.answers import Refused, body_of, id_in_path, timestamp
from connectors.desktop_kitchen.sandbox.doors import Visit
from connectors.desktop_kitchen.sandbox.order_book import OrderBook, OrderStatus
from connectors.desktop_kitchen.sandbox.store import Store
from hub.contract.sandbox import json_answer
from hub.contract.sandbox.ledger import LedgerOrder

# The sources of orders that a platform sent in.
PLATFORMS = ("uber_eats", "rappi", "didi_food")
_OVER = ("denied", "cancelled", "completed")


class Delivery:
    """Orders that came from a platform by itself, beside those of the till."""

    def __init__(self, store: Store, book: OrderBook) -> None:
        self._store = store
        self._book = book

    async def platforms(self, visit: Visit) -> web.Response:
        """`GET /api/delivery/platforms`, secrets and all, without a token."""
        rows = self._store.rows(visit.tenant_id, "delivery_platforms")
        percents = ("commission_percent", "default_markup_percent")
        shown = [{**row, **{name: as_text(row[name]) for name in percents}} for row in rows]
        return json_answer([{**row, "tenant_id": visit.tenant_id} for row in shown])

    async def browse(self, visit: Visit) -> web.Response:
        """`GET /api/delivery/orders`, by `status` of the platform."""
        wanted = visit.request.query.get("status")
        return json_answer([row for row in self._rows(visit) if wanted in (None, "", row["platform_status"])])

    async def active(self, visit: Visit) -> web.Response:
        """`GET /api/delivery/orders/active`: those that are not over."""
        return json_answer([row for row in self._rows(visit) if row["platform_status"] not in _OVER])

    async def set_status(self, visit: Visit) -> web.Response:
        """`PUT /api/delivery/orders/:id/status`: any text, and the order itself stays as it is."""
        status = (await body_of(visit.request)).get("status")
        if not isinstance(status, str) or not status:
            raise Refused(400, "Missing required fields")
        return self._answer(visit, status, None)

    def deciding(self, platform_status: str, status: str) -> Callable[[Visit], Awaitable[web.Response]]:
        """`POST …/accept`, `…/deny`, `…/cancel`: moves the order without asking whether it may go there."""

        async def decide(visit: Visit) -> web.Response:
            return self._answer(visit, platform_status, status)

        return decide

    async def markup_rules(self, visit: Visit) -> web.Response:
        """`GET /api/delivery-intel/markup-rules`."""
        rows = self._store.rows(visit.tenant_id, "markup_rules")
        return json_answer([{**row, "markup_value": as_text(row["markup_value"])} for row in rows])

    async def analytics(self, visit: Visit) -> web.Response:
        """`GET /api/delivery-intel/analytics`: orders and money by platform, and of the till."""
        by_source: dict[str, list[LedgerOrder]] = {}
        for order in self._book.page(visit.tenant_id):
            by_source.setdefault(order.record["source"], []).append(order)
        platforms = [{"platform": name, **_sum(by_source[name])} for name in PLATFORMS if name in by_source]
        delivered = [order for name in PLATFORMS for order in by_source.get(name, [])]
        query = visit.request.query
        return json_answer(
            {
                "period": {"start": query.get("start"), "end": query.get("end")},
                "platforms": platforms,
                "pos": _sum(by_source.get("pos", [])),
                "delivery": _sum(delivered),
                "dailyTrend": [],
            }
        )

    def open(self, tenant_id: str, order: LedgerOrder, platform: str, details: dict[str, Any]) -> None:
        """Notes that an order came from a platform."""
        known = self._store.rows(tenant_id, "delivery_platforms")
        fields = {
            "order_id": order.number,
            "platform_id": next((row["id"] for row in known if row["name"] == platform), None),
            "platform_order_id": f"{platform}-{order.number}",
            "platform_status": "received",
            "customer_name": details.get("customer_name"),
            "delivery_address": details.get("delivery_address"),
            "created_at": timestamp(order.received_at),
        }
        self._store.add(tenant_id, "delivery_orders", fields)

    def _rows(self, visit: Visit) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for row in reversed(self._store.rows(visit.tenant_id, "delivery_orders")):
            order = self._book.find(visit.tenant_id, row["order_id"])
            if order is not None:
                joined = {"order_number": order.record["order_number"], "order_status": order.status}
                rows.append({**row, **joined, "total": as_text(order.record["total"])})
        return rows

    def _answer(self, visit: Visit, platform_status: str, status: str | None) -> web.Response:
        number = id_in_path(visit.request, "Failed to update delivery order")
        row = self._store.find(visit.tenant_id, "delivery_orders", number)
        order = self._book.find(visit.tenant_id, row["order_id"]) if row else None
        if row is None or order is None:
            raise Refused(404, "Delivery order not found")
        self._store.change(visit.tenant_id, "delivery_orders", number, {"platform_status": platform_status})
        if status is not None:
            self._book.change(order.number, {}, status=status)
        return json_answer({"id": visit.request.match_info["id"], "status": platform_status, "success": True})


DECISIONS = {
    "accept": ("accepted", OrderStatus.CONFIRMED),
    "deny": ("denied", OrderStatus.CANCELLED),
    "cancel": ("cancelled", OrderStatus.CANCELLED),
}
"""What a decision makes of the delivery row and of the order; what a denial does to the order is a reading."""


def _sum(orders: list[LedgerOrder]) -> dict[str, str]:
    revenue = sum((Decimal(order.record["total"]) for order in orders), Decimal(0))
    return {"orders": str(len(orders)), "revenue": as_text(revenue)}

"""The calls of the back office of the Desktop Kitchen sandbox: employees, reports, loyalty and branding."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from aiohttp import web

from connectors.desktop_kitchen.sandbox.amounts import as_text
from connectors.desktop_kitchen.sandbox.answers import Refused, body_of, timestamp
from connectors.desktop_kitchen.sandbox.doors import Visit
from connectors.desktop_kitchen.sandbox.order_book import OrderBook
from connectors.desktop_kitchen.sandbox.payments import PAID
from connectors.desktop_kitchen.sandbox.store import Store
from hub.contract.sandbox import Clock, json_answer
from hub.contract.sandbox.ledger import LedgerOrder

ROLES = ("admin", "cashier", "manager", "kitchen", "bar")
PERIOD_DAYS = {"daily": 0, "weekly": 7, "monthly": 30}
MOST_CUSTOMERS = 200


class Office:
    """What a manager looks at."""

    def __init__(self, store: Store, book: OrderBook, clock: Clock) -> None:
        self._store = store
        self._book = book
        self._clock = clock

    async def employees(self, visit: Visit) -> web.Response:
        """`GET /api/employees`."""
        names = ("id", "name", "role", "active", "created_at")
        rows = self._store.rows(visit.tenant_id, "employees")
        return json_answer([{name: row[name] for name in names} for row in rows])

    async def add_employee(self, visit: Visit) -> web.Response:
        """`POST /api/employees`, which asks for no token and for no length of the PIN."""
        body = await body_of(visit.request)
        if not body.get("name") or not body.get("pin") or not body.get("role"):
            raise Refused(400, "Missing required fields")
        if body["role"] not in ROLES:
            raise Refused(400, "Invalid role")
        shown = {"name": body["name"], "role": body["role"], "active": True}
        hidden = {"pin": str(body["pin"]), "created_at": timestamp(self._clock())}
        row = self._store.add(visit.tenant_id, "employees", {**shown, **hidden})
        return json_answer({"id": row["id"], **shown}, 201)

    async def sales(self, visit: Visit) -> web.Response:
        """`GET /api/reports/sales`: paid orders only, and the revenue is the sum without tax."""
        period, start, orders = self._paid(visit)
        sums = {name: _sum(orders, name) for name in ("subtotal", "total", "tip", "tax")}
        return json_answer(
            {
                "period": period,
                "startDate": start.date().isoformat(),
                "order_count": str(len(orders)),
                "total_revenue": as_text(sums["subtotal"]),
                "avg_ticket": as_text(sums["subtotal"] / len(orders) if orders else 0),
                "tip_total": as_text(sums["tip"]),
                "tax_total": as_text(sums["tax"]),
            }
        )

    async def top_items(self, visit: Visit) -> web.Response:
        """`GET /api/reports/top-items`: what was sold most, in paid orders; its fields are a reading."""
        _, _, orders = self._paid(visit)
        sold: dict[tuple[int, str], tuple[int, Decimal]] = {}
        for line in (line for order in orders for line in order.record["items"]):
            key = (line["menu_item_id"], line["item_name"])
            pieces, revenue = sold.get(key, (0, Decimal(0)))
            sold[key] = (pieces + line["quantity"], revenue + Decimal(line["unit_price"]) * line["quantity"])
        ranked = sorted(sold.items(), key=lambda one: (-one[1][0], one[0]))
        return json_answer(
            [
                {"menu_item_id": number, "item_name": name, "total_quantity": str(pieces), "revenue": as_text(revenue)}
                for (number, name), (pieces, revenue) in ranked
            ]
        )

    async def loyalty_customers(self, visit: Visit) -> web.Response:
        """`GET /api/loyalty/customers`: the only list with pages."""
        query = visit.request.query
        page, limit = _count(query.get("page"), 1), min(_count(query.get("limit"), 50), MOST_CUSTOMERS)
        search = query.get("search", "").casefold()
        rows = self._store.rows(visit.tenant_id, "loyalty_customers")
        found = [row for row in rows if search in row["name"].casefold() or search in row["phone"]]
        data = found[(page - 1) * limit : page * limit]
        return json_answer({"data": data, "total": str(len(found)), "page": page, "limit": limit})

    async def loyalty_config(self, visit: Visit) -> web.Response:
        """`GET /api/loyalty/config`: an object by key."""
        return json_answer(visit.tenant["loyalty_config"])

    async def branding(self, visit: Visit) -> web.Response:
        """`GET /api/branding`."""
        shown = {"plan": visit.tenant["plan"], "limits": visit.tenant["limits"]}
        branding = self._store.branding(visit.tenant_id)
        return json_answer({**branding, **shown, "ownerEmail": visit.tenant["owner"]["email"]})

    async def change_branding(self, visit: Visit) -> web.Response:
        """`PUT /api/branding`: colour and logo; the owner alone."""
        body = await body_of(visit.request)
        fields: dict[str, Any] = {name: body[name] for name in ("primaryColor", "logoUrl") if name in body}
        self._store.change_branding(visit.tenant_id, fields)
        branding = self._store.branding(visit.tenant_id)
        return json_answer({n: branding[n] for n in ("primaryColor", "logoUrl", "restaurantName", "tagline")})

    def _paid(self, visit: Visit) -> tuple[str, datetime, list[LedgerOrder]]:
        period = visit.request.query.get("period", "daily")
        today = datetime.combine(self._clock().astimezone(UTC).date(), time(), UTC)
        start = today - timedelta(days=PERIOD_DAYS.get(period, 0))
        orders = [order for order in self._book.page(visit.tenant_id) if order.received_at >= start]
        return period, start, [order for order in orders if order.record["payment_status"] in PAID]


def _sum(orders: list[LedgerOrder], name: str) -> Decimal:
    return sum((Decimal(_record(order)[name]) for order in orders), Decimal(0))


def _record(order: LedgerOrder) -> Mapping[str, Any]:
    record: Mapping[str, Any] = order.record
    return record


def _count(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 and int(text) > 0 else default

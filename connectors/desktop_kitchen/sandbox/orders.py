"""The order calls of the Desktop Kitchen sandbox: create, list, look up, move, and what the kitchen sees."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from connectors.desktop_kitchen.sandbox import order_views
from connectors.desktop_kitchen.sandbox.answers import Refused, as_id, body_of, id_in_path
from connectors.desktop_kitchen.sandbox.doors import Visit
from connectors.desktop_kitchen.sandbox.order_book import FROM_THE_TILL, ON_DISPLAY, OrderBook, OrderStatus
from connectors.desktop_kitchen.sandbox.order_lines import CREATE_FAILED, lines_of, order_fields
from connectors.desktop_kitchen.sandbox.store import Store
from hub.contract.sandbox import json_answer
from hub.contract.sandbox.ledger import LedgerOrder

MOST_LISTED = 100
TRANSITIONS: Mapping[str, frozenset[str]] = {
    OrderStatus.PENDING: frozenset({OrderStatus.CONFIRMED, OrderStatus.PREPARING, OrderStatus.CANCELLED}),
    OrderStatus.CONFIRMED: frozenset({OrderStatus.PREPARING, OrderStatus.CANCELLED}),
    OrderStatus.PREPARING: frozenset({OrderStatus.READY, OrderStatus.CANCELLED}),
    OrderStatus.READY: frozenset({OrderStatus.COMPLETED, OrderStatus.CANCELLED}),
    OrderStatus.COMPLETED: frozenset(),
    OrderStatus.CANCELLED: frozenset(),
}


class Orders:
    """Takes orders into the book and shows them; `pause` waits between look-up and insert."""

    def __init__(
        self,
        store: Store,
        book: OrderBook,
        pause: Callable[[], Awaitable[None]],
        plain_headers: Callable[[web.Request], dict[str, str]],
    ) -> None:
        self._store = store
        self._book = book
        self._pause = pause
        self._plain_headers = plain_headers

    async def create(self, visit: Visit) -> web.Response:
        """`POST /api/orders`.

        Two calls with one `offline_temp_id` at the same time both find nothing and both write, for the vendor
        has no unique index on it.
        """
        body, raw = await body_of(visit.request), await visit.request.read()
        items, employee_id = body.get("items"), body.get("employee_id")
        if not employee_id or not isinstance(items, list) or not items:
            raise Refused(400, "Missing required fields")
        temp_id = body.get("offline_temp_id") or None
        if temp_id is not None:
            temp_id = str(temp_id)
            known = self._book.find_replayed(visit.tenant_id, temp_id)
            if known is not None:
                return json_answer(order_views.replayed(known))
        if as_id(employee_id) is None:
            raise Refused(500, CREATE_FAILED)
        employee = self._store.find(visit.tenant_id, "employees", as_id(employee_id))
        if employee is None:
            raise Refused(404, "Employee not found")
        lines = lines_of(items, self._store, visit.tenant_id)
        await self._pause()
        order = self._book.add(
            visit.tenant_id,
            order_fields(lines, source=FROM_THE_TILL, employee_id=employee["id"]),
            offline_temp_id=temp_id,
            headers=self._plain_headers(visit.request),
            body=raw,
        )
        return json_answer(order_views.created(order), 201)

    async def browse(self, visit: Visit) -> web.Response:
        """`GET /api/orders`: the newest hundred that match, without their items."""
        query = visit.request.query
        status, payment_status = query.get("status") or None, query.get("payment_status") or None
        day = _day(query.get("date"))
        # The ledger does not know how an order is paid, so that filter comes after the others.
        newest = MOST_LISTED if payment_status is None else 2**31
        orders = self._book.page(visit.tenant_id, status=status, day=day, newest=newest)
        wanted = [one for one in orders if payment_status in (None, one.record["payment_status"])]
        return json_answer([order_views.listed(order, self._store) for order in wanted[:MOST_LISTED]])

    async def show(self, visit: Visit) -> web.Response:
        """`GET /api/orders/:id`."""
        return json_answer(order_views.full(self._find(visit, "Failed to fetch order"), self._store))

    async def set_status(self, visit: Visit) -> web.Response:
        """`PUT /api/orders/:id/status`: only forward, and not to where the order already is."""
        status = (await body_of(visit.request)).get("status")
        if not isinstance(status, str) or status not in TRANSITIONS:
            raise Refused(400, "Invalid status")
        order = self._find(visit, "Failed to update order status")
        if status not in TRANSITIONS.get(order.status, frozenset()):
            raise Refused(400, f"Cannot transition from '{order.status}' to '{status}'")
        self._book.move(order.number, status)
        return json_answer({"id": visit.request.match_info["id"], "status": status})

    async def kitchen(self, visit: Visit) -> web.Response:
        """`GET /api/orders/kitchen/active`: what the kitchen display polls, oldest first."""
        waiting = [order for status in ON_DISPLAY for order in self._book.page(visit.tenant_id, status=status)]
        waiting.sort(key=lambda order: order.number)
        return json_answer([order_views.on_display(order, self._store) for order in waiting])

    async def print_ticket(self, visit: Visit) -> web.Response:
        """`POST /api/printers/print-ticket`: the data of a ticket; nothing is printed."""
        number = as_id((await body_of(visit.request)).get("order_id"))
        order = None if number is None else self._book.find(visit.tenant_id, number)
        if order is None:
            raise Refused(404, "Order not found")
        shown: dict[str, Any] = order_views.full(order, self._store)
        return json_answer({"order": shown, "printerGroups": {"default": shown["items"]}})

    def _find(self, visit: Visit, failure: str) -> LedgerOrder:
        order = self._book.find(visit.tenant_id, id_in_path(visit.request, failure))
        if order is None:
            raise Refused(404, "Order not found")
        return order


def _day(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as broken:
        raise Refused(500, "Failed to fetch orders") from broken

"""The control calls that play the till and the kitchen of the Desktop Kitchen sandbox."""

from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal
from typing import Any

import msgspec
from aiohttp import web

from connectors.desktop_kitchen.sandbox import order_views
from connectors.desktop_kitchen.sandbox.amounts import amount_of
from connectors.desktop_kitchen.sandbox.answers import Refused
from connectors.desktop_kitchen.sandbox.delivery import PLATFORMS, Delivery
from connectors.desktop_kitchen.sandbox.order_book import FROM_THE_TILL, ON_DISPLAY, OrderBook, OrderStatus
from connectors.desktop_kitchen.sandbox.order_lines import lines_of, order_fields, sums_of
from connectors.desktop_kitchen.sandbox.payments import Payments
from connectors.desktop_kitchen.sandbox.store import Store
from hub.contract.sandbox import Handler, json_answer
from hub.contract.sandbox.ledger import Ledger, LedgerOrder, from_json


class Till:
    """What the staff does, with effect at once.

    `GET /_sandbox/kitchen`
        Every order that ever came to the kitchen display, over or not, as it is displayed, with `tenant`,
        `offline_temp_id`, `displayed` (is it on the display now) and `arrivals`: the times it came there.
        A second arrival is an order that a payment took back from `ready`. `?tenant=` narrows it.
    `POST /_sandbox/orders`
        An order opened at the till: `{"tenant": "…", "items": [{"menu_item_id": 4, "quantity": 1}]}`, with
        `employee_id` if wanted. A `source` of rappi, uber_eats or didi_food makes it a platform's order, paid
        and confirmed, with `customer_name` and `delivery_address`.
    `PUT /_sandbox/orders/{number}/items`
        Other items in place of those of an order: `{"items": […]}`; the sums follow.
    `POST /_sandbox/orders/{number}/payment`
        A payment at the counter: `{"payment_method": "cash", "tip": 10}`. The order goes to `preparing`, from
        wherever it is.
    """

    def __init__(self, store: Store, book: OrderBook, ledger: Ledger, payments: Payments, delivery: Delivery) -> None:
        self._store = store
        self._book = book
        self._ledger = ledger
        self._payments = payments
        self._delivery = delivery

    def controls(self) -> Iterable[tuple[str, str, Handler]]:
        """The control paths."""
        yield "GET", "kitchen", self._kitchen
        yield "POST", "orders", _answering(self._open)
        yield "PUT", "orders/{number:[0-9]+}/items", _answering(self._change)
        yield "POST", "orders/{number:[0-9]+}/payment", _answering(self._pay)

    async def _kitchen(self, request: web.Request) -> web.Response:
        orders, _ = self._ledger.load_orders(scope=request.query.get("tenant"))
        return json_answer([self._ticket(order) for order in orders if order.record["kitchen_arrivals"]])

    def _ticket(self, order: LedgerOrder) -> dict[str, Any]:
        return {
            **order_views.on_display(order, self._store),
            "tenant": order.scope,
            "offline_temp_id": order.idempotency_key,
            "displayed": order.status in ON_DISPLAY,
            "arrivals": order.record["kitchen_arrivals"],
        }

    async def _open(self, request: web.Request) -> LedgerOrder:
        body = from_json(await request.read())
        tenant_id, source = body["tenant"], body.get("source", FROM_THE_TILL)
        if self._store.find_tenant(tenant_id) is None:
            raise Refused(404, f"there is no tenant {tenant_id}")
        if source != FROM_THE_TILL and source not in PLATFORMS:
            raise Refused(400, f"source is pos or one of {', '.join(PLATFORMS)}")
        employees = self._store.rows(tenant_id, "employees")
        employee_id = body.get("employee_id", employees[0]["id"]) if source == FROM_THE_TILL else None
        lines = lines_of(body["items"], self._store, tenant_id)
        fields = order_fields(lines, source=source, employee_id=employee_id)
        if source == FROM_THE_TILL:
            return self._book.add(tenant_id, fields, at_once=True)
        paid = {"payment_status": "paid", "payment_method": source}
        order = self._book.add(tenant_id, {**fields, **paid}, status=OrderStatus.CONFIRMED, at_once=True)
        self._delivery.open(tenant_id, order, source, body)
        return order

    async def _change(self, request: web.Request) -> LedgerOrder:
        order, body = self._find(request), from_json(await request.read())
        lines = self._book.renumber_items(lines_of(body["items"], self._store, order.scope))
        return self._book.change(order.number, {"items": lines, **sums_of(lines)}, at_once=True)

    async def _pay(self, request: web.Request) -> LedgerOrder:
        order, body = self._find(request), from_json(await request.read())
        tip = amount_of(body.get("tip", 0)) or Decimal(0)
        return self._payments.take(order, body.get("payment_method", "cash"), tip, at_once=True)

    def _find(self, request: web.Request) -> LedgerOrder:
        order = self._ledger.find_order(int(request.match_info["number"]))
        if order is None:
            raise Refused(404, f"there is no order {request.match_info['number']}")
        return order


def _answering(work: Callable[[web.Request], Awaitable[LedgerOrder]]) -> Handler:
    """A control call that says what was wrong with its body."""

    async def handle(request: web.Request) -> web.Response:
        try:
            return json_answer(await work(request))
        except Refused as refused:
            return refused.answer()
        except (msgspec.DecodeError, AttributeError, KeyError, TypeError) as problem:
            return json_answer({"error": f"the body does not fit: {problem!r}"}, 400)

    return handle

"""The order calls of the Desibits sandbox: create, read, list, update, move, cancel, discount, print.

Where the page is silent: a new order answers with the total before its discount, as the example does; items
that the kitchen has got cannot be taken out again; a bill ends the cooking; the names of the fields `reason`,
`notes` and `coupon_code` are ours.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from aiohttp import web

from connectors.desibits.sandbox.answers import Asked, answer, listing, refuse
from connectors.desibits.sandbox.book import OrderStatus, Shop, require_move, require_open
from connectors.desibits.sandbox.customers import Customers
from connectors.desibits.sandbox.fields import Fields
from connectors.desibits.sandbox.options import ItemsUpdate
from connectors.desibits.sandbox.order_items import (
    numbered,
    read_items,
    replaced,
    require_available,
    require_sent_kept,
)
from connectors.desibits.sandbox.order_view import view_head, view_order
from connectors.desibits.sandbox.reads import find_coupon, read_discount
from connectors.desibits.sandbox.totals import add_up
from hub.contract.sandbox.ledger import LedgerOrder

LONGEST_NOTES = 1000


class Orders:
    """Takes orders into the ledger, shows and changes them."""

    def __init__(self, shop: Shop, customers: Customers) -> None:
        self._shop = shop
        self._customers = customers

    def create(self, asked: Asked) -> web.Response:
        """`POST /orders`: a draft, and a further one when the same call comes again."""
        order = self.open(asked, keep_notes=self._shop.options.notes_on_create)
        return answer(self._short(order), status=201)

    def open(self, asked: Asked, *, keep_notes: bool, source: str = "api") -> LedgerOrder:
        """Writes a new draft down; raises `Refused` naming the fields that are wrong."""
        shop, fields = self._shop, asked.fields
        order_type_id = fields.one_of("order_type_id", shop.catalogue.order_types, required=True)
        at_table = order_type_id is not None and shop.catalogue.is_dine_in(order_type_id)
        record: dict[str, Any] = {
            "source": source,
            "order_type_id": order_type_id,
            "table_id": fields.one_of(
                "table_id", shop.catalogue.tables, required=at_table and shop.options.table_required
            ),
            "customer_id": fields.one_of("customer_id", self._customers.ids()),
            "items": read_items(fields, shop.catalogue, shop.options, least=0 if shop.options.empty_orders else 1),
            "notes": fields.text("notes", longest=LONGEST_NOTES) if keep_notes else None,
            **read_discount(fields),
            "coupon_code": None,
            "payments": [],
            "kots": [],
            "cancel_reason": None,
            "delivery_driver_id": None,
            "delivery_status": None,
            "printed": {"bill": 0, "invoice": 0},
        }
        if not shop.options.empty_orders and not fields.has("items"):
            fields.wrong("items", "The {} field is required.")
        fields.finish()
        require_available(record["items"], shop.catalogue)
        record["items"] = numbered(record["items"], self._next_line)
        number = shop.ledger.accept(
            scope=shop.scope,
            status=OrderStatus.DRAFT,
            at=shop.clock(),
            headers=asked.headers,
            body=asked.raw,
            record=record,
        )
        order = shop.find_order(number)
        assert order is not None
        return order

    def show(self, asked: Asked) -> web.Response:
        """`GET /orders/{id}`."""
        return answer(self.view(self._shop.order_of(asked)))

    def browse(self, asked: Asked) -> web.Response:
        """`GET /orders`: newest first; `date` is a local day, YYYY-MM-DD, and other filters match or do not."""
        wanted = asked.query("status")
        status = OrderStatus.CANCELLED if wanted == self._shop.options.cancelled_word else wanted
        orders = self._shop.orders(status=status, day=_day(asked))
        if table := asked.query("table_id"):
            orders = [order for order in orders if str(order.record["table_id"]) == table]
        if payment_status := asked.query("payment_status"):
            orders = [order for order in orders if add_up(order.record).payment_status == payment_status]
        return listing([self._row(order) for order in orders], asked, self._shop.options)

    def held(self, asked: Asked) -> web.Response:
        """`GET /session/held-orders`: the drafts."""
        drafts = self._shop.orders(status=OrderStatus.DRAFT)
        return listing([self._row(order) for order in drafts], asked, self._shop.options)

    def update(self, asked: Asked) -> web.Response:
        """`PUT /orders/{id}` with `items`, `customer_id`, `notes`, each only if it is there; prints nothing."""
        order, fields = self._shop.order_of(asked), asked.fields
        require_open(order)
        changes: dict[str, Any] = {}
        if fields.has("customer_id"):
            changes["customer_id"] = fields.one_of("customer_id", self._customers.ids())
        if fields.has("notes"):
            changes["notes"] = fields.text("notes", longest=LONGEST_NOTES)
        if fields.has("items"):
            changes["items"] = self._items(order, fields)
        fields.finish()
        saved = self._shop.save(order, **changes)
        return answer(self.view(saved), "Order updated successfully")

    def set_status(self, asked: Asked) -> web.Response:
        """`PUT /orders/{id}/status`: moves the order and nothing else; no ticket, no payment."""
        order, fields = self._shop.order_of(asked), asked.fields
        words: dict[str, OrderStatus] = {status.value: status for status in OrderStatus}
        words[self._shop.options.cancelled_word] = OrderStatus.CANCELLED
        word = fields.one_of("status", words, required=True)
        fields.finish()
        assert word is not None
        status = words[word]
        require_move(order, status)
        balance = add_up(order.record).balance
        if status == OrderStatus.PAID and balance:
            raise refuse(409, f"Order has a remaining balance of {balance}")
        saved = self.cancelled(order, None) if status == OrderStatus.CANCELLED else self._shop.save(order, status)
        return answer(view_head(saved, self._shop), "Order status updated successfully")

    def cancel(self, asked: Asked) -> web.Response:
        """`POST /orders/{id}/cancel` with `reason`."""
        order = self._shop.order_of(asked)
        reason = asked.fields.text("reason", required=True)
        asked.fields.finish()
        require_move(order, OrderStatus.CANCELLED)
        return answer(view_head(self.cancelled(order, reason), self._shop), "Order cancelled successfully")

    def cancelled(self, order: LedgerOrder, reason: str | None) -> LedgerOrder:
        """Cancels an order and its kitchen tickets."""
        kots = [{**kot, "status": OrderStatus.CANCELLED} for kot in order.record["kots"]]
        return self._shop.save(order, OrderStatus.CANCELLED, cancel_reason=reason, kots=kots)

    def discount(self, asked: Asked) -> web.Response:
        """`POST /orders/{id}/discount` with `discount_type` and `discount_value`, or with `coupon_code`."""
        order, fields = self._shop.order_of(asked), asked.fields
        code = fields.text("coupon_code")
        changes = read_discount(fields, required=code is None)
        fields.finish()
        require_open(order)
        if code is not None:
            coupon = find_coupon(self._shop, code, add_up(order.record).sub_total)
            changes = {name: coupon[name] for name in ("discount_type", "discount_value")}
        totals = add_up({**order.record, **changes})
        if totals.total < totals.paid:
            raise refuse(409, "The discount exceeds what is left to pay")
        saved = self._shop.save(order, **changes, coupon_code=code)
        return answer(self.view(saved), "Discount applied successfully")

    def print_bill(self, asked: Asked) -> web.Response:
        """`POST /orders/{id}/print-bill`; an order that was being cooked is billed by it."""
        order = self._shop.order_of(asked)
        if order.status == OrderStatus.CANCELLED:
            raise refuse(409, "Order is already cancelled")
        billed = OrderStatus.BILLED if order.status == OrderStatus.KOT else order.status
        return self._printed(self._shop.save(order, billed), "bill")

    def print_invoice(self, asked: Asked) -> web.Response:
        """`POST /orders/{id}/print-invoice`, once there is a bill."""
        order = self._shop.order_of(asked)
        if order.status not in (OrderStatus.BILLED, OrderStatus.PAID):
            raise refuse(409, "Order has no bill yet")
        return self._printed(order, "invoice")

    def view(self, order: LedgerOrder) -> dict[str, Any]:
        """The complete order."""
        return view_order(order, self._shop, self._customers.find(order.record["customer_id"]))

    def _printed(self, order: LedgerOrder, what: str) -> web.Response:
        printed: Mapping[str, int] = order.record["printed"]
        saved = self._shop.save(order, printed={**printed, what: printed[what] + 1})
        return answer(view_head(saved, self._shop), f"{what.capitalize()} sent to printer")

    def _items(self, order: LedgerOrder, fields: Fields) -> list[dict[str, Any]]:
        shop, before = self._shop, order.record["items"]
        wanted = read_items(fields, shop.catalogue, shop.options, least=1)
        fields.finish()
        if order.status not in (OrderStatus.DRAFT, OrderStatus.KOT):
            raise refuse(409, f"Items of an order that is {order.status} cannot be changed")
        require_available(wanted, shop.catalogue)
        if shop.options.items_update is ItemsUpdate.APPEND:
            return [*before, *numbered(wanted, self._next_line)]
        after = replaced(before, wanted, self._next_line)
        require_sent_kept(before, after)
        return after

    def _next_line(self) -> int:
        return self._shop.next_id("line")

    def _row(self, order: LedgerOrder) -> dict[str, Any]:
        return self._short(order) if self._shop.options.brief_lists else self.view(order)

    def _short(self, order: LedgerOrder) -> dict[str, Any]:
        # The example: 2 x 12.99 less 10 percent is answered with 25.98.
        return {**view_head(order, self._shop), "total": add_up(order.record).sub_total}


def _day(asked: Asked) -> date | None:
    text = asked.query("date")
    if text is None:
        return None
    try:
        return date.fromisoformat(text if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) else "")
    except ValueError:
        asked.fields.wrong("date", "The {} field must match the format Y-m-d.")
        asked.fields.finish()
        return None

"""The payment calls of the Desktop Kitchen sandbox; all but one move the order to `preparing`, whatever it was."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from aiohttp import web

from connectors.desktop_kitchen.sandbox import order_views
from connectors.desktop_kitchen.sandbox.amounts import amount_of, as_number, as_text, round2
from connectors.desktop_kitchen.sandbox.answers import Refused, as_id, body_of, id_in_path
from connectors.desktop_kitchen.sandbox.doors import Visit
from connectors.desktop_kitchen.sandbox.order_book import OrderBook, OrderStatus
from connectors.desktop_kitchen.sandbox.stock import Stock
from hub.contract.sandbox import json_answer
from hub.contract.sandbox.ledger import LedgerOrder

RECORDED_METHODS = ("cash", "card", "transfer")
PAID = ("paid", "completed")


class Payments:
    """Takes and gives back money."""

    def __init__(self, book: OrderBook, stock: Stock) -> None:
        self._book = book
        self._stock = stock

    async def record(self, visit: Visit) -> web.Response:
        """`PATCH /api/orders/:id/payment`: the status stays, stock stays, the reference is thrown away."""
        body = await body_of(visit.request)
        number = id_in_path(visit.request, "Failed to update payment")
        if body.get("payment_method") not in RECORDED_METHODS:
            raise Refused(400, "Invalid payment method")
        order = self._unpaid(visit, number)
        paid = {"payment_status": "paid", "payment_method": body["payment_method"]}
        return json_answer({"success": True, "order": order_views.row(self._book.change(order.number, paid))})

    async def cash(self, visit: Visit) -> web.Response:
        """`POST /api/payments/cash`."""
        body = await body_of(visit.request)
        order = self._unpaid(visit, as_id(body.get("order_id")))
        tip = _amount(body, "tip", Decimal(0))
        due = Decimal(order.record["total"]) + tip
        received = _amount(body, "amount_received", due)
        if received < due:
            raise Refused(400, "Amount received is less than the total")
        order = self.take(order, "cash", tip)
        return json_answer(
            {
                "success": True,
                "message": "Cash payment processed",
                "order_id": body["order_id"],
                "order_number": order.record["order_number"],
                "total": as_number(order.record["total"]),
                "amount_received": as_number(received),
                "change_due": as_number(round2(received - due)),
                "payment_method": "cash",
                "invoice_token": f"inv_{order.record['order_number']}_{order.number}",
            }
        )

    async def split(self, visit: Visit) -> web.Response:
        """`POST /api/payments/split`; nobody checks that the parts make up the total."""
        body = await body_of(visit.request)
        splits = body.get("splits")
        if not isinstance(splits, list) or not splits or not all(isinstance(one, dict) for one in splits):
            raise Refused(400, "Missing required fields")
        order = self._unpaid(visit, as_id(body.get("order_id")))
        self.take(order, "split", sum((_amount(one, "tip", Decimal(0)) for one in splits), Decimal(0)))
        return json_answer({"success": True, "message": "Split payment processed", "splits_count": len(splits)})

    async def create_intent(self, visit: Visit) -> web.Response:
        """`POST /api/payments/create-intent`; the tip gets lost, for the server joins it to the total as text."""
        order = self._unpaid(visit, as_id((await body_of(visit.request)).get("order_id")))
        intent = f"pi_sandbox_{order.number}"
        self._book.change(order.number, {"payment_intent_id": intent, "payment_status": "processing"})
        amount = as_number(order.record["total"])
        return json_answer({"clientSecret": f"{intent}_secret", "payment_intent_id": intent, "amount": amount})

    async def refund(self, visit: Visit) -> web.Response:
        """`POST /api/payments/refund`: everything, an amount, or some items."""
        body = await body_of(visit.request)
        order = self._find(visit, as_id(body.get("order_id")))
        if order.record["payment_status"] not in PAID:
            raise Refused(400, "Order is not paid")
        left = Decimal(order.record["total"]) - Decimal(order.record["refund_total"])
        kind, amount, items = _wanted(body, order.record, left)
        if amount <= 0 or amount > left:
            raise Refused(400, "Refund amount exceeds the remaining amount")
        refunded = round2(Decimal(order.record["refund_total"]) + amount)
        whole = refunded == Decimal(order.record["total"])
        fields: dict[str, Any] = {"refund_total": refunded, "refunded_items": items}
        if whole:
            fields["payment_status"] = "refunded"
        self._book.change(order.number, fields)
        intent = order.record["payment_intent_id"]
        return json_answer(
            {
                "success": True,
                "refund_id": int(refunded * 100),
                "stripe_refund_id": intent and f"re_{intent}",
                "order_id": body["order_id"],
                "amount": as_number(amount),
                "refund_type": kind,
                "new_refund_total": as_number(refunded),
                "fully_refunded": whole,
            }
        )

    async def show(self, visit: Visit) -> web.Response:
        """`GET /api/payments/:order_id`."""
        order = self._find(visit, id_in_path(visit.request, "Failed to fetch payment", "order_id"))
        return json_answer(
            {
                "order_id": visit.request.match_info["order_id"],
                "payment_status": order.record["payment_status"],
                "payment_method": order.record["payment_method"],
                "amount": as_text(order.record["total"]),
                "refund_total": as_text(order.record["refund_total"]),
            }
        )

    def take(self, order: LedgerOrder, method: str, tip: Decimal, *, at_once: bool = False) -> LedgerOrder:
        """A payment at the counter: paid, ingredients deducted, and back to `preparing` even from `ready`."""
        paid = {"payment_status": "paid", "payment_method": method, "tip": round2(tip)}
        self._stock.use_up(order)
        return self._book.change(order.number, paid, status=OrderStatus.PREPARING, at_once=at_once)

    def _unpaid(self, visit: Visit, number: int | None) -> LedgerOrder:
        order = self._find(visit, number)
        if order.record["payment_status"] in (*PAID, "refunded"):
            raise Refused(400, "Order is already paid")
        return order

    def _find(self, visit: Visit, number: int | None) -> LedgerOrder:
        if number is None:
            raise Refused(400, "Missing required fields")
        order = self._book.find(visit.tenant_id, number)
        if order is None:
            raise Refused(404, "Order not found")
        return order


def _wanted(body: Mapping[str, Any], record: Mapping[str, Any], left: Decimal) -> tuple[str, Decimal, dict[str, int]]:
    """What kind of refund is asked for, how much it is, and the pieces given back so far by item."""
    given_back: dict[str, int] = dict(record["refunded_items"])
    if body.get("items"):
        amount = Decimal(0)
        items = {item["id"]: item for item in record["items"]}
        for one in body["items"]:
            item_id, pieces = as_id(one.get("order_item_id")), as_id(one.get("quantity"))
            if item_id not in items or pieces is None or pieces <= 0:
                raise Refused(400, "Invalid refund item")
            given_back[str(item_id)] = given_back.get(str(item_id), 0) + pieces
            if given_back[str(item_id)] > items[item_id]["quantity"]:
                raise Refused(400, "Refund quantity exceeds the ordered quantity")
            amount += Decimal(items[item_id]["unit_price"]) * pieces
        return "partial_items", round2(amount), given_back
    if body.get("amount") is not None:
        return "partial_amount", _amount(body, "amount", Decimal(0)), given_back
    return "full", left, given_back


def _amount(body: Mapping[str, Any], name: str, default: Decimal) -> Decimal:
    if body.get(name) is None:
        return default
    amount = amount_of(body[name])
    if amount is None or amount < 0:
        raise Refused(400, f"Invalid {name}")
    return round2(amount)

"""The payment calls of the Desibits sandbox.

The page shows one payment and its answer. A tip is no part of what an order costs, a payment cannot exceed what
is left to pay, and the same call twice is two payments. An order is paid when nothing is left; one that was
neither sent to the kitchen nor billed takes no payment. The name `payments` of a split is ours.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from aiohttp import web

from connectors.desibits.sandbox.answers import Asked, answer, iso, refuse
from connectors.desibits.sandbox.book import OrderStatus, Shop, require_open
from connectors.desibits.sandbox.fields import Fields
from connectors.desibits.sandbox.totals import CENT, Totals, add_up
from hub.contract.sandbox.ledger import LedgerOrder

Payment = dict[str, Any]


class Payments:
    """Takes payments and tells what is left."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def record(self, asked: Asked) -> web.Response:
        """`POST /orders/{id}/payment`."""
        order = self._shop.order_of(asked)
        payment = self._read(asked.fields)
        asked.fields.finish()
        saved = self._take(order, [payment])
        data = {"payment_id": saved.record["payments"][-1]["id"], "status": add_up(saved.record).payment_status}
        return answer(data, "Payment processed successfully")

    def split(self, asked: Asked) -> web.Response:
        """`POST /orders/{id}/split-payment` with `payments`, each as of a single payment."""
        order = self._shop.order_of(asked)
        parts = [self._read(part) for part in asked.fields.elements("payments", required=True, least=2)]
        asked.fields.finish()
        saved = self._take(order, parts)
        taken = [
            {"payment_id": payment["id"], "payment_method": payment["payment_method"], "amount": payment["amount"]}
            for payment in saved.record["payments"][-len(parts) :]
        ]
        data = {"payments": taken, "status": add_up(saved.record).payment_status}
        return answer(data, "Split payment processed successfully")

    def status(self, asked: Asked) -> web.Response:
        """`GET /orders/{id}/payment-status`."""
        order = self._shop.order_of(asked)
        totals = add_up(order.record)
        data = {
            "order_id": order.number,
            "payment_status": totals.payment_status,
            "total": totals.total,
            "amount_paid": totals.paid,
            "remaining_balance": totals.balance,
        }
        return answer(data)

    def methods(self, asked: Asked) -> web.Response:
        """`GET /payment-methods`."""
        return answer(self._shop.catalogue.payment_methods)

    def pay(self, order: LedgerOrder, amount: Decimal, method: str) -> LedgerOrder:
        """A payment at the till, whatever the state of the order."""
        return self._keep(
            order, [{"payment_method": method, "amount": amount, "transaction_id": None, "tip_amount": Decimal("0.00")}]
        )

    def _read(self, fields: Fields) -> Payment:
        return {
            "payment_method": fields.one_of("payment_method", self._shop.catalogue.payment_codes(), required=True),
            "amount": fields.amount("amount", required=True, least=CENT),
            "transaction_id": fields.text("transaction_id"),
            "tip_amount": fields.amount("tip_amount") or Decimal("0.00"),
        }

    def _take(self, order: LedgerOrder, payments: Sequence[Payment]) -> LedgerOrder:
        require_open(order)
        if order.status not in (OrderStatus.KOT, OrderStatus.BILLED):
            raise refuse(409, f"An order that is {order.status} cannot be paid")
        balance = add_up(order.record).balance
        if sum(payment["amount"] for payment in payments) > balance:
            raise refuse(400, f"Payment exceeds the remaining balance of {balance}")
        return self._keep(order, payments)

    def _keep(self, order: LedgerOrder, payments: Sequence[Payment]) -> LedgerOrder:
        now = iso(self._shop.clock())
        taken = [{"id": self._shop.next_id("payment"), **payment, "created_at": now} for payment in payments]
        record = {**order.record, "payments": [*order.record["payments"], *taken]}
        totals: Totals = add_up(record)
        status = order.status if totals.balance else OrderStatus.PAID
        return self._shop.save(order, status, payments=record["payments"])

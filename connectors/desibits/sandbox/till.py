"""The people in the restaurant behind the Desibits sandbox, played over `/_sandbox/...`.

`POST /_sandbox/orders/{id}/status` with `{"status": "..."}`
    The cashier's buttons, where no rule of transition holds: `accept` (or `kot`) sends what is new to the
    kitchen, `bill` (or `billed`) makes the bill, `pay` (or `paid`) takes the rest in cash, `cancel` (or
    `cancelled`) cancels order and tickets, `reopen` (or `draft`) makes it a draft again. Any other word is set as
    it is, so a status that nobody has heard of can be played too.
`POST /_sandbox/orders`
    The cashier opens an order: a body as of `POST /api/v1/pos/orders`, and `notes`. Answers with the order.
`POST /_sandbox/orders/{id}/items` with `{"items": [...]}`
    The cashier changes the items to these, also those the kitchen has got. No ticket is made.
`POST /_sandbox/orders/{id}/payment` with `{"amount": 5.00, "payment_method": "cash"}`
    The cashier takes a payment; without an amount, the rest; in cash unless told. It may be more than the rest.
`POST /_sandbox/kots/{id}/status` with `{"status": "food_ready"}`
    A cook moves a ticket, to any word.
`GET /_sandbox/kitchen`
    What the kitchen was told to cook: every ticket, oldest first, with its order, items, status, and how often it
    was printed and reprinted. An order that never got a ticket is not there.
"""

from typing import Any

from aiohttp import web

from connectors.desibits.sandbox.answers import Asked, answer
from connectors.desibits.sandbox.book import OrderStatus, Shop
from connectors.desibits.sandbox.kitchen import Kitchen
from connectors.desibits.sandbox.order_items import read_items, replaced
from connectors.desibits.sandbox.orders import Orders
from connectors.desibits.sandbox.payments import Payments
from connectors.desibits.sandbox.totals import CENT, add_up
from hub.contract.sandbox import json_answer

CASH = "cash"


class Till:
    """Does what a person at the till or in the kitchen does, without asking what is allowed."""

    def __init__(self, shop: Shop, orders: Orders, kitchen: Kitchen, payments: Payments) -> None:
        self._shop = shop
        self._orders = orders
        self._kitchen = kitchen
        self._payments = payments

    def press(self, number: int, status: str) -> None:
        """A button: what leads to a status, or the bare word for one that nobody has heard of."""
        order = self._shop.find_order(number)
        if order is None:
            return
        balance = add_up(order.record).balance
        if status == OrderStatus.KOT and any(line["quantity"] > line["sent"] for line in order.record["items"]):
            self._kitchen.send(order)
        elif status == OrderStatus.PAID and balance:
            self._payments.pay(order, balance, CASH)
        elif status == OrderStatus.CANCELLED:
            self._orders.cancelled(order, "Cancelled at the till")
        else:
            self._shop.save(order, status)

    def open(self, asked: Asked) -> web.Response:
        """Opens an order in the POS itself."""
        order = self._orders.open(asked, keep_notes=True, source="till")
        return answer(self._orders.view(order), status=201)

    def change_items(self, asked: Asked) -> web.Response:
        """Changes the items of an order."""
        order = self._shop.order_of(asked)
        wanted = read_items(asked.fields, self._shop.catalogue, self._shop.options, least=0)
        asked.fields.finish()
        items = replaced(order.record["items"], wanted, lambda: self._shop.next_id("line"))
        return answer(self._orders.view(self._shop.save(order, items=items)))

    def pay(self, asked: Asked) -> web.Response:
        """Takes a payment."""
        order = self._shop.order_of(asked)
        amount = asked.fields.amount("amount", least=CENT)
        method: Any = asked.fields.one_of("payment_method", self._shop.catalogue.payment_codes())
        asked.fields.finish()
        paid = self._payments.pay(order, amount or add_up(order.record).balance, method or CASH)
        return answer(self._orders.view(paid))

    def move_kot(self, asked: Asked) -> web.Response:
        """Moves a ticket."""
        status = asked.fields.text("status", required=True)
        asked.fields.finish()
        assert status is not None
        return json_answer(self._kitchen.move(asked.id, status))

    def kitchen(self, asked: Asked) -> web.Response:
        """Shows what the kitchen was told."""
        return json_answer(self._kitchen.told())

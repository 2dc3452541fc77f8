"""The kitchen of the Desibits sandbox: its tickets (KOT), and what the cooks were told with them.

A ticket is what makes the kitchen cook; printing is paper on top. Nothing tells two equal calls apart: a further
ticket holds what is new on the order, and when nothing is, all of it again (option `second_kot`).
"""

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from aiohttp import web

from connectors.desibits.sandbox.answers import Asked, answer, iso, refuse
from connectors.desibits.sandbox.book import OrderStatus, Shop, require_move
from connectors.desibits.sandbox.options import SecondKot
from hub.contract.sandbox.ledger import LedgerOrder

# A ticket's id and the digits of its number are different things, as they are in any database.
FIRST_ID = 301

Kot = dict[str, Any]


class KotStatus(StrEnum):
    """Where a ticket stands, in the order in which it moves; the first word is given and cannot be set."""

    SENT = "sent_to_kitchen"
    COOKING = "in_kitchen"
    READY = "food_ready"
    SERVED = "served"


COURSE = list(KotStatus)


class Kitchen:
    """Writes tickets, prints them, moves them."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._waiting: deque[tuple[datetime, int]] | None = None

    def generate(self, asked: Asked) -> web.Response:
        """`POST /orders/{id}/kot`: tells the kitchen and makes a draft an order that is being cooked."""
        order = self._shop.order_of(asked)
        require_move(order, OrderStatus.KOT)
        if not order.record["items"]:
            raise refuse(400, "Order has no items")
        if not _fresh(order) and self._shop.options.second_kot is SecondKot.REFUSE:
            raise refuse(409, "There are no new items for the kitchen")
        kot = self.send(order).record["kots"][-1]
        data = {"kot_number": kot["kot_number"], "status": kot["status"]}
        return answer({"id": kot["id"], **data} if self._shop.options.kot_id else data)

    def send(self, order: LedgerOrder) -> LedgerOrder:
        """Writes a ticket for what is new on an order, or for all of it when nothing is."""
        now, lines = self._shop.clock(), order.record["items"]
        kot_id = self._shop.next_id("kot", FIRST_ID)
        kot = {
            "id": kot_id,
            "kot_number": f"KOT-{self._shop.next_id('kot number'):03}",
            "status": KotStatus.SENT,
            "items": _fresh(order) or [_ticket_line(line, line["quantity"]) for line in lines],
            "created_at": iso(now),
            "printed": 0,
            "reprinted": 0,
        }
        self._shop.ledger.put_document("kot", str(kot_id), order.number)
        self._queue().append((now, kot_id))
        sent = [{**line, "sent": max(line["sent"], line["quantity"])} for line in lines]
        return self._shop.save(order, OrderStatus.KOT, items=sent, kots=[*order.record["kots"], kot])

    def print(self, asked: Asked) -> web.Response:
        """`POST /kot/{id}/print`."""
        return self._on_paper(asked, "printed", "KOT sent to kitchen printer")

    def reprint(self, asked: Asked) -> web.Response:
        """`POST /kot/{id}/reprint`."""
        return self._on_paper(asked, "reprinted", "KOT reprinted")

    def set_status(self, asked: Asked) -> web.Response:
        """`PUT /kot/{id}/status`: forward only, steps may be left out, the same again is no error."""
        order, kot = self._find(asked.id)
        status = asked.fields.one_of("status", COURSE[1:], required=True)
        asked.fields.finish()
        assert status is not None
        if kot["status"] not in COURSE or COURSE.index(status) < COURSE.index(kot["status"]):
            raise refuse(409, f"KOT status cannot be changed from {kot['status']} to {status}")
        self._change(order, kot, status=status)
        return answer(_head({**kot, "status": status}), "KOT status updated successfully")

    def move(self, kot_id: int, status: str) -> Kot:
        """Gives a ticket any status, for the cook who plays outside the rules; raises `Refused` (404)."""
        order, kot = self._find(kot_id)
        self._change(order, kot, status=status)
        return self._find(kot_id)[1]

    def start_waiting(self, waiting_since: datetime) -> None:
        """The cooks begin with every ticket that has lain there since this moment or longer."""
        queue = self._queue()
        while queue and queue[0][0] <= waiting_since:
            _, kot_id = queue.popleft()
            number = self._shop.ledger.find_document("kot", str(kot_id))
            order = self._shop.find_order(number) if number is not None else None
            kots = order.record["kots"] if order is not None else []
            for kot in kots:
                if order is not None and kot["id"] == kot_id and kot["status"] == KotStatus.SENT:
                    self._change(order, kot, status=KotStatus.COOKING)

    def told(self) -> list[dict[str, Any]]:
        """Every ticket, oldest first, with its order and how often it was put on paper."""
        found = [(order, kot) for order in self._shop.orders() for kot in order.record["kots"]]
        return [
            {
                **_head(kot),
                "order": order.number,
                "order_number": self._shop.order_number(order.number),
                "order_status": order.status,
                "table_id": order.record["table_id"],
                "notes": order.record["notes"],
                "items": kot["items"],
                "printed": kot["printed"],
                "reprinted": kot["reprinted"],
                "created_at": kot["created_at"],
            }
            for order, kot in sorted(found, key=lambda pair: pair[1]["id"])
        ]

    def _on_paper(self, asked: Asked, how: str, message: str) -> web.Response:
        order, kot = self._find(asked.id)
        if kot["status"] == OrderStatus.CANCELLED:
            raise refuse(409, "KOT is cancelled")
        self._change(order, kot, **{how: kot[how] + 1})
        return answer(_head(kot), message)

    def _find(self, kot_id: int) -> tuple[LedgerOrder, Kot]:
        number = self._shop.ledger.find_document("kot", str(kot_id))
        order = self._shop.find_order(number) if number is not None else None
        if order is None:
            raise refuse(404, "KOT not found")
        return order, next(kot for kot in order.record["kots"] if kot["id"] == kot_id)

    def _change(self, order: LedgerOrder, changed: Kot, **changes: Any) -> None:
        kots: Sequence[Kot] = order.record["kots"]
        self._shop.save(order, kots=[{**kot, **changes} if kot["id"] == changed["id"] else kot for kot in kots])

    def _queue(self) -> deque[tuple[datetime, int]]:
        """The tickets nobody has begun with; read from the ledger once, for those from before a restart."""
        if self._waiting is None:
            waiting = [kot for kot in self.told() if kot["status"] == KotStatus.SENT]
            self._waiting = deque((datetime.fromisoformat(kot["created_at"]), kot["id"]) for kot in waiting)
        return self._waiting


def _head(kot: Mapping[str, Any]) -> dict[str, Any]:
    return {name: kot[name] for name in ("id", "kot_number", "status")}


def _fresh(order: LedgerOrder) -> list[dict[str, Any]]:
    """What stands on an order and the kitchen has not got."""
    lines = [_ticket_line(line, line["quantity"] - line["sent"]) for line in order.record["items"]]
    return [line for line in lines if line["quantity"] > 0]


def _ticket_line(line: Mapping[str, Any], quantity: int) -> dict[str, Any]:
    shown = {name: line[name] for name in ("menu_item_id", "name", "note")}
    return {**shown, "quantity": quantity}

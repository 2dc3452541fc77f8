"""The orders of the Desibits sandbox as the ledger keeps them, and the rules by which they move."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from connectors.desibits.sandbox.answers import Asked, refuse
from connectors.desibits.sandbox.catalogue import Catalogue
from connectors.desibits.sandbox.options import Options
from hub.contract.sandbox import Clock
from hub.contract.sandbox.ledger import Ledger, LedgerOrder


class OrderStatus(StrEnum):
    """Where an order stands: the words of the page."""

    DRAFT = "draft"
    KOT = "kot"
    BILLED = "billed"
    PAID = "paid"
    CANCELLED = "cancelled"


# The page gives no rule of transition; these are the moves that make sense in a restaurant. What comes last
# is final, and an order with a status that nobody has heard of does not move at all.
MOVES: Mapping[str, frozenset[OrderStatus]] = {
    OrderStatus.DRAFT: frozenset({OrderStatus.KOT, OrderStatus.BILLED, OrderStatus.CANCELLED}),
    OrderStatus.KOT: frozenset({OrderStatus.BILLED, OrderStatus.PAID, OrderStatus.CANCELLED}),
    OrderStatus.BILLED: frozenset({OrderStatus.PAID, OrderStatus.CANCELLED}),
}
FINAL = frozenset({OrderStatus.PAID, OrderStatus.CANCELLED})


class Shop:
    """What every part of the sandbox works with: the seed, its options, the ledger and the time."""

    def __init__(
        self, catalogue: Callable[[], Catalogue], options: Callable[[], Options], ledger: Ledger, clock: Clock
    ) -> None:
        self._catalogue = catalogue
        self._options = options
        self.ledger = ledger
        self.clock = clock

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue as it is now."""
        return self._catalogue()

    @property
    def options(self) -> Options:
        """The options as they are now."""
        return self._options()

    @property
    def scope(self) -> str:
        """Whose orders these are."""
        return f"branch {self.catalogue.branch}"

    def next_id(self, kind: str, first: int = 1) -> int:
        """A number that nothing of its kind has had."""
        number: int = (self.ledger.find_document("counter", kind) or first - 1) + 1
        self.ledger.put_document("counter", kind, number)
        return number

    def find_order(self, number: int) -> LedgerOrder | None:
        """The order with this id."""
        order = self.ledger.find_order(number)
        return order if order is not None and order.scope == self.scope else None

    def order_of(self, asked: Asked) -> LedgerOrder:
        """The order whose id is in the path; raises `Refused` (404)."""
        order = self.find_order(asked.id)
        if order is None:
            raise refuse(404, "Order not found")
        return order

    def orders(self, *, status: str | None = None, day: date | None = None) -> list[LedgerOrder]:
        """The orders that match, newest first; the day is one of the restaurant's own."""
        begin, end = (self._midnight(day), self._midnight(day + timedelta(days=1))) if day else (None, None)
        orders, _ = self.ledger.load_orders(
            scope=self.scope, status=status, from_time=begin, before_time=end, descending=True
        )
        return orders

    def save(self, order: LedgerOrder, status: str | None = None, **changes: Any) -> LedgerOrder:
        """Writes changes of an order's record and status down; gives the order as it is then."""
        self.ledger.set_record(order.number, {**order.record, **changes})
        self.ledger.set_status(order.number, status or order.status, self.clock())
        saved = self.ledger.find_order(order.number)
        assert saved is not None
        return saved

    def order_number(self, number: int) -> str:
        """The number that people see: `ORD-001-123`, branch and id."""
        return f"ORD-{self.catalogue.branch:03}-{number:03}"

    def word(self, status: str) -> str:
        """A status as answers spell it."""
        return self.options.cancelled_word if status == OrderStatus.CANCELLED else status

    def _midnight(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=self.catalogue.zone)


def require_open(order: LedgerOrder) -> None:
    """Raises `Refused` (409) for an order that is paid or cancelled."""
    if order.status in FINAL:
        raise refuse(409, f"Order is already {order.status}")


def require_move(order: LedgerOrder, status: str) -> None:
    """Raises `Refused` (409) when an order cannot go there from where it is."""
    require_open(order)
    if status != order.status and status not in MOVES.get(order.status, frozenset()):
        raise refuse(409, f"Order status cannot be changed from {order.status} to {status}")

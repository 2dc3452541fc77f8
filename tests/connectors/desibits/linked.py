"""A Desibits link whose calls end in a respx router, and orders to submit."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import respx

from connectors.desibits.connector import DesibitsConnector
from hub.contract.connector import LinkContext
from hub.contract.http import HttpProfile, VendorHttp
from hub.contract.redact import Redactor
from hub.contract.tables import load_tables
from hub.contract.writes import OrderWrite
from hub.model.check import Check, Discount, Line, Totals
from hub.model.order import MoneyAudit, Order, Origin, Timing
from hub.model.status import OrderType
from hub.model.venue import Link
from tests.contract.ports import CallList, MemoryRefs, MemoryTokens, NoPacing, StandingClock

BASE_URL = "https://desibits.test"
API = f"{BASE_URL}/api/v1/pos"
LINK_ID = "link_desibits"
NOW_MS = 1_795_000_000_000  # 2026-11-18T11:06:40Z, 16:36 in India
TODAY = "2026-11-18"
MARK = "#H7F3K9Q2"
KEY = "0fe7bc1e-9972-4c2f-bf03-4e0f09ba9d9d"
SECRET = "very-secret-value"
CONFIG: Mapping[str, Any] = {"base_url": BASE_URL, "token": SECRET}
ORDER_TYPES = [
    {"id": 4, "name": "Dine In", "slug": "dine-in"},
    {"id": 5, "name": "Home Delivery"},
    {"id": 6, "name": "Parcel", "type": "take_away"},
]


class LinkedDesibits:
    """A connector with its ports in memory. The restaurant's order types are known unless `order_types` is None."""

    def __init__(
        self,
        config: Mapping[str, Any] = CONFIG,
        *,
        kitchen: Any = "pos",
        transport: Any = None,
        timezone: str = "Asia/Kolkata",
        now_ms: int = NOW_MS,
        order_types: str | None = '{"4":"dine_in","5":"delivery","6":"pickup"}',
    ) -> None:
        self.router = respx.Router(assert_all_called=False)
        self.sink = CallList()
        self.refs = MemoryRefs()
        self.clock = StandingClock(now_ms)
        if order_types is not None:
            self.knows("order_types", order_types)
        http = VendorHttp(
            HttpProfile("desibits", LINK_ID, config["base_url"], 3.0, 5.0, ()),
            transport=transport or httpx.MockTransport(self.router.async_handler),
            sink=self.sink,
            limiter=NoPacing(),
            clock=self.clock,
            redactor=Redactor(["authorization"], ["token"], [config["token"]]),
        )
        self.context = LinkContext(
            link=Link(id=LINK_ID, venue_id="loc_1", connector="desibits", config=config, kitchen=kitchen),
            config=config,
            currency="INR",
            timezone=timezone,
            http=http,
            tables=load_tables("desibits"),
            tokens=MemoryTokens(),
            refs=self.refs,
            clock=self.clock,
        )
        self.connector = DesibitsConnector(self.context)

    def knows(self, name: str, codes: str) -> None:
        """The hub has learnt these codes before."""
        self.refs.refs[(LINK_ID, "codes", name)] = codes

    def answers(self, method: str, path: str, data: Any = None, status: int = 200) -> respx.Route:
        """Arranges one answer in the documented envelope."""
        return self.route(method, path).mock(
            return_value=httpx.Response(status, json={"success": True, "data": {} if data is None else data})
        )

    def shows(self, *rows: Any, order_id: int = 123) -> respx.Route:
        """Arranges what `GET /orders/{id}` shows, one answer after the other; the last one stays."""
        answers = [httpx.Response(200, json={"success": True, "data": row}) for row in rows]
        route = self.route("GET", f"/orders/{order_id}")
        remaining = iter(answers)
        last = answers[-1]
        return route.mock(side_effect=lambda request: next(remaining, last))

    def route(self, method: str, path: str) -> respx.Route:
        """The route of a path of the API; a query does not matter."""
        return self.router.route(method=method, url__regex=rf"^{API}{path}(\?.*)?$")

    def sent(self) -> list[str]:
        """Method and path of every call so far."""
        return [
            f"{call.request.method} {call.request.url.path.removeprefix('/api/v1/pos')}" for call in self.router.calls
        ]


def line(menu_item_id: Any = 15, unit_cents: int = 1299, quantity: int = 2, **changes: Any) -> Line:
    """A line of the documentation's example: menu item 15, two at 12.99."""
    each = unit_cents + sum(modifier.unit_cents * modifier.quantity for modifier in changes.get("modifiers", ()))
    values: dict[str, Any] = {
        "uid": f"li_{menu_item_id}",
        "item_id": f"item_{menu_item_id}",
        "name": "Paneer Tikka",
        "quantity": quantity,
        "unit_cents": unit_cents,
        "gross_cents": each * quantity,
        "vendor": {"id": menu_item_id},
    }
    return Line(**{**values, **changes})


def check(lines: Sequence[Line], discount: Discount | None = None, **changes: Any) -> Check:
    """A check of these lines."""
    gross = sum(one.gross_cents for one in lines)
    cents = discount.cents if discount else 0
    totals = Totals(subtotal_cents=gross, discount_cents=cents, total_cents=gross - cents)
    values: dict[str, Any] = {
        "id": "chk_1",
        "lines": tuple(lines),
        "discounts": (discount,) if discount else (),
        "totals": totals,
    }
    return Check(**{**values, **changes})


def order(*lines: Line, discount: Discount | None = None, **changes: Any) -> Order:
    """An order of these lines, or of the documentation's one."""
    checks = changes.pop("checks", None) or (check(lines or (line(),), discount),)
    values: dict[str, Any] = {
        "id": "order_019a",
        "venue_id": "loc_1",
        "number": "DD-001",
        "order_type": OrderType.DINE_IN,
        "origin": Origin(system="api"),
        "timing": Timing(timezone="Asia/Kolkata", business_date=TODAY),
        "currency": "INR",
        "checks": checks,
        "money_audit": MoneyAudit(computed_cents=2598),
        "created_at_ms": NOW_MS,
        "updated_at_ms": NOW_MS,
    }
    return Order(**{**values, **changes})


def empty_tab(**changes: Any) -> Order:
    """A seated table that has not ordered yet."""
    return order(checks=(check(()),), **{"tables": ("7A",), **changes})


def write(of: Order | None = None, **changes: Any) -> OrderWrite:
    """A write about an order."""
    values: dict[str, Any] = {"order": of or order(), "idempotency_key": KEY, "mark": MARK}
    return OrderWrite(**{**values, **changes})


def item_row(menu_item_id: int = 15, quantity: int = 2, price: Any = "12.99", note: str = MARK, **more: Any) -> Any:
    """An item as an order shows it."""
    return {"menu_item_id": menu_item_id, "quantity": quantity, "price": price, "note": note, **more}


def order_row(order_id: int = 123, status: str = "draft", **changes: Any) -> Any:
    """An order as `GET /orders/{id}` shows it."""
    values = {
        "id": order_id,
        "order_number": f"ORD-001-{order_id}",
        "status": status,
        "total": "25.98",
        "notes": MARK,
        "items": [item_row()],
        "payments": [],
        "kots": [],
    }
    return {**values, **changes}


def ticket_row(ticket_id: int = 9, status: str = "in_kitchen", items: Any = None, **more: Any) -> Any:
    """A ticket as an order shows it."""
    held = [{"menu_item_id": 15, "quantity": 2}] if items is None else items
    return {"id": ticket_id, "kot_number": f"KOT-{ticket_id:03}", "status": status, "items": held, **more}

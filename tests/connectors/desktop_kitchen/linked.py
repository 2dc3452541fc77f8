"""A Desktop Kitchen link whose calls end in a respx router, answers as the server words them, and orders to submit."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import msgspec
import respx

from connectors.desktop_kitchen.connector import DesktopKitchenConnector
from hub.contract.connector import LinkContext
from hub.contract.http import HttpProfile, VendorHttp
from hub.contract.redact import Redactor
from hub.contract.registry import installed_connectors
from hub.contract.tables import load_tables
from hub.contract.writes import OrderWrite
from hub.model.check import Check, Line, Modifier, Totals
from hub.model.decimals import decode_json
from hub.model.order import Customer, MoneyAudit, Order, Origin, Timing
from hub.model.status import OrderType
from hub.model.venue import Link, RateLimit
from tests.contract.ports import CallList, MemoryRefs, MemoryTokens, NoPacing, StandingClock

BASE_URL = "https://kitchen.test/api"
LINK_ID = "link_dk"
NOW_MS = 1_795_000_000_000  # 2026-11-18T11:06:40Z
MARK = "#H7F3K9Q2"
KEY = "0fe7bc1e-9972-4c2f-bf03-4e0f09ba9d9d"
PIN = "604913-secret"
TOKEN = "eyJ.EXAMPLE-employee-token.sig"
CONFIG: Mapping[str, Any] = {"tenant": "taqueria-el-faro", "pin": PIN}


class LinkedKitchen:
    """A connector with its ports in memory. `token` is kept from the start, with employee 7; pass "" for none."""

    def __init__(
        self,
        config: Mapping[str, Any] = CONFIG,
        *,
        token: str = TOKEN,
        transport: Any = None,
        base_url: str = "",
        limiter: Any = None,
        rate_limits: Sequence[RateLimit] = (),
        link_id: str = LINK_ID,
    ) -> None:
        self.router = respx.Router(assert_all_called=False)
        self.sink = CallList()
        self.tokens = MemoryTokens()
        self.refs = MemoryRefs()
        self.clock = StandingClock(NOW_MS)
        if token:
            self.tokens.tokens[link_id] = (token, NOW_MS + 86_400_000)
            self.refs.refs[(link_id, "employee", config["tenant"])] = "7"
        manifest = installed_connectors().get("desktop_kitchen").manifest
        http = VendorHttp(
            HttpProfile("desktop_kitchen", link_id, base_url or BASE_URL, 3.0, 5.0, rate_limits),
            transport=transport or httpx.MockTransport(self.router.async_handler),
            sink=self.sink,
            limiter=limiter or NoPacing(),
            clock=self.clock,
            redactor=Redactor(manifest.secret_headers, manifest.secret_fields, [str(config.get("pin", PIN))]),
        )
        self.context = LinkContext(
            link=Link(id=link_id, venue_id="loc_1", connector="desktop_kitchen", config=config),
            config=config,
            currency="MXN",
            timezone="America/Mexico_City",
            http=http,
            tables=load_tables("desktop_kitchen"),
            tokens=self.tokens,
            refs=self.refs,
            clock=self.clock,
        )
        self.connector = DesktopKitchenConnector(self.context)

    def route(self, method: str, path: str) -> respx.Route:
        """The route for exactly this path of the API, whatever its query."""
        return self.router.route(method=method, url__regex=rf"^{BASE_URL}{path}(\?.*)?$")

    def answers(self, method: str, path: str, *bodies: Any, status: int = 200) -> respx.Route:
        """Arranges JSON answers in turn; the last one again and again. An error or response is given as it is."""
        route, waiting = self.route(method, path), list(bodies)

        def answer(_: httpx.Request) -> httpx.Response:
            body = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            if isinstance(body, Exception):
                raise body
            return body if isinstance(body, httpx.Response) else httpx.Response(status, json=body)

        route.mock(side_effect=answer)
        return route

    def signs_in(self, **changes: Any) -> respx.Route:
        """Logging in succeeds."""
        return self.answers("POST", "/employees/login", login_answer() | changes)

    def takes_orders(self, **changes: Any) -> respx.Route:
        """`POST /orders` answers every order as the server does: item for item, with its own sums."""

        def answer(request: httpx.Request) -> httpx.Response:
            return httpx.Response(201, json=created(decode_json(request.content)) | changes)

        route = self.route("POST", "/orders")
        route.mock(side_effect=answer)
        return route


def refused(status: int, text: str, **more: Any) -> httpx.Response:
    """An error as the server words it."""
    return httpx.Response(status, json={"error": text, **more})


def login_answer() -> dict[str, Any]:
    """The hub's employee."""
    permissions = ["pos_access", "manage_menu"]
    return {"id": 7, "name": "Hub", "role": "manager", "active": True, "permissions": permissions, "token": TOKEN}


PRICES = {4: 130.0, 19: 50.0, 140: 12.99}
ADJUSTMENTS = {1: 15.0, 2: 20.0}


def created(body: Mapping[str, Any], order_id: int = 108) -> dict[str, Any]:
    """The answer to a new order, with JSON numbers."""
    items = [_created_item(item) for item in body["items"]]
    total = round(sum(item["unit_price"] * item["quantity"] for item in items), 2)
    tax = round(total - total / 1.16, 2)
    return {
        "id": order_id,
        "order_number": "20261118001",
        "employee_id": body["employee_id"],
        "status": "pending",
        "subtotal": round(total - tax, 2),
        "tax": tax,
        "tip": 0,
        "total": total,
        "payment_status": "unpaid",
        "items": items,
        "estimated_ready_minutes": 5,
        "estimated_ready_range": {"low": 4, "high": 7},
    }


def _created_item(item: Mapping[str, Any]) -> dict[str, Any]:
    known = [one for one in item.get("modifiers", []) if one in ADJUSTMENTS]
    price = PRICES[item["menu_item_id"]] + sum(ADJUSTMENTS[one] for one in known)
    return {
        "menu_item_id": item["menu_item_id"],
        "item_name": f"Item {item['menu_item_id']}",
        "quantity": item["quantity"],
        "unit_price": price,
        "notes": item.get("notes"),
        "combo_instance_id": None,
        "modifiers": [
            {"id": one, "name": f"Modifier {one}", "price_adjustment": f"{ADJUSTMENTS[one]:.2f}"} for one in known
        ],
    }


def read_back(order_id: int | str = 108, *, notes: str | None = None, **changes: Any) -> dict[str, Any]:
    """`GET /orders/:id`, with amounts as texts."""
    item = {
        "id": 1,
        "order_id": order_id,
        "menu_item_id": 4,
        "item_name": "Torta Cubana",
        "quantity": 2,
        "unit_price": "145.00",
        "notes": notes,
        "combo_instance_id": None,
        "modifiers": [{"id": 1, "modifier_id": 1, "modifier_name": "Queso extra", "price_adjustment": "15.00"}],
    }
    return {**listed(order_id), "items": [item], **changes}


def listed(order_id: int | str = 108, **changes: Any) -> dict[str, Any]:
    """A row of `GET /orders`: no items."""
    row = {
        "id": order_id,
        "order_number": "20261118001",
        "employee_id": 7,
        "status": "pending",
        "subtotal": "250.00",
        "tax": "40.00",
        "tip": "0.00",
        "total": "290.00",
        "payment_status": "unpaid",
        "payment_method": None,
        "source": "pos",
        "created_at": "2026-11-18T11:06:40.835Z",
        "completed_at": None,
        "employee_name": "Hub",
    }
    return {**row, **changes}


def in_kitchen(order_id: int | str = 108, *, notes: str | None = None, **changes: Any) -> dict[str, Any]:
    """A row of the kitchen's list: notes and no prices."""
    row = {
        "id": order_id,
        "order_number": "20261118001",
        "status": "pending",
        "payment_method": None,
        "source": "pos",
        "created_at": "2026-11-18T11:06:40.835Z",
        "estimated_ready_minutes": 5,
        "table_number": None,
        "employee_name": "Hub",
        "items": [{"id": 1, "item_name": "Torta Cubana", "quantity": 2, "notes": notes, "modifiers": []}],
    }
    return {**row, **changes}


def payment(order_id: int = 108, **changes: Any) -> dict[str, Any]:
    """`GET /payments/:order_id`; the id is a text here."""
    row = {"order_id": str(order_id), "payment_status": "unpaid", "payment_method": None, "amount": "290.00"}
    return {**row, "refund_total": "0.00", **changes}


def torta(**changes: Any) -> Line:
    """Two of item 4 with extra cheese."""
    cheese = Modifier(modifier_id="mod_1", group_id="g", name="Queso extra", unit_cents=1500, vendor={"id": 1})
    values: dict[str, Any] = {
        "uid": "li_1",
        "item_id": "item_4",
        "name": "Torta Cubana",
        "quantity": 2,
        "unit_cents": 13000,
        "gross_cents": 29000,
        "modifiers": (cheese,),
        "vendor": {"id": 4, "category_id": 2},
    }
    return Line(**{**values, **changes})


def flan(**changes: Any) -> Line:
    """One of item 19."""
    values: dict[str, Any] = {"uid": "li_2", "item_id": "item_19", "name": "Flan", "quantity": 1, "unit_cents": 5000}
    return Line(**{**values, "gross_cents": 5000, "vendor": {"id": 19}, **changes})


def order(lines: Sequence[Line] = (), **changes: Any) -> Order:
    """A pickup of two tortas, or of other lines."""
    lines = tuple(lines) or (torta(),)
    goods = sum(line.gross_cents for line in lines)
    check = Check(id="chk_1", lines=lines, totals=Totals(subtotal_cents=goods, total_cents=goods))
    values: dict[str, Any] = {
        "id": "order_019a",
        "venue_id": "loc_1",
        "number": "DK-001",
        "order_type": OrderType.PICKUP,
        "origin": Origin(system="api"),
        "timing": Timing(timezone="America/Mexico_City", business_date="2026-11-18"),
        "currency": "MXN",
        "checks": (check,),
        "customer": Customer(name="Ana", phone="555-1234"),
        "money_audit": MoneyAudit(computed_cents=changes.pop("computed_cents", goods)),
        "created_at_ms": NOW_MS,
        "updated_at_ms": NOW_MS,
    }
    return Order(**{**values, **changes})


def write(of: Order | None = None, **changes: Any) -> OrderWrite:
    """A write about an order."""
    values: dict[str, Any] = {"order": of or order(), "idempotency_key": KEY, "mark": MARK}
    return OrderWrite(**{**values, **changes})


def sent(route: respx.Route) -> Any:
    """The body of a route's last call."""
    return msgspec.json.decode(route.calls.last.request.content)

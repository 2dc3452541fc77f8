"""A Mozrest link whose calls end in a respx router, the documentation's samples, and orders to tell of."""

from collections.abc import Mapping
from typing import Any

import httpx
import msgspec
import respx

from connectors.mozrest.connector import MozrestConnector
from hub.contract.connector import LinkContext
from hub.contract.http import HttpProfile, VendorHttp
from hub.contract.inbound import InboundRequest, InboundRoute
from hub.contract.redact import Redactor
from hub.contract.tables import load_tables
from hub.contract.writes import OrderWrite
from hub.model.change import OrderSnapshot
from hub.model.check import Check, Line, Totals
from hub.model.order import Customer, MoneyAudit, Order, Origin, Timing, VendorRef
from hub.model.status import OrderType, Status
from hub.model.venue import Link
from tests.contract.ports import CallList, MemoryRefs, MemoryTokens, NoPacing, StandingClock

BASE_URL = "https://mozrest.test/v1/pos"
NOW_MS = 1_795_000_000_000  # 2026-11-18T11:06:40Z
KEY, TOKEN = "key-for-mozrest", "token-for-the-hub"
MOZREST_ID = "fd30c18b-71fb-43f7-b895-34ab0b9ceced"
ORDER_ID = "order_019a0000000070008000000000000001"

CONFIG: Mapping[str, Any] = {"venue_id": "venue-1", "api_key": KEY, "hub_token": TOKEN, "base_url": BASE_URL}

# https://doc.mozrest.com/pos/pos-must-expose, read 2026-11-21
SEATING: Mapping[str, Any] = {
    "id": MOZREST_ID,
    "tables": ["T12"],
    "guestName": "John Doe",
    "guestEmail": "john.doe@mail.com",
    "guestTelephone": "34646883377",
    "partySize": 4,
    "prepayment": 50.00,
    "date": "2025-02-15 14:30:00",
}


class LinkedMozrest:
    """A connector with its ports in memory."""

    def __init__(
        self, config: Mapping[str, Any] = CONFIG, *, currency: str = "EUR", transport: Any = None, **more: Any
    ) -> None:
        config = {**config, **more}
        self.router = respx.Router(assert_all_called=False)
        self.sink = CallList()
        self.clock = StandingClock(NOW_MS)
        http = VendorHttp(
            HttpProfile("mozrest", "link_mozrest", str(config.get("base_url", "")), 3.0, 5.0, ()),
            transport=transport or httpx.MockTransport(self.router.async_handler),
            sink=self.sink,
            limiter=NoPacing(),
            clock=self.clock,
            redactor=Redactor(["authorization"], ["api_key", "hub_token"], [config["api_key"], config["hub_token"]]),
        )
        link = Link(id="link_mozrest", venue_id="loc_1", connector="mozrest", role="channel", config=config)
        self.context = LinkContext(
            link=link,
            config=config,
            currency=currency,
            timezone="Europe/Madrid",
            http=http,
            tables=load_tables("mozrest"),
            tokens=MemoryTokens(),
            refs=MemoryRefs(),
            clock=self.clock,
        )
        self.connector = MozrestConnector(self.context)

    def answers(self, method: str, path: str, body: Any = None, status: int = 200) -> respx.Route:
        """Arranges one JSON answer."""
        route = self.router.route(method=method, url=f"{BASE_URL}{path}")
        return route.mock(return_value=httpx.Response(status, json=body))

    def called(self, name: str, *, order: str = "", query: Mapping[str, str] | None = None, body: Any = None) -> Any:
        """The command behind a call of Mozrest's."""
        return self.connector.parse(request(name, order=order, query=query, body=body))


def route_of(name: str) -> InboundRoute:
    """The route of this name."""
    return next(route for route in MozrestConnector.routes if route.name == name)


def request(
    name: str,
    *,
    venue: str = "venue-1",
    order: str = "",
    query: Mapping[str, str] | None = None,
    body: Any = None,
    token: str = TOKEN,
) -> InboundRequest:
    """A call of Mozrest's with the link's token. A body of bytes goes out as it is."""
    content = b"" if body is None else body if isinstance(body, bytes) else msgspec.json.encode(body)
    path = {"venueId": venue} | ({"orderId": order} if order else {})
    return InboundRequest(route_of(name), path, query or {}, {"authorization": f"Bearer {token}"}, content)


def line(unit_cents: int = 1299, quantity: int = 2, **changes: Any) -> Line:
    """Two steaks."""
    gross = unit_cents * quantity
    values: dict[str, Any] = {"uid": "li_1", "item_id": "item_1", "name": "Steak", "quantity": quantity}
    return Line(**{**values, "unit_cents": unit_cents, "gross_cents": gross, **changes})


def check(*lines: Line, **changes: Any) -> Check:
    """A check of these lines."""
    gross = sum(one.gross_cents for one in lines)
    values: dict[str, Any] = {"id": "check_1", "lines": lines}
    return Check(**{**values, "totals": Totals(subtotal_cents=gross, total_cents=gross), **changes})


def order(*checks: Check, **changes: Any) -> Order:
    """The order of a party at T12 that Mozrest seated."""
    values: dict[str, Any] = {
        "id": ORDER_ID,
        "venue_id": "loc_1",
        "number": "DT-001",
        "order_type": OrderType.DINE_IN,
        "origin": Origin(system="mozrest", order_id=MOZREST_ID),
        "status": Status.OPEN,
        "timing": Timing(timezone="Europe/Madrid", business_date="2026-11-18"),
        "currency": "EUR",
        "checks": checks or (check(line()),),
        "tables": ("T12",),
        "party_size": 4,
        "customer": Customer(name="John Doe", phone="+34646883377", email="john.doe@mail.com"),
        "money_audit": MoneyAudit(computed_cents=2598),
        "created_at_ms": NOW_MS - 3_600_000,
        "updated_at_ms": NOW_MS,
    }
    return Order(**{**values, **changes})


def write(of: Order | None = None, **changes: Any) -> OrderWrite:
    """What the outbox gives for a push about this order."""
    told = of or order()
    values: dict[str, Any] = {
        "order": told,
        "idempotency_key": "0fe7bc1e-9972-4c2f-bf03-4e0f09ba9d9d",
        "mark": "#H7F3K9Q2",
        "ref": VendorRef(kind="order", id=MOZREST_ID),
        "change": OrderSnapshot(order=told),
    }
    return OrderWrite(**{**values, **changes})

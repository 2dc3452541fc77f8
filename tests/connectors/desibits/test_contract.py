"""Desibits passes the contract of every POS connector."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest
import respx

from hub.contract.writes import OrderWrite
from hub.model.decimals import encode_json
from hub.model.order import VendorRef
from tests.connectors.desibits.linked import (
    API,
    ORDER_TYPES,
    SECRET,
    LinkedDesibits,
    line,
    order,
    order_row,
    write,
)
from tests.contract.pos import PosContract, PosVendor


class DesibitsVendor(PosVendor):
    """Desibits, its answers in the documented envelope."""

    order_schema = "desibits/order_create"

    def __init__(self) -> None:
        self.linked = LinkedDesibits()
        self.connector = self.linked.connector
        self.calls = self.linked.sink.calls
        self.secrets = (SECRET,)

    def write(self, *, unit_cents: int = 1299, quantity: int = 2) -> OrderWrite:
        return write(order(line(unit_cents=unit_cents, quantity=quantity)))

    def takes_orders(self) -> tuple[respx.Route, str]:
        self.linked.shows(order_row())
        created = {"id": 123, "order_number": "ORD-001-123", "status": "draft", "total": 25.98}
        return self.linked.answers("POST", "/orders", created, 201), "123"

    def shows_order(self, *, status: str, total: str) -> VendorRef:
        row = {"id": 123, "status": status, "total": total, "items": [], "payments": []}
        self.shown = self.linked.answers("GET", "/orders/123", row)
        return VendorRef(kind="order", id="123")

    def order_route(self) -> respx.Route:
        return self.shown

    def renews_tokens(self) -> None:
        return

    def lists(self, bodies: Sequence[Any]) -> None:
        rows = [{"id": 123 + index, "status": "draft", **body} for index, body in enumerate(bodies)]
        content = encode_json({"success": True, "data": rows})
        self.linked.route("GET", "/orders").mock(return_value=httpx.Response(200, content=content))

    def unit_price_sent(self, body: Any) -> Any:
        return body["items"][0]["price"]

    def key_sent(self, request: httpx.Request) -> str | None:
        key: str | None = request.headers.get("idempotency-key")
        return key

    def refusal(self) -> Mapping[str, Any]:
        return {"success": False, "message": "Menu item 15 is not for sale"}

    def ready_for_probe(self) -> respx.Router:
        self.linked.answers("GET", "/order-types", ORDER_TYPES)
        self.linked.answers("GET", "/tables", [{"id": 5, "name": "T5"}])
        self.linked.answers("GET", "/payment-methods", [{"id": 1, "name": "Cash", "code": "cash"}])
        self.linked.answers("GET", "/kitchens", [])
        self.linked.answers("GET", "/orders", [])
        return self.linked.router

    def changes_data(self, request: httpx.Request) -> bool:
        assert str(request.url).startswith(API)
        return request.method != "GET"


class TestDesibits(PosContract):
    @pytest.fixture
    def vendor(self) -> PosVendor:
        return DesibitsVendor()

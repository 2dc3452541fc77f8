"""Desktop Kitchen passes the contract of every POS connector."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest
import respx

from hub.contract.writes import OrderWrite
from hub.model.order import VendorRef
from tests.connectors.desktop_kitchen.linked import (
    CONFIG,
    PIN,
    TOKEN,
    LinkedKitchen,
    in_kitchen,
    order,
    read_back,
    torta,
    write,
)
from tests.contract.pos import PosContract, PosVendor


class KitchenVendor(PosVendor):
    """Desktop Kitchen, with either header the hub can come with."""

    order_schema = "desktop_kitchen/order_create"

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.linked = LinkedKitchen(config)
        self.connector = self.linked.connector
        self.calls = self.linked.sink.calls
        self.secrets = (PIN, TOKEN)

    def write(self, *, unit_cents: int = 1299, quantity: int = 2) -> OrderWrite:
        line = torta(
            quantity=quantity,
            unit_cents=unit_cents,
            gross_cents=unit_cents * quantity,
            modifiers=(),
            vendor={"id": 140},
        )
        return write(order([line]))

    def takes_orders(self) -> tuple[respx.Route, str]:
        return self.linked.takes_orders(), "108"

    def shows_order(self, *, status: str, total: str) -> VendorRef:
        row = read_back(status=status, total=total)
        self.shown = self.linked.route("GET", "/orders/108").mock(return_value=httpx.Response(200, json=row))
        return VendorRef(kind="order", id="108")

    def order_route(self) -> respx.Route:
        return self.shown

    def renews_tokens(self) -> None:
        self.linked.signs_in()

    def lists(self, bodies: Sequence[Any]) -> None:
        notes = [body["items"][0]["notes"] for body in bodies]
        rows = [in_kitchen(108 + index, notes=note) for index, note in enumerate(notes)]
        self.linked.answers("GET", "/orders/kitchen/active", rows)
        self.linked.answers("GET", "/orders", [])

    def unit_price_sent(self, body: Any) -> Any:
        return None  # the price is that of the restaurant's own menu

    def key_sent(self, request: httpx.Request) -> str | None:
        key: str = httpx.Response(200, content=request.content).json()["offline_temp_id"]
        return key

    def key_of(self, write: OrderWrite) -> str:
        return f"hub:{write.order.id}"

    def refusal(self) -> Mapping[str, Any]:
        return {"error": "Item not found"}

    def ready_for_probe(self) -> respx.Router:
        self.renews_tokens()
        self.linked.answers("GET", "/employees", [{"id": 7, "name": "Hub", "role": "manager", "active": True}])
        self.linked.answers("GET", "/menu/items", [])
        self.linked.answers("GET", "/orders/kitchen/active", [])
        return self.linked.router

    def changes_data(self, request: httpx.Request) -> bool:
        return request.method != "GET" and not request.url.path.endswith("/employees/login")


class TestDesktopKitchen(PosContract):
    @pytest.fixture
    def vendor(self) -> PosVendor:
        return KitchenVendor(CONFIG)


class TestDesktopKitchenWithTheDocumentedHeader(PosContract):
    @pytest.fixture
    def vendor(self) -> PosVendor:
        return KitchenVendor({**CONFIG, "legacy_employee_header": True, "employee_id": 7})

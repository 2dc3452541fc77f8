"""Clopos passes the contract of every POS connector, in both dialects."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest
import respx

from hub.contract.writes import OrderWrite
from hub.model.order import VendorRef
from tests.connectors.clopos.linked import SECRET, V1, V2, LinkedClopos, documented, order, plain_line, write
from tests.contract.pos import PosContract, PosVendor


class CloposVendor(PosVendor):
    """Clopos in one dialect."""

    def __init__(self, config: Mapping[str, Any], order_schema: str) -> None:
        self.linked = LinkedClopos(config)
        self.linked.knows_customer("994705401040", 9)
        self.connector = self.linked.connector
        self.calls = self.linked.sink.calls
        self.secrets = (SECRET, "oauth_EXAMPLE")
        self.order_schema = order_schema

    def write(self, *, unit_cents: int = 1299, quantity: int = 2) -> OrderWrite:
        return write(order([plain_line(unit_cents, quantity)]))

    def takes_orders(self) -> tuple[respx.Route, str]:
        return self.linked.answers(
            "POST", "/orders", {"success": True, "data": _row(108, self.nested("x"))}, 201
        ), "108"

    def shows_order(self, *, status: str, total: str) -> VendorRef:
        row = _row(108, self.nested("x"), status=status)
        row["payload"]["meta"]["orderTotal"] = f"{total}00"
        self.shown = self.linked.answers("GET", "/orders/108", {"success": True, "data": row})
        return VendorRef(kind="order", id="108")

    def order_route(self) -> respx.Route:
        return self.shown

    def renews_tokens(self) -> None:
        self.linked.answers("POST", "/auth", documented("auth_v2" if self.linked.prefix else "auth_v1"))

    def lists(self, bodies: Sequence[Any]) -> None:
        rows = [_row(108 + index, self.nested(_comment(body))) for index, body in enumerate(bodies)]
        self.linked.answers("GET", "/orders", {"success": True, "data": rows, "total": len(rows)})

    def unit_price_sent(self, body: Any) -> Any:
        return body["payload"]["products"][0]["meta"]["price"] if "payload" in body else body["products"][0]["price"]

    def key_sent(self, request: httpx.Request) -> str | None:
        key: str | None = request.headers.get("idempotency-key")
        return key

    def refusal(self) -> Mapping[str, Any]:
        return {"success": False, "error": "validation_failed", "message": "Product 140 is not for sale"}

    def ready_for_probe(self) -> respx.Router:
        self.renews_tokens()
        self.linked.answers("GET", "/venues", documented("venues"))
        self.linked.answers("GET", "/sale-types", documented("sale_types_v1"))
        self.linked.answers("GET", "/products", documented("products"))
        self.linked.answers("GET", "/orders", {"success": True, "data": []})
        return self.linked.router

    def changes_data(self, request: httpx.Request) -> bool:
        return request.method != "GET" and not request.url.path.endswith("/auth")

    def nested(self, comment: str) -> dict[str, Any]:
        payload: dict[str, Any] = documented("get_order_v1")["data"]["payload"]
        payload["meta"]["comment"] = comment
        return payload


def _row(order_id: int, payload: dict[str, Any], status: str = "PENDING") -> dict[str, Any]:
    return {"id": order_id, "venue_id": 1, "status": status, "payload": payload}


def _comment(body: Any) -> str:
    comment: str = body["payload"]["meta"]["comment"] if "payload" in body else body["comment"]
    return comment


class TestCloposV1(PosContract):
    @pytest.fixture
    def vendor(self) -> PosVendor:
        return CloposVendor(V1, "clopos/order_create_v1")


class TestCloposV2(PosContract):
    @pytest.fixture
    def vendor(self) -> PosVendor:
        return CloposVendor(V2, "clopos/order_create_v2")

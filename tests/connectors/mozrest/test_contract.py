"""Mozrest passes the contract of every channel connector."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest
import respx

from hub.contract.inbound import Command, GetTab, InboundRequest, ListTables, ListTabs, OpenTab
from hub.contract.writes import Operation
from hub.model.order import Order
from hub.model.status import Status
from tests.connectors.mozrest.linked import (
    KEY,
    MOZREST_ID,
    ORDER_ID,
    SEATING,
    TOKEN,
    LinkedMozrest,
    check,
    line,
    order,
    request,
)
from tests.contract.channel import ChannelContract, ChannelParty

PATHS = {
    Operation.PUSH_OPENED: ("POST", "/venue-1/order"),
    Operation.PUSH_CHANGED: ("PUT", f"/venue-1/order/{ORDER_ID}"),
    Operation.PUSH_CLOSED: ("PUT", f"/venue-1/order/{ORDER_ID}/close"),
    Operation.PUSH_VOID: ("PUT", f"/venue-1/order/{ORDER_ID}/void"),
}


class Mozrest(ChannelParty):
    """Mozrest as its documentation describes it."""

    def __init__(self) -> None:
        self.linked = LinkedMozrest()
        self.connector = self.linked.connector
        self.calls = self.linked.sink.calls
        self.secrets = (KEY, TOKEN)
        self.error_schema = "mozrest/error"
        self.order_schema = "mozrest/order"

    def order(self, *, status: Status = Status.OPEN, unit_cents: int = 1299, quantity: int = 2) -> Order:
        return order(check(line(unit_cents, quantity), status=status), status=status)

    def examples(self) -> Mapping[type[Command], InboundRequest]:
        return {
            ListTables: request("list_tables"),
            OpenTab: request("open_order", body=SEATING),
            ListTabs: request("list_orders", query={"status": "open", "from": "2025-02-01T00:00:00Z"}),
            GetTab: request("get_order", order=ORDER_ID),
        }

    def without_token(self, request: InboundRequest) -> InboundRequest:
        return replace(request, headers={})

    def with_token(self, request: InboundRequest, token: str) -> InboundRequest:
        return replace(request, headers={"authorization": f"Bearer {token}"})

    def malformed(self) -> Sequence[InboundRequest]:
        bodies: Sequence[Any] = (
            b"",
            b"{",
            b"\xff",
            b"[" * 100_000,
            b'{"tables": ["\\ud800"]}',
            [],
            {},
            {"tables": []},
            {"tables": [""]},
            {"tables": [{}]},
            {"tables": ["T\x0012"]},
            {**SEATING, "partySize": "many"},
            {**SEATING, "partySize": -1},
            {**SEATING, "prepayment": -5},
            {**SEATING, "prepayment": True},
            b'{"tables": ["T1"], "prepayment": 1e999999999}',
            {**SEATING, "date": "tomorrow"},
            {**SEATING, "date": "0001-01-01 00:00:00"},
            {**SEATING, "guestName": "x" * 1000},
            {**SEATING, "guestName": {"first": "John"}},
            {**SEATING, "items": [{"id": 1}] * 1000},
        )
        return [request("open_order", body=body) for body in bodies]

    def takes(self, operation: Operation) -> respx.Route:
        method, path = PATHS[operation]
        return self.linked.answers(method, path, {"id": MOZREST_ID, "status": "open"})

    def unit_price(self, body: Any) -> Any:
        return body["checks"][0]["items"][0]["price"]

    def ready_for_probe(self) -> respx.Router:
        refused = {"error": {"code": 404, "message": "Order not found"}}
        self.linked.answers("PUT", "/venue-1/order/openpos-hub-probe", refused, 404)
        return self.linked.router

    def changes_data(self, request: httpx.Request) -> bool:
        return request.method != "GET" and request.content != b"{}"


class TestMozrest(ChannelContract):
    @pytest.fixture
    def channel(self) -> ChannelParty:
        return Mozrest()

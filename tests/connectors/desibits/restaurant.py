"""A restaurant whose Desibits is the sandbox, on a real socket, with its connector."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from msgspec import structs

from connectors.desibits.sandbox import DesibitsSandbox, load_seed
from hub.contract.http import new_transport
from hub.contract.sandbox import serving
from hub.contract.writes import OrderWrite, WriteResult
from hub.model.change import Change, PaymentChange
from hub.model.decimals import decode_json
from hub.model.payment import Payment
from hub.model.status import OrderType
from tests.connectors.clopos.conftest import FakeClock
from tests.connectors.desibits.linked import CONFIG, LinkedDesibits, order, write

LATER = "5a1b6f1e-1111-4c2f-bf03-4e0f09000001"


class Restaurant:
    """A link to a running sandbox; both see the same time."""

    def __init__(self, url: str, transport: Any, clock: FakeClock, kitchen: Any, settings: Any) -> None:
        self.url = url
        now_ms = int(clock().timestamp() * 1000)
        config = {**CONFIG, **settings, "base_url": url, "token": "sandbox-secret"}
        self.linked = LinkedDesibits(config, kitchen=kitchen, transport=transport, now_ms=now_ms, order_types=None)
        self.connector = self.linked.connector
        self.now_ms = now_ms

    def write(self, *lines: Any, **changes: Any) -> OrderWrite:
        placed = {"order_type": OrderType.PICKUP, "created_at_ms": self.now_ms}
        return write(order(*lines, **{**placed, **changes}))

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client:
            answer = await client.request(method, f"/_sandbox/{path}", json=body)
            return decode_json(answer.raise_for_status().content)

    async def fails(self, fault: str, operation: str, **more: Any) -> None:
        await self.control("PUT", "faults", [{"fault": fault, "operation": operation, "times": 1, **more}])

    async def orders(self) -> list[tuple[int, str]]:
        """Number and status of every order the restaurant ever got."""
        return [(one["number"], one["status"]) for one in await self.control("GET", "orders")]

    async def cooked(self) -> list[tuple[int, list[tuple[str, int]]]]:
        """What the kitchen was told, ticket by ticket."""
        told = await self.control("GET", "kitchen")
        return [(kot["order"], [(item["name"], item["quantity"]) for item in kot["items"]]) for kot in told]

    async def placed(self, request: OrderWrite) -> OrderWrite:
        """The order in both steps; the same write with its id."""
        request = structs.replace(request, ref=(await self.connector.submit_order(request)).ref)
        await self.connector.send_to_kitchen(request)
        return request

    async def pay(self, request: OrderWrite, *payments: Payment) -> WriteResult:
        change = PaymentChange(check_id="chk_1", payments=payments)
        return await self.connector.record_payment(self.changed(request, change))

    def changed(self, request: OrderWrite, change: Change, key: str = LATER) -> OrderWrite:
        return structs.replace(request, change=change, idempotency_key=key)


@asynccontextmanager
async def playing(*, kitchen: str = "pos", settings: Any = None, **options: Any) -> AsyncIterator[Restaurant]:
    clock = FakeClock()
    sandbox, transport = DesibitsSandbox(load_seed() | {"options": options}, clock=clock), new_transport()
    try:
        async with serving(sandbox.app()) as url:
            yield Restaurant(url, transport, clock, kitchen, settings or {})
            await transport.aclose()
    finally:
        sandbox.close()

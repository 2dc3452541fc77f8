"""A running Mozrest sandbox for tests, and a small POS after Mozrest's documentation for it to call."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from aiohttp import web

from connectors.mozrest.sandbox import MozrestSandbox
from hub.contract.sandbox import json_answer, serving
from hub.contract.sandbox.ledger import from_json, to_json

VENUE = "demo-bistro"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def lines() -> list[dict[str, Any]]:
    """The lines of the documented sample: 2 x 40 + 70 = 150."""
    return [
        {"id": 1, "name": "Steak", "price": Decimal("40.00"), "quantity": 2},
        {"id": 2, "name": "Wine", "price": Decimal("70.00"), "quantity": 1},
    ]


def check(number: str = "98766", **changes: Any) -> dict[str, Any]:
    """The bill of the documented sample."""
    return {
        "checkNumber": number,
        "status": "open",
        "totalAmount": Decimal("150.00"),
        "tax": Decimal("12.00"),
        "tip": Decimal("20.00"),
        "discount": Decimal("10.00"),
        "paymentMethod": "card",
        "items": lines(),
        **changes,
    }


def order(order_id: str = "62ebe5e7210c83a0f3adf9d1", *checks: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """The order of the documented sample."""
    own = [dict(one) for one in checks] or [check()]
    return {"id": order_id, "status": "open", "tables": ["T12"], "partySize": 2, "checks": own, **changes}


class FakePos:
    """A POS: tables, orders by Mozrest's id, 409 on an occupied table.

    `planned` holds answers to give in place of its own, one for each call: (status, body), or None to hang up after
    the work. `doubling` makes an order for every call.
    """

    def __init__(self) -> None:
        self.url = ""
        self.heard: list[tuple[str, str, Any]] = []
        self.tokens: set[str] = set()
        self.orders: dict[str, dict[str, Any]] = {}
        self.tables: Any = [{"id": "T12", "name": "Table 12"}, {"id": "T13", "name": "Table 13"}]
        self.planned: list[tuple[int, Any] | None] = []
        self.doubling = False
        self._by_mozrest_id: dict[str, str] = {}

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._plan])
        app.router.add_get("/pos/venue/{venue}/tables", self._list_tables)
        app.router.add_post("/pos/venue/{venue}/orders", self._open)
        app.router.add_get("/pos/venue/{venue}/orders", self._list)
        app.router.add_get("/pos/venue/{venue}/orders/{id}", self._show)
        return app

    @web.middleware
    async def _plan(self, request: web.Request, handler: Any) -> web.StreamResponse:
        raw = await request.read()
        self.heard.append((request.method, request.path_qs, from_json(raw) if raw else None))
        self.tokens.add(request.headers.get("Authorization", ""))
        planned: Any = self.planned.pop(0) if self.planned else "its own"
        if planned is None:
            await handler(request)
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if planned != "its own":
            return json_answer(planned[1], planned[0])
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _list_tables(self, _: web.Request) -> web.Response:
        return json_answer(self.tables)

    async def _open(self, request: web.Request) -> web.Response:
        body = from_json(await request.read())
        await asyncio.sleep(0)
        known = self._by_mozrest_id.get(body.get("id", ""))
        if known is None or self.doubling:
            taken = {table for one in self.orders.values() if one["status"] == "open" for table in one["tables"]}
            if taken & set(body["tables"]) and not self.doubling:
                return json_answer({"error": {"code": 409, "message": "Table is occupied"}}, 409)
            known = str(len(self.orders) + 1)
            empty = check(f"C{known}", totalAmount=0, tax=0, tip=0, discount=0, paymentMethod=None, items=[])
            self.orders[known] = {**order(known, empty), "guestName": body.get("guestName")}
            self._by_mozrest_id[body.get("id", "")] = known
        self.orders[known] |= {name: body[name] for name in ("tables", "partySize") if name in body}
        return json_answer({"id": known, "checkNumber": f"C{known}"})

    async def _list(self, request: web.Request) -> web.Response:
        status = request.query.get("status")
        return json_answer([one for one in self.orders.values() if status in (None, one["status"])])

    async def _show(self, request: web.Request) -> web.Response:
        found = self.orders.get(request.match_info["id"])
        return json_answer(found) if found else json_answer({"error": {"code": 404, "message": "no order"}}, 404)


@dataclass
class Play:
    """A running sandbox with a client; `now` is its clock, `pauses` what it waited between repetitions."""

    sandbox: MozrestSandbox
    pos: FakePos
    client: httpx.AsyncClient
    now: datetime = NOON
    pauses: list[float] = field(default_factory=list)

    async def call(
        self, method: str, path: str, body: Any = None, *, key: str | None = "sandbox-secret"
    ) -> tuple[int, Any]:
        """A call of the POS to `/v1/pos/demo-bistro/...`: status and body."""
        headers = {b"Authorization": f"Bearer {key}".encode()} if key is not None else {}
        content = None if body is None else body if isinstance(body, bytes) else to_json(body)
        answer = await self.client.request(method, f"/v1/pos/{VENUE}{path}", content=content, headers=headers)
        return answer.status_code, from_json(answer.content)

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        """A control call that works."""
        answer = await self.client.request(method, f"/_sandbox/{path}", content=None if body is None else to_json(body))
        assert answer.status_code == 200, answer.text
        return from_json(answer.content)

    async def seated(self, **wish: Any) -> dict[str, Any]:
        """Seats a guest at T12 and gives what came of it."""
        result: dict[str, Any] = await self.control("POST", "seat", {"tables": ["T12"], "partySize": 2, **wish})
        return result

    async def walk_in(self, body: Any = None) -> str:
        """Reports a walk-in and gives Mozrest's id of it."""
        status, answer = await self.call("POST", "/order", body or order())
        assert (status, answer["status"]) == (200, "open"), answer
        order_id: str = answer["id"]
        return order_id

    async def view(self) -> list[dict[str, Any]]:
        """The orders as Mozrest sees them."""
        orders: list[dict[str, Any]] = (await self.control("GET", "view"))["orders"]
        return orders

    async def warnings(self) -> list[str]:
        """The warnings about the only order."""
        (only,) = await self.view()
        return [warning["text"] for warning in only["warnings"]]


def seed_for(pos_url: str, **settings: Any) -> dict[str, Any]:
    """A seed whose first venue has its POS at this address."""
    venue = {"id": VENUE, "hub_url": f"{pos_url}/pos", "hub_token": "pos-token", "api_key": "sandbox-secret"}
    other = {**venue, "id": "demo-terrace", "api_key": "terrace-key"}
    return {"settings": settings, "venues": [venue, other]}


@asynccontextmanager
async def playing(state: Path | None = None, **settings: Any) -> AsyncIterator[Play]:
    """A sandbox with these settings, its clock standing still, and a POS for it to call."""
    pos, ids = FakePos(), iter(range(1, 10_000))
    held: list[Play] = []

    async def sleep(seconds: float) -> None:
        held[0].pauses.append(seconds)

    async with serving(pos.app()) as pos.url:
        sandbox = MozrestSandbox(
            seed_for(pos.url, **settings),
            state=state,
            clock=lambda: held[0].now,
            new_id=lambda: f"moz-{next(ids)}",
            sleep=sleep,
        )
        async with serving(sandbox.app()) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
            held.append(Play(sandbox, pos, client))
            yield held[0]
        sandbox.close()


def later(play: Play, **amount: float) -> None:
    """Moves the clock of the sandbox on."""
    play.now += timedelta(**amount)

"""Desktop Kitchen as its server behaves, as a small app to play against.

By default it is the published server as it was run and observed, which differs from the vendor's own
documentation; `Options` plays the other one. The seed in `data.json` has the taqueria `taqueria-el-faro` (plan
pro) and the cafe `cafe-mercado` (plan free). Faults, the ledger and the clerk are those of
`hub.contract.sandbox`; what the till can do beyond that stands in `till.Till`.

What the server answers was not always seen. Where a text or a field is a reading, the place says so.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

from aiohttp import web

from connectors.desktop_kitchen.sandbox.answers import Refused, body_of, no_such_call, web_app
from connectors.desktop_kitchen.sandbox.delivery import Delivery
from connectors.desktop_kitchen.sandbox.doors import Doors, Visit
from connectors.desktop_kitchen.sandbox.guests import Guests
from connectors.desktop_kitchen.sandbox.limits import Limit, RateLimits
from connectors.desktop_kitchen.sandbox.menu import Menu
from connectors.desktop_kitchen.sandbox.office import Office
from connectors.desktop_kitchen.sandbox.options import Options
from connectors.desktop_kitchen.sandbox.order_book import OrderBook, OrderStatus
from connectors.desktop_kitchen.sandbox.orders import Orders
from connectors.desktop_kitchen.sandbox.payments import Payments
from connectors.desktop_kitchen.sandbox.routes import Parts, Route, routes
from connectors.desktop_kitchen.sandbox.stock import Stock
from connectors.desktop_kitchen.sandbox.store import Store
from connectors.desktop_kitchen.sandbox.till import Till
from connectors.desktop_kitchen.sandbox.tokens import Tokens
from hub.contract.sandbox import Call, Clock, Handler, Sandbox, json_answer, system_clock
from hub.contract.sandbox.faults import Fault, Rule
from hub.contract.sandbox.ledger import from_json

# Where a request keeps the headers of the limits it was counted towards.
_LIMITS = web.RequestKey("limits", dict[str, str])


def load_seed() -> dict[str, Any]:
    """The seed that ships with the sandbox."""
    seed: dict[str, Any] = from_json(files("connectors.desktop_kitchen.sandbox").joinpath("data.json").read_bytes())
    return seed


def new_secret() -> str:
    """A random secret to sign tokens with."""
    return secrets.token_hex(32)


class DesktopKitchenSandbox(Sandbox):
    """The sandbox; `options` chooses the server it plays."""

    clerk: ClassVar[Mapping[str, str]] = {
        "accept": OrderStatus.CONFIRMED,
        "confirm": OrderStatus.CONFIRMED,
        "prepare": OrderStatus.PREPARING,
        "ready": OrderStatus.READY,
        "complete": OrderStatus.COMPLETED,
        "cancel": OrderStatus.CANCELLED,
    }
    waiting_status: ClassVar[str] = OrderStatus.PENDING
    most_body_bytes: ClassVar[int] = 2 * 1024**2

    def __init__(
        self,
        seed: Mapping[str, Any] | None = None,
        *,
        state: Path | None = None,
        clock: Clock = system_clock,
        auto_accept_seconds: float | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        new_secret: Callable[[], str] = new_secret,
        options: Options | None = None,
    ) -> None:
        planted = load_seed() if seed is None else seed
        super().__init__(planted, state=state, clock=clock, auto_accept_seconds=auto_accept_seconds, sleep=sleep)
        self.options = options or Options()
        self._store = Store(planted, self.ledger)
        tokens = Tokens(self.ledger, new_secret)
        self._doors = Doors(self._store, tokens, self.ledger, clock, self.options)
        scale = self.options.limit_scale
        self._limits = None if scale is None else RateLimits(clock, scale)
        self._book = OrderBook(self.ledger, clock, self.options.commit_delay_ms)
        stock = Stock(self._store, self._book)
        self._parts = Parts(
            orders=Orders(self._store, self._book, self._pause, self.plain_headers),
            payments=Payments(self._book, stock),
            menu=Menu(self._store),
            stock=stock,
            delivery=Delivery(self._store, self._book),
            office=Office(self._store, self._book, clock),
            guests=Guests(self._store, self._book),
        )
        self._till = Till(self._store, self._book, self.ledger, self._parts.payments, self._parts.delivery)

    def plant(self, seed: Mapping[str, Any]) -> None:
        """Replaces the seed; raises `KeyError` for one that lacks a section. What calls changed stays changed."""
        self._store.plant(seed)
        super().plant(seed)

    def calls(self) -> Iterable[Call]:
        """Every call of the server."""
        yield Call("health", "GET", "/health", _health)
        yield Call("health", "GET", "/api/health", self._answering(Limit.ALL, _health))
        yield Call("owner_login", "POST", "/api/auth/login", self._answering(Limit.ALL, self._owner_login))
        yield Call("login", "POST", "/api/employees/login", self._answering(Limit.ALL, self._login))
        for route in routes(self._parts, documented=self.options.documented_paths):
            yield Call(route.operation, route.method, route.path, self._answering(Limit.ALL, self._inside(route)))

    def controls(self) -> Iterable[tuple[str, str, Handler]]:
        """What the till can do beyond giving an order a status."""
        return self._till.controls()

    def move(self, number: int, status: str) -> None:
        """The clerk gives an order a status, any and from any."""
        self._book.move(number, status, at_once=True)

    def refusal(self, rule: Rule, request: web.Request) -> web.Response:
        """A fault in the words of the vendor, whose errors are one text; it has no "no" inside a 200 of its own."""
        if rule.fault is Fault.RATE_LIMITED:
            return Refused(429, Limit.ALL.value.refusal).answer()
        if rule.fault is Fault.REJECTED:
            return json_answer({"error": "Failed to process request"})
        texts = {401: "Invalid token", 503: "Service temporarily unavailable. Please try again."}
        return Refused(rule.status, texts.get(rule.status, "Internal server error")).answer()

    def unknown_call(self, request: web.Request) -> web.Response:
        """The web app for a GET, a page with 404 for anything else."""
        if request.path.startswith(("/api/", "/admin/")):
            try:
                self._count(Limit.ALL, request.remote or "")
            except Refused as refused:
                return refused.answer()
        return web_app() if request.method == "GET" else no_such_call(request)

    def too_large(self, request: web.Request) -> web.Response:
        """A body of more than 2 MB; the text is that of the server's library."""
        return Refused(413, "request entity too large").answer()

    def _inside(self, route: Route) -> Handler:
        """A call inside a tenant, behind its limit, its permission and the plan."""

        async def handle(request: web.Request) -> web.Response:
            if route.limit is not None:
                self._note(request, self._count(route.limit, request.remote or ""))
            tenant = self._doors.tenant(request)
            if route.access is not None:
                self._doors.admit(request, tenant["id"], route.access)
            if route.feature is not None:
                self._doors.check_plan(tenant, route.feature)
            return await route.answering(Visit(request, tenant))

        return handle

    async def _login(self, request: web.Request) -> web.Response:
        tenant, address = self._doors.tenant(request), request.remote or ""
        self._note(request, self._count(Limit.LOGIN, f"{tenant['id']} {address}"))
        return self._doors.login(tenant["id"], address, await body_of(request))

    async def _owner_login(self, request: web.Request) -> web.Response:
        self._note(request, self._count(Limit.LOGIN, request.remote or ""))
        return self._doors.owner_login(await body_of(request))

    def _answering(self, limit: Limit, work: Handler) -> Handler:
        """A call whose refusals become answers, with the headers of the limits it counts towards."""

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                self._note(request, self._count(limit, request.remote or ""))
                answer = await work(request)
            except Refused as refused:
                answer = refused.answer()
            for name, value in request.get(_LIMITS, {}).items():
                answer.headers.setdefault(name, value)
            return answer

        return handle

    def _count(self, limit: Limit, key: str) -> dict[str, str]:
        return {} if self._limits is None else self._limits.take(limit, key)

    def _note(self, request: web.Request, headers: Mapping[str, str]) -> None:
        """Keeps the headers for the answer; the limit of the single call shows in place of that of all calls."""
        request[_LIMITS] = {**request.get(_LIMITS, {}), **headers}

    async def _pause(self) -> None:
        await self._sleep(self.options.insert_gap_ms / 1000)


def create_app(
    state: Path | None = None,
    *,
    auto_accept_seconds: float | None = None,
    seed_file: Path | None = None,
    options: Options | None = None,
) -> web.Application:
    """The sandbox as an application, its ledger in `state` or in memory, with the seed of a file if given."""
    seed = from_json(seed_file.read_bytes()) if seed_file else None
    sandbox = DesktopKitchenSandbox(seed, state=state, auto_accept_seconds=auto_accept_seconds, options=options)

    async def close(_: web.Application) -> None:
        sandbox.close()

    app = sandbox.app()
    app.on_cleanup.append(close)
    return app


async def _health(_: web.Request) -> web.Response:
    return json_answer({"ok": True, "db": "connected"})

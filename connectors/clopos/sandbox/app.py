"""Clopos as its documentation describes it, as a small server to play against.

Both generations of the API are served: v1 at `/open-api` (headers `x-token`, `x-brand`, `x-venue`) and v2 at
`/open-api/v2` (header `x-token`). The seed in `data.json` is the brand `openapitest` with the venue 1
"Main". Faults, the ledger and the clerk are those of `hub.contract.sandbox`.

Where the documentation is silent the sandbox takes the careful side and says so at the place: an order of a
stopped product is refused, a received order cannot be cancelled, and an idempotency key that comes again with
another body is refused with 409.
"""

import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from aiohttp import web

from connectors.clopos.sandbox.answers import (
    Dialect,
    Refused,
    exception_refused,
    sentence_refused,
    slug_refused,
)
from connectors.clopos.sandbox.auth import Caller, Doors
from connectors.clopos.sandbox.catalogue import Catalogue
from connectors.clopos.sandbox.customers import Customers
from connectors.clopos.sandbox.limits import RateLimits
from connectors.clopos.sandbox.orders import IdPlace, Orders, OrderStatus, fingerprint
from connectors.clopos.sandbox.reads import Reads
from hub.contract.sandbox import Call, Clock, Sandbox, system_clock
from hub.contract.sandbox.faults import Fault, Rule
from hub.contract.sandbox.ledger import KeptAnswer, from_json

Answering = Callable[[web.Request, Caller], Awaitable[web.Response]]

# How long a key is remembered is not documented; a day is what comparable vendors promise.
KEY_LIFETIME = timedelta(hours=24)


def load_seed() -> dict[str, Any]:
    """The seed that ships with the sandbox."""
    seed: dict[str, Any] = from_json(files("connectors.clopos.sandbox").joinpath("data.json").read_bytes())
    return seed


def new_token() -> str:
    """A random token."""
    return secrets.token_hex(24)


class CloposSandbox(Sandbox):
    """The sandbox; the options play a vendor that behaves otherwise than we read the documentation.

    `idempotency=False` ignores `Idempotency-Key`; `id_place` moves the id of a created v1 order;
    `rate_limits=True` counts calls; `token_seconds` is the life of a token.
    """

    clerk: ClassVar[Mapping[str, str]] = {
        "accept": OrderStatus.RECEIVED,
        "deliver": OrderStatus.DELIVERED,
        "ignore": OrderStatus.IGNORE,
        "reopen": OrderStatus.PENDING,
    }
    waiting_status: ClassVar[str] = OrderStatus.PENDING
    secret_headers: ClassVar[frozenset[str]] = Sandbox.secret_headers | {"x-token"}

    def __init__(
        self,
        seed: Mapping[str, Any] | None = None,
        *,
        state: Path | None = None,
        clock: Clock = system_clock,
        auto_accept_seconds: float | None = None,
        new_token: Callable[[], str] = new_token,
        token_seconds: int = 3600,
        idempotency: bool = True,
        id_place: IdPlace = IdPlace.DATA,
        rate_limits: bool = False,
    ) -> None:
        planted = load_seed() if seed is None else seed
        super().__init__(planted, state=state, clock=clock, auto_accept_seconds=auto_accept_seconds)
        self._catalogue = Catalogue(planted)
        self._doors = Doors(self.ledger, token_seconds, new_token)
        self._limits = RateLimits(clock) if rate_limits else None
        self._idempotency = idempotency
        self._reads = Reads(self.catalogue, clock)
        self._customers = Customers(self.catalogue, self.ledger, clock)
        self._orders = Orders(self.catalogue, self._customers, self.ledger, clock, id_place)

    def catalogue(self) -> Catalogue:
        """The catalogue as it is now."""
        return self._catalogue

    def plant(self, seed: Mapping[str, Any]) -> None:
        """Replaces the seed; raises `KeyError` for one that lacks a section."""
        self._catalogue = Catalogue(seed)
        super().plant(seed)

    def calls(self) -> Iterable[Call]:
        """Every call of both generations."""
        for dialect in Dialect:
            for operation, method, path, answering in self._table(dialect):
                yield Call(operation, method, f"{dialect}{path}", self._guarded(dialect, operation, answering))
            yield Call("authenticate", "POST", f"{dialect}/auth", self._authenticating(dialect))

    def refusal(self, rule: Rule, request: web.Request) -> web.Response:
        """A fault in the words of Clopos."""
        if rule.fault is Fault.RATE_LIMITED:
            return slug_refused(429, "rate_limited", "Too many requests").answer()
        if rule.fault is Fault.REJECTED:
            return sentence_refused(200, "Operation failed", "Module call_center is not active").answer()
        if rule.status == 504:
            return sentence_refused(504, "Upstream did not answer within 8 seconds", "Gateway timeout").answer()
        return exception_refused(rule.status, "Server Error", "ErrorException").answer()

    def unknown_call(self, request: web.Request) -> web.Response:
        """A path that does not exist."""
        message = f"The route {request.path.lstrip('/')} could not be found."
        return exception_refused(404, message, "NotFoundHttpException").answer()

    def _table(self, dialect: Dialect) -> list[tuple[str, str, str, Answering]]:
        reads, customers, orders = self._reads, self._customers, self._orders
        table: list[tuple[str, str, str, Answering]] = [
            ("list_venues", "GET", "/venues", reads.venues),
            ("list_users", "GET", "/users", reads.users),
            ("get_user", "GET", "/users/{id:[0-9]+}", reads.user),
            ("list_categories", "GET", "/categories", reads.categories),
            ("get_category", "GET", "/categories/{id:[0-9]+}", reads.category),
            ("list_stations", "GET", "/stations", reads.stations),
            ("get_station", "GET", "/stations/{id:[0-9]+}", reads.station),
            ("list_products", "GET", "/products", reads.products),
            ("list_stopped", "GET", "/products/stop-list", reads.stop_list),
            ("get_product", "GET", "/products/{id:[0-9]+}", reads.product),
            ("list_sale_types", "GET", "/sale-types", reads.sale_types),
            ("list_payment_methods", "GET", "/payment-methods", reads.payment_methods),
            ("list_customers", "GET", "/customers", customers.browse),
            ("get_customer", "GET", "/customers/{id:[0-9]+}", customers.show),
            ("create_customer", "POST", "/customers", self._create_customer),
            ("list_customer_groups", "GET", "/customer-groups", reads.customer_groups),
            ("list_orders", "GET", "/orders", orders.browse),
            ("get_order", "GET", "/orders/{id:[0-9]+}", orders.show),
            ("create_order", "POST", "/orders", self._create_order),
            ("update_order", "PUT", "/orders/{id:[0-9]+}", self._update_order),
        ]
        if dialect is Dialect.V2:
            table.append(("list_price_lists", "GET", "/price-lists", reads.price_lists))
            table.append(("list_prices", "GET", "/price-lists/prices", reads.prices))
        return table

    def _guarded(
        self, dialect: Dialect, operation: str, answering: Answering
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """A call behind the doors: token, venue and rate limit first."""

        async def admitted(request: web.Request, headers: dict[str, str]) -> web.Response:
            caller = self._doors.admit(request, dialect, operation, self.clock())
            headers |= self._limited(request, dialect, operation, caller.key)
            if self._catalogue.find_venue(caller.venue_id) is None:
                raise slug_refused(400, "invalid_parameter", "x-venue must be an existing venue")
            return await answering(request, caller)

        return self._answering(dialect, admitted)

    def _authenticating(self, dialect: Dialect) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def issued(request: web.Request, headers: dict[str, str]) -> web.Response:
            headers |= self._limited(request, dialect, "authenticate", request.remote or "")
            _, body = await _body_of(request)
            return self._doors.authenticate(dialect, body, self._catalogue, self.clock())

        return self._answering(dialect, issued)

    def _answering(
        self, dialect: Dialect, work: Callable[[web.Request, dict[str, str]], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """A call whose refusals become answers; `work` adds the headers of the rate limit to the dict it is given."""

        async def handle(request: web.Request) -> web.Response:
            headers: dict[str, str] = {}
            try:
                answer = await work(request, headers)
            except Refused as refused:
                answer = refused.answer()
            answer.headers.update(headers)
            if self._limits is not None and dialect is Dialect.V2 and answer.status >= 400:
                self._limits.count_failure(request.remote or "")
            return answer

        return handle

    def _limited(self, request: web.Request, dialect: Dialect, operation: str, key: str) -> dict[str, str]:
        if self._limits is None:
            return {}
        return self._limits.take(dialect, operation, key, request.remote or "")

    async def _create_order(self, request: web.Request, caller: Caller) -> web.Response:
        raw, body = await _body_of(request)
        key, headers = request.headers.get("Idempotency-Key"), self.plain_headers(request)
        return self._once(request, caller, body, lambda: self._orders.create(raw, body, caller, key, headers))

    async def _create_customer(self, request: web.Request, caller: Caller) -> web.Response:
        _, body = await _body_of(request)
        return self._once(request, caller, body, lambda: self._customers.create(body, caller))

    async def _update_order(self, request: web.Request, caller: Caller) -> web.Response:
        _, body = await _body_of(request)
        return self._orders.update(request, body, caller)

    def _once(self, request: web.Request, caller: Caller, body: Any, work: Callable[[], web.Response]) -> web.Response:
        """Does the work in one transaction, or repeats the answer kept under the key of a v1 call.

        Nothing in here waits, so two calls with one key cannot both find it new.
        """
        key = request.headers.get("Idempotency-Key")
        with self.ledger.unit():
            if not key or not self._idempotency or caller.dialect is not Dialect.V1:
                return work()
            place, now = f"{caller.scope} {request.path} {key}", self.clock()
            kept = self.ledger.find_answer(place, kept_since=now - KEY_LIFETIME)
            if kept is None:
                answer = work()
                assert isinstance(answer.body, bytes)
                self.ledger.keep_answer(place, KeptAnswer(fingerprint(body), answer.status, answer.body), now)
                return answer
            if kept.fingerprint != fingerprint(body):
                message = "Idempotency-Key was used before with another body"
                raise slug_refused(409, "validation_failed", message)
            return web.Response(body=kept.body, status=kept.status, content_type="application/json")


def create_app(
    state: Path | None = None, *, auto_accept_seconds: float | None = None, seed_file: Path | None = None
) -> web.Application:
    """The sandbox as an application, its ledger in `state` or in memory, with the seed of a file if given."""
    seed = from_json(seed_file.read_bytes()) if seed_file else None
    sandbox = CloposSandbox(seed, state=state, auto_accept_seconds=auto_accept_seconds)

    async def close(_: web.Application) -> None:
        sandbox.close()

    app = sandbox.app()
    app.on_cleanup.append(close)
    return app


async def _body_of(request: web.Request) -> tuple[bytes, Any]:
    if request.content_type != "application/json":
        raise slug_refused(400, "validation_failed", "Content-Type must be application/json")
    raw = await request.read()
    try:
        return raw, from_json(raw)
    except msgspec.DecodeError as broken:
        raise slug_refused(400, "validation_failed", "The body is not JSON") from broken

"""Desibits as its documentation describes it, as a small server to play against.

Every call of the page "POS Operations - Complete API Reference" is served at `/api/v1/pos`, behind a bearer
token. The seed in `data.json` is one restaurant. Faults, the ledger and the clerk are those of
`hub.contract.sandbox`; what else the people in the restaurant can do is in `till`, and `GET /_sandbox/kitchen`
shows what the cooks were told. Without anybody at the till, cooks begin with a ticket after a while.

The page shows five bodies and no error. Where it is silent each module says what the sandbox does, and the section
`options` of the seed plays a vendor that does otherwise (`options.Options`); `PUT /_sandbox/seed` changes both.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import nullcontext
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from aiohttp import web

from connectors.desibits.sandbox.answers import Answering, Asked, as_answer, error, refuse
from connectors.desibits.sandbox.book import OrderStatus, Shop
from connectors.desibits.sandbox.catalogue import Catalogue
from connectors.desibits.sandbox.customers import Customers
from connectors.desibits.sandbox.delivery import Delivery
from connectors.desibits.sandbox.fields import Fields
from connectors.desibits.sandbox.kitchen import Kitchen
from connectors.desibits.sandbox.limits import RateLimit
from connectors.desibits.sandbox.options import options_of
from connectors.desibits.sandbox.orders import Orders
from connectors.desibits.sandbox.payments import Payments
from connectors.desibits.sandbox.reads import Reads
from connectors.desibits.sandbox.refused import Refused
from connectors.desibits.sandbox.tables import Tables
from connectors.desibits.sandbox.till import Till
from hub.contract.sandbox import Call, Clock, Handler, Sandbox, system_clock
from hub.contract.sandbox.faults import Fault, Rule
from hub.contract.sandbox.ledger import from_json

PREFIX = "/api/v1/pos"
ID = "{id:[0-9]{1,15}}"


def load_seed() -> dict[str, Any]:
    """The seed that ships with the sandbox."""
    seed: dict[str, Any] = from_json(files("connectors.desibits.sandbox").joinpath("data.json").read_bytes())
    return seed


class DesibitsSandbox(Sandbox):
    """The sandbox; its options are a section of the seed."""

    clerk: ClassVar[Mapping[str, str]] = {
        "accept": OrderStatus.KOT,
        "bill": OrderStatus.BILLED,
        "pay": OrderStatus.PAID,
        "cancel": OrderStatus.CANCELLED,
        "reopen": OrderStatus.DRAFT,
    }
    waiting_status: ClassVar[str] = OrderStatus.DRAFT

    def __init__(
        self,
        seed: Mapping[str, Any] | None = None,
        *,
        state: Path | None = None,
        clock: Clock = system_clock,
        auto_accept_seconds: float | None = None,
    ) -> None:
        planted = load_seed() if seed is None else seed
        super().__init__(planted, state=state, clock=clock, auto_accept_seconds=auto_accept_seconds)
        self.plant(planted)
        shop = Shop(lambda: self._catalogue, lambda: self._options, self.ledger, clock)
        self._limit = RateLimit(clock)
        self._reads, self._tables, self._delivery = Reads(shop), Tables(shop), Delivery(shop)
        self._customers, self._kitchen, self._payments = Customers(shop), Kitchen(shop), Payments(shop)
        self._orders = Orders(shop, self._customers)
        self._till = Till(shop, self._orders, self._kitchen, self._payments)

    def plant(self, seed: Mapping[str, Any]) -> None:
        """Replaces the seed; raises `KeyError` without a section, `msgspec.ValidationError` for a wrong option."""
        catalogue, options = Catalogue(seed), options_of(seed)
        self._catalogue, self._options = catalogue, options
        super().plant(seed)

    def calls(self) -> Iterable[Call]:
        """Every call of the page."""
        for operation, method, path, answering in (*self._order_calls(), *self._other_calls()):
            yield Call(operation, method, f"{PREFIX}{path}", self._guarded(answering))

    def controls(self) -> Iterable[tuple[str, str, Handler]]:
        """The people in the restaurant."""
        till = self._till
        for method, path, answering in (
            ("POST", "orders", till.open),
            ("POST", f"orders/{ID}/items", till.change_items),
            ("POST", f"orders/{ID}/payment", till.pay),
            ("POST", f"kots/{ID}/status", till.move_kot),
            ("GET", "kitchen", till.kitchen),
        ):
            yield method, path, self._answering(answering)

    def move(self, number: int, status: str) -> None:
        """Lets the cashier do what leads to a status."""
        with self.ledger.unit():
            self._till.press(number, status)

    def accept_waiting(self, waiting_since: datetime) -> None:
        """Lets the cooks begin with their tickets; a draft stays one until somebody sends it to the kitchen."""
        with self.ledger.unit():
            self._kitchen.start_waiting(waiting_since)

    def refusal(self, rule: Rule, request: web.Request) -> web.Response:
        """A fault in the words of such a vendor."""
        if rule.fault is Fault.RATE_LIMITED:
            return as_answer(error(429, "Too Many Attempts."), self._options)
        if rule.fault is Fault.REJECTED:
            refused = refuse(200, "The restaurant is closed")
            return as_answer(refused, self._options)
        return as_answer(error(rule.status, "Server Error"), self._options)

    def unknown_call(self, request: web.Request) -> web.Response:
        """A path that does not exist, or a method that it does not take."""
        path = request.path.strip("/")
        if isinstance(request.match_info.http_exception, web.HTTPMethodNotAllowed):
            message = f"The {request.method} method is not supported for route {path}."
            return as_answer(error(405, message), self._options)
        return as_answer(error(404, f"The route {path} could not be found."), self._options)

    def _order_calls(self) -> list[tuple[str, str, str, Answering]]:
        orders, payments, kitchen, delivery = self._orders, self._payments, self._kitchen, self._delivery
        order = f"/orders/{ID}"
        return [
            ("create_order", "POST", "/orders", orders.create),
            ("list_orders", "GET", "/orders", orders.browse),
            ("get_order", "GET", order, orders.show),
            ("update_order", "PUT", order, orders.update),
            ("set_status", "PUT", f"{order}/status", orders.set_status),
            ("cancel_order", "POST", f"{order}/cancel", orders.cancel),
            ("apply_discount", "POST", f"{order}/discount", orders.discount),
            ("print_bill", "POST", f"{order}/print-bill", orders.print_bill),
            ("print_invoice", "POST", f"{order}/print-invoice", orders.print_invoice),
            ("record_payment", "POST", f"{order}/payment", payments.record),
            ("split_payment", "POST", f"{order}/split-payment", payments.split),
            ("payment_status", "GET", f"{order}/payment-status", payments.status),
            ("list_payment_methods", "GET", "/payment-methods", payments.methods),
            ("generate_kot", "POST", f"{order}/kot", kitchen.generate),
            ("print_kot", "POST", f"/kot/{ID}/print", kitchen.print),
            ("reprint_kot", "POST", f"/kot/{ID}/reprint", kitchen.reprint),
            ("set_kot_status", "PUT", f"/kot/{ID}/status", kitchen.set_status),
            ("assign_driver", "POST", f"{order}/assign-driver", delivery.assign),
            ("set_delivery_status", "PUT", f"{order}/delivery-status", delivery.set_status),
        ]

    def _other_calls(self) -> list[tuple[str, str, str, Answering]]:
        reads, customers, tables = self._reads, self._customers, self._tables
        return [
            ("list_order_types", "GET", "/order-types", reads.order_types),
            ("list_kitchens", "GET", "/kitchens", reads.kitchens),
            ("list_drivers", "GET", "/delivery-drivers", reads.drivers),
            ("list_delivery_platforms", "GET", "/delivery-platforms", reads.platforms),
            ("list_printers", "GET", "/printers", reads.printers),
            ("list_coupons", "GET", "/coupons", reads.coupons),
            ("validate_coupon", "POST", "/coupons/validate", reads.validate_coupon),
            ("list_customers", "GET", "/customers", customers.browse),
            ("get_customer", "GET", f"/customers/{ID}", customers.show),
            ("create_customer", "POST", "/customers", customers.create),
            ("list_tables", "GET", "/tables", tables.browse),
            ("get_table", "GET", f"/tables/{ID}", tables.show),
            ("set_table_status", "PUT", f"/tables/{ID}/status", tables.set_status),
            ("get_session", "GET", "/session", reads.session),
            ("save_session", "POST", "/session/save", reads.save_session),
            ("clear_session", "DELETE", "/session/clear", reads.clear_session),
            ("list_held_orders", "GET", "/session/held-orders", self._orders.held),
        ]

    def _guarded(self, answering: Answering) -> Callable[[web.Request], Awaitable[web.Response]]:
        """A call behind the token and the rate limit."""
        handle = self._answering(answering)

        async def guarded(request: web.Request) -> web.Response:
            kind, _, token = request.headers.get("Authorization", "").partition(" ")
            if kind.casefold() != "bearer" or not self._catalogue.knows(token.strip()):
                return as_answer(error(401, "Unauthenticated."), self._options)
            if self._options.rate_limit is None:
                return await handle(request)
            try:
                headers = self._limit.take(token.strip(), self._options.rate_limit)
            except Refused as refused:
                return as_answer(refused, self._options)
            answered = await handle(request)
            answered.headers.update(headers)
            return answered

        return guarded

    def _answering(self, answering: Answering) -> Callable[[web.Request], Awaitable[web.Response]]:
        """A call whose refusals become answers, and whose changes are committed together or not at all."""

        async def handle(request: web.Request) -> web.Response:
            raw = await request.read()
            asked = Asked(request, raw, Fields(_json_of(request, raw)), self.plain_headers(request))
            try:
                with nullcontext() if request.method == "GET" else self.ledger.unit():
                    return answering(asked)
            except Refused as refused:
                return as_answer(refused, self._options)

        return handle


def create_app(
    state: Path | None = None, *, auto_accept_seconds: float | None = None, seed_file: Path | None = None
) -> web.Application:
    """The sandbox as an application, its ledger in `state` or in memory, with the seed of a file if given."""
    seed = from_json(seed_file.read_bytes()) if seed_file else None
    sandbox = DesibitsSandbox(seed, state=state, auto_accept_seconds=auto_accept_seconds)

    async def close(_: web.Application) -> None:
        sandbox.close()

    app = sandbox.app()
    app.on_cleanup.append(close)
    return app


def _json_of(request: web.Request, raw: bytes) -> Any:
    """The body; one that is no JSON counts as empty, so that the fields it lacks are what is told."""
    if request.content_type != "application/json":
        return None
    try:
        return from_json(raw)
    except msgspec.DecodeError:
        return None

"""Mozrest and the reservation system behind it, as a small server to play against.

Mozrest is the mirror image of a POS: it calls the hub when a guest is seated, and the hub reports back. So this
sandbox has two sides. It **serves** what Mozrest provides, at `/v1/pos`, with the venue's `api_key` as bearer token:
`open_order` (a walk-in), `update_order`, `close_order`, `void_order`. And it **calls** the hub at the venue's
`hub_url` with its `hub_token`, when one of these control calls tells it to. Their bodies are JSON; `venue` may be
left out and is then the first of the seed. Faults and the other control calls are those of `hub.contract.sandbox`.

`POST /_sandbox/tables`
    Fetches the tables and keeps them; later, a table that is not among them is a warning.
`POST /_sandbox/seat` `{"tables": ["T12"], "partySize": 4, "guestName": "...", "reservation": "R-7", "times": 1}`
    Opens an order. All but `venue`, `reservation` and `times` goes out as it is, so wrong and unheard-of fields can
    be tried too. `id` (Mozrest's) is made up unless given; `"id": null` sends none. With `times` the same request
    goes out that often at once. The answer holds every outcome, and in `distinct` the order ids the POS gave.
`POST /_sandbox/seat-again` `{"id": "...", "times": 5, "tables": ["T14"]}`
    The same order again; fields given are sent in place of those of the first time (a guest changes tables).
`POST /_sandbox/sync` `{"status": "open", "from": "2026-03-02T00:00:00Z", "until": "...", "each": true}`
    Fetches the list, with `each` also every order in it, and tells the differences from its own picture field by field.
`POST /_sandbox/order` `{"id": "..."}`
    Fetches one order, by either side's id, and compares it.
`PUT /_sandbox/venues/{venueId}` `{"hub_url": "...", "hub_token": "..."}`
    Moves a venue; this survives a restart.
`GET /_sandbox/view?venue=&id=`
    The orders as Mozrest sees them: checks, lines, payments, sums, version, warnings, history.
`GET /_sandbox/received?after=`, `GET /_sandbox/sent?after=`
    Every call of the hub and every call to it, in order, with time, body and answer, and without tokens. A call
    whose connection was dropped has the status null.

`POST /_sandbox/orders/{number}/status` changes what Mozrest believes, which makes a difference for `sync` to find.
Where the documentation is silent, `seed.Settings` has the choice, or the sandbox takes the careful side.
"""

import asyncio
import hmac
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from http import HTTPStatus
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from connectors.mozrest.sandbox.answers import Refused, order_answer
from connectors.mozrest.sandbox.control import Control
from connectors.mozrest.sandbox.guests import Guests
from connectors.mozrest.sandbox.log import UNREADABLE, Log, answer_body, readable
from connectors.mozrest.sandbox.orders import Orders
from connectors.mozrest.sandbox.pos import Pos
from connectors.mozrest.sandbox.seed import Seed, Settings, Venue, read_seed
from connectors.mozrest.sandbox.sync import Sync
from hub.contract.sandbox import Call, Clock, Handler, Sandbox, system_clock
from hub.contract.sandbox.base import CONTROL
from hub.contract.sandbox.faults import Fault, Rule
from hub.contract.sandbox.ledger import LedgerOrder, from_json

Work = Callable[[Venue, web.Request, Any], LedgerOrder]

NUMBER = web.RequestKey("number", int)


def load_seed() -> dict[str, Any]:
    """The seed that ships with the sandbox."""
    seed: dict[str, Any] = from_json(files("connectors.mozrest.sandbox").joinpath("data.json").read_bytes())
    return seed


def new_id() -> str:
    """A random id, as Mozrest gives its orders."""
    return str(uuid.uuid4())


class MozrestSandbox(Sandbox):
    """The sandbox. `sleep` waits for delays of faults and between repetitions; `new_id` makes Mozrest's order ids."""

    clerk: ClassVar[Mapping[str, str]] = {}
    waiting_status: ClassVar[str] = "sending"

    def __init__(
        self,
        seed: Mapping[str, Any] | None = None,
        *,
        state: Path | None = None,
        clock: Clock = system_clock,
        new_id: Callable[[], str] = new_id,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        planted = load_seed() if seed is None else seed
        self._read = read_seed(planted)
        super().__init__(planted, state=state, clock=clock, sleep=sleep)
        self._received, self._sent = Log(self.ledger, "received"), Log(self.ledger, "sent")
        self._orders = Orders(self.ledger, clock, self.settings, new_id)
        self._pos = Pos(self._sent, clock, self.settings, sleep)
        guests = Guests(self.ledger, self._orders, self._pos)
        sync = Sync(self.ledger, self._orders, self._pos, clock)
        self._control = Control(self.seed_now, self._move, self._orders, guests, sync, self._received, self._sent)

    def seed_now(self) -> Seed:
        """The seed with the venues that were moved where they are now."""
        moved = {raw["id"]: raw for raw in self.ledger.load_documents("venue")}
        venues = (msgspec.convert(moved[one.id], Venue) if one.id in moved else one for one in self._read.venues)
        return Seed(tuple(venues), self._read.settings)

    def settings(self) -> Settings:
        """What the documentation leaves open."""
        return self._read.settings

    def plant(self, seed: Mapping[str, Any]) -> None:
        """Replaces the seed and forgets which venues were moved; raises `msgspec.ValidationError` for a wrong one."""
        self._read = read_seed(seed)
        self.ledger.forget_documents("venue")
        super().plant(seed)

    def app(self) -> web.Application:
        """The application with the control calls of this vendor."""
        app = super().app()
        for method, path, handler in self._control.routes():
            app.router.add_route(method, f"{CONTROL}{path}", handler)
        app.cleanup_ctx.append(self._connected)
        return app

    def calls(self) -> Iterable[Call]:
        """What Mozrest provides."""
        settings = self.settings()
        paths, orders = settings.paths, self._orders

        def call(operation: str, method: str, path: str, work: Work) -> Call:
            return Call(operation, method, f"{settings.base_path}{path}", self._guarded(work))

        yield call(
            "open_order",
            "POST",
            paths.open_order,
            lambda venue, request, body: orders.open(venue, body, self.plain_headers(request), request[NUMBER]),
        )
        yield call(
            "update_order",
            "PUT",
            paths.update_order,
            lambda venue, request, body: orders.update(venue, request.match_info["orderId"], body, request[NUMBER]),
        )
        yield call(
            "close_order",
            "PUT",
            paths.close_order,
            lambda venue, request, body: orders.close(venue, request.match_info["orderId"], body, request[NUMBER]),
        )
        yield call(
            "void_order",
            settings.void_method,
            paths.void_order,
            lambda venue, request, body: orders.void(venue, request.match_info["orderId"], body, request[NUMBER]),
        )

    def refusal(self, rule: Rule, request: web.Request) -> web.Response:
        """A fault in the words of Mozrest, which has no refusal inside a 200 of its own."""
        code = {Fault.RATE_LIMITED: 429, Fault.REJECTED: 400}.get(rule.fault, rule.status)
        phrase = HTTPStatus(code).phrase if code in set(HTTPStatus) else "Error"
        answer = Refused(code, phrase).answer()
        if rule.fault is Fault.REJECTED:
            answer.set_status(200)
        return answer

    def unknown_call(self, request: web.Request) -> web.Response:
        """A path that does not exist."""
        return Refused(404, f"No route found for {request.method} {request.path}").answer()

    async def arrived(self, request: web.Request, operation: str, fault: Fault | None) -> None:
        """Writes the beginning of a call down."""
        request[NUMBER] = self._received.begin(
            {
                "at": self.clock().isoformat(),
                "operation": operation,
                "method": request.method,
                "path": request.path,
                "headers": self.plain_headers(request),
                "body": readable(await request.read()),
                "fault": fault,
                "status": None,
                "answer": None,
            }
        )

    def answered(self, request: web.Request, answer: web.StreamResponse | None) -> None:
        """Writes the end of a call down."""
        status = answer.status if answer is not None else None
        self._received.end(request[NUMBER], {"status": status, "answer": answer_body(answer)})

    def forget(self) -> None:
        """Removes all orders with their history, and both logs; tables and moved venues stay."""
        self._orders.forget()
        self._received.forget()
        self._sent.forget()

    async def _connected(self, _: web.Application) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await self._pos.connect(stack)
            yield

    def _move(self, venue: Venue) -> None:
        self.ledger.put_document("venue", venue.id, msgspec.to_builtins(venue))

    def _guarded(self, work: Work) -> Handler:
        """A call behind the door, done in one transaction; a refusal becomes an answer and leaves nothing behind."""

        async def handle(request: web.Request) -> web.Response:
            try:
                venue = self._admit(request)
                body = await _body_of(request)
                with self.ledger.unit():
                    order = work(venue, request, body)
            except Refused as refused:
                return refused.answer()
            return order_answer(order.record["id"], order.status)

        return handle

    def _admit(self, request: web.Request) -> Venue:
        """The venue of a call: 401 without a key we issued, 404 for no venue of ours, 403 for another one's key."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        seed = self.seed_now()
        issued = [venue for venue in seed.venues if _same(token, venue.api_key)]
        if scheme.lower() != "bearer" or not issued:
            raise Refused(401, "Invalid API key")
        venue = seed.find_venue(request.match_info["venueId"])
        if venue is None:
            raise Refused(404, "Venue not found")
        if venue not in issued:
            raise Refused(403, "Access denied")
        return venue


def create_app(
    state: Path | None = None,
    *,
    auto_accept_seconds: float | None = None,
    seed_file: Path | None = None,
    hub_url: str | None = None,
) -> web.Application:
    """The sandbox as an application, its ledger in `state` or in memory, with the seed of a file if given.

    With `hub_url`, such as `http://127.0.0.1:9000`, the seed's venues are at that hub. `auto_accept_seconds` is taken
    because every sandbox takes it; at Mozrest no order waits to be accepted.
    """
    seed = from_json(seed_file.read_bytes()) if seed_file else load_seed()
    for venue in seed["venues"] if hub_url is not None else ():
        venue["hub_url"] = f"{hub_url}{urlsplit(venue['hub_url']).path}"
    sandbox = MozrestSandbox(seed, state=state)

    async def close(_: web.Application) -> None:
        sandbox.close()

    app = sandbox.app()
    app.on_cleanup.append(close)
    return app


async def _body_of(request: web.Request) -> Any:
    raw = await request.read()
    try:
        return from_json(raw) if raw else None
    except UNREADABLE as broken:
        raise Refused(400, "The body is not JSON") from broken


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(*(text.encode("utf-8", "surrogateescape") for text in (one, other)))

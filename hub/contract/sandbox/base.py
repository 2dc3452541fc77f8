"""What the sandbox of every vendor shares: the calls it offers, the faults it plays, the ledger it keeps.

A sandbox plays a vendor as its documentation describes it. A vendor derives `Sandbox`, names its calls and
says how it words a refusal. Beside the vendor's own paths every sandbox answers these, which no fault touches:

`GET /_sandbox/faults`
    The rules in force: `[{"number": 1, "fired": 0, "rule": {"fault": "drop_after", ...}}]`.
`PUT /_sandbox/faults`
    A list of rules, in place of those in force; numbered from 1, counters at 0. See `faults.Rule`.
`DELETE /_sandbox/faults`
    No more faults.
`GET /_sandbox/orders`
    Every accepted order as received: number, key, time, headers (none that hold a token), body, the vendor's
    record, current status. `?status=` narrows it.
`POST /_sandbox/orders/{number}/status`
    Plays the clerk: `{"status": "accept"}`. A word of the clerk's is turned into the vendor's status, anything
    else is set as it is, so a status that nobody has heard of can be played too.
`DELETE /_sandbox/orders`
    Forgets all orders, answers kept for repeated calls, what the vendor keeps beside them, and call counts.
    Numbers go on.
`GET /_sandbox/calls`
    How often each operation was called since the start and how it was answered:
    `{"create_order": {"total": 2, "answers": {"201": 1, "none": 1}}}`; `none` is a dropped or hanging call.
`GET /_sandbox/seed`, `PUT /_sandbox/seed`
    The catalogue and credentials the sandbox plays with; a PUT holds until the process ends.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from aiohttp import web

from hub.contract.sandbox.faults import WORKED_FIRST, Fault, Faults, Rule
from hub.contract.sandbox.ledger import Ledger, from_json, to_json, typed_from_json

Clock = Callable[[], datetime]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CONTROL = "/_sandbox/"
HTML = "<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>"
HALF_JSON = '{"data": {"id": 1, "stat'


def system_clock() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


def json_answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer in which a `Decimal` is a bare number."""
    return web.Response(body=to_json(value), status=status, headers=headers, content_type="application/json")


@dataclass(frozen=True)
class Call:
    """One call a vendor offers; `operation` is its vendor-neutral name, shared by all dialects."""

    operation: str
    method: str
    path: str
    handler: Handler


class Sandbox(ABC):
    """A vendor to play against. `faults` and `ledger` may be used from Python as well as over HTTP.

    `state` is the file of the ledger (None: in memory); `auto_accept_seconds` lets the clerk accept every
    waiting order after that time; `sleep` waits for the delays of faults.
    """

    clerk: ClassVar[Mapping[str, str]]
    """What a clerk does, in a plain word, and the status that gives: accept, ignore, deliver ..."""
    waiting_status: ClassVar[str]
    """The status of an order that nobody has looked at yet."""
    secret_headers: ClassVar[frozenset[str]] = frozenset({"authorization", "cookie"})
    """Lower-case names of headers that never reach the ledger."""
    most_body_bytes: ClassVar[int] = 1024**2
    """A longer body is answered by `too_large`."""

    def __init__(
        self,
        seed: Mapping[str, Any],
        *,
        state: Path | None = None,
        clock: Clock = system_clock,
        auto_accept_seconds: float | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.seed = seed
        self.clock = clock
        self.faults = Faults()
        self.ledger = Ledger(state)
        self.auto_accept_seconds = auto_accept_seconds
        self._sleep = sleep
        self._calls: dict[str, Counter[str]] = {}
        self._operations: dict[web.AbstractRoute, str] = {}
        self._closing = asyncio.Event()

    @abstractmethod
    def calls(self) -> Iterable[Call]:
        """Every call the vendor offers."""

    @abstractmethod
    def refusal(self, rule: Rule, request: web.Request) -> web.Response:
        """How the vendor words a `status`, `rate_limited` or `rejected` fault, status included."""

    @abstractmethod
    def unknown_call(self, request: web.Request) -> web.Response:
        """How the vendor answers a path or method it does not have."""

    def controls(self) -> Iterable[tuple[str, str, Handler]]:
        """Further control paths (method, path below `/_sandbox/`, handler) for what only this vendor's till can do."""
        return ()

    def move(self, number: int, status: str) -> None:
        """Gives an order the status the clerk chose; a vendor that notes more than the word overrides this."""
        self.ledger.set_status(number, status, self.clock())

    def accept_waiting(self, waiting_since: datetime) -> None:
        """Accepts what has waited since this moment or longer; overridden where more than a status waits."""
        accepted = self.clerk["accept"]
        self.ledger.advance(self.waiting_status, accepted, received_until=waiting_since, at=self.clock())

    def too_large(self, _: web.Request) -> web.Response:
        """How the vendor answers a body that is longer than it takes."""
        return json_answer({"error": f"the body is longer than {self.most_body_bytes} bytes"}, 413)

    async def arrived(self, request: web.Request, operation: str, fault: Fault | None) -> None:  # noqa: B027
        """Called when a call has arrived whole, before anything is done with it; for a vendor that keeps a log."""

    def answered(self, request: web.Request, answer: web.StreamResponse | None) -> None:  # noqa: B027
        """Called when a call that arrived has its answer; None when the connection is closed without one."""

    def forget(self) -> None:
        """Removes all orders; a vendor that keeps more about them overrides this."""
        self.ledger.forget_orders()

    def plant(self, seed: Mapping[str, Any]) -> None:
        """Replaces the seed; a vendor that derives anything from it overrides this."""
        self.seed = seed

    def app(self) -> web.Application:
        """A fresh application on the same faults and ledger; call it again to start again after a stop."""
        self._closing = asyncio.Event()
        app = web.Application(middlewares=[self._meet], client_max_size=self.most_body_bytes)
        self._operations = {
            app.router.add_route(call.method, call.path, call.handler): call.operation for call in self.calls()
        }
        app.router.add_get(f"{CONTROL}faults", self._show_faults)
        app.router.add_put(f"{CONTROL}faults", self._put_faults)
        app.router.add_delete(f"{CONTROL}faults", self._clear_faults)
        app.router.add_get(f"{CONTROL}orders", self._show_orders)
        app.router.add_delete(f"{CONTROL}orders", self._forget_orders)
        app.router.add_post(f"{CONTROL}orders/{{number:[0-9]{{1,18}}}}/status", self._play_clerk)
        app.router.add_get(f"{CONTROL}calls", self._show_calls)
        app.router.add_get(f"{CONTROL}seed", self._show_seed)
        app.router.add_put(f"{CONTROL}seed", self._put_seed)
        for method, path, handler in self.controls():
            app.router.add_route(method, f"{CONTROL}{path}", handler)
        app.on_shutdown.append(self._let_go)
        return app

    def call_count(self, operation: str) -> int:
        """How often an operation was called, refused and dropped calls included."""
        return self._calls.get(operation, Counter()).total()

    def plain_headers(self, request: web.Request) -> dict[str, str]:
        """The headers of a request without those that hold a token."""
        return {name: value for name, value in request.headers.items() if name.lower() not in self.secret_headers}

    def close(self) -> None:
        """Closes the ledger."""
        self.ledger.close()

    @web.middleware
    async def _meet(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(CONTROL):
            return await handler(request)
        try:
            await request.read()  # now, for a caller that hangs up during a delay must not undo what it sent
        except web.HTTPRequestEntityTooLarge:
            return self.too_large(request)
        operation = self._operations.get(request.match_info.route, "unknown")
        rule = self.faults.take(operation, request.method, request.path)
        await self.arrived(request, operation, rule.fault if rule else None)
        answer: web.StreamResponse | None = None
        try:
            answer = (
                await self._work(request, handler) if rule is None else await self._misbehave(rule, request, handler)
            )
            return answer if answer is not None else _hang_up(request)
        finally:
            outcome = str(answer.status) if answer is not None else "none"
            self._calls.setdefault(operation, Counter())[outcome] += 1
            self.answered(request, answer)

    async def _work(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self._accept_waiting()
        try:
            return await handler(request)
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
            return self.unknown_call(request)

    async def _misbehave(self, rule: Rule, request: web.Request, handler: Handler) -> web.StreamResponse | None:
        """Plays one fault; None means that the connection is closed without an answer."""
        if rule.delay_seconds and rule.fault is not Fault.TRICKLE:
            await self._sleep(rule.delay_seconds)
        answer: web.StreamResponse | None = None
        if rule.after_commit or rule.fault in WORKED_FIRST:
            answer = await self._work(request, handler)
        match rule.fault:
            case Fault.DELAY:
                return answer
            case Fault.TRICKLE:
                return await self._trickle(answer, request, rule.delay_seconds)
            case Fault.DROP_BEFORE | Fault.DROP_AFTER | Fault.DOWN:
                return None
            case Fault.HANG:
                await self._closing.wait()
                return None
            case Fault.MALFORMED:
                return _malformed(rule)
            case Fault.STATUS | Fault.RATE_LIMITED | Fault.REJECTED:
                return self._refuse(rule, request)

    def _refuse(self, rule: Rule, request: web.Request) -> web.Response:
        answer = self.refusal(rule, request)
        if rule.body is not None:
            answer.body = rule.body.encode()
        if rule.retry_after is not None:
            answer.headers["Retry-After"] = str(rule.retry_after)
        return answer

    async def _trickle(
        self, answer: web.StreamResponse | None, request: web.Request, pause_seconds: float
    ) -> web.StreamResponse:
        body = answer.body if isinstance(answer, web.Response) and isinstance(answer.body, bytes) else b""
        status = answer.status if answer is not None else 200
        stream = web.StreamResponse(
            status=status, headers={"Content-Type": "application/json", "Content-Length": str(len(body))}
        )
        await stream.prepare(request)
        try:
            for at in range(len(body)):
                await stream.write(body[at : at + 1])
                await self._sleep(pause_seconds)
        except ConnectionError:
            pass  # The caller had enough, which is what this fault is for.
        return stream

    def _accept_waiting(self) -> None:
        if self.auto_accept_seconds is not None:
            self.accept_waiting(self.clock() - timedelta(seconds=self.auto_accept_seconds))

    async def _let_go(self, _: web.Application) -> None:
        self._closing.set()

    async def _show_faults(self, _: web.Request) -> web.Response:
        return json_answer(self.faults.states())

    async def _put_faults(self, request: web.Request) -> web.Response:
        try:
            rules = typed_from_json(await request.read(), list[Rule])
        except msgspec.DecodeError as problem:
            return json_answer({"error": str(problem)}, 400)
        self.faults.replace(rules)
        return json_answer(self.faults.states())

    async def _clear_faults(self, _: web.Request) -> web.Response:
        self.faults.clear()
        return json_answer([])

    async def _show_orders(self, request: web.Request) -> web.Response:
        self._accept_waiting()
        orders, _ = self.ledger.load_orders(status=request.query.get("status"))
        return json_answer(orders)

    async def _forget_orders(self, _: web.Request) -> web.Response:
        self.forget()
        self._calls.clear()
        return json_answer([])

    async def _play_clerk(self, request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        try:
            status = from_json(await request.read())["status"]
        except (msgspec.DecodeError, TypeError, KeyError):
            return json_answer({"error": 'send {"status": "accept"} or another status'}, 400)
        if not isinstance(status, str) or self.ledger.find_order(number) is None:
            return json_answer({"error": f"there is no order {number}, or the status is no text"}, 404)
        self.move(number, self.clerk.get(status, status))
        return json_answer(self.ledger.find_order(number))

    async def _show_calls(self, _: web.Request) -> web.Response:
        return json_answer(
            {name: {"total": answers.total(), "answers": answers} for name, answers in sorted(self._calls.items())}
        )

    async def _show_seed(self, _: web.Request) -> web.Response:
        return json_answer(self.seed)

    async def _put_seed(self, request: web.Request) -> web.Response:
        try:
            self.plant(from_json(await request.read()))
        except (msgspec.DecodeError, KeyError, TypeError) as problem:
            return json_answer({"error": f"no seed: {problem!r}"}, 400)
        return json_answer(self.seed)


async def serve(app: web.Application, host: str, port: int) -> None:
    """Serves until cancelled; raises `OSError` when the port is taken."""
    async with serving(app, host, port):
        await asyncio.Event().wait()


@asynccontextmanager
async def serving(app: web.Application, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serves while inside and gives the base URL; port 0 picks a free one."""
    # A call that is still waiting when the sandbox stops is cut off soon, as a crash would do it.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()  # goes nowhere: the connection is closed


def _malformed(rule: Rule) -> web.Response:
    if rule.half_json:
        return web.Response(text=rule.body or HALF_JSON, content_type="application/json")
    return web.Response(text=rule.body or HTML, content_type="text/html")

"""`/api/mcp`: checks the caller and the message first, then lets the SDK answer; the short form is answered here."""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

import litestar
import msgspec
from litestar import HttpMethod
from litestar.handlers import HTTPRouteHandler, route
from litestar.response.base import ASGIResponse
from litestar.types import Message as AsgiMessage

from hub.api.admission import Admission, admission_of, headers_of
from hub.api.body import read_body
from hub.api.json import encode
from hub.api.mcp.address import PATH
from hub.api.mcp.messages import Answer, Form, Message, NotAMessage, read_message, refusal, tool_error
from hub.api.mcp.sdk import ORDERS_IN_SCOPE, Protocol, too_slow
from hub.api.operation import Operation, Services
from hub.api.replies import error_reply, internal_error_reply
from hub.api.tools import BoundTool, Outcome, bind, may_use
from hub.errors import Forbidden, HubError, InvalidRequest, NotFound, TooManyRequests
from hub.trace.inbound import InboundTrace

INSTRUCTIONS = (
    "Order food at restaurants. Start with get_stores or search_stores, then get_store_context for one store. "
    "Price with quote_order, tell the guest the total, and order with create_order and the quoteId; that is safe to "
    "repeat. Amounts are in cents of the store's currency. If an order is stuck, explain_failure says what to do."
)
_STREAM_HEADERS = ("mcp-protocol-version", "mcp-session-id", "last-event-id")
_log = logging.getLogger(__name__)


class McpEndpoint:
    """The routes of the endpoint. `run_protocol` must be entered while they are used."""

    def __init__(
        self,
        services: Services,
        trace: InboundTrace,
        operations: Sequence[Operation],
        *,
        version: str,
        max_body_bytes: int,
        challenge: str = "",
    ) -> None:
        """`challenge` is what a caller without a key hears about OAuth, when the hub offers it."""
        self._services = services
        self._trace = trace
        self._max_body_bytes = max_body_bytes
        self._challenge = challenge
        self._tools = bind(operations)
        self._protocol = Protocol(
            services, self._tools, version=version, instructions=INSTRUCTIONS, max_body_bytes=max_body_bytes
        )
        self.run_protocol = self._protocol.run
        self._listed = [_listed(bound) for bound in self._tools.values()]
        self._discovery = msgspec.json.encode(_discovery(version, self._tools))

    def routes(self) -> list[HTTPRouteHandler]:
        """GET tells what there is, POST speaks the protocol, and DELETE ends no session, for there are none."""

        async def discover(request: litestar.Request[Any, Any, Any]) -> ASGIResponse:
            wants_stream = "text/event-stream" in request.headers.get("accept", "")
            if wants_stream or any(name in request.headers for name in _STREAM_HEADERS):
                return _not_allowed()
            return ASGIResponse(body=self._discovery, media_type="application/json")

        async def post(request: litestar.Request[Any, Any, Any]) -> ASGIResponse:
            return await self._post(request)

        async def end(request: litestar.Request[Any, Any, Any]) -> ASGIResponse:
            return _not_allowed()

        return [
            route(PATH, http_method=HttpMethod.GET, name="mcp_discovery")(discover),
            route(PATH, http_method=HttpMethod.POST, name="mcp")(post),
            route(PATH, http_method=HttpMethod.DELETE, name="mcp_end", status_code=405)(end),
        ]

    async def _post(self, request: litestar.Request[Any, Any, Any]) -> ASGIResponse:
        started, at_ms = time.perf_counter(), self._services.now_ms()
        body, operation, of_many = b"", "mcp", False
        try:
            admission_of(request.scope).check_key()
            body = await read_body(headers_of(request.scope), request.receive, self._max_body_bytes)
            message = read_message(body, request.headers.get("mcp-protocol-version"))
            bound = self._tools.get(message.tool)
            if bound is not None:
                operation, of_many = f"mcp.{message.tool}", bound.operation.of_many
            answer = await self._answer(request, message, body)
        except NotAMessage as problem:
            answer = problem.answer
        except HubError as problem:
            answer = _plain(problem, self._challenged(request, problem))
        except Exception as problem:
            _log.exception("MCP failed")
            reply = internal_error_reply()
            answer = Answer(reply.status, reply.content.encode(), error=f"{type(problem).__name__}: {problem}")
        self._trace.record(
            at_ms=at_ms,
            milliseconds=(time.perf_counter() - started) * 1000,
            operation=operation,
            method="POST",
            url=PATH,
            request_headers=request.headers,
            request_body=b"" if of_many else body,
            status=answer.status,
            response_headers=answer.headers,
            response_body=b"" if of_many else answer.body,
            order_id=answer.order_id,
            error=answer.error,
        )
        media_type = "application/json" if answer.body else ""
        return ASGIResponse(
            body=answer.body, status_code=answer.status, headers=dict(answer.headers), media_type=media_type
        )

    async def _answer(self, request: litestar.Request[Any, Any, Any], message: Message, body: bytes) -> Answer:
        admission = admission_of(request.scope)
        if not message.is_request:
            admission.do_not_count()
            if message.form is Form.HANDSHAKE:
                return Answer(202)
        else:
            refused = self._refused(admission, message)
            if refused is not None:
                return refused
        orders: list[str] = []
        scope = {**request.scope, "headers": _headers_for_sdk(request.headers, body), ORDERS_IN_SCOPE: orders}
        if message.form is Form.SHORT:
            return await self._short(scope, message)
        answer = await self._ask_sdk(scope, request, body)
        return Answer(answer.status, answer.body, answer.headers, order_id="".join(orders[:1]))

    def _challenged(self, request: litestar.Request[Any, Any, Any], problem: HubError) -> dict[str, str]:
        """Where a caller without a working key may get leave; one who showed something hears that it is none."""
        if problem.status != 401 or not self._challenge:
            return {}
        error = ', error="invalid_token"' if "authorization" in request.headers else ""
        return {"WWW-Authenticate": f"Bearer {self._challenge}{error}"}

    def _refused(self, admission: Admission, message: Message) -> Answer | None:
        """The answer to a caller who is over the limit, or whose key lacks the tool's scope."""
        bound = self._tools.get(message.tool)
        try:
            admission.check_limit()
            if bound is not None and message.form is Form.MODERN:
                may_use(admission.caller, bound)
        except TooManyRequests as problem:
            if message.form is Form.SHORT:
                return _plain(problem)
            if message.form is Form.HANDSHAKE and message.method == "tools/call":
                return tool_error(message, Outcome(problem=problem).words)
            return refusal(message, problem, error_reply(problem).headers)
        except Forbidden as problem:
            return refusal(message, problem, _lacks_scope(bound))
        return None

    async def _short(self, scope: Mapping[str, Any], message: Message) -> Answer:
        echoed = {"id": message.id} if isinstance(message.id, str | int) else {}
        if message.method == "tools/list":
            return Answer(200, msgspec.json.encode({**echoed, "tools": self._listed}))
        if message.method != "tools/call":
            words = "method: there are tools/list and tools/call; other methods need the whole protocol (JSON-RPC)"
            raise InvalidRequest(words, field="method")
        bound = self._tools.get(message.tool)
        if bound is None:
            raise NotFound(f"params.name: there is no tool {message.tool[:100]!r}; tools/list names them all")
        try:
            outcome = await self._protocol.call(scope, bound, message.params.get("arguments") or {})
        except TimeoutError:
            words = too_slow(bound)
            return Answer(500, encode({"error": words}).encode(), error=words)
        if outcome.problem is not None:
            lacks_scope = outcome.problem.code == "SCOPE_MISSING"
            return _plain(outcome.problem, _lacks_scope(bound) if lacks_scope else {})
        result = {
            **echoed,
            "content": [{"type": "text", "text": outcome.content}],
            "structuredContent": msgspec.Raw(outcome.content.encode()),
            "isError": False,
        }
        return Answer(200, msgspec.json.encode(result), order_id=outcome.order_id)

    async def _ask_sdk(self, scope: dict[str, Any], request: litestar.Request[Any, Any, Any], body: bytes) -> Answer:
        """Hands a message to the SDK and takes its answer."""
        given = False
        status, headers, parts = 500, dict[str, str](), list[bytes]()

        async def receive() -> Any:
            nonlocal given
            if given:
                return await request.receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(event: AsgiMessage) -> None:
            nonlocal status
            if event["type"] == "http.response.start":
                status = event["status"]
                headers.update((name.decode(), value.decode("latin-1")) for name, value in event["headers"])
            elif event["type"] == "http.response.body":
                parts.append(event["body"])

        await self._protocol.handle(scope, receive, send)  # type: ignore[arg-type]
        for name in ("content-length", "content-type"):
            headers.pop(name, None)
        return Answer(status, b"".join(parts), headers)


def _headers_for_sdk(headers: Mapping[str, str], body: bytes) -> list[tuple[bytes, bytes]]:
    """The request's headers as the SDK wants them: trimmed, with the defaults that `curl` leaves out."""
    kept = {name: value.strip() for name, value in headers.items() if name != "transfer-encoding"}
    kept.setdefault("accept", "application/json, text/event-stream")
    kept |= {"content-type": "application/json", "content-length": str(len(body))}
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in kept.items()]


def _plain(problem: HubError, headers: Mapping[str, str] | None = None) -> Answer:
    """An error as REST writes it."""
    reply = error_reply(problem)
    words = f"{type(problem).__name__}: {problem.message}"
    return Answer(reply.status, reply.content.encode(), {**reply.headers, **(headers or {})}, error=words)


def _lacks_scope(bound: BoundTool | None) -> dict[str, str]:
    scope = "" if bound is None else f', scope="{bound.scope}"'
    return {"WWW-Authenticate": f'Bearer realm="openpos", error="insufficient_scope"{scope}'}


def _not_allowed() -> ASGIResponse:
    body = encode({"error": "there is no stream and no session here; send a POST", "code": "METHOD_NOT_ALLOWED"})
    return ASGIResponse(
        body=body.encode(), status_code=405, headers={"Allow": "GET, POST"}, media_type="application/json"
    )


def _listed(bound: BoundTool) -> dict[str, Any]:
    return {
        "name": bound.name,
        "title": bound.tool.title,
        "description": bound.tool.description,
        "inputSchema": bound.input_schema,
        "outputSchema": bound.output_schema,
        "annotations": {"title": bound.tool.title, **bound.annotations},
    }


def _discovery(version: str, tools: Mapping[str, BoundTool]) -> dict[str, Any]:
    return {
        "name": "OpenPOS hub",
        "version": version,
        "description": INSTRUCTIONS,
        "protocol": "MCP Streamable HTTP, revisions 2025-03-26 to 2026-07-28",
        "authentication": {"type": "bearer", "header": "Authorization: Bearer sk_…"},
        "tools": [{**_listed(bound), "access": bound.access, "scope": bound.scope} for bound in tools.values()],
    }

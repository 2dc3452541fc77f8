"""REST: one Litestar route per operation, with authentication, limits on the body, tracing and the error shape.

Litestar finds the route and nothing else: what its handlers do for a request costs as much as an order.
"""

import logging
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import litestar
from litestar import HttpMethod
from litestar.exceptions import NotFoundException
from litestar.handlers import ASGIRouteHandler, BaseRouteHandler, HTTPRouteHandler, asgi, route
from litestar.response.base import ASGIResponse
from litestar.types import ASGIApp, Receive, Scope, Send

from hub.api.admission import admission_of, headers_of
from hub.api.body import read_body
from hub.api.json import decode
from hub.api.operation import Operation, Request, Services
from hub.api.replies import error_reply, internal_error_reply
from hub.errors import HubError, InvalidRequest
from hub.services.keys import require
from hub.trace.inbound import InboundTrace

PREFIX = "/api/v1"
_LONGEST_KEY = 255
_KEY = re.compile(rf"[!-~]{{1,{_LONGEST_KEY}}}")
_NO_PARTS: Mapping[str, str] = {}
_LONGEST_WAIT_SECONDS = 30.0
_VERSION = re.compile(r'(?:W/)?"?(?P<version>[0-9]{1,9})"?')
_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*(?P<seconds>\d{1,4})(?:$|[,;\s])", re.IGNORECASE)
_log = logging.getLogger(__name__)


class Rest:
    """Makes the routes of a list of operations."""

    def __init__(self, services: Services, trace: InboundTrace, *, max_body_bytes: int) -> None:
        self._services = services
        self._trace = trace
        self._max_body_bytes = max_body_bytes

    def routes(self, operations: Sequence[Operation]) -> list[BaseRouteHandler]:
        """The route handlers of all operations."""
        by_path: dict[str, dict[str, Operation]] = {}
        for operation in operations:
            by_path.setdefault(operation.path, {})[operation.method] = operation
        handlers: list[BaseRouteHandler] = []
        for path, by_method in by_path.items():
            if "{" in path:  # Litestar 2.25 finds no parameters in the path of an ASGI handler
                handlers += [self._handler(operation) for operation in by_method.values()]
            else:
                handlers.append(self._asgi_handler(path, by_method))
        return handlers

    def at_fixed_paths(self, operations: Sequence[Operation]) -> dict[tuple[str, str], ASGIApp]:
        """The applications, by method and path, of operations whose path is always the same; these are also among
        the routes. To find them, and to hand the answer back through its layers, takes Litestar 5 us.
        """
        return {
            (operation.method, PREFIX + operation.path): self._application(operation)
            for operation in operations
            if "{" not in operation.path
        }

    def _asgi_handler(self, path: str, by_method: Mapping[str, Operation]) -> ASGIRouteHandler:
        applications = {method: self._application(operation) for method, operation in by_method.items()}

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            application = applications.get(str(scope.get("method")))
            if application is None:
                raise NotFoundException
            await application(scope, receive, send)

        return asgi(PREFIX + path, copy_scope=False)(answer)

    def _application(self, operation: Operation) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            body, status, headers = await self._answer(operation, scope, receive)
            await send({"type": "http.response.start", "status": status, "headers": _header_lines(headers, body)})
            await send({"type": "http.response.body", "body": body, "more_body": False})

        return answer

    def _handler(self, operation: Operation) -> HTTPRouteHandler:
        async def answer(request: litestar.Request[Any, Any, Any]) -> ASGIResponse:
            body, status, headers = await self._answer(operation, request.scope, request.receive)
            return ASGIResponse(body=body, status_code=status, headers=headers, media_type="application/json")

        return route(
            PREFIX + operation.path,
            http_method=HttpMethod(operation.method),
            name=operation.name,
            summary=operation.summary,
            status_code=200,  # of the declaration only: without one, a DELETE could not answer with a body
        )(answer)

    async def _answer(self, operation: Operation, scope: Scope, receive: Receive) -> tuple[bytes, int, dict[str, str]]:
        """The body, status and headers of the answer; the call is recorded."""
        started = time.perf_counter()
        at_ms = self._services.now_ms()
        content, error = b"", ""
        headers_in = headers_of(scope)
        try:
            if operation.body is not None:
                content = await read_body(headers_in, receive, self._max_body_bytes)
            understood = await self._understand(operation, scope, headers_in, content)
            reply = await operation.handler(self._services, understood)
        except HubError as problem:
            reply, error = error_reply(problem), f"{type(problem).__name__}: {problem.message}"
        except Exception as problem:
            _log.exception("%s failed", operation.name)
            reply, error = internal_error_reply(), f"{type(problem).__name__}: {problem}"
        headers = {**reply.headers, "Cache-Control": "no-store"}
        text = "" if operation.of_many and reply.status < 300 else reply.content
        answer = reply.content.encode()
        self._trace.record(
            at_ms=at_ms,
            milliseconds=(time.perf_counter() - started) * 1000,
            operation=operation.name,
            method=operation.method,
            url=scope["path"] if operation.of_many else _target(scope),
            request_headers=headers_in,
            request_body=b"" if operation.of_many else content,
            status=reply.status,
            response_headers=headers,
            response_body=answer if text else b"",
            response_text=text,
            order_id=reply.order_id,
            error=error,
        )
        return answer, reply.status, headers

    async def _understand(
        self, operation: Operation, scope: Scope, headers: Mapping[str, str], content: bytes
    ) -> Request:
        admission = admission_of(scope)
        caller = admission.caller
        if not (operation.anonymous and caller.is_anonymous):
            require(caller, operation.scope)
        elif operation.method != "GET":
            await admission.count_public_order()
        return Request(
            caller=caller,
            path=scope.get("path_params", _NO_PARTS),
            query=_query(scope, operation.query) if operation.query else {},
            body=None if operation.body is None else decode(content, operation.body),
            idempotency_key=_idempotency_key(headers),
            if_match=_if_match(headers),
            wait_seconds=_wait_seconds(headers),
        )


def _query(scope: Scope, names: Sequence[str]) -> dict[str, str]:
    """The query parameters an operation knows, empty where they were left out; of several with one name, the last."""
    given = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    return {name: given.get(name, "") for name in names}


def _header_lines(headers: Mapping[str, str], body: bytes) -> list[tuple[bytes, bytes]]:
    lines = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    return lines + [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


def _target(scope: Scope) -> str:
    """What was asked for: path and query."""
    query = scope["query_string"]
    path: str = scope["path"]
    return f"{path}?{query.decode('latin-1')}" if query else path


def _idempotency_key(headers: Mapping[str, str]) -> str:
    """The key as sent; the quotes of the IETF draft's form are taken off. Raises `InvalidRequest`."""
    key = headers.get("idempotency-key")
    if key is None:
        return ""
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not _KEY.fullmatch(key):
        raise InvalidRequest(
            f"Idempotency-Key: must be 1 to {_LONGEST_KEY} visible ASCII characters", field="Idempotency-Key"
        )
    return key


def _if_match(headers: Mapping[str, str]) -> int | None:
    """The version in `If-Match: "3"` (RFC 9110, 13.1.1); `*` means any. Raises `InvalidRequest`."""
    asked = headers.get("if-match")
    if asked is None or asked.strip() == "*":
        return None
    match = _VERSION.fullmatch(asked.strip())
    if match is None:
        raise InvalidRequest('If-Match: send the version of the order, e.g. "3"', field="If-Match")
    return int(match["version"])


def _wait_seconds(headers: Mapping[str, str]) -> float:
    """`Prefer: wait=N` (RFC 7240), at most `_LONGEST_WAIT_SECONDS`; a preference that is not understood is ignored."""
    prefer = headers.get("prefer")
    match = None if prefer is None else _WAIT.search(prefer)
    return 0.0 if match is None else min(float(match["seconds"]), _LONGEST_WAIT_SECONDS)

"""REST: one Litestar route per operation, with authentication, limits on the body, tracing and the error shape."""

import logging
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

import litestar
from litestar import HttpMethod
from litestar.datastructures import Headers
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler, route
from litestar.response.base import ASGIResponse

from hub.api.admission import admission_of
from hub.api.json import decode
from hub.api.operation import Operation, Request, Services
from hub.api.replies import error_reply, internal_error_reply
from hub.errors import BodyTooLarge, HubError, InvalidRequest
from hub.services.keys import require
from hub.trace.inbound import InboundTrace

PREFIX = "/api/v1"
_LONGEST_KEY = 255
_KEY = re.compile(rf"[!-~]{{1,{_LONGEST_KEY}}}")
_LONGEST_WAIT_SECONDS = 30.0
_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*(?P<seconds>\d{1,4})(?:$|[,;\s])", re.IGNORECASE)
_log = logging.getLogger(__name__)


class UnsupportedMediaType(HubError):
    """The body was announced as something other than JSON."""

    status = 415
    default_code = "MEDIA_TYPE_UNSUPPORTED"


class Rest:
    """Makes the routes of a list of operations."""

    def __init__(self, services: Services, trace: InboundTrace, *, max_body_bytes: int) -> None:
        self._services = services
        self._trace = trace
        self._max_body_bytes = max_body_bytes

    def routes(self, operations: Sequence[Operation]) -> list[HTTPRouteHandler]:
        """One route handler per operation."""
        return [self._route(operation) for operation in operations]

    def _route(self, operation: Operation) -> HTTPRouteHandler:
        async def answer(request: litestar.Request[Any, Any, Any]) -> ASGIResponse:
            return await self._answer(operation, request)

        return route(
            PREFIX + operation.path,
            http_method=HttpMethod(operation.method),
            name=operation.name,
            summary=operation.summary,
            request_max_body_size=self._max_body_bytes,
            status_code=200,  # of the declaration only: without one, a DELETE could not answer with a body
        )(answer)

    async def _answer(self, operation: Operation, request: litestar.Request[Any, Any, Any]) -> ASGIResponse:
        started = time.perf_counter()
        at_ms = self._services.now_ms()
        content, error = b"", ""
        headers_in = request.headers
        try:
            content = await self._body(operation, request, headers_in)
            understood = await self._understand(operation, request, headers_in, content)
            reply = await operation.handler(self._services, understood)
        except HubError as problem:
            reply, error = error_reply(problem), f"{type(problem).__name__}: {problem.message}"
        except Exception as problem:
            _log.exception("%s failed", operation.name)
            reply, error = internal_error_reply(), f"{type(problem).__name__}: {problem}"
        headers = {**reply.headers, "Cache-Control": "no-store"}
        self._trace.record(
            at_ms=at_ms,
            milliseconds=(time.perf_counter() - started) * 1000,
            operation=operation.name,
            method=operation.method,
            url=request.scope["path"] if operation.of_many else _target(request.scope),
            request_headers=headers_in,
            request_body=content,
            status=reply.status,
            response_headers=headers,
            response_body="" if operation.of_many and reply.status == 200 else reply.content,
            order_id=reply.order_id,
            error=error,
        )
        return ASGIResponse(
            body=reply.content.encode(), status_code=reply.status, headers=headers, media_type="application/json"
        )

    async def _understand(
        self, operation: Operation, request: litestar.Request[Any, Any, Any], headers: Headers, content: bytes
    ) -> Request:
        admission = admission_of(request.scope)
        caller = admission.caller
        if not (operation.anonymous and caller.is_anonymous):
            require(caller, operation.scope)
        elif operation.method != "GET":
            await admission.count_public_order()
        return Request(
            caller=caller,
            path=request.path_params,
            query={name: request.query_params.get(name, "") for name in operation.query},
            body=None if operation.body is None else decode(content, operation.body),
            idempotency_key=_idempotency_key(headers),
            wait_seconds=_wait_seconds(headers),
        )

    async def _body(self, operation: Operation, request: litestar.Request[Any, Any, Any], headers: Headers) -> bytes:
        if operation.body is None:
            return b""
        media_type = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if media_type != "application/json" and not media_type.endswith("+json"):
            raise UnsupportedMediaType(
                f"Content-Type: send application/json, not {media_type[:60]!r}", field="Content-Type"
            )
        try:
            return await request.body()
        except HTTPException as problem:
            if problem.status_code != BodyTooLarge.status:
                raise InvalidRequest("the body could not be read", field="body") from problem
            raise BodyTooLarge(
                f"body: larger than the {self._max_body_bytes} bytes this hub accepts", field="body"
            ) from problem


def _target(scope: Mapping[str, Any]) -> str:
    """What was asked for: path and query."""
    query = scope["query_string"]
    path: str = scope["path"]
    return f"{path}?{query.decode('latin-1')}" if query else path


def _idempotency_key(headers: Headers) -> str:
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


def _wait_seconds(headers: Headers) -> float:
    """`Prefer: wait=N` (RFC 7240), at most `_LONGEST_WAIT_SECONDS`; a preference that is not understood is ignored."""
    prefer = headers.get("prefer")
    match = None if prefer is None else _WAIT.search(prefer)
    return 0.0 if match is None else min(float(match["seconds"]), _LONGEST_WAIT_SECONDS)

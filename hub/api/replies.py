"""The error bodies of the API, whatever went wrong."""

import logging
from typing import Any

import litestar
from litestar import Response
from litestar.exceptions import HTTPException

from hub.api.json import encode
from hub.api.operation import Reply
from hub.errors import (
    ConfigurationError,
    HubError,
    InvalidRequest,
    NotFound,
    TooManyRequests,
    Unauthorized,
    Unavailable,
)

ENDS_CONNECTION = ("BODY_TOO_SLOW", "BODY_TOO_LARGE")  # nobody will read what is still to come
_log = logging.getLogger(__name__)


def error_reply(problem: HubError) -> Reply:
    """The error body of the API: `error` for people, `code` and `field` for programs."""
    if isinstance(problem, ConfigurationError):
        _log.error("%s", problem.message)
        return internal_error_reply()
    body: dict[str, Any] = {"error": problem.message}
    if problem.code:
        body["code"] = problem.code
    if problem.field:
        body["field"] = problem.field
    return Reply(encode(body), status=problem.status, headers=_error_headers(problem))


def _error_headers(problem: HubError) -> dict[str, str]:
    if isinstance(problem, Unavailable | TooManyRequests):
        return {"Retry-After": str(problem.retry_after_seconds)}
    if isinstance(problem, Unauthorized):
        return {"WWW-Authenticate": 'Bearer realm="openpos"'}
    if problem.code in ENDS_CONNECTION:
        return {"Connection": "close"}
    return {}


def internal_error_reply() -> Reply:
    """What the outside learns of an error of ours: nothing but that it may try again."""
    return Reply(encode({"error": "Server error, please retry"}), status=500)


def framework_error(request: litestar.Request[Any, Any, Any], problem: Exception) -> Response[bytes]:
    """Errors that arise before an operation is found: unknown paths, wrong methods, unreadable requests."""
    if isinstance(problem, HTTPException) and problem.status_code in (404, 405):
        reply = error_reply(NotFound(f"there is no {request.method} {request.url.path[:200]}"))
    elif isinstance(problem, HTTPException) and problem.status_code < 500:
        reply = error_reply(InvalidRequest("the request could not be understood"))
    elif isinstance(problem, HubError):
        reply = error_reply(problem)
    else:
        _log.error("%s %s failed", request.method, request.url.path, exc_info=problem)
        reply = internal_error_reply()
    return Response(
        content=reply.content.encode(),
        status_code=reply.status,
        headers=dict(reply.headers),
        media_type="application/json",
    )

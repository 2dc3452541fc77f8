"""The outermost layer: admits or refuses each request, and completes every answer's headers."""

import asyncio
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from hub.api.address import client_address
from hub.api.admission import Desk, Visitors, put_admission
from hub.api.operation import Reply
from hub.api.replies import error_reply
from hub.errors import HubError, InvalidRequest
from hub.services.limits import Allowance

_BODY_SECONDS = 20.0
_EXPOSED = "Retry-After, WWW-Authenticate, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Location, ETag"
_ASKED = "Authorization, Content-Type, Accept, Idempotency-Key, Prefer, MCP-Protocol-Version, Mcp-Method, Mcp-Name"
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PATCH, DELETE",
    "Access-Control-Allow-Headers": f"{_ASKED}, If-Match, Mcp-Session-Id, Last-Event-ID",
    "Access-Control-Max-Age": "600",
}
_SAFE = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
_SAFE_OVER_TLS = (*_SAFE, (b"strict-transport-security", b"max-age=31536000"))


class Edge:
    """Wraps the web application.

    `uncounted` are paths anyone may ask without end (the health check); on `known_hosts_only` paths the host name
    must be ours even when no browser calls; `refuse_themselves` answer a caller who is over the limit in their own way.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        desk: Desk,
        visitors: Visitors,
        trusted_proxies: Collection[str],
        uncounted: tuple[str, ...] = (),
        known_hosts_only: tuple[str, ...] = (),
        refuse_themselves: tuple[str, ...] = (),
    ) -> None:
        self._app = app
        self._desk = desk
        self._visitors = visitors
        self._trusted_proxies = trusted_proxies
        self._uncounted = uncounted
        self._known_hosts_only = known_hosts_only
        self._refuse_themselves = refuse_themselves

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the application's start and end."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        headers = _headers(scope["headers"])
        client = scope["client"]
        address = client_address(client[0] if client else "", headers, self._trusted_proxies)
        authorization = headers.get("authorization")
        if authorization is not None and self._desk.takes_token(authorization, scope["path"]):
            admission = await self._desk.admit_with_token(authorization, address)
        else:
            admission = self._desk.admit(authorization, address)
        put_admission(scope, admission, headers)  # type: ignore[arg-type]
        cors: dict[str, str] = {}
        over_tls = scope["scheme"] == "https"

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _completed(message["headers"], over_tls, cors, admission.allowance)
            await send(message)

        try:
            preflight = scope["method"] == "OPTIONS" and "access-control-request-method" in headers
            if preflight:
                admission.look()
            elif scope["path"] not in self._uncounted:
                await admission.count()
            cors |= self._check_visitor(scope["path"], headers)
            if preflight:
                await _send(Reply("", status=204, headers=_PREFLIGHT if cors else {}), complete)
                return
            if not scope["path"].startswith(self._refuse_themselves or ("\0",)):
                admission.check_limit()
        except HubError as problem:
            await _send(error_reply(problem), complete)
            return
        await self._app(scope, _in_time(receive), complete)

    def _check_visitor(self, path: str, headers: Mapping[str, str]) -> dict[str, str]:
        """Refuses names that are not ours and pages of strangers; gives the headers for a page that may read."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if path in self._known_hosts_only or headers.get("sec-fetch-site") == "same-origin":
            self._visitors.check_host(host)
        if origin is None or not self._visitors.check_origin(origin, host):
            return {}
        return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": _EXPOSED, "Vary": "Origin"}


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by their name, which ASGI gives in small letters; those that came twice as one, with a comma between."""
    headers: dict[str, str] = {}
    for name_bytes, value_bytes in raw:
        name, value = name_bytes.decode("latin-1"), value_bytes.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _completed(
    headers: Iterable[tuple[bytes, bytes]],
    over_tls: bool,
    cors: Mapping[str, str],
    allowance: Allowance | None,
) -> list[tuple[bytes, bytes]]:
    """The answer's headers, with ours where it has none of that name."""
    completed = list(headers)
    completed += _missing(tuple([name for name, _ in completed]), over_tls)
    if cors:
        completed += [(name.lower().encode(), value.encode("latin-1")) for name, value in cors.items()]
    if allowance is not None:
        completed += [
            (b"x-ratelimit-limit", b"%d" % allowance.limit),
            (b"x-ratelimit-remaining", b"%d" % allowance.remaining),
            (b"x-ratelimit-reset", b"%d" % allowance.resets_at),
        ]
    return completed


@lru_cache(maxsize=256)
def _missing(names: tuple[bytes, ...], over_tls: bool) -> Sequence[tuple[bytes, bytes]]:
    """Our headers that an answer with headers of these names has not; small letters: ASGI wants them so."""
    return [pair for pair in (_SAFE_OVER_TLS if over_tls else _SAFE) if pair[0] not in names]


def _in_time(receive: Receive) -> Receive:
    """`receive` that waits only so long for a request's body."""
    complete = False
    deadline: float | None = None

    async def receive_in_time() -> Any:
        nonlocal complete, deadline
        if complete:
            return await receive()
        # Nearly every body is there before anybody asks for it; a timer around what never waits takes 5 us.
        begun = receive().__await__()
        try:
            awaited = next(begun)
        except StopIteration as at_once:
            message = at_once.value
        else:
            if deadline is None:
                deadline = asyncio.get_running_loop().time() + _BODY_SECONDS
            try:
                async with asyncio.timeout_at(deadline):
                    message = await _Begun(begun, awaited)
            except TimeoutError as problem:
                raise InvalidRequest(
                    f"body: did not arrive within {_BODY_SECONDS:g} seconds", field="body", code="BODY_TOO_SLOW"
                ) from problem
        complete = message["type"] != "http.request" or not message.get("more_body")
        return message

    return receive_in_time


class _Begun:
    """The rest of a coroutine that was begun and found to wait for something."""

    def __init__(self, begun: Generator[Any, Any, Any], awaited: Any) -> None:
        self._begun = begun
        self._awaited = awaited

    def __await__(self) -> Generator[Any, Any, Any]:
        try:
            yield self._awaited
        except BaseException:
            self._begun.close()
            raise
        return (yield from self._begun)


async def _send(reply: Reply, send: Send) -> None:
    content = reply.content.encode()
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in reply.headers.items()]
    if content:
        headers.append((b"content-type", b"application/json"))
    headers.append((b"content-length", b"%d" % len(content)))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": content, "more_body": False})

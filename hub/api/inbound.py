"""Where channels call the hub: each call is taken in, understood and answered in the channel's own words."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from litestar.types import Receive, Scope, Send

from hub.api.admission import admission_of, headers_of
from hub.api.replies import ENDS_CONNECTION, error_reply
from hub.contract.channel import ChannelConnector
from hub.contract.inbound import InboundReply, InboundRequest, TabResult, TabsResult
from hub.errors import (
    BodyTooLarge,
    ConfigurationError,
    ConnectorError,
    HubError,
    InvalidRequest,
    NotFound,
    TooManyRequests,
    Unavailable,
)
from hub.model.venue import Link, RateLimit
from hub.services.channels import INBOUND, Channels, find_route
from hub.services.limits import RequestLimits
from hub.services.seating import Seating
from hub.trace.inbound import InboundTrace

_ANSWERED_WITHIN_SECONDS = 25.0
_LIMITS: Sequence[RateLimit] = (RateLimit(600, 60),)  # of one link: ten calls a second, whoever makes them
_MOST_QUERY_FIELDS = 50
_JSON = "application/json"
_CHANGING = ("POST", "PUT", "PATCH")
_log = logging.getLogger(__name__)


@dataclass
class _Visit:
    """One call while it is being answered: what is known of it so far."""

    scope: Scope
    receive: Receive
    headers: Mapping[str, str]
    content: bytes = b""
    operation: str = "inbound"
    link: Link | None = None
    connector: ChannelConnector | None = None
    let_in: bool = False
    order_id: str = ""
    of_many: bool = False
    """The answer holds many orders, whose guests must not stay in the recorded call."""
    error: str = ""

    @property
    def method(self) -> str:
        return str(self.scope.get("method", ""))


class Inbound:
    """Everything below `/inbound/`, as an application of its own: no framework has a say in what is answered."""

    def __init__(
        self,
        *,
        channels: Channels,
        seating: Seating,
        limits: RequestLimits,
        trace: InboundTrace,
        now_ms: Callable[[], int],
        max_body_bytes: int,
    ) -> None:
        self._channels = channels
        self._seating = seating
        self._limits = limits
        self._trace = trace
        self._now_ms = now_ms
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one call."""
        at_ms, started = self._now_ms(), time.perf_counter()
        visit = _Visit(scope, receive, headers_of(scope))
        connector_id, place, path = _address(scope["path"])
        try:
            kind = self._channels.kind(connector_id)
        except NotFound as problem:
            plain = error_reply(_refusal(visit, problem))
            reply = InboundReply(plain.status, plain.content.encode(), {**plain.headers, "content-type": _JSON})
        else:
            reply = await self._reply(kind, connector_id, place, path, visit)
        self._record(visit, at_ms, (time.perf_counter() - started) * 1000, reply)
        await _send(reply, send)

    async def _reply(
        self, kind: type[ChannelConnector], connector_id: str, place: str, path: str, visit: _Visit
    ) -> InboundReply:
        """The answer in the channel's words, whatever happens."""
        try:
            async with asyncio.timeout(_ANSWERED_WITHIN_SECONDS):
                visit.link = self._channels.find_link(connector_id, place)
                return await self._carry_out(kind, visit.link, path, visit)
        except TimeoutError:
            problem: HubError = Unavailable(f"not done within {_ANSWERED_WITHIN_SECONDS:g} seconds; repeat it")
        except (ConfigurationError, ConnectorError) as ours:
            _log.error("%s at %s: %s", visit.operation, place, ours.message)
            visit.error = f"{type(ours).__name__}: {ours.message}"
            return kind.render_error(_our_fault())
        except HubError as told:
            problem = _refusal(visit, told)
        except Exception as bug:
            _log.exception("%s at %s failed", visit.operation, place)
            visit.error = f"{type(bug).__name__}: {bug}"
            return kind.render_error(_our_fault())
        visit.error = f"{type(problem).__name__}: {problem.message}"
        reply = kind.render_error(problem)
        more = {"connection": "close"} if problem.code in ENDS_CONNECTION else {}
        return replace(reply, headers={**reply.headers, **more})

    async def _carry_out(self, kind: type[ChannelConnector], link: Link, path: str, visit: _Visit) -> InboundReply:
        found = find_route(kind.routes, visit.method, path)
        visit.operation = found.route.name
        connector = visit.connector = self._channels.connector(link)
        request = InboundRequest(found.route, found.parts, _query(visit.scope), visit.headers)
        connector.authenticate(request)
        await self._let_in(link, visit)
        visit.content = await self._body(visit)
        command = connector.parse(replace(request, body=visit.content))
        result = await self._seating.carry_out(link, command)
        visit.of_many = isinstance(result, TabsResult)
        if isinstance(result, TabResult):
            visit.order_id = result.tab.order.id
        return connector.render(command, result)

    async def _let_in(self, link: Link, visit: _Visit) -> None:
        """Counts a call of the channel's own; it does not use up the limit of its address.

        A channel calls for all its venues from a few addresses. Who guesses tokens stays under the address's limit.
        """
        admission_of(visit.scope).do_not_count()
        visit.let_in = True
        wait_seconds = (await self._limits.take(f"channel {link.id}", _LIMITS)).retry_after_seconds
        if wait_seconds:
            raise TooManyRequests(f"Too many requests: wait {wait_seconds} s", retry_after_seconds=wait_seconds)
        if link.paused_cause:
            raise Unavailable("this link is paused", retry_after_seconds=60)

    async def _body(self, visit: _Visit) -> bytes:
        chunks = bytearray()
        while visit.method in _CHANGING:
            message: Any = await visit.receive()
            if message["type"] == "http.disconnect":
                raise InvalidRequest("the body broke off", field="body")
            chunks += message.get("body", b"")
            if len(chunks) > self._max_body_bytes:
                raise BodyTooLarge(f"the body is larger than {self._max_body_bytes} bytes", field="body")
            if not message.get("more_body"):
                break
        return bytes(chunks)

    def _record(self, visit: _Visit, at_ms: int, milliseconds: float, reply: InboundReply) -> None:
        query = "" if visit.of_many else visit.scope["query_string"].decode("latin-1")
        self._trace.record(
            at_ms=at_ms,
            milliseconds=milliseconds,
            operation=visit.operation,
            method=visit.method,
            url=visit.scope["path"] + (f"?{query}" if query else ""),
            request_headers=visit.headers,
            request_body=visit.content,
            status=reply.status,
            response_headers=reply.headers,
            response_body=b"" if visit.of_many else reply.body,
            order_id=visit.order_id,
            error=visit.error,
            link_id="" if visit.link is None else visit.link.id,
            redactor=None if visit.connector is None else visit.connector.context.http.redactor,
        )


def _refusal(visit: _Visit, problem: HubError) -> HubError:
    """What a caller is told; one who was not let in and comes too often is told to wait."""
    if not visit.let_in:
        try:
            admission_of(visit.scope).check_limit()
        except TooManyRequests as too_many:
            return too_many
    return problem


def _our_fault() -> HubError:
    """What the outside learns of an error of ours: nothing but that it may try again."""
    return HubError("Server error, please retry")


def _address(path: str) -> tuple[str, str, str]:
    """Connector, place and the rest of `/inbound/<connector>/<place>/…`; a slash at the end does not count."""
    connector_id, _, behind = path.removeprefix(f"{INBOUND}/").partition("/")
    place, _, rest = behind.partition("/")
    return connector_id, place, "/" + rest.rstrip("/")


def _query(scope: Scope) -> dict[str, str]:
    """The fields of the query; of one that comes twice, the last."""
    text = scope["query_string"].decode("latin-1")
    try:
        fields = dict(parse_qsl(text, errors="replace", max_num_fields=_MOST_QUERY_FIELDS))
    except ValueError as problem:
        raise InvalidRequest(f"query: more than {_MOST_QUERY_FIELDS} fields", field="query") from problem
    for name, value in fields.items():
        if "\x00" in value:
            raise InvalidRequest(f"{name}: text must not contain null bytes", field=name)
    return fields


async def _send(reply: InboundReply, send: Send) -> None:
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in reply.headers.items()]
    headers.append((b"content-length", b"%d" % len(reply.body)))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body, "more_body": False})

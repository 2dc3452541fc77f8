"""The one place where vendors are called: bounded, paced, recorded, every failure turned into what happens next.

httpx is the interface and aiohttp carries it, because httpx's own pool slows down with every open connection
(encode/httpx#3215). Requests go straight to the transport: redirects, cookies and auth flows are not wanted here.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn, cast

import aiohttp
import httpx
import msgspec
from httpx_aiohttp import AiohttpTransport
from msgspec import Struct

from hub.contract.context import current_call_context
from hub.contract.ports import CallSink, Clock, RateLimiter
from hub.contract.redact import Redactor
from hub.contract.retry import retry_read
from hub.contract.tls import tls_context
from hub.contract.waiting import rate_limit_reset_seconds, retry_after_seconds
from hub.errors import (
    ConnectorError,
    OutcomeUnknown,
    VendorAuthFailed,
    VendorMalformed,
    VendorRateLimited,
    VendorRejected,
    VendorUnavailable,
    VendorUnreachable,
)
from hub.model.call import Call
from hub.model.decimals import decode_json, encode_json
from hub.model.venue import RateLimit

MAX_ANSWER_BYTES = 8 * 1024 * 1024
_KNOWN_URLS = 100
_BEFORE_SENDING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_UNSTATED_WAIT_SECONDS = 5.0  # for a 429 that does not say how long
_KEEP_ALIVE_SECONDS = 4.0  # below the idle time after which common servers close a connection


def new_transport(max_connections: int = 512) -> AiohttpTransport:
    """The transport all links of a process share; close it with `aclose()`."""

    def session() -> aiohttp.ClientSession:
        made = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=max_connections, keepalive_timeout=_KEEP_ALIVE_SECONDS, ssl=tls_context()
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent",),
        )
        # aiohttp would repeat a GET, PUT or DELETE by itself when the connection breaks; it has no public switch.
        made._retry_connection = False
        return made

    return AiohttpTransport(client=session, verify=tls_context())


class Answer(Struct, frozen=True):
    """A vendor's answer. `data` is its JSON, numbers with a point as `Decimal`; None for an empty body."""

    status: int
    headers: httpx.Headers
    data: Any


@dataclass(frozen=True)
class HttpProfile:
    """What is fixed about the calls of one link. Times are seconds."""

    connector: str
    link_id: str
    base_url: str
    connect_timeout_seconds: float
    total_timeout_seconds: float
    rate_limits: Sequence[RateLimit]
    max_answer_bytes: int = MAX_ANSWER_BYTES
    answers_json: bool = True
    """False where only the status of an answer counts, whatever its body is."""


class VendorHttp:
    """Calls one vendor for one link.

    `refusal` reads a decoded body and returns the vendor's reason when the body says no, whatever its HTTP status.
    """

    def __init__(
        self,
        profile: HttpProfile,
        *,
        transport: httpx.AsyncBaseTransport,
        sink: CallSink,
        limiter: RateLimiter,
        clock: Clock,
        redactor: Redactor,
        refusal: Callable[[Any], str | None] = lambda body: None,
    ) -> None:
        self.profile = profile
        self._transport = transport
        self._sink = sink
        self._limiter = limiter
        self._clock = clock
        self._redactor = redactor
        self._refusal = refusal
        self._urls: dict[str, tuple[httpx.URL, str]] = {}
        self._hidden = ""
        self._limits: dict[str, tuple[RateLimit, ...]] = {}
        self._timeout = {"connect": profile.connect_timeout_seconds, "read": None, "pool": None}

    def explaining(self, refusal: Callable[[Any], str | None]) -> "VendorHttp":
        """The same client, reading refusals the way this vendor words them."""
        copy = object.__new__(VendorHttp)
        copy.__dict__.update(self.__dict__)
        copy._refusal = refusal
        return copy

    def at(self, base_url: str) -> "VendorHttp":
        """The same client at another address, for a connector that knows the vendor's addresses by name."""
        copy = object.__new__(VendorHttp)
        copy.__dict__.update(self.__dict__)
        copy.profile = replace(self.profile, base_url=base_url)
        copy._urls = {}
        return copy

    @property
    def redactor(self) -> Redactor:
        """What hides this link's secrets."""
        return self._redactor

    def hide(self, secret: str) -> None:
        """Keeps a value that was just issued (a token) out of everything recorded from now on."""
        if secret != self._hidden:  # the same one comes with every call
            self._redactor = self._redactor.with_value(secret)
            self._hidden = secret

    def _url(self, path: str) -> tuple[httpx.URL, str]:
        """The address of a path and its `Host` header; parsed once for paths that come again and again."""
        known = self._urls.get(path)
        if known is None:
            if len(self._urls) >= _KNOWN_URLS:
                self._urls.clear()
            url = httpx.URL(self.profile.base_url + path)
            known = self._urls[path] = (url, url.netloc.decode("ascii"))
        return known

    def _limits_of(self, operation: str) -> Sequence[RateLimit]:
        """The limits that hold for an operation: the general ones and its own."""
        limits = self._limits.get(operation)
        if limits is None:
            known = self.profile.rate_limits
            limits = self._limits[operation] = tuple(it for it in known if it.operation in ("", operation))
        return limits

    async def read(
        self, operation: str, path: str, *, query: Mapping[str, Any] | None = None, headers: Mapping[str, str]
    ) -> Answer:
        """A call that changes nothing: repeated briefly when the vendor is unavailable."""
        return await retry_read(lambda: self.send(operation, "GET", path, query=query, headers=headers, safe=True))

    async def send(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        content: bytes | None = None,
        safe: bool = False,
    ) -> Answer:
        """One call. `safe` says that repeating it does no harm, so silence counts as unavailable, not as unknown.
        `content` is a body in JSON already, where every byte counts.

        Raises `VendorUnavailable`, `VendorRateLimited`, `OutcomeUnknown`, `VendorRejected`, `VendorAuthFailed`
        or `VendorMalformed`.
        """
        write_before = current_call_context().write_before_seconds
        if not safe and write_before is not None and self._clock.elapsed_seconds() > write_before:
            raise VendorUnavailable(
                f"{operation}: not sent, the calls before it took too long",
                connector=self.profile.connector,
                operation=operation,
            )
        limits = self._limits_of(operation)
        wait_seconds = await self._limiter.acquire(self.profile.connector, self.profile.link_id, limits)
        if wait_seconds > 0:
            raise VendorRateLimited(
                f"{self.profile.connector}: our own pacing holds {operation} back for {wait_seconds:.1f} s",
                retry_after_seconds=wait_seconds,
                whole_link=not any(limit.operation for limit in limits),
                connector=self.profile.connector,
                operation=operation,
            )
        exchange = _Exchange(self, operation, safe)
        if content is None:
            content = b"" if body is None else encode_json(body)
        url, host = self._url(path)
        sent_headers = {"host": host, **headers, "accept": "application/json"}
        if content:
            sent_headers["content-type"] = "application/json"
            sent_headers["content-length"] = str(len(content))
        request = httpx.Request(  # given a stream, httpx does not look for headers that are missing
            method,
            url,
            params=query or None,
            headers=sent_headers,
            stream=httpx.ByteStream(content),
            extensions={"timeout": self._timeout},
        )
        request.read()
        return await exchange.run(request, sent_headers)


class _Exchange:
    """One request and what came of it."""

    def __init__(self, http: VendorHttp, operation: str, safe: bool) -> None:
        self._http = http
        self._operation = operation
        self._safe = safe

    async def run(self, request: httpx.Request, sent_headers: Mapping[str, str]) -> Answer:
        started = time.perf_counter()
        at_ms = self._http._clock.now_ms()
        response: httpx.Response | None = None
        content = b""
        failure: ConnectorError | None = None
        try:
            async with asyncio.timeout(self._http.profile.total_timeout_seconds):
                response = await self._http._transport.handle_async_request(request)
                content = await _read_capped(response, self._http.profile.max_answer_bytes)
            return self._judge(response, content)
        except ConnectorError as error:
            failure = error
            raise
        except (TimeoutError, httpx.RequestError, aiohttp.ClientError, OSError, _TooLarge) as problem:
            failure = self._silence(problem)
            raise failure from problem
        finally:
            elapsed_ms = (time.perf_counter() - started) * 1000
            self._record(request, sent_headers, response, content, at_ms, elapsed_ms, failure)

    def _judge(self, response: httpx.Response, content: bytes) -> Answer:
        status = response.status_code
        data, readable = _decode(content) if self._http.profile.answers_json else (None, True)
        reason = self._http._refusal(data) if readable and data is not None else None
        text = f"{self._operation}: HTTP {status}" + (f", {reason}" if reason else "")
        if 200 <= status < 300:
            if not readable:
                self._fail(VendorMalformed if self._safe else OutcomeUnknown, f"{text}, the body is not JSON")
            if reason is not None:
                self._fail(VendorRejected, text, code=str(status), reason=reason)
            return Answer(status, response.headers, data)
        if status in (401, 403):
            self._fail(VendorAuthFailed, text, code=str(status), reason=reason)
        retry_after = retry_after_seconds(response.headers, now_ms=self._http._clock.now_ms())
        if status == 429 or (status == 503 and retry_after is not None):
            if retry_after is None:
                retry_after = rate_limit_reset_seconds(response.headers, now_ms=self._http._clock.now_ms())
            raise VendorRateLimited(
                self._http._redactor.text(text),
                retry_after_seconds=_UNSTATED_WAIT_SECONDS if retry_after is None else retry_after,
                whole_link=not any(limit.operation for limit in self._http._limits_of(self._operation)),
                connector=self._http.profile.connector,
                operation=self._operation,
            )
        if status >= 500 or status == 408:
            self._fail(VendorUnavailable if self._safe else OutcomeUnknown, text)
        if 300 <= status < 400:
            text = f"{text}: the vendor redirects, so the link's base_url is wrong"
        self._fail(VendorRejected, text, code=str(status), reason=reason)

    def _silence(self, problem: BaseException) -> ConnectorError:
        """No answer: not sent when the connection never stood, else unknown (or merely unavailable for a read)."""
        words = str(problem) or type(problem).__name__
        if isinstance(problem, TimeoutError):
            words = f"no complete answer within {self._http.profile.total_timeout_seconds:g} s"
        not_sent = _never_sent(problem)
        kind = VendorUnreachable if not_sent else VendorUnavailable if self._safe else OutcomeUnknown
        prefix = "could not connect" if not_sent else "no clear answer"
        return self._error(kind, f"{self._operation}: {prefix}: {words}")

    def _fail(
        self, kind: type[ConnectorError], message: str, code: str | None = None, reason: str | None = None
    ) -> NoReturn:
        raise self._error(kind, message, code, reason)

    def _error(
        self, kind: type[ConnectorError], message: str, code: str | None = None, reason: str | None = None
    ) -> ConnectorError:
        hide = self._http._redactor.text
        return kind(
            hide(message),
            connector=self._http.profile.connector,
            operation=self._operation,
            code=code,
            reason=hide(reason or ""),
        )

    def _record(
        self,
        request: httpx.Request,
        sent_headers: Mapping[str, str],
        response: httpx.Response | None,
        content: bytes,
        at_ms: int,
        elapsed_ms: float,
        failure: ConnectorError | None,
    ) -> None:
        redactor, context = self._http._redactor, current_call_context()
        self._http._sink.record(
            Call(
                at_ms=at_ms,
                direction="out",
                link_id=self._http.profile.link_id,
                order_id=context.order_id,
                operation=self._operation,
                attempt=context.attempt,
                method=request.method,
                url=redactor.text(str(request.url)),
                status=None if response is None else response.status_code,
                milliseconds=round(elapsed_ms, 2),
                request_headers=redactor.headers(sent_headers),
                request_body=redactor.body(request.content),
                response_headers="{}" if response is None else redactor.headers(_plain(response.headers)),
                response_body=redactor.body(content),
                error="" if failure is None else f"{type(failure).__name__}: {failure.message}",
            )
        )


class _TooLarge(Exception):
    """The answer is longer than `MAX_ANSWER_BYTES`."""


async def _read_capped(response: httpx.Response, most: int) -> bytes:
    chunks = bytearray()
    stream = cast(httpx.AsyncByteStream, response.stream)
    packed = "content-encoding" in response.headers
    try:
        async for chunk in response.aiter_bytes() if packed else stream:
            chunks += chunk
            if len(chunks) > most:
                raise _TooLarge(f"the answer is longer than {most} bytes")
    finally:
        await stream.aclose()
    return bytes(chunks)


def _plain(headers: httpx.Headers) -> dict[str, str]:
    """The headers by their names in small letters; those that came twice as one, with a comma between."""
    plain: dict[str, str] = {}
    for raw_name, raw_value in headers.raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        plain[name] = f"{plain[name]}, {value}" if name in plain else value
    return plain


def _decode(content: bytes) -> tuple[Any, bool]:
    """The JSON body and whether it was readable; an empty body is readable and None."""
    if not content.strip():
        return None, True
    try:
        return decode_json(content), True
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None, False


def _never_sent(problem: BaseException) -> bool:
    """Whether the connection was never established.

    httpx-aiohttp 0.2 reports every lost connection as `ConnectTimeout`, also one that broke after the request
    was sent; aiohttp's own exception behind it tells them apart.
    """
    cause = problem.__cause__
    if isinstance(cause, aiohttp.ClientError) and not isinstance(problem, httpx.UnsupportedProtocol):
        return isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
    return isinstance(problem, _BEFORE_SENDING)

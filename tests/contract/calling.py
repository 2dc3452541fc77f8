"""A `VendorHttp` for one made-up vendor, over a scripted transport or the real one, with everything it recorded."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx

from hub.contract.http import Answer, HttpProfile, VendorHttp
from hub.contract.redact import Redactor
from hub.model.call import Call
from hub.model.venue import RateLimit
from tests.contract.ports import CallList, NoPacing, StandingClock

NOW_MS = 1_795_000_000_000
SECRET = "s3cret-value"


class Calling:
    """One link's client and what came of its calls."""

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        *,
        base_url: str = "http://till.test/api",
        total_timeout_seconds: float = 5.0,
        refusal: Callable[[Any], str | None] = lambda body: None,
        limiter: Any = None,
        rate_limits: Sequence[RateLimit] = (),
    ) -> None:
        self.sink = CallList()
        self.http = VendorHttp(
            HttpProfile(
                connector="till",
                link_id="link_1",
                base_url=base_url,
                connect_timeout_seconds=1.0,
                total_timeout_seconds=total_timeout_seconds,
                rate_limits=rate_limits,
            ),
            transport=transport,
            sink=self.sink,
            limiter=limiter or NoPacing(),
            clock=StandingClock(NOW_MS),
            redactor=Redactor(("x-token",), ("client_secret",), (SECRET,)),
            refusal=refusal,
        )

    @property
    def recorded(self) -> Call:
        """The last call."""
        return self.sink.calls[-1]

    async def write(self, body: Any = None) -> Answer:
        return await self.http.send("submit_order", "POST", "/orders", headers={"x-token": "t"}, body=body or {"a": 1})

    async def read(self) -> Answer:
        """One read, without the brief repetitions."""
        return await self.http.send("fetch_order", "GET", "/orders/1", headers={"x-token": "t"}, safe=True)


def answering(*answers: httpx.Response | Exception) -> httpx.MockTransport:
    """Answers in turn; the last one again and again."""
    waiting = list(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    return httpx.MockTransport(handle)


Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(talk: Conversation) -> AsyncIterator[str]:
    """A real server on a socket that behaves as badly as `talk` wants; gives its address."""
    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.current_task())  # type: ignore[arg-type]
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = listening.sockets[0].getsockname()[:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        listening.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """One whole request."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    return head + await reader.readexactly(length)

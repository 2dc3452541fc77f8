"""Calls the POS (the hub) as Mozrest does, once more after a failure, and writes every attempt down."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from connectors.mozrest.sandbox.log import Log, readable
from connectors.mozrest.sandbox.seed import Settings, Venue
from hub.contract.http import new_transport
from hub.contract.sandbox import Clock
from hub.contract.sandbox.ledger import to_json

REPEATED_AFTER = frozenset({500, 503})
MOST_BYTES = 8 * 1024 * 1024


class AnswerTooLong(Exception):
    """The POS sends without an end."""


@dataclass(frozen=True)
class PosAnswer:
    """What came of a call: the last attempt's answer, or in `error` why there is none."""

    status: int | None
    body: Any
    error: str | None
    attempts: int
    sent: tuple[int, ...]
    """The numbers of the attempts in the log of calls sent."""

    @property
    def ok(self) -> bool:
        """Whether the POS said yes; the monitoring counts 200 alone as success, so another 2xx is told as odd."""
        return self.status is not None and 200 <= self.status < 300

    def problems(self) -> list[str]:
        """What is odd about the answer itself."""
        if self.error is not None:
            return [self.error]
        if self.ok and self.status != 200:
            return [f"answered {self.status}, and only 200 counts as success"]
        if not self.ok and not (isinstance(self.body, dict) and isinstance(self.body.get("error"), dict)):
            return [f"answered {self.status} without the documented error body"]
        return []

    def shown(self) -> dict[str, Any]:
        """As a control call tells it."""
        return {
            "status": self.status,
            "body": self.body,
            "error": self.error,
            "attempts": self.attempts,
            "sent": self.sent,
        }


class Pos:
    """The way to the POS; open inside `connected`."""

    def __init__(
        self, log: Log, clock: Clock, settings: Callable[[], Settings], sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._log = log
        self._clock = clock
        self._settings = settings
        self._sleep = sleep
        self._client: httpx.AsyncClient | None = None

    async def connect(self, stack: AsyncExitStack) -> None:
        """Opens the connections; they are closed with the stack."""
        self._client = await stack.enter_async_context(
            httpx.AsyncClient(transport=new_transport(), timeout=None, trust_env=False)
        )

    async def call(
        self,
        venue: Venue,
        operation: str,
        path: str,
        *,
        order_id: str = "",
        query: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> PosAnswer:
        """One call with its repetitions: a GET, or a POST when there is a body."""
        settings = self._settings()
        sent: list[int] = []
        place = path.replace("{venueId}", quote(venue.id, safe="")).replace("{orderId}", quote(order_id, safe=""))
        url = httpx.URL(venue.hub_url.rstrip("/") + place, params=query or None)
        pause = settings.retry_pause_seconds
        for attempt in range(1, settings.retries + 2):
            if attempt > 1:
                await self._sleep(pause)
                pause *= 2
            status, answer, error = await self._attempt(venue, operation, url, body, attempt, sent)
            if status is not None and status not in REPEATED_AFTER:
                break
        return PosAnswer(status, answer, error, attempt, tuple(sent))

    async def _attempt(
        self, venue: Venue, operation: str, url: httpx.URL, body: Any, attempt: int, sent: list[int]
    ) -> tuple[int | None, Any, str | None]:
        method = "GET" if body is None else "POST"
        number = self._log.begin(
            {
                "at": self._clock().isoformat(),
                "operation": operation,
                "venue": venue.id,
                "method": method,
                "url": str(url),
                "body": body,
                "attempt": attempt,
                "status": None,
            }
        )
        sent.append(number)
        status, answer, error = None, None, None
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._settings().timeout_seconds):
                status, answer = await self._send(venue, method, url, body)
        except (httpx.HTTPError, TimeoutError, AnswerTooLong) as problem:
            error = f"{type(problem).__name__}: {problem}".rstrip(": ")
        milliseconds = int((time.monotonic() - began) * 1000)
        self._log.end(number, {"status": status, "answer": answer, "error": error, "milliseconds": milliseconds})
        return status, answer, error

    async def _send(self, venue: Venue, method: str, url: httpx.URL, body: Any) -> tuple[int, Any]:
        assert self._client is not None, "not connected"
        headers = {"Authorization": f"Bearer {venue.hub_token}", "Accept": "application/json"}
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = to_json(body)
        async with self._client.stream(method, url, headers=headers, content=content) as answer:
            raw = bytearray()
            async for part in answer.aiter_bytes():
                raw += part
                if len(raw) > MOST_BYTES:
                    raise AnswerTooLong(f"the answer is longer than {MOST_BYTES} bytes")
            return answer.status_code, readable(bytes(raw))

"""The load generator: a process of its own that sends requests in a closed loop and measures the answers.

It reads jobs as JSON lines from standard input and answers each with one JSON line.
"""

import asyncio
import gc
import json
import math
import sys
import time
from collections import Counter
from typing import Any, cast

import httptools
import msgspec
import uvloop

from bench.orders import UNIQUE
from bench.processes import cpu_seconds

_ANSWER_SECONDS = 30.0
"""How long to wait for the last answers after the window has closed."""


class Job(msgspec.Struct, kw_only=True):
    """What to send: complete requests (used in turn), how many connections, and for how long or how many.

    With a `count` the window is the whole run and `seconds` its limit. `run` makes the keys of this run unique.
    """

    port: int
    requests: list[str]
    connections: int
    run: str
    seconds: float
    count: int | None = None
    warmup_seconds: float = 0.0
    pids: list[int] = []


class Result(msgspec.Struct, kw_only=True):
    """What happened in the measured window. The counts also hold the warm-up and the last answers.

    `started_at` is `time.monotonic()`, which all processes of a machine share.
    """

    seconds: float
    answers: int
    rate: float
    p50_seconds: float
    p99_seconds: float
    cpu_seconds: float
    load_cpu_seconds: float
    started_at: float
    statuses: dict[str, int] = {}
    sent: int = 0
    accepted: int = 0
    errors: int = 0


class Run:
    """One job: shared state of its connections."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._templates = [_split(request) for request in job.requests]
        self._latencies: list[float] = []
        self._measuring = False
        self._cpu_before = self._own_before = self._window_from = 0.0
        self._tasks: set[asyncio.Task[tuple[asyncio.BaseTransport, Connection]]] = set()
        self.sent = 0
        self.statuses: Counter[str] = Counter()
        self.open = True
        self.in_flight = 0
        self.idle = asyncio.Event()

    async def execute(self) -> Result:
        job, loop = self._job, asyncio.get_running_loop()
        gc.collect()
        gc.disable()
        started_at = time.monotonic()
        if job.count is not None:
            self._open_window()
        connections = [Connection(self) for _ in range(job.connections)]
        for each in connections:
            self.connect(loop, each)
        if job.count is not None:
            await self._wait_until_idle(job.seconds)
        else:
            await asyncio.sleep(job.warmup_seconds)
            self._open_window()
            await asyncio.sleep(job.seconds)
        result = self._close_window(started_at)
        self.open = False
        if self.in_flight:
            self.idle.clear()
            await self._wait_until_idle(_ANSWER_SECONDS)
        for each in connections:
            each.close()
        gc.enable()
        accepted = sum(count for status, count in self.statuses.items() if status.startswith("2"))
        return msgspec.structs.replace(
            result,
            statuses=dict(self.statuses),
            sent=self.sent,
            accepted=accepted,
            errors=sum(self.statuses.values()) - accepted,
        )

    def connect(self, loop: asyncio.AbstractEventLoop, connection: "Connection") -> None:
        """Open a connection in the background; a refusal ends the run."""
        task = loop.create_task(loop.create_connection(lambda: connection, "127.0.0.1", self._job.port))
        self._tasks.add(task)
        task.add_done_callback(self._connected)

    def _connected(self, task: "asyncio.Task[tuple[asyncio.BaseTransport, Connection]]") -> None:
        self._tasks.discard(task)
        if task.exception() is not None:
            self.statuses["cannot connect"] += 1
            self.open = False
            if self.in_flight == 0:
                self.idle.set()

    async def _wait_until_idle(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self.idle.wait(), seconds)
        except TimeoutError:
            self.statuses["no answer in time"] += self.in_flight

    def _open_window(self) -> None:
        self._cpu_before, self._own_before = cpu_seconds(self._job.pids), time.process_time()
        self._measuring, self._window_from = True, time.perf_counter()

    def _close_window(self, started_at: float) -> Result:
        self._measuring, window = False, time.perf_counter() - self._window_from
        own = time.process_time() - self._own_before
        cpu = cpu_seconds(self._job.pids) - self._cpu_before
        ordered = sorted(self._latencies)
        return Result(
            seconds=window,
            answers=len(ordered),
            rate=len(ordered) / window,
            p50_seconds=percentile(ordered, 0.50),
            p99_seconds=percentile(ordered, 0.99),
            cpu_seconds=cpu,
            load_cpu_seconds=own,
            started_at=started_at,
        )

    @property
    def finished(self) -> bool:
        """Whether no further request is to be sent."""
        return not self.open or (self._job.count is not None and self.sent >= self._job.count)

    def next_request(self) -> bytes | None:
        """Return the next request, or None if the run is over."""
        if self.finished:
            return None
        parts = self._templates[self.sent % len(self._templates)]
        self.sent += 1
        self.in_flight += 1
        if len(parts) == 1:
            return parts[0]
        return f"{self._job.run}{self.sent:0{len(UNIQUE) - len(self._job.run)}d}".encode().join(parts)

    def answered(self, status: str, seconds: float) -> None:
        """Count one answer; only good ones have a latency."""
        self.in_flight -= 1
        self.statuses[status] += 1
        if self._measuring and status.startswith("2"):
            self._latencies.append(seconds)
        if self.in_flight == 0 and self.finished:
            self.idle.set()


class Connection(asyncio.Protocol):
    """One keep-alive connection: sends, waits for the whole answer, sends again."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._sent_at = 0.0
        self._waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._waiting = False
        self._run.answered(str(self._parser.get_status_code()), time.perf_counter() - self._sent_at)
        if self._parser.should_keep_alive():
            self._send()
        else:
            self._reconnect()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting:
            self._waiting = False
            self._run.answered("connection lost", time.perf_counter() - self._sent_at)
            self._reconnect()

    def close(self) -> None:
        self._waiting = False
        if self._transport is not None:
            self._transport.close()

    def _send(self) -> None:
        request = self._run.next_request()
        if request is not None and self._transport is not None:
            self._waiting = True
            self._sent_at = time.perf_counter()
            self._transport.write(request)

    def _reconnect(self) -> None:
        if not self._run.open:
            return
        if self._transport is not None:
            self._transport.close()
        self._run.connect(asyncio.get_running_loop(), Connection(self._run))


def percentile(ordered: list[float], share: float) -> float:
    """Return the value below which this share of the (sorted) values lies, 0.0 if there are none."""
    if not ordered:
        return 0.0
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def http_request(method: str, path: str, headers: dict[str, str], body: bytes) -> str:
    """Return a complete HTTP/1.1 request as text (one character per byte)."""
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", *(f"{k}: {v}" for k, v in headers.items())]
    if body:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]) + body.decode("latin-1")


def _split(request: str) -> list[bytes]:
    return [part.encode("latin-1") for part in request.split(UNIQUE)]


def main() -> None:
    """Serve jobs until standard input ends."""
    for line in sys.stdin:
        job = msgspec.convert(json.loads(line), Job)
        result: dict[str, Any] = msgspec.to_builtins(uvloop.run(Run(job).execute()))
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()

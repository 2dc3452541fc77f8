"""One visit: what is measured on a contender in one round, and the sample that comes out."""

import os
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import msgspec

from bench.contenders import Contender
from bench.load import Job, Result, http_request
from bench.processes import Child, cpu_seconds

_DRAIN_SECONDS = 60.0


@dataclass(frozen=True)
class Length:
    """How long the visits of this run are."""

    rounds: int
    seconds: float
    warmup_seconds: float
    deliveries: int
    """Orders sent in a visit that waits until all are delivered."""


@dataclass(frozen=True)
class Sample:
    """What one visit measured. Rates are per second; what a visit cannot measure is None."""

    rate: float | None
    p50_seconds: float | None
    p99_seconds: float | None
    cpu_seconds: float | None
    """CPU time per order of the server and its database."""
    load_busy: float | None = None
    """Share of its core that the load generator used: near 1 means the result is too low."""
    errors: dict[str, int] = field(default_factory=dict)
    problem: str | None = None


class Visit(ABC):
    """A repeatable measurement with a name."""

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def measure(self, length: Length) -> Sample: ...


class RateVisit(Visit):
    """Closed-loop load for a fixed time: rate, latency, CPU per order."""

    def __init__(
        self, name: str, contender: Contender, load: Child, connections: int = 32, at_least_seconds: float = 0.0
    ) -> None:
        super().__init__(name)
        self._at_least_seconds = at_least_seconds
        self._contender = contender
        self._load = load
        self._connections = connections

    def measure(self, length: Length) -> Sample:
        self._contender.before_visit()
        seconds = max(length.seconds, self._at_least_seconds)
        result = send(self._contender, self._load, self._connections, seconds, length.warmup_seconds)
        problem = self._contender.after_visit(result.accepted)
        return Sample(
            rate=result.rate,
            p50_seconds=result.p50_seconds,
            p99_seconds=result.p99_seconds,
            cpu_seconds=result.cpu_seconds / result.answers if result.answers else None,
            load_busy=result.load_cpu_seconds / result.seconds,
            errors=_errors(result),
            problem=problem,
        )


class DeliveredVisit(Visit):
    """A fixed number of orders, timed from the first request until the vendor has received the last one."""

    def __init__(self, name: str, contender: Contender, load: Child, connections: int = 32) -> None:
        super().__init__(name)
        self._contender = contender
        self._load = load
        self._connections = connections

    def measure(self, length: Length) -> Sample:
        vendor = self._contender.vendor
        assert vendor is not None, f"{self.name} needs a vendor"
        self._contender.before_visit()
        pids = [*self._contender.pids(), *self._contender.database_pids()]
        had, cpu = vendor.orders(), cpu_seconds(pids)
        result = send(self._contender, self._load, self._connections, _DRAIN_SECONDS, 0.0, length.deliveries)
        missing = vendor.wait_for_orders(had + result.accepted, _DRAIN_SECONDS)
        elapsed = time.monotonic() - result.started_at
        delivered = max(result.accepted - missing, 1)
        cpu = cpu_seconds(pids) - cpu
        problem = self._contender.after_visit(result.accepted)
        if missing > 0:
            problem = f"{missing} of {result.accepted} orders not delivered after {elapsed:.0f} s"
        return Sample(
            rate=delivered / elapsed,
            p50_seconds=result.p50_seconds,
            p99_seconds=result.p99_seconds,
            cpu_seconds=cpu / delivered,
            errors=_errors(result),
            problem=problem,
        )


class TimedVisit(Visit):
    """CPU time of one function per call, in a process on the server core."""

    def __init__(self, name: str, target: str, timer: Child) -> None:
        super().__init__(name)
        self._target = target
        self._timer = timer

    def measure(self, length: Length) -> Sample:
        answer = self._timer.ask({"target": self._target, "seconds": min(0.5, length.seconds)})
        return Sample(rate=None, p50_seconds=None, p99_seconds=None, cpu_seconds=answer["cpu_seconds"])


def send(
    contender: Contender,
    load: Child,
    connections: int,
    seconds: float,
    warmup_seconds: float,
    count: int | None = None,
) -> Result:
    """Let the load generator send orders to a contender and return what it measured."""
    headers = dict(contender.headers())
    job = Job(
        port=contender.port,
        requests=[http_request("POST", contender.path, headers, body) for body in contender.bodies()],
        connections=connections,
        run=os.urandom(4).hex(),
        seconds=seconds,
        count=count,
        warmup_seconds=warmup_seconds,
        pids=[*contender.pids(), *contender.database_pids()],
    )
    return msgspec.convert(load.ask(msgspec.to_builtins(job)), Result)


def _errors(result: Result) -> dict[str, int]:
    return {status: count for status, count in result.statuses.items() if not status.startswith("2")}

"""Fixtures for the Clopos sandbox: a clock that stands still, a running sandbox, a caller with a token."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.clopos.sandbox import CloposSandbox
from tests.connectors.clopos.running import SandboxThread

V1, V2 = "/open-api", "/open-api/v2"


class FakeClock:
    """A clock that moves when a test says so."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **amount: float) -> None:
        self.now += timedelta(**amount)


class Caller:
    """An HTTP client with the headers of one dialect."""

    def __init__(self, sandbox: CloposSandbox, url: str, client: httpx.Client) -> None:
        self.sandbox = sandbox
        self.url = url
        self.client = client
        self.v1 = {"x-brand": "openapitest", "x-venue": "1", "x-token": self._token(V1, venue_id="1")}
        self.v2 = {"x-token": self._token(V2, integrator_id="sandbox-integrator")}

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Calls `/open-api/...` with the headers of its dialect."""
        own = self.v2 if path.startswith(V2) else self.v1
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.request(method, path, json=body, headers=own | named)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.call("GET", path, **headers)

    def order(self, body: Any, *, version: str = V1, **headers: str) -> httpx.Response:
        return self.call("POST", f"{version}/orders", body, **headers)

    def _token(self, version: str, **extra: str) -> str:
        credentials = {"client_id": "sandbox-client", "client_secret": "sandbox-secret", "brand": "openapitest"}
        answer = self.client.post(f"{version}/auth", json=credentials | extra)
        token: str = answer.json()["token"]
        return token


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def start(clock: FakeClock) -> Iterator[Callable[..., Caller]]:
    """Starts a sandbox with the options given and signs in."""
    with ExitStack() as stack:

        def started(**options: Any) -> Caller:
            sandbox = CloposSandbox(clock=clock, **options)
            running = stack.enter_context(SandboxThread(sandbox))
            client = stack.enter_context(httpx.Client(base_url=running.url, trust_env=False, timeout=30))
            return Caller(sandbox, running.url, client)

        yield started


@pytest.fixture
def clopos(start: Callable[..., Caller]) -> Caller:
    """A running sandbox with its defaults."""
    return start()

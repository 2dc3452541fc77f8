"""Starts the Desktop Kitchen sandbox on a free port for a test, and calls it as an employee."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from connectors.desktop_kitchen.sandbox import DesktopKitchenSandbox, Options
from tests.connectors.clopos.conftest import FakeClock
from tests.connectors.clopos.running import SandboxThread

TAQUERIA, CAFE = "taqueria-el-faro", "cafe-mercado"
CASHIER_PIN, MANAGER_PIN, KITCHEN_PIN = "482913", "739154", "265801"

# Two at 130 with cheese for 15, and one at 50: 340, of which 46.90 is tax.
ORDER = {
    "employee_id": 2,
    "items": [
        {"menu_item_id": 4, "quantity": 2, "modifiers": [1], "notes": "sin cebolla"},
        {"menu_item_id": 19, "quantity": 1},
    ],
}


class Caller:
    """An HTTP client with the tenant's name, and after `sign_in` with a token."""

    def __init__(self, sandbox: DesktopKitchenSandbox, url: str, client: httpx.Client, clock: FakeClock) -> None:
        self.sandbox = sandbox
        self.url = url
        self.client = client
        self.clock = clock
        self.headers = {"X-Tenant-ID": TAQUERIA}

    def sign_in(self, pin: str = CASHIER_PIN, tenant: str = TAQUERIA) -> None:
        """Logs in by PIN; calls carry the token from now on."""
        self.headers = {"X-Tenant-ID": tenant}
        answer = self.call("POST", "/api/employees/login", {"pin": pin})
        self.headers["Authorization"] = f"Bearer {answer.json()['token']}"

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """One call; `x_tenant_id="…"` and the like replace headers."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in self.headers.items() if name.lower() not in named}
        return self.client.request(method, path, json=body, headers=kept | named)

    def get(self, path: str, **headers: str) -> Any:
        """The JSON of a read that must succeed."""
        answer = self.call("GET", path, **headers)
        assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
        return answer.json()

    def order(self, **changes: Any) -> httpx.Response:
        """`POST /api/orders` with the example order."""
        return self.call("POST", "/api/orders", ORDER | changes)

    def placed(self, **changes: Any) -> int:
        """The id of an order that must be accepted."""
        answer = self.order(**changes)
        assert answer.status_code == 201, f"{answer.status_code} {answer.text}"
        number: int = answer.json()["id"]
        return number

    def status(self, number: int, status: str) -> tuple[int, Any]:
        """`PUT /api/orders/:id/status`."""
        answer = self.call("PUT", f"/api/orders/{number}/status", {"status": status})
        return answer.status_code, answer.json()

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """A control call that must succeed."""
        answer = self.client.request(method, f"/_sandbox/{path}", json=body)
        assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
        return answer.json()

    def fail(self, *rules: dict[str, Any]) -> None:
        """Puts these faults in force."""
        self.control("PUT", "faults", list(rules))


@contextmanager
def playing(*, state: Path | None = None, accept_after: float | None = None, **options: Any) -> Iterator[Caller]:
    """A running sandbox with these options, on a clock that stands still at 2026-03-02 12:00 UTC."""
    clock = FakeClock()
    sandbox = DesktopKitchenSandbox(
        state=state, clock=clock, auto_accept_seconds=accept_after, options=Options(**options)
    )
    with SandboxThread(sandbox) as running, httpx.Client(base_url=running.url, trust_env=False, timeout=30) as client:
        yield Caller(sandbox, running.url, client, clock)


def error(answer: httpx.Response) -> tuple[int, Any]:
    """Status and error text of an answer."""
    return answer.status_code, answer.json()["error"]

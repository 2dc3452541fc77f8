"""The whole hub in front of the sandbox: whatever becomes of an answer, the kitchen sees each order once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.desktop_kitchen.sandbox import DesktopKitchenSandbox
from tests.connectors.clopos.running import SandboxThread
from tests.journeys.running import wait_for
from tests.journeys.site import Server, Site, bearer, order_body

VENUE = """
[[venues]]
slug = "demo-taqueria"
name = "Taquería El Faro"
order_prefix = "DK"
currency = "MXN"
timezone = "America/Mexico_City"
[venues.link]
connector = "desktop_kitchen"
[venues.link.config]
base_url = "{url}/api"
tenant = "taqueria-el-faro"
pin = "env:TILL_PIN"
[venues.link.tuning]
rate_limits = {limits}
poll_seconds = 3600
connect_timeout_seconds = 1.0
total_timeout_seconds = 1.0
settle_seconds = 1.0

"""
LOST: dict[str, dict[str, Any]] = {
    "dropped after": {"fault": "drop_after"},
    "500 after": {"fault": "status", "status": 500, "after_commit": True},
    "503 after": {"fault": "status", "status": 503, "after_commit": True},
    "html after": {"fault": "malformed", "after_commit": True},
    "silence after": {"fault": "hang", "after_commit": True},
    "dropped before": {"fault": "drop_before"},
    "503 before": {"fault": "status", "status": 503},
    "silence before": {"fault": "hang"},
}


class Street:
    """A hub with one taqueria behind a sandbox."""

    def __init__(self, folder: Path, url: str, *, limits: str = "[]", pin: str = "sandbox-secret") -> None:
        self.site = Site(folder)
        self.site.environment_more = {"TILL_PIN": pin}
        self.site.apply(VENUE.replace("{url}", url).replace("{limits}", limits))
        self.server: Server = self.site.serve()
        self.item_id = self.server.item_id("Torta Cubana", "demo-taqueria")
        self._till = httpx.Client(base_url=f"{url}/_sandbox", trust_env=False, timeout=30)

    def close(self) -> None:
        """Ends the hub."""
        self._till.close()
        self.site.close()

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """A control call of the sandbox."""
        answer = self._till.request(method, path, json=body).raise_for_status()
        return answer.json() if answer.content else None

    def place(self, name: str, **more: Any) -> str:
        """Places an order and gives its id."""
        body = order_body(self.item_id, storeSlug="demo-taqueria", customer={"name": name, "phone": "555"}, **more)
        return str(self.server.placed(body, bearer())["id"])

    def tickets(self, name: str) -> list[str]:
        """The statuses of what the kitchen saw under a guest's name."""
        rows = self.control("GET", "/kitchen")
        return [row["status"] for row in rows if f" {name} " in (row["items"][0]["notes"] or "")]


@pytest.fixture
def sandbox() -> Iterator[SandboxThread]:
    with SandboxThread(DesktopKitchenSandbox()) as running:
        yield running


@pytest.fixture
def street(sandbox: SandboxThread, tmp_path: Path) -> Iterator[Street]:
    opened = Street(tmp_path, sandbox.url)
    yield opened
    opened.close()


def test_the_kitchen_sees_each_order_once_whatever_becomes_of_the_answers(street: Street) -> None:
    orders = {}
    for name, rule in LOST.items():
        street.control("PUT", "/faults", [{**rule, "operation": "create_order", "times": 1}])
        guest = name.replace(" ", "-")
        orders[guest] = street.place(guest)
        wait_for(lambda: street.control("GET", "/faults")[0]["fired"] == 1, f"{name} fired")
    # Six at once while every second answer is lost, and the answers to their repetitions too.
    street.control("PUT", "/faults", [{"fault": "drop_after", "operation": "create_order", "times": 6}])
    orders |= {f"crowd-{number}": street.place(f"crowd-{number}") for number in range(6)}
    for order_id in orders.values():
        street.server.wait_until(order_id, "confirmed", seconds=60)
    assert {guest: street.tickets(guest) for guest in orders} == {guest: ["pending"] for guest in orders}


def test_an_order_that_must_wait_for_the_pos_says_so_and_is_sent_later(sandbox: SandboxThread, tmp_path: Path) -> None:
    limits = '[{ requests = 2, seconds = 5, scope = "vendor", operation = "create_order" }]'
    street = Street(tmp_path, sandbox.url, limits=limits)
    try:
        orders = [street.place(f"guest-{number}") for number in range(3)]
        seen: list[dict[str, Any]] = []

        def waits() -> bool:
            seen[:] = [street.server.injection(order_id) for order_id in orders]
            return "POS_RATE_LIMITED" in [code_of(state) for state in seen]

        wait_for(waits, "an order waits for the limit")
        for order_id in orders:
            street.server.wait_until(order_id, "confirmed", seconds=30)
        assert [street.tickets(f"guest-{number}") for number in range(3)] == [["pending"]] * 3
    finally:
        street.close()


def test_a_wrong_pin_pauses_the_link_after_one_try(sandbox: SandboxThread, tmp_path: Path) -> None:
    street = Street(tmp_path, sandbox.url, pin="000000")
    try:
        orders = [street.place(f"guest-{number}") for number in range(4)]
        wait_for(
            lambda: "POS_AUTH_FAILED" in [code_of(street.server.injection(one)) for one in orders], "the link is paused"
        )
        assert sandbox.sandbox.call_count("login") == 1
        assert sandbox.sandbox.call_count("create_order") == 0
    finally:
        street.close()


def code_of(injection: dict[str, Any]) -> str:
    """The cause of what is wrong with an injection."""
    return str((injection["cause"] or {}).get("code", ""))

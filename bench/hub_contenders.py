"""The hub as it takes part in the benchmark: everything the benchmark has to know about the product is in this file.

Each variant is one hub process with its own data and its own fake vendor. It is set up the way a user does it:
`openpos-hub apply FILE.toml`, `openpos-hub keys create`, `openpos-hub serve`.
"""

import importlib.util
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from bench.contenders import Contender, Vendor, Workbench
from bench.orders import UNIQUE
from bench.processes import SERVER_CORE, Child, ChildFailed, free_port

TRANSLATION: str | None = "bench.translation:order_to_vendor"
"""P10: "module:factory" of the hub's decode, validate, translate, encode of one ten-item order; see `timing.py`."""

SLUG = "bench"
ORDER_PATH = "/api/v1/orders"
WAITING_HEADERS = {"prefer": "wait=30"}
"""Ask for an answer only after the vendor has answered."""
SLOW_SECONDS = 0.2
_COMMAND_SECONDS = 60.0
_DRAIN_SECONDS = 60.0


class VendorMode(StrEnum):
    """How the vendor behaves while the hub is visited."""

    FAST = "fast"
    SLOW = "slow"
    """Answers after 200 ms."""
    PAUSED = "paused"
    """The link is paused: the hub only accepts."""
    DEAD = "dead"
    """Refuses connections."""


@dataclass(frozen=True)
class Variant:
    """One way to run the hub."""

    database: str
    vendor: VendorMode
    waiting: bool = False


VARIANTS = {
    "hub-sqlite": Variant("sqlite", VendorMode.PAUSED),
    "hub-postgres": Variant("postgres", VendorMode.PAUSED),
    "hub-fast": Variant("sqlite", VendorMode.FAST),
    "hub-slow": Variant("sqlite", VendorMode.SLOW),
    "hub-dead": Variant("sqlite", VendorMode.DEAD),
    "hub-waiting": Variant("sqlite", VendorMode.SLOW, waiting=True),
}


class Hub:
    """One running hub."""

    def __init__(self, bench: Workbench, name: str, variant: Variant) -> None:
        self.name = name
        self.path = ORDER_PATH
        self.port = free_port()
        self.vendor: Vendor | None = None
        self._bench = bench
        self._variant = variant
        self._child: Child | None = None
        self._key = ""
        self._body = b""
        self._expected = 0

    def headers(self) -> Mapping[str, str]:
        waiting = WAITING_HEADERS if self._variant.waiting else {}
        return {"authorization": f"Bearer {self._key}", "idempotency-key": UNIQUE, **waiting}

    def bodies(self) -> Sequence[bytes]:
        return [self._body]

    def start(self) -> None:
        self.vendor = vendor = Vendor(self._bench, self.name, vendor_answers())
        folder = self._bench.folder / self.name
        folder.mkdir()
        setup = folder / "bench.toml"
        setup.write_text(setup_file(vendor.url))
        environment = {"OPENPOS_DATA": str(folder), "BENCH_SECRET": "bench-secret"}
        if self._variant.database == "postgres":
            environment["OPENPOS_DATABASE_URL"] = self._bench.postgres().create_database()
        run_hub(environment, "apply", str(setup))
        # The limit is counted as always; it is only too high to be reached.
        limits = ["--per-minute", "1000000000", "--per-day", "1000000000"]
        self._key = run_hub(environment, "keys", "create", "bench", "--access", "read-write", *limits).split()[0]
        if self._variant.vendor is VendorMode.PAUSED:
            run_hub(environment, "link", "pause", SLUG)
        self._child = Child(
            self.name,
            [hub_program(), "serve", "--port", str(self.port)],
            SERVER_CORE,
            self._bench.log(self.name),
            environment,
        )
        self._child.wait_for_port(self.port)
        self._body = order_from_menu(f"http://127.0.0.1:{self.port}/api/v1/stores/{SLUG}/menu")

    def before_visit(self) -> None:
        child, vendor = self._parts()
        vendor.set_alive(self._variant.vendor is not VendorMode.DEAD)
        delay = {VendorMode.SLOW: SLOW_SECONDS}.get(self._variant.vendor, 0.0)
        vendor.set_delay(delay)
        child.thaw()

    def after_visit(self, accepted: int) -> str | None:
        child, vendor = self._parts()
        self._expected += accepted
        if self._variant.vendor in (VendorMode.PAUSED, VendorMode.DEAD):
            # Its queue cannot be emptied: it must not work on while others are measured.
            child.freeze()
            return None
        vendor.set_delay(0.0)
        missing = vendor.wait_for_orders(self._expected, _DRAIN_SECONDS)
        if missing > 0:
            return f"{missing} orders never reached the vendor"
        return f"the vendor got {-missing} orders too many" if missing < 0 else None

    def pids(self) -> Sequence[int]:
        return [] if self._child is None else [self._child.pid]

    def database_pids(self) -> Sequence[int]:
        return self._bench.postgres_pids() if self._variant.database == "postgres" else []

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()
        if self.vendor is not None:
            self.vendor.stop()

    def _parts(self) -> tuple[Child, Vendor]:
        assert self._child is not None and self.vendor is not None, f"{self.name} is not started"
        return self._child, self.vendor


def hub_factories() -> dict[str, Callable[[Workbench], Contender]]:
    """Return every variant by name, not started."""

    def factory(name: str, variant: Variant) -> Callable[[Workbench], Contender]:
        return lambda bench: Hub(bench, name, variant)

    return {name: factory(name, variant) for name, variant in VARIANTS.items()}


def reason_missing() -> str | None:
    """Return why the hub cannot be started here, or None if it can."""
    if importlib.util.find_spec("hub.cli") is None:
        return "hub.cli does not exist"
    return None if Path(hub_program()).exists() else f"{hub_program()} is not installed"


def hub_program() -> str:
    return str(Path(sys.executable).with_name("openpos-hub"))


def run_hub(environment: Mapping[str, str], *arguments: str) -> str:
    """Run one short hub command and return what it printed; raises ChildFailed with its error output."""
    done = subprocess.run(
        [hub_program(), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=_COMMAND_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise ChildFailed(f"openpos-hub {' '.join(arguments)} failed:\n{done.stderr.strip()}")
    return done.stdout


def setup_file(vendor_url: str) -> str:
    """Return the TOML file for `openpos-hub apply`: one venue, linked to the fake vendor."""
    return f"""
[[venues]]
slug = "{SLUG}"
name = "Bench"
order_prefix = "BE"
timezone = "Asia/Baku"
currency = "AZN"

[venues.link]
connector = "clopos"

[venues.link.config]
base_url = "{vendor_url}/open-api"
client_id = "bench"
client_secret = "env:BENCH_SECRET"
brand = "bench"
venue_id = 1
default_customer_id = 9

[venues.link.tuning]
rate_limits = []
max_in_flight = 256
"""


def vendor_answers() -> dict[str, tuple[int, str]]:
    """Return what the vendor answers to the hub's questions at set-up: twelve products, the second half modified."""
    products = [
        {
            "id": number,
            "name": f"Dish {number}",
            "type": "DISH",
            "category_id": 1,
            "station_id": 1,
            "price": 5.5 + number,
            "status": 1,
            "modificator_groups": [
                {
                    "id": number,
                    "name": "Extras",
                    "type": 0,
                    "min_select": 0,
                    "max_select": 3,
                    "modificators": [{"id": 100 + number, "name": "More", "price": 1, "max_count": 3, "status": 1}],
                }
            ],
        }
        for number in range(1, 13)
    ]
    lists: dict[str, list[dict[str, Any]]] = {
        "products": products,
        "categories": [{"id": 1, "name": "Food", "type": "PRODUCT", "status": 1, "children": []}],
        "stations": [{"id": 1, "name": "Kitchen", "type": 1, "status": 1}],
        "venues": [{"id": 1, "name": "Main", "is_main": True}],
        "sale-types": [
            {"id": 1, "name": "In", "system_type": "IN", "status": {"1": 1}},
            {"id": 2, "name": "Delivery", "system_type": "DELIVERY", "status": {"1": 1}},
            {"id": 3, "name": "Takeaway", "system_type": "TAKEAWAY", "status": {"1": 1}},
        ],
        "payment-methods": [{"id": 1, "name": "Cash", "status": {"1": 1}}],
        "customers": [{"id": 9, "name": "Guest", "phone": "+994000000000"}],
    }
    return {
        f"GET /open-api/{name}": (200, json.dumps({"success": True, "data": rows, "total": len(rows)}))
        for name, rows in lists.items()
    }


def order_from_menu(menu_url: str) -> bytes:
    """Return the usual order, three items and two modifiers, in the ids of the hub's own menu."""
    with urllib.request.urlopen(menu_url, timeout=10) as answer:
        menu = json.loads(answer.read())["menu"]
    items = [item for category in menu["categories"] for item in category["items"]][:3]
    lines: list[dict[str, Any]] = [{"itemId": item["id"], "quantity": 2} for item in items]
    for line, item in zip(lines[:2], items, strict=False):
        line["modifiers"] = [{"optionId": item["modifierGroups"][0]["options"][0]["id"], "quantity": 1}]
    lines[0]["notes"] = "No onions please, and cut it in two"
    order = {
        "storeSlug": SLUG,
        "items": lines,
        "orderType": "pickup",
        "customer": {"name": "Alice Example", "phone": "+994000000000"},
    }
    return json.dumps(order, separators=(",", ":")).encode()

"""One installation of the hub, with the processes a test starts on it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import httpx
from sqlalchemy import create_engine, text

from tests.journeys import warm
from tests.journeys.running import Process, new_client, plain_environment, wait_for
from tests.ports import free_port

KEY = "sk_journeys-full-key-0123456789abcdef"
READ_KEY = "sk_journeys-read-key-0123456789abcdef"
CLIENT_SECRET = "sandbox-secret"
MOVING = ("queued", "sending", "retrying", "unknown")
TABLES = ("orders", "order_events", "lanes", "deliveries", "idempotency_keys", "order_refs")


def bearer(key: str = KEY, **more: str) -> dict[str, str]:
    """The headers of a caller with a key; `idempotency_key="a"` and the like become further headers."""
    return {"Authorization": f"Bearer {key}"} | {name.replace("_", "-"): value for name, value in more.items()}


def venue(
    url: str,
    slug: str = "demo-restaurant",
    prefix: str = "DT",
    *,
    dialect: str = "v1",
    config: Mapping[str, Any] | None = None,
    tuning: Mapping[str, Any] | None = None,
    policies: Mapping[str, Any] | None = None,
) -> str:
    """The declaration of a venue behind the sandbox at `url`, with no limit on calls."""
    tuned = {"rate_limits": [], "max_in_flight": 8, "poll_seconds": 3600} | dict(tuning or {})
    lines = [
        "[[venues]]",
        f'slug = "{slug}"',
        f'name = "Demo {slug}"',
        f'order_prefix = "{prefix}"',
        'currency = "AZN"',
        'timezone = "Asia/Baku"',
        "[venues.policies]",
        *_assignments(policies or {}),
        "[venues.link]",
        'connector = "clopos"',
        "[venues.link.config]",
        f'base_url = "{url}/open-api"',
        f'dialect = "{dialect}"',
        *(['integrator_id = "sandbox-integrator"'] if dialect == "v2" else []),
        'brand = "openapitest"',
        "venue_id = 1",
        'client_id = "sandbox-client"',
        'client_secret = "env:CLOPOS_SECRET"',
        "default_customer_id = 1",
        *_assignments(config or {}),
        "[venues.link.tuning]",
        *_assignments(tuned),
    ]
    return "\n".join(lines) + "\n\n"


def key(name: str, variable: str, scopes: Sequence[str], venue_slug: str | None = None) -> str:
    """The declaration of an API key whose value stands in an environment variable."""
    lines = ["[[keys]]", f'name = "{name}"', f"scopes = {json.dumps(list(scopes))}", f'secret = "env:{variable}"']
    return "\n".join([*lines, *([f'venue = "{venue_slug}"'] if venue_slug else [])]) + "\n\n"


KEYS = key("journeys", "FULL_KEY", ["read", "write"]) + key("reader", "READ_KEY", ["read"])


def _assignments(values: Mapping[str, Any]) -> list[str]:
    return [f"{name} = {json.dumps(value)}" for name, value in values.items()]


class Server(Process):
    """`openpos-hub serve`, and a client for it."""

    def __init__(self, port: int, options: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        super().__init__(["-m", "hub.cli", "serve", "--port", str(port), *options], environment, log)
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.client = new_client(self.url)

    def wait_until_ready(self) -> None:
        """Returns when it answers."""
        self.wait_until_it_answers(self.client, "/health")

    def post(self, body: Any, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """`POST /api/v1/orders`."""
        return self.client.post("/api/v1/orders", json=body, headers=headers)

    def placed(self, body: Any, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Places an order that must be accepted."""
        answer = self.post(body, bearer() if headers is None else headers)
        assert answer.status_code == 201, f"{answer.status_code} {answer.text}"
        order: dict[str, Any] = answer.json()["order"]
        return order

    def order(self, id_or_number: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """`GET /api/v1/orders/…`, with the full key unless told otherwise."""
        answer = self.client.get(f"/api/v1/orders/{id_or_number}", headers=bearer() if headers is None else headers)
        assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
        order: dict[str, Any] = answer.json()["order"]
        return order

    def injection(self, order_id: str) -> dict[str, Any]:
        """How far an order is on its way into the POS."""
        injection: dict[str, Any] = self.order(order_id)["injection"][0]
        return injection

    def wait_until(self, order_id: str, state: str, seconds: float = 45.0) -> dict[str, Any]:
        """The injection of an order once it is in this state."""
        seen: dict[str, Any] = {}

        def look() -> bool:
            nonlocal seen
            seen = self.injection(order_id)
            assert seen["state"] in (state, *MOVING), f"order {order_id} should become {state}, but is at {seen}"
            return bool(seen["state"] == state)

        try:
            wait_for(look, f"order {order_id} is {state}", seconds=seconds)
        except AssertionError as late:
            raise AssertionError(f"{late}; its injection: {seen}") from None
        return seen

    def menu(self, slug: str = "demo-restaurant") -> dict[str, Any]:
        """The items of a venue's menu by their name."""
        answer = self.client.get(f"/api/v1/stores/{slug}/menu").raise_for_status()
        return {item["name"]: item for group in answer.json()["menu"]["categories"] for item in group["items"]}

    def item_id(self, name: str = "Lülə kabab", slug: str = "demo-restaurant") -> str:
        """The id of an item on a venue's menu; by default of one that needs no modifier."""
        items = self.menu(slug)
        assert name in items, f"{slug} has only {sorted(items)}; the hub said: {self.log.read_text(encoding='utf-8')}"
        item_id: str = items[name]["id"]
        return item_id

    def close(self) -> None:
        """Kills it if it runs still, and lets go of the client."""
        self.client.close()
        if self.is_running():
            self.kill()


class Site:
    """A data folder or a PostgreSQL database, a clock, and every process started on them."""

    def __init__(self, folder: Path, database_url: str | None = None, clock: Path | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.data = folder / "data"
        self.database_url = database_url
        self.clock = clock or folder / "clock"
        self.environment_more: dict[str, str] = {}
        """What this test's processes need besides."""
        self._travelled = 0.0
        self._processes: list[Process] = []

    @property
    def environment(self) -> dict[str, str]:
        """What every process of this installation is started with."""
        own = {
            "OPENPOS_DATA": str(self.data),
            "OPENPOS_TEST_CLOCK_OFFSET_FILE": str(self.clock),
            "CLOPOS_SECRET": CLIENT_SECRET,
            "FULL_KEY": KEY,
            "READ_KEY": READ_KEY,
            # Journeys send more in a minute than one caller may; the limits have tests of their own.
            "OPENPOS_REQUESTS_PER_MINUTE": "1000000",
            "OPENPOS_REQUESTS_PER_DAY": "1000000",
            "OPENPOS_PUBLIC_ORDERS_PER_MINUTE": "1000000",
        }
        database = {"OPENPOS_DATABASE_URL": self.database_url} if self.database_url else {}
        return plain_environment() | own | database | self.environment_more

    def apply(self, *declarations: str) -> None:
        """`openpos-hub apply` with this declaration and the keys of the journeys."""
        path = self.folder / "hub.toml"
        path.write_text("".join(declarations) + KEYS, encoding="utf-8")
        done = self.run("apply", str(path))
        assert done.returncode == 0, done.stdout + done.stderr

    def run(self, *arguments: str, **environment: str) -> CompletedProcess[str]:
        """A short command, to its end."""
        return warm.run(["-m", "hub.cli", *arguments], self.environment | environment, timeout_seconds=60)

    def serve(self, *options: str) -> Server:
        """Starts `serve` and returns when it answers."""
        server = self.begin_to_serve(*options)
        server.wait_until_ready()
        return server

    def begin_to_serve(self, *options: str, port: int | None = None, **environment: str) -> Server:
        """Starts `serve` without waiting."""
        log = self.folder / f"serve-{len(self._processes)}.log"
        server = Server(port or free_port(), options, self.environment | environment, log)
        self._processes.append(server)
        return server

    def begin_to_work(self) -> Process:
        """Starts `worker` without waiting."""
        log = self.folder / f"worker-{len(self._processes)}.log"
        worker = Process(["-m", "hub.cli", "worker"], self.environment, log)
        self._processes.append(worker)
        return worker

    def wait_until_it_delivers(self, worker: Process) -> None:
        """Returns when a worker delivers; fails when it ended instead."""
        wait_for(lambda: not worker.is_running() or "delivers" in worker.output(), "the worker delivers")
        assert worker.is_running(), worker.output()

    def travel(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        """Moves the clock of every process forward."""
        self._travelled += seconds + 60 * minutes + 3600 * hours + 86_400 * days
        new = self.clock.with_suffix(".new")
        new.write_text(str(self._travelled))
        new.replace(self.clock)  # a reader never sees half a number

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """What the hub's database answers to a query."""
        engine = create_engine(self.database_url or f"sqlite:///{self.data / 'hub.sqlite'}")
        try:
            with engine.connect() as connection:
                return [tuple(row) for row in connection.execute(text(query), values)]
        finally:
            engine.dispose()

    def count(self, table: str) -> int:
        """How many rows a table has."""
        return int(self.rows(f"SELECT count(*) FROM {table}")[0][0])

    def counts(self) -> dict[str, int]:
        """How many rows every table has that an order writes to."""
        parts = ", ".join(f"(SELECT count(*) FROM {table})" for table in TABLES)
        return dict(zip(TABLES, self.rows(f"SELECT {parts}")[0], strict=True))

    def logs(self) -> str:
        """What all processes wrote so far."""
        return "".join(process.output() for process in self._processes)

    def close(self) -> None:
        """Kills what runs still."""
        for process in self._processes:
            if isinstance(process, Server):
                process.close()
            elif process.is_running():
                process.kill()


def order_body(item_id: str, note: str = "", **more: Any) -> dict[str, Any]:
    """A small valid order."""
    body: dict[str, Any] = {
        "storeSlug": "demo-restaurant",
        "items": [{"itemId": item_id, "quantity": 1}],
        "orderType": "pickup",
        "customer": {"name": "Alice", "phone": "+994705401040"},
    }
    return body | ({"notes": note} if note else {}) | more

"""What takes part in a benchmark: the `Contender` protocol, the bare servers, and the handle of the fake vendor."""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

from bench.orders import UNIQUE, three_items
from bench.processes import SERVER_CORE, TOOL_CORE, Child, free_port, pin, process_tree, python_module
from tests.postgres import Server, dsn, postgres_server

_POLL_SECONDS = 0.005


class Contender(Protocol):
    """A server that takes orders. It is started once and visited many times."""

    @property
    def name(self) -> str: ...

    @property
    def port(self) -> int: ...

    @property
    def path(self) -> str:
        """Where orders are posted."""
        ...

    @property
    def vendor(self) -> "Vendor | None":
        """The fake vendor that gets this contender's orders."""
        ...

    def headers(self) -> Mapping[str, str]:
        """Headers of every order; `orders.UNIQUE` in a value becomes a new text for each request."""
        ...

    def bodies(self) -> Sequence[bytes]:
        """Bodies of orders, used in turn; they may hold `orders.UNIQUE` too."""
        ...

    def start(self) -> None:
        """Start it and return when it answers."""
        ...

    def before_visit(self) -> None: ...

    def after_visit(self, accepted: int) -> str | None:
        """Leave a quiet process behind; `accepted` orders were answered well. Returns what went wrong."""
        ...

    def pids(self) -> Sequence[int]:
        """Process ids of the server."""
        ...

    def database_pids(self) -> Sequence[int]:
        """Process ids of its database server, if it has one."""
        ...

    def stop(self) -> None: ...


class Workbench:
    """What all contenders share: a temporary folder on a real disk and, when first asked for, PostgreSQL."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._stack = stack
        self._postgres: Server | None = None

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def postgres(self) -> Server:
        """Return the one PostgreSQL server, with fsync on, on the core of the tools."""
        if self._postgres is None:
            self._postgres = self._stack.enter_context(postgres_server(fsync=True))
            for root in self.postgres_pids():
                for pid in process_tree(root):
                    pin(pid, TOOL_CORE)
        return self._postgres

    def postgres_pids(self) -> list[int]:
        pid = self._postgres.pid if self._postgres is not None else None
        return [] if pid is None else [pid]


class Vendor:
    """Handle of one fake vendor process."""

    def __init__(self, bench: Workbench, name: str, answers: Mapping[str, tuple[int, str]] | None = None) -> None:
        self.port = free_port()
        self._child = Child(
            f"vendor of {name}",
            python_module("bench.sink", str(self.port)),
            TOOL_CORE,
            bench.log(f"vendor-{name}"),
            talks=True,
        )
        self._child.wait_for_port(self.port)
        table = {route: {"status": status, "body": body} for route, (status, body) in (answers or {}).items()}
        self._tell(answers=table)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def orders(self) -> int:
        """Return how many orders have arrived so far."""
        return self._tell()

    def set_delay(self, seconds: float) -> None:
        self._tell(delay_seconds=seconds)

    def set_alive(self, alive: bool) -> None:
        """Close the port and all connections, or open it again."""
        self._tell(listening=alive)

    def wait_for_orders(self, total: int, seconds: float) -> int:
        """Wait until this many orders have arrived in all; return how many are missing when time is up."""
        deadline = time.monotonic() + seconds
        while (missing := total - self.orders()) > 0 and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        return missing

    def stop(self) -> None:
        self._child.stop()

    def _tell(self, **command: Any) -> int:
        return int(self._child.ask(command)["orders"])


class Ceiling:
    """A bare server from `ceilings.py`."""

    def __init__(self, bench: Workbench, name: str, app: str) -> None:
        self.name = name
        self.path = "/orders"
        self.vendor: Vendor | None = None
        self._bench = bench
        self._app = app
        self._expected = 0
        self.port = free_port()
        self._child: Child | None = None

    def headers(self) -> Mapping[str, str]:
        return {"idempotency-key": UNIQUE}

    def bodies(self) -> Sequence[bytes]:
        return [three_items()]

    def start(self) -> None:
        vendor_url = "none"
        database = str(self._bench.folder / f"{self.name}.sqlite")
        if self._app == "delivery":
            self.vendor = Vendor(self._bench, self.name)
            vendor_url = f"{self.vendor.url}/open-api/orders"
        if self._app == "postgres":
            database = dsn(self._bench.postgres().create_database())
        self._child = Child(
            self.name,
            python_module("bench.ceilings", self._app, str(self.port), database, vendor_url),
            SERVER_CORE,
            self._bench.log(self.name),
        )
        self._child.wait_for_port(self.port)

    def before_visit(self) -> None:
        """A bare server needs no preparation."""

    def after_visit(self, accepted: int) -> str | None:
        self._expected += accepted
        if self.vendor is None or self.vendor.orders() == self._expected:
            return None
        return f"the vendor has {self.vendor.orders()} orders, {self._expected} were answered"

    def pids(self) -> Sequence[int]:
        return [] if self._child is None else [self._child.pid]

    def database_pids(self) -> Sequence[int]:
        return self._bench.postgres_pids() if self._app == "postgres" else []

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()
        if self.vendor is not None:
            self.vendor.stop()

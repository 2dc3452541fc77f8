"""A POS's sandbox as a process of its own: stopped and started at will, told to fail, and asked what arrived."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hub.model.ids import order_mark
from tests.journeys.running import Process, new_client, plain_environment
from tests.ports import free_port


class Vendor:
    """One sandbox. `url` and what it knows stay the same over `stop` and `start`; faults do not."""

    def __init__(
        self, folder: Path, clock: Path, connector: str = "clopos", options: Mapping[str, Any] | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._state = folder / "vendor.sqlite"
        self._log = folder / "vendor.log"
        self._clock = clock
        self._connector = connector
        self._options = dict(options or {})
        self._process: Process | None = None
        self._client = new_client(self.url)

    def start(self) -> None:
        """Serves until `stop`; returns when it answers."""
        arguments = ["-m", "tests.journeys.vendor_process", "--port", str(self._port), "--state", str(self._state)]
        arguments += ["--clock", str(self._clock), "--vendor", self._connector, "--options", json.dumps(self._options)]
        self._begin(arguments)

    def start_from_command_line(self) -> None:
        """The same by `openpos-hub sandbox`, whose clock stays that of the machine."""
        arguments = [
            "-m",
            "hub.cli",
            "sandbox",
            self._connector,
            "--port",
            str(self._port),
            "--state",
            str(self._state),
        ]
        self._begin(arguments)

    def stop(self) -> None:
        """Ends it at once; connections are refused from now on."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def close(self) -> None:
        """Ends it for good."""
        self.stop()
        self._client.close()

    def fail(self, *rules: Mapping[str, Any]) -> None:
        """Puts these fault rules in force in place of all others."""
        self._client.put("/_sandbox/faults", json=list(rules)).raise_for_status()

    def work_again(self) -> None:
        """No more faults."""
        self._client.delete("/_sandbox/faults").raise_for_status()

    def fired(self, number: int = 1) -> int:
        """How often the fault rule with this number has fired."""
        rules = self._client.get("/_sandbox/faults").json()
        return next(int(rule["fired"]) for rule in rules if rule["number"] == number)

    def calls(self, operation: str) -> int:
        """How often an operation was called since the start."""
        counted = self._client.get("/_sandbox/calls").json()
        total: int = counted.get(operation, {"total": 0})["total"]
        return total

    def orders(self) -> list[dict[str, Any]]:
        """What arrived, in the order it arrived."""
        orders: list[dict[str, Any]] = self._client.get("/_sandbox/orders").json()
        return orders

    def play_clerk(self, number: int, status: str) -> None:
        """The clerk accepts, delivers or ignores an order, or gives it any other status."""
        self._client.post(f"/_sandbox/orders/{number}/status", json={"status": status}).raise_for_status()

    def copies_of(self, order_ids: Sequence[str]) -> dict[str, int]:
        """How often each hub order arrived, recognised by its mark."""
        arrived = self.marks()
        return {order_id: arrived[order_mark(order_id)] for order_id in order_ids}

    def marks(self) -> Counter[str]:
        """How often each mark arrived."""
        return Counter(mark_of(order) for order in self.orders())

    def _begin(self, arguments: list[str]) -> None:
        assert self._process is None
        self._process = Process(arguments, plain_environment(), self._log)
        self._process.wait_until_it_answers(self._client, "/_sandbox/faults")


def mark_of(order: Mapping[str, Any]) -> str:
    """The hub's mark at the end of the comment."""
    return "#" + comment_of(order).rpartition("#")[2]


def comment_of(order: Mapping[str, Any]) -> str:
    """The comment of an order that arrived, in either generation of the API."""
    body = order["body"]
    payload = body.get("payload", body)
    meta = payload.get("meta", {})
    comment: str = meta.get("comment") or body.get("comment") or ""
    return comment

"""A running Desibits sandbox and an HTTP client with its token, for the tests of the sandbox."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from connectors.desibits.sandbox import DesibitsSandbox, load_seed
from hub.contract.sandbox.ledger import from_json
from tests.connectors.clopos.conftest import FakeClock
from tests.connectors.clopos.running import SandboxThread

POS = "/api/v1/pos"
PICKUP, DINE_IN, DELIVERY = 1, 2, 3


def page_example() -> dict[str, Any]:
    """The body of the page's example."""
    return {
        "order_type_id": 1,
        "table_id": 5,
        "customer_id": 10,
        "items": [{"menu_item_id": 15, "quantity": 2, "price": 12.99, "note": "No onions"}],
        "discount_type": "percent",
        "discount_value": 10,
    }


def chai(quantity: int = 1, **more: Any) -> dict[str, Any]:
    """One line of an order: tea at 2.10."""
    return {"menu_item_id": 22, "quantity": quantity, "price": 2.10, **more}


def naan(quantity: int = 1, **more: Any) -> dict[str, Any]:
    """One line of an order: bread at 2.75."""
    return {"menu_item_id": 18, "quantity": quantity, "price": 2.75, **more}


class Till:
    """An HTTP client of the sandbox that carries its token."""

    def __init__(self, client: httpx.Client, clock: FakeClock, sandbox: DesibitsSandbox) -> None:
        self.client = client
        self.clock = clock
        self.sandbox = sandbox
        self.token = "sandbox-secret"

    def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Calls a path of the vendor."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.client.request(method, f"{POS}/{path}", json=body, headers=headers)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Calls a control path and gives what it answers."""
        answer = self.client.request(method, f"/_sandbox/{path}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def data(self, method: str, path: str, body: Any = None) -> Any:
        """The `data` of a call that succeeds."""
        answer = self.call(method, path, body)
        assert answer.status_code in (200, 201), answer.text
        assert answer.json()["success"] is True
        return answer.json()["data"]

    def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Status and message of a call that the restaurant's rules refuse."""
        answer = self.call(method, path, body)
        assert set(answer.json()) == {"success", "message"}, answer.text
        assert answer.json()["success"] is False
        return answer.status_code, answer.json()["message"]

    def errors(self, method: str, path: str, body: Any = None) -> Any:
        """The `errors` of a call with wrong fields."""
        answer = self.call(method, path, body)
        assert answer.status_code == 422, answer.text
        return answer.json()["errors"]

    def order(self, *items: dict[str, Any], **more: Any) -> int:
        """Opens a pickup order and gives its id."""
        number: int = self.data("POST", "orders", {"order_type_id": PICKUP, "items": list(items), **more})["id"]
        return number

    def cooked(self) -> list[tuple[int, list[tuple[str, int]]]]:
        """What the kitchen was told, ticket by ticket: order, and its items with quantities."""
        return [
            (kot["order"], [(line["name"], line["quantity"]) for line in kot["items"]])
            for kot in self.control("GET", "kitchen")
        ]


@contextmanager
def playing(*, state: Path | None = None, auto_accept_seconds: float | None = None, **options: Any) -> Iterator[Till]:
    """A sandbox with these options of its seed."""
    clock = FakeClock()
    sandbox = DesibitsSandbox(
        load_seed() | {"options": options}, state=state, clock=clock, auto_accept_seconds=auto_accept_seconds
    )
    with SandboxThread(sandbox) as running, httpx.Client(base_url=running.url, trust_env=False, timeout=30) as client:
        yield Till(client, clock, sandbox)


def exact(answer: httpx.Response) -> Any:
    """The data of an answer, with every fraction as it stands in the text."""
    data = from_json(answer.content)["data"]
    assert not any(isinstance(value, float) for value in data.values())
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in data.items()}

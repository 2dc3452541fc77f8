"""The clerk, the kitchen display, faults and restarts of the Desktop Kitchen sandbox."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.connectors.desktop_kitchen.sandbox_caller import CASHIER_PIN, ORDER, TAQUERIA, Caller, error, playing


@pytest.fixture
def dk() -> Iterator[Caller]:
    with playing() as caller:
        caller.sign_in()
        yield caller


def kitchen(dk: Caller) -> list[dict[str, Any]]:
    tickets: list[dict[str, Any]] = dk.control("GET", f"kitchen?tenant={TAQUERIA}")
    return tickets


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("accept", "confirmed"),
        ("confirm", "confirmed"),
        ("prepare", "preparing"),
        ("ready", "ready"),
        ("complete", "completed"),
        ("cancel", "cancelled"),
        ("en_camino", "en_camino"),
    ],
)
def test_the_clerk_gives_an_order_any_status(dk: Caller, word: str, status: str) -> None:
    number = dk.placed()
    assert dk.control("POST", f"orders/{number}/status", {"status": word})["status"] == status
    assert dk.get(f"/api/orders/{number}")["status"] == status


def test_from_a_status_nobody_knows_there_is_no_way_on(dk: Caller) -> None:
    number = dk.placed()
    dk.control("POST", f"orders/{number}/status", {"status": "en_camino"})
    expected = {"error": "Cannot transition from 'en_camino' to 'completed'"}
    assert dk.status(number, "completed") == (400, expected)
    assert dk.get("/api/orders/kitchen/active") == []


def test_a_clerk_who_completes_an_order_sets_its_time(dk: Caller) -> None:
    number = dk.placed()
    dk.clock.advance(minutes=3)
    dk.control("POST", f"orders/{number}/status", {"status": "complete"})
    dk.clock.advance(minutes=3)
    assert dk.get(f"/api/orders/{number}")["completed_at"] == "2026-03-02T12:03:00.000Z"


def test_waiting_orders_are_accepted_after_a_time() -> None:
    with playing(accept_after=5) as dk:
        dk.sign_in()
        number = dk.placed()
        assert dk.get(f"/api/orders/{number}")["status"] == "pending"
        dk.clock.advance(seconds=5)
        assert dk.get(f"/api/orders/{number}")["status"] == "confirmed"


def test_orders_are_shown_as_they_were_received_without_the_token(dk: Caller) -> None:
    dk.headers["x-employee-id"] = "2"
    number = dk.placed(offline_temp_id="hub-0001", extra="ignored")
    order = dk.control("GET", "orders")[0]
    assert (order["number"], order["scope"], order["idempotency_key"]) == (number, TAQUERIA, "hub-0001")
    assert order["body"] == ORDER | {"offline_temp_id": "hub-0001", "extra": "ignored"}
    assert order["headers"]["x-employee-id"] == "2"
    assert "Bearer" not in str(order)


def test_an_order_comes_to_the_kitchen_once_and_again_when_a_payment_takes_it_back(dk: Caller) -> None:
    number = dk.placed(offline_temp_id="hub-0001")
    for status in ("confirmed", "preparing", "ready"):
        dk.clock.advance(minutes=1)
        dk.status(number, status)
    ticket = kitchen(dk)[0]
    assert (ticket["offline_temp_id"], ticket["displayed"]) == ("hub-0001", False)
    assert ticket["arrivals"] == ["2026-03-02T12:00:00.000Z"]
    assert ticket["items"][0]["notes"] == "sin cebolla"
    dk.clock.advance(minutes=1)
    dk.control("POST", f"orders/{number}/payment", {"payment_method": "cash", "tip": 10})
    order = dk.get(f"/api/orders/{number}")
    assert (order["status"], order["payment_status"], order["tip"]) == ("preparing", "paid", "10.00")
    assert kitchen(dk)[0]["arrivals"] == ["2026-03-02T12:00:00.000Z", "2026-03-02T12:04:00.000Z"]
    assert kitchen(dk)[0]["displayed"] is True


def test_the_clerk_changes_the_items_of_an_order(dk: Caller) -> None:
    number = dk.placed()
    body = {"items": [{"menu_item_id": 4, "quantity": 1}, {"menu_item_id": 11, "quantity": 2}]}
    dk.control("PUT", f"orders/{number}/items", body)
    order = dk.get(f"/api/orders/{number}")
    assert [(item["id"], item["item_name"], item["quantity"]) for item in order["items"]] == [
        (3, "Torta Cubana", 1),
        (4, "Refresco", 2),
    ]
    assert (order["subtotal"], order["tax"], order["total"]) == ("169.53", "27.13", "196.66")


def test_an_order_is_opened_at_the_till(dk: Caller) -> None:
    body = {"tenant": TAQUERIA, "items": [{"menu_item_id": 1, "quantity": 2, "notes": "mesa 4"}], "employee_id": 3}
    number = dk.control("POST", "orders", body)["number"]
    order = dk.get(f"/api/orders/{number}")
    assert (order["source"], order["status"], order["employee_name"], order["total"]) == (
        "pos",
        "pending",
        "Luis Méndez",
        "90.00",
    )
    assert [ticket["id"] for ticket in kitchen(dk)] == [number]


def test_a_control_call_says_what_it_needs(dk: Caller) -> None:
    for method, path, body in (
        ("POST", "orders", {}),
        ("POST", "orders", {"tenant": "nope", "items": []}),
        ("POST", "orders", {"tenant": TAQUERIA, "source": "fax", "items": []}),
        ("POST", "orders", {"tenant": TAQUERIA, "items": [{"menu_item_id": 77, "quantity": 1}]}),
        ("PUT", "orders/77/items", {"items": []}),
        ("POST", "orders/77/payment", {}),
    ):
        answer = dk.client.request(method, f"/_sandbox/{path}", json=body)
        assert answer.status_code in (400, 404), path
        assert answer.json()["error"]
    assert dk.control("GET", "orders") == []


def test_a_dropped_create_has_committed_and_is_found_by_its_key(dk: Caller) -> None:
    dk.fail({"fault": "drop_after", "operation": "create_order", "times": 1})
    with pytest.raises(httpx.TransportError):
        dk.order(offline_temp_id="hub-0001")
    assert len(kitchen(dk)) == 1
    answer = dk.order(offline_temp_id="hub-0001")
    assert (answer.status_code, answer.json()["id"]) == (200, 1)
    assert len(kitchen(dk)) == 1


def test_a_create_dropped_before_the_work_leaves_nothing(dk: Caller) -> None:
    dk.fail({"fault": "drop_before", "operation": "create_order", "times": 1})
    with pytest.raises(httpx.TransportError):
        dk.order(offline_temp_id="hub-0001")
    assert kitchen(dk) == []
    assert dk.order(offline_temp_id="hub-0001").status_code == 201


CALLS = [
    ("login", "POST", "/api/employees/login", {"pin": CASHIER_PIN}),
    ("create_order", "POST", "/api/orders", ORDER),
    ("get_order", "GET", "/api/orders/1", None),
    ("list_orders", "GET", "/api/orders", None),
    ("list_kitchen", "GET", "/api/orders/kitchen/active", None),
    ("set_status", "PUT", "/api/orders/1/status", {"status": "confirmed"}),
    ("record_payment", "PATCH", "/api/orders/1/payment", {"payment_method": "card"}),
    ("pay_cash", "POST", "/api/payments/cash", {"order_id": 1}),
    ("pay_split", "POST", "/api/payments/split", {"order_id": 1}),
    ("refund", "POST", "/api/payments/refund", {"order_id": 1}),
    ("get_payment", "GET", "/api/payments/1", None),
    ("list_menu", "GET", "/api/menu/items", None),
    ("toggle_item", "PUT", "/api/menu/items/4/toggle", None),
    ("list_modifiers", "GET", "/api/modifiers/groups", None),
    ("list_employees", "GET", "/api/employees", None),
    ("list_stock", "GET", "/api/inventory", None),
    ("report_sales", "GET", "/api/reports/sales", None),
    ("get_branding", "GET", "/api/branding", None),
    ("create_guest_order", "POST", "/api/customer-order", {}),
    ("print_ticket", "POST", "/api/printers/print-ticket", {"order_id": 1}),
    ("health", "GET", "/api/health", None),
]


@pytest.mark.parametrize(("operation", "method", "path", "body"), CALLS, ids=[call[0] for call in CALLS])
def test_every_operation_can_fail_by_its_name(dk: Caller, operation: str, method: str, path: str, body: Any) -> None:
    dk.placed()
    dk.fail({"fault": "status", "status": 503, "operation": operation, "retry_after": 5})
    answer = dk.call(method, path, body)
    assert error(answer) == (503, "Service temporarily unavailable. Please try again.")
    assert answer.headers["Retry-After"] == "5"
    assert dk.control("GET", "calls")[operation]["answers"]["503"] == 1
    assert dk.call("GET", "/api/combos").status_code == 200


def test_a_failing_login_leaves_no_order(dk: Caller) -> None:
    dk.fail({"fault": "status", "status": 500, "operation": "login"})
    with pytest.raises(KeyError):
        dk.sign_in()
    assert dk.order().status_code == 401
    assert dk.control("GET", "orders") == []


def test_the_faults_are_worded_as_the_vendor_words_them(dk: Caller) -> None:
    dk.fail(
        {"fault": "rate_limited", "times": 1, "retry_after": 900},
        {"fault": "status", "status": 401, "times": 1, "body": '{"error":"Token expired"}'},
        {"fault": "malformed", "times": 1},
        {"fault": "rejected", "times": 1},
    )
    limited, expired, page, rejected = (dk.order() for _ in range(4))
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "900")
    assert error(expired) == (401, "Token expired")
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert error(rejected) == (200, "Failed to process request")
    assert dk.control("GET", "orders") == []


PROGRAM = """
import asyncio, sys
from pathlib import Path
from connectors.desktop_kitchen.sandbox import create_app
from hub.contract.sandbox import serving

async def main():
    async with serving(create_app(Path(sys.argv[1]))) as url:
        print(url, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def start(state: Path) -> tuple[subprocess.Popen[str], httpx.Client]:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(state)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    return process, httpx.Client(base_url=url, trust_env=False, headers={"X-Tenant-ID": TAQUERIA})


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_orders_tokens_and_changes_survive_a_kill(tmp_path: Path) -> None:
    process, client = start(tmp_path / "state.sqlite")
    try:
        token = client.post("/api/employees/login", json={"pin": "sandbox-secret"}).json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        body = ORDER | {"offline_temp_id": "hub-0001"}
        first = client.post("/api/orders", json=body).json()
        client.put("/api/menu/items/4/toggle")
    finally:
        kill(process)
    again, other = start(tmp_path / "state.sqlite")
    try:
        other.headers["Authorization"] = f"Bearer {token}"
        replay = other.post("/api/orders", json=body)
        assert (replay.status_code, replay.json()["order_number"]) == (200, first["order_number"])
        second = other.post("/api/orders", json=ORDER).json()
        assert (second["id"], second["items"][0]["_orderItemId"]) == (2, 3)
        assert 4 not in [row["id"] for row in other.get("/api/menu/items").json()]
    finally:
        kill(again)
        client.close()
        other.close()

"""Orders at the Desktop Kitchen sandbox: what is taken, what is lost on the way, and what can be read back."""

import asyncio
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connectors.desktop_kitchen.sandbox import DesktopKitchenSandbox, Options
from hub.contract.sandbox import serving
from tests.connectors.desktop_kitchen.sandbox_caller import (
    CAFE,
    CASHIER_PIN,
    ORDER,
    TAQUERIA,
    Caller,
    error,
    playing,
)


@pytest.fixture
def dk() -> Iterator[Caller]:
    with playing() as caller:
        caller.sign_in()
        yield caller


def line(**changes: Any) -> list[dict[str, Any]]:
    return [{"menu_item_id": 4, "quantity": 1} | changes]


def test_a_created_order_is_answered_in_numbers(dk: Caller) -> None:
    answer = dk.order(offline_temp_id="hub-0001")
    assert answer.status_code == 201
    assert answer.json() == {
        "id": 1,
        "order_number": "20260302001",
        "employee_id": 2,
        "status": "pending",
        "subtotal": 293.1,
        "tax": 46.9,
        "tip": 0,
        "total": 340,
        "payment_status": "unpaid",
        "items": [
            {
                "menu_item_id": 4,
                "item_name": "Torta Cubana",
                "quantity": 2,
                "unit_price": 145,
                "notes": "sin cebolla",
                "combo_instance_id": None,
                "modifiers": [{"id": 1, "name": "Queso extra", "price_adjustment": "15.00"}],
                "virtual_brand_id": None,
                "_orderItemId": 1,
            },
            {
                "menu_item_id": 19,
                "item_name": "Flan de Cajeta",
                "quantity": 1,
                "unit_price": 50,
                "notes": None,
                "combo_instance_id": None,
                "modifiers": [],
                "virtual_brand_id": None,
                "_orderItemId": 2,
            },
        ],
        "estimated_ready_minutes": 5,
        "estimated_ready_range": {"low": 4, "high": 7},
    }
    assert '"subtotal":293.1,"tax":46.9,"tip":0,"total":340,' in answer.text


def test_a_replay_in_sequence_is_a_200_with_text_amounts_and_without_modifiers(dk: Caller) -> None:
    dk.order(offline_temp_id="hub-0001")
    answer = dk.order(offline_temp_id="hub-0001", items=line(menu_item_id=1, quantity=9))
    assert answer.status_code == 200
    assert answer.json() == {
        "id": 1,
        "order_number": "20260302001",
        "employee_id": 2,
        "status": "pending",
        "subtotal": "293.10",
        "tax": "46.90",
        "tip": "0.00",
        "total": "340.00",
        "payment_status": "unpaid",
        "payment_method": None,
        "source": "pos",
        "created_at": "2026-03-02T12:00:00.000Z",
        "items": [
            {
                "id": 1,
                "order_id": 1,
                "menu_item_id": 4,
                "item_name": "Torta Cubana",
                "quantity": 2,
                "unit_price": "145.00",
                "notes": "sin cebolla",
                "combo_instance_id": None,
            },
            {
                "id": 2,
                "order_id": 1,
                "menu_item_id": 19,
                "item_name": "Flan de Cajeta",
                "quantity": 1,
                "unit_price": "50.00",
                "notes": None,
                "combo_instance_id": None,
            },
        ],
    }
    assert len(dk.control("GET", "orders")) == 1


def test_an_order_is_read_back_with_modifiers_and_employee(dk: Caller) -> None:
    number = dk.placed(items=ORDER["items"][:1])  # type: ignore[index]
    del dk.headers["Authorization"]
    assert dk.get(f"/api/orders/{number}") == {
        "id": 1,
        "order_number": "20260302001",
        "employee_id": 2,
        "status": "pending",
        "subtotal": "250.00",
        "tax": "40.00",
        "tip": "0.00",
        "total": "290.00",
        "payment_intent_id": None,
        "payment_status": "unpaid",
        "payment_method": None,
        "source": "pos",
        "created_at": "2026-03-02T12:00:00.000Z",
        "completed_at": None,
        "employee_name": "Ana Torres",
        "items": [
            {
                "id": 1,
                "order_id": 1,
                "menu_item_id": 4,
                "item_name": "Torta Cubana",
                "quantity": 2,
                "unit_price": "145.00",
                "notes": "sin cebolla",
                "combo_instance_id": None,
                "modifiers": [{"id": 1, "modifier_id": 1, "modifier_name": "Queso extra", "price_adjustment": "15.00"}],
            }
        ],
    }


def test_an_order_that_does_not_exist_is_404_and_an_id_that_is_none_is_500(dk: Caller) -> None:
    assert error(dk.call("GET", "/api/orders/77")) == (404, "Order not found")
    assert error(dk.call("GET", "/api/orders/DT-001")) == (500, "Failed to fetch order")
    assert error(dk.call("GET", "/api/orders/99999999999")) == (500, "Failed to fetch order")


def test_another_tenant_sees_nothing_of_an_order(dk: Caller) -> None:
    number = dk.placed()
    assert dk.call("GET", f"/api/orders/{number}", x_tenant_id=CAFE).status_code == 404
    assert dk.get("/api/orders", x_tenant_id=CAFE) == []
    answer = dk.call("PUT", f"/api/orders/{number}/status", {"status": "cancelled"}, x_tenant_id=CAFE)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"items": []}, (400, "Missing required fields")),
        ({"items": None}, (400, "Missing required fields")),
        ({"employee_id": None}, (400, "Missing required fields")),
        ({"employee_id": 21}, (404, "Employee not found")),
        ({"items": line(menu_item_id=99999)}, (404, "Menu item 99999 not found")),
        ({"items": line(menu_item_id=41)}, (404, "Menu item 41 not found")),
        ({"items": line(quantity=0)}, (400, "Invalid quantity for item 4. Quantity must be greater than 0.")),
        ({"items": line(quantity=None)}, (400, "Invalid quantity for item 4. Quantity must be greater than 0.")),
        ({"items": line(quantity=1.5)}, (500, "Failed to create order")),
        ({"items": line(menu_item_id="four")}, (500, "Failed to create order")),
        ({"items": line(notes="a\x00b")}, (500, "Failed to create order")),
        ({"items": ["taco"]}, (500, "Failed to create order")),
    ],
)
def test_a_refused_order_leaves_nothing_behind(dk: Caller, changes: Any, expected: tuple[int, str]) -> None:
    assert error(dk.order(**changes)) == expected
    assert dk.control("GET", "orders") == []
    assert dk.order().json()["order_number"] == "20260302001"


def test_a_sold_out_item_is_sold(dk: Caller) -> None:
    assert 5 not in [row["id"] for row in dk.get("/api/menu/items")]
    assert dk.order(items=line(menu_item_id=5)).json()["total"] == 98


def test_unknown_modifiers_vanish_and_required_groups_are_not_asked_for(dk: Caller) -> None:
    answer = dk.order(items=line(modifiers=[2, 999, 41, "x", 1]))
    assert (answer.status_code, answer.json()["total"]) == (201, 165)
    assert [one["id"] for one in answer.json()["items"][0]["modifiers"]] == [2, 1]
    assert dk.order(items=line(menu_item_id=1)).status_code == 201


def test_everything_else_in_the_body_is_ignored(dk: Caller) -> None:
    own = {"source": "hub", "table_number": "7", "customer": {"name": "Ana"}, "tip": 20, "status": "ready"}
    number = dk.placed(items=line(price=1, unit_price=1), **own)
    order = dk.get(f"/api/orders/{number}")
    assert (order["source"], order["tip"], order["total"], order["status"]) == ("pos", "0.00", "130.00", "pending")
    assert dk.get("/api/orders/kitchen/active")[0]["table_number"] is None


def test_a_virtual_brand_has_its_own_name_and_price(dk: Caller) -> None:
    dk.order(items=line(virtual_brand_id=1, combo_instance_id="c-1"))
    shown = dk.get("/api/orders/kitchen/active")[0]["items"][0]
    assert (shown["item_name"], shown["brand_name"], shown["brand_color"]) == (
        "Cubana Nocturna",
        "Tortas Nocturnas",
        "#1d4ed8",
    )
    assert (shown["virtual_brand_id"], shown["combo_instance_id"]) == (1, "c-1")


@pytest.mark.parametrize(
    ("quantity", "item", "subtotal", "tax", "total"),
    [(1, 11, "28.73", "4.60", "33.33"), (3, 11, "86.20", "13.79", "99.99"), (7, 2, "256.47", "41.03", "297.50")],
)
def test_tax_is_taken_out_of_the_total_to_the_cent(
    dk: Caller, quantity: int, item: int, subtotal: str, tax: str, total: str
) -> None:
    order = dk.get(f"/api/orders/{dk.placed(items=line(menu_item_id=item, quantity=quantity))}")
    assert (order["subtotal"], order["tax"], order["total"]) == (subtotal, tax, total)
    assert Decimal(order["subtotal"]) + Decimal(order["tax"]) == Decimal(order["total"])


def test_simultaneous_creates_with_one_key_make_an_order_each() -> None:
    async def send_all() -> tuple[list[int], int]:
        sandbox = DesktopKitchenSandbox(options=Options(insert_gap_ms=100))
        async with serving(sandbox.app()) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
            client.headers["X-Tenant-ID"] = TAQUERIA
            token = (await client.post("/api/employees/login", json={"pin": CASHIER_PIN})).json()["token"]
            client.headers["Authorization"] = f"Bearer {token}"
            body = ORDER | {"offline_temp_id": "hub-0001"}
            answers = await asyncio.gather(*(client.post("/api/orders", json=body) for _ in range(6)))
            numbers = [answer.json()["id"] for answer in answers]
            replay = (await client.post("/api/orders", json=body)).json()["id"]
        sandbox.close()
        return numbers, replay

    numbers, replay = asyncio.run(send_all())
    assert (sorted(numbers), replay) == ([1, 2, 3, 4, 5, 6], 1)


def test_a_change_is_seen_when_it_is_committed_and_not_when_it_is_answered() -> None:
    with playing(commit_delay_ms=400) as dk:
        dk.sign_in()
        number = dk.placed(offline_temp_id="hub-0001")
        assert dk.call("GET", f"/api/orders/{number}").status_code == 404
        assert dk.get("/api/orders") == dk.get("/api/orders/kitchen/active") == []
        assert dk.status(number, "confirmed") == (404, {"error": "Order not found"})
        assert dk.placed(offline_temp_id="hub-0001") == 2
        dk.clock.advance(seconds=0.4)
        assert [row["id"] for row in dk.get("/api/orders")] == [2, 1]
        assert dk.status(number, "confirmed")[0] == 200
        assert dk.get(f"/api/orders/{number}")["status"] == "pending"
        assert [row["id"] for row in dk.get("/api/orders?status=pending")] == [2, 1]
        dk.clock.advance(seconds=0.4)
        assert [row["id"] for row in dk.get("/api/orders?status=pending")] == [2]
        assert dk.get(f"/api/orders/{number}")["status"] == "confirmed"


def test_orders_are_listed_newest_first_a_hundred_at_most_and_without_items(dk: Caller) -> None:
    for _ in range(102):
        dk.placed(items=line())
    rows = dk.get("/api/orders")
    assert [row["id"] for row in rows] == list(range(102, 2, -1))
    assert "items" not in rows[0]
    assert (rows[0]["total"], rows[0]["employee_name"]) == ("130.00", "Ana Torres")
    assert len(dk.get("/api/orders?page=2&limit=500")) == 100


def test_orders_are_filtered_by_status_payment_and_day(dk: Caller) -> None:
    first, second = dk.placed(), dk.placed()
    dk.status(first, "confirmed")
    dk.call("PATCH", f"/api/orders/{second}/payment", {"payment_method": "card"})
    dk.clock.advance(days=1)
    dk.sign_in()
    third = dk.placed()

    def found(query: str) -> list[int]:
        return [row["id"] for row in dk.get(f"/api/orders?{query}")]

    assert found("status=confirmed") == [first]
    assert found("payment_status=paid") == [second]
    assert found("date=2026-03-02") == [second, first]
    assert found("date=2026-03-03") == [third]
    assert found("date=2026-03-02&status=pending&payment_status=unpaid") == []
    assert error(dk.call("GET", "/api/orders?date=today")) == (500, "Failed to fetch orders")


STATES = ("pending", "confirmed", "preparing", "ready", "completed", "cancelled")
ALLOWED = {
    "pending": {"confirmed", "preparing", "cancelled"},
    "confirmed": {"preparing", "cancelled"},
    "preparing": {"ready", "cancelled"},
    "ready": {"completed", "cancelled"},
    "completed": set(),
    "cancelled": set(),
}


@pytest.mark.parametrize("state", STATES)
def test_a_status_moves_by_the_table_and_never_to_itself(dk: Caller, state: str) -> None:
    del dk.headers["Authorization"]
    for target in STATES:
        dk.sign_in()
        number = dk.placed(items=line())
        del dk.headers["Authorization"]
        dk.control("POST", f"orders/{number}/status", {"status": state})
        if target in ALLOWED[state]:
            assert dk.status(number, target) == (200, {"id": str(number), "status": target})
        else:
            expected = {"error": f"Cannot transition from '{state}' to '{target}'"}
            assert dk.status(number, target) == (400, expected)
            assert dk.get(f"/api/orders/{number}")["status"] == state


def test_a_status_word_nobody_knows_is_refused(dk: Caller) -> None:
    number = dk.placed()
    assert dk.status(number, "accepted") == (400, {"error": "Invalid status"})
    assert dk.status(77, "confirmed") == (404, {"error": "Order not found"})
    assert dk.call("PUT", "/api/orders/x/status", {"status": "confirmed"}).status_code == 500


def test_completing_an_order_sets_its_time(dk: Caller) -> None:
    number = dk.placed()
    for status in ("confirmed", "preparing", "ready", "completed"):
        dk.clock.advance(minutes=2)
        assert dk.status(number, status)[0] == 200
    assert dk.get(f"/api/orders/{number}")["completed_at"] == "2026-03-02T12:08:00.000Z"


def test_the_kitchen_list_shows_what_is_still_to_cook_oldest_first(dk: Caller) -> None:
    numbers = [dk.placed() for _ in range(6)]
    for number, status in zip(numbers, STATES, strict=True):
        dk.control("POST", f"orders/{number}/status", {"status": status})
    shown = dk.get("/api/orders/kitchen/active")
    assert [order["id"] for order in shown] == numbers[:3]
    assert shown[0] == {
        "id": 1,
        "order_number": "20260302001",
        "status": "pending",
        "payment_method": None,
        "source": "pos",
        "created_at": "2026-03-02T12:00:00.000Z",
        "estimated_ready_minutes": 5,
        "table_number": None,
        "employee_name": "Ana Torres",
        "items": [
            {
                "id": 1,
                "item_name": "Torta Cubana",
                "quantity": 2,
                "notes": "sin cebolla",
                "combo_instance_id": None,
                "virtual_brand_id": None,
                "brand_name": None,
                "brand_color": None,
                "modifiers": [{"modifier_name": "Queso extra", "price_adjustment": "15.00"}],
            },
            {
                "id": 2,
                "item_name": "Flan de Cajeta",
                "quantity": 1,
                "notes": None,
                "combo_instance_id": None,
                "virtual_brand_id": None,
                "brand_name": None,
                "brand_color": None,
                "modifiers": [],
            },
        ],
    }


def test_a_ticket_is_data_and_nothing_is_printed(dk: Caller) -> None:
    number = dk.placed()
    ticket = dk.call("POST", "/api/printers/print-ticket", {"order_id": number}).json()
    assert ticket["order"] == dk.get(f"/api/orders/{number}")
    assert [item["item_name"] for item in ticket["printerGroups"]["default"]] == ["Torta Cubana", "Flan de Cajeta"]
    assert dk.call("POST", "/api/printers/print-ticket", {"order_id": 77}).status_code == 404


def test_no_amount_ever_passes_through_a_float(dk: Caller) -> None:
    number = dk.placed(items=line(menu_item_id=2, quantity=3))
    record = next(one["record"] for one in json.loads(dk.client.get("/_sandbox/orders").text, parse_float=Decimal))
    assert (record["total"], record["items"][0]["unit_price"]) == (Decimal("127.50"), "42.50")
    assert dk.get(f"/api/payments/{number}")["amount"] == "127.50"

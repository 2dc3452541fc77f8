"""Menu, stock, delivery, loyalty and guest orders at the Desktop Kitchen sandbox."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.connectors.desktop_kitchen.sandbox_caller import CAFE, MANAGER_PIN, TAQUERIA, Caller, error, playing


@pytest.fixture
def dk() -> Iterator[Caller]:
    with playing() as caller:
        caller.sign_in(MANAGER_PIN)
        yield caller


def names(dk: Caller, path: str) -> list[str]:
    return [row["name"] for row in dk.get(path)]


def test_prices_are_text_when_read_and_numbers_when_created(dk: Caller) -> None:
    assert dk.get("/api/menu/items?category_id=2") == [
        {
            "id": 4,
            "category_id": 2,
            "name": "Torta Cubana",
            "price": "130.00",
            "description": "Para compartir",
            "image_url": None,
            "active": True,
            "prep_time_minutes": 5,
            "is_example": False,
        }
    ]
    created = dk.call("POST", "/api/menu/items", {"category_id": 1, "name": "Volcán", "price": 39.5})
    assert (created.status_code, created.json()["id"], created.json()["price"]) == (201, 43, 39.5)
    assert dk.get("/api/menu/items/43")["price"] == "39.50"
    assert dk.call("POST", "/api/menu/items", {"name": "Volcán"}).status_code == 400


def test_sold_out_items_show_only_when_asked_for(dk: Caller) -> None:
    assert names(dk, "/api/menu/items?category_id=2") == ["Torta Cubana"]
    assert names(dk, "/api/menu/items?category_id=2&include_inactive=1") == ["Torta Cubana", "Torta de Milanesa"]
    assert error(dk.call("GET", "/api/menu/items/5")) == (404, "Item not found")
    assert names(dk, "/api/menu/categories")[-1] == "Desayunos"
    assert names(dk, "/api/menu/categories?active_only=1") == ["Tacos", "Tortas", "Bebidas", "Postres"]


def test_a_toggle_turns_round_whatever_is_there(dk: Caller) -> None:
    answers = [dk.call("PUT", "/api/menu/items/4/toggle").json() for _ in range(3)]
    assert answers == [{"id": "4", "active": False}, {"id": "4", "active": True}, {"id": "4", "active": False}]
    assert names(dk, "/api/menu/items?category_id=2") == []
    assert dk.call("PUT", "/api/menu/items/77/toggle").status_code == 404
    assert dk.call("PUT", "/api/menu/items/41/toggle").status_code == 404, "that is the other tenant's"


def test_an_item_is_changed(dk: Caller) -> None:
    answer = dk.call("PUT", "/api/menu/items/4", {"price": "135.5", "active": False})
    assert answer.json() == {"message": "Item updated successfully"}
    assert dk.get("/api/menu/items/4")["price"] == "135.50"
    assert error(dk.call("PUT", "/api/menu/items/4", {"active": False})) == (400, "No fields to update")
    assert dk.call("PUT", "/api/menu/items/77", {"price": 1}).status_code == 404


def test_modifier_groups_come_with_their_modifiers_and_by_item(dk: Caller) -> None:
    groups = dk.get("/api/modifiers/groups")
    kinds = [(group["name"], group["selection_type"], group["required"]) for group in groups]
    assert kinds == [
        ("Extras", "multi", False),
        ("Salsas", "multi", False),
        ("Tortilla", "single", True),
        ("Tamaño", "single", False),
    ]
    assert groups[0]["modifiers"][0] == {
        "id": 1,
        "name": "Queso extra",
        "price_adjustment": "15.00",
        "sort_order": 1,
        "active": True,
        "group_id": 1,
    }
    assert names(dk, "/api/modifiers/groups/item/1") == ["Salsas", "Tortilla"]
    assert dk.get("/api/modifiers/groups/item/11") == []


def test_combos_are_shown_and_never_priced(dk: Caller) -> None:
    combo = dk.get("/api/combos")[0]
    assert (combo["name"], combo["combo_price"], len(combo["slots"])) == ("Combo Pastor", "149.00", 2)
    items = [
        {"menu_item_id": 1, "quantity": 3, "combo_instance_id": "c"},
        {"menu_item_id": 11, "quantity": 1, "combo_instance_id": "c"},
    ]
    assert dk.order(items=items).json()["total"] == 168.33


def test_stock_is_listed_added_and_counted(dk: Caller) -> None:
    rows = dk.get("/api/inventory")
    assert (rows[1]["name"], rows[1]["quantity"], rows[1]["cost_price"]) == ("Carne al pastor", "20.50", "128.00")
    added = dk.call("POST", "/api/inventory", {"name": "Limón", "quantity": 12.25, "unit": "kg"})
    assert (added.status_code, added.json()["id"], added.json()["quantity"]) == (200, 4, 12.25)
    assert dk.call("PUT", "/api/inventory/4", {"quantity": 10}).json() == {"id": "4", "quantity": 10}
    assert dk.get("/api/inventory")[3]["quantity"] == "10.00"
    assert dk.get("/api/inventory", x_tenant_id=CAFE) == []
    assert error(dk.call("POST", "/api/inventory", {})) == (400, "name is required")
    assert dk.call("PUT", "/api/inventory/77", {"quantity": 1}).status_code == 404
    assert dk.call("PUT", "/api/inventory/4", {"name": "x"}).status_code == 400
    assert dk.call("POST", "/api/inventory/deduct", {"order_id": 77}).status_code == 404


def platform_order(dk: Caller, **changes: Any) -> int:
    body = {
        "tenant": TAQUERIA,
        "source": "rappi",
        "items": [{"menu_item_id": 4, "quantity": 1}],
        "customer_name": "Beto",
        "delivery_address": "Sinaloa 20",
    }
    number: int = dk.control("POST", "orders", body | changes)["number"]
    return number


def test_a_platform_s_order_and_the_next_of_the_till_may_share_a_number(dk: Caller) -> None:
    numbers = [dk.order().json()["order_number"] for _ in range(4)]
    assert numbers == ["20260302001", "20260302002", "20260302003", "20260302004"]
    platform = platform_order(dk)
    order = dk.get(f"/api/orders/{platform}")
    assert (order["order_number"], order["status"], order["payment_status"]) == ("20260302005", "confirmed", "paid")
    assert (order["source"], order["payment_method"], order["employee_id"]) == ("rappi", "rappi", None)
    assert dk.order().json()["order_number"] == "20260302005"


def test_delivery_orders_are_listed_and_decided(dk: Caller) -> None:
    number = platform_order(dk)
    row = dk.get("/api/delivery/orders")[0]
    shown = ("order_id", "platform_id", "platform_status", "customer_name", "order_number", "order_status", "total")
    assert {name: row[name] for name in shown} == {
        "order_id": number,
        "platform_id": 2,
        "platform_status": "received",
        "customer_name": "Beto",
        "order_number": "20260302001",
        "order_status": "confirmed",
        "total": "130.00",
    }
    path = f"/api/delivery/orders/{row['id']}"
    assert dk.call("PUT", f"{path}/status", {"status": "at the door"}).json() == {
        "id": str(row["id"]),
        "status": "at the door",
        "success": True,
    }
    assert dk.get("/api/delivery/orders?status=received") == []
    assert dk.call("POST", f"{path}/cancel", {"reason": "x"}).json()["status"] == "cancelled"
    assert dk.get(f"/api/orders/{number}")["status"] == "cancelled"
    assert dk.get("/api/delivery/orders/active") == []
    dk.call("POST", f"{path}/accept")
    assert dk.get(f"/api/orders/{number}")["status"] == "confirmed", "without asking the table of states"
    assert dk.call("POST", "/api/delivery/orders/77/deny").status_code == 404


def test_platforms_show_their_secret_to_anyone(dk: Caller) -> None:
    rows = dk.get("/api/delivery/platforms")
    assert [(row["name"], row["commission_percent"]) for row in rows] == [
        ("uber_eats", "30.00"),
        ("rappi", "25.00"),
        ("didi_food", "22.00"),
    ]
    assert (rows[0]["webhook_secret"], rows[0]["tenant_id"]) == ("sandbox-uber", TAQUERIA)


def test_delivery_analytics_count_by_platform(dk: Caller) -> None:
    dk.placed()
    platform_order(dk)
    found = dk.get("/api/delivery-intel/analytics?start=2026-03-01&end=2026-03-31")
    assert found == {
        "period": {"start": "2026-03-01", "end": "2026-03-31"},
        "platforms": [{"platform": "rappi", "orders": "1", "revenue": "130.00"}],
        "pos": {"orders": "1", "revenue": "340.00"},
        "delivery": {"orders": "1", "revenue": "130.00"},
        "dailyTrend": [],
    }
    assert dk.get("/api/delivery-intel/markup-rules")[0]["markup_value"] == "18.00"


def test_loyalty_customers_are_the_only_list_with_pages(dk: Caller) -> None:
    first = dk.get("/api/loyalty/customers?limit=1")
    assert (first["data"][0]["name"], first["total"], first["page"], first["limit"]) == ("Alicia Romero", "2", 1, 1)
    assert dk.get("/api/loyalty/customers?limit=1&page=2")["data"][0]["name"] == "Beto Núñez"
    assert dk.get("/api/loyalty/customers?search=9876")["total"] == "1"
    assert dk.get("/api/loyalty/customers?limit=999")["limit"] == 200
    assert dk.get("/api/loyalty/config")["stamps_required"]["value"] == "10"


def guest(dk: Caller, **changes: Any) -> Any:
    body = {"items": [{"menu_item_id": 4, "quantity": 1, "modifiers": [1]}], "table_number": "12B"}
    return dk.client.post("/api/customer-order", json=body | changes, headers={"X-Tenant-ID": TAQUERIA})


def test_a_guest_s_order_needs_no_token_and_has_a_table(dk: Caller) -> None:
    answer = guest(dk)
    assert (answer.status_code, answer.json()) == (
        201,
        {
            "order_id": 1,
            "order_number": "20260302001",
            "estimated_ready_minutes": 5,
            "estimated_ready_range": {"low": 4, "high": 7},
        },
    )
    assert dk.get("/api/orders/kitchen/active")[0]["table_number"] == "12B"
    order = dk.get("/api/orders/1")
    assert (order["source"], order["employee_id"], order["employee_name"]) == ("qr_order", None, None)
    dk.control("POST", "orders/1/status", {"status": "ready"})
    assert dk.get("/api/customer-order/1/status") == {
        "order_id": 1,
        "order_number": "20260302001",
        "status": "ready",
        "table_number": "12B",
        "estimated_ready_minutes": 5,
        "created_at": "2026-03-02T12:00:00.000Z",
        "ready_at": "2026-03-02T12:00:00.000Z",
        "total": "145.00",
    }
    assert dk.call("GET", f"/api/customer-order/{dk.placed()}/status").status_code == 404
    assert dk.call("GET", "/api/customer-order/1/status", x_tenant_id=CAFE).status_code == 404


def test_a_guest_s_order_is_limited_in_size(dk: Caller) -> None:
    one = {"menu_item_id": 4, "quantity": 1}
    for wrong in (
        {"items": []},
        {"items": [one] * 51},
        {"items": [one | {"quantity": 100}]},
        {"items": [one | {"quantity": 0}]},
        {"items": [one | {"notes": "x" * 501}]},
        {"table_number": "x" * 21},
    ):
        assert guest(dk, **wrong).status_code == 400, wrong
    assert guest(dk, items=[one] * 50).status_code == 201
    with playing(limit_scale=1) as limited:
        assert [guest(limited).status_code for _ in range(6)] == [201] * 5 + [429]

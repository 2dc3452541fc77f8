"""The doors, lists, guests, tables and limits of the Desibits sandbox, over real sockets."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.desibits.sandbox import create_app, load_seed
from hub.contract.sandbox import serving
from hub.contract.sandbox.ledger import to_json
from tests.connectors.desibits.sandbox_calling import DINE_IN, POS, Till, chai, playing


@pytest.fixture
def pos() -> Iterator[Till]:
    with playing() as till:
        yield till


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "sandbox-secret"}])
def test_a_call_without_the_token_is_unauthenticated(pos: Till, header: dict[str, str]) -> None:
    answer = pos.client.get(f"{POS}/orders", headers=header)
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthenticated."})


def test_a_token_can_be_withdrawn_while_it_runs(pos: Till) -> None:
    pos.control("PUT", "seed", load_seed_as_json() | {"tokens": ["another"]})
    assert pos.call("GET", "orders").status_code == 401
    pos.token = "another"
    assert pos.call("GET", "orders").status_code == 200


def test_the_payment_methods_are_those_of_the_page(pos: Till) -> None:
    assert pos.call("GET", "payment-methods").json() == {
        "success": True,
        "data": [
            {"id": 1, "name": "Cash", "code": "cash"},
            {"id": 2, "name": "Card", "code": "card"},
            {"id": 3, "name": "UPI", "code": "upi"},
        ],
    }


def test_the_order_types_have_ids_of_this_restaurant(pos: Till) -> None:
    assert [(row["name"], row["id"]) for row in pos.data("GET", "order-types")] == [
        ("Pickup", 1),
        ("Dine In", 2),
        ("Delivery", 3),
    ]


def test_kitchens_list_the_items_they_cook_and_no_others(pos: Till) -> None:
    kitchens = pos.data("GET", "kitchens")
    assert [kitchen["name"] for kitchen in kitchens] == ["Main Kitchen", "Tandoor", "Bar"]
    assert kitchens[1]["menu_items"] == [{"id": 18, "name": "Garlic Naan", "price": 2.75}]
    listed = {item["id"] for kitchen in kitchens for item in kitchen["menu_items"]}
    assert 30 not in listed
    assert pos.order({"menu_item_id": 30, "quantity": 1}) == 1


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("delivery-drivers", ["Ravi Kumar", "Sunil Das", "Imran Khan"]),
        ("delivery-platforms", ["Own Delivery", "QuickBite"]),
        ("printers", ["Kitchen printer", "Bar printer", "Receipt printer"]),
        ("tables", ["T1", "T2", "T3", "Terrace 1", "Terrace 2"]),
    ],
)
def test_a_list_shows_what_the_restaurant_has(pos: Till, path: str, names: list[str]) -> None:
    assert [row["name"] for row in pos.data("GET", path)] == names


def test_a_table_runs_while_an_order_is_open_there(pos: Till) -> None:
    def status() -> str:
        found: str = pos.data("GET", "tables/5")["status"]
        return found

    assert status() == "available"
    number = pos.data("POST", "orders", {"order_type_id": DINE_IN, "table_id": 5, "items": [chai()]})["id"]
    assert pos.data("GET", "tables/5")["orders"] == [
        {"id": number, "order_number": "ORD-001-001", "status": "draft", "total": 2.10}
    ]
    assert pos.refused("PUT", "tables/5/status", {"status": "available"}) == (409, "Table T3 has an open order")
    pos.call("POST", f"orders/{number}/cancel", {"reason": "left"})
    assert status() == "available"
    assert pos.data("PUT", "tables/5/status", {"status": "reserved"})["status"] == "reserved"
    assert status() == "reserved"
    assert pos.errors("PUT", "tables/5/status", {"status": "on fire"}) == {
        "status": ["The selected status is invalid."]
    }
    assert pos.refused("GET", "tables/77") == (404, "Table not found")


def test_customers_are_found_by_name_phone_and_email(pos: Till) -> None:
    for search in ("priya", "98200 11111", "%2B919820011111", "PRIYA@guests"):
        assert [row["id"] for row in pos.data("GET", f"customers?search={search}")] == [10], search
    assert pos.data("GET", "customers?search=nobody") == []
    assert len(pos.data("GET", "customers")) == 2


def test_the_same_new_customer_twice_is_two_customers(pos: Till) -> None:
    body = {"name": "Asha", "phone": "+91 90000 1"}
    assert [pos.data("POST", "customers", body)["id"] for _ in range(2)] == [13, 14]
    assert pos.data("GET", "customers/14")["phone"] == "+91 90000 1"
    assert pos.order(chai(), customer_id=14) == 1
    assert pos.data("GET", "orders/1")["customer"]["name"] == "Asha"
    assert pos.errors("POST", "customers", {"email": "x", "phone": 5}) == {
        "name": ["The name field is required."],
        "phone": ["The phone field must be a string."],
        "email": ["The email field must be a valid email address."],
    }
    assert pos.refused("GET", "customers/99") == (404, "Customer not found")


def test_only_coupons_that_hold_are_listed_and_valid(pos: Till) -> None:
    assert [row["code"] for row in pos.data("GET", "coupons")] == ["WELCOME10", "FLAT5"]
    assert pos.data("POST", "coupons/validate", {"code": "welcome10", "order_total": 25.98})["discount_amount"] == 2.6
    for code in ("DIWALI", "STAFF", "NONE"):
        assert pos.refused("POST", "coupons/validate", {"code": code}) == (400, "Invalid or expired coupon")
    too_little = {"code": "WELCOME10", "order_total": 19.99}
    assert pos.refused("POST", "coupons/validate", too_little) == (400, "The order must be at least 20.00")
    assert pos.errors("POST", "coupons/validate", {}) == {"code": ["The code field is required."]}


def test_the_session_keeps_what_the_cashier_put_aside(pos: Till) -> None:
    assert pos.data("GET", "session") == {}
    assert pos.call("POST", "session/save", {"cart": [15]}).json()["success"] is True
    assert pos.data("GET", "session") == {"cart": [15]}
    assert pos.call("DELETE", "session/clear").json()["success"] is True
    assert pos.data("GET", "session") == {}
    pos.order(chai())
    sent = pos.order(chai())
    pos.call("POST", f"orders/{sent}/kot")
    assert [row["id"] for row in pos.data("GET", "session/held-orders")] == [1]


def test_a_path_or_method_that_does_not_exist_is_told_so(pos: Till) -> None:
    answer = pos.call("GET", "menu")
    assert (answer.status_code, answer.json()) == (404, {"message": "The route api/v1/pos/menu could not be found."})
    answer = pos.call("DELETE", "orders/1")
    assert answer.status_code == 405
    assert answer.json() == {"message": "The DELETE method is not supported for route api/v1/pos/orders/1."}
    assert pos.call("GET", "orders/abc").status_code == 404


def test_lists_come_in_pages_when_told_to() -> None:
    with playing(per_page=2) as pos:
        for _ in range(5):
            pos.order(chai())
        first = pos.call("GET", "orders").json()
        assert first["meta"] == {"current_page": 1, "last_page": 3, "per_page": 2, "total": 5}
        pages = [pos.data("GET", f"orders?page={page}") for page in (1, 2, 3, 4)]
        assert [[row["id"] for row in page] for page in pages] == [[5, 4], [3, 2], [1], []]
        assert len(pos.data("GET", "orders?per_page=4")) == 4
        assert pos.call("GET", "tables").json()["meta"]["last_page"] == 3


def test_lists_come_whole_and_without_meta_unless_told(pos: Till) -> None:
    assert set(pos.call("GET", "tables?page=2&per_page=1").json()) == {"success", "data"}


def test_a_rate_limit_tells_what_is_left_and_when_to_come_back() -> None:
    with playing(rate_limit=60) as pos:
        answers = [pos.call("GET", "tables") for _ in range(60)]
        assert {answer.status_code for answer in answers} == {200}
        assert answers[0].headers["X-RateLimit-Limit"] == "60"
        assert [answers[0].headers["X-RateLimit-Remaining"], answers[59].headers["X-RateLimit-Remaining"]] == [
            "59",
            "0",
        ]
        pos.clock.advance(seconds=20)
        late = pos.call("GET", "tables")
        assert (late.status_code, late.json()) == (429, {"message": "Too Many Attempts."})
        assert (late.headers["Retry-After"], late.headers["X-RateLimit-Remaining"]) == ("40", "0")
        assert late.headers["X-RateLimit-Reset"] == "1772452860"
        pos.clock.advance(seconds=40)
        assert pos.call("GET", "tables").status_code == 200


def test_there_is_no_rate_limit_unless_told(pos: Till) -> None:
    assert "X-RateLimit-Limit" not in pos.call("GET", "tables").headers


def test_a_seed_with_an_unknown_option_or_without_a_section_is_refused(pos: Till) -> None:
    for wrong in ({"options": {"kot_idd": True}}, {"options": {"per_page": 0}}, {"restaurant": {}}):
        answer = pos.client.put("/_sandbox/seed", json=load_seed_as_json() | wrong)
        assert answer.status_code == 400, wrong
    assert pos.call("GET", "tables").status_code == 200


def test_the_command_line_can_serve_another_seed(tmp_path: Path) -> None:
    seed_file = tmp_path / "seed.json"
    seed_file.write_bytes(to_json(load_seed() | {"printers": []}))

    async def ask() -> Any:
        app = create_app(tmp_path / "state.db", auto_accept_seconds=5, seed_file=seed_file)
        async with serving(app) as url, httpx.AsyncClient(trust_env=False) as client:
            headers = {"Authorization": "Bearer sandbox-secret"}
            return (await client.get(f"{url}{POS}/printers", headers=headers)).json()

    assert asyncio.run(ask()) == {"success": True, "data": []}


def load_seed_as_json() -> dict[str, Any]:
    seed: dict[str, Any] = httpx.Response(200, content=to_json(load_seed())).json()
    return seed

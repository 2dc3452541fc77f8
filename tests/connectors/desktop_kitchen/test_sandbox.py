"""The doors, paths and limits of the Desktop Kitchen sandbox, over real sockets."""

import asyncio
import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.desktop_kitchen.sandbox import create_app, load_seed
from hub.contract.sandbox import serving
from hub.contract.sandbox.ledger import to_json
from tests.connectors.desktop_kitchen.sandbox_caller import (
    CAFE,
    CASHIER_PIN,
    KITCHEN_PIN,
    MANAGER_PIN,
    TAQUERIA,
    Caller,
    error,
    playing,
)


@pytest.fixture
def dk() -> Iterator[Caller]:
    with playing() as caller:
        yield caller


def login(dk: Caller, pin: Any) -> httpx.Response:
    return dk.call("POST", "/api/employees/login", {"pin": pin})


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return claims


def test_the_tenant_is_named_by_header_or_by_the_first_label_of_the_host(dk: Caller) -> None:
    dk.headers = {}
    assert dk.get("/api/branding", x_tenant_id=TAQUERIA)["restaurantName"] == "Taquería El Faro"
    assert dk.get("/api/branding", host=f"{CAFE}.desktop.kitchen")["restaurantName"] == "Café Mercado"
    both = dk.get("/api/branding", host=f"{CAFE}.desktop.kitchen", x_tenant_id=TAQUERIA)
    assert both["restaurantName"] == "Taquería El Faro"


def test_without_a_tenant_nothing_is_answered(dk: Caller) -> None:
    expected = (401, "Could not resolve tenant. Check your subdomain or X-Tenant-ID header.")
    dk.headers = {}
    for host in ("pos.desktop.kitchen", "desktop.kitchen", "localhost", "127.0.0.1:8000"):
        assert error(dk.call("GET", "/api/menu/items", host=host)) == expected
    assert error(dk.call("GET", "/api/menu/items", x_tenant_id="nope")) == (404, "Tenant 'nope' not found")
    assert error(dk.call("GET", "/api/menu/items", host="nope.desktop.kitchen"))[0] == 404
    assert error(dk.call("GET", "/api/menu/items", x_tenant_id="fonda-cerrada")) == (403, "Tenant account is inactive")


def test_a_pin_gives_an_employee_and_a_token_for_a_day(dk: Caller) -> None:
    answer = login(dk, CASHIER_PIN)
    assert answer.status_code == 200
    body = answer.json()
    claims = claims_of(body.pop("token"))
    assert body == {
        "id": 2,
        "name": "Ana Torres",
        "role": "cashier",
        "active": True,
        "created_at": "2026-03-01T18:00:00.000Z",
        "permissions": ["pos_access"],
    }
    assert claims["exp"] - claims["iat"] == 86400
    assert (claims["tenantId"], claims["employeeId"], claims["role"], claims["type"]) == (
        TAQUERIA,
        2,
        "cashier",
        "employee",
    )


def test_a_wrong_pin_an_old_employee_and_no_pin_are_refused(dk: Caller) -> None:
    assert error(login(dk, "")) == (400, "PIN required")
    assert login(dk, "000000").json() == {"error": "Invalid PIN", "attemptsRemaining": 4}
    assert login(dk, "118822").json()["attemptsRemaining"] == 3
    assert dk.call("POST", "/api/employees/login", {"pin": CASHIER_PIN}, x_tenant_id=CAFE).status_code == 401


def test_five_wrong_pins_lock_the_door_for_half_an_hour_even_for_the_right_one(dk: Caller) -> None:
    answers = [login(dk, "000000") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 401, 429]
    assert (answers[4].headers["Retry-After"], answers[4].json()["locked"]) == ("1800", True)
    dk.clock.advance(minutes=29)
    answer = login(dk, CASHIER_PIN)
    assert (answer.status_code, answer.json()["retryAfterSec"]) == (429, 60)
    assert dk.call("POST", "/api/employees/login", {"pin": "550912"}, x_tenant_id=CAFE).status_code == 200
    dk.clock.advance(minutes=1)
    assert login(dk, CASHIER_PIN).status_code == 200
    assert login(dk, "000000").json()["attemptsRemaining"] == 4


def test_a_right_pin_forgives_the_wrong_ones(dk: Caller) -> None:
    for _ in range(4):
        login(dk, "000000")
    login(dk, CASHIER_PIN)
    assert login(dk, "000000").json()["attemptsRemaining"] == 4


def test_an_order_without_a_good_token_is_refused_and_not_taken(dk: Caller) -> None:
    assert error(dk.order()) == (401, "Authentication required")
    assert error(dk.call("POST", "/api/orders", {}, authorization="Basic abc")) == (401, "Authentication required")
    dk.sign_in()
    token = dk.headers["Authorization"]
    head, claims, signature = token.split(".")
    forged = base64.urlsafe_b64encode(json.dumps({"tenantId": TAQUERIA, "exp": 9e9}).encode()).decode()
    for wrong in (token[:-6] + "AAAAAA", f"{head}.{forged}.{signature}", "Bearer x", f"{head}.{claims}."):
        dk.headers["Authorization"] = wrong
        assert error(dk.order()) == (401, "Invalid token")
    dk.headers["Authorization"] = token
    dk.clock.advance(hours=23, minutes=59, seconds=59)
    assert dk.order().status_code == 201
    dk.clock.advance(seconds=1)
    assert error(dk.order()) == (401, "Token expired")
    assert len(dk.control("GET", "orders")) == 1


def test_a_token_holds_for_its_own_tenant(dk: Caller) -> None:
    dk.sign_in()
    dk.headers["X-Tenant-ID"] = CAFE
    assert error(dk.order()) == (403, "Token does not match this tenant")


def test_a_role_limits_what_an_employee_may_do(dk: Caller) -> None:
    dk.sign_in(KITCHEN_PIN)
    assert error(dk.order()) == (403, "Permission denied: pos_access is not granted for role kitchen")
    dk.sign_in(CASHIER_PIN)
    refused = error(dk.call("PUT", "/api/menu/items/4/toggle"))
    assert refused == (403, "Permission denied: manage_menu is not granted for role cashier")
    dk.sign_in(MANAGER_PIN)
    assert dk.call("PUT", "/api/menu/items/4/toggle").status_code == 200


def test_the_employee_header_of_the_documentation_is_ignored(dk: Caller) -> None:
    dk.headers["x-employee-id"] = "2"
    assert error(dk.order()) == (401, "Authentication required")


def test_the_server_of_the_documentation_takes_the_employee_header() -> None:
    with playing(legacy_employee_header=True) as dk:
        assert dk.order().status_code == 401
        dk.headers["x-employee-id"] = "2"
        assert dk.order().status_code == 201
        assert dk.call("PUT", "/api/menu/items/4/toggle").status_code == 403
        for nobody in ("99", "21", "7", "x"):
            dk.headers["x-employee-id"] = nobody
            assert dk.order().status_code == 401
        dk.sign_in()
        assert dk.order().status_code == 201


def test_reads_ask_for_no_token_but_loyalty_does(dk: Caller) -> None:
    for path in ("menu/items", "orders", "orders/kitchen/active", "inventory", "employees", "delivery/platforms"):
        assert dk.call("GET", f"/api/{path}").status_code == 200, path
    assert dk.call("GET", "/api/loyalty/customers").status_code == 401
    assert dk.call("GET", "/api/delivery-intel/analytics").status_code == 401


REAL = ("/api/delivery-intel/markup-rules", "/api/delivery-intel/analytics", "/api/reports/top-items")
DOCUMENTED = ("/api/delivery/markup-rules", "/api/delivery-intelligence/pnl", "/api/reports/items")


def types(dk: Caller, paths: tuple[str, ...]) -> list[tuple[int, str]]:
    answers = (dk.call("GET", path) for path in paths)
    return [(answer.status_code, answer.headers["Content-Type"].partition(";")[0]) for answer in answers]


def test_the_published_server_lacks_the_documented_paths_and_answers_them_with_html(dk: Caller) -> None:
    dk.sign_in(MANAGER_PIN)
    assert types(dk, REAL) == [(200, "application/json")] * 3
    assert types(dk, DOCUMENTED) == [(200, "text/html")] * 3
    deleted = dk.call("DELETE", "/api/menu/items/4")
    assert (deleted.status_code, deleted.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert dk.get("/api/menu/items/4")["name"] == "Torta Cubana"


def test_the_server_of_the_documentation_has_its_own_paths() -> None:
    with playing(documented_paths=True) as dk:
        dk.sign_in(MANAGER_PIN)
        assert types(dk, DOCUMENTED) == [(200, "application/json")] * 3
        assert types(dk, REAL) == [(200, "text/html")] * 3
        assert dk.call("DELETE", "/api/menu/items/4").status_code == 200
        assert error(dk.call("GET", "/api/menu/items/4")) == (404, "Item not found")
        assert 4 not in [row["id"] for row in dk.get("/api/menu/items?include_inactive=1")]


def test_unknown_calls_are_a_page_with_200_for_a_get_and_with_404_for_the_rest(dk: Caller) -> None:
    page = dk.call("GET", "/api/nothing")
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert page.text.startswith("<!doctype html>")
    for method, path in (("POST", "/api/nothing"), ("DELETE", "/api/orders/1"), ("PATCH", "/api/orders")):
        answer = dk.call(method, path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
        assert f"Cannot {method} {path}" in answer.text


def test_a_plan_without_delivery_is_told_so(dk: Caller) -> None:
    dk.sign_in("sandbox-secret", CAFE)
    answer = dk.call("GET", "/api/delivery-intel/markup-rules")
    assert answer.status_code == 403
    assert answer.json() == {
        "error": "PLAN_UPGRADE_REQUIRED",
        "requiredPlan": "pro",
        "feature": "delivery",
        "currentPlan": "free",
    }
    with playing(plan_gate=False) as open_to_all:
        open_to_all.sign_in("sandbox-secret", CAFE)
        assert open_to_all.get("/api/delivery-intel/markup-rules") == []


def test_health_needs_no_tenant(dk: Caller) -> None:
    dk.headers = {}
    assert dk.get("/health") == dk.get("/api/health") == {"ok": True, "db": "connected"}


def test_a_body_that_is_no_json_or_too_long_is_refused(dk: Caller) -> None:
    dk.sign_in()
    headers = dk.headers | {"Content-Type": "application/json"}
    broken = dk.client.post("/api/orders", content=b'{"items": [', headers=headers)
    assert (broken.status_code, set(broken.json())) == (400, {"error"})
    plain = dk.client.post("/api/orders", content=b"{}", headers=dk.headers | {"Content-Type": "text/plain"})
    assert error(plain) == (400, "Missing required fields")
    notes = "x" * 1_900_000
    assert dk.order(items=[{"menu_item_id": 4, "quantity": 1, "notes": notes}]).status_code == 201
    long = dk.order(items=[{"menu_item_id": 4, "quantity": 1, "notes": notes + "x" * 300_000}])
    assert error(long) == (413, "request entity too large")
    assert len(dk.control("GET", "orders")) == 1


def test_limits_are_off_unless_asked_for(dk: Caller) -> None:
    answers = [dk.call("GET", "/api/branding") for _ in range(210)]
    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit-Limit" not in answers[0].headers


def test_an_address_may_create_thirty_orders_in_a_quarter_of_an_hour_failures_included() -> None:
    with playing(limit_scale=1) as dk:
        dk.sign_in()
        first = dk.order()
        assert first.headers["RateLimit-Policy"] == "30;w=900"
        assert (first.headers["RateLimit-Limit"], first.headers["RateLimit-Remaining"]) == ("30", "29")
        assert first.headers["RateLimit-Reset"] == "900"
        assert dk.order(items=[]).headers["RateLimit-Remaining"] == "28"
        dk.clock.advance(minutes=5)
        answers = [dk.order() for _ in range(29)]
        assert [answer.status_code for answer in answers] == [201] * 28 + [429]
        assert error(answers[28]) == (429, "Too many order requests. Please try again later.")
        assert (answers[28].headers["Retry-After"], answers[28].headers["RateLimit-Remaining"]) == ("600", "0")
        other = dk.call("POST", "/api/orders", {}, x_tenant_id=CAFE)
        assert other.status_code == 429, "the limit is the address's, not the tenant's"
        dk.clock.advance(minutes=10)
        assert dk.order().status_code == 201


def test_limits_can_be_scaled_and_every_kind_counts_for_itself() -> None:
    with playing(limit_scale=0.1) as dk:
        dk.sign_in()
        assert login(dk, CASHIER_PIN).status_code == 429
        assert [dk.order().status_code for _ in range(4)] == [201, 201, 201, 429]
        pays = [dk.call("POST", "/api/payments/cash", {"order_id": number}) for number in (1, 2, 3)]
        assert [answer.status_code for answer in pays] == [200, 200, 429]
        dk.clock.advance(minutes=1)
        answers = [dk.call("GET", "/api/branding").status_code for _ in range(21)]
        assert answers == [200] * 20 + [429]
        assert dk.call("GET", "/api/nothing").status_code == 429
        assert dk.get("/health")["ok"] is True


def test_the_owner_signs_in_and_alone_changes_the_branding(dk: Caller) -> None:
    credentials = {"email": "duena@elfaro.example", "password": "sandbox-secret"}
    wrong = dk.call("POST", "/api/auth/login", credentials | {"password": "x"})
    assert error(wrong) == (401, "Invalid email or password")
    assert dk.call("POST", "/api/auth/login", {}).status_code == 400
    body = dk.call("POST", "/api/auth/login", credentials).json()
    assert (body["tenant"]["subdomain"], body["tenant"]["plan"]) == (TAQUERIA, "pro")
    assert claims_of(body["token"])["type"] == "owner"
    dk.sign_in(MANAGER_PIN)
    assert dk.call("PUT", "/api/branding", {"primaryColor": "#000"}).status_code == 401
    dk.headers["Authorization"] = f"Bearer {body['token']}"
    assert dk.order().status_code == 401
    changed = dk.call("PUT", "/api/branding", {"primaryColor": "#000", "restaurantName": "Otra"}).json()
    assert (changed["primaryColor"], changed["restaurantName"]) == ("#000", "Taquería El Faro")
    assert dk.get("/api/branding")["primaryColor"] == "#000"


def test_an_employee_is_created_without_a_token_and_can_sign_in(dk: Caller) -> None:
    body = {"name": "Nueva", "pin": "1", "role": "cashier"}
    created = dk.call("POST", "/api/employees", body)
    assert (created.status_code, created.json()) == (
        201,
        {"id": 23, "name": "Nueva", "role": "cashier", "active": True},
    )
    dk.sign_in("1")
    assert dk.get("/api/employees")[-1]["name"] == "Nueva"
    assert "pin" not in dk.get("/api/employees")[0]
    assert dk.call("POST", "/api/employees", body | {"role": "chef"}).status_code == 400


def test_another_seed_can_be_planted(dk: Caller) -> None:
    seed = dk.control("GET", "seed")
    seed["tenants"][0]["items"][0]["price"] = 50
    dk.control("PUT", "seed", seed)
    assert dk.get("/api/menu/items")[0]["price"] == "50.00"
    assert dk.client.put("/_sandbox/seed", json={"tenants": []}).status_code == 400
    assert dk.get("/api/menu/items")[0]["price"] == "50.00"


async def ask(seed_file: Path) -> str:
    app = create_app(seed_file=seed_file)
    async with serving(app) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        answer = await client.get("/api/branding", headers={"X-Tenant-ID": CAFE})
        name: str = answer.json()["restaurantName"]
        return name


def test_the_command_line_can_serve_another_seed(tmp_path: Path) -> None:
    seed = load_seed()
    seed["tenants"][1]["branding"]["restaurantName"] = "Otro Café"
    (tmp_path / "seed.json").write_bytes(to_json(seed))
    assert asyncio.run(ask(tmp_path / "seed.json")) == "Otro Café"

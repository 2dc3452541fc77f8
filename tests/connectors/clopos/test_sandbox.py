"""The doors, lists and limits of the Clopos sandbox, over real sockets."""

import asyncio
import base64
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.clopos.sandbox import create_app, load_seed
from hub.contract.sandbox import serve
from hub.contract.sandbox.ledger import to_json
from tests.connectors.clopos.conftest import V1, V2, Caller, FakeClock
from tests.connectors.clopos.sandbox_bodies import full_example, order_v2
from tests.ports import free_port

CREDENTIALS = {"client_id": "sandbox-client", "client_secret": "sandbox-secret", "brand": "openapitest"}


def auth(clopos: Caller, version: str, **changes: Any) -> tuple[int, Any]:
    own = {"venue_id": "1"} if version == V1 else {"integrator_id": "sandbox-integrator"}
    body = {name: value for name, value in (CREDENTIALS | own | changes).items() if value is not None}
    answer = clopos.client.post(f"{version}/auth", json=body)
    return answer.status_code, answer.json()


def rows(clopos: Caller, path: str) -> list[dict[str, Any]]:
    answer = clopos.get(path)
    assert answer.status_code == 200, answer.text
    data: list[dict[str, Any]] = answer.json()["data"]
    return data


def ids(clopos: Caller, path: str) -> list[int]:
    return [row["id"] for row in rows(clopos, path)]


def test_v1_issues_an_oauth_token(clopos: Caller) -> None:
    status, body = auth(clopos, V1)
    assert status == 200
    assert body["token"].startswith("oauth_")
    assert {**body, "token": "..."} == {
        "success": True,
        "token": "...",
        "token_type": "Bearer",
        "expires_in": 3600,
        "message": "Authentication successful",
    }


def test_v2_issues_a_token_that_looks_like_a_jwt_and_says_when_it_ends(clopos: Caller) -> None:
    status, body = auth(clopos, V2)
    assert status == 200
    assert body["expires_at"] == 1772452800 + 3600
    claims = json.loads(base64.urlsafe_b64decode(body["token"].split(".")[1] + "=="))
    assert claims["brand"] == "openapitest"
    assert claims["venue_id"] == 1
    assert claims["exp"] - claims["iat"] == 3600


def test_v1_refuses_wrong_and_incomplete_credentials_with_400(clopos: Caller) -> None:
    assert auth(clopos, V1, client_secret="wrong") == (
        400,
        {"success": False, "error": "validation_failed", "message": "Invalid credentials"},
    )
    assert auth(clopos, V1, brand="other")[0] == 400
    assert auth(clopos, V1, venue_id=1)[1]["message"] == "The venue_id field is required and must be a string."
    assert auth(clopos, V1, client_id=None)[0] == 400


def test_v2_refuses_credentials_in_the_documented_sentences(clopos: Caller) -> None:
    assert auth(clopos, V2, client_secret="wrong") == (
        401,
        {"success": False, "message": "Invalid client credentials"},
    )
    status, body = auth(clopos, V2, integrator_id=None)
    assert (status, body["error"]) == (400, "Missing client_id, client_secret, brand, or integrator_id")
    status, body = auth(clopos, V2, integrator_id="unknown")
    assert (status, body["error"]) == (400, "Invalid integrator_id")
    status, body = auth(clopos, V2, client_id="disabled-client", client_secret="disabled-secret")
    assert (status, body["error"]) == (401, "Client is disabled")


def test_a_test_integrator_at_a_live_brand_is_refused_inside_a_200(clopos: Caller) -> None:
    status, body = auth(clopos, V2, client_id="live-client", client_secret="live-secret", brand="livebrand")
    assert status == 200
    assert body["success"] is False
    assert body["error"] == "Integrator is in test mode. But brand is not in test mode"


@pytest.mark.parametrize("missing", ["x-token", "x-brand", "x-venue"])
def test_v1_needs_all_three_headers(clopos: Caller, missing: str) -> None:
    del clopos.v1[missing]
    answer = clopos.get(f"{V1}/venues")
    assert answer.status_code == 401
    assert answer.json() == {"success": False, "error": "unauthorized", "message": "Headers are missing"}


def test_v2_needs_the_token_alone_and_answers_401_in_two_shapes(clopos: Caller) -> None:
    assert clopos.get(f"{V2}/venues").status_code == 200
    clopos.v2["x-token"] = "something"
    expected = {"success": False, "message": "Authentication failed", "error": "Invalid token"}
    assert clopos.get(f"{V2}/venues").json() == expected
    expected = {"success": False, "error": "unauthorized", "message": "Invalid token"}
    assert clopos.get(f"{V2}/orders").json() == expected


def test_a_token_holds_for_its_own_dialect_brand_and_venue(clopos: Caller) -> None:
    assert clopos.get(f"{V1}/venues", x_venue="2").status_code == 401
    assert clopos.get(f"{V1}/venues", x_brand="livebrand").status_code == 401
    assert clopos.get(f"{V2}/venues", x_token=clopos.v1["x-token"]).status_code == 401
    assert clopos.get(f"{V2}/venues", x_venue="1").status_code == 200
    assert clopos.get(f"{V2}/venues", x_venue="7").status_code == 400


def test_a_token_expires(start: Callable[..., Caller], clock: FakeClock) -> None:
    clopos = start(token_seconds=1)
    assert clopos.get(f"{V1}/venues").status_code == 200
    clock.advance(seconds=1)
    assert clopos.get(f"{V1}/venues").json()["message"] == "Token expired"
    assert clopos.get(f"{V2}/venues").json()["error"] == "Token expired"


def test_the_restaurant_is_the_one_of_the_brief(clopos: Caller) -> None:
    assert rows(clopos, f"{V2}/venues") == [{"id": 1, "name": "Main", "is_main": True, "media": []}]
    assert set(rows(clopos, f"{V1}/venues")[0]) == {"id", "name", "address", "status", "phone", "email"}
    types = [(row["id"], row["name"], row["system_type"]) for row in rows(clopos, f"{V1}/sale-types")]
    assert types == [(1, "In", "IN"), (2, "Delivery", "DELIVERY"), (3, "Takeaway", "TAKEAWAY")]
    assert [row["name"] for row in rows(clopos, f"{V1}/customers")] == ["Guest", "Rahid Akhundzada"]
    product = clopos.get(f"{V1}/products/1?with[]=modificator_groups").json()["data"]
    assert product["name"] == "Mega Dürüm Menü Alana Çiğ Köfte Dürüm"
    assert product["meta"] == {"modifier_pos": {"5": 0, "8": 1, "9": 2, "32": 3}}
    options = {one["id"]: one for group in product["modificator_groups"] for one in group["modificators"]}
    assert (options[187]["name"], options[187]["price"]) == ("yyy", 3)
    assert (options[201]["name"], options[201]["price"]) == ("S-bb", 15)


def test_an_empty_map_is_shown_as_an_empty_list(clopos: Caller) -> None:
    assert [row["status"] for row in rows(clopos, f"{V1}/sale-types")] == [{"1": 1}, {"1": 1}, []]
    assert rows(clopos, f"{V1}/products")[1]["properties"] == []


def test_prices_are_bare_numbers_in_major_units(clopos: Caller) -> None:
    text = clopos.get(f"{V1}/products/2").text
    assert json.loads(text, parse_float=Decimal)["data"]["price"] == Decimal("6.5")
    assert '"price":6.5,' in text


def test_categories_are_a_tree(clopos: Caller) -> None:
    drinks = rows(clopos, f"{V2}/categories?type=PRODUCT")[2]
    assert (drinks["name"], drinks["depth"]) == ("İçkilər", 0)
    assert [(child["name"], child["depth"]) for child in drinks["children"]] == [("İsti içkilər", 1)]
    assert ids(clopos, f"{V2}/categories?parent_id=3") == [5]
    assert ids(clopos, f"{V2}/categories?filters[0][0]=type&filters[0][1]=INGREDIENT") == [10]
    flat = rows(clopos, f"{V1}/categories?include_children=false&type=PRODUCT")
    assert all(row["children"] == [] for row in flat)
    assert clopos.get(f"{V2}/categories?type=MENU").status_code == 400


def test_products_are_filtered_by_brackets_and_on_v1_also_by_an_object(clopos: Caller) -> None:
    brackets = "filters[0][0]=type&filters[0][1][0]=INGREDIENT&filters[0][1][1]=PREPARATION"
    assert ids(clopos, f"{V2}/products?{brackets}") == [50, 51, 52]
    assert ids(clopos, f"{V1}/products?{brackets}") == [50, 51, 52]
    one_object = json.dumps({"type": ["DISH"], "category_id": 5})
    assert ids(clopos, f"{V1}/products?filters={one_object}") == [14, 15]
    assert clopos.get(f"{V1}/products?filters=type").status_code == 400
    assert 50 in ids(clopos, f"{V1}/products")


def test_relations_and_fields_of_products_are_chosen_by_the_caller(clopos: Caller) -> None:
    assert "modificator_groups" not in rows(clopos, f"{V2}/products")[0]
    parent = clopos.get(f"{V2}/products/10?with[0]=modifications&with[1]=station").json()["data"]
    assert [(one["full_name"], one["price"]) for one in parent["modifications"]] == [
        ("Limonad 0.33 L", 2),
        ("Limonad 0.5 L", 2.6),
    ]
    assert (parent["has_modifications"], parent["station"]["name"]) == (True, "Bar")
    assert rows(clopos, f"{V2}/products?selects=price&limit=1") == [
        {"id": 1, "name": "Mega Dürüm Menü Alana Çiğ Köfte Dürüm", "type": "DISH", "price": 0}
    ]


def test_the_remaining_lists_answer(clopos: Caller) -> None:
    assert rows(clopos, f"{V1}/products/stop-list") == [{"id": 8, "limit": 0, "timestamp": 1768329845000}]
    assert ids(clopos, f"{V2}/stations?can_print=true") == [1, 2]
    assert ids(clopos, f"{V1}/payment-methods") == [1, 2, 3, 4]
    assert ids(clopos, f"{V1}/users") == [1, 3]
    assert ids(clopos, f"{V1}/customer-groups") == [1]
    assert clopos.get(f"{V1}/users/3").json()["data"]["username"] == "Cashier"
    assert clopos.get(f"{V1}/stations/2").json()["data"]["name"] == "Bar"
    assert clopos.get(f"{V1}/categories/4").json()["data"]["name"] == "Şirniyyat"


def test_price_lists_exist_on_v2_without_a_success_field(clopos: Caller) -> None:
    body = clopos.get(f"{V2}/price-lists?with[]=prices").json()
    assert set(body) == {"data", "pagination"}
    assert [price["price"] for price in body["data"][0]["prices"]] == [7.2, 2]
    assert ids(clopos, f"{V2}/price-lists/prices?filters[0][0]=product_id&filters[0][1]=9") == [11]
    assert clopos.get(f"{V1}/price-lists").status_code == 404


def test_lists_are_paged_by_page_and_by_offset(clopos: Caller) -> None:
    everything = ids(clopos, f"{V1}/products?limit=100")
    assert ids(clopos, f"{V1}/products?limit=5&page=2") == everything[5:10]
    assert ids(clopos, f"{V1}/products?limit=5&offset=3") == everything[3:8]
    assert ids(clopos, f"{V2}/products?limit=5&offset=3") == everything[:5]
    assert clopos.get(f"{V2}/products?limit=5").json()["total"] == len(everything)
    assert clopos.get(f"{V1}/customers?limit=1&page=2").json()["pagination"] == {
        "page": 2,
        "per_page": 1,
        "total": 2,
        "total_pages": 2,
    }


def test_a_limit_out_of_range_is_refused_in_two_shapes(clopos: Caller) -> None:
    assert clopos.get(f"{V1}/orders?limit=150").json() == {
        "error": "invalid_parameter",
        "message": "The limit parameter must be within 1-100",
        "details": {"parameter": "limit", "provided_value": 150, "valid_range": "1-100"},
    }
    assert clopos.get(f"{V2}/products?limit=101").json() == {
        "success": False,
        "error": "invalid_parameter",
        "message": "limit must be within 1-100",
    }
    for path in ("products?limit=0", "products?limit=ten", "products?page=0", "products?offset=-1"):
        assert clopos.get(f"{V1}/{path}").status_code == 400, path
    assert clopos.get(f"{V2}/categories?limit=999").status_code == 200


def test_what_does_not_exist_is_worded_by_dialect(clopos: Caller) -> None:
    assert clopos.get(f"{V1}/products/999").json()["error"] == "not_found"
    assert clopos.get(f"{V2}/products/999").json()["error"] == "resource_not_found"
    assert clopos.get(f"{V2}/customers/999").status_code == 404
    error = clopos.get(f"{V1}/orders/1000").json()["error"]
    assert error == [
        {
            "message": "No query results for model [App\\Models\\Client\\ServiceNotification] 1000",
            "type": "server_side",
            "exception": "NotFoundHttpException",
            "http_code": 404,
        }
    ]
    assert clopos.get(f"{V1}/tables").status_code == 404
    assert clopos.call("DELETE", f"{V1}/orders").status_code == 404


def test_customers_are_found_by_part_of_the_name_and_by_phone(clopos: Caller) -> None:
    filters = "filters[0][0]={}&filters[0][1]={}"
    assert ids(clopos, f"{V2}/customers?{filters.format('name', 'rahid')}") == [9]
    assert ids(clopos, f"{V2}/customers?{filters.format('phones', '994705401040')}") == [9]
    assert ids(clopos, f"{V1}/customers?{filters.format('phones', '%2B994705401040')}") == [9]
    assert ids(clopos, f"{V2}/customers?{filters.format('phones', '111')}") == []
    assert ids(clopos, f"{V2}/customers?search=rahid") == [1, 9]


def test_a_customer_is_created_once_per_phone(clopos: Caller) -> None:
    body = {"name": "Aysel", "phone": "+994501112233"}
    created = clopos.call("POST", f"{V1}/customers", body)
    assert (created.status_code, created.json()["data"]["id"]) == (201, 10)
    again = clopos.call("POST", f"{V2}/customers", body)
    assert again.status_code == 409
    assert again.json() == {
        "success": False,
        "message": "Customer with this phone number already exists",
        "error": "duplicate_phone",
    }
    assert clopos.get(f"{V1}/customers/10").json()["data"]["phone"] == "+994501112233"
    nameless = clopos.call("POST", f"{V1}/customers", {"phone": "+994501112234"})
    assert (nameless.status_code, nameless.json()["error"]) == (400, "The name field is required.")
    for wrong in ({"phone": 5}, {"gender": 3}, {"cid": "x"}, {"group_id": 77}):
        assert clopos.call("POST", f"{V1}/customers", {"name": "A"} | wrong).status_code == 400


def test_v1_limits_a_key_to_100_calls_a_minute(start: Callable[..., Caller], clock: FakeClock) -> None:
    clopos = start(rate_limits=True)
    first = clopos.get(f"{V1}/venues")
    assert first.headers["X-RateLimit-Limit"] == "100"
    assert first.headers["X-RateLimit-Remaining"] == "99"
    assert first.headers["X-RateLimit-Reset"] == "1772452860"
    assert clopos.get(f"{V1}/products/999").headers["X-RateLimit-Remaining"] == "98"
    answers = [clopos.get(f"{V1}/venues").status_code for _ in range(99)]
    assert answers == [200] * 98 + [429]
    assert clopos.get(f"{V1}/venues").json()["error"] == "rate_limited"
    clock.advance(seconds=60)
    assert clopos.get(f"{V1}/venues").status_code == 200


def test_v2_limits_calls_sign_ins_and_failures(start: Callable[..., Caller], clock: FakeClock) -> None:
    clopos = start(rate_limits=True)
    clock.advance(seconds=15)
    answer = clopos.get(f"{V2}/venues")
    assert (answer.headers["RateLimit-Limit"], answer.headers["RateLimit-Reset"]) == ("300", "45")
    # One sign-in of v2 has been counted when the sandbox started.
    assert [auth(clopos, V2)[0] for _ in range(60)] == [200] * 59 + [429]
    clock.advance(seconds=60)
    failures = [clopos.get(f"{V2}/venues", x_token="none").status_code for _ in range(600)]
    assert failures == [401] * 600
    assert clopos.get(f"{V2}/venues").status_code == 429


def test_another_seed_can_be_planted(start: Callable[..., Caller]) -> None:
    seed = load_seed()
    seed["stop_list"] = []
    clopos = start(seed=seed)
    assert rows(clopos, f"{V1}/products/stop-list") == []
    seed = clopos.client.get("/_sandbox/seed").json()
    seed["sale_types"][1]["status"] = {"1": 0}
    assert clopos.client.put("/_sandbox/seed", json=seed).status_code == 200
    refused = clopos.order(full_example())
    assert refused.json()["message"] == ("The payload.service.sale_type_id field must be a sale type of this venue.")
    assert clopos.client.put("/_sandbox/seed", json={"venues": []}).status_code == 400
    assert clopos.order(order_v2(), version=V2).status_code == 400


def test_the_command_line_can_serve_another_seed_until_it_is_stopped(tmp_path: Path) -> None:
    seed_file, port = tmp_path / "seed.json", free_port()
    seed_file.write_bytes(to_json(load_seed() | {"stop_list": []}))

    async def ask() -> Any:
        app = create_app(tmp_path / "state.db", seed_file=seed_file)
        serving = asyncio.create_task(serve(app, "127.0.0.1", port))
        transport = httpx.AsyncHTTPTransport(retries=3)  # the task needs a moment to listen
        async with httpx.AsyncClient(transport=transport) as client:
            answer = await client.get(f"http://127.0.0.1:{port}/_sandbox/seed")
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        return answer.json()["stop_list"]

    assert asyncio.run(ask()) == []

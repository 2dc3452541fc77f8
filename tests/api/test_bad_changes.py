"""Bad input to changes and families is refused by the name of the field, and nothing is stored or asked."""

from typing import Any

import pytest

from tests.api.house import House
from tests.database.stored import PLOV

pytestmark = pytest.mark.anyio
HUGE = 10**30


CHANGES: list[tuple[str, Any, str]] = [
    ("cancel", {"reason": 1}, "reason"),
    ("cancel", {"reason": [None]}, "reason"),
    ("cancel", {"reason": "x" * 501}, "reason"),
    ("cancel", {"reason": "a\0b"}, "reason"),
    ("cancel", {"reason": "x", "version": 0}, "version"),
    ("cancel", {"reason": "x", "version": "1"}, "version"),
    ("cancel", {"reason": "x", "version": 1.5}, "version"),
    ("cancel", {"reason": "x", "version": HUGE}, "version"),
    ("cancel", [], "body"),
    ("status", {}, "status"),
    ("status", {"status": "burnt"}, "status"),
    ("status", {"status": "cancelled"}, "status"),
    ("status", {"status": "received"}, "status"),
    ("status", {"status": 3}, "status"),
    ("status", {"status": "ready\0"}, "status"),
    ("status", {"status": "out_for_delivery"}, "status"),
    ("items", {}, "items"),
    ("items", {"items": []}, "items"),
    ("items", {"items": [{"itemId": "item_x"}]}, "items[0].itemId"),
    ("items", {"items": [{"itemId": PLOV.id, "quantity": -1}]}, "items[0].quantity"),
    ("items", {"items": [{"itemId": PLOV.id, "quantity": HUGE}]}, "items[0].quantity"),
    ("items", {"items": [{"itemId": PLOV.id, "notes": "a\0"}]}, "items[0].notes"),
    ("items", {"items": [{"itemId": PLOV.id}] * 101}, "items"),
    ("items", {"items": [{"itemId": PLOV.id}], "checkId": "chk_x"}, "checkId"),
    ("payments", {}, "method"),
    ("payments", {"method": "cash"}, "amount"),
    ("payments", {"method": "gold", "amount": 1}, "method"),
    ("payments", {"method": "cash", "amount": 0}, "amount"),
    ("payments", {"method": "cash", "amount": -1}, "amount"),
    ("payments", {"method": "cash", "amount": 1.5}, "amount"),
    ("payments", {"method": "cash", "amount": "100"}, "amount"),
    ("payments", {"method": "cash", "amount": HUGE}, "amount"),
    ("payments", {"method": "cash", "amount": 1801}, "amount"),
    ("payments", {"method": "cash", "amount": 1, "tip": -1}, "tip"),
    ("payments", {"method": "cash", "amount": 1, "reference": "a\0"}, "reference"),
    ("payments", {"method": "cash", "amount": 1, "reference": "x" * 101}, "reference"),
    ("payments", {"method": "cash", "amount": 1, "checkId": "chk_x"}, "checkId"),
    ("payments", {"payments": []}, "payments"),
    ("payments", {"payments": [{"method": "cash"}]}, "payments[0].amount"),
    ("payments", {"payments": [{"method": "cash", "amount": 1}] * 51}, "payments"),
    ("payments", {"payments": [{"method": "cash", "amount": 1}], "amount": 1}, "payments"),
    ("payments", {"payments": "cash"}, "payments"),
    ("payments/pay_x/refund", {"reason": "x"}, "paymentId"),
    ("payments/pay_x/refund", {}, "reason"),
    ("payments/pay_x/refund", {"reason": "x", "amount": 0}, "amount"),
    ("payments/pay_x/refund", {"reason": "x", "amount": -5}, "amount"),
    ("payments/%00/refund", {"reason": "x"}, "paymentId"),
    ("discount", {}, "value"),
    ("discount", {"type": "percent"}, "value"),
    ("discount", {"value": 10}, "type"),
    ("discount", {"type": "gift", "value": 10}, "type"),
    ("discount", {"type": "percent", "value": 101}, "value"),
    ("discount", {"type": "percent", "value": -1}, "value"),
    ("discount", {"type": "percent", "value": "NaN"}, "value"),
    ("discount", {"type": "amount", "value": 0.5}, "value"),
    ("discount", {"type": "amount", "value": HUGE}, "value"),
    ("discount", {"type": "percent", "value": 10, "checkId": "chk_x"}, "checkId"),
    ("discount", {"coupon": "a\0"}, "coupon"),
    ("driver", {}, "driverId"),
    ("driver", {"driverId": ""}, "driverId"),
    ("driver", {"driverId": 8}, "driverId"),
    ("driver", {"driverId": "../8"}, "driverId"),
    ("driver", {"driverId": ".."}, "driverId"),
    ("driver", {"driverId": "8", "name": "a\0"}, "name"),
    ("kitchen", {"action": "burn"}, "action"),
    ("print", {"what": "money"}, "what"),
]


@pytest.mark.parametrize("number", range(len(CHANGES)), ids=lambda number: f"{CHANGES[number][0]}-{number}")
async def test_a_spoiled_change_is_refused_by_the_name_of_the_field(shared_house: House, number: int) -> None:
    path, body, field = CHANGES[number]
    order = await shared_house.order()
    before = await shared_house.counts()
    answer = await shared_house.post(f"/orders/{order['id']}/{path}", body, idempotency_key="bad")
    assert answer.status_code == 400, answer.text
    told = answer.json()
    assert told["field"] == field, told
    assert field in told["error"] or path.endswith("refund"), told
    assert await shared_house.counts() == before
    assert (await shared_house.get(f"/orders/{order['id']}")).json()["order"]["version"] == 1
    assert shared_house.till.asked == []


@pytest.mark.parametrize("version", ["x", '"', '"-1"', '"1", "2"', "1e3", "9" * 40])
async def test_a_version_that_is_none_is_refused(shared_house: House, version: str) -> None:
    order = await shared_house.order()
    answer = await shared_house.post(f"/orders/{order['id']}/status", {"status": "ready"}, if_match=version)
    assert (answer.status_code, answer.json()["field"]) == (400, "If-Match")


FAMILIES: list[tuple[str, str, Any, str]] = [
    ("PATCH", "tables/7", {}, "status"),
    ("PATCH", "tables/7", {"status": "unknown"}, "status"),
    ("PATCH", "tables/7", {"status": 1}, "status"),
    ("PATCH", "tickets/7", {"status": "eaten"}, "status"),
    ("POST", "tickets/7/print", {"again": "yes"}, "again"),
    ("POST", "coupons/validate", {}, "code"),
    ("POST", "coupons/validate", {"code": "a\0"}, "code"),
    ("POST", "coupons/validate", {"code": "A", "total": -1}, "total"),
    ("POST", "coupons/validate", {"code": "A", "total": HUGE}, "total"),
    ("GET", "customers", None, "query"),
    ("GET", "customers?query=%20", None, "query"),
    ("GET", "customers?query=a%00b", None, "query"),
    ("GET", f"customers?query={'x' * 201}", None, "query"),
    ("POST", "customers", {}, "name"),
    ("POST", "customers", {"name": "x" * 201}, "name"),
    ("POST", "customers", {"name": "A", "phone": 5}, "phone"),
    ("POST", "customers", {"name": "A", "email": "a\0"}, "email"),
    ("POST", "stock", {"name": "Salt", "quantity": -1}, "quantity"),
    ("POST", "stock", {"name": "Salt", "lowBelow": "Infinity"}, "lowBelow"),
    ("PATCH", "stock/6", {}, "quantity"),
    ("PATCH", "stock/6", {"quantity": "NaN"}, "quantity"),
    ("PATCH", "stock/6", {"quantity": 1.2345}, "quantity"),
    ("PATCH", "stock/6", {"quantity": HUGE}, "quantity"),
    ("PATCH", "stock/6", {"quantity": "1e400"}, "quantity"),
    ("PATCH", "stock/6", {"quantity": "1e-400"}, "quantity"),
    ("GET", "reports/sales?period=hourly", None, "period"),
    ("GET", "reports/items?on=yesterday", None, "on"),
    ("GET", "reports/items?on=2026-02-30", None, "on"),
    ("GET", "reports/items?on=20260230", None, "on"),
    ("GET", "reports/items?on=2026-W07-1", None, "on"),
]


@pytest.mark.parametrize("number", range(len(FAMILIES)), ids=lambda number: f"{FAMILIES[number][1][:20]}-{number}")
async def test_a_spoiled_question_is_refused_by_the_name_of_the_field(shared_house: House, number: int) -> None:
    method, path, body, field = FAMILIES[number]
    answer = await shared_house.ask(method, f"/stores/demo/pos/{path}", body)
    assert (answer.status_code, answer.json().get("field")) == (400, field), answer.text
    assert shared_house.till.asked == []


@pytest.mark.parametrize(
    "name", ["%2e%2e", "%2e", "..%2fmenu", "a%2fb", "a%20b", "%00", "ü", "x" * 101, "a%3Fb", "a%23"]
)
@pytest.mark.parametrize("path", ["tables/{}", "customers/{}"])
async def test_an_id_that_could_lead_elsewhere_at_the_pos_is_not_found(
    shared_house: House, path: str, name: str
) -> None:
    answer = await shared_house.get(f"/stores/demo/pos/{path.format(name)}")
    assert answer.status_code == 404, answer.text
    assert shared_house.till.asked == []


async def test_an_unknown_store_is_not_found(shared_house: House) -> None:
    assert (await shared_house.get("/stores/nowhere/pos/tables")).status_code == 404

"""Every family of a POS has its address; what the POS cannot do, refuses or does not answer is told, never a 500."""

from datetime import date
from typing import Any

import pytest

from hub.contract.base import Capability
from hub.database.directory import set_link_paused
from hub.database.link_state import CodeRow, replace_codes
from hub.errors import (
    ConnectorError,
    OutcomeUnknown,
    UnmappedValue,
    UnsupportedByVendor,
    VendorAuthFailed,
    VendorMalformed,
    VendorRateLimited,
    VendorRejected,
    VendorUnavailable,
    VendorUnreachable,
)
from hub.model.call import Call
from hub.model.order import Customer
from tests.api.house import House
from tests.database.stored import LINK

pytestmark = pytest.mark.anyio


READS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "tables": (
        ("fetch_tables",),
        {
            "tables": [
                {"id": "7", "name": "7A", "seats": 4, "area": "", "status": "occupied", "rawStatus": "busy"},
            ]
        },
    ),
    "tables/7": (
        ("fetch_table", "7"),
        {"table": {"id": "7", "name": "7A", "seats": None, "area": "", "status": "unknown", "rawStatus": ""}},
    ),
    "kitchens": (("fetch_kitchens",), {"kitchens": [{"id": "1", "name": "Grill", "itemIds": ["5"]}]}),
    "printers": (("fetch_printers",), {"printers": [{"id": "3", "name": "Bar", "detail": "192.0.2.1"}]}),
    "payment-methods": (
        ("fetch_payment_methods",),
        {"paymentMethods": [{"code": "upi", "name": "UPI", "method": "wallet"}]},
    ),
    "coupons": (
        ("fetch_coupons",),
        {
            "coupons": [
                {"code": "TEN", "name": "Ten off", "type": "percent", "value": "10", "valid": True, "detail": ""}
            ]
        },
    ),
    "customers?query=alice": (
        ("search_customers", "alice"),
        {
            "customers": [
                {"id": "4", "customer": {"name": "Alice", "phone": "555-1234", "email": ""}, "detail": ""},
            ]
        },
    ),
    "customers/4": (
        ("fetch_customer", "4"),
        {"customer": {"id": "4", "customer": {"name": "Alice", "phone": "", "email": ""}, "detail": ""}},
    ),
    "drivers": (("fetch_drivers",), {"drivers": [{"id": "8", "name": "Rashad", "phone": "", "rawStatus": "free"}]}),
    "delivery-platforms": (
        ("fetch_delivery_platforms",),
        {"deliveryPlatforms": [{"id": "2", "name": "Bolt", "active": True}]},
    ),
    "stock": (
        ("fetch_stock",),
        {
            "stock": [
                {"id": "6", "name": "Rice", "quantity": "12.5", "unit": "kg", "lowBelow": "", "category": ""},
            ]
        },
    ),
    "reports/items?period=weekly": (
        ("fetch_item_report", "weekly", None),
        {
            "items": [
                {
                    "name": "Plov",
                    "quantity": 3,
                    "revenue": {"cents": 5400, "dollars": 54.0, "display": "₼54.00", "currency": "AZN"},
                }
            ]
        },
    ),
    "reports/sales?on=2026-11-18": (
        ("fetch_sales_report", "daily", date(2026, 11, 18)),
        {
            "sales": {
                "period": "daily",
                "orders": 3,
                "revenue": {"cents": 5400, "dollars": 54.0, "display": "₼54.00", "currency": "AZN"},
                "tips": None,
                "tax": None,
            }
        },
    ),
}
WRITES: dict[str, tuple[str, str, dict[str, Any], tuple[Any, ...]]] = {
    "table": ("PATCH", "tables/7", {"status": "free"}, ("set_table_status", "7", "free")),
    "ticket": ("PATCH", "tickets/77", {"status": "ready"}, ("set_ticket_state", "77", "ready")),
    "print": ("POST", "tickets/77/print", {}, ("print_ticket", "77", True)),
    "first print": ("POST", "tickets/77/print", {"again": False}, ("print_ticket", "77", False)),
    "coupon": ("POST", "coupons/validate", {"code": "TEN", "total": 900}, ("validate_coupon", "TEN", 900)),
    "guest": (
        "POST",
        "customers",
        {"name": "Bob", "phone": "1"},
        ("create_customer", Customer(name="Bob", phone="1")),
    ),
    "stock": ("PATCH", "stock/6", {"quantity": 2.50}, ("set_stock", "6", "2.5")),
}


@pytest.mark.parametrize("path", READS)
async def test_a_family_is_read(house: House, path: str) -> None:
    asked, told = READS[path]
    answer = await house.get(f"/stores/demo/pos/{path}")
    assert (answer.status_code, answer.json(), house.till.asked) == (200, told, [asked])


@pytest.mark.parametrize("name", WRITES)
async def test_a_family_is_written(house: House, name: str) -> None:
    method, path, body, asked = WRITES[name]
    answer = await house.ask(method, f"/stores/demo/pos/{path}", body)
    assert (answer.status_code, house.till.asked) == (200, [asked]), answer.text


async def test_something_is_added_to_the_stock(house: House) -> None:
    answer = await house.post("/stores/demo/pos/stock", {"name": "Salt", "quantity": "3.25", "lowBelow": 1})
    assert answer.json() == {
        "item": {"id": "9", "name": "Salt", "quantity": "3.25", "unit": "", "lowBelow": "", "category": ""}
    }
    [(_, item)] = house.till.asked
    assert (item.name, item.quantity, item.low_below) == ("Salt", "3.25", "1")


async def test_capabilities_and_codes_are_known_without_asking(house: House) -> None:
    able = (await house.get("/stores/demo/pos/capabilities")).json()
    assert (able["pos"], able["paused"]) == ("till", None)
    assert set(able["capabilities"]) >= {"fetch_tables", "record_payment", "set_stock"}
    assert (await house.get("/stores/other/pos/capabilities")).json()["capabilities"] == []
    assert (await house.get("/stores/kiosk/pos/capabilities")).json()["pos"] is None
    rows = [CodeRow(code_table="sale_type", code_id="2", name="Delivery")]
    await house.hub.database.write(lambda connection: replace_codes(connection, LINK.id, rows))
    assert (await house.get("/stores/demo/pos/codes")).json() == {
        "codes": [{"codeTable": "sale_type", "codeId": "2", "name": "Delivery", "detail": ""}]
    }
    assert house.till.asked == []


ERRORS: dict[str, tuple[ConnectorError, int, str, str | None]] = {
    "unsupported": (UnsupportedByVendor("till offers no fetch_tables"), 400, "NOT_SUPPORTED_BY_POS", None),
    "rejected": (VendorRejected("till: no such table"), 400, "POS_REJECTED", None),
    "unmapped": (UnmappedValue("no row"), 400, "VALUE_NOT_MAPPED", None),
    "unknown outcome": (OutcomeUnknown("no clear answer"), 409, "OUTCOME_UNKNOWN", None),
    "away": (VendorUnreachable("nobody answers"), 503, "POS_UNREACHABLE", "5"),
    "ill": (VendorUnavailable("502"), 503, "POS_UNREACHABLE", "5"),
    "busy": (VendorRateLimited("slow down", retry_after_seconds=7.2), 503, "POS_RATE_LIMITED", "8"),
    "credentials": (VendorAuthFailed("wrong password"), 503, "POS_AUTH_FAILED", "60"),
    "nonsense": (VendorMalformed("HTML"), 503, "POS_ANSWER_MALFORMED", "5"),
}


@pytest.mark.parametrize("name", ERRORS)
async def test_a_pos_that_does_not_do_it_is_told_as_it_is(house: House, name: str) -> None:
    error, status, code, retry_after = ERRORS[name]
    house.till.error = error
    for method, path, body in (
        ("GET", "/stores/demo/pos/tables", None),
        ("PATCH", "/stores/demo/pos/tables/7", {"status": "free"}),
    ):
        answer = await house.ask(method, path, body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.headers.get("Retry-After") == retry_after
        assert error.message in answer.json()["error"]


async def test_guests_do_not_stay_in_the_trace(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded: list[Call] = []
    monkeypatch.setattr(house.hub.recorder, "record", recorded.append)
    assert (await house.get("/stores/demo/pos/customers?query=alice")).json()["customers"]
    assert (await house.get("/stores/demo/pos/customers/4")).json()["customer"]
    assert [call.operation for call in recorded] == ["search_pos_customers", "get_pos_customer"]
    assert "alice" not in repr(recorded).lower()


@pytest.mark.parametrize("slug", ["other", "kiosk"])
async def test_a_pos_without_the_family_and_a_store_without_a_pos_say_so(house: House, slug: str) -> None:
    paths = [f"/stores/{slug}/pos/{path}" for path in READS]
    answers = [await house.get(path) for path in paths]
    answers += [
        await house.ask(method, f"/stores/{slug}/pos/{path}", body) for method, path, body, _ in WRITES.values()
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(400, "NOT_SUPPORTED_BY_POS")}


async def test_a_paused_link_is_not_asked(house: House) -> None:
    await house.hub.database.write(lambda connection: set_link_paused(connection, LINK.id, "LINK_PAUSED"))
    await house.hub.directory.refresh()
    answer = await house.get("/stores/demo/pos/tables")
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "LINK_PAUSED", "60")
    assert house.till.asked == []


@pytest.mark.parametrize(
    ("key", "method", "path", "status"),
    [
        ("", "GET", "tables", 401),
        ("sk_orders", "GET", "tables", 403),
        ("sk_orders", "GET", "customers?query=a", 403),
        ("sk_read", "PATCH", "tables/7", 403),
        ("sk_read", "POST", "customers", 403),
        ("sk_other", "GET", "tables", 403),
        ("sk_other", "PATCH", "stock/6", 403),
    ],
)
async def test_a_family_needs_scope_and_store(house: House, key: str, method: str, path: str, status: int) -> None:
    body = {"quantity": 1, "name": "A", "status": "free"} if method != "GET" else None
    answer = await house.ask(method, f"/stores/demo/pos/{path}", body, key=key)
    assert answer.status_code == status
    assert house.till.asked == []


def test_every_capability_that_is_no_job_of_the_hub_has_an_address() -> None:
    own = {"find_order", "list_orders", "fetch_menu", "fetch_item_ids", "fetch_codes", "set_item_availability"}
    orders = {"cancel_order", "set_stage", "add_lines", "send_to_kitchen", "record_payment", "refund_payment"}
    orders |= {"apply_discount", "assign_driver", "print_bill", "fetch_payment_state", "save_menu_item"}
    reached = {asked[0] for asked, _ in READS.values()} | {asked[0] for *_, asked in WRITES.values()}
    assert {one.value for one in Capability} - own - orders - {"add_stock_item"} == reached

"""What the restaurant keeps besides orders: guests, platforms, stock, reports, employees; and the settings."""

from datetime import date
from importlib.resources import files
from typing import Any

import httpx
import jsonschema
import pytest

from hub.contract.base import Capability
from hub.contract.families import DeliveryPlatform, ItemSales, SalesReport, StockItem
from hub.contract.registry import installed_connectors
from hub.contract.tables import load_schema, validate
from hub.errors import (
    ConfigurationError,
    OutcomeUnknown,
    UnmappedValue,
    UnsupportedByVendor,
    VendorMalformed,
    VendorRejected,
)
from tests.connectors.desktop_kitchen.linked import CONFIG, LinkedKitchen, refused, sent

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_guests_are_searched_page_by_page() -> None:
    linked = LinkedKitchen()
    page = [{"id": n, "name": f"Ana {n}", "phone": "+525555501234", "email": None} for n in range(200)]
    last = [{"id": "900", "name": "Beto", "phone": None, "email": "b@example.com", "stamps_earned": "11"}, {"id": None}]
    bodies = [{"data": rows, "total": "202", "page": 1, "limit": 200} for rows in (page, last)]
    route = linked.answers("GET", "/loyalty/customers", *bodies)
    found = await linked.connector.search_customers("an & b")
    assert (len(found), found[-1].id, found[-1].customer.email, found[-1].detail) == (
        201,
        "900",
        "b@example.com",
        "11 stamps",
    )
    assert dict(route.calls.last.request.url.params) == {"search": "an & b", "page": "2", "limit": "200"}


async def test_platforms_are_listed_and_their_secrets_recorded_nowhere() -> None:
    linked = LinkedKitchen()
    rows = [
        {"id": 1, "name": "uber_eats", "display_name": "Uber Eats", "webhook_secret": "whs-uber", "active": True},
        {"id": "2", "name": "rappi", "display_name": "", "webhook_secret": "whs-rappi", "active": False},
    ]
    linked.answers("GET", "/delivery/platforms", rows)
    assert await linked.connector.fetch_delivery_platforms() == [
        DeliveryPlatform(id="1", name="Uber Eats"),
        DeliveryPlatform(id="2", name="rappi", active=False),
    ]
    assert "whs-" not in str(linked.sink.calls)


async def test_stock_is_read_added_to_and_set() -> None:
    linked = LinkedKitchen()
    row = {"id": 2, "name": "Carne", "quantity": "20.50", "unit": "kg", "low_stock_threshold": 5, "category": None}
    linked.answers("GET", "/inventory", [row, {"name": "no id"}])
    meat = StockItem(id="2", name="Carne", quantity="20.5", unit="kg", low_below="5")
    assert await linked.connector.fetch_stock() == [meat]
    post = linked.answers("POST", "/inventory", {"id": 9, "name": "Sal"})
    added = await linked.connector.add_stock_item(
        StockItem(id="", name="Sal", quantity="3", unit="kg", low_below="0.5")
    )
    assert (added.id, added.quantity, added.low_below) == ("9", "3", "0.5")
    assert post.calls.last.request.content == b'{"name":"Sal","quantity":3,"unit":"kg","low_stock_threshold":0.5}'
    jsonschema.validate(sent(post), load_schema("desktop_kitchen/stock_item"))
    put = linked.answers("PUT", "/inventory/2", {"id": 2, "quantity": "7.25"})
    await linked.connector.set_stock("2", quantity="7.25")
    assert put.calls.last.request.content == b'{"quantity":7.25}'
    jsonschema.validate(sent(put), load_schema("desktop_kitchen/stock_change"))
    with pytest.raises(UnmappedValue, match="much"):
        await linked.connector.set_stock("2", quantity="much")
    linked.answers("POST", "/inventory", {})
    with pytest.raises(OutcomeUnknown):
        await linked.connector.add_stock_item(StockItem(id="", name="Sal", quantity="3"))


async def test_sales_are_reported_in_exact_amounts() -> None:
    linked = LinkedKitchen()
    body = {
        "period": "daily",
        "startDate": "2026-11-18",
        "order_count": "3",
        "total_revenue": "293.10",
        "avg_ticket": "97.70",
        "tip_total": "10.05",
        "tax_total": 46.9,
    }
    route = linked.answers("GET", "/reports/sales", body)
    report = await linked.connector.fetch_sales_report("daily", date(2026, 11, 18))
    assert report == SalesReport(period="daily", orders=3, revenue_cents=29310, tip_cents=1005, tax_cents=4690)
    assert route.calls.last.request.url.params["period"] == "daily"
    for period, on in (("daily", date(2026, 11, 17)), ("yearly", None)):
        with pytest.raises(UnsupportedByVendor):
            await linked.connector.fetch_sales_report(period, on)


@pytest.mark.parametrize(("paths", "path"), [("served", "/reports/top-items"), ("documented", "/reports/items")])
async def test_best_sellers_are_read_where_the_link_says(paths: str, path: str) -> None:
    linked = LinkedKitchen({**CONFIG, "paths": paths})
    rows: list[Any] = [
        {"item_name": "Taco", "total_quantity": "12", "revenue": "540.00"},
        {"name": "Flan", "quantity": 2},
        {"item_name": "no count"},
    ]
    linked.answers("GET", path, rows)
    assert await linked.connector.fetch_item_report("weekly") == [
        ItemSales(name="Taco", quantity=12, revenue_cents=54000),
        ItemSales(name="Flan", quantity=2),
    ]


async def test_a_path_the_server_does_not_have_answers_html_and_is_malformed() -> None:
    linked = LinkedKitchen({**CONFIG, "paths": "documented"})
    linked.answers("GET", "/reports/items", httpx.Response(200, html="<!doctype html><html></html>"))
    with pytest.raises(VendorMalformed):
        await linked.connector.fetch_item_report("daily")


async def test_an_object_where_a_list_was_due_is_malformed() -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/inventory", {"items": []})
    with pytest.raises(VendorMalformed, match="no list"):
        await linked.connector.fetch_stock()


async def test_a_plan_without_a_feature_is_refused_in_clear_words() -> None:
    linked = LinkedKitchen()
    plan = {"requiredPlan": "pro", "feature": "loyalty", "currentPlan": "free"}
    linked.answers("GET", "/loyalty/customers", refused(403, "PLAN_UPGRADE_REQUIRED", **plan))
    with pytest.raises(
        VendorRejected, match="loyalty needs the plan pro, the restaurant has free; the restaurant must"
    ):
        await linked.connector.search_customers("ana")


async def test_employees_are_listed_for_the_set_up() -> None:
    linked = LinkedKitchen()
    rows = [
        {"id": 1, "name": "Hub", "role": "manager", "active": True},
        {"id": 7, "name": "J", "role": "bar", "active": 0},
    ]
    linked.answers("GET", "/employees", rows)
    codes = await linked.connector.fetch_codes()
    assert [(code.table, code.id, code.name, code.detail) for code in codes] == [
        ("employee", "1", "Hub", "manager"),
        ("employee", "7", "J", "bar, inactive"),
    ]


async def probed(login: Any, employees: list[Any], config: Any = CONFIG) -> dict[str, tuple[bool, str]]:
    linked = LinkedKitchen(config, token="")
    linked.answers("POST", "/employees/login", login)
    linked.answers("GET", "/employees", employees)
    linked.answers("GET", "/menu/items", [])
    linked.answers("GET", "/orders/kitchen/active", httpx.Response(404, html="<html></html>"))
    return {step.name: (step.ok, step.detail) for step in await linked.connector.probe()}


async def test_a_probe_says_what_is_missing() -> None:
    employee = {"id": 4, "token": "eyJ.x.y", "permissions": []}
    steps = await probed(employee, [{"id": 1, "name": "Hub"}], {**CONFIG, "employee_id": 12})
    assert steps["credentials"] == (True, "")
    assert steps["permission"] == (False, "the employee's role lacks pos_access: make it a cashier")
    assert steps["employee"] == (False, "the restaurant has no employee 12")
    assert steps["menu"] == (True, "")
    assert steps["orders"][0] is False


async def test_a_probe_with_a_wrong_pin_stops_there() -> None:
    steps = await probed(refused(401, "Invalid PIN", attemptsRemaining=3), [])
    assert list(steps) == ["credentials"]
    assert "3 attempts remaining" in steps["credentials"][1]


def test_the_families_are_those_the_server_has_something_for() -> None:
    abilities = installed_connectors().get("desktop_kitchen").connector.capabilities
    assert set(Capability) - abilities == {
        Capability.FETCH_ITEM_IDS,
        Capability.FETCH_TABLES,
        Capability.FETCH_TABLE,
        Capability.SET_TABLE_STATUS,
        Capability.SEND_TO_KITCHEN,
        Capability.FETCH_KITCHENS,
        Capability.SET_TICKET_STATE,
        Capability.PRINT_TICKET,
        Capability.PRINT_BILL,
        Capability.FETCH_PRINTERS,
        Capability.APPLY_DISCOUNT,
        Capability.FETCH_COUPONS,
        Capability.VALIDATE_COUPON,
        Capability.FETCH_CUSTOMER,
        Capability.CREATE_CUSTOMER,
        Capability.ASSIGN_DRIVER,
        Capability.FETCH_DRIVERS,
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "https://pos.desktop.kitchen/api/"},
        {"tenant": "two words"},
        {"tenant": ""},
        {"pin": "123"},
        {"employee_id": "7"},
        {"paths": "both"},
        {"cash_payments": "yes"},
        {"payment_methods": {"wallet": "bitcoin"}},
        {"payment_methods": {"cheque": "cash"}},
        {"tenant_by": "subdomain", "base_url": "https://pos.desktop.kitchen/api"},
        {"legacy_employee_header": True},
        {"pni": "123456"},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    schema = installed_connectors().get("desktop_kitchen").config_schema
    validate(dict(CONFIG), schema, where="link")
    with pytest.raises(ConfigurationError):
        validate({**CONFIG, **wrong}, schema, where="link")


def test_a_link_needs_a_pin_or_the_documented_header() -> None:
    schema = installed_connectors().get("desktop_kitchen").config_schema
    validate({"tenant": "x", "legacy_employee_header": True, "employee_id": 3}, schema, where="link")
    validate({**CONFIG, "tenant_by": "subdomain", "base_url": "https://x.desktop.kitchen/api"}, schema, where="link")
    with pytest.raises(ConfigurationError, match="pin"):
        validate({"tenant": "x"}, schema, where="link")


def test_every_limit_names_an_operation_that_is_called_so() -> None:
    limits = installed_connectors().get("desktop_kitchen").manifest.rate_limits
    package = files("connectors.desktop_kitchen")
    source = "".join(package.joinpath(name).read_text("utf-8") for name in ("client.py", "session.py"))
    assert [limit.operation for limit in limits if limit.operation and f'"{limit.operation}"' not in source] == []
    assert {limit.scope for limit in limits if limit.operation != "login"} == {"vendor"}

"""Logging in: once for all who wait, renewed in time, and never again and again with a wrong PIN."""

import asyncio

import httpx
import pytest

from hub.errors import VendorAuthFailed, VendorMalformed, VendorRateLimited, VendorRejected
from hub.model.order import VendorRef
from tests.connectors.desktop_kitchen.linked import (
    CONFIG,
    LINK_ID,
    NOW_MS,
    TOKEN,
    LinkedKitchen,
    login_answer,
    read_back,
    refused,
    sent,
    write,
)

pytestmark = pytest.mark.anyio
HOUR_MS = 3_600_000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_the_first_order_logs_in_and_is_filed_under_the_employee_of_the_pin() -> None:
    linked = LinkedKitchen(token="")
    login, orders = linked.signs_in(), linked.takes_orders()
    await linked.connector.submit_order(write())
    assert sent(login) == {"pin": CONFIG["pin"]}
    request = orders.calls.last.request
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert (request.headers["x-employee-id"], request.headers["x-tenant-id"]) == ("7", "taqueria-el-faro")
    assert sent(orders)["employee_id"] == 7
    assert linked.tokens.tokens[LINK_ID] == (TOKEN, NOW_MS + 24 * HOUR_MS)


async def test_six_orders_at_once_share_one_login() -> None:
    linked = LinkedKitchen(token="")
    login, orders = linked.signs_in(), linked.takes_orders()
    await asyncio.gather(*[linked.connector.submit_order(write()) for _ in range(6)])
    assert (login.call_count, orders.call_count) == (1, 6)


async def test_a_token_is_renewed_after_23_hours_and_not_before() -> None:
    linked = LinkedKitchen()
    login = linked.signs_in(token="eyJ.second.sig")
    linked.takes_orders()
    linked.clock.advance(23 * 3600 - 1)
    await linked.connector.submit_order(write())
    assert login.call_count == 0
    linked.clock.advance(1)
    await linked.connector.submit_order(write())
    assert login.call_count == 1


@pytest.mark.parametrize(
    "answer",
    [
        refused(401, "Token expired"),
        refused(401, "Invalid token"),
        refused(401, "Authentication required"),
        refused(403, "Token does not match this tenant"),
        httpx.Response(401, json={}),
    ],
    ids=["expired", "invalid", "none", "other tenant", "without words"],
)
async def test_a_refused_token_is_renewed_once_and_the_order_sent_again(answer: httpx.Response) -> None:
    linked = LinkedKitchen()
    login = linked.signs_in(token="eyJ.second.sig")
    created = httpx.Response(201, json=read_back())
    orders = linked.answers("POST", "/orders", answer, created)
    result = await linked.connector.submit_order(write())
    assert result.ref == VendorRef(kind="order", id="108")
    assert (login.call_count, orders.call_count) == (1, 2)
    assert orders.calls.last.request.headers["authorization"] == "Bearer eyJ.second.sig"


async def test_a_token_refused_twice_pauses_the_link() -> None:
    linked = LinkedKitchen()
    login = linked.signs_in()
    orders = linked.answers("POST", "/orders", refused(401, "Token expired"))
    with pytest.raises(VendorAuthFailed):
        await linked.connector.submit_order(write())
    assert (login.call_count, orders.call_count) == (1, 2)


async def test_a_wrong_pin_is_sent_once_however_many_orders_wait_and_once_more_after_a_minute() -> None:
    linked = LinkedKitchen(token="")
    login = linked.answers("POST", "/employees/login", refused(401, "Invalid PIN", attemptsRemaining=4))
    for _ in range(5):
        with pytest.raises(VendorAuthFailed) as raised:
            await linked.connector.submit_order(write())
    assert "tried again in 60 s" in raised.value.message
    assert login.call_count == 1
    linked.clock.advance(60)
    with pytest.raises(VendorAuthFailed, match="4 attempts remaining"):
        await linked.connector.submit_order(write())
    assert login.call_count == 2


async def test_waiting_orders_do_not_each_try_a_wrong_pin() -> None:
    linked = LinkedKitchen({**CONFIG, "employee_id": 7}, token="")
    login = linked.answers("POST", "/employees/login", refused(401, "Invalid PIN", attemptsRemaining=4))
    results = await asyncio.gather(*[linked.connector.submit_order(write()) for _ in range(6)], return_exceptions=True)
    assert {type(result) for result in results} == {VendorAuthFailed}
    assert login.call_count == 1


async def test_a_locked_login_is_left_alone_until_it_opens() -> None:
    linked = LinkedKitchen(token="")
    answer = httpx.Response(429, headers={"retry-after": "600"}, json={"error": "Too many", "locked": True})
    login = linked.answers("POST", "/employees/login", answer, login_answer())
    linked.takes_orders()
    waits = []
    for _ in range(2):
        with pytest.raises(VendorRateLimited) as raised:
            await linked.connector.submit_order(write())
        waits.append(raised.value.retry_after_seconds)
        linked.clock.advance(100)
    assert (waits, login.call_count) == ([600, 500], 1)
    linked.clock.advance(400)
    await linked.connector.submit_order(write())
    assert login.call_count == 2


async def test_a_login_without_a_token_or_in_html_is_malformed() -> None:
    for answer in ({"id": 7}, {"token": TOKEN}, httpx.Response(200, html="<html></html>")):
        linked = LinkedKitchen(token="")
        linked.answers("POST", "/employees/login", answer)
        with pytest.raises(VendorMalformed):
            await linked.connector.submit_order(write())


async def test_the_token_and_the_pin_are_in_no_recorded_call() -> None:
    linked = LinkedKitchen(token="")
    linked.signs_in(token="eyJ.just-issued.sig")
    linked.takes_orders()
    await linked.connector.submit_order(write())
    recorded = str(linked.sink.calls)
    assert "eyJ.just-issued.sig" not in recorded and CONFIG["pin"] not in recorded


async def test_reads_need_no_login_and_carry_a_token_only_if_there_is_one() -> None:
    linked = LinkedKitchen(token="")
    login = linked.signs_in()
    shown = linked.answers("GET", "/orders/108", read_back())
    await linked.connector.fetch_order(VendorRef(kind="order", id="108"))
    assert login.call_count == 0
    assert "authorization" not in shown.calls.last.request.headers


async def test_the_documented_header_alone_is_sent_when_the_link_says_so() -> None:
    linked = LinkedKitchen({"tenant": "old", "legacy_employee_header": True, "employee_id": 3}, token="")
    orders = linked.takes_orders()
    await linked.connector.submit_order(write())
    headers = orders.calls.last.request.headers
    assert headers["x-employee-id"] == "3" and "authorization" not in headers
    assert sent(orders)["employee_id"] == 3
    linked.answers("POST", "/orders", refused(401, "Authentication required"))
    with pytest.raises(VendorAuthFailed):
        await linked.connector.submit_order(write())


async def test_a_tenant_by_subdomain_sends_no_header() -> None:
    linked = LinkedKitchen({**CONFIG, "tenant_by": "subdomain"})
    orders = linked.takes_orders()
    await linked.connector.submit_order(write())
    assert "x-tenant-id" not in orders.calls.last.request.headers


async def test_orders_are_filed_under_the_employee_the_link_names() -> None:
    linked = LinkedKitchen({**CONFIG, "employee_id": 12})
    orders = linked.takes_orders()
    await linked.connector.submit_order(write())
    assert sent(orders)["employee_id"] == 12
    assert orders.calls.last.request.headers["x-employee-id"] == "12"


@pytest.mark.parametrize(
    ("answer", "expected", "words"),
    [
        (
            refused(401, "Could not resolve tenant. Check your subdomain or X-Tenant-ID header."),
            VendorAuthFailed,
            "check",
        ),
        (refused(404, "Tenant 'nope' not found"), VendorAuthFailed, "check tenant"),
        (refused(403, "Tenant account is inactive"), VendorAuthFailed, "check tenant"),
        (refused(404, "Employee not found"), VendorAuthFailed, "employee"),
        (refused(403, "Permission denied: pos_access is not granted for role kitchen"), VendorAuthFailed, "role"),
        (refused(403, "Permission denied: process_refunds is not granted for role cashier"), VendorRejected, "role"),
        (
            refused(403, "PLAN_UPGRADE_REQUIRED", requiredPlan="pro", feature="delivery", currentPlan="free"),
            VendorRejected,
            "delivery needs the plan pro, the restaurant has free",
        ),
        (refused(404, "Menu item 99999 not found"), VendorRejected, "sync the menu"),
        (refused(400, "Invalid quantity for item 4. Quantity must be greater than 0."), VendorRejected, "greater"),
    ],
    ids=lambda value: value.json()["error"][:24] if isinstance(value, httpx.Response) else None,
)
async def test_a_refusal_says_what_happens_next_and_costs_no_login(
    answer: httpx.Response, expected: type[Exception], words: str
) -> None:
    linked = LinkedKitchen()
    login = linked.signs_in()
    linked.answers("POST", "/orders", answer)
    with pytest.raises(expected, match=words) as raised:
        await linked.connector.submit_order(write())
    assert type(raised.value) is expected
    assert login.call_count == 0

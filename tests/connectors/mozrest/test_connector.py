"""What is special about telling Mozrest: whose id goes in the address, what 404 and 409 mean, lost walk-ins."""

from typing import Any

import httpx
import pytest

from connectors.mozrest.client import refusal
from connectors.mozrest.settings import read_settings
from hub.contract.writes import Operation, OrderWrite, Replay, Verdict
from hub.errors import (
    ConfigurationError,
    OutcomeUnknown,
    UnsupportedByVendor,
    VendorRejected,
    VendorUnavailable,
)
from hub.model.decimals import decode_json
from hub.model.order import Origin, VendorRef
from hub.model.status import Status
from tests.connectors.mozrest.linked import (
    BASE_URL,
    CONFIG,
    KEY,
    MOZREST_ID,
    NOW_MS,
    ORDER_ID,
    LinkedMozrest,
    check,
    line,
    order,
    write,
)

pytestmark = pytest.mark.anyio

TAKEN = {"id": MOZREST_ID, "status": "open"}
NOT_FOUND = {"error": {"code": 404, "message": "Order not found"}}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def void() -> OrderWrite:
    return write(order(check(line(), status=Status.VOID), status=Status.VOID))


async def test_a_change_goes_to_the_hubs_id_with_the_key() -> None:
    linked = LinkedMozrest()
    route = linked.answers("PUT", f"/venue-1/order/{ORDER_ID}", TAKEN)
    result = await linked.connector.push_changed(write())
    assert result.ref == VendorRef(kind="order", id=MOZREST_ID)
    assert route.calls.last.request.headers["authorization"] == f"Bearer {KEY}"


async def test_the_address_may_go_by_mozrests_id() -> None:
    linked = LinkedMozrest(order_id="mozrest")
    route = linked.answers("PUT", f"/venue-1/order/{MOZREST_ID}/close", TAKEN)
    await linked.connector.push_closed(write())
    await linked.connector.push_closed(write(ref=None))  # as Mozrest named it at the seating
    assert route.call_count == 2


async def test_without_mozrests_id_a_change_that_needs_it_is_refused_here() -> None:
    linked = LinkedMozrest(order_id="mozrest")
    with pytest.raises(VendorRejected, match="Mozrest's id of order DT-001 is not known"):
        await linked.connector.push_changed(write(order(origin=Origin(system="api")), ref=None))
    assert linked.sink.calls == []


async def test_paths_are_settings_and_ids_are_escaped() -> None:
    linked = LinkedMozrest(venue_id="a/b c", path_void="/venues/{venueId}/orders/{orderId}/cancel")
    route = linked.answers("PUT", f"/venues/a%2Fb%20c/orders/{ORDER_ID}/cancel", TAKEN)
    await linked.connector.push_void(void())
    assert route.called


async def test_a_void_order_may_go_out_as_an_update_whose_checks_are_void() -> None:
    linked = LinkedMozrest(void_by="update")
    route = linked.answers("PUT", f"/venue-1/order/{ORDER_ID}", TAKEN)
    await linked.connector.push_void(void())
    body = decode_json(route.calls.last.request.content)
    assert (body["status"], [one["status"] for one in body["checks"]]) == ("closed", ["void"])


@pytest.mark.parametrize(
    ("more", "address"),
    [
        ({"environment": "sandbox"}, "https://api-sandbox.mozrest.com/v1/pos"),
        ({"environment": "production"}, "https://api.mozrest.com/v1/pos"),
        ({"environment": "sandbox", "base_url": BASE_URL}, BASE_URL),
    ],
)
async def test_the_environment_names_the_address(more: dict[str, Any], address: str) -> None:
    linked = LinkedMozrest({**CONFIG, "base_url": "", **more})
    route = linked.router.put(f"{address}/venue-1/order/{ORDER_ID}").mock(return_value=httpx.Response(200, json=TAKEN))
    await linked.connector.push_changed(write())
    assert route.called


async def test_an_order_mozrest_does_not_know_yet_is_told_again_for_five_minutes() -> None:
    linked = LinkedMozrest()
    linked.answers("PUT", f"/venue-1/order/{ORDER_ID}", NOT_FOUND, 404)
    with pytest.raises(VendorUnavailable, match="does not know the order yet"):
        await linked.connector.push_changed(write(order(created_at_ms=NOW_MS - 299_000)))
    with pytest.raises(VendorRejected, match="Mozrest does not know order DT-001; is `order_id` right") as raised:
        await linked.connector.push_changed(write(order(created_at_ms=NOW_MS - 300_000)))
    assert raised.value.reason == "Order not found"


async def test_an_order_that_ended_at_mozrest_is_refused_in_clear_words() -> None:
    linked = LinkedMozrest()
    linked.answers("PUT", f"/venue-1/order/{ORDER_ID}", {"error": {"code": 409, "message": "Order is closed"}}, 409)
    with pytest.raises(VendorRejected, match=r"HTTP 409, Order is closed: for Mozrest order DT-001 has ended"):
        await linked.connector.push_changed(write())


async def test_an_answer_without_an_id_keeps_the_one_that_is_known() -> None:
    linked = LinkedMozrest()
    linked.answers("PUT", f"/venue-1/order/{ORDER_ID}")
    assert (await linked.connector.push_changed(write())).ref == VendorRef(kind="order", id=MOZREST_ID)


async def test_a_walk_in_without_an_id_in_the_answer_is_unclear() -> None:
    linked = LinkedMozrest()
    linked.answers("POST", "/venue-1/order", {"status": "open"})
    with pytest.raises(OutcomeUnknown):
        await linked.connector.push_opened(write(ref=None))


async def test_a_lost_walk_in_is_looked_for_under_our_id() -> None:
    linked = LinkedMozrest()
    rule = linked.connector.write_rule(Operation.PUSH_OPENED)
    assert (rule.replay, rule.look_up, rule.one_at_a_time) == (Replay.KEYED, "find_order", True)
    linked.answers("PUT", f"/venue-1/order/{ORDER_ID}", TAKEN)
    found = await linked.connector.find_order(write(ref=None), since_ms=0)
    assert (found.verdict, found.ref) == (Verdict.FOUND, VendorRef(kind="order", id=MOZREST_ID))
    linked.answers("PUT", f"/venue-1/order/{ORDER_ID}", NOT_FOUND, 404)
    assert (await linked.connector.find_order(write(ref=None), since_ms=0)).verdict is Verdict.ABSENT


async def test_a_lost_walk_in_cannot_be_looked_for_by_an_id_nobody_knows() -> None:
    linked = LinkedMozrest(order_id="mozrest")
    with pytest.raises(UnsupportedByVendor):
        await linked.connector.find_order(write(ref=None), since_ms=0)


@pytest.mark.parametrize(
    ("status", "ok"), [(404, True), (400, True), (200, True), (401, False), (403, False), (500, False)]
)
async def test_a_probe_tells_whether_the_key_is_accepted(status: int, ok: bool) -> None:
    linked = LinkedMozrest()
    linked.answers("PUT", "/venue-1/order/openpos-hub-probe", NOT_FOUND if status >= 400 else {}, status)
    (step,) = await linked.connector.probe()
    assert (step.name, step.ok) == ("API key", ok)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            {
                "error": {
                    "code": 400,
                    "message": "Validation failed",
                    "details": {"checks": [{"checkNumber": ["This value should not be blank."]}]},
                }
            },
            "Validation failed: checks[0].checkNumber: This value should not be blank.",
        ),
        ({"error": {"details": {"a": ["x", "y"], "b": "z"}}}, "no reason given: a: x; a: y; b: z"),
        ({"error": {"message": "no", "details": None}}, "no"),
        ({"error": "maintenance"}, "maintenance"),
        ({"error": None, "id": "1"}, None),
        ({"id": "1"}, None),
        ([], None),
    ],
)
def test_how_mozrest_says_no(body: Any, reason: str | None) -> None:
    assert refusal(body) == reason


def test_a_wrong_setting_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"mozrest link: .*order_id"):
        read_settings({**CONFIG, "order_id": "both"})

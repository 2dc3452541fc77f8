"""Tokens, headers, refusals and lists of the Clopos client."""

from typing import Any

import httpx
import pytest

from connectors.clopos.client import CloposClient
from connectors.clopos.dialect import DIALECTS
from connectors.clopos.settings import read_settings
from hub.errors import (
    ConfigurationError,
    OutcomeUnknown,
    UnmappedValue,
    VendorAuthFailed,
    VendorMalformed,
    VendorRejected,
    VendorUnavailable,
)
from hub.model.decimals import decode_json
from tests.connectors.clopos.linked import KEY, LINK_ID, NOW_MS, SECRET, V1, V2, LinkedClopos, documented

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def client_of(linked: LinkedClopos) -> CloposClient:
    settings = read_settings(linked.context.config)
    return CloposClient(linked.context, settings, DIALECTS[settings.dialect])


def order_for(venue_id: int) -> Any:
    return {"customer_id": 9, "payload": {"service": {"venue_id": venue_id}}}


async def test_v1_signs_in_with_brand_and_venue_and_sends_three_headers() -> None:
    linked = LinkedClopos(token="")
    auth = linked.answers("POST", "/auth", documented("auth_v1"))
    venues = linked.answers("GET", "/venues", documented("venues"))
    await client_of(linked).fetch_venues()
    assert decode_json(auth.calls.last.request.content) == {
        "client_id": "client-1",
        "client_secret": SECRET,
        "brand": "openapitest",
        "venue_id": "1",
    }
    sent = venues.calls.last.request.headers
    assert (sent["x-token"], sent["x-brand"], sent["x-venue"]) == ("oauth_EXAMPLE", "openapitest", "1")
    assert "x-stage" not in sent
    assert linked.tokens.tokens[LINK_ID] == ("oauth_EXAMPLE", NOW_MS + 3_600_000)


async def test_v2_signs_in_with_the_integrator_and_trusts_expires_at() -> None:
    linked = LinkedClopos(V2, token="")
    auth = linked.answers("POST", "/auth", documented("auth_v2"))
    venues = linked.answers("GET", "/venues", documented("venues"))
    await client_of(linked).fetch_venues()
    body = decode_json(auth.calls.last.request.content)
    assert (body["integrator_id"], "venue_id" in body) == ("integrator-1", False)
    assert auth.calls.last.request.url.path == "/open-api/v2/auth"
    assert "x-brand" not in venues.calls.last.request.headers
    assert linked.tokens.tokens[LINK_ID][1] == 1_767_852_332_000


async def test_the_stage_is_sent_only_when_configured() -> None:
    linked = LinkedClopos({**V1, "stage": "beta"})
    venues = linked.answers("GET", "/venues", documented("venues"))
    await client_of(linked).fetch_venues()
    assert venues.calls.last.request.headers["x-stage"] == "beta"


async def test_a_token_is_renewed_two_minutes_before_its_end() -> None:
    linked = LinkedClopos(token="oauth_OLD")
    auth = linked.answers("POST", "/auth", documented("auth_v1"))
    linked.answers("GET", "/venues", documented("venues"))
    client = client_of(linked)
    linked.clock.advance(3600 - 121)
    await client.fetch_venues()
    assert auth.call_count == 0
    linked.clock.advance(1)
    await client.fetch_venues()
    assert auth.call_count == 1


@pytest.mark.parametrize(
    "refusal",
    [
        httpx.Response(401, json={"success": False, "error": "unauthorized", "message": "Invalid token"}),
        httpx.Response(401),
        httpx.Response(200, json={"success": False, "error": "Token expired", "message": "Authentication failed"}),
        httpx.Response(400, json={"success": False, "error": "Invalid token"}),
    ],
)
async def test_a_refused_token_is_renewed_once_and_the_call_repeated_once(refusal: httpx.Response) -> None:
    linked = LinkedClopos(token="oauth_OLD")
    linked.answers("POST", "/auth", documented("auth_v1"))
    taken = httpx.Response(201, json={"success": True, "data": {"id": 108}})
    orders = linked.route("POST", "/orders").mock(side_effect=[refusal, taken])
    assert (await client_of(linked).create_order(order_for(1), idempotency_key=KEY))["id"] == 108
    assert [call.request.headers["x-token"] for call in orders.calls] == ["oauth_OLD", "oauth_EXAMPLE"]
    assert {call.request.headers["idempotency-key"] for call in orders.calls} == {KEY}


async def test_a_token_refused_twice_is_an_authentication_failure() -> None:
    linked = LinkedClopos(token="oauth_OLD")
    linked.answers("POST", "/auth", documented("auth_v1"))
    orders = linked.answers("POST", "/orders", {"success": False, "error": "Token expired"})
    with pytest.raises(VendorAuthFailed):
        await client_of(linked).create_order(order_for(1), idempotency_key=KEY)
    assert orders.call_count == 2


async def test_a_permission_that_is_missing_is_not_tried_again() -> None:
    linked = LinkedClopos()
    orders = linked.answers("POST", "/orders", {"success": False, "error": "no access to module call_center"}, 403)
    with pytest.raises(VendorAuthFailed):
        await client_of(linked).create_order(order_for(1), idempotency_key=KEY)
    assert orders.call_count == 1


async def test_a_test_integrator_at_a_real_brand_is_an_authentication_failure_under_200() -> None:
    linked = LinkedClopos()
    sentence = "Integrator is in test mode. But brand is not in test mode"
    linked.answers("GET", "/venues", {"success": False, "message": "Rejected", "error": sentence})
    with pytest.raises(VendorAuthFailed, match="test mode"):
        await client_of(linked).fetch_venues()


@pytest.mark.parametrize("status", [200, 400, 401])
async def test_wrong_credentials_are_an_authentication_failure_whatever_the_status(status: int) -> None:
    linked = LinkedClopos(token="")
    linked.answers("POST", "/auth", {"success": False, "error": "Client is disabled"}, status)
    with pytest.raises(VendorAuthFailed):
        await client_of(linked).fetch_venues()


async def test_silence_while_signing_in_says_nothing_about_the_order() -> None:
    linked = LinkedClopos(token="")
    auth = linked.route("POST", "/auth").mock(side_effect=httpx.ReadTimeout("silence"))
    with pytest.raises(VendorUnavailable):
        await client_of(linked).create_order(order_for(1), idempotency_key=KEY)
    assert auth.call_count == 3


async def test_an_order_whose_outcome_is_unknown_is_sent_once() -> None:
    linked = LinkedClopos()
    orders = linked.answers("POST", "/orders", {"success": False, "error": "Token expired"}, 504)
    with pytest.raises(OutcomeUnknown):
        await client_of(linked).create_order(order_for(1), idempotency_key=KEY)
    assert orders.call_count == 1


async def test_an_order_for_another_venue_is_refused_before_it_is_sent() -> None:
    linked = LinkedClopos()
    with pytest.raises(UnmappedValue):
        await client_of(linked).create_order(order_for(2), idempotency_key=KEY)
    assert not linked.sink.calls


async def test_issued_tokens_are_hidden_in_what_is_recorded() -> None:
    linked = LinkedClopos(token="")
    linked.answers("POST", "/auth", documented("auth_v1"))
    linked.answers("GET", "/venues", {"success": True, "data": [{"id": 1, "name": "oauth_EXAMPLE"}]})
    await client_of(linked).fetch_venues()
    assert len(linked.sink.calls) == 2
    for call in linked.sink.calls:
        assert "oauth_EXAMPLE" not in repr(call)
        assert SECRET not in repr(call)


def pages(*sizes: int, **envelope: Any) -> list[httpx.Response]:
    """Answers with so many rows each, numbered through."""
    answers, start = [], 0
    for size in sizes:
        rows = [{"id": start + index, "name": "x"} for index in range(1, size + 1)]
        answers.append(httpx.Response(200, json={"success": True, "data": rows, **envelope}))
        start += size
    return answers


@pytest.mark.parametrize(
    ("answers", "rows", "complete"),
    [
        pytest.param(pages(100, 100, 30), 230, True, id="short last page"),
        pytest.param(pages(100, 100, total=200), 200, True, id="total in the envelope"),
        pytest.param(pages(50, 50, 20, pagination={"total": 120}), 120, True, id="total in pagination, smaller pages"),
        pytest.param(pages(100, 0), 100, True, id="empty last page"),
        pytest.param(pages(100, 0, total=150), 100, False, id="fewer than promised"),
        pytest.param([*pages(100), *pages(100)], 100, False, id="the same page again"),
        pytest.param(pages(150), 150, True, id="no paging at all"),
        pytest.param([httpx.Response(200, json=[{"id": 1}])], 1, True, id="a bare list"),
    ],
)
async def test_lists_are_read_to_their_end(answers: list[httpx.Response], rows: int, complete: bool) -> None:
    linked = LinkedClopos()
    linked.route("GET", "/orders").mock(side_effect=answers)
    listing = await client_of(linked).fetch_orders()
    assert (len(listing.rows), listing.complete) == (rows, complete)


async def test_a_list_that_never_ends_is_left_at_the_page_cap() -> None:
    linked = LinkedClopos()

    def endless(request: httpx.Request) -> httpx.Response:
        first = 100 * int(request.url.params["page"])
        return httpx.Response(200, json={"data": [{"id": first + index} for index in range(100)]})

    route = linked.route("GET", "/orders").mock(side_effect=endless)
    listing = await client_of(linked).fetch_orders()
    assert (route.call_count, listing.complete) == (50, False)


@pytest.mark.parametrize("body", [{"success": True, "data": {}}, {"success": True}, [1, 2], None])
async def test_an_answer_without_a_list_is_malformed(body: Any) -> None:
    linked = LinkedClopos()
    linked.answers("GET", "/venues", body)
    with pytest.raises(VendorMalformed):
        await client_of(linked).fetch_venues()


async def test_a_refusal_keeps_the_vendors_reason() -> None:
    linked = LinkedClopos()
    linked.answers("PUT", "/orders/108", documented("errors")[1], 400)
    with pytest.raises(VendorRejected, match="Status is not allowed"):
        await client_of(linked).update_order("108", "READY")


def test_a_link_without_a_brand_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="brand"):
        read_settings({name: value for name, value in V1.items() if name != "brand"})

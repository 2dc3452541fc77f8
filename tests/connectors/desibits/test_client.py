"""The client: the token, lists in pages of any kind, and ids that stay ids."""

from typing import Any

import httpx
import pytest

from connectors.desibits.client import DesibitsClient, next_page
from connectors.desibits.settings import read_settings
from hub.errors import OutcomeUnknown, VendorAuthFailed, VendorMalformed, VendorRejected, VendorUnavailable
from tests.connectors.desibits.linked import CONFIG, SECRET, LinkedDesibits

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def client_of(linked: LinkedDesibits) -> DesibitsClient:
    return DesibitsClient(linked.context, read_settings(CONFIG))


async def test_every_call_carries_the_token() -> None:
    linked = LinkedDesibits()
    route = linked.answers("GET", "/tables", [])
    await client_of(linked).fetch_tables()
    assert route.calls.last.request.headers["authorization"] == f"Bearer {SECRET}"


def page(numbers: list[int], **paging: Any) -> httpx.Response:
    return httpx.Response(200, json={"success": True, "data": [{"id": one} for one in numbers], **paging})


@pytest.mark.parametrize(
    "further",
    [
        {"meta": {"current_page": 1, "last_page": 2}},
        {"pagination": {"current_page": 1, "last_page": 2}},
        {"links": {"next": "https://elsewhere.test/api/v1/pos/orders?page=2"}},
        {"next_page_url": "https://desibits.test/api/v1/pos/orders?page=2"},
    ],
)
async def test_pages_are_read_to_the_end(further: Any) -> None:
    linked = LinkedDesibits()
    last = {"meta": {"current_page": 2, "last_page": 2}, "links": {"next": None}}
    route = linked.route("GET", "/orders").mock(side_effect=[page([3, 2], **further), page([1], **last)])
    listing = await client_of(linked).fetch_orders(date="2026-11-18", status="draft", table_id="5")
    assert ([row["id"] for row in listing.rows], listing.complete) == ([3, 2, 1], True)
    queries = [dict(call.request.url.params) for call in route.calls]
    first = {"date": "2026-11-18", "status": "draft", "table_id": "5"}
    assert queries == [first, {**first, "page": "2"}]
    assert {call.request.url.host for call in route.calls} == {"desibits.test"}


async def test_a_list_with_its_paging_around_the_rows_is_read() -> None:
    linked = LinkedDesibits()
    inner = {"data": [{"id": 1}], "current_page": 1, "last_page": 1, "next_page_url": None}
    linked.answers("GET", "/orders", inner)
    assert (await client_of(linked).fetch_orders(date="2026-11-18")).rows == ({"id": 1},)


async def test_a_server_that_repeats_a_page_is_not_asked_for_ever() -> None:
    linked = LinkedDesibits()
    route = linked.route("GET", "/orders").mock(return_value=page([1], meta={"current_page": 1, "last_page": 9}))
    listing = await client_of(linked).fetch_orders(date="2026-11-18")
    assert (listing.complete, route.call_count) == (False, 2)


async def test_fifty_pages_are_enough() -> None:
    linked = LinkedDesibits()

    def answer(request: httpx.Request) -> httpx.Response:
        number = int(dict(request.url.params).get("page", "1"))
        return page([number], meta={"current_page": number, "last_page": 999})

    route = linked.route("GET", "/orders").mock(side_effect=answer)
    listing = await client_of(linked).fetch_orders(date="2026-11-18")
    assert (listing.complete, route.call_count, len(listing.rows)) == (False, 50, 50)


@pytest.mark.parametrize("data", [None, {}, {"orders": []}, "none", ["one"], 7])
async def test_what_is_no_list_is_malformed(data: Any) -> None:
    linked = LinkedDesibits()
    linked.route("GET", "/tables").mock(return_value=httpx.Response(200, json={"success": True, "data": data}))
    with pytest.raises(VendorMalformed):
        await client_of(linked).fetch_tables()


@pytest.mark.parametrize(
    "answer", [None, [], {"data": []}, {"links": []}, {"meta": {"current_page": 2, "last_page": 2}}]
)
def test_there_is_no_page_after_the_last(answer: Any) -> None:
    assert next_page(answer) is None


@pytest.mark.parametrize("vendor_id", ["", "..", "1/cancel", "1?x=1", "1#x", "%2e%2e", "1 2", "x" * 65])
async def test_an_id_that_leads_elsewhere_is_refused_without_a_call(vendor_id: str) -> None:
    linked = LinkedDesibits()
    with pytest.raises(VendorRejected, match="is no id of Desibits"):
        await client_of(linked).fetch_table(vendor_id)
    assert linked.sink.calls == []


async def test_an_answer_without_an_order_is_malformed() -> None:
    linked = LinkedDesibits()
    linked.answers("GET", "/orders/1", {})
    with pytest.raises(VendorMalformed, match="no order in the answer"):
        await client_of(linked).fetch_order("1")


async def test_a_refused_token_says_so() -> None:
    linked = LinkedDesibits()
    linked.route("GET", "/tables").mock(return_value=httpx.Response(401, json={"message": "Unauthenticated."}))
    with pytest.raises(VendorAuthFailed, match=r"HTTP 401, Unauthenticated\."):
        await client_of(linked).fetch_tables()


async def test_silence_is_a_riddle_only_where_repeating_does_harm() -> None:
    linked = LinkedDesibits()
    linked.route("POST", ".*").mock(side_effect=httpx.ReadTimeout("silence"))
    linked.route("PUT", ".*").mock(side_effect=httpx.ReadTimeout("silence"))
    client = client_of(linked)
    body: Any = {}
    for write in (
        client.create_order(body),
        client.create_ticket("1"),
        client.create_payment("1", body),
        client.split_payment("1", body),
        client.apply_discount("1", body),
        client.print_ticket("1", again=False),
        client.print_bill("1", invoice=False),
        client.create_customer(body),
    ):
        with pytest.raises(OutcomeUnknown):
            await write
    for write in (
        client.update_order("1", {"notes": "x"}),
        client.set_order_status("1", "kot"),
        client.cancel_order("1", "x"),
        client.set_ticket_status("1", "served"),
        client.set_delivery_status("1", "delivered"),
        client.assign_driver("1", 2),
        client.set_table_status("1", "available"),
        client.create_customer(body, looked_first=True),
    ):
        with pytest.raises(VendorUnavailable):
            await write

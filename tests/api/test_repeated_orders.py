"""What an agent may repeat, and in which words, without a second order."""

from typing import Any

import pytest

from tests.api.agents import call, used
from tests.api.house import House
from tests.database.stored import PLOV, VENUE

pytestmark = pytest.mark.anyio
WANTED = {"storeSlug": "kiosk", "items": [{"itemId": PLOV.id}, {"itemId": PLOV.id, "notes": "hot"}]}
ORDER: dict[str, Any] = {**WANTED, "orderType": "delivery", "customer": {"name": "Zoe"}, "notes": "ring twice"}
OTHER_WORDS: dict[str, Any] = {
    **ORDER,
    "items": WANTED["items"][::-1],
    "customer": {"name": "Zoë", "phone": "+994 50 111 22 33"},
    "notes": "please ring two times",
}


async def test_a_quote_in_other_words_is_the_same_order(house: House) -> None:
    quote = {"quoteId": (await used(house, "quote_order", **ORDER))["quote"]["id"]}
    more = (
        {},
        {"notes": "please ring two times"},
        {"customer": {"name": "Zoë"}, "idempotencyKey": "again"},
        {"deliveryAddress": "1 Main Street", "partySize": 2, "storeSlug": "kiosk"},
        {"tableNumber": "7", "idempotencyKey": "and-again"},
    )
    orders = [(await used(house, "create_order", **quote, **words))["order"] for words in more]
    assert {order["id"] for order in orders} == {orders[0]["id"]}
    assert {order["customer"]["name"] for order in orders} == {"Zoe"}
    assert (await house.counts())["orders"] == 1


@pytest.mark.parametrize(
    ("named", "code"), [({"idempotencyKey": "a"}, "KEY_REUSED"), ({"externalId": "a"}, "ORIGIN_REUSED")]
)
async def test_a_key_in_other_words_is_refused_and_the_agent_told_to_look(
    house: House, named: dict[str, str], code: str
) -> None:
    first, again = [(await used(house, "create_order", **ORDER, **named))["order"] for _ in range(2)]
    assert first == again
    refused = await call(house, "create_order", OTHER_WORDS | named)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert (await house.counts())["orders"] == 1


async def test_null_for_what_is_not_there_is_the_same_order_over_rest_and_for_agents(house: House) -> None:
    nulls = {"externalId": None, "deliveryAddress": None, "tables": None, "tableNumber": None, "discount": None}
    items = [{"itemId": PLOV.id, "quantity": None, "modifiers": None, "notes": None}, ORDER["items"][1]]
    unsaid = {**ORDER, **nulls, "customer": {"name": "Zoe", "phone": None, "email": None}, "items": items}
    first = await house.post("/orders", ORDER, idempotency_key="a")
    again = await house.post("/orders", unsaid, idempotency_key="a")
    assert (first.status_code, again.status_code, again.headers["Idempotent-Replayed"]) == (201, 201, "true")
    assert first.json() == again.json()
    for_agents = [(await used(house, "create_order", **said, idempotencyKey="b"))["order"] for said in (ORDER, unsaid)]
    assert for_agents[0] == for_agents[1]
    assert (await house.counts())["orders"] == 2


async def test_without_a_quote_or_a_key_each_call_is_a_new_order_and_the_tool_says_so(house: House) -> None:
    for _ in range(2):
        await used(house, "create_order", **ORDER)
    assert (await house.counts())["orders"] == 2
    listed = (await house.client.get("/api/mcp")).json()["tools"]
    described = next(tool["description"] for tool in listed if tool["name"] == "create_order")
    assert "without either, each call is a new order" in described


async def test_a_guest_s_words_about_an_item_are_not_for_everybody(house: House) -> None:
    order = (await used(house, "create_order", **OTHER_WORDS))["order"]
    assert [line["notes"] for line in order["items"]] == ["hot", ""]
    shown = (await house.get(f"/orders/{order['orderNumber']}", key="")).json()["order"]
    assert [line["notes"] for line in shown["items"]] == ["", ""]


@pytest.mark.parametrize("store", [VENUE.slug, "kiosk"])
async def test_a_repeated_order_is_answered_as_at_first_though_it_changed_since(house: House, store: str) -> None:
    body = {"storeSlug": store, "items": [{"itemId": PLOV.id}], "orderType": "dine_in", "customer": {"name": "Zoe"}}
    first = await house.post("/orders", body, idempotency_key="a")
    order_id = first.json()["order"]["id"]
    for path, change in (
        ("items", {"items": [{"itemId": PLOV.id, "quantity": 2}]}),
        ("cancel", {"reason": "the guest went home"}),
    ):
        answer = await house.post(f"/orders/{order_id}/{path}", change)
        assert answer.status_code in (200, 202), answer.text
        again = await house.post("/orders", body, idempotency_key="a")
        assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
        assert again.content == first.content
    now = (await house.get(f"/orders/{order_id}")).json()["order"]
    assert now != first.json()["order"]

"""A store that is not there is told by the field that named it, unless it stands in the path."""

from typing import Any

import pytest

from tests.api.house import House
from tests.database.stored import PLOV

pytestmark = pytest.mark.anyio
ITEMS: dict[str, Any] = {"items": [{"itemId": PLOV.id}], "orderType": "pickup"}
BODIES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/orders", ITEMS),
    ("POST", "/quotes", ITEMS),
    ("POST", "/reservations", {"partySize": 2, "startsAt": "2036-02-09T19:30:00Z", "customer": {"name": "Alice"}}),
    ("POST", "/waitlist", {"partySize": 2, "customer": {"name": "Alice"}}),
    ("POST", "/campaigns", {"name": "Spring", "segment": "new"}),
    ("POST", "/webhooks", {"url": "https://127.0.0.1:9/hook"}),
    ("PATCH", f"/menu/items/{PLOV.id}", {"available": True}),
]


@pytest.mark.parametrize("field", ["storeSlug", "locationId"])
@pytest.mark.parametrize(("method", "path", "body"), BODIES, ids=[path for _, path, _ in BODIES])
async def test_an_unknown_store_in_a_body_is_told_by_its_field(
    shared_house: House, method: str, path: str, body: dict[str, Any], field: str
) -> None:
    answer = await shared_house.ask(method, path, body | {field: "nowhere"})
    assert answer.status_code == 404
    assert answer.json() == {"error": "there is no store 'nowhere'", "code": "NOT_FOUND", "field": field}


@pytest.mark.parametrize("path", ["/waitlist", "/tables", "/reservations"])
async def test_an_unknown_store_in_a_query_is_told_by_its_parameter(shared_house: House, path: str) -> None:
    answer = await shared_house.get(f"{path}?locationId=nowhere")
    assert (answer.status_code, answer.json()["field"]) == (404, "locationId")


async def test_an_unknown_store_beside_a_quote_is_told_by_its_field(shared_house: House) -> None:
    quote = (await shared_house.post("/quotes", ITEMS | {"storeSlug": "kiosk"})).json()["quote"]
    answer = await shared_house.post("/orders", {"quoteId": quote["id"], "storeSlug": "nowhere"})
    assert (answer.status_code, answer.json()["field"]) == (404, "storeSlug")


async def test_an_unknown_store_in_the_path_is_no_field(shared_house: House) -> None:
    answer = await shared_house.get("/stores/nowhere")
    assert answer.json() == {"error": "there is no store 'nowhere'", "code": "NOT_FOUND"}

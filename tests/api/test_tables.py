"""The tables of a store over the API: what they are called, whether they are free, and who sits there."""

import pytest

from tests.api.house import House
from tests.database.stored import PLOV

pytestmark = pytest.mark.anyio


async def test_tables_are_free_until_somebody_sits_there(house: House) -> None:
    await house.hub.catalogs.sync(house.hub.directory.link("demo").id)
    first = (await house.get("/tables?storeSlug=demo", key="sk_read")).json()
    assert first["storeSlug"] == "demo"
    assert [(table["name"], table["status"], table["order"]) for table in first["tables"]][:1] == [("7A", "free", None)]
    body = {"storeSlug": "demo", "items": [{"itemId": PLOV.id}], "orderType": "dine_in", "tables": [" 7a"]}
    order = (await house.post("/orders", body | {"partySize": 2})).json()["order"]
    [table, *_] = (await house.get("/tables?storeSlug=demo")).json()["tables"]
    assert (table["id"], table["status"]) == (first["tables"][0]["id"], "occupied")
    sitting = table["order"]
    assert (sitting["id"], sitting["orderNumber"], sitting["partySize"]) == (order["id"], order["orderNumber"], 2)


async def test_a_store_must_be_named_and_reachable(house: House) -> None:
    assert (await house.get("/tables")).json()["field"] == "storeSlug"
    answers = [await house.get("/tables?storeSlug=demo", key=key) for key in ("", "sk_orders", "sk_other")]
    assert [answer.status_code for answer in answers] == [401, 403, 403]
    assert (await house.get("/tables?storeSlug=kiosk")).json()["tables"] == []

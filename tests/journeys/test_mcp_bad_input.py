"""Arguments, bodies and callers that make no sense to a tool: a clear answer each time, and nothing is kept."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.journeys.agents import call, handshake, modern, short
from tests.journeys.conftest import POSTGRES, SQLITE, NewStage
from tests.journeys.site import READ_KEY, bearer
from tests.journeys.test_limits import begin_a_minute, limited
from tests.journeys.test_mcp import TOOLS, Kiosk

KEPT = ("orders", "order_events", "deliveries", "idempotency_keys", "quotes", "sold_out", "availability_pushes")
NONSENSE: list[Any] = [
    {"storeSlug": 1, "orderId": 1, "itemId": 1, "items": 1, "search": 1},
    {"storeSlug": None, "orderId": None, "locationId": None, "search": None},
    {"storeSlug": "kiosk\x00", "orderId": "DT-001\x00", "itemId": "\x00", "search": "\x00"},
    {"storeSlug": "x" * 5000, "orderId": "x" * 5000, "itemId": "x", "search": "x" * 5000},
    {"storeSlug": ["kiosk"], "orderId": {}, "itemId": [], "search": {}},
    {"no_such_argument": True},
    {"storeSlug": "nowhere", "orderId": "XX-999", "itemId": "item_0", "items": [], "search": 0},
    {"storeSlug": "' OR 1=1 --", "orderId": "'; DROP TABLE orders; --", "itemId": "item_0", "limit": -1},
]


@pytest.fixture(scope="module", params=[SQLITE, POSTGRES])
def kiosk(request: pytest.FixtureRequest, new_shared_stage: NewStage) -> Iterator[Kiosk]:
    stage = new_shared_stage(request.param)
    kiosk = Kiosk(stage.site)
    yield kiosk
    assert "Traceback" not in kiosk.site.logs()
    stage.close()


@pytest.fixture(autouse=True)
def nothing_is_kept(kiosk: Kiosk) -> Iterator[None]:
    before = [kiosk.site.count(table) for table in KEPT]
    yield
    assert [kiosk.site.count(table) for table in KEPT] == before
    assert kiosk.server.client.get("/health").json() == {"status": "ok"}


@pytest.mark.parametrize("tool", TOOLS)
def test_nonsense_is_a_result_that_names_what_is_wrong(kiosk: Kiosk, tool: str) -> None:
    for arguments in NONSENSE:
        for ask in (handshake, modern):
            answer = ask(kiosk.server, "tools/call", call(tool, arguments))
            assert answer.status_code == 200, (arguments, answer.text)
            result = answer.json()["result"]
            assert result["isError"] is True, (arguments, answer.text)
            assert len(result["content"][0]["text"]) > 10
        spoken = short(kiosk.server, "tools/call", call(tool, arguments))
        assert spoken.status_code in (400, 404), (arguments, spoken.text)
        assert spoken.json()["error"]


@pytest.mark.parametrize("tool", TOOLS)
def test_arguments_are_an_object(kiosk: Kiosk, tool: str) -> None:
    for arguments in ([], "text", 1, True, [{}]):
        spoken = short(kiosk.server, "tools/call", call(tool, arguments))
        if arguments == []:
            assert spoken.status_code in (200, 400)
        else:
            assert spoken.status_code == 400, (arguments, spoken.text)
        for ask in (handshake, modern):
            answer = ask(kiosk.server, "tools/call", call(tool, arguments))
            assert answer.status_code in (200, 400)
            assert "error" in answer.json() or answer.json()["result"]["isError"], (arguments, answer.text)


def test_arguments_that_are_needed_are_missed_by_name(kiosk: Kiosk) -> None:
    listed = handshake(kiosk.server, "tools/list").json()["result"]["tools"]
    needing = {tool["name"]: tool["inputSchema"]["required"] for tool in listed if tool["inputSchema"].get("required")}
    assert needing["get_pos_table"] == ["tableId"]
    assert len(needing) > len(TOOLS) // 2
    for tool, needed in needing.items():
        for parameters in ({"name": tool}, {"name": tool, "arguments": {}}):
            answer = handshake(kiosk.server, "tools/call", parameters)
            assert answer.json()["result"]["isError"] is True
            words = answer.json()["result"]["content"][0]["text"]
            assert any(name in words for name in needed), (tool, words)


@pytest.mark.parametrize("parameters", [None, [], "x", 1, {}, {"name": 1}, {"name": None}, {"name": "x\x00"}])
def test_a_call_of_nothing_is_refused(kiosk: Kiosk, parameters: Any) -> None:
    assert short(kiosk.server, "tools/call", parameters).status_code in (400, 404)
    for ask in (handshake,):
        answer = ask(kiosk.server, "tools/call", parameters)
        assert "error" in answer.json(), answer.text


def test_deep_json_and_huge_bodies_are_refused(kiosk: Kiosk) -> None:
    deep = '{"storeSlug": ' + "[" * 50_000 + "]" * 50_000 + "}"
    for head in ("", '"jsonrpc": "2.0", "id": 1, '):
        body = f'{{{head}"method": "tools/call", "params": {{"name": "create_order", "arguments": {deep}}}}}'
        answer = kiosk.server.client.post("/api/mcp", content=body, headers=bearer())
        assert answer.status_code == 400, answer.text
    huge = {"method": "tools/call", "params": call("create_order", {"notes": "x" * 300_000})}
    for body_ in (huge, {"jsonrpc": "2.0", "id": 1, **huge}):
        answer = kiosk.server.client.post("/api/mcp", json=body_, headers=bearer())
        assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")
    endless = '{"jsonrpc": "2.0", "id": ' + "9" * 50_000 + ', "method": "tools/list"}'
    assert kiosk.server.client.post("/api/mcp", content=endless, headers=bearer()).status_code == 400


def test_a_quote_of_somebody_else_is_not_found(kiosk: Kiosk) -> None:
    quote_id = "quote_" + "0" * 32
    answer = handshake(kiosk.server, "tools/call", call("create_order", {"quoteId": quote_id}))
    assert "Call quote_order again" in answer.json()["result"]["content"][0]["text"]
    answer = short(kiosk.server, "tools/call", call("create_order", {"quoteId": quote_id, "orderType": "pickup"}))
    assert answer.status_code == 400
    assert "leave it out" in answer.json()["error"]


def test_over_the_limit_each_form_hears_it_in_its_own_way(new_stage: NewStage, kiosk: Kiosk) -> None:
    site = limited(new_stage())
    server = site.serve()
    begin_a_minute(site)
    while server.client.get("/api/v1/stores", headers=bearer(READ_KEY)).status_code == 200:
        pass
    spoken = short(server, "tools/list", key=READ_KEY)
    assert (spoken.status_code, spoken.json()["code"]) == (429, "TOO_MANY_REQUESTS")
    older = handshake(server, "tools/call", call("get_stores", {}), key=READ_KEY)
    assert (older.status_code, older.json()["result"]["isError"]) == (200, True)
    assert "Repeat the same call after" in older.text
    assert handshake(server, "tools/list", key=READ_KEY).status_code == 429
    newer = modern(server, "tools/call", call("get_stores", {}), key=READ_KEY)
    assert (newer.status_code, newer.json()["error"]["code"]) == (429, -31403)
    for answer in (spoken, newer):
        assert int(answer.headers["Retry-After"]) > 0
    for answer in (spoken, older, newer):
        assert answer.headers["X-RateLimit-Remaining"] == "0"
    assert "Retry-After" not in older.headers

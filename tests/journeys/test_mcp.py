"""AI agents at `/api/mcp`: real clients of both generations, the commands of the OpenPOS page, and the protocol."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from mcp.client import Client

from tests.journeys.agents import MODERN, MODES, call, converse, handshake, modern, short
from tests.journeys.conftest import NewStage
from tests.journeys.raw_http import exchange, post
from tests.journeys.running import wait_for
from tests.journeys.site import KEY, READ_KEY, Server, Site, bearer, key
from tests.journeys.test_limits import KIOSK, OTHER
from tests.journeys.tool_names import TOOLS

BOUND_KEY = "sk_journeys-bound-key-0123456789abcdef"
PRACTICE = (
    KIOSK.replace("kiosk", "practice")
    .replace('"KI"', '"PR"')
    .replace("[[venues.menu.categories]]", "[venues.policies]\npractice = true\n[[venues.menu.categories]]")
)
OF_THE_PAGE = {"get_stores", "get_store_info", "get_menu", "create_order", "get_order", "86_item", "un86_item"}
LIST_TOOLS = r"""curl -X POST https://your-domain.com/api/mcp \
-H "Authorization: Bearer sk_abc123..." \
-H "Content-Type: application/json" \
-d '{ "method": "tools/list" }'"""
CALL_TOOL = r"""curl -X POST https://your-domain.com/api/mcp \
-H "Authorization: Bearer sk_abc123..." \
-H "Content-Type: application/json" \
-d '{
"method": "tools/call",
"params": {
"name": "get_menu",
"arguments": { "storeSlug": "demo-restaurant" }
}
}'"""
DISCOVER = "curl https://your-domain.com/api/mcp"


class Kiosk:
    """A hub with three stores without a POS, one of them to practise at."""

    def __init__(self, site: Site) -> None:
        self.site = site
        site.environment_more = {"BOUND_KEY": BOUND_KEY}
        demo = KIOSK.replace("kiosk", "demo-restaurant").replace('"KI"', '"DT"')
        site.apply(demo, KIOSK, OTHER, PRACTICE, key("bound", "BOUND_KEY", ["read", "write"], "other"))
        self.server: Server = site.serve()
        menu = self.server.client.get("/api/v1/stores/kiosk/menu").json()["menu"]
        self.item: str = menu["categories"][0]["items"][0]["id"]
        self.wanted = {"storeSlug": "kiosk", "items": [{"itemId": self.item}], "orderType": "pickup"}

    def paste(self, command: str) -> Any:
        """Runs a command of the page in a shell, with host and key replaced."""
        filled = command.replace("https://your-domain.com", self.server.url).replace("sk_abc123...", KEY)
        done = subprocess.run(["sh", "-c", filled], capture_output=True, check=True, timeout=30)
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def kiosk(new_shared_stage: NewStage) -> Iterator[Kiosk]:
    kiosk = Kiosk(new_shared_stage().site)
    yield kiosk
    assert "Traceback" not in kiosk.site.logs()


def test_the_commands_of_the_page_work_when_pasted(kiosk: Kiosk) -> None:
    listed = kiosk.paste(LIST_TOOLS)["tools"]
    assert [tool["name"] for tool in listed] == TOOLS
    called = kiosk.paste(CALL_TOOL)
    assert called["isError"] is False
    assert called["structuredContent"]["menu"]["storeSlug"] == "demo-restaurant"
    discovered = kiosk.paste(DISCOVER)
    assert [tool["name"] for tool in discovered["tools"]] == TOOLS
    page = {tool["name"]: tool["access"] for tool in discovered["tools"] if tool["name"] in OF_THE_PAGE}
    reads = {name for name, access in page.items() if access == "read"}
    assert reads == {"get_stores", "get_store_info", "get_menu", "get_order"}
    assert {name for name, access in page.items() if access == "write"} == {"create_order", "86_item", "un86_item"}


@pytest.mark.parametrize("mode", MODES)
def test_a_real_client_lists_quotes_orders_and_looks(kiosk: Kiosk, mode: str) -> None:
    before = kiosk.site.count("orders")

    async def talk(client: Client) -> None:
        assert [tool.name for tool in (await client.list_tools()).tools] == TOOLS
        shapes = {tool.name: tool.output_schema for tool in (await client.list_tools()).tools}

        async def use(name: str, **arguments: Any) -> dict[str, Any]:
            result = await client.call_tool(name, arguments)
            assert not result.is_error, result
            structured: dict[str, Any] = result.structured_content
            assert json.loads(result.content[0].text) == structured  # type: ignore[union-attr]
            shape = shapes[name]
            assert shape is not None
            jsonschema.validate(structured, shape)
            return structured

        found = await use("search_stores", search="KIOSK practice")
        assert [store["slug"] for store in found["stores"]] == ["practice"]
        assert len((await use("get_stores"))["stores"]) == 4
        assert (await use("get_store_info", storeSlug="kiosk"))["store"]["timezone"] == "UTC"
        context = await use("get_store_context", storeSlug="kiosk")
        item = context["menu"]["categories"][0]["items"][0]["id"]
        assert (await use("get_menu", storeSlug="kiosk", category="drinks", inStock=True))["menu"]["categories"]
        quote = (await use("quote_order", **kiosk.wanted))["quote"]
        assert quote["total"]["cents"] == 150
        first = (await use("create_order", quoteId=quote["id"], customer={"name": "Alice"}))["order"]
        again = (await use("create_order", quoteId=quote["id"], customer={"name": "Alice"}))["order"]
        assert first["id"] == again["id"]
        assert (await use("get_order", orderId=first["orderNumber"]))["order"]["customer"]["name"] == "Alice"
        traced = await use("trace_order", orderId=first["id"])
        assert [entry["kind"] for entry in traced["entries"]] == ["order.placed"]
        assert (await use("explain_failure", orderId=first["id"]))["failed"] is False
        for _ in range(2):
            cancelled = await use("cancel_order", orderId=first["id"], reason="changed their mind")
            assert (cancelled["hub"], cancelled["pos"]) == ("applied", "no_pos")
            assert cancelled["order"]["status"] == "cancelled"
        assert (await use("explain_failure", orderId=first["id"]))["failed"] is True
        assert (await use("86_item", locationId="kiosk", itemId=item))["available"] is False
        refused = await client.call_tool("create_order", kiosk.wanted)
        assert refused.is_error
        assert "'Tea' is sold out. Offer the guest something else" in refused.content[0].text  # type: ignore[union-attr]
        answer = await use("un86_item", locationId="kiosk", itemId=item)
        assert (answer["hub"], answer["pos"], answer["available"]) == ("applied", "not_supported", True)

    converse(kiosk.server, mode, talk)
    assert kiosk.site.count("orders") == before + 1


@pytest.mark.parametrize("mode", MODES)
def test_a_refusal_leaves_the_client_usable(kiosk: Kiosk, mode: str) -> None:
    async def talk(client: Client) -> None:
        if mode == "legacy":
            refused = await client.call_tool("create_order", kiosk.wanted)
            assert refused.is_error
            assert "create_order needs orders:write" in refused.content[0].text  # type: ignore[union-attr]
        else:
            with pytest.raises(Exception, match="create_order needs orders:write"):
                await client.call_tool("create_order", kiosk.wanted)
        assert not (await client.call_tool("get_stores", {})).is_error

    before = kiosk.site.counts()
    converse(kiosk.server, mode, talk, READ_KEY)
    assert kiosk.site.counts() == before


def test_a_key_that_only_reads_is_refused_in_each_form_and_nothing_is_kept(kiosk: Kiosk) -> None:
    before = kiosk.site.counts()
    for name, arguments in (("create_order", kiosk.wanted), ("86_item", {"locationId": "kiosk", "itemId": kiosk.item})):
        scope = "orders:write" if name == "create_order" else "menu:write"
        spoken = short(kiosk.server, "tools/call", call(name, arguments), READ_KEY)
        assert (spoken.status_code, spoken.json()["code"]) == (403, "SCOPE_MISSING")
        older = handshake(kiosk.server, "tools/call", call(name, arguments), READ_KEY)
        assert (older.status_code, older.json()["result"]["isError"]) == (200, True)
        newer = modern(kiosk.server, "tools/call", call(name, arguments), key=READ_KEY)
        assert (newer.status_code, newer.json()["id"], newer.json()["error"]["code"]) == (403, "m-1", -31403)
        for answer in (spoken, newer):
            assert f'error="insufficient_scope", scope="{scope}"' in answer.headers["WWW-Authenticate"]
    assert kiosk.site.counts() == before
    assert kiosk.server.client.get("/api/v1/stores/kiosk/menu?inStock=true").json()["menu"]["categories"]


@pytest.mark.parametrize("authorization", [None, "Basic eA==", "Bearer", "Bearer sk_unknown"])
@pytest.mark.parametrize("body", [{"method": "tools/list"}, {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, b"{"])
def test_without_a_working_key_nothing_is_even_read(kiosk: Kiosk, authorization: str | None, body: Any) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = kiosk.server.client.post("/api/mcp", content=content, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, "Missing or invalid API key")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_key_of_one_store_sees_and_orders_there_only(kiosk: Kiosk) -> None:
    listed = short(kiosk.server, "tools/call", call("get_stores", {}), BOUND_KEY).json()["structuredContent"]
    assert [store["slug"] for store in listed["stores"]] == ["other"]
    for name, arguments in (("get_menu", {"storeSlug": "kiosk"}), ("create_order", kiosk.wanted)):
        refused = short(kiosk.server, "tools/call", call(name, arguments), BOUND_KEY)
        assert refused.status_code == 403
        assert "location access" in refused.json()["error"]
    placed = kiosk.server.placed(kiosk.wanted)
    answer = handshake(kiosk.server, "tools/call", call("get_order", {"orderId": placed["id"]}), BOUND_KEY)
    assert answer.json()["result"]["isError"] is True
    assert "location access" in answer.text


def test_get_is_discovery_and_streams_and_sessions_are_not_there(kiosk: Kiosk) -> None:
    client = kiosk.server.client
    found = client.get("/api/mcp", headers={"Accept": "application/json"})
    assert (found.status_code, found.headers["Content-Type"]) == (200, "application/json")
    by_short_form = short(kiosk.server, "tools/list").json()["tools"]
    strip = ("access", "scope")
    assert [{k: v for k, v in tool.items() if k not in strip} for tool in found.json()["tools"]] == by_short_form
    for headers in ({"Accept": "text/event-stream"}, {"MCP-Protocol-Version": MODERN}, {"Last-Event-ID": "1"}):
        answer = client.get("/api/mcp", headers=headers)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")
    assert client.delete("/api/mcp", headers=bearer()).status_code == 405


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "1999-01-01"])
def test_the_older_generation_shakes_hands(kiosk: Kiosk, version: str) -> None:
    params = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    answer = handshake(kiosk.server, "initialize", params)
    result = answer.json()["result"]
    assert result["protocolVersion"] == ("2025-11-25" if version == "1999-01-01" else version)
    assert (result["serverInfo"]["name"], "tools" in result["capabilities"]) == ("openpos-hub", True)
    assert "quote_order" in result["instructions"]
    assert "mcp-session-id" not in answer.headers


def test_the_newer_generation_discovers(kiosk: Kiosk) -> None:
    result = modern(kiosk.server, "server/discover").json()["result"]
    assert result["supportedVersions"] == [MODERN]
    assert (result["resultType"], result["cacheScope"], result["ttlMs"]) == ("complete", "public", 300_000)
    listed = modern(kiosk.server, "tools/list").json()["result"]
    assert (listed["cacheScope"], [tool["name"] for tool in listed["tools"]]) == ("public", TOOLS)


def test_a_message_without_an_id_does_nothing_and_is_not_counted(kiosk: Kiosk) -> None:
    before = kiosk.site.counts()
    left = int(kiosk.server.client.get("/api/mcp", headers=bearer()).headers["X-RateLimit-Remaining"])
    body = {"jsonrpc": "2.0", "method": "tools/call", "params": call("create_order", kiosk.wanted)}
    for version in ({}, {"MCP-Protocol-Version": "2025-06-18"}, {"MCP-Protocol-Version": MODERN}):
        answer = kiosk.server.client.post("/api/mcp", json=body, headers=bearer() | version)
        assert (answer.status_code, answer.content) == (202, b"")
        assert int(answer.headers["X-RateLimit-Remaining"]) == left
    assert kiosk.site.counts() == before


@pytest.mark.parametrize("message_id", ["a", 0, -1, 2**53 - 1])
def test_an_id_comes_back_as_it_was(kiosk: Kiosk, message_id: str | int) -> None:
    answer = kiosk.server.client.post(
        "/api/mcp", json={"jsonrpc": "2.0", "id": message_id, "method": "ping"}, headers=bearer()
    )
    assert answer.json() == {"jsonrpc": "2.0", "id": message_id, "result": {}}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"jsonrpc": "2.0", "id": null, "method": "tools/list"}', -32600),
        (b'{"jsonrpc": "2.0", "id": true, "method": "tools/list"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1.5, "method": "tools/list"}', -32600),
        (b'{"jsonrpc": "2.0", "id": {}, "method": "tools/list"}', -32600),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "tools/list"}', -32600),
        (b'[{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}]', -32600),
        (b"[]", -32600),
        (b"1", -32600),
        (b"null", -32600),
        (b"{", -32700),
        (b"", -32700),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "\xff"}', -32700),
        (b"[" * 100_000, -32700),
    ],
)
def test_what_is_no_message_is_an_error_of_the_protocol(kiosk: Kiosk, body: bytes, code: int) -> None:
    answer = kiosk.server.client.post("/api/mcp", content=body, headers=bearer())
    assert (answer.status_code, answer.json()["id"], answer.json()["error"]["code"]) == (400, None, code)


@pytest.mark.parametrize(
    ("headers", "meta", "status", "code"),
    [
        ({"MCP-Protocol-Version": ""}, {}, 400, -32020),
        ({"Mcp-Method": ""}, {}, 400, -32020),
        ({"Mcp-Method": "tools/list"}, {}, 400, -32020),
        ({"Mcp-Name": "get_menu"}, {}, 400, -32020),
        ({"Mcp-Name": "=?base64?Z2V0X3N0b3Jlcw==?="}, {}, 200, None),
        (
            {"MCP-Protocol-Version": "1999-01-01"},
            {"io.modelcontextprotocol/protocolVersion": "1999-01-01"},
            400,
            -32022,
        ),
        ({}, {"io.modelcontextprotocol/clientCapabilities": ""}, 400, -32602),
    ],
)
def test_the_newer_generation_says_everything_twice(
    kiosk: Kiosk, headers: dict[str, str], meta: dict[str, Any], status: int, code: int | None
) -> None:
    answer = modern(kiosk.server, "tools/call", call("get_stores", {}), headers=headers, meta=meta)
    assert answer.status_code == status, answer.text
    assert answer.json().get("error", {}).get("code") == code


def test_blanks_around_a_header_s_value_do_not_count(kiosk: Kiosk) -> None:
    meta = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get_stores", "_meta": meta}}
    body = json.dumps(message).encode()
    headers = (f"MCP-Protocol-Version: {MODERN}", "Mcp-Method:   tools/call  ", "Mcp-Name: \tget_stores  ")
    sent = post(body, *headers, f"Authorization: Bearer {KEY}", f"Content-Length: {len(body)}", path=b"/api/mcp")
    status, answer = exchange(kiosk.server.port, [sent])
    assert status == 200, answer


def test_unknown_methods_and_tools_are_errors_in_each_form(kiosk: Kiosk) -> None:
    server = kiosk.server
    assert short(server, "resources/list").status_code == 400
    assert short(server, "tools/call", call("no_such_tool", {})).status_code == 404
    older = handshake(server, "resources/list")
    assert (older.status_code, older.json()["error"]["code"]) == (200, -32601)
    newer = modern(server, "resources/list")
    assert (newer.status_code, newer.json()["error"]["code"]) == (404, -32601)
    for answer, status in (
        (handshake(server, "tools/call", call("no_such_tool", {})), 200),
        (modern(server, "tools/call", call("no_such_tool", {})), 400),
        (handshake(server, "tools/list", {"cursor": "2"}), 200),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, -32602)


def test_the_short_form_echoes_an_id_and_a_version_header_makes_it_none(kiosk: Kiosk) -> None:
    assert short(kiosk.server, "tools/list", id=7).json()["id"] == 7
    assert "id" not in short(kiosk.server, "tools/list").json()
    headers = bearer() | {"MCP-Protocol-Version": MODERN}
    answer = kiosk.server.client.post("/api/mcp", json={"method": "tools/list"}, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32600)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "localhost:1"}, 200),
        ({"Accept": "text/html"}, 406),
        ({"Accept": "*/*"}, 200),
        ({"Content-Type": "text/plain"}, 415),
    ],
)
def test_strangers_are_kept_out_and_headers_are_checked(kiosk: Kiosk, headers: dict[str, str], status: int) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    answer = kiosk.server.client.post("/api/mcp", content=json.dumps(body), headers=bearer() | headers)
    assert answer.status_code == status, answer.text
    assert "X-RateLimit-Remaining" in answer.headers


def test_at_a_practice_store_an_order_reaches_nothing(kiosk: Kiosk) -> None:
    menu = short(kiosk.server, "tools/call", call("get_store_context", {"storeSlug": "practice"})).json()
    context = menu["structuredContent"]
    assert context["store"]["policies"]["practice"] is True
    assert "reach no kitchen" in context["guidance"][-1]
    item = context["menu"]["categories"][0]["items"][0]["id"]
    wanted = {"storeSlug": "practice", "items": [{"itemId": item}], "orderType": "pickup"}
    answer = short(kiosk.server, "tools/call", call("create_order", wanted))
    assert answer.json()["structuredContent"]["order"]["injection"] == []
    assert kiosk.site.count("deliveries") == 0


def test_an_agent_s_calls_are_recorded_with_the_order_and_without_the_key(kiosk: Kiosk) -> None:
    answer = modern(kiosk.server, "tools/call", call("create_order", {**kiosk.wanted, "idempotencyKey": "a-1"}))
    order = answer.json()["result"]["structuredContent"]["order"]
    again = modern(kiosk.server, "tools/call", call("create_order", {**kiosk.wanted, "idempotencyKey": "a-1"}))
    assert again.json()["result"]["structuredContent"]["order"]["id"] == order["id"]

    def traced() -> dict[str, Any]:
        words: dict[str, Any] = json.loads(kiosk.site.run("trace", order["id"], "--json", "--reads").stdout)
        return words

    def recorded_twice() -> bool:
        return [call["operation"] for call in traced()["calls"]].count("mcp.create_order") == 2

    wait_for(recorded_twice, "both calls are recorded")
    assert KEY not in json.dumps(traced())

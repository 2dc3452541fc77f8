"""The endpoint for agents when a tool fails in a way nobody foresaw, or takes too long."""

import asyncio
import logging
from typing import Any

import httpx
import pytest
from litestar import Litestar
from msgspec import Struct

from hub.api.mcp import sdk
from hub.api.mcp.endpoint import PATH, McpEndpoint
from hub.api.operation import Call, Operation, Reply, Request, Tool
from hub.api.replies import framework_error
from hub.errors import ConfigurationError
from hub.trace.inbound import InboundTrace
from tests.api.edges import edge
from tests.api.test_rest import House, Keys
from tests.contract.ports import CallList

pytestmark = pytest.mark.anyio
MODERN = "2026-07-28"
META = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}
CALL = {"name": "look", "arguments": {}}


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """No arguments."""


class Seen(Struct, frozen=True):
    """An answer."""

    seen: bool


class Agent:
    """An agent at a hub with one tool."""

    def __init__(self, handler: Any, *, of_many: bool = False) -> None:
        self.sink = CallList()
        tool = Tool("look", "Look", "Looks whether there is anything.", Nothing, lambda _: Call())
        operation = Operation(
            "look", "GET", "/look", "", "menu:read", True, handler, answer=Seen, tools=(tool,), of_many=of_many
        )
        self.endpoint = McpEndpoint(
            House(),  # type: ignore[arg-type]
            InboundTrace(self.sink),
            (operation,),
            version="1",
            max_body_bytes=1000,
        )
        web = Litestar(
            self.endpoint.routes(),
            exception_handlers={Exception: framework_error},
            openapi_config=None,
            logging_config=None,
        )
        self._app = edge(web, Keys(), refuse_themselves=(PATH,), known_hosts_only=(PATH,))

    async def post(self, body: Any, **headers: str) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with (
            self.endpoint.run_protocol(),
            httpx.AsyncClient(transport=transport, base_url="http://hub") as client,
        ):
            return await client.post(PATH, json=body, headers={"Authorization": "Bearer sk_reader", **named})


async def answers(handler: Any) -> list[httpx.Response]:
    """The short form, the older generation, the newer one; each at an endpoint of its own."""
    strict = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    newer = {"MCP_Protocol_Version": MODERN, "Mcp_Method": "tools/call", "Mcp_Name": "look"}
    return [
        await Agent(handler).post({"method": "tools/call", "params": CALL}),
        await Agent(handler).post({**strict, "params": CALL}),
        await Agent(handler).post({**strict, "params": {**CALL, "_meta": META}}, **newer),
    ]


async def well(services: Any, request: Request) -> Reply:
    return Reply('{"seen":true}')


async def test_a_tool_answers_in_each_form() -> None:
    spoken, older, newer = await answers(well)
    assert spoken.json()["structuredContent"] == {"seen": True}
    for answer in (older, newer):
        assert answer.json()["result"]["structuredContent"] == {"seen": True}


@pytest.mark.parametrize("problem", [ValueError("secret detail"), ConfigurationError("secret detail")])
async def test_an_error_of_ours_tells_the_outside_nothing_else(
    problem: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def failing(services: Any, request: Request) -> Reply:
        raise problem

    with caplog.at_level(logging.ERROR):
        spoken, older, newer = await answers(failing)
    assert (spoken.status_code, spoken.json()) == (500, {"error": "Server error, please retry"})
    for answer in (older, newer):
        assert answer.json()["error"] == {"code": -32603, "message": "Server error, please retry"}
    assert "secret detail" not in spoken.text + older.text + newer.text


async def test_a_tool_that_takes_too_long_goes_on_and_the_caller_hears_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdk, "_CALL_SECONDS", 0.01)
    finished: list[bool] = []
    released = asyncio.Event()

    async def slow(services: Any, request: Request) -> Reply:
        await released.wait()
        finished.append(True)
        return Reply('{"seen":true}')

    spoken = await Agent(slow).post({"method": "tools/call", "params": CALL})
    assert (spoken.status_code, "Look whether it happened" in spoken.text) == (500, True)
    answer = await Agent(slow).post({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": CALL})
    assert answer.json()["result"]["isError"] is True
    assert "Look whether it happened" in answer.text
    released.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert finished == [True, True]


async def test_a_body_beyond_the_limit_is_not_read() -> None:
    answer = await Agent(well).post({"method": "tools/list", "more": "x" * 1000})
    assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")


@pytest.mark.parametrize("of_many", [False, True])
async def test_the_trace_keeps_nothing_of_a_tool_that_answers_with_many_guests(of_many: bool) -> None:
    async def seen(services: Any, request: Request) -> Reply:
        return Reply('{"seen": true}')

    agent = Agent(seen, of_many=of_many)
    answer = await agent.post({"method": "tools/call", "params": CALL})
    assert "seen" in answer.text
    [call] = agent.sink.calls
    assert (call.operation, call.status) == ("mcp.look", 200)
    assert [bool(call.request_body), bool(call.response_body)] == [not of_many, not of_many]

"""The protocol itself, by the official SDK: both of its generations, stateless, answered as JSON."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from litestar.types import Receive, Scope, Send
from mcp.server.caching import CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    ToolAnnotations,
)
from mcp_types import Tool as McpTool

from hub.api.admission import admission_of
from hub.api.operation import Services
from hub.api.tools import BoundTool, Outcome, use
from hub.errors import HubError, TooManyRequests

ORDERS_IN_SCOPE = "openpos.orders"
_CALL_SECONDS = 30.0
_LIST_CACHE_MS = 300_000
_log = logging.getLogger(__name__)


class Protocol:
    """One SDK server per process."""

    def __init__(
        self,
        services: Services,
        tools: Mapping[str, BoundTool],
        *,
        version: str,
        instructions: str,
        max_body_bytes: int,
    ) -> None:
        self._services = services
        self._tools = tools
        self._listed = [_mcp_tool(bound) for bound in tools.values()]
        self._running: set[asyncio.Task[Outcome]] = set()
        hint = CacheHint(ttl_ms=_LIST_CACHE_MS, scope="public")
        server: Server[Any] = Server(
            "openpos-hub",
            version=version,
            title="OpenPOS hub",
            instructions=instructions,
            cache_hints={"tools/list": hint, "server/discover": hint},
            get_tool_input_schema=self._input_schema,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
        )
        server.middleware.clear()  # OpenTelemetry, which nobody here collects
        self._manager = StreamableHTTPSessionManager(
            server, json_response=True, stateless=True, max_request_body_size=max_body_bytes
        )

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Holds what the SDK needs while the application runs; once per process."""
        async with self._manager.run():
            yield

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One strict message, checked by the endpoint before."""
        await self._manager.handle_request(scope, receive, send)  # type: ignore[arg-type]

    async def call(self, scope: Mapping[str, Any], bound: BoundTool, arguments: Any) -> Outcome:
        """Uses a tool for the caller of this request.

        A caller who goes away, or waits too long, does not stop what was begun: an order is taken whole or not at all.
        """
        running = asyncio.create_task(use(self._services, admission_of(scope).caller, bound, arguments))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        async with asyncio.timeout(_CALL_SECONDS):
            outcome = await asyncio.shield(running)
        scope[ORDERS_IN_SCOPE].append(outcome.order_id)
        return outcome

    def _input_schema(self, name: str) -> Mapping[str, Any] | None:
        bound = self._tools.get(name)
        return None if bound is None else bound.input_schema

    async def _list_tools(
        self, _context: ServerRequestContext[Any], params: PaginatedRequestParams | None
    ) -> ListToolsResult:
        if params is not None and params.cursor is not None:
            raise MCPError(INVALID_PARAMS, "cursor: there is only one page")
        return ListToolsResult(tools=self._listed)

    async def _call_tool(self, context: ServerRequestContext[Any], params: CallToolRequestParams) -> CallToolResult:
        bound = self._tools.get(params.name)
        if bound is None:
            raise MCPError(INVALID_PARAMS, f"Unknown tool: {params.name[:100]}. tools/list names them all.")
        scope = context.request.scope if context.request is not None else {}
        try:
            return result(await self.call(scope, bound, params.arguments or {}))
        except TooManyRequests as problem:
            return result(Outcome(problem=problem))
        except TimeoutError:
            return _error(too_slow(bound))
        except Exception as problem:
            if not isinstance(problem, HubError):
                _log.exception("tool %s failed", bound.name)
            raise MCPError(INTERNAL_ERROR, "Server error, please retry") from None


def result(outcome: Outcome) -> CallToolResult:
    """An outcome as the protocol writes it."""
    if outcome.problem is not None:
        return _error(outcome.words)
    content = TextContent(type="text", text=outcome.content)
    return CallToolResult(content=[content], structured_content=msgspec.json.decode(outcome.content))


def too_slow(bound: BoundTool) -> str:
    """What a caller hears whose tool has not ended in time; it goes on."""
    return f"{bound.name} takes longer than {_CALL_SECONDS:g} s. Look whether it happened before you repeat it."


def _error(words: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=words)], is_error=True)


def _mcp_tool(bound: BoundTool) -> McpTool:
    return McpTool(
        name=bound.name,
        title=bound.tool.title,
        description=bound.tool.description,
        input_schema=dict(bound.input_schema),
        output_schema=dict(bound.output_schema),
        annotations=ToolAnnotations.model_validate({"title": bound.tool.title, **bound.annotations}),
    )

"""Callers of the endpoint for AI agents: the official client, and plain HTTP in each of the three forms."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx
import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from tests.journeys.site import KEY, Server, bearer

MODERN = "2026-07-28"
MODES = ("legacy", "auto", MODERN)
_META = "io.modelcontextprotocol"


def converse(server: Server, mode: str, talk: Callable[[Client], Awaitable[Any]], key: str = KEY) -> Any:
    """Lets the official Python client talk to a server."""

    async def session() -> Any:
        async with (
            httpx2.AsyncClient(headers=bearer(key), trust_env=False) as http,
            Client(streamable_http_client(f"{server.url}/api/mcp", http_client=http), mode=mode) as client,
        ):
            return await talk(client)

    return asyncio.run(session())


def short(server: Server, method: str, params: Any = None, key: str = KEY, **more: Any) -> httpx.Response:
    """The form of the OpenPOS page."""
    body = {"method": method, **({} if params is None else {"params": params}), **more}
    return server.client.post("/api/mcp", json=body, headers=bearer(key))


def handshake(server: Server, method: str, params: Any = None, key: str = KEY, **more: Any) -> httpx.Response:
    """The protocol up to 2025-11-25, without a session."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, **({} if params is None else {"params": params}), **more}
    return server.client.post("/api/mcp", json=body, headers=bearer(key))


def modern(
    server: Server,
    method: str,
    params: Mapping[str, Any] | None = None,
    *,
    key: str = KEY,
    headers: Mapping[str, str] | None = None,
    meta: Mapping[str, Any] | None = None,
) -> httpx.Response:
    """The protocol from 2026-07-28 on; a header or a part of `_meta` given as empty is left out."""
    own_meta = {f"{_META}/protocolVersion": MODERN, f"{_META}/clientCapabilities": {}} | dict(meta or {})
    own = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method}
    if method == "tools/call":
        own["Mcp-Name"] = str((params or {}).get("name", ""))
    sent = {name: value for name, value in (bearer(key) | own | dict(headers or {})).items() if value != ""}
    content = {**(params or {}), "_meta": {name: value for name, value in own_meta.items() if value != ""}}
    body = {"jsonrpc": "2.0", "id": "m-1", "method": method, "params": content}
    return server.client.post("/api/mcp", json=body, headers=sent)


def call(name: str, arguments: Any) -> dict[str, Any]:
    """The parameters of a tool's call."""
    return {"name": name, "arguments": arguments}

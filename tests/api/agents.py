"""An agent at a house: it uses tools in the short form, and gets what they answer."""

from typing import Any

import httpx

from tests.api.house import House

MCP = "/api/mcp"


async def call(house: House, name: str, arguments: Any = None, *, key: str = "sk_full") -> httpx.Response:
    """One call of a tool."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    body = {"method": "tools/call", "params": {"name": name, "arguments": arguments or {}}}
    return await house.client.post(MCP, json=body, headers=headers)


async def used(house: House, name: str, **arguments: Any) -> dict[str, Any]:
    """What a tool gives, which must work."""
    answer = await call(house, name, arguments)
    assert answer.status_code == 200, answer.text
    given: dict[str, Any] = answer.json()["structuredContent"]
    return given

"""Python SDK v1: lists the tools and calls what the plan says. With an argument, through that command over stdio."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client

PLAN = json.load(sys.stdin)


@contextlib.asynccontextmanager
async def connected() -> AsyncIterator[ClientSession]:
    if command := sys.argv[1:]:
        server = StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ))
        async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
            yield session
        return
    headers = {"Authorization": f"Bearer {PLAN['key']}"}
    async with streamablehttp_client(PLAN["url"], headers=headers) as (read, write, _), ClientSession(read, write) as s:
        yield s


async def main() -> None:
    async with connected() as session:
        shaken = await session.initialize()
        tools = [tool.name for tool in (await session.list_tools()).tools]
        results = []
        for call in PLAN["calls"]:
            result = await session.call_tool(call["name"], call["arguments"])
            results.append({"name": call["name"], "isError": result.isError, "text": result.content[0].text})
    print(json.dumps({"version": shaken.protocolVersion, "tools": tools, "results": results}))


asyncio.run(main())

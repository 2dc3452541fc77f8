"""Python SDK v2 in one of its modes (`legacy`, `auto`, a revision): lists the tools and calls what the plan says."""

import asyncio
import json
import sys

import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

PLAN = json.load(sys.stdin)


async def main(mode: str) -> None:
    headers = {"Authorization": f"Bearer {PLAN['key']}"}
    async with (
        httpx2.AsyncClient(headers=headers, trust_env=False, timeout=60) as http,
        Client(streamable_http_client(PLAN["url"], http_client=http), mode=mode) as client,
    ):
        tools = [tool.name for tool in (await client.list_tools()).tools]
        results = []
        for call in PLAN["calls"]:
            result = await client.call_tool(call["name"], call["arguments"])
            results.append({"name": call["name"], "isError": result.is_error, "text": result.content[0].text})
        version = client.protocol_version
    print(json.dumps({"version": version, "tools": tools, "results": results}))


asyncio.run(main(sys.argv[1]))

"""Many callers at once."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

Call = tuple[str, Mapping[str, Any], Mapping[str, str]]
"""The URL of a hub, the body of an order, and the headers."""


def post_together(calls: Sequence[Call], *, at_once: int = 50, path: str = "/api/v1/orders") -> list[httpx.Response]:
    """Posts all orders, up to `at_once` at the same time; answers in the order of the calls."""
    return asyncio.run(_post_together(calls, at_once, path))


async def _post_together(calls: Sequence[Call], at_once: int, path: str) -> list[httpx.Response]:
    limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    async with httpx.AsyncClient(trust_env=False, timeout=60, limits=limits) as client:
        posts = [client.post(f"{url}{path}", json=body, headers=headers) for url, body, headers in calls]
        return list(await asyncio.gather(*posts))

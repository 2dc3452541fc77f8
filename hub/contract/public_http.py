"""A transport that reaches public addresses only, for addresses that strangers name."""

import socket
from ipaddress import IPv4Address, IPv6Network, ip_address

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from httpx_aiohttp import AiohttpTransport

_MOST_CONNECTIONS = 16
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in its last 32 bits


def is_public(address: str) -> bool:
    """Whether an address (not a name) is on the public internet, also when it hides in an IPv6 form."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    inner = getattr(parsed, "ipv4_mapped", None) or getattr(parsed, "sixtofour", None)
    if parsed in _NAT64:
        inner = IPv4Address(parsed.packed[-4:])
    return parsed.is_global and not parsed.is_multicast and (inner is None or inner.is_global)


class PublicResolver(AbstractResolver):
    """Resolves names, and refuses those that lead into somebody's own network (server-side request forgery).

    The address that was checked is the one that is connected to, so a name cannot mean another one a moment later.
    """

    def __init__(self, resolver: AbstractResolver) -> None:
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a name. Raises `OSError` when one of them is not public."""
        found = await self._resolver.resolve(host, port, family)
        if not found or not all(is_public(entry["host"]) for entry in found):
            raise OSError(None, f"{host} is not on the public internet")
        return found

    async def close(self) -> None:
        """Lets go of the inner resolver."""
        await self._resolver.close()


def new_public_transport() -> AiohttpTransport:
    """The transport for addresses that strangers name; close it with `aclose()`.

    The names of hosts are checked here; a host given as a plain address is connected to without asking the resolver,
    so refuse those before (`is_public`).
    """

    def session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=_MOST_CONNECTIONS, resolver=PublicResolver(ThreadedResolver()), force_close=True
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    return AiohttpTransport(client=session)

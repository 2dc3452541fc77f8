"""A transport that reaches public addresses only, for addresses that strangers name."""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from httpx_aiohttp import AiohttpTransport

from hub.contract.tls import tls_context

_MOST_CONNECTIONS = 16
_NAT64 = ip_network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address


def is_address(host: str) -> bool:
    """Whether a host is meant as an address, well written or not, so that no name is looked up for it."""
    return ":" in host or host.replace(".", "").isdigit()


def is_public(address: str, networks: Sequence[str] = ()) -> bool:
    """Whether an address (not a name) is on the public internet, also when it hides in an IPv6 form.

    `networks` are those of somebody's own that count as public, too.
    """
    try:
        reached = _reached(ip_address(address))
    except ValueError:
        return False
    if any(reached in ip_network(network, strict=False) for network in networks):
        return True
    return reached.is_global and not reached.is_multicast and not reached.is_reserved


def _reached(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


class PublicResolver(AbstractResolver):
    """Resolves names, and refuses those that lead into somebody's own network (server-side request forgery).

    The address that was checked is the one that is connected to, so a name cannot mean another one a moment later.
    """

    def __init__(self, resolver: AbstractResolver, networks: Sequence[str] = ()) -> None:
        self._resolver = resolver
        self._networks = networks

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a name. Raises `OSError` when one of them is not public."""
        found = await self._resolver.resolve(host, port, family)
        if not found or not all(is_public(entry["host"], self._networks) for entry in found):
            raise OSError(None, f"{host} is not on the public internet")
        return found

    async def close(self) -> None:
        """Lets go of the inner resolver."""
        await self._resolver.close()


class _PublicTransport(AiohttpTransport):
    """Refuses hosts that are plain addresses as well: the resolver is not asked for those."""

    def __init__(self, networks: Sequence[str], most_connections: int) -> None:
        def session() -> aiohttp.ClientSession:
            return aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=most_connections,
                    resolver=PublicResolver(ThreadedResolver(), networks),
                    force_close=True,
                    ssl=tls_context(),
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
            )

        super().__init__(client=session, verify=tls_context())
        self._networks = networks

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        if is_address(host) and not is_public(host, self._networks):
            raise httpx.ConnectError(f"{host} is not on the public internet", request=request)
        return await super().handle_async_request(request)


def new_public_transport(
    networks: Sequence[str] = (), *, most_connections: int = _MOST_CONNECTIONS
) -> AiohttpTransport:
    """The transport for addresses that strangers name; close it with `aclose()`. `networks` may be reached as well."""
    return _PublicTransport(networks, most_connections)

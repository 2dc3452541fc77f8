"""Keeps calls to addresses that strangers name inside the public Internet (server-side request forgery)."""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

_Address = IPv4Address | IPv6Address
_NAT64 = ip_network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address


class AddressGuard:
    """Lets addresses of the public Internet through, and those of networks that the operator allowed."""

    def __init__(self, networks: Sequence[str] = ()) -> None:
        self._networks = [ip_network(network, strict=False) for network in networks]

    def allows(self, text: str) -> bool:
        """Whether an IP address may be called."""
        address = _behind(ip_address(text.partition("%")[0]))
        if any(address.version == network.version and address in network for network in self._networks):
            return True
        return address.is_global and not address.is_multicast and not address.is_reserved


def _behind(address: _Address) -> _Address:
    """The IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


class GuardedResolver(AbstractResolver):
    """Finds a name's addresses and forgets those that may not be called; the connection is made to what is left, so
    a name that points elsewhere a moment later gains nothing."""

    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard
        self._resolver: AbstractResolver | None = None

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses that may be called. Raises `OSError` when there is none."""
        if self._resolver is None:  # it wants the running event loop
            self._resolver = ThreadedResolver()
        found = await self._resolver.resolve(host, port, family)
        allowed = [entry for entry in found if self._guard.allows(entry["host"])]
        if not allowed:
            raise OSError(f"{host} has no address on the public Internet")
        return allowed

    async def close(self) -> None:
        """Lets go of the resolver."""
        if self._resolver is not None:
            await self._resolver.close()

"""Addresses that strangers name lie in the public Internet, or nothing is called."""

import socket

import httpx
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from hub.contract.guarded import AddressGuard, GuardedResolver
from hub.contract.http import new_transport

pytestmark = pytest.mark.anyio
INSIDE = [
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1"),
    *("224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "192.0.2.1", "198.18.0.1"),
]


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_refused_in_all_its_spellings(address: str) -> None:
    assert AddressGuard().allows(address) is False


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:2800:220:1::1", "64:ff9b::808:808"])
def test_an_address_of_the_public_internet_is_let_through(address: str) -> None:
    assert AddressGuard().allows(address) is True


def test_a_network_that_the_operator_allows_is_let_through_and_no_other() -> None:
    guard = AddressGuard(("10.1.0.0/16", "::1/128"))
    assert guard.allows("10.1.2.3")
    assert guard.allows("::ffff:10.1.2.3")
    assert guard.allows("::1")
    assert not guard.allows("10.2.0.1")
    assert not guard.allows("127.0.0.1")


class Names(AbstractResolver):
    """Knows one name with two addresses."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        addresses = {"mixed": ("10.0.0.1", "8.8.8.8"), "inside": ("10.0.0.1",)}[host]
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing to let go of."""


async def test_of_a_name_s_addresses_only_those_outside_are_left() -> None:
    resolver = GuardedResolver(AddressGuard())
    resolver._resolver = Names()
    assert [entry["host"] for entry in await resolver.resolve("mixed", 443)] == ["8.8.8.8"]
    with pytest.raises(OSError, match="inside has no address on the public Internet"):
        await resolver.resolve("inside", 443)


async def test_a_transport_never_connects_to_a_name_that_points_inside() -> None:
    transport = new_transport(resolver=GuardedResolver(AddressGuard()))
    async with transport:
        for name in ("localhost", "2130706433", "0x7f.1"):
            with pytest.raises(httpx.TransportError):
                await transport.handle_async_request(httpx.Request("GET", f"http://{name}:9/"))

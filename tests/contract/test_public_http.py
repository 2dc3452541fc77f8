"""Addresses that strangers name lead to the public internet only."""

import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from hub.contract.public_http import PublicResolver, is_public

pytestmark = pytest.mark.anyio


class Told(AbstractResolver):
    """Answers what it was told."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in self._addresses
        ]

    async def close(self) -> None:
        return None


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
async def test_a_public_address_is_reached(address: str) -> None:
    found = await PublicResolver(Told(address)).resolve("agent.example", 443)
    assert [entry["host"] for entry in found] == [address]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.8",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1",
        "fd00::1",
        "::ffff:10.0.0.8",
        "2002:0a00:0008::1",
        "64:ff9b::a00:8",
        "not an address",
    ],
)
async def test_an_address_of_somebody_s_own_network_is_not(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(OSError, match="is not on the public internet"):
        await PublicResolver(Told(address)).resolve("agent.example", 443)


async def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(OSError, match="is not on the public internet"):
        await PublicResolver(Told("8.8.8.8", "10.0.0.8")).resolve("agent.example", 443)

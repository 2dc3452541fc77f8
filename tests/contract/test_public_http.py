"""Addresses that strangers name lead to the public internet only."""

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from hub.contract.public_http import PublicResolver, is_public, new_public_transport

pytestmark = pytest.mark.anyio
INSIDE = [
    *("127.0.0.1", "10.0.0.8", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1"),
    *("224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00::1", "ff02::1", "::127.0.0.1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.8", "64:ff9b::7f00:1", "2002:7f00:1::", "2002:0a00:0008::1"),
    "not an address",
]


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


@pytest.mark.parametrize("address", INSIDE)
async def test_an_address_of_somebody_s_own_network_is_not(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(OSError, match="is not on the public internet"):
        await PublicResolver(Told(address)).resolve("agent.example", 443)


async def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(OSError, match="is not on the public internet"):
        await PublicResolver(Told("8.8.8.8", "10.0.0.8")).resolve("agent.example", 443)


def test_a_network_that_the_operator_allows_is_reached_and_no_other() -> None:
    networks = ("10.1.0.0/16", "::1/128")
    assert is_public("10.1.2.3", networks)
    assert is_public("::ffff:10.1.2.3", networks)
    assert is_public("::1", networks)
    assert not is_public("10.2.0.1", networks)
    assert not is_public("127.0.0.1", networks)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Somebody listens on this machine, and answers 204."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "017700000001", "[::ffff:127.0.0.1]"]
)
async def test_no_spelling_of_a_private_address_is_connected_to_unless_it_is_allowed(port: int, host: str) -> None:
    request = httpx.Request("GET", f"http://{host}:{port}/")
    async with new_public_transport() as transport:
        with pytest.raises(httpx.TransportError):
            await transport.handle_async_request(request)
    if host in ("127.0.0.1", "localhost"):
        async with new_public_transport(["127.0.0.0/8", "::1/128"]) as transport:
            assert (await transport.handle_async_request(request)).status_code == 204

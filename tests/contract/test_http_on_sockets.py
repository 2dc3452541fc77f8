"""The real transport against servers that break: what was never sent is told from what may have arrived."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator

import httpx
import pytest

from hub.contract.http import new_transport
from hub.errors import ConnectorError, OutcomeUnknown, VendorUnavailable, VendorUnreachable
from tests.contract.calling import Calling, read_request, server

pytestmark = pytest.mark.anyio
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


@pytest.fixture
async def transport() -> AsyncIterator[httpx.AsyncBaseTransport]:
    made = new_transport()
    yield made
    await made.aclose()


async def failure(calling: Calling, *, safe: bool) -> ConnectorError:
    with pytest.raises(ConnectorError) as raised:
        await (calling.read() if safe else calling.write())
    return raised.value


def reset(writer: asyncio.StreamWriter) -> None:
    """Ends the connection with a reset instead of a farewell."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def test_a_refused_connection_was_never_sent(transport: httpx.AsyncBaseTransport) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        for safe in (False, True):
            error = await failure(Calling(transport, base_url=address), safe=safe)
            assert type(error) is VendorUnreachable
            assert not error.reached


async def test_a_name_that_does_not_exist_was_never_sent(transport: httpx.AsyncBaseTransport) -> None:
    error = await failure(Calling(transport, base_url="http://till.invalid"), safe=False)
    assert type(error) is VendorUnreachable


async def test_a_port_that_speaks_no_tls_was_never_sent(transport: httpx.AsyncBaseTransport) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(OK)
        await writer.drain()

    async with server(talk) as address:
        error = await failure(Calling(transport, base_url=address.replace("http://", "https://")), safe=False)
    assert type(error) is VendorUnreachable


@pytest.mark.parametrize("how", ["reset", "close"])
async def test_a_connection_that_ends_after_the_request_was_sent_is_unknown(
    transport: httpx.AsyncBaseTransport, how: str
) -> None:
    received: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await read_request(reader))
        if how == "reset":
            reset(writer)

    async with server(talk) as address:
        calling = Calling(transport, base_url=address)
        written = await failure(calling, safe=False)
        read = await failure(calling, safe=True)
    assert type(written) is OutcomeUnknown
    assert type(read) is VendorUnavailable
    assert received[0].startswith(b"POST /orders HTTP/1.1\r\n")
    assert received[0].endswith(b'{"a":1}')


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("reused", [False, True], ids=["new connection", "kept connection"])
async def test_no_write_is_repeated_by_the_transport(
    transport: httpx.AsyncBaseTransport, method: str, reused: bool
) -> None:
    received: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if reused:
            await read_request(reader)
            writer.write(OK)
        received.append(await read_request(reader))

    async with server(talk) as address:
        calling = Calling(transport, base_url=address)
        if reused:
            await calling.write()
        with pytest.raises(OutcomeUnknown):
            await calling.http.send("close_order", method, "/orders/1", headers={}, body={"a": 1})
    assert len(received) == 1


async def test_half_an_answer_is_unknown(transport: httpx.AsyncBaseTransport) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b'HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{"id":')
        await writer.drain()

    async with server(talk) as address:
        calling = Calling(transport, base_url=address)
        assert type(await failure(calling, safe=False)) is OutcomeUnknown
        assert type(await failure(calling, safe=True)) is VendorUnavailable
    assert calling.recorded.status == 201


async def test_what_is_no_http_is_unknown(transport: httpx.AsyncBaseTransport) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"220 smtp.test ESMTP\r\n\r\n")
        await writer.drain()

    async with server(talk) as address:
        assert type(await failure(Calling(transport, base_url=address), safe=False)) is OutcomeUnknown


async def test_a_trickling_server_is_given_up_at_the_total_time_out(transport: httpx.AsyncBaseTransport) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with server(talk) as address:
        calling = Calling(transport, base_url=address, total_timeout_seconds=0.2)
        started = asyncio.get_running_loop().time()
        error = await failure(calling, safe=False)
        assert asyncio.get_running_loop().time() - started < 2
    assert type(error) is OutcomeUnknown
    assert "no complete answer within 0.2 s" in error.message


async def test_a_server_that_never_ends_its_headers_is_given_up_too(transport: httpx.AsyncBaseTransport) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"x-a: b\r\n")
            await writer.drain()
            await asyncio.sleep(0.005)

    async with server(talk) as address:
        calling = Calling(transport, base_url=address, total_timeout_seconds=0.2)
        assert type(await failure(calling, safe=True)) is VendorUnavailable


async def test_an_endless_answer_is_cut_off(transport: httpx.AsyncBaseTransport) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        while True:
            writer.write(b" " * 65536)
            await writer.drain()

    async with server(talk) as address:
        error = await failure(Calling(transport, base_url=address), safe=False)
    assert type(error) is OutcomeUnknown
    assert "longer than 8388608 bytes" in error.message


async def test_a_connection_is_kept_and_a_redirect_not_followed(transport: httpx.AsyncBaseTransport) -> None:
    connections: list[int] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(0)
        while True:
            request = await read_request(reader)
            connections[-1] += 1
            moved = b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n"
            writer.write(moved if b"/orders/1" in request else OK)
            await writer.drain()

    async with server(talk) as address:
        calling = Calling(transport, base_url=address)
        await calling.write()
        await calling.write()
        assert "redirects" in (await failure(calling, safe=True)).message
        assert connections == [3]


async def test_a_call_that_is_cancelled_is_recorded(transport: httpx.AsyncBaseTransport) -> None:
    arrived = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        arrived.set()
        await asyncio.Event().wait()

    async with server(talk) as address:
        calling = Calling(transport, base_url=address)
        task = asyncio.ensure_future(calling.write())
        await asyncio.wait_for(arrived.wait(), 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert calling.recorded.status is None

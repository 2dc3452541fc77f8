"""Adds the API key to requests on their way to the hub, for programs that cannot send one.

Nothing else of a request is touched, not even its spaces: the suite tests how the hub reads odd headers.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator

_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*(\d+)")
_AUTHORIZATION = re.compile(rb"(?im)^authorization:")


@contextlib.asynccontextmanager
async def key_adder(hub_port: int, key: str) -> AsyncIterator[int]:
    """Runs while the context is open; gives the port it listens on."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await _carry(reader, writer, hub_port, key)
        writer.close()

    server = await asyncio.start_server(carry, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hub_port: int, key: str) -> None:
    """One request and its answer; the connection ends then."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    body = await reader.readexactly(int(length[1]) if length else 0)
    line, rest = head.split(b"\r\n", 1)
    added = b"connection: close\r\n"
    if not _AUTHORIZATION.search(rest):
        added += f"authorization: Bearer {key}\r\n".encode()
    rest = re.sub(rb"(?im)^connection:[^\r]*\r\n", b"", rest)
    to_reader, to_writer = await asyncio.open_connection("127.0.0.1", hub_port)
    to_writer.write(line + b"\r\n" + added + rest + body)
    await to_writer.drain()
    while chunk := await to_reader.read(65_536):
        writer.write(chunk)
        await writer.drain()
    to_writer.close()

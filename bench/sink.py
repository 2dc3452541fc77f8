"""The fake vendor: a very cheap HTTP server that takes orders, counts them, and can be slow, silent or dead.

It listens on a port of 127.0.0.1 and obeys JSON lines on standard input. What it answers stands in a table
"METHOD path" -> answer; a path that is not in the table gets the default of its method.
"""

import asyncio
import json
import sys
from typing import Any, cast

import httptools
import msgspec
import uvloop

_LISTED = '{"success":true,"data":[],"total":0,"time":1,"timestamp":"2026-11-21 10:00:00","unix":1795255200}'
_TOKEN = '{"success":true,"token":"oauth_bench","token_type":"Bearer","expires_in":3600,"message":"OK"}'
_CREATED = (
    b'{"success":true,"data":{"id":%d,"status":"PENDING","venue_id":1,"created_at":"2026-11-21 10:00:00"},'
    b'"time":12,"unix":1795255200}'
)


class Answer(msgspec.Struct, frozen=True):
    """A fixed answer: status code and JSON text."""

    status: int
    body: str


class Command(msgspec.Struct):
    """What the benchmark may ask for; fields that are absent change nothing.

    `delay_seconds` holds back answers to orders; when it becomes 0 all held answers go out at once.
    `listening` false closes the port and every connection: the vendor is dead.
    """

    delay_seconds: float | None = None
    listening: bool | None = None
    answers: dict[str, Answer] = {}


class Sink:
    """State of the fake vendor."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: asyncio.Server | None = None
        self._fixed: dict[bytes, bytes] = {}
        self.delay_seconds = 0.0
        self.orders = 0
        self.connections: set[Connection] = set()
        self._held: dict[asyncio.TimerHandle, tuple[Connection, bytes]] = {}

    async def obey(self, command: Command) -> None:
        for route, answer in command.answers.items():
            self._fixed[route.encode()] = http_answer(answer.status, answer.body.encode())
        if command.delay_seconds is not None:
            self.delay_seconds = command.delay_seconds
            if self.delay_seconds == 0:
                self._release()
        if command.listening is True and self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(lambda: Connection(self), "127.0.0.1", self._port, backlog=1024)
        if command.listening is False and self._server is not None:
            self._server.close()
            self._server = None
            for connection in list(self.connections):
                connection.abort()

    def answer(self, connection: "Connection", method: bytes, url: bytes) -> None:
        """Answer one complete request, now or after the delay."""
        path = url.partition(b"?")[0]
        fixed = self._fixed.get(method + b" " + path)
        if fixed is not None:
            connection.write(fixed)
        elif method == b"POST" and path.endswith(b"/auth"):
            connection.write(http_answer(200, _TOKEN.encode()))
        elif method == b"POST":
            self.orders += 1
            reply = http_answer(201, _CREATED % self.orders)
            if self.delay_seconds:
                self._hold(connection, reply)
            else:
                connection.write(reply)
        else:
            connection.write(http_answer(200, _LISTED.encode()))

    def _hold(self, connection: "Connection", reply: bytes) -> None:
        def send() -> None:
            del self._held[handle]
            connection.write(reply)

        handle = asyncio.get_running_loop().call_later(self.delay_seconds, send)
        self._held[handle] = (connection, reply)

    def _release(self) -> None:
        held, self._held = self._held, {}
        for handle, (connection, reply) in held.items():
            handle.cancel()
            connection.write(reply)


class Connection(asyncio.Protocol):
    """One connection of the hub."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._url = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._sink.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._sink.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._url = b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_message_complete(self) -> None:
        self._sink.answer(self, self._parser.get_method(), self._url)

    def write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def http_answer(status: int, body: bytes) -> bytes:
    """Return a complete HTTP/1.1 answer."""
    return b"HTTP/1.1 %d OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
        status,
        len(body),
        body,
    )


async def serve(port: int) -> None:
    """Run until standard input ends; answer every command with the number of orders received."""
    sink = Sink(port)
    await sink.obey(Command(listening=True))
    loop = asyncio.get_running_loop()
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        command: Any = msgspec.convert(json.loads(line), Command)
        await sink.obey(command)
        print(json.dumps({"orders": sink.orders}), flush=True)


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))

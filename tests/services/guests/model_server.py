"""A small stand-in for an OpenAI-compatible service, on a socket; its `mood` says how it behaves."""

import asyncio
import json
from types import TracebackType
from typing import Any, Self

from hub.contract.http import new_transport

_STATUS = {"error": "500 Oops", "refused": "401 No"}


class ModelServer:
    """Answers every request with the same sentence, and keeps what it was asked."""

    def __init__(self) -> None:
        self.mood = "well"
        self.url = ""
        self.asked: list[tuple[dict[str, str], Any]] = []
        self.transport = new_transport()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        await self.transport.aclose()
        self._server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = json.loads(await reader.readexactly(int(headers["content-length"])))
        self.asked.append((headers, body))
        if self.mood == "slow":
            await reader.read()  # until the caller hangs up
            writer.close()
            return
        message = {"choices": [{"message": {"content": "" if self.mood == "empty" else " Sales are fine. "}}]}
        content = b"<html>" if self.mood == "html" else json.dumps(message).encode()
        status = _STATUS.get(self.mood, "200 OK")
        assert head[0].startswith("POST /v1/chat/completions ")
        writer.write(f"HTTP/1.1 {status}\r\ncontent-length: {len(content)}\r\nconnection: close\r\n\r\n".encode())
        writer.write(content)
        await writer.drain()
        writer.close()

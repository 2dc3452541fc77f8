"""HTTP as no proper client would write it, byte for byte."""

import socket
from collections.abc import Iterable


def exchange(port: int, parts: Iterable[bytes], *, seconds: float = 10.0) -> tuple[int, str]:
    """Sends the bytes and gives the status and the whole answer; status 0 when the connection was just closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        try:
            for part in parts:
                connection.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it did not want to hear the rest; its answer may be there still
        answer = _read_all(connection)
    head = answer.partition(b"\r\n")[0].split(b" ")
    status = int(head[1]) if len(head) > 1 and head[1].isdigit() else 0
    return status, answer.decode("utf-8", "replace")


def post(body: bytes, *headers: str, path: bytes = b"/api/v1/orders", method: bytes = b"POST") -> bytes:
    """A request with exactly these headers, besides Host and Connection."""
    lines = [method + b" " + path + b" HTTP/1.1", b"Host: 127.0.0.1", b"Connection: close"]
    return b"\r\n".join([*lines, *(header.encode("latin-1") for header in headers), b"", body])


def chunks(body: bytes, size: int = 65_536) -> Iterable[bytes]:
    """A body in chunked transfer encoding."""
    for start in range(0, len(body), size):
        part = body[start : start + size]
        yield f"{len(part):x}\r\n".encode() + part + b"\r\n"
    yield b"0\r\n\r\n"


def _read_all(connection: socket.socket) -> bytes:
    answer = b""
    try:
        while received := connection.recv(65_536):
            answer += received
    except ConnectionResetError:
        pass
    return answer

"""A partner that receives webhooks on a port of this machine, and checks them as its library does."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook


class Receiver(ThreadingHTTPServer):
    """`status` is what it answers, as soon as `answers` is set."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.status = 204
        self.answers = threading.Event()
        self.answers.set()
        self.messages: list[tuple[dict[str, str], bytes]] = []

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        """What a webhook is made for."""
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        """The `webhook-id` of each message."""
        return [headers["webhook-id"] for headers, _ in self.messages]

    def verified(self, secret: str) -> list[Any]:
        """All messages, each verified by the package of the specification's authors."""
        return [Webhook(secret).verify(body.decode(), headers) for headers, body in self.messages]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.messages.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.server.answers.wait(60)
        try:
            self.send_response(self.server.status)
            self.end_headers()
        except OSError:
            """Whoever asked is gone."""

    def log_message(self, *_: object) -> None:
        """Silent."""


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    """A receiver that listens inside the block."""
    receiver = Receiver(port)
    thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.02}, name="receiver")
    thread.start()
    try:
        yield receiver
    finally:
        receiver.answers.set()
        receiver.shutdown()
        receiver.server_close()
        thread.join()

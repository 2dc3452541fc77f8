"""Starts a sandbox on a free port of 127.0.0.1 for a test: in a thread, and stopped and started at will."""

import asyncio
import threading
from types import TracebackType
from typing import Self

from hub.contract.sandbox import Sandbox, serving


class SandboxThread:
    """A sandbox that serves from a thread of its own; `url` stays the same over `stop` and `start`.

    While it is stopped, connections are refused. A test in a running loop uses `serving(sandbox.app())` instead.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.url = ""
        self._port = 0
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    def start(self) -> None:
        """Serves until `stop`; returns when connections are accepted."""
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True)
        self._thread.start()
        assert ready.wait(5), "the sandbox did not start"

    def stop(self) -> None:
        """Stops serving and waits for the end; the ledger stays open."""
        assert self._loop is not None and self._stop is not None and self._thread is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with serving(self.sandbox.app(), port=self._port) as self.url:
            self._port = int(self.url.rpartition(":")[2])
            ready.set()
            await self._stop.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._thread is not None
        if self._thread.is_alive():
            self.stop()
        self.sandbox.close()

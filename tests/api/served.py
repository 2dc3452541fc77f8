"""A house whose API answers on a port, for programs that are not asynchronous."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from tests.api.house import House, open_house
from tests.ports import free_port


class Served:
    """A house in a thread of its own."""

    def __init__(self, address: str, house: House, loop: asyncio.AbstractEventLoop) -> None:
        self.address, self.house, self._loop = address, house, loop

    def run(self, work: Callable[[House], Any]) -> Any:
        """Runs something in the house's own loop: `run(lambda house: house.order())`."""
        return asyncio.run_coroutine_threadsafe(work(self.house), self._loop).result(30)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()


@contextmanager
def served_house(folder: Path, *, deliver: bool = False) -> Iterator[Served]:
    """A house on a free port, until the block ends."""
    ready = threading.Event()
    problems: list[BaseException] = []
    served: list[Served] = []
    servers: list[_Server] = []

    async def serve() -> None:
        async with open_house(folder, deliver=deliver) as house:
            port = free_port()
            config = uvicorn.Config(house.app, host="127.0.0.1", port=port, lifespan="off", log_level="error")
            servers.append(_Server(config, ready.set))
            served.append(Served(f"http://127.0.0.1:{port}", house, asyncio.get_running_loop()))
            await servers[0].serve()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as problem:  # told to the test, which waits
            problems.append(problem)
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="served-house")
    thread.start()
    ready.wait(30)
    try:
        if problems:
            raise problems[0]
        yield served[0]
    finally:
        for server in servers:
            server.should_exit = True
        thread.join(30)

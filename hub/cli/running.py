"""Long-running processes: the server and the worker."""

import asyncio
import contextlib
import errno
import gc
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator

import uvicorn

from hub.app import Hub
from hub.errors import ConfigurationError, HubError
from hub.settings import Settings
from hub.single_process import hold

_KEEP_ALIVE_SECONDS = 30
_STOP_SECONDS = 35
_OBJECTS_BETWEEN_COLLECTIONS = 50_000


def serve(
    settings: Settings, *, host: str, port: int, deliver: bool = True, tls: tuple[str | None, str | None] = (None, None)
) -> int:
    """Serves until it is told to stop. Raises what `serve_hub` does, and `ConfigurationError` for settings at odds."""
    _check_certificate(*tls)
    if settings.embedded and not deliver:
        raise ConfigurationError("--no-delivery needs PostgreSQL: an embedded database serves one process only")
    return run_in_loop(lambda: serve_hub(Hub(settings), host=host, port=port, deliver=deliver, tls=tls))


def _check_certificate(certificate: str | None, key: str | None) -> None:
    if (certificate is None) != (key is None):
        raise ConfigurationError("--tls-cert and --tls-key belong together")
    for file in (certificate, key):
        if file is not None and not os.access(file, os.R_OK):
            raise ConfigurationError(f"{file} cannot be read")


async def serve_hub(
    hub: Hub,
    *,
    host: str,
    port: int,
    deliver: bool = True,
    tls: tuple[str | None, str | None] = (None, None),
    when_ready: Callable[[], Awaitable[None]] | None = None,
) -> int:
    """Serves a hub in this event loop; `when_ready` runs once it answers.

    Raises `ConfigurationError` when the port or the data folder is taken, `Unavailable` without a database.
    """
    from hub.web import create_app  # noqa: PLC0415 - every other command is faster without the web framework

    with contextlib.ExitStack() as stack:
        if hub.settings.embedded:
            stack.enter_context(hold(hub.settings.data))
        try:
            await hub.prepare()
        except HubError:
            await hub.stop()
            raise
        config = uvicorn.Config(
            create_app(hub, deliver=deliver),
            host=host,
            port=port,
            access_log=False,
            log_config=None,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_STOP_SECONDS,
            ssl_certfile=tls[0],
            ssl_keyfile=tls[1],
        )
        server = _Server(config)
        address = f"{'http' if tls[0] is None else 'https'}://{host}:{port}"
        ready = asyncio.create_task(_when_started(server, hub, address, when_ready))
        try:
            await server.serve()
        except SystemExit as stopped:
            raise ConfigurationError(_why_not_started(stopped, address)) from stopped
        finally:
            ready.cancel()
    return 0 if server.started else 1


def _why_not_started(stopped: SystemExit, address: str) -> str:
    """uvicorn exits while it handles the error of listening; without one, the application itself did not start."""
    reason = stopped.__context__
    if not isinstance(reason, OSError):
        return "the hub could not start; the log above says why"
    if reason.errno != errno.EADDRINUSE:
        return f"the hub could not start on {address}: {reason.strerror}"
    return f"the hub could not start on {address} (is the port taken?)"


class _Server(uvicorn.Server):
    """uvicorn, saying when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answers = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stops gracefully and then returns, where uvicorn would end the process by the signal once more."""
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGTERM, signal.SIGINT) if sys.platform != "win32" else ()
        for number in numbers:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.answers.set()


async def _when_started(
    server: _Server, hub: Hub, address: str, when_ready: Callable[[], Awaitable[None]] | None
) -> None:
    await server.answers.wait()
    spare_the_collector()
    where = "SQLite in " + str(hub.settings.data) if hub.settings.embedded else "PostgreSQL"
    print(f"OpenPOS hub answers on {address} ({where})", file=sys.stderr, flush=True)
    if when_ready is not None:
        await when_ready()


def work(settings: Settings) -> int:
    """Delivers and runs jobs until told to stop. Raises `ConfigurationError` on an embedded database."""
    if settings.embedded:
        raise ConfigurationError(
            "a worker needs PostgreSQL (OPENPOS_DATABASE_URL): with the embedded database `serve` delivers by itself"
        )

    async def session() -> int:
        hub = Hub(settings)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        try:
            await hub.prepare()
            await hub.start()
            spare_the_collector()
            print(f"worker {hub.owner} delivers", file=sys.stderr, flush=True)
            await stop.wait()
        finally:
            await hub.stop()
        return 0

    return run_in_loop(session)


def spare_the_collector() -> None:
    """Takes what lives as long as the process out of the garbage collector's sight, and lets it look less often.

    Orders leave few cycles behind; looking for them among all modules cost a quarter of the time of every order.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, 100)


def run_in_loop(session: Callable[[], Awaitable[int]]) -> int:
    """Runs a session on the fastest event loop there is."""

    async def main() -> int:
        return await session()

    if sys.platform == "win32":
        return asyncio.run(main())
    import uvloop  # noqa: PLC0415 - not installed on Windows

    return uvloop.run(main())

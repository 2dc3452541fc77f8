"""Runs a vendor's sandbox, which lies beside its connector."""

import argparse
import asyncio
import os
import sys
import threading
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from aiohttp import web

from hub.contract.registry import Registry, installed_connectors
from hub.contract.sandbox import serving
from hub.errors import ConfigurationError


def sandbox_module(registry: Registry, vendor: str) -> str | None:
    """The module of a connector's sandbox; None when it brings none."""
    package = registry.get(vendor).connector.__module__.rpartition(".")[0]
    name = f"{package}.sandbox"
    return name if find_spec(name) is not None else None


def run(options: argparse.Namespace) -> int:
    """`sandbox`: serves it until it is told to stop. Raises `ConfigurationError` for a vendor without one."""
    vendor, host, port, hub_url = options.vendor, options.host, options.port, options.hub
    registry = installed_connectors()
    name = sandbox_module(registry, vendor)
    if name is None:
        raise ConfigurationError(f"the connector {vendor!r} brings no sandbox")
    if hub_url is not None and registry.get(vendor).manifest.role != "channel":
        raise ConfigurationError(f"--hub: the sandbox of {vendor} calls no hub")
    where = {} if hub_url is None else {"hub_url": hub_url}
    app = import_module(name).create_app(
        Path(options.state) if options.state else None, auto_accept_seconds=options.accept_after, **where
    )
    if options.until_stdin_closes:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        asyncio.run(_serve(app, vendor, host, port))
    except OSError as problem:
        raise ConfigurationError(f"cannot listen on {host}:{port}: {problem.strerror}") from problem
    return 0


async def _serve(app: web.Application, vendor: str, host: str, port: int) -> None:
    async with serving(app, host, port) as address:
        print(f"{vendor} sandbox answers on {address} (its knobs: /_sandbox/faults)", file=sys.stderr, flush=True)
        await asyncio.Event().wait()


def _end_with_parent() -> None:
    """Ends this process when the one that started it is gone, even after a kill -9: its end of the pipe closes."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os._exit(0)

"""A POS's sandbox with what its command line does not offer: a clock that travels, and what only tests play."""

import argparse
import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web

from connectors.clopos.sandbox import CloposSandbox
from connectors.desibits.sandbox import DesibitsSandbox
from connectors.desktop_kitchen.sandbox import DesktopKitchenSandbox
from connectors.desktop_kitchen.sandbox.options import Options
from hub.clock import SystemClock
from hub.contract.sandbox import Clock, Handler, Sandbox, serve


@web.middleware
async def read_first(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Reads the whole request before anything else, so that a slow vendor works on it though the caller hung up."""
    await request.read()
    return await handler(request)


def main() -> None:
    """Serves until it is ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--clock", type=Path, required=True)
    parser.add_argument("--vendor", default="clopos")
    parser.add_argument("--options", type=json.loads, default={})
    options = parser.parse_args()
    clock = SystemClock(options.clock)
    sandbox = _sandbox(
        options.vendor, options.state, lambda: datetime.fromtimestamp(clock.now_ms() / 1000, UTC), options.options
    )
    app = sandbox.app()
    app.middlewares.insert(0, read_first)
    asyncio.run(serve(app, "127.0.0.1", options.port))


def _sandbox(vendor: str, state: Path, clock: Clock, options: dict[str, Any]) -> Sandbox:
    if vendor == "clopos":
        return CloposSandbox(state=state, clock=clock, **options)
    if vendor == "desibits":
        return DesibitsSandbox(state=state, clock=clock)
    return DesktopKitchenSandbox(state=state, clock=clock, options=Options(**options))


if __name__ == "__main__":
    main()

"""The Clopos sandbox with what its command line does not offer: a clock that travels, and no memory for keys."""

import argparse
import asyncio
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from connectors.clopos.sandbox import CloposSandbox
from hub.clock import SystemClock
from hub.contract.sandbox import Handler, serve


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
    parser.add_argument("--ignore-keys", action="store_true")
    options = parser.parse_args()
    clock = SystemClock(options.clock)
    sandbox = CloposSandbox(
        state=options.state,
        clock=lambda: datetime.fromtimestamp(clock.now_ms() / 1000, UTC),
        idempotency=not options.ignore_keys,
    )
    app = sandbox.app()
    app.middlewares.insert(0, read_first)
    asyncio.run(serve(app, "127.0.0.1", options.port))


if __name__ == "__main__":
    main()

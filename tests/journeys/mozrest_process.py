"""The Mozrest sandbox with what its command line does not offer: a clock that travels."""

import argparse
import asyncio
from datetime import UTC, datetime
from pathlib import Path

from connectors.mozrest.sandbox import MozrestSandbox
from hub.clock import SystemClock
from hub.contract.sandbox import serve


def main() -> None:
    """Serves until it is ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--clock", type=Path, required=True)
    options = parser.parse_args()
    clock = SystemClock(options.clock)
    sandbox = MozrestSandbox(state=options.state, clock=lambda: datetime.fromtimestamp(clock.now_ms() / 1000, UTC))
    asyncio.run(serve(sandbox.app(), "127.0.0.1", options.port))


if __name__ == "__main__":
    main()

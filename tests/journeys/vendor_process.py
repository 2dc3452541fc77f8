"""The Clopos sandbox with what its command line does not offer: a clock that travels, and no memory for keys."""

import argparse
import asyncio
from datetime import UTC, datetime
from pathlib import Path

from connectors.clopos.sandbox import CloposSandbox
from hub.clock import SystemClock
from hub.contract.sandbox import serve


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
    asyncio.run(serve(sandbox.app(), "127.0.0.1", options.port))


if __name__ == "__main__":
    main()

"""Measures the CPU time of one function, in a process of its own on the server core.

It reads JSON lines `{"target": "package.module:factory", "seconds": 0.5}`; the factory returns a function without
arguments, and one call of that function is one order.
"""

import gc
import importlib
import json
import sys
import time
from collections.abc import Callable

_CALLS_PER_LOOK = 50


def cpu_seconds_per_call(call: Callable[[], object], seconds: float) -> tuple[float, int]:
    """Call for about this long; return the CPU seconds per call and the number of calls."""
    for _ in range(_CALLS_PER_LOOK):
        call()
    gc.collect()
    calls, started, until = 0, time.process_time(), time.monotonic() + seconds
    while time.monotonic() < until:
        for _ in range(_CALLS_PER_LOOK):
            call()
        calls += _CALLS_PER_LOOK
    return (time.process_time() - started) / calls, calls


def main() -> None:
    """Serve timing jobs until standard input ends."""
    prepared: dict[str, Callable[[], object]] = {}
    for line in sys.stdin:
        job = json.loads(line)
        target = job["target"]
        if target not in prepared:
            module, _, factory = target.partition(":")
            prepared[target] = getattr(importlib.import_module(module), factory)()
        cpu, calls = cpu_seconds_per_call(prepared[target], job["seconds"])
        print(json.dumps({"cpu_seconds": cpu, "calls": calls}), flush=True)


if __name__ == "__main__":
    main()

"""Free ports for servers of the tests."""

import os
import random
import socket
from itertools import cycle

# Below the ports that systems give to outgoing connections: there, a client could take one before our server does.
_FIRST, _EACH = 10_000, 1_000
_WORKERS = 20


def _own_ports() -> list[int]:
    """Each process that runs tests has its share of the ports, and begins somewhere in it."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    share = range(_FIRST + worker % _WORKERS * _EACH, _FIRST + (worker % _WORKERS + 1) * _EACH)
    begin = random.randrange(_EACH)
    return [*share[begin:], *share[:begin]]


_PORTS = cycle(_own_ports())


def free_port(count: int = 1) -> int:
    """A port that nobody listens on, with `count - 1` more behind it; not given again for a while."""
    run: list[int] = []
    for port in _PORTS:
        run = [*run, port] if _is_free(port) and (not run or port == run[-1] + 1) else []
        if len(run) == count:
            return run[0]
    raise AssertionError


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

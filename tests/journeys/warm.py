"""Processes that begin with everything imported: forked from a server that has done it once, one server per test run.

A process of the hub needs a second and more to import what it uses, and the journeys start hundreds. That a process
starts from nothing, too, is shown by the tests of `docs/`, which use the installed command.
"""

import multiprocessing
import os
import runpy
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired

from tests.postgres import ask_to_die_with_parent

_CONTEXT = multiprocessing.get_context("forkserver")
_COMMANDS = ("commands", "accredit", "guests", "orders", "reconciling", "sandbox", "secrets", "tables", "webhooks")
_CONTEXT.set_forkserver_preload(
    [
        *(f"hub.cli.{name}" for name in _COMMANDS),
        "hub.web",
        "hub.api.mcp.endpoint",
        "uvloop",
        "tests.journeys.vendor_process",
    ]
)


def begin(arguments: Sequence[str], environment: Mapping[str, str], output: Path, errors: Path) -> ForkServerProcess:
    """Starts `python ARGUMENTS…` (`-m MODULE …` or `SCRIPT …`), with its output appended to files."""
    process = _CONTEXT.Process(target=_run, args=(list(arguments), dict(environment), output, errors))
    process.start()
    return process


def run(arguments: Sequence[str], environment: Mapping[str, str], *, timeout_seconds: float) -> CompletedProcess[str]:
    """Runs `python ARGUMENTS…` to its end and gives what it printed. Raises `TimeoutExpired`."""
    with tempfile.TemporaryDirectory() as folder:
        output, errors = Path(folder) / "output", Path(folder) / "errors"
        process = begin(arguments, environment, output, errors)
        process.join(timeout_seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutExpired(list(arguments), timeout_seconds)
        return CompletedProcess(
            list(arguments), process.exitcode, output.read_text(encoding="utf-8"), errors.read_text(encoding="utf-8")
        )


def _run(arguments: list[str], environment: dict[str, str], output: Path, errors: Path) -> None:
    """What the new process does; it ends with the status that the program gives."""
    ask_to_die_with_parent(signal.SIGKILL)
    for stream, path in ((sys.stdout, output), (sys.stderr, errors)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, stream.fileno())
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.path[:0] = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")

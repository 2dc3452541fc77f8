"""Child processes of the benchmark: start, pin to a core, freeze, talk in JSON lines, read CPU time and memory."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.postgres import die_with_parent

SERVER_CORE = 0
"""The server under test has this core to itself."""
TOOL_CORE = 1
"""Load generator, fake vendor and PostgreSQL share this core."""
_STOP_SECONDS = 10.0


class ChildFailed(Exception):
    """A process of the benchmark ended or did not answer; the message holds the end of its log."""


class Child:
    """One child process, pinned to a core, its output kept in a log file.

    A child that `talks` answers JSON lines on its standard output. Of any other, standard output goes to the log too:
    nobody would read the pipe, and a server that logs a lot would stand still once it is full.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        core: int,
        log: Path,
        environment: Mapping[str, str] | None = None,
        talks: bool = False,
    ) -> None:
        self.name = name
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
                stdout=subprocess.PIPE if talks else output,
                stderr=output,
                env={**os.environ, **(environment or {})},
                preexec_fn=die_with_parent(signal.SIGKILL),
            )
        pin(self._process.pid, core)

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, question: dict[str, Any]) -> Any:
        """Send one JSON line and return the JSON line that comes back."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            raise ChildFailed(f"{self.name} ended:\n{self.log_tail()}")
        return json.loads(line)

    def wait_for_port(self, port: int, seconds: float = 30.0) -> None:
        """Wait until the child listens on this port of 127.0.0.1."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            time.sleep(0.02)
        raise ChildFailed(f"{self.name} does not listen on port {port}:\n{self.log_tail()}")

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self.thaw()
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()

    def log_tail(self, lines: int = 20) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])


def python_module(module: str, *arguments: str) -> list[str]:
    """Return the command that runs one of our modules with this interpreter."""
    return [sys.executable, "-m", module, *arguments]


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def pin(pid: int, core: int) -> None:
    """Pin a process, and all it starts later, to a core; does nothing where that is not possible."""
    if sys.platform == "linux" and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(pid, {core})


def process_tree(root: int) -> list[int]:
    """Return the id of a process and of all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError):
                parent = int(_stat_fields(int(entry.name))[1])
                children.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting.extend(children.get(pid, []))
    return found


def cpu_seconds(roots: Sequence[int]) -> float:
    """Return the CPU time (user and system) used so far by these processes and their living descendants."""
    ticks = 0
    for root in roots:
        for pid in process_tree(root):
            with suppress(OSError, IndexError):
                fields = _stat_fields(pid)
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def peak_memory_bytes(roots: Sequence[int]) -> int:
    """Return the sum of the highest resident memory of each process in these trees.

    Memory that processes share is counted once per process, so the sum is an upper bound for PostgreSQL.
    """
    total = 0
    for root in roots:
        for pid in process_tree(root):
            with suppress(OSError):
                for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                    if line.startswith("VmHWM:"):
                        total += int(line.split()[1]) * 1024
    return total


def machine_cpu_seconds() -> tuple[float, float]:
    """Return the CPU time since boot that all programs used, and that the host of a virtual machine took away."""
    user, nice, system, _, _, irq, softirq, stolen = map(int, Path("/proc/stat").read_text().split()[1:9])
    ticks = os.sysconf("SC_CLK_TCK")
    return (user + nice + system + irq + softirq) / ticks, stolen / ticks


def _stat_fields(pid: int) -> list[str]:
    """Return the fields of /proc/<pid>/stat from the third (state) on; the second may contain spaces."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()

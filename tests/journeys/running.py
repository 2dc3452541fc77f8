"""Starts processes for the journeys, waits for conditions, and ends only what it started."""

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import httpx

from tests.journeys import warm

ROOT = Path(__file__).parents[2]
_T = TypeVar("_T")


def wait_for(look: Callable[[], _T | None], what: str, *, seconds: float = 45.0, every: float = 0.05) -> _T:
    """The first true answer of `look`; fails saying `what` did not happen and what was last seen."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < deadline, f"after {seconds:g} s still not: {what}; last seen: {seen!r}"
        time.sleep(every)


def plain_environment() -> dict[str, str]:
    """This environment without any setting of a hub."""
    return {name: value for name, value in os.environ.items() if not name.startswith("OPENPOS_")}


class Process:
    """A Python process of ours with its output in a file; dies with the tests."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        self._process = warm.begin(arguments, environment, log, log)
        assert self._process.pid is not None
        self.pid = self._process.pid

    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.is_alive()

    def kill(self) -> None:
        """`kill -9`, as a crash would end it."""
        self._process.kill()
        self._process.join(20)

    def freeze(self) -> None:
        """Stops it in the middle of what it does, as a long pause of the machine would."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> int:
        """Asks it to end and gives its exit status; kills it when it takes too long."""
        if self.is_running():
            self._process.terminate()
        self._process.join(40)
        if self._process.exitcode is None:
            self.kill()
            raise AssertionError(f"process did not stop when asked:\n{self.output()[-3000:]}")
        return self._process.exitcode

    def exit_status(self, seconds: float = 45.0) -> int:
        """Waits until it ends by itself."""
        self._process.join(seconds)
        assert self._process.exitcode is not None, f"it still runs:\n{self.output()[-3000:]}"
        return self._process.exitcode

    def output(self) -> str:
        """What it wrote so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def wait_until_it_answers(self, client: httpx.Client, path: str) -> None:
        """Returns once the path is answered; fails with the process's output when it ended instead."""

        def answers() -> bool:
            assert self.is_running(), f"the process ended:\n{self.output()[-3000:]}"
            try:
                return client.get(path).status_code == 200
            except httpx.TransportError:
                return False

        wait_for(answers, f"an answer at {path}\n{self.output()[-3000:]}", seconds=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_running():
            self.kill()


def new_client(url: str) -> httpx.Client:
    """A client that sees no proxy of this machine."""
    return httpx.Client(base_url=url, trust_env=False, timeout=30)

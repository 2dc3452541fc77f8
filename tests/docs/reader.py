"""Somebody who follows a document: types its commands into a shell, on a demo hub with free ports."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.docs.blocks import Block
from tests.journeys.running import plain_environment, wait_for
from tests.ports import free_port
from tests.postgres import die_with_parent, postgres_server

POSTGRES_URL = "postgresql://openpos:secret@127.0.0.1/openpos"
_CURL_SETTINGS = "silent\nshow-error\nfail-with-body\n"
_READY = r"answers on|worker .* delivers"
_REFERENCE = re.compile(r'"env:(\w+)"')


class Reader:
    """Works in a folder with the project's `.venv`, and `data` made by the demo.

    The ports 8000, 8001 and 8004 of the documents stand for the demo's, 8010 and 8011 for free ones, and the address of
    PostgreSQL for a server of our own; `apply` calls no vendor. Shell variables last from one block to the next.
    """

    def __init__(self, folder: Path, *, with_demo: bool) -> None:
        self.folder = folder
        self._stack = ExitStack()
        self._running: list[subprocess.Popen[bytes]] = []
        self._secrets: dict[str, str] = {}
        self._ports = {"8000": free_port(5), "8010": free_port(), "8011": free_port()}
        self._ports |= {f"800{place}": self._ports["8000"] + place for place in (1, 4)}
        self._with_demo = with_demo
        (folder / ".venv").symlink_to(sys.prefix)
        (folder / ".curlrc").write_text(_CURL_SETTINGS)

    def write(self, block: Block) -> None:
        """Saves a block that is a file, and makes up the secrets it refers to."""
        self._secrets |= {name: f"sk_{name.lower():x<30}" for name in _REFERENCE.findall(block.text)}
        (self.folder / block.note_text).write_text(self._filled(block.text), encoding="utf-8")

    def run(self, block: Block) -> tuple[int, str]:
        """Types a block into a shell; gives its exit status and what it printed."""
        script = (
            f"set -a; [ ! -f .variables ] || . ./.variables; set -e\n{self._filled(block.text)}\nexport -p > .variables"
        )
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", script],
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def start(self, block: Block) -> None:
        """Types a block of one command that stays, and waits until it says that it is ready."""
        name = f"started-{len(self._running)}.log"
        command = re.sub(r"^(\w+=\S+ )*openpos-hub", r"exec env \g<0>", self._filled(block.text))
        self._start(f"set -a; [ ! -f .variables ] || . ./.variables\n{command}", name)
        self._wait_for(_READY, name)

    def stop(self) -> list[int]:
        """Ends what was started; gives the exit statuses."""
        for process in self._running:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
        statuses = [process.wait(40) for process in self._running]
        self._running.clear()
        return statuses

    def __enter__(self) -> Self:
        if self._with_demo:
            self._start(f"exec openpos-hub demo --port {self._ports['8000']}", "demo.log")
            try:
                self._wait_for("Stop with Ctrl-C", "demo.log")
            except BaseException:
                self.stop()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
        finally:
            self._stack.close()

    def _wait_for(self, words: str, log: str) -> None:
        """Returns once the newest process has written these words (a pattern)."""
        process = self._running[-1]

        def ready() -> bool:
            assert process.poll() is None, self._log(log)
            return re.search(words, self._log(log)) is not None

        wait_for(ready, f"{log} says {words!r}", seconds=60)

    def _start(self, script: str, log: str) -> None:
        with (self.folder / log).open("wb") as output:
            self._running.append(
                subprocess.Popen(
                    ["bash", "-c", f"{script.rstrip()}\n"],
                    cwd=self.folder,
                    env=self._environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                    preexec_fn=die_with_parent(signal.SIGTERM),
                )
            )

    def _log(self, name: str) -> str:
        path = self.folder / name
        return path.read_text(errors="replace") if path.exists() else ""

    def _filled(self, text: str) -> str:
        for port, ours in self._ports.items():
            text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{ours}").replace(f"--port {port}", f"--port {ours}")
        text = re.sub(r"openpos-hub apply \S+\.toml", r"\g<0> --no-sync", text)
        if POSTGRES_URL in text:
            text = text.replace(POSTGRES_URL, self._postgres().replace("+psycopg", ""))
        return text

    def _postgres(self) -> str:
        return self._stack.enter_context(postgres_server(fsync=False)).create_database()

    def _environment(self) -> Mapping[str, str]:
        own = {
            "PATH": f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "CURL_HOME": str(self.folder),
            "no_proxy": "*",
        }
        return plain_environment() | self._secrets | own

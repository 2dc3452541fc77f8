"""Asynchronous tests run on asyncio; hubs of their own, made from one migrated file."""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

import pytest

from hub.database.engine import Database
from hub.database.migrate import migrate
from tests.api.house import House, open_house
from tests.postgres import Server, postgres_server


class NewHouse(Protocol):
    """Opens a hub on a fresh database: SQLite unless another is given."""

    def __call__(self, database_url: str = "", **more: bool) -> AbstractAsyncContextManager[House]: ...


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    with postgres_server(fsync=False) as server:
        yield server


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database to copy."""
    path = tmp_path_factory.mktemp("api") / "template.sqlite"
    database = Database(f"sqlite:///{path}", durable=False)
    database.run_now(migrate)
    database.close_now()
    return path


@pytest.fixture
def new_house(migrated: Path, tmp_path: Path) -> NewHouse:
    shutil.copy(migrated, tmp_path / "hub.sqlite")
    return lambda database_url="", **more: open_house(tmp_path, database_url, **more)  # type: ignore[arg-type]


@pytest.fixture
async def house(new_house: NewHouse) -> AsyncIterator[House]:
    """A hub that delivers nothing."""
    async with new_house() as opened:
        yield opened


@pytest.fixture(scope="module")
async def shared_house(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One hub that delivers nothing, for all tests of a file that change nothing they find in it."""
    folder = tmp_path_factory.mktemp("shared")
    shutil.copy(migrated, folder / "hub.sqlite")
    async with open_house(folder) as opened:
        yield opened

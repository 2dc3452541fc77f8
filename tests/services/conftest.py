"""A fresh SQLite database with two venues and their links in it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.database.engine import Database
from hub.database.migrate import migrate
from tests.contract.ports import StandingClock
from tests.database.stored import NOW, declare


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file to copy."""
    path = tmp_path_factory.mktemp("services") / "template.sqlite"
    database = Database(f"sqlite:///{path}", durable=False)
    database.run_now(migrate)
    database.run_now(declare)
    database.close_now()
    return path


@pytest.fixture
def database(template: Path, tmp_path: Path) -> Iterator[Database]:
    """Venues, links and one menu, and no orders."""
    path = tmp_path / "services.sqlite"
    shutil.copy(template, path)
    opened = Database(f"sqlite:///{path}", durable=False)
    yield opened
    opened.close_now()


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock(NOW)

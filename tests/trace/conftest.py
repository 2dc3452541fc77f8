"""A database for calls, in a file of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.database.engine import Database


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'calls.sqlite'}", durable=False)
    yield opened
    opened.close_now()

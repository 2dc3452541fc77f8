"""Guests are tested on SQLite and on PostgreSQL, through the API."""

from collections.abc import AsyncIterator

import pytest

from hub.database.engine import Database
from tests.contract.ports import StandingClock
from tests.database import conftest as both
from tests.database.stored import NOW
from tests.services.guests.restaurant import Restaurant

postgres, migrated_postgres, migrated_sqlite = both.postgres, both.migrated_postgres, both.migrated_sqlite
sqlite_url, postgres_url, url = both.sqlite_url, both.postgres_url, both.url
open_database, database = both.open_database, both.database


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock(NOW)


@pytest.fixture
async def house(database: Database, clock: StandingClock) -> AsyncIterator[Restaurant]:
    """A restaurant with eight tables, and another one."""
    yield await Restaurant(database, clock).open()

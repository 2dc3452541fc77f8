"""Seating is tested on SQLite and on PostgreSQL."""

import pytest

from tests.contract.ports import StandingClock
from tests.database import conftest as both
from tests.database.stored import NOW

postgres, migrated_postgres, migrated_sqlite = both.postgres, both.migrated_postgres, both.migrated_sqlite
sqlite_url, postgres_url, url = both.sqlite_url, both.postgres_url, both.url
open_database, database = both.open_database, both.database


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock(NOW)

"""Migrations lead to exactly the tables the code knows."""

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, select

from hub.database.engine import Database
from hub.database.migrate import is_current, migrate
from hub.database.tables import metadata, revision
from tests.postgres import Server


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: object) -> Iterator[Database]:
    """A database nothing was ever done to."""
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path}/empty.sqlite"
    else:
        server: Server = request.getfixturevalue("postgres")
        address = server.create_database()
    database = Database(address, durable=False)
    yield database
    database.close_now()


def differences(connection: Connection) -> list[object]:
    # On SQLite Alembic reports every empty default as a difference, whatever the table says.
    opts = {"compare_type": True, "compare_server_default": connection.dialect.name == "postgresql"}
    context = MigrationContext.configure(connection, opts=opts)
    return list(compare_metadata(context, metadata))


def indexes(connection: Connection) -> dict[str, set[str]]:
    inspector = inspect(connection)
    return {
        table.name: {
            str(index["name"])
            for index in inspector.get_indexes(table.name)
            if not index.get("unique") or index["name"] in {own.name for own in table.indexes}
        }
        for table in metadata.sorted_tables
    }


def test_an_empty_database_is_not_current_until_it_is_migrated(empty: Database) -> None:
    assert empty.run_now(is_current) is False
    applied = empty.run_now(migrate)
    assert applied[0] == "0001"
    assert empty.run_now(is_current) is True


def test_migrating_twice_applies_nothing_the_second_time(empty: Database) -> None:
    empty.run_now(migrate)
    assert empty.run_now(migrate) == []


def test_the_migrated_schema_is_the_one_in_the_code(empty: Database) -> None:
    empty.run_now(migrate)
    assert empty.run_now(differences) == []


def test_the_migrated_database_has_every_index_of_the_code(empty: Database) -> None:
    empty.run_now(migrate)
    wanted = {table.name: {str(index.name) for index in table.indexes} for table in metadata.sorted_tables}
    assert empty.run_now(indexes) == wanted


def test_a_migrated_database_has_its_one_revision_row(empty: Database) -> None:
    empty.run_now(migrate)
    assert len(empty.run_now(lambda connection: connection.execute(select(revision)).all())) == 1

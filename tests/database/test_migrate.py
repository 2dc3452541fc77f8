"""Migrations lead to exactly the tables the code knows."""

from collections.abc import Iterator

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, func, inspect, select, update

from hub.database.engine import Database
from hub.database.migrate import _config, is_current, migrate
from hub.database.retention import delete_closed
from hub.database.tables import metadata, orders, revision
from tests.database.stored import NOW, close, declare, place
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


def test_orders_closed_before_there_was_an_archive_count_from_their_closing(empty: Database) -> None:
    empty.run_now(migrate)
    empty.run_now(declare)
    timed, untimed, opened = (place(empty).order.id for _ in range(3))
    close(empty, timed, at_ms=NOW + 5)
    close(empty, untimed, at_ms=NOW + 7)
    without_time = update(orders).where(orders.c.id == untimed)
    document = func.replace(orders.c.document, f'"closed_at_ms":{NOW + 7}', '"closed_at_ms":null')
    empty.run_now(lambda connection: connection.execute(without_time.values(document=document)))
    empty.run_now(lambda connection: command.downgrade(_config(connection), "0001"))
    assert empty.run_now(is_current) is False
    empty.run_now(migrate)
    found = empty.run_now(lambda connection: connection.execute(select(orders.c.id, orders.c.closed_at_ms)).all())
    assert {row.id: row.closed_at_ms for row in found} == {timed: NOW + 5, untimed: NOW + 7, opened: None}
    deleted = empty.run_now(lambda c: delete_closed(c, closed_until_ms=NOW + 5, after=None, limit=9))
    assert deleted.orders == 1

"""Prepared statements take and give the same values as SQLAlchemy's own way, and fail in the same way."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from hub.database.engine import Database
from hub.database.prepared import BulkInsert, Prepared, text_list
from hub.database.repetition_tables import idempotency_keys
from hub.database.tables import breakers, scheduled_runs

AWKWARD = ["plain", 'with "quotes"', "back\\slash", "comma, {brace}", "line\nbreak", "₼ and 漢", "NULL", "null", ""]
storable = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00"), max_size=20)

INSERT_KEYS = BulkInsert(idempotency_keys, "name", "fingerprint", "order_id", "answer", "expires_at_ms")
INSERT_RUNS = BulkInsert(scheduled_runs, "job", "slot", "started_at_ms", or_leave=True)
FIND_RUNS = Prepared(
    lambda listed: (
        select(scheduled_runs.c.job, scheduled_runs.c.slot)
        .where(listed(scheduled_runs.c.job, "jobs"), scheduled_runs.c.slot.in_((1, 2)))
        .order_by(scheduled_runs.c.job, scheduled_runs.c.slot)
        .limit(bindparam("limit"))
    ),
    "jobs",
    "limit",
)


def key_rows(names: Sequence[str]) -> list[tuple[Any, ...]]:
    return [(name, bytes([index, 0, 34, 92, 255]), "order_1", name, 10**12 + index) for index, name in enumerate(names)]


def stored_keys(connection: Connection) -> list[tuple[Any, ...]]:
    columns = idempotency_keys.c
    query = select(columns.name, columns.fingerprint, columns.order_id, columns.answer, columns.expires_at_ms)
    rows = connection.execute(query.order_by(columns.expires_at_ms))
    return [(row.name, bytes(row.fingerprint), *row[2:]) for row in rows]


def add_runs(connection: Connection, *rows: tuple[str, int, int]) -> None:
    INSERT_RUNS.run(connection, rows)


def test_texts_and_bytes_are_stored_as_they_are(database: Database) -> None:
    database.run_now(lambda connection: INSERT_KEYS.run(connection, key_rows(AWKWARD)))
    assert database.read_now(stored_keys) == key_rows(AWKWARD)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(texts=st.lists(storable, unique=True, max_size=5))
def test_any_text_comes_back_as_it_went_in(database: Database, texts: list[str]) -> None:
    def unit(connection: Connection) -> tuple[Any, Any]:
        connection.execute(delete(scheduled_runs))
        add_runs(connection, *((text, 1, 0) for text in texts), ("another", 1, 0))
        found = FIND_RUNS.run(connection, text_list(connection, texts), 100)
        return sorted(row.job for row in found), sorted(texts)

    found, wanted = database.run_now(unit)
    assert found == wanted


@pytest.mark.parametrize("count", [0, 1, 31, 32, 33, 70])
def test_every_row_of_a_batch_is_stored_whatever_its_size(database: Database, count: int) -> None:
    names = [f"key {index:03d}" for index in range(count)]
    database.run_now(lambda connection: INSERT_KEYS.run(connection, key_rows(names)))
    assert database.read_now(stored_keys) == key_rows(names)


def test_a_row_that_is_there_is_left_as_it_is_where_that_is_wanted(database: Database) -> None:
    database.run_now(lambda connection: add_runs(connection, ("a", 1, 10)))
    database.run_now(lambda connection: add_runs(connection, ("a", 1, 20), ("b", 1, 20)))
    query = select(scheduled_runs).order_by(scheduled_runs.c.job)
    rows = database.read_now(lambda connection: connection.execute(query).all())
    assert [tuple(row) for row in rows] == [("a", 1, 10), ("b", 1, 20)]


def test_a_broken_unique_key_is_sqlalchemy_s_error_and_nothing_of_the_unit_stays(database: Database) -> None:
    def unit(connection: Connection) -> None:
        add_runs(connection, ("a", 1, 0))
        INSERT_KEYS.run(connection, key_rows(["twin", "twin"]))

    with pytest.raises(IntegrityError):
        database.run_now(unit)
    assert database.read_now(lambda connection: connection.execute(select(scheduled_runs)).all()) == []


def test_values_of_the_statement_itself_and_parameters_find_their_places(database: Database) -> None:
    database.run_now(lambda connection: add_runs(connection, ("a", 1, 0), ("a", 2, 0), ("a", 3, 0), ("b", 1, 0)))
    found = database.run_now(lambda connection: FIND_RUNS.run(connection, text_list(connection, ["a", "b", "c"]), 2))
    assert [(row.job, row.slot) for row in found] == [("a", 1), ("a", 2)]
    nobody = database.run_now(lambda connection: FIND_RUNS.run(connection, text_list(connection, []), 2))
    assert nobody == []


def test_a_statement_may_be_run_for_many_rows_and_use_a_parameter_twice(database: Database) -> None:
    trip = Prepared(
        lambda _: (
            update(breakers)
            .where(breakers.c.operation == bindparam("name"))
            .values(trips=bindparam("times"), failures=bindparam("times"))
        ),
        "name",
        "times",
    )

    def unit(connection: Connection) -> list[tuple[Any, ...]]:
        rest = {"link_id": "link_1", "failures": 0, "trips": 0, "open_until_ms": 0}
        connection.execute(insert(breakers), [{**rest, "operation": name} for name in ("a", "b", "c")])
        trip.run_each(connection, [("a", 3), ("b", 5)])
        trip.run_each(connection, [])
        query = select(breakers.c.operation, breakers.c.trips, breakers.c.failures).order_by(breakers.c.operation)
        return [tuple(row) for row in connection.execute(query)]

    assert database.run_now(unit) == [("a", 3, 3), ("b", 5, 5), ("c", 0, 0)]

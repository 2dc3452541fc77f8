"""Group commit: many units in one transaction, each answered after it, and a failing one alone."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, insert, select, text
from sqlalchemy.exc import IntegrityError

from hub.database.engine import Database
from hub.database.tables import breakers, scheduled_runs
from hub.errors import Unavailable

pytestmark = pytest.mark.anyio


def add(slot: int) -> Callable[[Connection], int]:
    """A unit that stores one row and returns its number."""

    def unit(connection: Connection) -> int:
        connection.execute(insert(scheduled_runs), [{"job": "test", "slot": slot, "started_at_ms": 0}])
        return slot

    return unit


def slots(connection: Connection) -> list[int]:
    query = select(scheduled_runs.c.slot).where(scheduled_runs.c.job == "test").order_by(scheduled_runs.c.slot)
    return list(connection.execute(query).scalars())


def fails(connection: Connection) -> int:
    connection.execute(insert(scheduled_runs), [{"job": "test", "slot": 666, "started_at_ms": 0}])
    raise ValueError("this unit is wrong")


class Gate:
    """A unit that keeps the writer busy until it is opened, so that what comes meanwhile forms one batch."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self.entered = threading.Event()

    def __call__(self, connection: Connection) -> str:
        self.entered.set()
        assert self._open.wait(30)
        return "gate"

    def open(self) -> None:
        self._open.set()


async def in_one_batch(database: Database, start: Callable[[], Sequence["asyncio.Future[int]"]]) -> list[object]:
    """Lets the writer find everything that `start` puts in line at once."""
    gate = Gate()
    first = asyncio.ensure_future(database.write(gate))
    await asyncio.to_thread(gate.entered.wait, 5)
    waiting = start()
    await asyncio.sleep(0)  # the calls reach the writer's line
    gate.open()
    await first
    return list(await asyncio.gather(*waiting, return_exceptions=True))


async def closes(database: Database) -> bool:
    """Closes a database in a thread of its own, which a missed signal may keep for ever; says whether it ended."""
    closing = threading.Thread(target=database.close_now, daemon=True)
    closing.start()
    await asyncio.to_thread(closing.join, 3)
    return not closing.is_alive()


async def test_a_unit_is_stored_when_its_caller_is_answered(database: Database, url: str) -> None:
    engine = create_engine(url)
    assert await database.write(add(1)) == 1
    with engine.connect() as other:
        assert slots(other) == [1]
    engine.dispose()


async def test_results_come_back_in_the_order_of_the_units(database: Database) -> None:
    results = await in_one_batch(
        database, lambda: [asyncio.ensure_future(database.write(add(n))) for n in (5, 3, 9, 1)]
    )
    assert results == [5, 3, 9, 1]
    assert await database.read(slots) == [1, 3, 5, 9]


async def test_a_failing_unit_rolls_back_alone_and_the_others_commit(database: Database) -> None:
    units = [add(1), fails, add(2)]
    results = await in_one_batch(database, lambda: [asyncio.ensure_future(database.write(unit)) for unit in units])
    assert results[0] == 1
    assert isinstance(results[1], ValueError)
    assert results[2] == 2
    assert await database.read(slots) == [1, 2]


async def test_a_unit_that_runs_out_of_values_fails_and_nobody_waits_for_ever(database: Database) -> None:
    def unit(_connection: Connection) -> None:
        next(iter(()))

    with pytest.raises(RuntimeError, match="ran out of values"):
        await database.write(unit)


async def test_a_unit_that_breaks_a_unique_key_fails_with_the_database_s_own_error(database: Database) -> None:
    await database.write(add(1))
    with pytest.raises(IntegrityError):
        await database.write(add(1))
    assert await database.write(add(2)) == 2


async def test_waiting_items_of_a_batch_unit_are_given_to_it_together_and_in_order(database: Database) -> None:
    seen: list[list[int]] = []

    def each(connection: Connection, items: Sequence[int]) -> Sequence[int]:
        seen.append(list(items))
        return [item * 10 for item in items]

    results = await in_one_batch(
        database, lambda: [asyncio.ensure_future(database.write_each(each, n)) for n in range(5)]
    )
    assert results == [0, 10, 20, 30, 40]
    assert seen == [[0, 1, 2, 3, 4]]


async def test_an_item_that_breaks_its_batch_fails_alone(database: Database) -> None:
    def each(connection: Connection, items: Sequence[int]) -> Sequence[int]:
        rows = [{"job": "test", "slot": item, "started_at_ms": 0} for item in items]
        connection.execute(insert(scheduled_runs), rows)
        if 3 in items:
            raise ValueError("three is wrong")
        return list(items)

    results = await in_one_batch(
        database, lambda: [asyncio.ensure_future(database.write_each(each, n)) for n in range(1, 6)]
    )
    assert [result for result in results if not isinstance(result, ValueError)] == [1, 2, 4, 5]
    assert isinstance(results[2], ValueError)
    assert await database.read(slots) == [1, 2, 4, 5]


async def test_what_a_caller_asked_for_is_stored_even_when_it_goes_away(database: Database) -> None:
    gate = Gate()
    first = asyncio.ensure_future(database.write(gate))
    await asyncio.to_thread(gate.entered.wait, 5)
    gone = asyncio.ensure_future(database.write(add(1)))
    await asyncio.sleep(0)
    gone.cancel()
    gate.open()
    await first
    await database.write(add(2))
    assert await database.read(slots) == [1, 2]


async def test_closing_finishes_what_waits(database: Database, url: str) -> None:
    waiting = [asyncio.ensure_future(database.write(add(n))) for n in range(20)]
    await asyncio.sleep(0)
    assert await closes(database)
    assert await asyncio.gather(*waiting) == list(range(20))
    engine = create_engine(url)
    with engine.connect() as other:
        assert slots(other) == list(range(20))
    engine.dispose()


async def test_closing_while_the_writer_gathers_returns(open_database: Callable[[], Database]) -> None:
    """After a batch of two the writer lingers for a millisecond to gather more; closing must not be missed then."""
    for _ in range(10):
        database = open_database()
        await asyncio.gather(database.write(slots), database.write(slots))
        last = asyncio.ensure_future(database.write(slots))
        await asyncio.sleep(0)
        assert await closes(database)
        assert await last == []


async def test_three_hundred_units_at_once_are_all_stored(database: Database) -> None:
    """More than fit into one transaction."""
    results = await asyncio.gather(*(database.write(add(n)) for n in range(300)))
    assert results == list(range(300))
    assert await database.read(slots) == list(range(300))


async def test_a_reader_does_not_see_what_is_not_committed(database: Database) -> None:
    gate = Gate()

    def unit(connection: Connection) -> None:
        add(1)(connection)
        gate(connection)

    writing = asyncio.ensure_future(database.write(unit))
    await asyncio.to_thread(gate.entered.wait, 5)
    assert await database.read(slots) == []
    gate.open()
    await writing
    assert await database.read(slots) == [1]


async def test_a_damaged_file_is_named_to_the_operator_and_not_to_callers(tmp_path: Path) -> None:
    file = tmp_path / "hub.sqlite"
    file.write_bytes(b"no database" * 1000)
    database = Database(f"sqlite:///{file}")
    with pytest.raises(Unavailable) as reading:
        await database.read(slots)
    with pytest.raises(Unavailable) as writing:
        await database.write(slots)
    assert reading.value.message == "the database cannot be read at the moment"
    assert writing.value.message == "the database cannot be written at the moment; nothing was stored"
    assert str(file) in reading.value.for_operator and str(file) in writing.value.for_operator
    await database.close()


async def test_reading_without_a_database_is_unavailable(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/no/such/folder/hub.sqlite")
    with pytest.raises(Unavailable, match="cannot be read"):
        await database.read(slots)
    with pytest.raises(Unavailable, match="nothing was stored") as raised:
        await database.write(add(1))
    assert raised.value.status == 503
    assert raised.value.retry_after_seconds == 2
    await database.close()


async def test_two_databases_on_one_file_do_not_lose_each_other_s_writes(
    open_database: Callable[[], Database],
) -> None:
    first, second = open_database(), open_database()
    await asyncio.gather(
        *(first.write(add(n)) for n in range(0, 100, 2)), *(second.write(add(n)) for n in range(1, 100, 2))
    )
    assert await first.read(slots) == list(range(100))


async def test_sqlite_is_durable_unless_it_is_told_otherwise(sqlite_url: str) -> None:
    durable, quick = Database(sqlite_url), Database(sqlite_url, durable=False)
    mode = text("PRAGMA synchronous")
    assert await durable.write(lambda connection: connection.execute(mode).scalar_one()) == 2  # FULL
    assert await quick.write(lambda connection: connection.execute(mode).scalar_one()) == 1  # NORMAL
    assert await durable.write(lambda c: c.execute(text("PRAGMA journal_mode")).scalar_one()) == "wal"
    await durable.close()
    await quick.close()


async def test_postgresql_waits_neither_long_for_a_lock_nor_for_a_statement(postgres_url: str) -> None:
    database = Database(postgres_url)
    shown = await database.write(
        lambda connection: [
            connection.execute(text(f"SHOW {n}")).scalar_one() for n in ("lock_timeout", "statement_timeout")
        ]
    )
    assert shown == ["2s", "15s"]
    await database.close()


async def test_a_unit_that_met_a_twin_in_another_process_is_tried_again(
    open_database: Callable[[], Database],
) -> None:
    """Three processes insert the same rows if they are not there yet: whoever loses must find, not fail."""

    def insert_if_missing(connection: Connection, items: Sequence[int]) -> Sequence[str]:
        there = select(breakers.c.operation).where(
            breakers.c.link_id == "link", breakers.c.operation.in_(map(str, items))
        )
        known = set(connection.execute(there).scalars())
        new = sorted({str(item) for item in items} - known)
        if new:
            rows = [
                {"link_id": "link", "operation": name, "failures": 0, "trips": 0, "open_until_ms": 0} for name in new
            ]
            connection.execute(insert(breakers), rows)
        return ["found" if str(item) in known else "new" for item in items]

    databases = [open_database() for _ in range(3)]
    for start in range(0, 120, 4):
        results = await asyncio.gather(
            *(d.write_each(insert_if_missing, start + n) for n in range(4) for d in databases), return_exceptions=True
        )
        assert [result for result in results if isinstance(result, Exception)] == []
        assert results.count("new") == 4


async def test_a_unit_that_meets_one_twin_in_its_batch_and_another_alone_still_succeeds(postgres_url: str) -> None:
    """A busy neighbour commits row 1 while the batch runs, and row 2 while the second unit is repeated alone."""
    database, neighbour = Database(postgres_url), create_engine(postgres_url)
    commits = {(1, 2): 1, (2,): 2}

    def insert_if_missing(connection: Connection, items: Sequence[int]) -> Sequence[str]:
        known = set(slots(connection))
        meanwhile = commits.pop(tuple(items), None)
        if meanwhile is not None:
            with neighbour.begin() as other:
                add(meanwhile)(other)
        for item in items:
            if item not in known:
                add(item)(connection)
        return ["found" if item in known else "new" for item in items]

    try:
        results = await in_one_batch(
            database, lambda: [asyncio.ensure_future(database.write_each(insert_if_missing, n)) for n in (1, 2)]
        )
        assert results == ["found", "found"]
    finally:
        await database.close()
        neighbour.dispose()

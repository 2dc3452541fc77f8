"""The table map: ids that stay, names that are written in many ways, and a queue for those nobody knows."""

import pytest
from msgspec import structs

from hub.database.engine import Database
from hub.database.floor import load_floor
from hub.errors import InvalidRequest, NotFound
from hub.model.table import Table, TableStatus, declared_table_id
from hub.services.tables import replace_declared_tables, replace_pos_tables
from tests.contract.ports import StandingClock
from tests.database.stored import NOW, OTHER_VENUE, VENUE
from tests.services.seating.dining_room import FLOOR, DiningRoom

pytestmark = pytest.mark.anyio


def pos_tells(database: Database, *tables: Table) -> None:
    database.run_now(lambda c: replace_pos_tables(c, VENUE.id, tables, now_ms=NOW))


def file_says(database: Database, *names: str, seats: int | None = None) -> bool:
    declared = [Table(id=declared_table_id(VENUE.id, name), name=name, seats=seats) for name in names]
    return database.run_now(lambda c: replace_declared_tables(c, VENUE.id, declared))


def ids(database: Database) -> dict[str, str]:
    floor = database.read_now(lambda c: load_floor(c, VENUE.id))
    return {table.name: table.id for table in floor.tables}


async def test_a_table_is_free_occupied_or_as_the_pos_said(database: Database, clock: StandingClock) -> None:
    told = (FLOOR[0], structs.replace(FLOOR[1], status=TableStatus.RESERVED))
    stale = structs.replace(FLOOR[2], status=TableStatus.OCCUPIED)
    room = await DiningRoom(database, clock).open_doors(tables=(*told, stale))
    await room.open("T1")
    seen = await room.list_tables()
    assert [(table.name, table.status) for table in seen] == [
        ("T1", TableStatus.OCCUPIED),
        ("T2", TableStatus.RESERVED),
        ("T3", TableStatus.FREE),
    ]
    assert (seen[0].seats, seen[0].area, seen[0].id.startswith("tbl_")) == (4, "Hall", True)


async def test_a_channel_seats_by_the_ids_it_was_given(database: Database, clock: StandingClock) -> None:
    room = await DiningRoom(database, clock).open_doors()
    given = {table.name: table.id for table in await room.list_tables()}
    tab = await room.open(given["T4"], given["T5"])
    assert tab.order.tables == ("T4", "T5")


async def test_a_table_that_is_renamed_at_the_pos_keeps_its_id_and_its_old_name(
    database: Database, clock: StandingClock
) -> None:
    room = await DiningRoom(database, clock).open_doors(tables=FLOOR[:2])
    before = ids(database)
    pos_tells(database, structs.replace(FLOOR[0], name="T2"), structs.replace(FLOOR[1], name="Window"))
    assert ids(database) == {"T2": before["T1"], "Window": before["T2"]}
    assert (await room.open("T1")).order.tables == ("T2",)
    assert (await room.open("window", channel_order_id="b-2")).order.tables == ("Window",)


async def test_a_table_that_is_gone_at_the_pos_is_no_table_any_more_and_comes_back_as_the_same(
    database: Database, clock: StandingClock
) -> None:
    await DiningRoom(database, clock).open_doors(tables=FLOOR[:2])
    before = ids(database)
    pos_tells(database, FLOOR[0])
    assert list(ids(database)) == ["T1"]
    pos_tells(database, *FLOOR[:2])
    assert ids(database) == before


async def test_the_file_and_the_pos_tell_of_one_table(database: Database, clock: StandingClock) -> None:
    await DiningRoom(database, clock).open_doors(tables=FLOOR[:1])
    before = ids(database)
    assert file_says(database, "t1", "Bar", seats=6)
    assert ids(database) == {"t1": before["T1"], "Bar": declared_table_id(VENUE.id, "Bar")}
    assert not file_says(database, "t1", "Bar", seats=6)
    pos_tells(database, structs.replace(FLOOR[0], seats=2))
    floor = database.read_now(lambda c: load_floor(c, VENUE.id))
    assert [(table.name, table.seats) for table in floor.tables] == [("Bar", 6), ("t1", 6)]
    assert file_says(database)
    assert list(ids(database)) == ["t1"]


async def test_a_table_nobody_knows_is_seated_and_waits_for_a_person(database: Database, clock: StandingClock) -> None:
    room = await DiningRoom(database, clock).open_doors()
    first = await room.open("Terrace 4")
    assert first.order.tables == ("Terrace 4",)
    [waiting] = await room.tables.unknown()
    assert (waiting.name, waiting.told_by, waiting.order_id) == ("Terrace 4", "book", first.order.id)
    assert await room.tables.unknown(OTHER_VENUE.id) == []
    mapped = await room.tables.map(VENUE.id, "terrace 4", "t7", actor="tester")
    assert (mapped.name, await room.tables.unknown()) == ("T7", [])
    moved = room.stored(first.order.id)
    assert (moved.tables, room.kinds(first.order.id)) == (("T7",), ["placed", "table_mapped"])
    again = await room.open("TERRACE4", "T8")
    assert again.order.tables == ("T7", "T8")
    assert await room.tables.unknown() == []


async def test_another_spelling_of_an_unknown_table_is_no_move(database: Database, clock: StandingClock) -> None:
    room = await DiningRoom(database, clock).open_doors()
    await room.open("Terrace 4")
    assert (await room.open("terrace4")).order.version == 1
    assert len(await room.tables.unknown()) == 1


async def test_a_venue_without_a_list_of_tables_takes_any_name(database: Database, clock: StandingClock) -> None:
    room = await DiningRoom(database, clock).open_doors(tables=())
    assert (await room.open("7a")).order.tables == ("7a",)
    assert await room.tables.unknown() == []


async def test_only_a_known_table_can_be_meant(database: Database, clock: StandingClock) -> None:
    room = await DiningRoom(database, clock).open_doors()
    with pytest.raises(NotFound, match="there is no table 'T99'"):
        await room.tables.map(VENUE.id, "Terrace 4", "T99", actor="tester")
    with pytest.raises(InvalidRequest, match="'T2' is a table of its own"):
        await room.tables.map(VENUE.id, "t2", "T3", actor="tester")
    with pytest.raises(InvalidRequest):
        await room.tables.map(VENUE.id, " ", "T3", actor="tester")

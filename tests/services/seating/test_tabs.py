"""What a channel may read of a venue's tabs: its own and walk-ins, by when they last changed, closed ones too."""

import pytest
from msgspec import structs

from hub.database import directory as stored_directory
from hub.database.engine import Database
from hub.database.vendor_refs import save_ref
from hub.errors import InvalidRequest, NotFound
from hub.model.order import VendorRef
from hub.model.status import Stage, Status
from hub.services.asked import Asked
from tests.contract.ports import StandingClock
from tests.database.stored import DAY, MINUTE, NOW, OTHER_VENUE, VENUE, place
from tests.services.seating.dining_room import CHANNEL, ELSEWHERE, SECOND, DiningRoom, opened_at_the_pos
from tests.services.seating.test_opening import changes_of

pytestmark = pytest.mark.anyio


async def three_tabs(database: Database, clock: StandingClock) -> DiningRoom:
    """b-1 is closed two minutes later, b-2 stays as it is, b-3 is opened another minute later."""
    room = await DiningRoom(database, clock).open_doors()
    first = await room.open("T1")
    await room.open("T2", channel_order_id="b-2")
    clock.advance(120)
    await changes_of(room).set_stage(Asked(first.order.id, "tester"), Stage.COMPLETED)
    clock.advance(60)
    await room.open("T3", channel_order_id="b-3")
    return room


async def test_a_tab_is_found_by_our_id_its_number_and_the_channels_id(
    database: Database, clock: StandingClock
) -> None:
    room = await DiningRoom(database, clock).open_doors()
    opened = await room.open("T1")
    for name in (opened.order.id, opened.order.id.removeprefix("order_"), "DT-001", "b-1"):
        assert await room.get(name) == opened
    for name in ("DT-002", "b-9", "", "x" * 201, "b\x001", "order_" + "0" * 32):
        with pytest.raises(NotFound):
            await room.get(name)


async def test_tabs_are_listed_by_when_they_last_changed(database: Database, clock: StandingClock) -> None:
    room = await three_tabs(database, clock)
    listed = await room.tabs()
    assert [tab.channel_order_id for tab in listed] == ["b-2", "b-1", "b-3"]
    assert [tab.order.status for tab in listed] == [Status.OPEN, Status.CLOSED, Status.OPEN]
    assert [tab.channel_order_id for tab in await room.tabs(is_open=True)] == ["b-2", "b-3"]
    assert [tab.channel_order_id for tab in await room.tabs(is_open=False)] == ["b-1"]


async def test_a_window_is_half_open(database: Database, clock: StandingClock) -> None:
    room = await three_tabs(database, clock)
    closed_at, seated_at = NOW + 2 * MINUTE, NOW + 3 * MINUTE
    listed = await room.tabs(from_ms=closed_at, until_ms=seated_at)
    assert [tab.channel_order_id for tab in listed] == ["b-1"]
    assert await room.tabs(from_ms=closed_at + 1, until_ms=seated_at) == []


async def test_pages_cut_the_list_from_outside(database: Database, clock: StandingClock) -> None:
    room = await three_tabs(database, clock)
    pages = [await room.tabs(limit=2, offset=offset) for offset in (0, 2, 4)]
    assert [[tab.channel_order_id for tab in page] for page in pages] == [["b-2", "b-1"], ["b-3"], []]
    with pytest.raises(InvalidRequest):
        await room.tabs(offset=-1)


async def test_more_tabs_than_one_page_of_the_database_are_all_there(database: Database, clock: StandingClock) -> None:
    room = await DiningRoom(database, clock).open_doors()
    for number in range(205):  # all changed in the same millisecond
        opened_at_the_pos(database, f"X{number}", id_there=f"till-{number}")
    listed = await room.tabs()
    assert len({tab.order.id for tab in listed}) == 205
    assert [tab.order.id for tab in await room.tabs(offset=200)] == [tab.order.id for tab in listed[200:]]


async def test_without_a_window_the_last_45_days_are_listed(database: Database, clock: StandingClock) -> None:
    room = await DiningRoom(database, clock).open_doors()
    opened_at_the_pos(database, "T1", id_there="old", at_ms=NOW - 45 * DAY - 1)
    opened_at_the_pos(database, "T2", id_there="new", at_ms=NOW - 45 * DAY)
    assert [tab.order.tables for tab in await room.tabs()] == [("T2",)]
    assert [tab.order.tables for tab in await room.tabs(from_ms=0)] == [("T1",), ("T2",)]


async def test_walk_ins_are_shown_unless_the_link_keeps_them(database: Database, clock: StandingClock) -> None:
    room = await DiningRoom(database, clock).open_doors()
    walk_in = room.opened_at_the_pos("T3")
    place(database, link=None)  # for pickup: no channel's business
    assert [tab.order.id for tab in await room.tabs()] == [walk_in.id]
    assert (await room.get(walk_in.id)).order.id == walk_in.id
    discreet = structs.replace(CHANNEL, walk_ins="keep", id="link_" + "8" * 32)
    database.run_now(lambda c: stored_directory.save_link(c, discreet))
    assert await room.tabs(discreet) == []
    with pytest.raises(NotFound):
        await room.get(walk_in.id, discreet)
    with pytest.raises(NotFound):
        await room.get("DT-002", CHANNEL)


async def test_a_walk_in_that_got_an_id_at_the_channel_is_found_by_it(database: Database, clock: StandingClock) -> None:
    room = await DiningRoom(database, clock).open_doors()
    walk_in = room.opened_at_the_pos("T3")
    ref = VendorRef(kind="order", id="w-1")
    database.run_now(lambda c: save_ref(c, CHANNEL.id, ref, walk_in.id, now_ms=NOW))
    tab = await room.get("w-1")
    assert (tab.order.id, tab.channel_order_id) == (walk_in.id, "w-1")


async def test_another_venues_channel_sees_nothing_of_it(database: Database, clock: StandingClock) -> None:
    room = await DiningRoom(database, clock).open_doors(CHANNEL, ELSEWHERE)
    mine = await room.open("T1")

    assert await room.tabs(ELSEWHERE) == []
    assert await room.list_tables(ELSEWHERE) == []
    for name in (mine.order.id, "DT-001", "b-1"):
        with pytest.raises(NotFound):
            await room.get(name, ELSEWHERE)
    # The same id and table name there are another party's.
    theirs = await room.open("T1", link=ELSEWHERE)
    assert (theirs.order.number, theirs.order.venue_id) == ("OT-001", OTHER_VENUE.id)
    assert room.stored(mine.order.id).venue_id == VENUE.id


async def test_a_channel_finds_no_order_by_another_channels_id(database: Database, clock: StandingClock) -> None:
    owned = structs.replace(VENUE, seating="book")
    room = await DiningRoom(database, clock).open_doors(CHANNEL, SECOND, venue=owned)
    mine = await room.open("T1")
    with pytest.raises(NotFound):
        await room.get("b-1", SECOND)
    assert (await room.get(mine.order.id, SECOND)).channel_order_id == ""

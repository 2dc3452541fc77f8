"""What the POS does with a table reaches the channels, and does not unseat guests that a channel seated."""

import pytest
from msgspec import structs

from hub.database import directory as stored_directory
from hub.database.engine import Database
from hub.database.order_reads import find_order_by_ref
from hub.database.vendor_refs import save_ref
from hub.model.change import OrderSnapshot
from hub.model.order import Order, VendorRef
from hub.model.status import Stage, Status
from hub.services.sync import PolledLink
from tests.contract.ports import StandingClock
from tests.database.stored import LINK, NOW, VENUE, claim_one
from tests.services.seating.dining_room import CHANNEL, DiningRoom
from tests.services.test_pickup import TILL, opened_at_the_till
from tests.services.test_sync import Kitchen, syncing, told

pytestmark = pytest.mark.anyio


def found(database: Database) -> Order:
    order = database.read_now(lambda connection: find_order_by_ref(connection, LINK.id, TILL))
    assert order is not None
    return order


async def test_a_walk_in_is_told_from_its_opening_to_its_end(database: Database, clock: StandingClock) -> None:
    room = await DiningRoom(database, clock).open_doors()
    kitchen = Kitchen(opened_at_the_till(tables=("T3",), stage=Stage.PREPARING))
    sync = await syncing(database, clock, kitchen)
    assert await sync.poll(LINK.id) == PolledLink(0, 0, 1)
    assert room.told() == ["push_opened"]
    kitchen.known = [opened_at_the_till(tables=("T4",), stage=Stage.PREPARING)]
    assert await sync.poll(LINK.id) == PolledLink(1, 1, 0)
    assert found(database).tables == ("T4",)
    ended = opened_at_the_till(tables=("T4",), stage=Stage.COMPLETED, status=Status.CLOSED, raw_status="DONE")
    kitchen.known = [ended]
    await sync.poll(LINK.id)
    assert room.told() == ["push_opened", "push_changed", "push_closed"]
    first = claim_one(database, link=CHANNEL)
    assert isinstance(first.change, OrderSnapshot)
    assert (first.operation, first.change.order.tables, first.change.order.status) == (
        "push_opened",
        ("T3",),
        Status.OPEN,
    )
    assert (await room.get("DT-001")).order.status is Status.CLOSED
    assert (await room.open("T4")).order.number == "DT-002"


async def test_a_channel_that_keeps_walk_ins_to_themselves_is_told_nothing(
    database: Database, clock: StandingClock
) -> None:
    room = await DiningRoom(database, clock).open_doors(structs.replace(CHANNEL, walk_ins="keep"))
    room.opened_at_the_pos("T3")
    assert room.told() == []


@pytest.mark.parametrize(("seating", "table", "guests"), [("", "T1", 4), ("book", "T1", 4), ("pos", "T2", 9)])
async def test_the_pos_moves_only_guests_that_no_channel_seats(
    database: Database, clock: StandingClock, seating: str, table: str, guests: int
) -> None:
    room = await DiningRoom(database, clock).open_doors()
    tab = await room.open("T1")
    ref = VendorRef(kind="order", id="9001")
    venue = structs.replace(VENUE, seating=seating)
    database.run_now(lambda c: save_ref(c, LINK.id, ref, tab.order.id, now_ms=NOW))
    database.run_now(lambda c: stored_directory.save_venue(c, venue))
    kitchen = Kitchen(told(stage=Stage.PREPARING, raw_status="COOKING", tables=("T2",), party_size=9))
    await (await syncing(database, clock, kitchen)).poll(LINK.id)
    order = room.stored(tab.order.id)
    assert (order.stage, order.tables, order.party_size) == (Stage.PREPARING, (table,), guests)

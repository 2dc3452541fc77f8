"""What the POS did with open orders is compared, and becomes a change once."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import Connection

from hub.contract.writes import Replay
from hub.database import directory as stored_directory
from hub.database.deliveries import State, enqueue
from hub.database.engine import Database
from hub.database.order_reads import load_events, load_order
from hub.database.orders import save_change
from hub.errors import VendorMalformed, VendorRejected, VendorUnavailable
from hub.model.order import PosOrder, VendorRef
from hub.model.status import Stage, Status
from hub.services.directory import Directory
from hub.services.pickup import Pickup
from hub.services.sync import PolledLink, Sync, poll_quietly
from tests.contract.ports import StandingClock
from tests.database.stored import DAY, LINK, NOW, claim_one, counting_ids, finish, new_id, order_of, place
from tests.services.dispatching import OneConnector
from tests.services.scripted import ScriptedPos

ORDER = order_of()
LATER = NOW + 60_000


def told(**values: Any) -> PosOrder:
    first = PosOrder(ref=VendorRef(kind="order", id="9001"), raw_status="NEW", status=Status.OPEN, stage=Stage.RECEIVED)
    return structs.replace(first, **values)


class Kitchen(ScriptedPos):
    """Lists or shows what it was given."""

    def __init__(self, *orders: PosOrder | Exception) -> None:
        super().__init__(Replay.KEYED)
        self.known = list(orders)
        self.asked: list[str] = []

    async def list_orders(self, *, since_ms: int) -> Sequence[PosOrder]:
        self.asked.append(f"list since {since_ms - NOW}")
        return [order for order in self.known if isinstance(order, PosOrder)]

    async def fetch_order(self, ref: VendorRef) -> PosOrder:
        self.asked.append(ref.id)
        for order in self.known:
            if isinstance(order, Exception):
                raise order
            if order.ref == ref:
                return order
        raise VendorRejected("404")


def picks_nothing_up(database: Database) -> None:
    """The link leaves what the staff opens at the POS alone."""
    link = structs.replace(LINK, pos_orders="ignore")
    database.run_now(lambda connection: stored_directory.save_link(connection, link))


def delivered(database: Database, vendor_id: str) -> str:
    item = place(database)
    finish(database, claim_one(database), State.DELIVERED, ref=VendorRef(kind="order", id=vendor_id))
    return item.order.id


async def syncing(database: Database, clock: StandingClock, kitchen: Kitchen) -> Sync:
    directory, new_id = Directory(database), counting_ids(NOW + DAY)
    await directory.refresh()
    return Sync(
        database=database,
        directory=directory,
        connections=OneConnector(kitchen),  # type: ignore[arg-type]
        pickup=Pickup(database=database, directory=directory, clock=clock, new_id=new_id),
        clock=clock,
        new_id=new_id,
    )


@pytest.mark.anyio
async def test_without_open_orders_the_pos_is_not_asked(database: Database, clock: StandingClock) -> None:
    picks_nothing_up(database)
    place(database)
    kitchen = Kitchen()
    assert await (await syncing(database, clock, kitchen)).poll(LINK.id) == PolledLink(0, 0)
    assert kitchen.asked == []


@pytest.mark.anyio
async def test_a_single_order_is_read_and_a_change_stored_once(database: Database, clock: StandingClock) -> None:
    picks_nothing_up(database)
    order_id = delivered(database, "9001")
    kitchen = Kitchen(told(stage=Stage.PREPARING, raw_status="COOKING"))
    sync = await syncing(database, clock, kitchen)
    assert [await sync.poll(LINK.id) for _ in range(3)] == [PolledLink(1, 1), PolledLink(1, 0), PolledLink(1, 0)]
    assert kitchen.asked == ["9001"] * 3
    events = database.read_now(lambda c: load_events(c, order_id))
    assert [(event.kind, event.actor) for event in events] == [("placed", "tester"), ("pos_changed", "pos")]
    assert "received -> preparing (COOKING)" in events[-1].detail


@pytest.mark.anyio
async def test_several_orders_are_listed_and_what_the_list_leaves_out_is_read(
    database: Database, clock: StandingClock
) -> None:
    ids = [delivered(database, vendor_id) for vendor_id in ("9001", "9002", "9003")]
    kitchen = Kitchen(told(stage=Stage.READY), told(ref=VendorRef(kind="order", id="9002"), stage=Stage.SERVED))
    assert await (await syncing(database, clock, kitchen)).poll(LINK.id) == PolledLink(3, 2)
    assert kitchen.asked == ["list since -120000", "9003"]
    stages = [database.read_now(lambda c, i=i: load_order(c, i)).order.stage for i in ids]  # type: ignore[union-attr]
    assert stages == [Stage.READY, Stage.SERVED, Stage.RECEIVED]


@pytest.mark.anyio
async def test_a_pos_that_does_not_answer_is_asked_again_next_time(
    database: Database, clock: StandingClock, caplog: pytest.LogCaptureFixture
) -> None:
    delivered(database, "9001")
    sync = await syncing(database, clock, Kitchen(VendorUnavailable("down")))
    assert await poll_quietly(sync, LINK.id) is None
    assert "open orders could not be polled: down" in caplog.text


def change(database: Database, order_id: str, **values: Any) -> None:
    """What became of an order here."""

    def unit(connection: Connection) -> None:
        record = load_order(connection, order_id)
        assert record is not None
        words = {"event_id": new_id("evt"), "kind": "items_added", "actor": "tester", "detail": ""}
        assert save_change(connection, record.order, structs.replace(record.order, **values), **words)

    database.run_now(unit)


def on_its_way(database: Database, order_id: str) -> None:
    """Something of ours goes to the POS."""
    ids = {"lane_id": new_id("lane"), "delivery_id": new_id("dlv"), "link_id": LINK.id, "order_id": order_id}
    database.run_now(
        lambda c: enqueue(c, **ids, operation="add_lines", now_ms=NOW, deliver_by_ms=LATER)  # type: ignore[arg-type]
    )


@pytest.mark.anyio
async def test_what_is_on_its_way_to_the_pos_is_not_undone_by_what_the_pos_said_before(
    database: Database, clock: StandingClock
) -> None:
    picks_nothing_up(database)
    order_id = delivered(database, "9001")
    on_its_way(database, order_id)
    kitchen = Kitchen(told(stage=Stage.PREPARING, raw_status="COOKING"))
    sync = await syncing(database, clock, kitchen)
    assert await sync.poll(LINK.id) == PolledLink(1, 0)
    assert kitchen.asked == []
    finish(database, claim_one(database, now_ms=LATER), State.DELIVERED)
    assert await sync.poll(LINK.id) == PolledLink(1, 1)
    assert kitchen.asked == ["9001"]


@pytest.mark.anyio
async def test_what_waits_for_a_person_does_not_stop_the_poll(database: Database, clock: StandingClock) -> None:
    picks_nothing_up(database)
    order_id = delivered(database, "9001")
    on_its_way(database, order_id)
    finish(database, claim_one(database, now_ms=LATER), State.DEAD, cause="POS_REJECTED")
    sync = await syncing(database, clock, Kitchen(told(stage=Stage.PREPARING, raw_status="COOKING")))
    assert await sync.poll(LINK.id) == PolledLink(1, 1)


@pytest.mark.anyio
async def test_a_change_made_while_the_pos_is_asked_is_not_undone(database: Database, clock: StandingClock) -> None:
    picks_nothing_up(database)
    order_id = delivered(database, "9001")

    class Slow(Kitchen):
        async def fetch_order(self, ref: VendorRef) -> PosOrder:
            answer = await super().fetch_order(ref)
            if len(self.asked) == 1:
                change(database, order_id, tables=("T9",))
            return answer

    sync = await syncing(database, clock, Slow(told(tables=("T1",))))
    assert await sync.poll(LINK.id) == PolledLink(1, 0)
    assert database.read_now(lambda c: load_order(c, order_id)).order.tables == ("T9",)  # type: ignore[union-attr]
    assert await sync.poll(LINK.id) == PolledLink(1, 1)


@pytest.mark.anyio
async def test_an_order_whose_answer_cannot_be_read_does_not_keep_the_others_waiting(
    database: Database, clock: StandingClock, caplog: pytest.LogCaptureFixture
) -> None:
    picks_nothing_up(database)
    unreadable, unstorable, good = [delivered(database, vendor_id) for vendor_id in ("9001", "9002", "9003")]
    kitchen = Kitchen(
        told(ref=VendorRef(kind="order", id="9002"), stage=Stage.READY, raw_status="\ud800"),
        told(ref=VendorRef(kind="order", id="9003"), stage=Stage.SERVED),
        VendorMalformed("1E+30 makes no amount of money"),
    )
    sync = await syncing(database, clock, kitchen)
    assert await sync.poll(LINK.id) == PolledLink(3, 1)
    record = database.read_now(lambda c: load_order(c, good))
    assert record is not None and record.order.stage is Stage.SERVED
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == f"order {unreadable}: what the POS says of it cannot be read: 1E+30 makes no amount of money"
    assert lines[1].startswith(f"order {unstorable}: cannot follow what the POS says of it: ")
    assert len(lines) == 2 and "Traceback" not in caplog.text

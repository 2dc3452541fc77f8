"""What the POS did with open orders is compared, and becomes a change once."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import structs

from hub.contract.writes import Replay
from hub.database.deliveries import State
from hub.database.engine import Database
from hub.database.order_reads import load_events, load_order
from hub.errors import VendorRejected, VendorUnavailable
from hub.model.order import MoneyAudit, Order, PosOrder, VendorRef
from hub.model.status import PaymentStatus, Stage, Status
from hub.services.sync import PolledLink, Sync, apply_pos_order, poll_quietly
from tests.contract.ports import StandingClock
from tests.database.stored import DAY, LINK, NOW, claim_one, counting_ids, finish, order_of, place
from tests.services.dispatching import OneConnector
from tests.services.scripted import ScriptedPos

ORDER = order_of()
LATER = NOW + 60_000


def told(**values: Any) -> PosOrder:
    first = PosOrder(ref=VendorRef(kind="order", id="9001"), raw_status="NEW", status=Status.OPEN, stage=Stage.RECEIVED)
    return structs.replace(first, **values)


def changed(order: Order = ORDER, **values: Any) -> Order:
    after = apply_pos_order(order, told(**values), LATER)
    assert after is not None
    return after


def test_nothing_new_is_no_change() -> None:
    assert apply_pos_order(ORDER, told(), LATER) is None
    assert apply_pos_order(ORDER, told(raw_status="other word for the same"), LATER) is None
    assert apply_pos_order(ORDER, told(total_cents=1800), LATER) is None


def test_a_new_stage_is_taken_with_the_pos_s_own_word() -> None:
    after = changed(stage=Stage.PREPARING, raw_status="IN_KITCHEN")
    assert (after.stage, after.raw_status, after.updated_at_ms) == (Stage.PREPARING, "IN_KITCHEN", LATER)
    assert after.timing.closed_at_ms is None


def test_a_closed_order_is_closed_from_then_on() -> None:
    after = changed(stage=Stage.COMPLETED, status=Status.CLOSED, payment_status=PaymentStatus.PAID)
    assert (after.status, after.payment_status, after.timing.closed_at_ms) == (Status.CLOSED, PaymentStatus.PAID, LATER)


def test_what_the_pos_does_not_say_stays_as_it_was() -> None:
    paid = structs.replace(ORDER, payment_status=PaymentStatus.PAID)
    assert changed(paid, stage=Stage.READY).payment_status is PaymentStatus.PAID
    assert changed(stage=Stage.UNKNOWN, status=Status.UNKNOWN, raw_status="???").status is Status.OPEN


def test_a_word_nobody_knows_is_kept_and_marked() -> None:
    after = changed(stage=Stage.UNKNOWN, raw_status="TELEPORTED")
    assert (after.stage, after.raw_status) == (Stage.UNKNOWN, "TELEPORTED")


def test_another_total_of_the_pos_is_noted_and_ours_stays() -> None:
    after = changed(total_cents=1900)
    assert after.money_audit == MoneyAudit(computed_cents=1800, pos_cents=1900)
    assert after.totals.total_cents == 1800
    assert changed(after, total_cents=1800).money_audit.pos_cents == 1800


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


def delivered(database: Database, vendor_id: str) -> str:
    item = place(database)
    finish(database, claim_one(database), State.DELIVERED, ref=VendorRef(kind="order", id=vendor_id))
    return item.order.id


def syncing(database: Database, clock: StandingClock, kitchen: Kitchen) -> Sync:
    return Sync(
        database=database,
        connections=OneConnector(kitchen),  # type: ignore[arg-type]
        clock=clock,
        new_id=counting_ids(NOW + DAY),
    )


@pytest.mark.anyio
async def test_without_open_orders_the_pos_is_not_asked(database: Database, clock: StandingClock) -> None:
    place(database)
    kitchen = Kitchen()
    assert await syncing(database, clock, kitchen).poll(LINK.id) == PolledLink(0, 0)
    assert kitchen.asked == []


@pytest.mark.anyio
async def test_a_single_order_is_read_and_a_change_stored_once(database: Database, clock: StandingClock) -> None:
    order_id = delivered(database, "9001")
    kitchen = Kitchen(told(stage=Stage.PREPARING, raw_status="COOKING"))
    sync = syncing(database, clock, kitchen)
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
    assert await syncing(database, clock, kitchen).poll(LINK.id) == PolledLink(3, 2)
    assert kitchen.asked == ["list since -120000", "9003"]
    stages = [database.read_now(lambda c, i=i: load_order(c, i)).order.stage for i in ids]  # type: ignore[union-attr]
    assert stages == [Stage.READY, Stage.SERVED, Stage.RECEIVED]


@pytest.mark.anyio
async def test_a_pos_that_does_not_answer_is_asked_again_next_time(
    database: Database, clock: StandingClock, caplog: pytest.LogCaptureFixture
) -> None:
    delivered(database, "9001")
    sync = syncing(database, clock, Kitchen(VendorUnavailable("down")))
    assert await poll_quietly(sync, LINK.id) is None
    assert "open orders could not be polled: down" in caplog.text

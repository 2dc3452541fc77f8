"""What is opened at the POS becomes an order here, once; what carries a hub's mark does not."""

from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import select

from hub.contract.writes import Operation, OrderWrite, Replay, WriteResult, write
from hub.database.deliveries import State
from hub.database.engine import Database
from hub.database.order_reads import find_order_by_ref
from hub.database.tables import orders
from hub.model.check import Check, Line, Totals
from hub.model.ids import order_mark
from hub.model.order import Order, PosOrder, VendorRef
from hub.model.status import OrderType, PaymentStatus, Stage, Status
from hub.services.sync import PolledLink
from tests.contract.ports import StandingClock
from tests.database.stored import LINK, NOW, PLOV, claim_one, finish, place
from tests.services.test_sync import Kitchen, picks_nothing_up, syncing, told

TILL = VendorRef(kind="order", id="till-1")


def opened_at_the_till(**values: Any) -> PosOrder:
    line = Line(uid="1", item_id=PLOV.id, name="Plov", quantity=2, unit_cents=1800, gross_cents=3600)
    check = Check(id="till-1", lines=(line,), totals=Totals(subtotal_cents=3600, total_cents=3600))
    first: dict[str, Any] = {
        "ref": TILL,
        "checks": (check,),
        "total_cents": 3600,
        "tables": ("7",),
        "raw_status": "NEW",
    }
    return told(**{**first, **values})


def found(database: Database, ref: VendorRef = TILL) -> Order | None:
    return database.read_now(lambda connection: find_order_by_ref(connection, LINK.id, ref))


def how_many(database: Database) -> int:
    return len(database.read_now(lambda connection: connection.execute(select(orders.c.id)).all()))


@pytest.mark.anyio
async def test_an_order_opened_at_the_pos_is_taken_in_once(database: Database, clock: StandingClock) -> None:
    kitchen = Kitchen(opened_at_the_till(stage=Stage.PREPARING, created_at_ms=NOW - 5000))
    sync = await syncing(database, clock, kitchen)
    assert await sync.poll(LINK.id) == PolledLink(0, 0, 1)
    assert await sync.poll(LINK.id) == PolledLink(1, 0, 0)
    order = found(database)
    assert order is not None
    assert (order.number, order.order_type, order.tables) == ("DT-001", OrderType.DINE_IN, ("7",))
    assert (order.stage, order.totals.total_cents, order.payment_status) == (
        Stage.PREPARING,
        3600,
        PaymentStatus.UNPAID,
    )
    assert (order.origin.system, order.origin.order_id, order.created_at_ms) == ("pos:till", "till-1", NOW - 5000)
    assert how_many(database) == 1


@pytest.mark.anyio
async def test_it_follows_the_pos_from_then_on(database: Database, clock: StandingClock) -> None:
    kitchen = Kitchen(opened_at_the_till())
    sync = await syncing(database, clock, kitchen)
    await sync.poll(LINK.id)
    kitchen.known = [opened_at_the_till(stage=Stage.COMPLETED, status=Status.CLOSED, raw_status="DONE")]
    assert await sync.poll(LINK.id) == PolledLink(1, 1, 0)
    order = found(database)
    assert order is not None
    assert (order.status, order.stage) == (Status.CLOSED, Stage.COMPLETED)


@pytest.mark.anyio
async def test_a_row_of_a_list_is_read_whole_first(database: Database, clock: StandingClock) -> None:
    class Summaries(Kitchen):
        async def list_orders(self, *, since_ms: int) -> list[PosOrder]:
            return [structs.replace(told(ref=TILL), summary_only=True)]

    kitchen = Summaries(opened_at_the_till())
    assert (await (await syncing(database, clock, kitchen)).poll(LINK.id)).picked_up == 1
    assert kitchen.asked == ["till-1"]


@pytest.mark.anyio
async def test_an_order_with_a_mark_is_not_taken_in(database: Database, clock: StandingClock) -> None:
    kitchen = Kitchen(opened_at_the_till(mark="#ABCDEFGH"))
    assert (await (await syncing(database, clock, kitchen)).poll(LINK.id)).picked_up == 0
    assert how_many(database) == 0


class TwoSteps(Kitchen):
    """A vendor with drafts, whose cancellations are kept."""

    submission = (Operation.SUBMIT_ORDER, Operation.SEND_TO_KITCHEN)

    def __init__(self, *orders: PosOrder | Exception) -> None:
        super().__init__(*orders)
        self.cancelled: list[tuple[str, str]] = []

    @write(Replay.REPEATABLE)
    async def cancel_order(self, request: OrderWrite) -> WriteResult:
        assert request.ref is not None
        self.cancelled.append((request.ref.id, request.reason))
        return WriteResult(ref=request.ref)


@pytest.mark.anyio
async def test_a_duplicate_draft_of_ours_is_cancelled_at_the_pos(database: Database, clock: StandingClock) -> None:
    order = place(database).order
    finish(database, claim_one(database), State.DELIVERED, ref=VendorRef(kind="order", id="9001"))
    orphan = told(ref=VendorRef(kind="order", id="9000"), mark=order_mark(order.id))
    kitchen = TwoSteps(told(stage=Stage.PREPARING, mark=order_mark(order.id)), orphan)
    assert (await (await syncing(database, clock, kitchen)).poll(LINK.id)).picked_up == 0
    assert kitchen.cancelled == [("9000", "duplicate of 9001")]


@pytest.mark.anyio
async def test_a_draft_of_ours_is_swept_where_orders_of_the_till_are_left_alone(
    database: Database, clock: StandingClock
) -> None:
    order = place(database).order
    finish(database, claim_one(database), State.DELIVERED, ref=VendorRef(kind="order", id="9001"))
    picks_nothing_up(database)
    orphan = told(ref=VendorRef(kind="order", id="9000"), mark=order_mark(order.id))
    staffs = opened_at_the_till(summary_only=True)
    kitchen = TwoSteps(told(stage=Stage.PREPARING, mark=order_mark(order.id)), orphan, staffs)
    assert (await (await syncing(database, clock, kitchen)).poll(LINK.id)).picked_up == 0
    assert kitchen.cancelled == [("9000", "duplicate of 9001")]
    assert TILL.id not in kitchen.asked
    assert how_many(database) == 1


@pytest.mark.anyio
async def test_while_an_order_is_on_its_way_nothing_is_swept(database: Database, clock: StandingClock) -> None:
    order = place(database).order
    kitchen = TwoSteps(told(mark=order_mark(order.id)))
    await (await syncing(database, clock, kitchen)).poll(LINK.id)
    assert kitchen.cancelled == []


@pytest.mark.anyio
async def test_orders_that_stay_unknown_do_not_keep_those_behind_them_waiting(
    database: Database, clock: StandingClock
) -> None:
    foreign = [
        opened_at_the_till(ref=VendorRef(kind="order", id=f"foreign-{number}"), mark="#ABCDEFGH")
        for number in range(20)  # as many as one poll looks at
    ]
    sync = await syncing(database, clock, Kitchen(*foreign, opened_at_the_till()))
    assert [(await sync.poll(LINK.id)).picked_up for _ in range(3)] == [0, 1, 0]
    assert found(database) is not None


@pytest.mark.anyio
async def test_an_order_that_is_listed_and_not_shown_does_not_keep_the_others_waiting(
    database: Database, clock: StandingClock
) -> None:
    class Forgetful(Kitchen):
        async def list_orders(self, *, since_ms: int) -> list[PosOrder]:
            refs = (VendorRef(kind="order", id="gone"), TILL)
            return [structs.replace(told(ref=ref), summary_only=True) for ref in refs]

    kitchen = Forgetful(opened_at_the_till())
    assert (await (await syncing(database, clock, kitchen)).poll(LINK.id)).picked_up == 1
    assert kitchen.asked == ["gone", "till-1"]


@pytest.mark.anyio
async def test_an_order_that_cannot_be_taken_in_does_not_keep_the_others_waiting(
    database: Database, clock: StandingClock, caplog: pytest.LogCaptureFixture
) -> None:
    bad = opened_at_the_till(ref=VendorRef(kind="order", id="till-0"), created_at_ms=10**18)
    sync = await syncing(database, clock, Kitchen(bad, opened_at_the_till(created_at_ms=NOW - 5000)))
    assert await sync.poll(LINK.id) == PolledLink(0, 0, 1)
    assert found(database) is not None
    assert "order till-0 at the POS cannot be picked up: " in caplog.text and "Traceback" not in caplog.text

"""The checks of a tab are split, closed and voided one by one; the order follows them, and the POS hears of the end."""

import pytest

from hub.contract.base import PosConnector
from hub.database.deliveries import State
from hub.database.engine import Database
from hub.database.order_reads import load_order
from hub.errors import Conflict, InvalidRequest
from hub.model.check import Check
from hub.model.order import Order, OrderRecord, VendorRef
from hub.model.payment import Payment, PaymentMethod
from hub.model.status import PaymentStatus, Stage, Status
from hub.services.asked import Asked, AtPos
from hub.services.checks import Checks
from hub.services.requests import LineRequest
from tests.contract.ports import StandingClock
from tests.database.stored import LINK, PLOV, claim_one, finish
from tests.services.fake_pos import PlainPos
from tests.services.seating.dining_room import CHANNEL, DiningRoom
from tests.services.seating.test_opening import changes_of
from tests.services.test_changes import AblePos

pytestmark = pytest.mark.anyio


class Tab:
    """A tab of three plovs (1800 each) at T1 that the POS has, and its checks."""

    def __init__(self, room: DiningRoom, order: Order) -> None:
        self.room, self.order_id = room, order.id
        self.changes = changes_of(room)
        self.checks = Checks(changes=self.changes, new_id=room.new_id)

    @property
    def asked(self) -> Asked:
        return Asked(self.order_id, "tester")

    @property
    def record(self) -> OrderRecord:
        record = self.room.database.read_now(lambda connection: load_order(connection, self.order_id))
        assert record is not None
        return record

    @property
    def order(self) -> Order:
        return self.record.order

    def check(self, number: int) -> Check:
        return self.order.checks[number - 1]


async def tab_of(database: Database, clock: StandingClock, pos: type[PosConnector]) -> Tab:
    room = await DiningRoom(database, clock, pos=pos).open_doors()
    tab = Tab(room, (await room.open("T1")).order)
    await tab.changes.add_lines(tab.asked, [LineRequest(item_id=PLOV.id, quantity=3)])
    finish(database, claim_one(database), State.DELIVERED, ref=VendorRef(kind="order", id="9001"))
    return tab


@pytest.fixture
async def able(database: Database, clock: StandingClock) -> Tab:
    return await tab_of(database, clock, AblePos)


@pytest.fixture
async def plain(database: Database, clock: StandingClock) -> Tab:
    return await tab_of(database, clock, PlainPos)


def cash(cents: int) -> Payment:
    return Payment(id=f"pay_{cents}", method=PaymentMethod.CASH, cents=cents)


async def test_a_split_is_the_hubs_own_and_the_fidelity_report_says_so(able: Tab) -> None:
    answer = await able.checks.split_by_lines(able.asked, [{"li_1": 1}])
    assert (answer.pos, [check.totals.total_cents for check in able.order.checks]) == (
        AtPos.NOT_SUPPORTED,
        [3600, 1800],
    )
    assert [able.order.check_number(check) for check in able.order.checks] == ["DT-001", "DT-001-2"]
    assert (able.order.totals.total_cents, able.order.version) == (5400, 3)
    [loss] = answer.record.fidelity
    assert (loss.target, loss.path, loss.kind) == ("till", "checks", "flattened")
    assert loss.loss == "the POS has one bill; the hub keeps its 2 checks"
    assert able.room.told(LINK) == []
    assert able.room.told(CHANNEL)[-1] == "push_changed"


async def test_lines_move_between_checks_and_back(able: Tab) -> None:
    await able.checks.split_by_lines(able.asked, [{"li_1": 1}])
    first, second = able.check(1).id, able.check(2).id
    await able.checks.move(able.asked, {"li_1": 2}, check_id=first, to_check_id=second)
    assert [check.totals.total_cents for check in able.order.checks] == [0, 5400]
    with pytest.raises(InvalidRequest, match="the lines are on this check already"):
        await able.checks.move(able.asked, {"li_1": 1}, check_id=second, to_check_id=second)


async def test_the_order_closes_with_its_last_check_and_the_pos_is_told(able: Tab) -> None:
    await able.checks.split_evenly(able.asked, 3)
    first, second, third = (check.id for check in able.order.checks)
    assert [check.totals.total_cents for check in able.order.checks] == [1800, 1800, 1800]
    paid = await able.checks.close(able.asked, check_id=second, payments=[cash(1800)])
    assert (paid.pos, able.check(2).status, able.order.status) == (AtPos.QUEUED, Status.CLOSED, Status.OPEN)
    assert (able.order.payment_status, able.room.told(LINK)) == (PaymentStatus.PARTIAL, ["record_payment"])
    again = await able.checks.close(able.asked, check_id=second, payments=[cash(1800)])
    assert (again.pos, len(able.check(2).payments)) == (AtPos.APPLIED, 1)
    await able.checks.close(able.asked, check_id=first)
    await able.checks.close(able.asked, check_id=third, payments=[cash(1800)])
    assert (able.order.status, able.order.stage, able.order.payment_status) == (
        Status.CLOSED,
        Stage.COMPLETED,
        PaymentStatus.PARTIAL,
    )
    assert able.order.timing.closed_at_ms is not None
    assert able.room.told(LINK) == ["record_payment", "record_payment", "set_stage"]
    assert able.room.told(CHANNEL)[-1] == "push_closed"


async def test_where_the_pos_takes_no_stage_the_hub_alone_knows_that_it_is_over(plain: Tab) -> None:
    answer = await plain.checks.close(plain.asked, check_id=plain.check(1).id, payments=[cash(5400)])
    assert (answer.pos, plain.order.status, plain.order.stage) == (AtPos.NOT_SUPPORTED, Status.CLOSED, Stage.COMPLETED)
    assert plain.order.payment_status is PaymentStatus.PAID


async def test_a_void_check_does_not_count_and_the_others_close_the_order(able: Tab) -> None:
    await able.checks.split_by_lines(able.asked, [{"li_1": 1}])
    first, second = able.check(1).id, able.check(2).id
    await able.checks.void(able.asked, check_id=second, reason="wrong table")
    assert (able.order.totals.total_cents, able.order.money_audit.computed_cents) == (3600, 3600)
    await able.checks.void(able.asked, check_id=second, reason="again")
    assert able.room.kinds(able.order_id)[-1] == "check_voided"
    assert able.order.version == 4
    await able.checks.close(able.asked, check_id=first)
    assert (able.order.status, able.order.stage) == (Status.CLOSED, Stage.COMPLETED)
    with pytest.raises(InvalidRequest, match="is closed") as problem:
        await able.checks.void(able.asked, check_id=first, reason="too late")
    assert problem.value.code == "CHECK_CLOSED"


async def test_the_last_check_that_counts_is_voided_by_cancelling_the_order(able: Tab) -> None:
    await able.checks.split_by_lines(able.asked, [{"li_1": 1}])
    await able.checks.void(able.asked, check_id=able.check(1).id, reason="guest left")
    answer = await able.checks.void(able.asked, check_id=able.check(2).id, reason="guest left")
    assert (answer.pos, answer.applied, able.order.status) == (AtPos.QUEUED, False, Status.OPEN)
    finish(able.room.database, claim_one(able.room.database), State.DELIVERED, stage=Stage.CANCELLED)
    assert (able.order.status, {check.status for check in able.order.checks}) == (Status.VOID, {Status.VOID})


async def test_a_paid_check_is_not_voided_and_none_is_paid_twice(able: Tab) -> None:
    await able.checks.split_by_lines(able.asked, [{"li_1": 1}])
    second = able.check(2).id
    await able.changes.record_payments(able.asked, [cash(100)], check_id=second)
    with pytest.raises(InvalidRequest, match="100 are paid on this check") as problem:
        await able.checks.void(able.asked, check_id=second, reason="no")
    assert problem.value.code == "CHECK_PAID"
    with pytest.raises(InvalidRequest, match="1701 is more than the 1700 that are due"):
        await able.checks.close(able.asked, check_id=second, payments=[cash(1701)])


async def test_an_older_version_and_an_unknown_check_are_refused(able: Tab) -> None:
    with pytest.raises(Conflict, match="the order is at version 2, not 1"):
        await able.checks.split_evenly(Asked(able.order_id, "tester", version=1), 2)
    with pytest.raises(InvalidRequest, match="the order has no check 'chk_x'"):
        await able.checks.split_evenly(able.asked, 2, check_id="chk_x")
    await able.checks.close(able.asked, check_id=able.check(1).id)
    with pytest.raises(InvalidRequest, match="no open check"):
        await able.checks.split_evenly(able.asked, 2)


async def test_a_tab_on_which_nothing_was_ordered_closes_without_the_pos(
    database: Database, clock: StandingClock
) -> None:
    room = await DiningRoom(database, clock, pos=AblePos).open_doors()
    tab = Tab(room, (await room.open("T1")).order)
    answer = await tab.checks.close(tab.asked, check_id=tab.check(1).id)
    assert (answer.pos, tab.order.status, room.told(LINK)) == (AtPos.APPLIED, Status.CLOSED, [])
    assert (await room.open("T1", channel_order_id="b-2")).order.number == "DT-002"

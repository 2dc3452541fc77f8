"""Changes of an order are stored here first and sent to the POS where it can take them, with an honest answer."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from sqlalchemy import Connection, delete

from hub.contract.base import PosConnector
from hub.contract.connector import ProbeStep
from hub.contract.manifest import Manifest
from hub.contract.registry import Registration, Registry
from hub.contract.tables import VendorTables
from hub.contract.writes import OrderWrite, Replay, WriteResult, write
from hub.database import directory as stored_directory
from hub.database.deliveries import State
from hub.database.engine import Database
from hub.database.order_reads import load_events, load_order
from hub.database.tables import links
from hub.database.vendor_refs import save_ref
from hub.errors import Conflict, InvalidRequest, NotFound
from hub.model import causes
from hub.model.change import DiscountChange, LinesChange, PaymentChange, StageChange
from hub.model.order import Order, PosOrder, VendorRef
from hub.model.payment import Payment, PaymentMethod
from hub.model.status import PaymentStatus, Stage, Status
from hub.services.asked import Asked, AtPos
from hub.services.changes import Changes
from hub.services.directory import Directory
from hub.services.requests import DiscountRequest, LineRequest
from tests.contract.ports import StandingClock
from tests.database.stored import DAY, LINK, MINUTE, NOW, PLOV, VENUE, claim_all, claim_one, counting_ids, finish, place
from tests.services.fake_pos import PlainPos

POS_ID = VendorRef(kind="order", id="9001")
TEN_OFF = DiscountRequest(type="percent", value=Decimal(10))


class AblePos(PosConnector):
    """Takes every change."""

    async def probe(self) -> Sequence[ProbeStep]:
        return []

    async def fetch_order(self, ref: VendorRef) -> PosOrder:
        raise self.unsupported("fetch_order")

    @write(Replay.ONCE)
    async def submit_order(self, request: OrderWrite) -> WriteResult:
        return WriteResult()

    cancel_order = set_stage = add_lines = record_payment = refund_payment = apply_discount = submit_order


def registry_of(connector: type[PosConnector]) -> Registry:
    manifest = Manifest(id="till", name="Till", role="pos", docs="https://example.com", secret_headers=())
    tables = VendorTables("till", {})
    return Registry({"till": Registration(connector=connector, manifest=manifest, config_schema={}, tables=tables)})


class Changing:
    """The service over a database, with one order and what was sent on."""

    def __init__(self, database: Database, clock: StandingClock, connector: type[PosConnector]) -> None:
        self.database, self.woken = database, []  # type: tuple[Database, list[str]]
        self.directory = Directory(database)
        self.changes = Changes(
            database=database,
            directory=self.directory,
            registry=registry_of(connector),
            clock=clock,
            new_id=counting_ids(NOW + DAY),
            on_queued=self.woken.append,
        )
        self.order_id = ""

    async def with_order(self, *, at_pos: bool = True) -> "Changing":
        await self.directory.refresh()
        self.order_id = place(self.database).order.id
        if at_pos:
            finish(self.database, claim_one(self.database), State.DELIVERED, ref=POS_ID)
        return self

    def asked(self, version: int | None = None) -> Asked:
        return Asked(self.order_id, "tester", version)

    def order(self) -> Order:
        record = self.database.read_now(lambda connection: load_order(connection, self.order_id))
        assert record is not None
        return record.order

    def kinds(self) -> list[str]:
        return [event.kind for event in self.database.read_now(lambda c: load_events(c, self.order_id))]


@pytest.fixture
async def able(database: Database, clock: StandingClock) -> Changing:
    return await Changing(database, clock, AblePos).with_order()


@pytest.fixture
async def plain(database: Database, clock: StandingClock) -> Changing:
    return await Changing(database, clock, PlainPos).with_order()


def cash(cents: int, reference: str = "") -> Payment:
    return Payment(id=f"pay_{cents}", method=PaymentMethod.CASH, cents=cents, reference=reference)


@pytest.mark.anyio
async def test_an_order_the_pos_has_is_cancelled_when_the_pos_agrees(able: Changing) -> None:
    answer = await able.changes.cancel(able.asked(), reason="guest left")
    assert (answer.pos, answer.applied, answer.record.order.stage) == (AtPos.QUEUED, False, Stage.RECEIVED)
    again = await able.changes.cancel(able.asked(), reason="guest left")
    assert (again.pos, able.kinds()) == (AtPos.QUEUED, ["placed", "cancel_requested"])
    claimed = claim_one(able.database)
    assert (claimed.operation, claimed.reason, claimed.ref) == ("cancel_order", "guest left", POS_ID)
    finish(able.database, claimed, State.DELIVERED, stage=Stage.CANCELLED, stage_event_id="evt_9")
    assert (able.order().stage, able.order().status, able.order().checks[0].status) == (
        Stage.CANCELLED,
        Status.VOID,
        Status.VOID,
    )
    done = await able.changes.cancel(able.asked(), reason="again")
    assert (done.pos, done.applied) == (AtPos.APPLIED, True)
    assert able.woken == [LINK.id, LINK.id]


@pytest.mark.anyio
async def test_an_order_that_was_not_sent_yet_is_never_sent(database: Database, clock: StandingClock) -> None:
    waiting = await Changing(database, clock, PlainPos).with_order(at_pos=False)
    answer = await waiting.changes.cancel(waiting.asked(), reason="changed my mind")
    assert (answer.applied, answer.record.order.status) == (True, Status.VOID)
    assert claim_all(database, now_ms=NOW + MINUTE) == []


@pytest.mark.anyio
async def test_an_order_on_its_way_is_cancelled_behind_it(database: Database, clock: StandingClock) -> None:
    sending = await Changing(database, clock, AblePos).with_order(at_pos=False)
    claimed = claim_one(database)
    answer = await sending.changes.cancel(sending.asked(), reason="late")
    assert (answer.pos, answer.applied) == (AtPos.QUEUED, False)
    finish(database, claimed, State.DELIVERED, ref=POS_ID)
    assert claim_one(database, now_ms=NOW + 2000).operation == "cancel_order"


async def opened_at_the_pos(database: Database, clock: StandingClock) -> Changing:
    """An order that the staff opened at the POS and a poll picked up: nothing was ever sent for it."""
    picked_up = Changing(database, clock, AblePos)
    await picked_up.directory.refresh()
    picked_up.order_id = place(database, link=None).order.id
    database.run_now(lambda connection: save_ref(connection, LINK.id, POS_ID, picked_up.order_id, now_ms=NOW))
    return picked_up


@pytest.mark.anyio
async def test_an_order_opened_at_the_pos_is_cancelled_there(database: Database, clock: StandingClock) -> None:
    picked_up = await opened_at_the_pos(database, clock)
    answer = await picked_up.changes.cancel(picked_up.asked(), reason="guest left")
    assert (answer.pos, answer.applied) == (AtPos.QUEUED, False)
    assert (claim_one(database).operation, picked_up.order().stage) == ("cancel_order", Stage.RECEIVED)


@pytest.mark.anyio
async def test_a_round_for_an_order_opened_at_the_pos_is_no_second_order(
    database: Database, clock: StandingClock
) -> None:
    picked_up = await opened_at_the_pos(database, clock)
    await picked_up.changes.add_lines(picked_up.asked(), [LineRequest(item_id=PLOV.id)])
    claimed = claim_one(database)
    assert (claimed.operation, claimed.ref) == ("add_lines", POS_ID)


@pytest.mark.anyio
async def test_a_pos_that_cannot_cancel_says_so_and_nothing_changes(plain: Changing) -> None:
    with pytest.raises(InvalidRequest, match="Till cannot cancel orders for others"):
        await plain.changes.cancel(plain.asked(), reason="no")
    assert (plain.order().stage, plain.kinds()) == (Stage.RECEIVED, ["placed"])


@pytest.mark.anyio
async def test_an_order_nobody_knows_about_is_settled_first(database: Database, clock: StandingClock) -> None:
    lost = await Changing(database, clock, AblePos).with_order(at_pos=False)
    finish(database, claim_one(database), State.DEAD, cause=causes.OUTCOME_UNKNOWN)
    with pytest.raises(Conflict, match="nobody knows whether the POS has this order"):
        await lost.changes.cancel(lost.asked(), reason="no")
    assert lost.order().stage is Stage.RECEIVED


@pytest.mark.anyio
async def test_one_the_pos_refused_is_cancelled_here(database: Database, clock: StandingClock) -> None:
    refused = await Changing(database, clock, PlainPos).with_order(at_pos=False)
    finish(database, claim_one(database), State.DEAD, cause=causes.POS_REJECTED)
    assert (await refused.changes.cancel(refused.asked(), reason="no")).record.order.stage is Stage.CANCELLED


@pytest.mark.anyio
async def test_a_stage_goes_to_the_pos_that_takes_it(able: Changing) -> None:
    answer = await able.changes.set_stage(able.asked(), Stage.READY)
    assert (answer.pos, answer.applied, able.order().stage) == (AtPos.QUEUED, True, Stage.READY)
    claimed = claim_one(able.database)
    assert (claimed.operation, claimed.change) == ("set_stage", StageChange(stage=Stage.READY))
    same = await able.changes.set_stage(able.asked(), Stage.READY)
    assert (same.pos, able.order().version) == (AtPos.APPLIED, 2)


@pytest.mark.anyio
async def test_a_stage_stays_here_where_the_pos_takes_none(plain: Changing) -> None:
    answer = await plain.changes.set_stage(plain.asked(), Stage.COMPLETED)
    assert (answer.pos, answer.record.order.status) == (AtPos.NOT_SUPPORTED, Status.CLOSED)
    with pytest.raises(InvalidRequest, match="the order is completed already"):
        await plain.changes.set_stage(plain.asked(), Stage.READY)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("stage", "words"),
    [
        (Stage.RECEIVED, "it does not go back to received"),
        (Stage.OUT_FOR_DELIVERY, "is not brought to the guest"),
        (Stage.CANCELLED, "use cancel"),
    ],
)
async def test_a_stage_that_cannot_be_is_refused(able: Changing, stage: Stage, words: str) -> None:
    await able.changes.set_stage(able.asked(), Stage.ACCEPTED)
    with pytest.raises(InvalidRequest, match=words):
        await able.changes.set_stage(able.asked(), stage)


@pytest.mark.anyio
async def test_payments_are_recorded_once_and_never_more_than_due(able: Changing) -> None:
    answer = await able.changes.record_payments(able.asked(), [cash(800, "r1")])
    assert (answer.pos, able.order().payment_status) == (AtPos.QUEUED, PaymentStatus.PARTIAL)
    again = await able.changes.record_payments(able.asked(), [cash(800, "r1")])
    assert (again.pos, len(able.order().checks[0].payments)) == (AtPos.APPLIED, 1)
    with pytest.raises(InvalidRequest, match="1001 is more than the 1000 that are due"):
        await able.changes.record_payments(able.asked(), [cash(1001)])
    await able.changes.record_payments(able.asked(), [cash(400), cash(600)])
    assert able.order().payment_status is PaymentStatus.PAID
    changes = [claimed.change for claimed in claim_all(able.database)]
    check_id = able.order().checks[0].id
    assert changes == [PaymentChange(check_id=check_id, payments=(cash(800, "r1"),))]


@pytest.mark.anyio
async def test_a_refund_gives_back_no_more_than_was_paid(able: Changing) -> None:
    await able.changes.record_payments(able.asked(), [cash(1800)])
    with pytest.raises(InvalidRequest, match="the order has no payment 'pay_x'"):
        await able.changes.refund(able.asked(), "pay_x", 100, reason="cold")
    with pytest.raises(InvalidRequest, match="1900 is more than the 1800 that can be given back"):
        await able.changes.refund(able.asked(), "pay_1800", 1900, reason="cold")
    await able.changes.refund(able.asked(), "pay_1800", 1800, reason="cold")
    assert able.order().payment_status is PaymentStatus.REFUNDED


@pytest.mark.anyio
async def test_a_discount_takes_the_place_of_the_one_before(able: Changing) -> None:
    await able.changes.discount(able.asked(), TEN_OFF)
    assert able.order().totals.total_cents == 1620
    await able.changes.discount(able.asked(), DiscountRequest(type="amount", value=Decimal(300)))
    order = able.order()
    assert (order.totals.total_cents, order.totals.discount_cents, order.money_audit.computed_cents) == (
        1500,
        300,
        1500,
    )
    change = claim_one(able.database).change
    assert isinstance(change, DiscountChange)
    assert change.discount.cents == 180


@pytest.mark.anyio
async def test_a_further_round_is_priced_from_the_menu_with_the_discount(able: Changing) -> None:
    await able.changes.discount(able.asked(), TEN_OFF)
    answer = await able.changes.add_lines(able.asked(), [LineRequest(item_id=PLOV.id, quantity=2)])
    check = answer.record.order.checks[0]
    assert ([line.uid for line in check.lines], check.totals.total_cents) == (["li_1", "li_2"], 4860)
    finish(able.database, claim_one(able.database), State.DELIVERED)
    change = claim_one(able.database, now_ms=NOW + 2000).change
    assert isinstance(change, LinesChange)
    assert [(line.uid, line.quantity) for line in change.lines] == [("li_2", 2)]


@pytest.mark.anyio
async def test_a_refused_payment_does_not_hold_up_what_comes_after(able: Changing) -> None:
    await able.changes.record_payments(able.asked(), [cash(800)])
    await able.changes.cancel(able.asked(), reason="guest left")
    refused = claim_one(able.database)
    finish(able.database, refused, State.DEAD, cause=causes.POS_REJECTED)
    assert claim_one(able.database, now_ms=NOW + 2000).operation == "cancel_order"


@pytest.mark.anyio
async def test_another_version_and_an_unknown_order_are_refused(able: Changing) -> None:
    with pytest.raises(Conflict, match="the order is at version 1, not 7"):
        await able.changes.set_stage(able.asked(version=7), Stage.READY)
    with pytest.raises(NotFound):
        await able.changes.set_stage(Asked("order_" + "0" * 32, "tester"), Stage.READY)


@pytest.mark.anyio
async def test_without_a_pos_everything_happens_here(database: Database, clock: StandingClock) -> None:
    alone = Changing(database, clock, AblePos)
    await alone.directory.refresh()
    alone.order_id = place(database, link=None).order.id
    database.run_now(_unlink)
    await alone.directory.refresh()
    assert (await alone.changes.set_stage(alone.asked(), Stage.READY)).pos is AtPos.NO_POS
    assert (await alone.changes.cancel(alone.asked(), reason="")).pos is AtPos.NO_POS
    assert alone.order().status is Status.VOID


def _unlink(connection: Connection) -> None:
    connection.execute(delete(links).where(links.c.id == LINK.id))
    stored_directory.save_venue(connection, VENUE)

"""What waits for a person is found at its deadline, delivered again, or marked as done."""

import pytest
from msgspec import structs

from hub.database import directory as stored_directory
from hub.database.deliveries import State
from hub.database.engine import Database
from hub.database.order_reads import load_events, load_order
from hub.database.orders import save_change
from hub.errors import Conflict
from hub.model import causes
from hub.model.order import OrderRecord
from hub.model.status import Injection, Stage
from hub.services.stuck import Stuck
from tests.contract.ports import StandingClock
from tests.database.stored import (
    DAY,
    LINK,
    MINUTE,
    NOW,
    claim_all,
    claim_one,
    counting_ids,
    finish,
    place,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def stuck(database: Database, clock: StandingClock) -> Stuck:
    return Stuck(database=database, clock=clock, new_id=counting_ids(NOW + DAY))


def load(database: Database, number: str = "DT-001") -> OrderRecord:
    record = database.read_now(lambda connection: load_order(connection, number))
    assert record is not None
    return record


async def test_an_order_nobody_could_send_in_time_waits_for_a_person(
    database: Database, clock: StandingClock, stuck: Stuck
) -> None:
    place(database)
    waits = {"due_at_ms": NOW + 1, "cause": causes.POS_UNREACHABLE, "detail": "refused"}
    finish(database, claim_one(database), State.PENDING, **waits)
    database.run_now(lambda c: stored_directory.set_link_paused(c, LINK.id, causes.POS_AUTH_FAILED))
    clock.advance(599)
    assert await stuck.give_up_overdue() == 0
    clock.advance(1)
    assert await stuck.give_up_overdue() == 1
    assert await stuck.give_up_overdue() == 0
    [entry] = await stuck.load()
    assert (entry.order_number, entry.cause, entry.detail) == ("DT-001", "DEADLINE_PASSED", "refused")
    assert load(database).injection[0].state is Injection.MANUAL_REQUIRED


async def test_what_may_have_been_sent_is_never_said_to_have_failed(
    database: Database, clock: StandingClock, stuck: Stuck
) -> None:
    place(database)
    finish(database, claim_one(database), State.UNKNOWN, due_at_ms=NOW + 20 * MINUTE, cause=causes.OUTCOME_UNKNOWN)
    clock.advance(600)
    assert await stuck.give_up_overdue() == 1
    assert (await stuck.load())[0].cause == "OUTCOME_UNKNOWN"


@pytest.mark.parametrize(
    ("cause", "force", "looked_up_first"),
    [
        (causes.DEADLINE_PASSED, False, False),
        (causes.POS_REJECTED, False, False),
        (causes.VALUE_NOT_MAPPED, False, False),
        (causes.POS_RATE_LIMITED, False, False),
        (causes.OUTCOME_UNKNOWN, False, True),
        (causes.LOOK_UP_AMBIGUOUS, False, True),
        (causes.HUB_ERROR, False, True),
        (causes.OUTCOME_UNKNOWN, True, False),
        (causes.LOOK_UP_AMBIGUOUS, True, False),
    ],
)
async def test_delivering_again_looks_first_where_it_may_have_been_sent(
    database: Database, clock: StandingClock, stuck: Stuck, cause: str, force: bool, looked_up_first: bool
) -> None:
    place(database)
    finish(database, claim_one(database), State.DEAD, cause=cause)
    clock.advance(3600)
    assert await stuck.deliver_again(load(database).order, actor="maria", force=force) == 1
    again = claim_one(database, now_ms=clock.now_ms())
    assert again.uncertain is looked_up_first
    assert again.deliver_by_ms == clock.now_ms() + 10 * MINUTE
    last = database.read_now(lambda c: load_events(c, again.order_id))[-1]
    assert (last.kind, last.actor) == ("deliver_again", "maria")


async def test_a_rejected_order_that_is_delivered_again_is_received_again(database: Database, stuck: Stuck) -> None:
    place(database)
    finish(database, claim_one(database), State.DEAD, cause=causes.POS_REJECTED)
    before = load(database).order
    rejected = structs.replace(before, stage=Stage.REJECTED)
    event_id = counting_ids(NOW + MINUTE)("evt")
    database.run_now(
        lambda c: save_change(c, before, rejected, event_id=event_id, kind="rejected", actor="pos", detail="closed")
    )
    await stuck.deliver_again(load(database).order, actor="maria")
    assert load(database).order.stage is Stage.RECEIVED


async def test_an_order_done_by_hand_is_accepted_and_no_longer_waits(database: Database, stuck: Stuck) -> None:
    place(database)
    finish(database, claim_one(database), State.DEAD, cause=causes.OUTCOME_UNKNOWN)
    assert await stuck.mark_done(load(database).order, actor="maria") == 1
    record = load(database)
    assert (record.order.stage, record.injection[0].state) == (Stage.ACCEPTED, Injection.MANUAL_DONE)
    assert await stuck.load() == []
    assert claim_all(database, now_ms=NOW + MINUTE) == []


async def test_where_nothing_waits_a_person_is_told_so(database: Database, stuck: Stuck) -> None:
    place(database)
    order = load(database).order
    for change in (stuck.deliver_again(order, actor="maria"), stuck.mark_done(order, actor="maria")):
        with pytest.raises(Conflict, match="order DT-001 has nothing that waits for a person"):
            await change


async def test_of_two_people_who_act_at_once_the_second_is_told(database: Database, stuck: Stuck) -> None:
    place(database, operations=("submit_order", "cancel_order"))
    finish(database, claim_one(database), State.DEAD, cause=causes.OUTCOME_UNKNOWN)
    seen = load(database).order
    await stuck.deliver_again(seen, actor="maria")
    finish(database, claim_one(database), State.DEAD, cause=causes.OUTCOME_UNKNOWN)
    with pytest.raises(Conflict, match="changed at this moment"):
        await stuck.deliver_again(seen, actor="ali")
    assert len(await stuck.load()) == 1

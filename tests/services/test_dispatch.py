"""The outbox is worked: orders go out, failures hold the link back or pause it, and a lost lease sends nothing."""

import asyncio

import pytest

from hub.contract.writes import LookUp, OrderWrite, Replay, Verdict, WriteResult
from hub.database import link_state
from hub.database.deliveries import State
from hub.database.engine import Database
from hub.database.link_state import Breaker
from hub.errors import (
    ConfigurationError,
    OutcomeUnknown,
    VendorAuthFailed,
    VendorRateLimited,
    VendorRejected,
    VendorUnreachable,
)
from hub.model.order import VendorRef
from hub.model.status import Injection, Stage
from tests.contract.ports import StandingClock
from tests.database.stored import LINK, MINUTE, NOW, claim_all, claim_one, finish, place
from tests.services.dispatching import Dispatching, dispatching
from tests.services.scripted import ScriptedPos

pytestmark = pytest.mark.anyio
DEADLINE = NOW + 10 * MINUTE


class EachItsOwn(ScriptedPos):
    """Gives every order an id of its own."""

    async def submit_order(self, request: OrderWrite) -> WriteResult:
        await super().submit_order(request)
        return WriteResult(ref=VendorRef(kind="order", id=f"till-{request.order.number}"))

    submit_order.__write_rule__ = None  # type: ignore[attr-defined]


async def test_what_waits_is_found_without_being_told_and_delivered(database: Database, clock: StandingClock) -> None:
    item, connector = place(database), EachItsOwn(Replay.KEYED)
    async with dispatching(database, clock, connector) as running:
        await running.until_settled(1)
        state = await running.injection(item.order.id)
    assert (state.state, state.attempts, state.ref) == (
        Injection.CONFIRMED,
        1,
        VendorRef(kind="order", id="till-DT-001"),
    )
    assert [request.order.id for request in connector.sent] == [item.order.id]


async def test_many_orders_are_each_sent_once(database: Database, clock: StandingClock) -> None:
    items, connector = [place(database) for _ in range(30)], EachItsOwn(Replay.ONCE)
    async with dispatching(database, clock, connector, max_in_flight=4) as running:
        await running.until_settled(30)
    assert sorted(request.order.id for request in connector.sent) == sorted(item.order.id for item in items)


async def test_no_more_orders_than_allowed_are_on_their_way_at_once(database: Database, clock: StandingClock) -> None:
    class Counting(EachItsOwn):
        now, most = 0, 0

        async def submit_order(self, request: OrderWrite) -> WriteResult:
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(0)
            self.now -= 1
            return await super().submit_order(request)

        submit_order.__write_rule__ = None  # type: ignore[attr-defined]

    for _ in range(12):
        place(database)
    connector = Counting(Replay.KEYED)
    async with dispatching(database, clock, connector, max_in_flight=3) as running:
        await running.until_settled(12)
    assert connector.most <= 3


async def test_an_order_that_comes_while_its_link_is_being_fed_goes_out_without_waiting_for_the_next_look(
    database: Database, clock: StandingClock
) -> None:
    connector = EachItsOwn(Replay.KEYED)
    async with dispatching(database, clock, connector) as running:
        claiming, go_on = asyncio.Event(), asyncio.Event()
        real_claim = running.dispatcher._claim

        async def slow_claim(*args: object) -> object:
            taken = await real_claim(*args)  # type: ignore[arg-type]
            claiming.set()
            await go_on.wait()
            return taken

        running.dispatcher._claim = slow_claim  # type: ignore[method-assign,assignment]
        running.dispatcher.wake(LINK.id)
        await asyncio.wait_for(claiming.wait(), 30)
        place(database)
        running.dispatcher.wake(LINK.id)
        await asyncio.sleep(0.01)  # the dispatcher notices that it was woken
        started = asyncio.get_running_loop().time()
        go_on.set()
        await running.until_settled(1)
        assert asyncio.get_running_loop().time() - started < 0.5


async def test_a_refused_order_is_rejected_with_the_pos_s_reason(database: Database, clock: StandingClock) -> None:
    item = place(database)
    connector = ScriptedPos(Replay.KEYED, answer=VendorRejected("kitchen closed"))
    async with dispatching(database, clock, connector) as running:
        await running.until_settled(1)
        record, state = await running.record(item.order.id), await running.injection(item.order.id)
    assert record.order.stage is Stage.REJECTED
    assert (state.state, state.cause, state.detail) == (Injection.FAILED, "POS_REJECTED", "kitchen closed")


async def test_refused_credentials_pause_the_link_and_cost_no_attempt(database: Database, clock: StandingClock) -> None:
    item = place(database)
    async with dispatching(database, clock, ScriptedPos(Replay.KEYED, answer=VendorAuthFailed("401"))) as running:
        await running.until_settled(1)
        assert await running.paused_cause() == "POS_AUTH_FAILED"
        state = await running.injection(item.order.id)
    assert (state.state, state.attempts, state.cause) == (Injection.QUEUED, 0, "POS_AUTH_FAILED")
    assert claim_all(database, now_ms=DEADLINE - 1) == []


async def test_wrong_settings_pause_the_link_before_anything_is_sent(database: Database, clock: StandingClock) -> None:
    item = place(database)
    async with dispatching(database, clock, ConfigurationError("link: password: missing")) as running:
        await running.until_settled(1)
        assert await running.paused_cause() == "LINK_MISCONFIGURED"
        state = await running.injection(item.order.id)
    assert (state.attempts, state.cause, state.detail) == (0, "LINK_MISCONFIGURED", "link: password: missing")


async def test_a_vendor_that_asks_to_wait_holds_the_whole_link(database: Database, clock: StandingClock) -> None:
    place(database)
    error = VendorRateLimited("429", retry_after_seconds=20)
    async with dispatching(database, clock, ScriptedPos(Replay.KEYED, answer=error)) as running:
        await running.until_settled(1)
    place(database)
    assert claim_all(database, now_ms=NOW + 19_999) == []
    assert len(claim_all(database, now_ms=NOW + 20_000)) == 2


async def test_a_vendor_that_cannot_be_reached_holds_every_order_back_to_one_time(
    database: Database, clock: StandingClock
) -> None:
    for _ in range(6):
        place(database)
    async with dispatching(
        database, clock, ScriptedPos(Replay.KEYED, answer=VendorUnreachable("refused")), max_in_flight=2
    ) as running:
        await running.until_settled(2)
        breaker = await running.breaker()
    assert breaker == Breaker(LINK.id, "submit_order", failures=1, trips=1, open_until_ms=NOW + 1000)
    assert claim_all(database, now_ms=NOW + 999) == []
    assert len(claim_all(database, now_ms=NOW + 1000)) == 6


async def test_after_the_pause_one_order_tries_and_its_success_frees_the_others(
    database: Database, clock: StandingClock
) -> None:
    for _ in range(5):
        place(database)
    tripped = Breaker(LINK.id, "submit_order", failures=3, trips=2, open_until_ms=NOW)
    database.run_now(lambda c: link_state.save_breaker(c, tripped))
    connector = EachItsOwn(Replay.KEYED)
    async with dispatching(database, clock, connector) as running:
        await running.until_settled(5)
        assert await running.breaker() is None
    assert [request.order.number for request in connector.sent] == [f"DT-00{n}" for n in range(1, 6)]


async def test_giving_up_an_order_says_nothing_about_the_vendor(database: Database, clock: StandingClock) -> None:
    item = place(database, deliver_by_ms=NOW)
    tripped = Breaker(LINK.id, "submit_order", failures=3, trips=2, open_until_ms=NOW)
    database.run_now(lambda c: link_state.save_breaker(c, tripped))
    async with dispatching(database, clock, ScriptedPos(Replay.KEYED)) as running:
        await running.until_settled(1)
        assert await running.breaker() == tripped
        state = await running.injection(item.order.id)
    assert (state.state, state.cause) == (Injection.MANUAL_REQUIRED, "DEADLINE_PASSED")


async def test_four_unclear_answers_do_not_hold_the_link_back_and_the_fifth_does(
    database: Database, clock: StandingClock
) -> None:
    for _ in range(5):
        place(database)
    connector = ScriptedPos(Replay.ONCE, answer=OutcomeUnknown("silence"))
    async with dispatching(database, clock, connector, max_in_flight=1) as running:
        await running.until_settled(4)
        await running.until_settled(5)
        breaker = await running.breaker()
    assert breaker is not None
    assert (breaker.failures, breaker.trips) == (5, 1)


async def test_look_ups_that_were_held_back_never_lower_the_count_of_attempts(
    database: Database, clock: StandingClock
) -> None:
    item = place(database)
    finish(database, claim_one(database, harmless=False), State.UNKNOWN, due_at_ms=NOW)
    error = VendorRateLimited("429", retry_after_seconds=1)
    async with dispatching(database, clock, ScriptedPos(Replay.SEARCHABLE, found=error)) as running:
        for count in (1, 2, 3):
            await running.until_settled(count)
            clock.advance(1)
            running.dispatcher.wake(LINK.id)
        await running.until_settled(4)
        assert (await running.injection(item.order.id)).attempts == 1


async def test_a_bug_in_a_connector_loses_no_order(
    database: Database, clock: StandingClock, caplog: pytest.LogCaptureFixture
) -> None:
    item = place(database)
    async with dispatching(database, clock, ScriptedPos(Replay.KEYED, answer=KeyError("price"))) as running:
        await running.until_settled(1)
        state = await running.injection(item.order.id)
    assert (state.state, state.cause, state.detail) == (Injection.UNKNOWN, "HUB_ERROR", "KeyError: 'price'")
    assert "submit_order failed in the hub" in caplog.text
    [again] = claim_all(database, now_ms=NOW + 5000)
    assert again.uncertain


@pytest.mark.parametrize(("held_seconds", "sends"), [(13.9, True), (14.1, False)])
@pytest.mark.parametrize("replay", [Replay.KEYED, Replay.ONCE])
async def test_nothing_is_sent_once_the_lease_no_longer_covers_the_longest_call(
    database: Database, clock: StandingClock, held_seconds: float, sends: bool, replay: Replay
) -> None:
    """A lease lasts the longest call (30 s) and 15 s more; the machine may have slept since it was taken."""
    place(database)
    delivery = claim_one(database, harmless=replay is Replay.KEYED)
    connector = ScriptedPos(replay)
    running = Dispatching(database, clock, connector)
    attempted = await running.dispatcher._attempt(delivery, clock.elapsed_seconds() - held_seconds)
    assert len(connector.sent) == sends
    assert (attempted.completion.state.value, attempted.completion.count_attempt) == (
        ("delivered", True) if sends else ("pending", False)
    )


async def test_nothing_is_sent_by_a_holder_whose_lease_somebody_else_has_taken(
    database: Database, clock: StandingClock
) -> None:
    place(database)
    delivery = claim_one(database, harmless=False)
    claim_one(database, now_ms=NOW + 45_000, harmless=False)
    connector = ScriptedPos(Replay.ONCE)
    running = Dispatching(database, clock, connector)
    await running.dispatcher._attempt(delivery, clock.elapsed_seconds())
    assert connector.sent == []


async def test_stopping_lets_go_of_what_was_not_sent_and_keeps_what_was(
    database: Database, clock: StandingClock
) -> None:
    class Hanging(ScriptedPos):
        entered = asyncio.Event()

        async def submit_order(self, request: OrderWrite) -> WriteResult:
            self.sent.append(request)
            self.entered.set()
            await asyncio.Event().wait()
            raise AssertionError

        submit_order.__write_rule__ = None  # type: ignore[attr-defined]

    place(database)
    connector = Hanging(Replay.SEARCHABLE, found=LookUp(verdict=Verdict.ABSENT))
    connector.entered = asyncio.Event()
    running = Dispatching(database, clock, connector)
    running.dispatcher.start()
    await asyncio.wait_for(connector.entered.wait(), 30)
    await running.dispatcher.stop(grace_seconds=0.01)
    [again] = claim_all(database)
    assert (again.uncertain, again.attempts) == (True, 1)

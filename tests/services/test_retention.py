"""Closed orders go after 45 × 24 hours, with their calls; what outlives its day of calls keeps them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.database import calls, retention
from hub.database.engine import Database
from hub.database.order_reads import load_order
from hub.model.archive import Hold
from hub.model.call import Call
from hub.services import retention as service
from hub.services.link_stores import LinkStores
from hub.services.retention import Retention, Tidied
from hub.services.vault import Vault
from tests.contract.ports import StandingClock
from tests.database.stored import DAY, LINK, NOW, close, new_id, place

pytestmark = pytest.mark.anyio


@pytest.fixture
def calls_database(tmp_path: Path) -> Iterator[Database]:
    """Where calls are kept: a file of their own."""
    opened = Database(f"sqlite:///{tmp_path / 'calls.sqlite'}", durable=False)
    yield opened
    opened.close_now()


class Pauses:
    """Counts the pauses between units; takes none."""

    def __init__(self) -> None:
        self.count = 0

    async def __call__(self, _seconds: float) -> None:
        self.count += 1


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def keeper(database: Database, calls_database: Database, clock: StandingClock, pauses: Pauses) -> Retention:
    return Retention(database=database, calls_database=calls_database, clock=clock, pause=pauses)


def closed(database: Database, *, made_at_ms: int = NOW, closed_at_ms: int = NOW) -> str:
    order_id = place(database, link=None, at_ms=made_at_ms).order.id
    close(database, order_id, at_ms=closed_at_ms)
    return order_id


def is_there(database: Database, order_id: str) -> bool:
    return database.read_now(lambda c: load_order(c, order_id)) is not None


def record(calls_database: Database, order_id: str, at_ms: int, words: str = "{}") -> Call:
    call = Call(
        at_ms=at_ms,
        direction="in",
        link_id="",
        order_id=order_id,
        operation="get_order",
        attempt=0,
        method="GET",
        url="/",
        status=200,
        milliseconds=1.0,
        request_headers="{}",
        request_body="",
        response_headers="{}",
        response_body=words,
        error="",
    )
    day = calls.day_of(at_ms)
    calls_database.run_now(lambda c: calls.create_day(c, day))
    calls_database.run_now(lambda c: calls.insert_calls(c, [(day, [call])]))
    return call


def recorded(calls_database: Database, order_id: str) -> list[Call]:
    return calls_database.read_now(lambda c: calls.load_calls(c, order_id, from_ms=0))


def hold(database: Database, order_id: str) -> None:
    wanted = Hold(order_id=order_id, reason="case 7", actor="lawyer", since_ms=NOW)
    assert database.run_now(lambda c: retention.save_hold(c, wanted, event_id=new_id("evt")))


async def test_an_order_is_readable_until_45_days_are_over(
    database: Database, keeper: Retention, clock: StandingClock
) -> None:
    order_id = closed(database)
    clock.advance(45 * 86_400 - 60)
    assert await keeper.delete_orders() == 0
    assert is_there(database, order_id)
    clock.advance(60)
    assert await keeper.delete_orders() == 1
    assert not is_there(database, order_id)


async def test_many_orders_go_in_units_with_a_pause_after_each(
    database: Database, keeper: Retention, clock: StandingClock, pauses: Pauses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ORDERS_PER_UNIT", 3)
    for _ in range(8):
        closed(database)
    clock.advance(46 * 86_400)
    told: list[tuple[str, int]] = []
    assert await keeper.delete_orders(lambda thing, count: told.append((thing, count))) == 8
    assert told == [("orders", 3), ("orders", 6), ("orders", 8)]
    assert pauses.count == 3


async def test_what_an_interrupted_run_left_the_next_one_deletes(
    database: Database, calls_database: Database, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ORDERS_PER_UNIT", 2)
    ids = [closed(database) for _ in range(5)]
    clock.advance(46 * 86_400)

    async def stop(_seconds: float) -> None:
        raise asyncio.CancelledError

    interrupted = Retention(database=database, calls_database=calls_database, clock=clock, pause=stop)
    with pytest.raises(asyncio.CancelledError):
        await interrupted.run()
    assert [is_there(database, order_id) for order_id in ids] == [False, False, True, True, True]
    again = Retention(database=database, calls_database=calls_database, clock=clock, pause=Pauses())
    assert (await again.run()).orders == 3


async def test_two_runs_at_once_delete_everything_once(
    database: Database, keeper: Retention, clock: StandingClock
) -> None:
    for _ in range(250):
        closed(database)
    clock.advance(46 * 86_400)
    assert sum(await asyncio.gather(keeper.delete_orders(), keeper.delete_orders())) == 250


async def test_days_of_calls_are_dropped_after_48_days(
    database: Database, calls_database: Database, keeper: Retention, clock: StandingClock
) -> None:
    record(calls_database, "", NOW)
    record(calls_database, closed(database), NOW)
    clock.advance(48 * 86_400)
    assert (await keeper.run()).days == ()
    clock.advance(86_400)
    assert await keeper.run() == Tidied(orders=0, refs=0, calls=0, days=("20261118",))
    assert calls_database.read_now(calls.days_kept) == []


async def test_calls_of_a_held_order_stay_readable_until_it_is_released(
    database: Database, calls_database: Database, keeper: Retention, clock: StandingClock
) -> None:
    held, other = closed(database), closed(database)
    hold(database, held)
    made = [record(calls_database, held, NOW), record(calls_database, held, NOW + 1)]
    record(calls_database, other, NOW)
    clock.advance(60 * 86_400)
    assert (await keeper.run()).days == ("20261118",)
    assert recorded(calls_database, held) == made
    assert recorded(calls_database, other) == []
    released = {"actor": "lawyer", "now_ms": NOW, "event_id": new_id("evt")}
    database.run_now(lambda c: retention.release_hold(c, held, **released))
    assert await keeper.run() == Tidied(orders=1, refs=0, calls=2, days=())
    assert recorded(calls_database, held) == []


async def test_an_order_placed_long_before_it_was_closed_keeps_its_calls_as_long_as_itself(
    database: Database, calls_database: Database, keeper: Retention, clock: StandingClock
) -> None:
    order_id = closed(database, closed_at_ms=NOW + 30 * DAY)
    made = record(calls_database, order_id, NOW)
    clock.advance(74 * 86_400)
    assert (await keeper.run()).orders == 0
    assert recorded(calls_database, order_id) == [made]
    clock.advance(86_400)
    assert await keeper.run() == Tidied(orders=1, refs=0, calls=1, days=())
    assert recorded(calls_database, order_id) == []


async def test_calls_of_somebody_who_read_an_order_late_go_with_the_order(
    database: Database, calls_database: Database, keeper: Retention, clock: StandingClock
) -> None:
    read_late, stays = closed(database), closed(database, made_at_ms=NOW + DAY, closed_at_ms=NOW + 2 * DAY)
    for day in (1, 20, 44):
        record(calls_database, read_late, NOW + day * DAY, "Alice")
        record(calls_database, stays, NOW + day * DAY, "Bob")
    clock.advance(45 * 86_400)
    assert await keeper.run() == Tidied(orders=1, refs=0, calls=3, days=())
    assert recorded(calls_database, read_late) == []
    assert len(recorded(calls_database, stays)) == 3


async def test_nothing_is_copied_of_orders_that_are_about_to_go(
    database: Database, calls_database: Database, keeper: Retention, clock: StandingClock
) -> None:
    record(calls_database, closed(database), NOW)
    clock.advance(100 * 86_400)  # the hub was off for long, and the calls' turn comes first
    assert await keeper.tidy_calls() == (0, ("20261118",))
    assert calls_database.read_now(calls.orders_kept) == []


async def test_what_was_learnt_of_a_guest_is_forgotten_45_days_after_its_last_use(
    database: Database, keeper: Retention, clock: StandingClock
) -> None:
    stores = LinkStores(database, clock, Vault([]))
    await stores.save_ref(LINK.id, "customer", "994501112233", "17")
    await stores.save_ref(LINK.id, "customer", "994502223344", "18")
    clock.advance(30 * 86_400)
    assert await stores.load_ref(LINK.id, "customer", "994501112233") == "17"
    clock.advance(15 * 86_400)
    assert (await keeper.run()).refs == 1
    assert await stores.load_ref(LINK.id, "customer", "994502223344") is None
    assert await LinkStores(database, clock, Vault([])).load_ref(LINK.id, "customer", "994501112233") == "17"


async def test_an_open_order_is_never_deleted_however_old(
    database: Database, keeper: Retention, clock: StandingClock
) -> None:
    order_id = place(database, link=None).order.id
    clock.advance(400 * 86_400)
    assert await keeper.delete_orders() == 0
    assert is_there(database, order_id)

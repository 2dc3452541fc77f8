"""What the hub knows of a vendor at the moment: budgets that hold, breakers, tokens, learnt ids, runs."""

import threading
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, select

from hub.database import link_state
from hub.database.engine import Database
from hub.database.link_state import Breaker, Budget, CodeRow, take_from_budgets
from hub.database.tables import metadata, rate_use, scheduled_runs
from tests.database.stored import LINK, NOW, OTHER_LINK

PER_MINUTE = Budget("link_1", 100, 60)


def take(database: Database, *budgets: Budget, want: int, now_ms: int) -> tuple[int, float]:
    return database.run_now(lambda c: take_from_budgets(c, budgets, want=want, now_ms=now_ms))


def test_a_budget_is_granted_until_it_is_used_up_and_then_says_how_long_to_wait(database: Database) -> None:
    assert take(database, PER_MINUTE, want=60, now_ms=NOW) == (60, 0.0)
    assert take(database, PER_MINUTE, want=60, now_ms=NOW) == (40, 0.0)
    granted, wait_seconds = take(database, PER_MINUTE, want=1, now_ms=NOW)
    assert granted == 0
    assert wait_seconds == 62.0  # NOW is 4 s into a slot of 6 s: eleven slots from its start
    assert take(database, PER_MINUTE, want=1, now_ms=NOW + 61_999)[0] == 0
    assert take(database, PER_MINUTE, want=500, now_ms=NOW + 62_000) == (100, 0.0)


def test_the_tightest_of_several_budgets_decides_and_nothing_is_taken_from_the_others(database: Database) -> None:
    hourly = Budget("link_1", 3, 3600)
    assert take(database, PER_MINUTE, hourly, want=5, now_ms=NOW) == (3, 0.0)
    granted, wait_seconds = take(database, PER_MINUTE, hourly, want=5, now_ms=NOW)
    assert granted == 0
    assert wait_seconds > 3600
    used = database.read_now(lambda c: c.execute(select(rate_use.c.window_seconds, rate_use.c.used)).all())
    assert sorted(tuple(row) for row in used) == [(60, 3), (3600, 3)]


def test_budgets_of_different_names_do_not_touch_each_other(database: Database) -> None:
    assert take(database, PER_MINUTE, want=100, now_ms=NOW) == (100, 0.0)
    assert take(database, Budget("link_2", 100, 60), want=100, now_ms=NOW) == (100, 0.0)


def test_old_counts_are_forgotten(database: Database) -> None:
    for minute in range(10):
        take(database, PER_MINUTE, want=1, now_ms=NOW + minute * 60_000)
    slots = database.read_now(lambda c: c.execute(select(rate_use.c.slot)).all())
    assert len(slots) <= 3


@settings(max_examples=60, deadline=None)
@given(
    requests=st.integers(1, 20),
    seconds=st.integers(1, 90),
    asks=st.lists(st.tuples(st.integers(0, 20_000), st.integers(1, 8)), min_size=1, max_size=40),
)
def test_no_window_wherever_it_starts_holds_more_than_the_budget(
    requests: int, seconds: int, asks: list[tuple[int, int]]
) -> None:
    engine = create_engine("sqlite://")
    budget, now_ms, granted = Budget("b", requests, seconds), NOW, []
    with engine.begin() as connection:
        metadata.create_all(connection, tables=[rate_use])
        for pause_ms, want in asks:
            now_ms += pause_ms
            count, wait_seconds = take_from_budgets(connection, [budget], want=want, now_ms=now_ms)
            assert (count > 0) == (wait_seconds == 0.0)
            granted += [now_ms] * count
    for start in granted:
        assert len([at for at in granted if start <= at < start + seconds * 1000]) <= requests
    engine.dispose()


@settings(max_examples=60, deadline=None)
@given(requests=st.integers(1, 5), seconds=st.integers(1, 90), into_slot_ms=st.integers(0, 9000))
def test_after_the_wait_a_call_is_granted(requests: int, seconds: int, into_slot_ms: int) -> None:
    engine = create_engine("sqlite://")
    budget, now_ms = Budget("b", requests, seconds), NOW + into_slot_ms
    with engine.begin() as connection:
        metadata.create_all(connection, tables=[rate_use])
        take_from_budgets(connection, [budget], want=requests, now_ms=now_ms)
        _, wait_seconds = take_from_budgets(connection, [budget], want=1, now_ms=now_ms)
        later_ms = now_ms + int(wait_seconds * 1000) + 1
        assert take_from_budgets(connection, [budget], want=1, now_ms=later_ms)[0] == 1
    engine.dispose()


def test_processes_that_ask_at_once_share_one_budget(open_database: Callable[[], Database]) -> None:
    databases = [open_database() for _ in range(3)]
    granted: list[int] = []

    def ask(database: Database) -> None:
        for _ in range(15):

            def unit(connection: object) -> int:
                link_state.lock_budgets(connection, [PER_MINUTE])  # type: ignore[arg-type]
                return take_from_budgets(connection, [PER_MINUTE], want=4, now_ms=NOW)[0]  # type: ignore[arg-type]

            granted.append(database.run_now(unit))

    threads = [threading.Thread(target=ask, args=(database,), daemon=True) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(granted) == 45
    assert sum(granted) == 100


def test_each_slot_of_a_job_is_given_to_one_process(open_database: Callable[[], Database]) -> None:
    first, second = open_database(), open_database()
    for slot in range(100, 103):
        won = [d.run_now(lambda c, s=slot: link_state.start_run(c, "sync", s, NOW)) for d in (first, second, first)]
        assert won == [True, False, False]
    assert first.run_now(lambda c: link_state.start_run(c, "other", 100, NOW)) is True


def test_only_the_last_slots_of_a_job_are_remembered(database: Database) -> None:
    for slot in range(30):
        database.run_now(lambda c, s=slot: link_state.start_run(c, "sync", s, NOW))
    kept = database.read_now(lambda c: c.execute(select(scheduled_runs.c.slot)).scalars().all())
    assert sorted(kept) == list(range(20, 30))


def test_a_breaker_is_stored_changed_and_put_to_rest(database: Database) -> None:
    breaker = Breaker(LINK.id, "submit_order", failures=5, trips=1, open_until_ms=NOW + 1000)
    database.run_now(lambda c: link_state.save_breaker(c, breaker))
    database.run_now(lambda c: link_state.save_breaker(c, Breaker(LINK.id, "cancel_order", failures=1)))
    assert database.read_now(lambda c: link_state.load_breakers(c, LINK.id))["submit_order"] == breaker
    changed = Breaker(LINK.id, "submit_order", failures=6, trips=2, open_until_ms=NOW + 4000)
    database.run_now(lambda c: link_state.save_breaker(c, changed))
    database.run_now(lambda c: link_state.reset_breaker(c, LINK.id, "cancel_order"))
    assert database.read_now(lambda c: link_state.load_breakers(c, LINK.id)) == {"submit_order": changed}
    assert database.read_now(lambda c: link_state.load_breakers(c, OTHER_LINK.id)) == {}


def test_a_token_belongs_to_its_link_and_is_replaced(database: Database) -> None:
    assert database.read_now(lambda c: link_state.load_token(c, LINK.id)) is None
    database.run_now(lambda c: link_state.save_token(c, LINK.id, "t1", NOW + 1))
    database.run_now(lambda c: link_state.save_token(c, LINK.id, "t2", NOW + 2))
    assert database.read_now(lambda c: link_state.load_token(c, LINK.id)) == ("t2", NOW + 2)
    assert database.read_now(lambda c: link_state.load_token(c, OTHER_LINK.id)) is None


def test_a_learnt_id_is_found_by_link_kind_and_key(database: Database) -> None:
    database.run_now(lambda c: link_state.save_ref(c, LINK.id, "customer", "+994501112233", "17", NOW))
    database.run_now(lambda c: link_state.save_ref(c, LINK.id, "customer", "+994501112233", "18", NOW))
    assert database.read_now(lambda c: link_state.load_ref(c, LINK.id, "customer", "+994501112233")) == "18"
    assert database.read_now(lambda c: link_state.load_ref(c, LINK.id, "table", "+994501112233")) is None
    assert database.read_now(lambda c: link_state.load_ref(c, OTHER_LINK.id, "customer", "+994501112233")) is None


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_codes_of_a_link_are_replaced_as_a_whole(database: Database, count: int) -> None:
    old = [CodeRow(code_table="sale_type", code_id="99", name="Old")]
    new = [CodeRow(code_table="sale_type", code_id=str(n), name=f"Type {n}", detail="x") for n in range(count)]
    for rows in (old, new):
        database.run_now(lambda c, r=rows: link_state.replace_codes(c, LINK.id, r))
    assert database.read_now(lambda c: link_state.load_codes(c, LINK.id)) == new

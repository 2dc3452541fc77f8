"""Orders are stored once per key and per origin, numbered without gaps, with what belongs to them or not at all."""

import asyncio
from collections.abc import Callable, Sequence

import msgspec
import pytest
from msgspec import structs
from sqlalchemy import func, select

from hub.database import directory
from hub.database.deliveries import State
from hub.database.engine import Database
from hub.database.first_versions import delete_first_versions
from hub.database.order_reads import load_events, load_order
from hub.database.orders import (
    NewOrder,
    Placement,
    PlacementKind,
    place_orders,
)
from hub.database.repetition_tables import first_versions
from hub.database.retention import delete_expired_keys
from hub.database.tables import deliveries, lanes, order_events, orders, venues
from hub.model.ids import time_ordered_id
from hub.model.menu import Menu
from hub.model.order import OrderRecord, Origin, VendorRef
from hub.model.status import Injection
from tests.database.stored import (
    DAY,
    LINK,
    MINUTE,
    NOW,
    OTHER_LINK,
    OTHER_VENUE,
    PLOV,
    VENUE,
    claim_one,
    close,
    finish,
    new_order,
)

PLACED, REPLAYED = PlacementKind.PLACED, PlacementKind.REPLAYED


def place(database: Database, *items: NewOrder) -> list[Placement]:
    return database.run_now(lambda connection: place_orders(connection, items))


def number_of(database: Database, order_id: str) -> str:
    record = database.read_now(lambda connection: load_order(connection, order_id))
    assert record is not None
    return record.order.number


def rows(database: Database) -> int:
    return database.read_now(
        lambda connection: connection.execute(select(func.count()).select_from(orders)).scalar_one()
    )


def test_a_new_order_is_stored_with_its_number_audit_row_and_delivery(database: Database) -> None:
    item = new_order()
    [placement] = place(database, item)
    assert placement == Placement(kind=PLACED, order_id=item.order.id, answer="answer DT-001")
    record = database.read_now(lambda connection: load_order(connection, "DT-001"))
    assert record is not None
    assert record.order == structs.replace(item.order, number="DT-001")
    [state] = record.injection
    assert (state.target, state.state, state.attempts) == ("till", Injection.QUEUED, 0)
    assert state.deadline_at_ms == NOW + 10 * MINUTE
    [event] = database.read_now(lambda connection: load_events(connection, item.order.id))
    assert (event.version, event.at_ms, event.kind, event.actor) == (1, NOW, "placed", "tester")


def test_an_order_without_a_link_has_no_delivery(database: Database) -> None:
    item = new_order(link=None)
    place(database, item)
    assert database.read_now(lambda connection: connection.execute(select(lanes)).all()) == []
    record = database.read_now(lambda connection: load_order(connection, item.order.id))
    assert record is not None
    assert record.injection == ()


def test_a_submission_of_two_steps_is_two_deliveries_in_one_lane(database: Database) -> None:
    place(database, new_order(operations=("submit_order", "cancel_order")))
    query = select(deliveries.c.seq, deliveries.c.operation, deliveries.c.state).order_by(deliveries.c.seq)
    stored = database.read_now(lambda connection: connection.execute(query).all())
    assert [tuple(row) for row in stored] == [(1, "submit_order", "pending"), (2, "cancel_order", "pending")]
    [lane] = database.read_now(lambda connection: connection.execute(select(lanes)).all())
    assert (lane.next_seq, lane.operation, lane.due_at_ms) == (3, "submit_order", NOW)


def test_an_unknown_number_or_id_finds_nothing(database: Database) -> None:
    assert database.read_now(lambda connection: load_order(connection, "DT-001")) is None
    assert database.read_now(lambda connection: load_order(connection, "order_" + "0" * 32)) is None


def test_the_same_key_in_one_batch_makes_one_order_and_one_answer(database: Database) -> None:
    first, second, third = new_order(key="k"), new_order(key="k"), new_order(key="k")
    assert place(database, first, second, third) == [
        Placement(kind=PLACED, order_id=first.order.id, answer="answer DT-001"),
        Placement(kind=REPLAYED, order_id=first.order.id, answer="answer DT-001"),
        Placement(kind=REPLAYED, order_id=first.order.id, answer="answer DT-001"),
    ]
    assert rows(database) == 1


def answer_of(placement: Placement) -> str:
    """The answer, or what it would be from the order as it was placed."""
    return placement.answer or ("" if placement.first is None else f"answer {placement.first.order.number}")


def as_placed(item: NewOrder, number: str) -> OrderRecord:
    return OrderRecord(order=structs.replace(item.order, number=number), injection=item.injection)


def test_the_same_key_in_a_later_batch_gets_the_order_as_it_was_placed(database: Database) -> None:
    first = new_order(key="k")
    place(database, first)
    [again] = place(database, new_order(key="k", at_ms=NOW + DAY))
    assert again == Placement(kind=REPLAYED, order_id=first.order.id, first=as_placed(first, "DT-001"))
    assert rows(database) == 1


def test_an_order_that_was_changed_and_delivered_is_repeated_as_it_was_placed(database: Database) -> None:
    first = new_order(key="k")
    place(database, first)
    finish(database, claim_one(database), State.DELIVERED, ref=VendorRef(kind="order", id="4711"))
    for at_ms in (NOW + 1, NOW + 2):
        close(database, first.order.id, at_ms=at_ms)
    [again] = place(database, new_order(key="k", at_ms=NOW + DAY))
    assert again == Placement(kind=REPLAYED, order_id=first.order.id, first=as_placed(first, "DT-001"))
    record = database.read_now(lambda connection: load_order(connection, first.order.id))
    assert record is not None and record.order.version == 3


def test_first_versions_end_with_the_keys_in_small_steps(database: Database) -> None:
    placed_at = [NOW, NOW, NOW, NOW + 1]
    for n, at_ms in enumerate(placed_at):
        order_id = time_ordered_id("order", now_ms=at_ms, random_bytes=bytes([n] * 10))
        item = new_order(key=f"k{n}")
        place(database, structs.replace(item, order=structs.replace(item.order, id=order_id)))
        close(database, order_id)
    counts = [database.run_now(lambda c: delete_first_versions(c, NOW + 1, limit=2)) for _ in range(3)]
    assert counts == [2, 1, 0]
    left = database.read_now(lambda connection: connection.execute(select(first_versions.c.order_id)).scalars().all())
    assert left == [order_id]


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one after another"])
def test_a_key_with_another_body_is_reused(database: Database, together: bool) -> None:
    first, other = new_order(key="k", body=b"a"), new_order(key="k", body=b"b")
    results = place(database, first, other) if together else place(database, first) + place(database, other)
    assert [result.kind for result in results] == [PLACED, PlacementKind.KEY_REUSED]
    assert rows(database) == 1


def test_the_same_key_of_another_caller_is_another_key(database: Database) -> None:
    results = place(database, new_order(key="k", principal="key_1"), new_order(key="k", principal="key_2"))
    assert [result.answer for result in results] == ["answer DT-001", "answer DT-002"]


def test_orders_without_a_key_are_never_taken_for_one_another(database: Database) -> None:
    results = place(database, new_order(), new_order())
    assert [result.kind for result in results] == [PLACED, PLACED]


def test_a_key_ends_after_its_seven_days_to_the_millisecond(database: Database) -> None:
    place(database, new_order(key="k"))
    [before] = place(database, new_order(key="k", at_ms=NOW + 7 * DAY - 1))
    [after] = place(database, new_order(key="k", at_ms=NOW + 7 * DAY))
    assert (before.kind, after.kind) == (REPLAYED, PLACED)
    [again] = place(database, new_order(key="k", at_ms=NOW + 7 * DAY + 1))
    assert again.first is not None
    assert (again.order_id, again.first.order.number) == (after.order_id, "DT-002")


def test_ended_keys_are_deleted_in_small_steps_and_others_stay(database: Database) -> None:
    place(database, *(new_order(key=f"k{n}") for n in range(5)), new_order(key="young", at_ms=NOW + DAY))
    end = NOW + 7 * DAY
    counts = [database.run_now(lambda connection: delete_expired_keys(connection, end, limit=3)) for _ in range(3)]
    assert counts == [3, 2, 0]
    [young] = place(database, new_order(key="young", at_ms=end))
    assert young.kind is REPLAYED


def test_the_callers_own_order_id_makes_one_order_for_as_long_as_it_exists(database: Database) -> None:
    first = new_order(origin_order_id="A-1")
    place(database, first)
    [again] = place(database, new_order(origin_order_id="A-1", at_ms=NOW + 400 * DAY))
    assert again == Placement(kind=REPLAYED, order_id=first.order.id, answer="")
    [other] = place(database, new_order(origin_order_id="A-1", body=b"b"))
    assert other.kind is PlacementKind.ORIGIN_REUSED


def test_the_callers_own_order_id_counts_within_one_venue(database: Database) -> None:
    elsewhere = new_order(origin_order_id="A-1", venue=OTHER_VENUE, link=OTHER_LINK, catalog_version=0)
    results = place(database, new_order(origin_order_id="A-1"), elsewhere)
    assert [result.answer for result in results] == ["answer DT-001", "answer OT-001"]


def test_the_parts_of_an_origin_are_never_run_together(database: Database) -> None:
    first, second = new_order(origin_order_id="c"), new_order(origin_order_id="b c")
    first = structs.replace(first, order=structs.replace(first.order, origin=Origin(system="a b", order_id="c")))
    second = structs.replace(second, order=structs.replace(second.order, origin=Origin(system="a", order_id="b c")))
    assert [result.kind for result in place(database, first, second)] == [PLACED, PLACED]


def test_the_longest_names_the_api_lets_in_are_stored(database: Database) -> None:
    item = new_order(key="k" * 255, principal="key_" + "1" * 32, origin_order_id="o" * 200)
    item = structs.replace(item, order=structs.replace(item.order, origin=Origin(system="s" * 100, order_id="o" * 200)))
    assert [result.kind for result in place(database, item)] == [PLACED]


def test_the_same_origin_in_one_batch_with_different_keys_makes_one_order(database: Database) -> None:
    first, second = new_order(key="k1", origin_order_id="A-1"), new_order(key="k2", origin_order_id="A-1")
    results = place(database, first, second)
    assert [result.kind for result in results] == [PLACED, REPLAYED]
    assert results[1].order_id == first.order.id


def test_a_natural_key_still_prevents_a_second_order_when_the_key_has_ended(database: Database) -> None:
    first = new_order(key="k", origin_order_id="A-1")
    place(database, first)
    [again] = place(database, new_order(key="k", origin_order_id="A-1", at_ms=NOW + 8 * DAY))
    assert (again.kind, again.order_id) == (REPLAYED, first.order.id)
    assert rows(database) == 1


def test_an_order_priced_with_an_older_menu_is_not_stored(database: Database) -> None:
    item = new_order(key="k")
    database.run_now(
        lambda connection: directory.save_menu(connection, VENUE.id, Menu(items=(PLOV,)), source="pos", now_ms=NOW)
    )
    assert place(database, item) == [Placement(kind=PlacementKind.MENU_CHANGED)]
    assert rows(database) == 0
    [again] = place(database, new_order(key="k", catalog_version=2))
    assert again.answer == "answer DT-001"


def test_a_stale_order_does_not_hold_back_the_others_of_its_batch(database: Database) -> None:
    elsewhere = new_order(venue=OTHER_VENUE, link=OTHER_LINK, catalog_version=0)
    results = place(database, new_order(catalog_version=0), new_order(), elsewhere)
    assert [result.kind for result in results] == [PlacementKind.MENU_CHANGED, PLACED, PLACED]
    assert [result.answer for result in results[1:]] == ["answer DT-001", "answer OT-001"]


def test_a_repetition_of_a_stale_order_in_the_same_batch_is_stale_too(database: Database) -> None:
    results = place(database, new_order(key="k", catalog_version=0), new_order(key="k", catalog_version=0))
    assert [result.kind for result in results] == [PlacementKind.MENU_CHANGED] * 2


def test_numbers_go_on_past_999_and_venues_count_for_themselves(database: Database) -> None:
    database.run_now(lambda c: c.execute(venues.update().where(venues.c.id == VENUE.id).values(next_number=999)))
    elsewhere = new_order(venue=OTHER_VENUE, link=OTHER_LINK, catalog_version=0)
    results = place(database, new_order(), new_order(), elsewhere)
    assert [result.answer for result in results] == ["answer DT-999", "answer DT-1000", "answer OT-001"]


def test_a_failed_batch_takes_no_number(database: Database) -> None:
    broken = structs.replace(new_order(), answer=lambda record: msgspec.convert("x", int))
    with pytest.raises(msgspec.ValidationError):
        place(database, new_order(), broken)
    [placement] = place(database, new_order())
    assert placement.answer == "answer DT-001"
    stored = database.read_now(lambda connection: connection.execute(select(order_events)).all())
    assert len(stored) == 1


@pytest.mark.anyio
async def test_orders_at_the_same_time_are_numbered_without_gaps(open_database: Callable[[], Database]) -> None:
    databases = [open_database(), open_database()]
    items = [new_order() for _ in range(60)]
    placements = await asyncio.gather(
        *(databases[n % 2].write_each(place_orders, item) for n, item in enumerate(items))
    )
    assert sorted(placement.answer for placement in placements) == [f"answer DT-{n:03d}" for n in range(1, 61)]
    for item, placement in zip(items, placements, strict=True):
        assert placement.order_id == item.order.id


async def _race(databases: Sequence[Database], keys: int, *, origin: bool) -> list[Placement | BaseException]:
    """Every process is asked for the same orders at the same time."""
    items = [
        (database, new_order(key=f"k{n}", origin_order_id=f"A-{n}" if origin else ""))
        for n in range(keys)
        for database in databases
        for _ in range(2)
    ]
    asked = (database.write_each(place_orders, item) for database, item in items)
    return list(await asyncio.gather(*asked, return_exceptions=True))


@pytest.mark.anyio
@pytest.mark.parametrize("origin", [False, True], ids=["by key", "by key and origin"])
async def test_processes_that_race_for_the_same_keys_store_each_order_once(
    open_database: Callable[[], Database], origin: bool
) -> None:
    databases = [open_database() for _ in range(3)]
    results = await _race(databases, 20, origin=origin)
    assert [result for result in results if not isinstance(result, Placement)] == []
    placements = [result for result in results if isinstance(result, Placement)]
    assert len([result for result in placements if result.kind is PLACED]) == 20
    assert len([result for result in placements if result.kind is REPLAYED]) == 100
    for start in range(0, 120, 6):
        assert len({(result.order_id, answer_of(result)) for result in placements[start : start + 6]}) == 1
    assert rows(databases[0]) == 20
    numbers = {number_of(databases[0], result.order_id) for result in placements}
    assert numbers == {f"DT-{n:03d}" for n in range(1, 21)}


@pytest.mark.anyio
async def test_the_lane_of_a_link_belongs_to_the_order_that_was_stored(database: Database) -> None:
    first = new_order(key="k")
    await database.write_each(place_orders, first)
    await database.write_each(place_orders, new_order(key="k"))
    stored = await database.read(lambda c: c.execute(select(lanes.c.order_id, lanes.c.link_id)).all())
    assert [tuple(row) for row in stored] == [(first.order.id, LINK.id)]

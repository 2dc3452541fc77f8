"""An order is deleted when its time is over, with everything that is its own, and only then; a hold keeps it."""

import threading
from collections.abc import Callable

from msgspec import structs
from sqlalchemy import Table, select

from hub.database import link_state
from hub.database.deliveries import State
from hub.database.engine import Database
from hub.database.order_reads import load_events, load_order
from hub.database.orders import place_orders
from hub.database.repetition_tables import idempotency_keys
from hub.database.retention import (
    OF_AN_ORDER,
    Deleted,
    delete_closed,
    delete_unused_refs,
    existing,
    find_hold,
    load_belongings,
    release_hold,
    save_hold,
)
from hub.database.tables import metadata, orders
from hub.model.archive import Hold
from hub.model.order import VendorRef
from hub.model.status import Status
from tests.database.stored import DAY, LINK, NOW, claim_one, close, finish, new_id, new_order, place


def delete(database: Database, until_ms: int = NOW, limit: int = 100) -> Deleted:
    return database.run_now(lambda c: delete_closed(c, closed_until_ms=until_ms, after=None, limit=limit))


def hold(database: Database, order_id: str, reason: str = "case 7", now_ms: int = NOW) -> bool:
    wanted = Hold(order_id=order_id, reason=reason, actor="lawyer", since_ms=now_ms)
    return database.run_now(lambda c: save_hold(c, wanted, event_id=new_id("evt")))


def delivered(database: Database, origin_order_id: str = "") -> str:
    """An order with rows in every table an order may have rows in, but holds."""
    item = place(database, key="k" + origin_order_id, origin_order_id=origin_order_id)
    finish(database, claim_one(database), State.DELIVERED, ref=VendorRef(kind="order", id="4711" + item.order.id))
    return item.order.id


def is_there(database: Database, order_id: str) -> bool:
    return database.read_now(lambda c: load_order(c, order_id)) is not None


def rows(database: Database, table: Table, order_id: str) -> int:
    column = table.c.id if table is orders else table.c.order_id
    return len(database.read_now(lambda c: c.execute(select(column).where(column == order_id)).all()))


def test_every_table_with_rows_of_an_order_is_deleted_with_it_or_ends_by_itself() -> None:
    with_orders = {table.name for table in metadata.sorted_tables if "order_id" in table.c}
    # A table's name only says in which order it was first heard.
    assert with_orders == {table.name for table in OF_AN_ORDER} | {"idempotency_keys", "table_names"}


def test_an_order_goes_with_all_that_is_its_own(database: Database) -> None:
    gone, stays = delivered(database, "a"), delivered(database, "b")
    close(database, gone, at_ms=NOW)
    close(database, stays, at_ms=NOW + 1)
    before = {table.name: rows(database, table, stays) for table in (orders, *OF_AN_ORDER)}
    not_here = {"order_holds": 0, "guest_visits": 0, "reservations": 0, "waitlist": 0}
    not_here |= {"webhook_deliveries": 0, "webhook_events": 0}
    assert {name: count for name, count in before.items() if not count} == not_here
    assert delete(database) == Deleted(1, None)
    assert {table.name: rows(database, table, gone) for table in (orders, *OF_AN_ORDER)} == dict.fromkeys(before, 0)
    assert {table.name: rows(database, table, stays) for table in (orders, *OF_AN_ORDER)} == before


def test_an_order_is_deleted_at_its_time_and_not_a_millisecond_before(database: Database) -> None:
    order_id = delivered(database)
    close(database, order_id, at_ms=NOW + 1)
    assert delete(database) == Deleted(0, None)
    assert is_there(database, order_id)
    assert delete(database, NOW + 1) == Deleted(1, None)
    assert not is_there(database, order_id)


def test_void_orders_go_as_closed_ones_and_open_ones_stay_however_old(database: Database) -> None:
    void, opened = delivered(database, "a"), delivered(database, "b")
    close(database, void, at_ms=NOW, status=Status.VOID)
    assert delete(database, NOW + 1000 * DAY) == Deleted(1, None)
    assert (is_there(database, void), is_there(database, opened)) == (False, True)


def test_an_order_that_opened_again_stays(database: Database) -> None:
    order_id = delivered(database)
    close(database, order_id, at_ms=NOW)
    close(database, order_id, at_ms=NOW + DAY, status=Status.OPEN)
    assert delete(database, NOW + 100 * DAY) == Deleted(0, None)
    close(database, order_id, at_ms=NOW + 2 * DAY)
    assert delete(database, NOW + 2 * DAY - 1) == Deleted(0, None)
    assert delete(database, NOW + 2 * DAY) == Deleted(1, None)


def test_an_order_that_was_closed_before_the_hub_heard_of_it_has_its_time_too(database: Database) -> None:
    item = new_order(link=None)
    order = structs.replace(item.order, status=Status.CLOSED)
    database.run_now(lambda c: place_orders(c, [structs.replace(item, order=order)]))
    assert delete(database, NOW - 1) == Deleted(0, None)
    assert delete(database, NOW) == Deleted(1, None)


def test_numbering_goes_on_and_the_natural_key_is_free_again(database: Database) -> None:
    first = delivered(database, "EXT-1")
    close(database, first, at_ms=NOW)
    delete(database)
    item = new_order(origin_order_id="EXT-1", body=b"other")
    [placement] = database.run_now(lambda c: place_orders(c, [item]))
    assert placement.kind == "placed"
    record = database.read_now(lambda c: load_order(c, "DT-002"))
    assert record is not None
    assert database.read_now(lambda c: load_order(c, "DT-001")) is None


def test_deleting_goes_oldest_first_in_small_steps_and_on_behind_the_last(database: Database) -> None:
    ids = [place(database, link=None).order.id for _ in range(5)]
    for number, order_id in enumerate(ids):
        close(database, order_id, at_ms=NOW - number)
    first = delete(database, limit=2)
    assert first == Deleted(2, (NOW - 3, ids[3]))
    assert database.read_now(lambda c: existing(c, ids)) == set(ids[:3])
    second = database.run_now(lambda c: delete_closed(c, closed_until_ms=NOW, after=first.last, limit=5))
    assert second == Deleted(3, None)


def test_a_held_order_stays_until_it_is_released_and_hides_no_other(database: Database) -> None:
    ids = [place(database, link=None).order.id for _ in range(4)]
    for order_id in ids:
        close(database, order_id, at_ms=NOW)
    assert hold(database, ids[0])
    assert hold(database, ids[1])
    first = delete(database, limit=2)
    assert first == Deleted(0, (NOW, ids[1]))
    database.run_now(lambda c: delete_closed(c, closed_until_ms=NOW, after=first.last, limit=2))
    assert database.read_now(lambda c: existing(c, ids)) == {ids[0], ids[1]}
    released = {"actor": "lawyer", "now_ms": NOW, "event_id": new_id("evt")}
    assert database.run_now(lambda c: release_hold(c, ids[0], **released))
    assert delete(database) == Deleted(1, None)
    assert database.read_now(lambda c: existing(c, ids)) == {ids[1]}


def test_holding_and_releasing_are_part_of_the_order_s_history(database: Database) -> None:
    order_id = place(database).order.id
    assert hold(database, order_id, now_ms=NOW + 1)
    assert hold(database, order_id, now_ms=NOW + 2)
    assert hold(database, order_id, "case 8", now_ms=NOW + 3)
    found = database.read_now(lambda c: find_hold(c, order_id))
    assert found == Hold(order_id=order_id, reason="case 8", actor="lawyer", since_ms=NOW + 1)
    for _ in range(2):
        released = {"actor": "judge", "now_ms": NOW + 4, "event_id": new_id("evt")}
        assert database.run_now(lambda c, released=released: release_hold(c, order_id, **released))
    events = database.read_now(lambda c: load_events(c, order_id))
    assert [(e.kind, e.actor, e.detail, e.at_ms - NOW, e.version) for e in events] == [
        ("placed", "tester", "", 0, 1),
        ("held", "lawyer", "case 7", 1, 1),
        ("held", "lawyer", "case 8", 3, 1),
        ("released", "judge", "", 4, 1),
    ]


def test_what_is_gone_cannot_be_held(database: Database) -> None:
    assert hold(database, "order_" + "0" * 32) is False
    released = {"actor": "lawyer", "now_ms": NOW, "event_id": new_id("evt")}
    assert database.run_now(lambda c: release_hold(c, "order_" + "0" * 32, **released)) is False


def test_ended_keys_of_an_order_may_outlive_it_for_a_moment_and_name_nothing(database: Database) -> None:
    order_id = delivered(database)
    close(database, order_id, at_ms=NOW)
    delete(database)
    [key] = database.read_now(lambda c: c.execute(select(idempotency_keys)).all())
    assert key.expires_at_ms == NOW + 7 * DAY


def test_two_processes_delete_different_orders_and_neither_waits(postgres_url: str) -> None:
    one, other = Database(postgres_url, durable=False), Database(postgres_url, durable=False)
    ids = [place(one, link=None).order.id for _ in range(6)]
    for order_id in ids:
        close(one, order_id, at_ms=NOW)
    locked, may_end, ended = threading.Event(), threading.Event(), []

    def first(connection: object) -> None:
        ended.append(delete_closed(connection, closed_until_ms=NOW, after=None, limit=4))  # type: ignore[arg-type]
        locked.set()
        assert may_end.wait(10)

    thread = threading.Thread(target=lambda: one.run_now(first))
    thread.start()
    assert locked.wait(10)
    assert delete(other, limit=4) == Deleted(2, None)
    may_end.set()
    thread.join()
    assert ended == [Deleted(4, (NOW, ids[3]))]
    assert one.read_now(lambda c: existing(c, ids)) == set()
    one.close_now()
    other.close_now()


def test_a_hold_that_another_process_is_setting_at_this_moment_is_respected(postgres_url: str) -> None:
    one, other = Database(postgres_url, durable=False), Database(postgres_url, durable=False)
    order_id = place(one, link=None).order.id
    close(one, order_id, at_ms=NOW)
    written, may_end = threading.Event(), threading.Event()

    def holding(connection: object) -> None:
        wanted = Hold(order_id=order_id, reason="case 7", actor="lawyer", since_ms=NOW)
        assert save_hold(connection, wanted, event_id=new_id("evt"))  # type: ignore[arg-type]
        written.set()
        assert may_end.wait(10)

    thread = threading.Thread(target=lambda: one.run_now(holding))
    thread.start()
    assert written.wait(10)
    assert delete(other) == Deleted(0, None)
    may_end.set()
    thread.join()
    assert delete(other) == Deleted(0, None)
    assert is_there(other, order_id)
    one.close_now()
    other.close_now()


def load_ref(database: Database, key: str) -> str | None:
    return database.read_now(lambda c: link_state.load_ref(c, LINK.id, "customer", key))


def test_learnt_ids_are_forgotten_when_nobody_used_them(database: Database) -> None:
    def save(key: str, now_ms: int) -> Callable[[object], None]:
        return lambda c: link_state.save_ref(c, LINK.id, "customer", key, "17", now_ms)  # type: ignore[arg-type]

    for key, now_ms in (("+1", NOW), ("+2", NOW), ("+3", NOW + 1)):
        database.run_now(save(key, now_ms))
    database.run_now(lambda c: link_state.note_ref_used(c, LINK.id, "customer", "+2", NOW + DAY))
    database.run_now(lambda c: link_state.note_ref_used(c, LINK.id, "customer", "+2", NOW))
    assert database.run_now(lambda c: delete_unused_refs(c, NOW, 10)) == 1
    known = [
        database.read_now(lambda c, k=k: link_state.load_ref(c, LINK.id, "customer", k)) for k in ("+1", "+2", "+3")
    ]
    assert known == [None, "17", "17"]
    assert database.run_now(lambda c: delete_unused_refs(c, NOW + DAY, 1)) == 1
    assert database.run_now(lambda c: delete_unused_refs(c, NOW + DAY, 10)) == 1


def test_all_that_is_an_order_s_own_is_read_table_by_table(database: Database) -> None:
    order_id = delivered(database)
    hold(database, order_id)
    found = database.read_now(lambda c: load_belongings(c, order_id))
    assert list(found) == ["orders", *(table.name for table in OF_AN_ORDER)]
    assert {name: len(entries) for name, entries in found.items()} == {
        "orders": 1,
        "order_events": 2,
        "deliveries": 1,
        "lanes": 1,
        "order_refs": 1,
        "order_holds": 1,
        "first_versions": 0,
        "webhook_deliveries": 0,
        "webhook_events": 0,
        "guest_visits": 0,
        "reservations": 0,
        "waitlist": 0,
    }

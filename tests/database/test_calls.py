"""Recorded calls lie in one table per day, and go with it."""

from typing import Any

import pytest
from sqlalchemy import inspect

from hub.database.calls import (
    create_day,
    day_of,
    days_before,
    days_kept,
    drop_day,
    forget_calls,
    insert_calls,
    keep_calls,
    load_calls,
    orders_kept,
    orders_of_day,
)
from hub.database.engine import Database
from hub.model.call import Call
from tests.database.stored import DAY, MINUTE, NOW

MIDNIGHT = 1_795_046_400_000  # 2026-11-19 00:00:00 UTC


def call(at_ms: int = NOW, order_id: str = "order_1", **values: Any) -> Call:
    shown: dict[str, Any] = {
        "direction": "out",
        "link_id": "link_1",
        "operation": "submit_order",
        "attempt": 1,
        "method": "POST",
        "url": "http://till/orders",
        "status": 200,
        "milliseconds": 12.5,
        "request_headers": "{}",
        "request_body": "{}",
        "response_headers": "{}",
        "response_body": "{}",
        "error": "",
    }
    return Call(at_ms=at_ms, order_id=order_id, **{**shown, **values})


def keep(database: Database, *calls: Call) -> None:
    for one in calls:
        day = day_of(one.at_ms)
        database.run_now(lambda c, d=day: create_day(c, d))
        database.run_now(lambda c, d=day, k=one: insert_calls(c, [(d, [k])]))


def load(database: Database, order_id: str = "order_1", from_ms: int = NOW) -> list[Call]:
    return database.read_now(lambda c: load_calls(c, order_id, from_ms=from_ms))


@pytest.mark.parametrize(
    ("at_ms", "day"), [(MIDNIGHT - 1, "20261118"), (MIDNIGHT, "20261119"), (0, "19700101"), (NOW, "20261118")]
)
def test_a_call_is_filed_under_its_day_in_utc(at_ms: int, day: str) -> None:
    assert day_of(at_ms) == day


def test_a_call_comes_back_as_it_was(database: Database) -> None:
    answered, silent = call(), call(at_ms=NOW + 1, status=None, error="OutcomeUnknown: silence")
    keep(database, answered, silent)
    assert load(database) == [answered, silent]


def test_a_null_byte_in_an_error_or_an_address_becomes_something_every_database_takes(database: Database) -> None:
    keep(database, call(url="http://till/\x00", error="RejectedByVendor: \x00"))
    assert [(one.url, one.error) for one in load(database)] == [("http://till/�", "RejectedByVendor: �")]


def test_the_calls_of_an_order_are_read_across_midnight_in_their_order(database: Database) -> None:
    late, early, other = call(at_ms=MIDNIGHT + 5), call(at_ms=MIDNIGHT - 5), call(order_id="order_2")
    keep(database, late, early, other)
    assert load(database) == [early, late]
    assert load(database, from_ms=MIDNIGHT) == [early, late]  # the call that makes an order begins before it
    assert load(database, from_ms=MIDNIGHT + DAY + MINUTE) == []
    assert database.read_now(days_kept) == ["20261118", "20261119"]


def test_making_a_day_twice_changes_nothing_and_it_has_an_index_for_its_orders(database: Database) -> None:
    keep(database, call())
    database.run_now(lambda c: create_day(c, "20261118"))
    assert load(database) == [call()]
    indexes = database.read_now(lambda c: inspect(c).get_indexes("calls_20261118"))
    assert [index["column_names"] for index in indexes] == [["order_id"]]


def test_several_batches_are_stored_together(database: Database) -> None:
    database.run_now(lambda c: create_day(c, "20261118"))
    first, second, third = call(), call(at_ms=NOW + 1), call(at_ms=NOW + 2)
    stored = database.run_now(lambda c: insert_calls(c, [("20261118", [first, second]), ("20261118", [third])]))
    assert list(stored) == [None, None]
    assert load(database) == [first, second, third]


def test_days_are_dropped_whole_once_they_are_old_enough(database: Database) -> None:
    for day in range(4):
        keep(database, call(at_ms=NOW + day * DAY))
    assert database.read_now(lambda c: days_before(c, NOW + 3 * DAY, 3)) == []
    over = database.read_now(lambda c: days_before(c, NOW + 3 * DAY, 1))
    assert over == ["20261118", "20261119"]
    for day in over:
        database.run_now(lambda c, day=day: drop_day(c, day))
    assert database.read_now(days_kept) == ["20261120", "20261121"]
    assert len(load(database)) == 2
    database.run_now(lambda c: drop_day(c, "20261118"))


def test_calls_that_are_kept_outlive_their_day_and_come_first(database: Database) -> None:
    first, second, later = call(), call(at_ms=NOW + 1), call(at_ms=NOW + DAY)
    keep(database, first, second, call(order_id="order_2"), later)
    assert database.read_now(orders_kept) == []
    for _ in range(2):
        database.run_now(lambda c: keep_calls(c, "20261118", ["order_1"]))
    database.run_now(lambda c: drop_day(c, "20261118"))
    assert load(database) == [first, second, later]
    assert load(database, order_id="order_2") == []
    assert database.read_now(orders_kept) == ["order_1"]
    assert database.read_now(lambda c: orders_kept(c, after="order_1")) == []
    assert database.read_now(days_kept) == ["20261119"]
    assert database.run_now(lambda c: forget_calls(c, None, ["order_1"])) == 2
    assert load(database) == [later]


def test_the_orders_of_a_day_are_told_once_each_and_in_a_span_of_ids(database: Database) -> None:
    keep(database, call(order_id=""), call(order_id="order_1"), call(order_id="order_2"), call(order_id="order_2"))
    assert database.read_now(lambda c: orders_of_day(c, "20261118")) == ["order_1", "order_2"]
    assert database.read_now(lambda c: orders_of_day(c, "20261118", after="order_1")) == ["order_2"]
    assert database.read_now(lambda c: orders_of_day(c, "20261118", before="order_2")) == ["order_1"]
    assert database.run_now(lambda c: forget_calls(c, "20261118", ["order_2", "order_3"])) == 2
    assert database.read_now(lambda c: orders_of_day(c, "20261118")) == ["order_1"]

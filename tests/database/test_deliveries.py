"""Deliveries are appended to a lane, given up at their deadline, revived or finished by a person, and shown."""

from typing import Any

import pytest
from sqlalchemy import Row, select

from hub.database.deliveries import DeadDelivery, State, enqueue, finish_by_hand, load_dead, revive
from hub.database.engine import Database
from hub.database.order_reads import load_order
from hub.database.orders import NewOrder
from hub.database.outbox import complete
from hub.database.tables import deliveries, lanes
from hub.model import causes
from hub.model.order import InjectionState, Loss, VendorRef
from hub.model.status import Injection
from tests.database.stored import LINK, MINUTE, NOW, claim_all, claim_one, finish, new_id, outcome, place

DEADLINE = NOW + 10 * MINUTE
LEASE_MS = 45_000


def delivery(database: Database, delivery_id: str) -> Row[Any]:
    query = select(deliveries).where(deliveries.c.id == delivery_id)
    return database.read_now(lambda connection: connection.execute(query).one())


def lane_of(database: Database, item: NewOrder) -> Row[Any]:
    query = select(lanes).where(lanes.c.order_id == item.order.id)
    return database.read_now(lambda connection: connection.execute(query).one())


def append(database: Database, item: NewOrder, operation: str = "cancel_order", now_ms: int = NOW + 5000) -> str:
    delivery_id = new_id("dlv")
    database.run_now(
        lambda connection: enqueue(
            connection,
            lane_id=new_id("lane"),
            delivery_id=delivery_id,
            link_id=LINK.id,
            order_id=item.order.id,
            operation=operation,
            reason="the guest left",
            now_ms=now_ms,
            deliver_by_ms=now_ms + 10 * MINUTE,
        )
    )
    return delivery_id


def dead(database: Database, order_id: str | None = None) -> list[DeadDelivery]:
    return database.read_now(lambda connection: load_dead(connection, order_id))


def injection(database: Database, item: NewOrder) -> InjectionState:
    record = database.read_now(lambda connection: load_order(connection, item.order.id))
    assert record is not None
    return record.injection[0]


def test_an_appended_step_waits_for_those_before_it(database: Database) -> None:
    item = place(database)
    append(database, item)
    first = claim_one(database, now_ms=NOW + 5000)
    assert first.operation == "submit_order"
    finish(database, first, State.DELIVERED)
    second = claim_one(database, now_ms=NOW + 5000)
    assert (second.operation, second.reason, second.attempts) == ("cancel_order", "the guest left", 1)


def test_an_appended_step_wakes_a_lane_that_sleeps(database: Database) -> None:
    item = place(database)
    finish(database, claim_one(database), State.DELIVERED, ref=VendorRef(kind="order", id="9001"))
    append(database, item)
    assert lane_of(database, item).operation == "cancel_order"
    claimed = claim_one(database, now_ms=NOW + 5000)
    assert (claimed.operation, claimed.ref) == ("cancel_order", VendorRef(kind="order", id="9001"))


def test_a_step_appended_while_the_one_before_is_under_way_goes_next(database: Database) -> None:
    item = place(database)
    first = claim_one(database)
    append(database, item)
    assert claim_all(database, now_ms=NOW + 5000) == []
    finish(database, first, State.DELIVERED, now_ms=NOW + 6000)
    assert claim_one(database, now_ms=NOW + 6000).operation == "cancel_order"


def test_an_appended_step_does_not_wake_a_lane_whose_head_waits_for_a_person(database: Database) -> None:
    item = place(database)
    finish(database, claim_one(database), State.DEAD, cause=causes.POS_REJECTED)
    append(database, item)
    assert claim_all(database, now_ms=NOW + 60 * MINUTE) == []


def test_a_step_for_an_order_that_never_had_a_lane_makes_one(database: Database) -> None:
    item = place(database, link=None)
    append(database, item)
    assert claim_one(database, now_ms=NOW + 5000).operation == "cancel_order"


def test_dead_deliveries_are_listed_oldest_first_and_by_order(database: Database) -> None:
    items = [place(database, at_ms=NOW + n) for n in range(3)]
    for claimed in claim_all(database, now_ms=NOW + 10):
        finish(database, claimed, State.DEAD, cause=causes.POS_REJECTED, detail="closed")
    assert [entry.order_id for entry in dead(database)] == [item.order.id for item in items]
    [one] = dead(database, items[1].order.id)
    assert (one.order_number, one.detail) == ("DT-002", "closed")


@pytest.mark.parametrize(("sent_before", "uncertain"), [(True, True), (False, False)])
def test_a_revived_delivery_gets_a_new_deadline_and_is_looked_up_if_it_may_have_been_sent(
    database: Database, sent_before: bool, uncertain: bool
) -> None:
    place(database)
    claimed = claim_one(database)
    finish(database, claimed, State.DEAD, cause=causes.OUTCOME_UNKNOWN, detail="silence")
    later = NOW + 30 * MINUTE
    database.run_now(
        lambda connection: revive(
            connection, claimed.delivery_id, now_ms=later, deliver_by_ms=later + 10 * MINUTE, sent_before=sent_before
        )
    )
    again = claim_one(database, now_ms=later)
    assert (again.uncertain, again.deliver_by_ms, again.last_words) == (uncertain, later + 10 * MINUTE, "")
    assert delivery(database, claimed.delivery_id).done_at_ms is None
    assert dead(database) == []


def test_only_what_is_dead_can_be_revived_or_finished_by_hand(database: Database) -> None:
    place(database)
    claimed = claim_one(database)
    finish(database, claimed, State.DELIVERED)
    database.run_now(lambda c: revive(c, claimed.delivery_id, now_ms=NOW, deliver_by_ms=DEADLINE, sent_before=False))
    database.run_now(lambda connection: finish_by_hand(connection, claimed.delivery_id, now_ms=NOW))
    assert delivery(database, claimed.delivery_id).state == "delivered"
    assert claim_all(database, now_ms=NOW + MINUTE) == []


def test_what_stands_behind_a_step_done_by_hand_goes_on(database: Database) -> None:
    item = place(database, operations=("submit_order", "cancel_order"))
    claimed = claim_one(database)
    finish(database, claimed, State.DEAD, cause=causes.POS_UNSUPPORTED)
    database.run_now(lambda connection: finish_by_hand(connection, claimed.delivery_id, now_ms=NOW + MINUTE))
    assert delivery(database, claimed.delivery_id).state == "done_by_hand"
    assert lane_of(database, item).operation == "cancel_order"
    assert claim_one(database, now_ms=NOW + MINUTE).operation == "cancel_order"


@pytest.mark.parametrize(
    ("state", "cause", "shown"),
    [
        (State.PENDING, causes.POS_UNREACHABLE, Injection.RETRYING),
        (State.UNKNOWN, causes.OUTCOME_UNKNOWN, Injection.UNKNOWN),
        (State.DELIVERED, "", Injection.CONFIRMED),
        (State.DEAD, causes.POS_REJECTED, Injection.FAILED),
        (State.DEAD, causes.POS_UNSUPPORTED, Injection.FAILED),
        (State.DEAD, causes.OUTCOME_UNKNOWN, Injection.MANUAL_REQUIRED),
        (State.DEAD, causes.DEADLINE_PASSED, Injection.MANUAL_REQUIRED),
    ],
)
def test_a_delivery_s_state_is_shown_as_the_order_s_way_into_the_pos(
    database: Database, state: State, cause: str, shown: Injection
) -> None:
    item = place(database)
    assert injection(database, item).state is Injection.QUEUED
    claimed = claim_one(database)
    assert injection(database, item).state is Injection.SENDING
    due = NOW + 2000 if state in (State.PENDING, State.UNKNOWN) else None
    finish(database, claimed, state, cause=cause, due_at_ms=due)
    assert (injection(database, item).state, injection(database, item).cause) == (shown, cause)


def test_two_steps_are_shown_as_one_way_with_the_losses_of_both(database: Database) -> None:
    item = place(database, operations=("submit_order", "cancel_order"))
    table = Loss(target="till", path="tables", loss="became a comment")
    note = Loss(target="till", path="note", loss="cut to 100 characters")
    first = claim_one(database)
    database.run_now(lambda c: complete(c, [outcome(first, State.DELIVERED, losses=(table,), pos_cents=1800)]))
    second = claim_one(database, now_ms=NOW + 1000)
    assert injection(database, item).state is Injection.SENDING
    finish(database, second, State.DELIVERED, losses=(note,), pos_cents=1900)
    shown = injection(database, item)
    assert (shown.state, shown.attempts, shown.pos_cents) == (Injection.CONFIRMED, 2, 1900)
    assert shown.losses == (table, note)


def test_an_order_of_several_rounds_counts_each_step_once(database: Database) -> None:
    item = place(database)
    refs = (VendorRef(kind="order", id="2"), VendorRef(kind="order", id="1"))
    table = Loss(target="till", path="tables", loss="became a comment")
    finish(database, claim_one(database), State.DELIVERED, ref=refs[0], further_refs=refs[1:], losses=(table,))
    shown = injection(database, item)
    assert (shown.attempts, shown.losses, shown.ref) == (1, (table,), refs[1])


def test_a_change_that_was_given_up_does_not_hide_that_the_pos_has_the_order(database: Database) -> None:
    item = place(database, operations=("submit_order", "record_payment"))
    finish(database, claim_one(database), State.DELIVERED)
    finish(
        database, claim_one(database, now_ms=NOW + 1000), State.DEAD, cause=causes.POS_REJECTED, detail="no such till"
    )
    shown = injection(database, item)
    assert (shown.state, shown.cause) == (Injection.CONFIRMED_WITH_OPEN_ITEMS, causes.POS_REJECTED)
    [left] = shown.open_items
    assert (left.operation, left.state, left.detail) == ("record_payment", "failed", "no such till")


def test_a_step_done_by_hand_counts_as_done(database: Database) -> None:
    item = place(database)
    claimed = claim_one(database)
    finish(database, claimed, State.DEAD, cause=causes.OUTCOME_UNKNOWN)
    database.run_now(lambda connection: finish_by_hand(connection, claimed.delivery_id, now_ms=NOW + MINUTE))
    assert injection(database, item).state is Injection.MANUAL_DONE

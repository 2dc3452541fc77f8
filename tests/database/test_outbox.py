"""Lanes are claimed under a lease, worked in order, and finished by the holder of the lease alone."""

from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import Connection, Row, select, update

from hub.database import directory, link_state
from hub.database.deliveries import State, enqueue
from hub.database.engine import Database
from hub.database.lane_times import align, postpone, release_leases
from hub.database.order_reads import load_events, load_order
from hub.database.outbox import complete, links_with_work, mark_sent
from hub.database.tables import deliveries, lanes, order_refs
from hub.model import causes
from hub.model.change import LinesChange
from hub.model.order import Loss, VendorRef
from hub.model.status import Stage
from tests.database.stored import LINK, MINUTE, NOW, OTHER_LINK, claim_all, claim_one, finish, new_id, outcome, place

LEASE_MS = 45_000
REF = VendorRef(kind="order", id="9001")


def delivery(database: Database, delivery_id: str) -> Row[Any]:
    query = select(deliveries).where(deliveries.c.id == delivery_id)
    return database.read_now(lambda connection: connection.execute(query).one())


def lane(database: Database, lane_id: str) -> Row[Any]:
    query = select(lanes).where(lanes.c.id == lane_id)
    return database.read_now(lambda connection: connection.execute(query).one())


def refs(database: Database) -> list[tuple[str, str]]:
    query = select(order_refs.c.vendor_id, order_refs.c.order_id)
    return [(row.vendor_id, row.order_id) for row in database.read_now(lambda c: c.execute(query).all())]


def test_a_new_order_is_due_at_once_and_only_at_its_link(database: Database) -> None:
    item = place(database)
    assert database.read_now(lambda c: links_with_work(c, NOW - 1)) == []
    assert database.read_now(lambda c: links_with_work(c, NOW)) == [LINK.id]
    assert claim_all(database, link=OTHER_LINK) == []
    claimed = claim_one(database)
    assert (claimed.order_id, claimed.operation, claimed.attempts) == (item.order.id, "submit_order", 1)
    assert (claimed.uncertain, claimed.ref, claimed.deliver_by_ms) == (False, None, NOW + 10 * MINUTE)


def test_lanes_are_claimed_by_due_time_and_a_backlog_by_the_age_of_its_orders(database: Database) -> None:
    first, second, third = place(database), place(database), place(database)
    order = update(lanes).where(lanes.c.order_id == first.order.id).values(due_at_ms=NOW + 5)
    database.run_now(lambda c: c.execute(order))
    assert [one.order_id for one in claim_all(database, now_ms=NOW + 10, limit=2)] == [second.order.id, third.order.id]
    database.run_now(lambda c: release_leases(c, NOW + 10))
    oldest = claim_all(database, now_ms=NOW + 10, limit=2, oldest_order_first=True)
    assert [one.order_id for one in oldest] == [first.order.id, second.order.id]


def test_a_claimed_lane_is_not_claimed_again_before_its_lease_ends(database: Database) -> None:
    place(database)
    claimed = claim_one(database)
    assert claim_all(database, now_ms=NOW + LEASE_MS - 1) == []
    again = claim_one(database, now_ms=NOW + LEASE_MS)
    assert (again.delivery_id, again.epoch) == (claimed.delivery_id, claimed.epoch + 1)


def test_no_more_lanes_than_asked_for_are_claimed(database: Database) -> None:
    for _ in range(5):
        place(database)
    assert len(claim_all(database, limit=2)) == 2
    assert len(claim_all(database, limit=10)) == 3


def test_a_harmless_attempt_is_noted_with_its_claim(database: Database) -> None:
    place(database)
    claimed = claim_one(database, harmless=True)
    row = delivery(database, claimed.delivery_id)
    assert claimed.noted
    assert (row.state, row.attempts, row.sent_at_ms, row.first_sent_at_ms) == ("inflight", 1, NOW, NOW)
    again = claim_one(database, now_ms=NOW + LEASE_MS)
    assert (again.uncertain, again.attempts, again.noted) == (True, 1, False)


def test_another_attempt_is_noted_right_before_it_is_sent(database: Database) -> None:
    place(database)
    claimed = claim_one(database, harmless=False)
    row = delivery(database, claimed.delivery_id)
    assert not claimed.noted
    assert (row.state, row.attempts, row.sent_at_ms) == ("inflight", 1, None)
    assert database.run_now(lambda c: mark_sent(c, claimed, NOW + 7)) is True
    row = delivery(database, claimed.delivery_id)
    assert (row.state, row.attempts, row.sent_at_ms, row.first_sent_at_ms) == ("inflight", 1, NOW + 7, NOW + 7)


def test_a_process_that_died_before_it_noted_the_attempt_has_sent_nothing(database: Database) -> None:
    place(database)
    claim_one(database, harmless=False)
    again = claim_one(database, now_ms=NOW + LEASE_MS, harmless=False)
    assert (again.uncertain, again.attempts, again.sent_at_ms) == (False, 2, None)


def test_a_process_that_died_after_it_noted_the_attempt_may_have_sent_it(database: Database) -> None:
    place(database)
    claimed = claim_one(database, harmless=False)
    database.run_now(lambda c: mark_sent(c, claimed, NOW + 7))
    again = claim_one(database, now_ms=NOW + LEASE_MS, harmless=False)
    assert (again.uncertain, again.attempts) == (True, 1)
    assert (again.first_sent_at_ms, again.sent_at_ms) == (NOW + 7, NOW + 7)


def test_sending_again_after_an_uncertain_attempt_counts_and_keeps_the_first_time(database: Database) -> None:
    place(database)
    finish(database, claim_one(database), State.UNKNOWN, due_at_ms=NOW + 2000)
    claimed = claim_one(database, now_ms=NOW + 2000)
    assert database.run_now(lambda c: mark_sent(c, claimed, NOW + 3000)) is True
    row = delivery(database, claimed.delivery_id)
    assert (row.attempts, row.first_sent_at_ms, row.sent_at_ms) == (2, NOW, NOW + 3000)


def test_an_attempt_is_not_noted_once_the_lease_is_lost(database: Database) -> None:
    place(database)
    claimed = claim_one(database, harmless=False)
    claim_one(database, now_ms=NOW + LEASE_MS, harmless=False)
    assert database.run_now(lambda c: mark_sent(c, claimed, NOW + LEASE_MS)) is False
    assert delivery(database, claimed.delivery_id).sent_at_ms is None


def test_a_delivered_order_keeps_what_the_vendor_gave_back_and_its_lane_sleeps(database: Database) -> None:
    item = place(database)
    claimed = claim_one(database)
    losses = (Loss(target="till", path="tables", loss="became a comment"),)
    assert finish(database, claimed, State.DELIVERED, ref=REF, losses=losses, pos_cents=1800) is True
    row, its_lane = delivery(database, claimed.delivery_id), lane(database, claimed.lane_id)
    assert (row.state, row.pos_cents, row.done_at_ms) == ("delivered", 1800, NOW + 1000)
    assert (its_lane.due_at_ms, its_lane.lease_owner) == (None, None)
    assert refs(database) == [("9001", item.order.id)]
    assert claim_all(database, now_ms=NOW + 60 * MINUTE) == []


def test_a_retry_is_due_when_it_says_and_keeps_its_cause(database: Database) -> None:
    place(database)
    claimed = claim_one(database)
    values = {"due_at_ms": NOW + 4000, "cause": causes.POS_UNREACHABLE, "detail": "refused"}
    assert finish(database, claimed, State.PENDING, **values) is True
    row = delivery(database, claimed.delivery_id)
    assert (row.state, row.attempts, row.cause, row.detail) == ("pending", 1, "POS_UNREACHABLE", "refused")
    assert row.done_at_ms is None
    assert claim_all(database, now_ms=NOW + 3999) == []
    again = claim_one(database, now_ms=NOW + 4000)
    assert (again.attempts, again.last_words) == (2, "refused")


def test_a_wait_that_is_no_attempt_is_not_counted(database: Database) -> None:
    place(database)
    claimed = claim_one(database)
    finish(database, claimed, State.PENDING, due_at_ms=NOW + 4000, count_attempt=False)
    assert delivery(database, claimed.delivery_id).attempts == 0


def test_a_first_absence_is_remembered_until_the_next_outcome(database: Database) -> None:
    place(database)
    finish(database, claim_one(database), State.UNKNOWN, due_at_ms=NOW + 1, absent_since_ms=NOW)
    again = claim_one(database, now_ms=NOW + 1)
    assert again.absent_since_ms == NOW
    finish(database, again, State.UNKNOWN, due_at_ms=NOW + 2)
    assert claim_one(database, now_ms=NOW + 2).absent_since_ms is None


def test_a_late_success_is_kept_and_a_late_failure_is_not(database: Database) -> None:
    place(database)
    late = claim_one(database)
    holder = claim_one(database, now_ms=NOW + LEASE_MS)
    assert finish(database, late, State.DEAD, cause=causes.POS_REJECTED) is False
    assert delivery(database, late.delivery_id).state == "inflight"
    assert finish(database, late, State.DELIVERED, ref=REF) is False
    assert delivery(database, late.delivery_id).state == "delivered"
    assert [vendor_id for vendor_id, _ in refs(database)] == ["9001"]
    its_lane = lane(database, late.lane_id)
    assert (its_lane.lease_owner, its_lane.due_at_ms) == ("me", NOW + 2 * LEASE_MS)
    assert finish(database, holder, State.PENDING, due_at_ms=NOW + 2 * LEASE_MS) is True
    assert delivery(database, late.delivery_id).state == "delivered"
    assert claim_all(database, now_ms=NOW + 10 * LEASE_MS) == []


def test_what_stands_behind_a_late_success_goes_on_although_the_holder_gave_up(database: Database) -> None:
    place(database, operations=("submit_order", "cancel_order"))
    late = claim_one(database)
    holder = claim_one(database, now_ms=NOW + LEASE_MS)
    finish(database, late, State.DELIVERED, ref=REF)
    finish(database, holder, State.DEAD, now_ms=NOW + LEASE_MS + 1, cause=causes.OUTCOME_UNKNOWN)
    assert claim_one(database, now_ms=NOW + 2 * LEASE_MS).operation == "cancel_order"


def test_steps_of_a_lane_go_one_after_the_other_with_what_the_first_gave_back(database: Database) -> None:
    place(database, operations=("submit_order", "cancel_order"))
    first = claim_one(database)
    assert claim_all(database) == []
    assert lane(database, first.lane_id).operation == "submit_order"
    finish(database, first, State.DELIVERED, ref=REF)
    assert lane(database, first.lane_id).operation == "cancel_order"
    second = claim_one(database, now_ms=NOW + 1000)
    assert (second.operation, second.ref) == ("cancel_order", REF)
    finish(database, second, State.DELIVERED)
    assert lane(database, first.lane_id).due_at_ms is None


def test_a_dead_step_blocks_what_is_behind_it(database: Database) -> None:
    place(database, operations=("submit_order", "cancel_order"))
    finish(database, claim_one(database), State.DEAD, cause=causes.POS_REJECTED)
    assert claim_all(database, now_ms=NOW + 100 * MINUTE) == []


def test_the_same_vendor_id_told_twice_is_stored_once(database: Database) -> None:
    first, second = place(database), place(database)
    for claimed in claim_all(database):
        assert finish(database, claimed, State.DELIVERED, ref=REF)
    [(vendor_id, order_id)] = refs(database)
    assert vendor_id == "9001"
    assert order_id in (first.order.id, second.order.id)


def test_many_outcomes_are_recorded_in_one_go(database: Database) -> None:
    for _ in range(3):
        place(database)
    one, two, three = claim_all(database)
    claim_all(database, now_ms=NOW + LEASE_MS, limit=1)
    lost = next(c for c in (one, two, three) if lane(database, c.lane_id).lease_epoch != c.epoch)
    items = [
        outcome(claimed, State.DELIVERED, ref=VendorRef(kind="order", id=claimed.order_id))
        for claimed in (one, two, three)
    ]
    held = database.run_now(lambda c: complete(c, items))
    assert held == [claimed is not lost for claimed in (one, two, three)]
    assert {delivery(database, claimed.delivery_id).state for claimed in (one, two, three)} == {"delivered"}


@pytest.mark.parametrize(("now_ms", "stage"), [(NOW + 1000, Stage.REJECTED), (NOW + LEASE_MS, Stage.RECEIVED)])
def test_an_order_is_rejected_with_the_outcome_that_says_so_and_not_under_a_lost_lease(
    database: Database, now_ms: int, stage: Stage
) -> None:
    place(database)
    claimed = claim_one(database)
    claim_all(database, now_ms=now_ms)
    refused = {"cause": causes.POS_REJECTED, "detail": "closed"}
    refused |= {"stage": Stage.REJECTED, "stage_event_id": new_id("evt")}
    finish(database, claimed, State.DEAD, now_ms=now_ms, **refused)
    record = database.read_now(lambda c: load_order(c, claimed.order_id))
    assert record is not None
    assert record.order.stage is stage
    events = database.read_now(lambda c: load_events(c, claimed.order_id))
    assert [event.kind for event in events] == (["placed", "rejected"] if stage is Stage.REJECTED else ["placed"])
    assert events[-1].detail == ("closed" if stage is Stage.REJECTED else "")


def test_words_no_database_takes_do_not_lose_an_outcome(database: Database) -> None:
    place(database)
    claimed = claim_one(database)
    assert finish(database, claimed, State.DEAD, cause=causes.POS_REJECTED, detail="no\x00thing " + "x" * 5000) is True
    assert delivery(database, claimed.delivery_id).state == "dead"


@pytest.mark.parametrize("owner", ["me", None])
def test_released_leases_are_due_at_once_and_their_holders_are_too_late(database: Database, owner: str | None) -> None:
    place(database)
    claimed = claim_one(database)
    database.run_now(lambda c: release_leases(c, NOW + 10, owner))
    assert finish(database, claimed, State.DEAD) is False
    assert claim_one(database, now_ms=NOW + 10).epoch == claimed.epoch + 2


def test_the_leases_of_others_are_not_released(database: Database) -> None:
    place(database)
    claimed = claim_one(database)
    database.run_now(lambda c: release_leases(c, NOW + 10, "somebody else"))
    assert claim_all(database, now_ms=NOW + 10) == []
    assert finish(database, claimed, State.DELIVERED) is True


def test_a_paused_link_is_left_alone(database: Database) -> None:
    place(database)
    database.run_now(lambda c: directory.set_link_paused(c, LINK.id, causes.POS_AUTH_FAILED))
    assert database.read_now(lambda c: links_with_work(c, NOW)) == []
    assert claim_all(database) == []
    database.run_now(lambda c: directory.set_link_paused(c, LINK.id, ""))
    assert len(claim_all(database)) == 1


def test_a_link_that_was_asked_to_wait_is_left_alone_until_then(database: Database) -> None:
    place(database)
    database.run_now(lambda c: link_state.hold_link(c, LINK.id, NOW + 5000))
    database.run_now(lambda c: link_state.hold_link(c, LINK.id, NOW + 3000))  # a shorter wait shortens nothing
    assert database.read_now(lambda c: links_with_work(c, NOW + 4999)) == []
    assert claim_all(database, now_ms=NOW + 4999) == []
    assert len(claim_all(database, now_ms=NOW + 5000)) == 1


def test_aligning_moves_what_waits_and_not_what_is_under_way(database: Database) -> None:
    place(database)
    leased = claim_one(database)
    waiting = place(database)
    database.run_now(lambda c: align(c, LINK.id, "submit_order", NOW + 8000))
    database.run_now(lambda c: align(c, LINK.id, "cancel_order", NOW + 9000))
    assert lane(database, leased.lane_id).due_at_ms == NOW + LEASE_MS
    assert claim_all(database, now_ms=NOW + 7999) == []
    assert claim_one(database, now_ms=NOW + 8000).order_id == waiting.order.id


def test_aligning_does_not_wake_a_lane_that_has_nothing_to_do(database: Database) -> None:
    place(database)
    claimed = claim_one(database)
    finish(database, claimed, State.DELIVERED)
    database.run_now(lambda c: align(c, LINK.id, "submit_order", NOW))
    assert lane(database, claimed.lane_id).due_at_ms is None


def test_postponing_only_makes_later(database: Database) -> None:
    item = place(database)
    assert item.submission is not None
    lane_id = item.submission.lane_id
    for due_at_ms in (NOW + 5000, NOW + 2000):
        database.run_now(lambda c, at=due_at_ms: postpone(c, lane_id, at))
    assert lane(database, lane_id).due_at_ms == NOW + 5000


def test_a_submission_knows_the_lines_of_rounds_that_wait_behind_it(database: Database) -> None:
    item = place(database)
    line = structs.replace(item.order.checks[0].lines[0], uid="li_2")

    def add(connection: Connection) -> None:
        enqueue(
            connection,
            lane_id=new_id("lane"),
            delivery_id=new_id("dlv"),
            link_id=LINK.id,
            order_id=item.order.id,
            operation="add_lines",
            change=LinesChange(check_id="chk", lines=(line,)),
            now_ms=NOW,
            deliver_by_ms=NOW + MINUTE,
        )

    database.run_now(add)
    first = claim_one(database)
    assert (first.operation, first.later_lines) == ("submit_order", frozenset({"li_2"}))
    finish(database, first, State.DELIVERED, ref=VendorRef(kind="order", id="9001"))
    second = claim_one(database, now_ms=NOW + 2000)
    assert (second.operation, second.later_lines) == ("add_lines", frozenset())

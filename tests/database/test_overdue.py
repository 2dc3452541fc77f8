"""What nobody could bring to the vendor before its deadline is found, and given up only where nobody holds it."""

from typing import Any

from sqlalchemy import Row, select

from hub.database import directory
from hub.database.deliveries import State, load_dead
from hub.database.engine import Database
from hub.database.outbox import Completion, complete, mark_sent
from hub.database.overdue import Overdue, load_overdue
from hub.database.tables import deliveries
from hub.model import causes
from tests.database.stored import LINK, MINUTE, NOW, claim_all, claim_one, finish, place

DEADLINE = NOW + 10 * MINUTE


def delivery(database: Database, delivery_id: str) -> Row[Any]:
    query = select(deliveries).where(deliveries.c.id == delivery_id)
    return database.read_now(lambda connection: connection.execute(query).one())


def overdue(database: Database, now_ms: int) -> list[Overdue]:
    return database.read_now(lambda connection: load_overdue(connection, now_ms))


def give_up(database: Database, entry: Overdue, now_ms: int) -> None:
    shared = {name: getattr(entry, name) for name in ("delivery_id", "lane_id", "order_id", "link_id", "epoch", "seq")}
    done = Completion(**shared, state=State.DEAD, now_ms=now_ms, cause=causes.DEADLINE_PASSED)
    database.run_now(lambda connection: complete(connection, [done]))


def test_a_delivery_is_overdue_at_its_deadline_and_not_before(database: Database) -> None:
    item = place(database)
    assert overdue(database, DEADLINE - 1) == []
    [entry] = overdue(database, DEADLINE)
    assert (entry.order_id, entry.uncertain) == (item.order.id, False)
    give_up(database, entry, DEADLINE)
    assert overdue(database, DEADLINE) == []
    assert claim_all(database, now_ms=DEADLINE) == []
    [waiting] = database.read_now(load_dead)
    assert (waiting.order_number, waiting.operation, waiting.cause) == ("DT-001", "submit_order", "DEADLINE_PASSED")


def test_what_is_under_way_at_its_deadline_is_not_given_up(database: Database) -> None:
    place(database)
    claim_one(database, now_ms=DEADLINE - 1000)
    assert overdue(database, DEADLINE) == []


def test_what_may_have_been_sent_is_uncertain_when_it_is_overdue(database: Database) -> None:
    place(database)
    finish(
        database,
        claim_one(database),
        State.UNKNOWN,
        due_at_ms=DEADLINE + MINUTE,
        cause=causes.OUTCOME_UNKNOWN,
        detail="silence",
    )
    [entry] = overdue(database, DEADLINE)
    assert (entry.uncertain, entry.detail) == (True, "silence")


def test_a_dead_holder_at_a_paused_link_does_not_hide_what_is_overdue(database: Database) -> None:
    place(database)
    claimed = claim_one(database, harmless=False)
    database.run_now(lambda connection: mark_sent(connection, claimed, NOW))
    database.run_now(lambda connection: directory.set_link_paused(connection, LINK.id, causes.POS_AUTH_FAILED))
    [entry] = overdue(database, DEADLINE)
    assert (entry.uncertain, entry.link_paused_cause) == (True, "POS_AUTH_FAILED")


def test_given_up_between_reading_and_writing_is_not_written_over_a_holder(database: Database) -> None:
    place(database)
    [entry] = overdue(database, DEADLINE)
    holder = claim_one(database, now_ms=DEADLINE - 1)
    give_up(database, entry, DEADLINE)
    assert delivery(database, holder.delivery_id).state == "inflight"
    assert finish(database, holder, State.DELIVERED) is True

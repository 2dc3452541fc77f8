"""What a channel last took is compared with our orders; nobody can ask it what it has."""

import pytest
from sqlalchemy import Connection, delete

from hub.database import directory as stored_directory
from hub.database.deliveries import State, enqueue
from hub.database.engine import Database
from hub.database.tables import deliveries
from hub.database.vendor_refs import save_ref
from hub.errors import (
    VendorUnavailable,
)
from hub.model.change import OrderSnapshot
from hub.model.order import Order, VendorRef
from hub.model.status import Status
from tests.database import conftest as both
from tests.database.stored import (
    DAY,
    MINUTE,
    NOW,
    claim_one,
    close,
    finish,
    new_id,
)
from tests.services.reconciling import Till, change, delivered, report, rows, stored, told
from tests.services.seating.dining_room import CHANNEL

pytestmark = pytest.mark.anyio
postgres, migrated_postgres, migrated_sqlite = both.postgres, both.migrated_postgres, both.migrated_sqlite
sqlite_url, postgres_url, url = both.sqlite_url, both.postgres_url, both.url
open_database, database = both.open_database, both.database


def channel_heard(database: Database, order: Order, state: State = State.DELIVERED) -> None:
    """The channel `book` was told of the order as it is in `order`."""
    database.run_now(lambda c: stored_directory.save_link(c, CHANNEL))

    def unit(connection: Connection) -> None:
        enqueue(
            connection,
            lane_id=new_id("lane"),
            delivery_id=new_id("dlv"),
            link_id=CHANNEL.id,
            order_id=order.id,
            operation="push_changed",
            change=OrderSnapshot(order=order),
            now_ms=NOW,
            deliver_by_ms=NOW + DAY,
        )

    database.run_now(unit)
    finish(database, claim_one(database, link=CHANNEL), state)


async def test_a_channel_that_took_all_agrees_and_one_that_refused_the_last_word_is_behind(database: Database) -> None:
    order = delivered(database)
    channel_heard(database, stored(database, order.id))
    till = Till(told(tables=("T5",)))
    change(database, order.id, tables=("T5",))  # which is announced to a channel that follows the order
    assert await rows(database, till) == [("DT-001", "tables", "T5", "none")]
    finish(database, claim_one(database, link=CHANNEL, now_ms=NOW + MINUTE), State.DEAD)
    assert await rows(database, till) == [("DT-001", "tables", "T5", "none")]
    change(database, order.id, party_size=3)
    finish(database, claim_one(database, link=CHANNEL, now_ms=NOW + MINUTE), State.DELIVERED)
    assert await rows(database, till) == []


async def test_where_a_channel_seats_the_guests_itself_it_need_not_be_told(database: Database) -> None:
    order = delivered(database)
    channel_heard(database, stored(database, order.id))
    change(database, order.id, told_by_link_id=CHANNEL.id, tables=("T4",))
    assert await rows(database, Till(told())) == []


async def test_a_channel_told_nothing_of_what_it_should_hear_misses_it(database: Database) -> None:
    order = delivered(database)
    channel_heard(database, stored(database, order.id), State.DEAD)
    assert await rows(database, Till(told())) == [("DT-001", "missing_there", "open", "told nothing yet")]


async def test_a_channel_that_seated_the_guest_and_never_heard_the_end_thinks_it_open(database: Database) -> None:
    database.run_now(lambda c: stored_directory.save_link(c, CHANNEL))
    order = delivered(database)
    theirs = VendorRef(kind="order", id="b-1")
    database.run_now(lambda c: save_ref(c, CHANNEL.id, theirs, order.id, now_ms=NOW))
    assert await rows(database, Till(told())) == []
    close(database, order.id)
    database.run_now(lambda c: c.execute(delete(deliveries).where(deliveries.c.link_id == CHANNEL.id)))
    assert await rows(database, Till(told(status=Status.CLOSED))) == [
        ("DT-001", "status", "closed", "open; it was told nothing since")
    ]


async def test_a_channel_that_was_never_to_hear_of_an_order_does_not_miss_it(database: Database) -> None:
    database.run_now(lambda c: stored_directory.save_link(c, CHANNEL))
    delivered(database)
    found = await report(database, Till(told()))
    assert (found.compared, found.differences) == (("till", "book"), ())


async def test_a_silent_pos_is_said_once_and_the_channel_is_compared_all_the_same(database: Database) -> None:
    order = delivered(database)
    channel_heard(database, order)
    change(database, order.id, tables=("T1",))
    till = Till(silent_on={"list": VendorUnavailable("till: nobody answers")})
    found = await report(database, till)
    assert found.compared == ("book",)
    assert [(one.target, one.order, one.field, one.there) for one in found.differences] == [
        ("till", "*", "not_asked", "till: nobody answers"),
        ("book", "DT-001", "tables", "none"),
    ]
    assert len(till.asked) == 1

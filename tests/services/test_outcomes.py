"""Who waits for an order waits for its POS, and for nobody else."""

import pytest
from msgspec import structs
from sqlalchemy import Connection

from hub.database import directory as stored
from hub.database.deliveries import State, enqueue
from hub.database.engine import Database
from hub.services.directory import Directory
from hub.services.outcomes import Outcomes
from tests.database.stored import LINK, MINUTE, NOW, claim_one, finish, new_id, place

CHANNEL = structs.replace(LINK, id="link_" + "9" * 32, role="channel", connector="booker")


@pytest.mark.anyio
async def test_an_order_the_pos_has_is_told_at_once_though_a_channel_still_waits(database: Database) -> None:
    database.run_now(lambda connection: stored.save_link(connection, CHANNEL))
    order_id = place(database).order.id

    def tell(connection: Connection) -> None:
        enqueue(
            connection,
            lane_id=new_id("lane"),
            delivery_id=new_id("dlv"),
            link_id=CHANNEL.id,
            order_id=order_id,
            operation="push_changed",
            now_ms=NOW,
            deliver_by_ms=NOW + MINUTE,
        )

    database.run_now(tell)
    finish(database, claim_one(database), State.DELIVERED)
    directory = Directory(database)
    await directory.refresh()
    record = await Outcomes(database, directory).wait(order_id, 30.0)
    assert record is not None
    assert {state.link_id: state.state for state in record.injection} == {LINK.id: "confirmed", CHANNEL.id: "queued"}


@pytest.mark.anyio
async def test_an_order_on_its_way_is_told_as_it_is_when_the_time_is_over(database: Database) -> None:
    order_id = place(database).order.id
    directory = Directory(database)
    await directory.refresh()
    record = await Outcomes(database, directory).wait(order_id, 0.01)
    assert record is not None
    assert record.injection[0].state == "queued"

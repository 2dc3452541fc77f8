"""Orders that nobody closed are closed after a day, a day and a half at a table; ended keys are forgotten."""

import pytest
from msgspec import structs

from hub.database.engine import Database
from hub.database.order_reads import load_events, load_order
from hub.database.orders import place_orders, save_change
from hub.model.order import Order
from hub.model.status import OrderType, Stage, Status
from hub.services.expiry import Expiry
from tests.contract.ports import StandingClock
from tests.database.stored import DAY, NOW, counting_ids, new_id, new_order

pytestmark = pytest.mark.anyio
HOUR = 3_600_000


@pytest.fixture
def expiry(database: Database, clock: StandingClock) -> Expiry:
    return Expiry(database=database, clock=clock, new_id=counting_ids(NOW + DAY))


def put(database: Database, hours_ago: float, **values: object) -> Order:
    item = new_order(at_ms=NOW - int(hours_ago * HOUR))
    item = structs.replace(item, order=structs.replace(item.order, **values))
    database.run_now(lambda c: place_orders(c, [item]))
    return load(database, item.order.id)


def load(database: Database, order_id: str) -> Order:
    record = database.read_now(lambda c: load_order(c, order_id))
    assert record is not None
    return record.order


@pytest.mark.parametrize(
    ("order_type", "hours_ago", "closed"),
    [
        (OrderType.PICKUP, 23.9, False),
        (OrderType.PICKUP, 24.1, True),
        (OrderType.DELIVERY, 24.1, True),
        (OrderType.DINE_IN, 24.1, False),
        (OrderType.DINE_IN, 35.9, False),
        (OrderType.DINE_IN, 36.1, True),
    ],
)
async def test_an_order_without_change_is_closed_after_its_time(
    database: Database, expiry: Expiry, order_type: OrderType, hours_ago: float, closed: bool
) -> None:
    order = put(database, hours_ago, order_type=order_type)
    assert await expiry.close_forgotten() == int(closed)
    after = load(database, order.id)
    if closed:
        assert (after.status, after.stage, after.timing.closed_at_ms) == (Status.CLOSED, Stage.EXPIRED, NOW)
        assert database.read_now(lambda c: load_events(c, order.id))[-1].kind == "expired"
    else:
        assert after == order
    assert await expiry.close_forgotten() == 0


async def test_an_order_for_later_is_not_forgotten_before_its_time(database: Database, expiry: Expiry) -> None:
    order = put(database, 48)
    timed = structs.replace(order, timing=structs.replace(order.timing, promised_at_ms=NOW - 23 * HOUR))
    database.run_now(lambda c: save_change(c, order, timed, event_id=new_id("evt"), kind="x", actor="x", detail=""))
    assert await expiry.close_forgotten() == 0


async def test_an_order_that_was_refused_is_closed_and_stays_refused(database: Database, expiry: Expiry) -> None:
    order = put(database, 30, stage=Stage.REJECTED)
    assert await expiry.close_forgotten() == 1
    after = load(database, order.id)
    assert (after.status, after.stage) == (Status.CLOSED, Stage.REJECTED)


async def test_many_orders_at_tables_do_not_hide_the_forgotten_ones(database: Database, expiry: Expiry) -> None:
    for _ in range(210):
        put(database, 30, order_type=OrderType.DINE_IN)
    forgotten = put(database, 30)
    assert await expiry.close_forgotten() == 1
    assert load(database, forgotten.id).stage is Stage.EXPIRED


async def test_ended_keys_are_forgotten(database: Database, clock: StandingClock, expiry: Expiry) -> None:
    items = [new_order(key=f"k{n}") for n in range(5)]
    database.run_now(lambda c: place_orders(c, items))
    assert await expiry.forget_keys() == 0
    clock.advance(7 * 86_400)
    assert await expiry.forget_keys() == 5

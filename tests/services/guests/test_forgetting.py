"""What names a guest goes with the last order or booking that does, and at once when the guest asks."""

from typing import Any

import pytest
from sqlalchemy import Connection, select

from hub.database import calls as stored_calls
from hub.database.guest_tables import guest_keys, guest_visits, guests, reservations
from hub.database.order_reads import load_events
from hub.database.retention import save_hold
from hub.database.tables import metadata
from hub.model.archive import Hold
from hub.model.order import Customer, Delivery, Order
from hub.services.retention import Retention
from tests.database.stored import NOW
from tests.database.test_calls import call, keep
from tests.services.guests.restaurant import ALICE, Restaurant

pytestmark = pytest.mark.anyio
KEPT = 45 * 86_400


def rows(house: Restaurant, *tables: Any) -> list[int]:
    def count(connection: Connection) -> list[int]:
        return [len(connection.execute(select(table)).all()) for table in tables]

    return house.database.read_now(count)


async def purge(house: Restaurant) -> int:
    async def no_pause(_seconds: float) -> None:
        pass

    retention = Retention(database=house.database, calls_database=house.database, clock=house.clock, pause=no_pause)
    return await retention.delete_orders()


async def names(house: Restaurant) -> list[str]:
    return [guest["name"] for guest in await house.customers()]


async def test_a_guest_goes_with_their_last_order_and_not_before(house: Restaurant) -> None:
    house.eats()
    await names(house)
    house.clock.advance(86_400)
    house.eats()
    await names(house)
    house.clock.advance(KEPT - 86_400)
    assert await purge(house) == 1
    [guest] = await house.customers()
    assert (guest["orderCount"], guest["spend"]["cents"]) == (2, 3600)
    house.clock.advance(86_400)
    assert await purge(house) == 1
    assert await names(house) == []
    assert rows(house, guests, guest_keys, guest_visits) == [0, 0, 0]


async def test_a_reservation_to_come_keeps_a_guest_and_goes_itself_45_days_after_it(house: Restaurant) -> None:
    house.eats(ALICE)
    await names(house)
    body = {"partySize": 2, "startsAt": "2027-01-20T19:00:00+04:00", "storeSlug": "demo"}
    body |= {"customer": {"name": "Alice", "phone": ALICE.phone}}
    assert (await house.call("POST", "/reservations", body)).status_code == 201
    house.clock.advance(KEPT)
    assert await purge(house) == 1
    assert await names(house) == ["Alice"]
    house.clock.advance(80 * 86_400)
    assert await house.front.book.forget_bookings() == 1
    assert await names(house) == []
    assert rows(house, reservations, guests) == [0, 0]


async def test_an_order_under_a_hold_keeps_its_guest(house: Restaurant) -> None:
    order = house.eats()
    await names(house)
    hold(house, order)
    house.clock.advance(KEPT)
    assert await purge(house) == 0
    assert await names(house) == ["Alice Əliyeva"]


def hold(house: Restaurant, order: Order) -> None:
    held = Hold(order_id=order.id, reason="case 7", actor="lawyer", since_ms=NOW)
    house.database.run_now(lambda c: save_hold(c, held, event_id=house.new_id("evt")))


async def test_a_forgotten_guest_is_nowhere_but_the_figures_of_orders_stay(house: Restaurant) -> None:
    order = house.eats(delivery=Delivery(address="Alice's street 7"), note="for Alice")
    body = {"partySize": 2, "startsAt": "2026-11-20T19:00:00+04:00", "storeSlug": "demo"}
    body |= {"customer": {"name": "Alice", "phone": ALICE.phone}, "tables": ["T1"], "notes": "Alice's birthday"}
    booked = (await house.call("POST", "/reservations", body)).json()["reservation"]
    record_calls(house, order)
    [guest] = await house.customers("alice")
    answer = await house.call("DELETE", f"/customers/{guest['id']}")
    assert answer.json()["forgotten"] == {
        "customerId": guest["id"],
        "ordersAnonymised": 1,
        "bookingsAnonymised": 1,
        "ordersOnHold": [],
    }
    assert await names(house) == []
    after = house.room.stored(order.id)
    assert (after.customer, after.delivery, after.note) == (None, None, "")
    assert after.totals.total_cents == 1800
    assert [event.kind for event in house.database.read_now(lambda c: load_events(c, order.id))][-1] == (
        "guest_forgotten"
    )
    shown = (await house.get(f"/reservations/{booked['id']}"))["reservation"]
    assert (shown["status"], shown["customer"], shown["customerId"], shown["notes"]) == ("cancelled", None, None, "")
    assert "alice" not in everything(house).lower()


def record_calls(house: Restaurant, order: Order) -> None:
    keep(house.database, call(order_id=order.id, request_body='{"name": "Alice"}'))


def everything(house: Restaurant) -> str:
    """All that is stored, but what test keys are called."""

    def read(connection: Connection) -> str:
        kept = [str(connection.execute(select(table)).all()) for table in metadata.sorted_tables]
        days = stored_calls.days_kept(connection)
        kept += [str(connection.execute(select(stored_calls.calls_table(day))).all()) for day in days]
        return "\n".join(kept)

    return house.database.read_now(read)


async def test_who_was_forgotten_is_not_learnt_anew_from_an_order_that_was_read_before(
    house: Restaurant, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = house.eats()
    read = house.room.stored(order.id)
    [guest] = await house.customers()
    await house.call("DELETE", f"/customers/{guest['id']}")
    await house.front.book._take_in(house.directory.venue("demo"), [read], NOW)
    assert await names(house) == []


async def test_orders_on_hold_keep_the_name_and_are_told(house: Restaurant) -> None:
    order = house.eats()
    hold(house, order)
    [guest] = await house.customers()
    forgotten = (await house.call("DELETE", f"/customers/{guest['id']}")).json()["forgotten"]
    number = house.room.stored(order.id).number
    assert (forgotten["ordersAnonymised"], forgotten["ordersOnHold"]) == (0, [number])
    assert house.room.stored(order.id).customer == ALICE


async def test_a_guest_with_an_open_order_is_not_forgotten_yet(house: Restaurant) -> None:
    house.order()
    [guest] = await house.customers()
    answer = await house.call("DELETE", f"/customers/{guest['id']}")
    assert (answer.status_code, answer.json()["code"]) == (409, "CUSTOMER_HAS_OPEN_ORDERS")
    assert await names(house) == ["Alice Əliyeva"]


async def test_others_stay(house: Restaurant) -> None:
    house.eats()
    house.eats(Customer(name="Bob", phone="+994501111111"))
    [alice] = await house.customers("alice")
    await house.call("DELETE", f"/customers/{alice['id']}")
    assert await names(house) == ["Bob"]

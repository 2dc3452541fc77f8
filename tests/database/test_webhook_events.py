"""What partners are told is written with the change itself, where somebody listens and nowhere else."""

import pytest
from msgspec import structs
from sqlalchemy import Connection

from hub.database import directory
from hub.database.deliveries import State
from hub.database.engine import Database
from hub.database.guest_retention import _anonymise
from hub.database.order_reads import decode_order, load_order
from hub.database.orders import place_orders, save_change
from hub.database.retention import delete_closed
from hub.model.menu import Item, Menu
from hub.model.order import Customer, Order
from hub.model.status import Stage, Status
from hub.model.webhook import EventType
from tests.database.listening import listen, take, told
from tests.database.stored import (
    NOW,
    OTHER_LINK,
    OTHER_VENUE,
    PLOV,
    VENUE,
    claim_one,
    close,
    finish,
    new_id,
    new_order,
    place,
)


def move(database: Database, order_id: str, stage: Stage) -> Order:
    """Moves an order on."""

    def unit(connection: Connection) -> Order:
        record = load_order(connection, order_id)
        assert record is not None
        after = structs.replace(record.order, stage=stage, updated_at_ms=NOW + 1)
        words = {"event_id": new_id("evt"), "kind": "stage", "actor": "tester", "detail": ""}
        saved = save_change(connection, record.order, after, **words)
        assert saved is not None
        return saved

    return database.run_now(unit)


def test_nothing_is_written_where_nobody_listens(database: Database) -> None:
    listen(database, venue_id=OTHER_VENUE.id)
    order = place(database).order
    move(database, order.id, Stage.ACCEPTED)
    assert told(database) == []


def test_an_order_s_life_is_told_change_by_change(database: Database) -> None:
    listen(database)
    order = place(database).order
    move(database, order.id, Stage.ACCEPTED)
    move(database, order.id, Stage.COMPLETED)
    assert told(database) == [
        (EventType.ORDER_CREATED, order.id),
        (EventType.ORDER_UPDATED, order.id),
        (EventType.ORDER_COMPLETED, order.id),
    ]


@pytest.mark.parametrize("stage", [Stage.CANCELLED, Stage.REJECTED, Stage.EXPIRED])
def test_an_order_that_ends_unmade_is_cancelled(database: Database, stage: Stage) -> None:
    listen(database)
    order = place(database).order
    move(database, order.id, stage)
    assert told(database)[1] == (EventType.ORDER_CANCELLED, order.id)


def test_a_closed_tab_is_completed_and_a_void_one_cancelled(database: Database) -> None:
    listen(database)
    closed, void = place(database).order, place(database).order
    close(database, closed.id)
    close(database, void.id, status=Status.VOID)
    assert (EventType.ORDER_COMPLETED, closed.id) in told(database)
    assert (EventType.ORDER_CANCELLED, void.id) in told(database)


def test_who_listens_everywhere_hears_of_every_venue_and_of_the_events_it_wants(database: Database) -> None:
    everywhere = listen(database, 1, venue_id="")
    created_only = listen(database, 2, venue_id="", events=(EventType.ORDER_CREATED,))
    order = place(database, venue=OTHER_VENUE, link=OTHER_LINK, catalog_version=0).order
    move(database, order.id, Stage.ACCEPTED)
    assert [one.event.type for one in take(database, created_only)] == [EventType.ORDER_CREATED]
    assert [one.event.type for one in take(database, everywhere)] == [EventType.ORDER_CREATED]  # the second waits


def test_a_batch_of_orders_is_told_order_by_order_and_a_repetition_is_not_told_again(database: Database) -> None:
    listen(database)
    items = [new_order(key="a"), new_order(key="b")]
    database.run_now(lambda connection: place_orders(connection, items))
    repeated = new_order(key="a")
    database.run_now(lambda connection: place_orders(connection, [repeated]))
    assert {subject for _, subject in told(database)} == {item.order.id for item in items}


def test_a_change_that_is_not_stored_is_not_told(database: Database) -> None:
    listen(database)
    order = place(database).order

    def unit(connection: Connection) -> None:
        record = load_order(connection, order.id)
        assert record is not None
        words = {"kind": "stage", "actor": "tester", "detail": ""}
        stale = structs.replace(record.order, version=9)
        assert save_change(connection, stale, stale, event_id=new_id("evt"), **words) is None
        save_change(connection, record.order, record.order, event_id=new_id("evt"), **words)
        raise RuntimeError("the transaction fails")

    with pytest.raises(RuntimeError):
        database.run_now(unit)
    assert told(database) == [(EventType.ORDER_CREATED, order.id)]


def test_a_delivery_that_a_person_must_look_at_is_told(database: Database) -> None:
    hook = listen(database, events=(EventType.ORDER_DELIVERY_FAILED,))
    order = place(database).order
    finish(database, claim_one(database), State.DEAD, cause="DEADLINE_PASSED")
    [claimed] = take(database, hook, now_ms=NOW + 2000)
    assert (claimed.event.type, claimed.event.order_id) == (EventType.ORDER_DELIVERY_FAILED, order.id)


def test_a_delivery_that_is_tried_again_is_not_told(database: Database) -> None:
    listen(database, events=(EventType.ORDER_DELIVERY_FAILED,))
    place(database)
    finish(database, claim_one(database), State.PENDING, due_at_ms=NOW + 5000)
    assert told(database) == []


def test_a_sold_out_item_is_told_once_and_not_again_when_the_pos_knows(database: Database) -> None:
    listen(database)

    def sell_out(connection: Connection) -> None:
        directory.set_sold_out(connection, VENUE.id, PLOV.id, is_sold_out=True, now_ms=NOW)

    database.run_now(sell_out)
    database.run_now(sell_out)
    gone = structs.replace(PLOV, available=False)
    database.run_now(lambda c: directory.save_menu(c, VENUE.id, Menu(items=(gone,)), source="pos", now_ms=NOW + 1))
    assert told(database) == [(EventType.ITEM_AVAILABILITY_CHANGED, PLOV.id)]


def test_the_pos_s_word_on_an_item_is_told_and_a_new_price_as_the_menu_s(database: Database) -> None:
    listen(database)
    gone = structs.replace(PLOV, available=False)
    database.run_now(lambda c: directory.save_menu(c, VENUE.id, Menu(items=(gone,)), source="pos", now_ms=NOW))
    dear = structs.replace(gone, price_cents=2000)
    database.run_now(lambda c: directory.save_menu(c, VENUE.id, Menu(items=(dear,)), source="pos", now_ms=NOW))
    assert told(database) == [
        (EventType.ITEM_AVAILABILITY_CHANGED, PLOV.id),
        (EventType.MENU_UPDATED, VENUE.id),
    ]


def test_a_new_item_is_the_menu_s_news_and_a_whole_list_of_sold_out_ones_is_compared(database: Database) -> None:
    listen(database)
    tea = Item(id="item_tea", name="Tea", price_cents=200)
    database.run_now(lambda c: directory.save_menu(c, VENUE.id, Menu(items=(PLOV, tea)), source="pos", now_ms=NOW))
    database.run_now(lambda c: directory.save_sold_out(c, VENUE.id, [tea.id], NOW))
    assert told(database) == [(EventType.MENU_UPDATED, VENUE.id), (EventType.ITEM_AVAILABILITY_CHANGED, tea.id)]


def test_events_go_with_their_order(database: Database) -> None:
    hook = listen(database)
    order = place(database, link=None).order
    close(database, order.id, at_ms=NOW)
    deleted = database.run_now(lambda c: delete_closed(c, closed_until_ms=NOW, after=None, limit=9))
    assert deleted.orders == 1
    assert told(database) == []
    assert take(database, hook) == []


def test_a_forgotten_guest_is_in_no_event_that_is_sent_later(database: Database) -> None:
    hook = listen(database)
    new = new_order(link=None)
    named = structs.replace(new, order=structs.replace(new.order, customer=Customer(name="Alice"), note="by the door"))
    database.run_now(lambda connection: place_orders(connection, [named]))
    closed = close(database, new.order.id)
    database.run_now(lambda c: _anonymise(c, closed, actor="tester", now_ms=NOW, event_id=new_id("evt")))
    [claimed] = take(database, hook)
    shown = decode_order(claimed.event.document)
    assert (shown.customer, shown.note) == (None, "")

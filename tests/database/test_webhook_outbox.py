"""Events on their way to endpoints: one after the other per order, under leases, at least once."""

from collections.abc import Callable

from msgspec import structs
from sqlalchemy import Connection, insert

from hub.database import link_state, webhook_outbox, webhooks
from hub.database.engine import Database
from hub.database.link_state import Breaker
from hub.database.order_reads import load_order
from hub.database.orders import save_change
from hub.database.tables import order_holds
from hub.database.webhook_outbox import Claimed, Outcome
from hub.model.webhook import DeliveryState, Endpoint, Event, EventType, Period
from tests.database.listening import endpoint, listen, states, take
from tests.database.stored import DAY, NOW, new_id, place


def change(database: Database, order_id: str) -> None:
    """Changes an order a little."""

    def unit(connection: Connection) -> None:
        record = load_order(connection, order_id)
        assert record is not None
        after = structs.replace(record.order, note="changed", updated_at_ms=NOW)
        words = {"event_id": new_id("evt"), "kind": "note", "actor": "tester", "detail": ""}
        assert save_change(connection, record.order, after, **words)

    database.run_now(unit)


def end(database: Database, claimed: Claimed, state: DeliveryState, **values: object) -> bool:
    """Records an outcome; False when the lease was lost."""
    outcome = Outcome(**{"state": state, "now_ms": NOW, "status": None, "detail": "", **values})  # type: ignore[arg-type]
    return database.run_now(lambda connection: webhook_outbox.complete(connection, claimed, outcome))


def due(database: Database, now_ms: int = NOW) -> list[str]:
    return database.read_now(lambda connection: webhook_outbox.endpoints_with_work(connection, now_ms))


def replay(database: Database, hook: Endpoint, wanted: Period) -> int:
    def unit(connection: Connection) -> int:
        events = webhooks.select_events(connection, hook, wanted, venue_id=None, limit=100)
        return webhooks.requeue(connection, hook.id, events, NOW)

    return database.run_now(unit)


def test_events_of_one_order_are_sent_one_after_the_other_and_of_several_at_once(database: Database) -> None:
    hook = listen(database)
    first, second = place(database).order, place(database).order
    change(database, first.id)
    taken = take(database, hook)
    assert {one.event.order_id for one in taken} == {first.id, second.id}
    assert [one.event.type for one in taken] == [EventType.ORDER_CREATED, EventType.ORDER_CREATED]
    assert take(database, hook) == []
    mine = next(one for one in taken if one.event.order_id == first.id)
    end(database, mine, DeliveryState.DELIVERED, status=204)
    assert [one.event.type for one in take(database, hook)] == [EventType.ORDER_UPDATED]


def test_an_event_that_waits_for_its_next_try_holds_back_only_its_own_order(database: Database) -> None:
    hook = listen(database)
    order = place(database).order
    [claimed] = take(database, hook)
    end(database, claimed, DeliveryState.PENDING, due_at_ms=NOW + 5000)
    change(database, order.id)
    other = place(database).order
    assert [one.event.order_id for one in take(database, hook)] == [other.id]
    [again] = take(database, hook, now_ms=NOW + 5000)
    assert (again.event.id, again.tries) == (claimed.event.id, 2)


def test_two_processes_never_take_the_same_event(open_database: Callable[[], Database]) -> None:
    one, other = open_database(), open_database()
    hook = listen(one)
    for _ in range(3):
        place(one)
    first, second = take(one, hook, limit=2), take(other, hook, limit=9)
    assert len(first) == 2
    assert len(second) == 1
    assert not {entry.event.id for entry in first} & {entry.event.id for entry in second}


def test_an_event_whose_process_died_is_taken_up_when_the_lease_ends(database: Database) -> None:
    hook = listen(database)
    place(database)
    [lost] = take(database, hook)
    assert take(database, hook, now_ms=NOW + 59_999) == []
    [again] = take(database, hook, now_ms=NOW + 60_000)
    assert again.event.id == lost.event.id
    assert end(database, lost, DeliveryState.PENDING, due_at_ms=NOW) is False  # its failure counts no more
    assert end(database, lost, DeliveryState.DELIVERED, status=200) is True  # but a success is a fact
    assert states(database, hook) == [DeliveryState.DELIVERED]


def test_an_event_that_failed_often_is_overtaken_by_later_ones_of_its_order(database: Database) -> None:
    hook = listen(database)
    order = place(database).order
    change(database, order.id)
    for number in range(3):  # so many tries hold back, see `take`
        [claimed] = take(database, hook, now_ms=NOW + number)
        assert (claimed.event.type, claimed.tries) == (EventType.ORDER_CREATED, number + 1)
        assert take(database, hook, now_ms=NOW + number) == []
        end(database, claimed, DeliveryState.PENDING, due_at_ms=NOW + number + 1, status=500)
    assert [one.event.type for one in take(database, hook, now_ms=NOW + 2)] == [EventType.ORDER_UPDATED]


def test_endpoints_that_a_breaker_holds_back_are_not_named(database: Database) -> None:
    hook = listen(database)
    place(database)
    opened = Breaker(hook.id, "webhook", failures=5, trips=1, open_until_ms=NOW + 1000)
    database.run_now(lambda connection: link_state.save_breaker(connection, opened))
    assert due(database, NOW + 999) == []
    assert due(database, NOW + 1000) == [hook.id]


def test_a_replay_goes_page_by_page(database: Database) -> None:
    hook = listen(database)
    ids = sorted(place(database).event_id for _ in range(3))
    wanted = Period(from_ms=NOW, before_ms=NOW + 1)

    def page(after: Event | None) -> list[Event]:
        return database.read_now(lambda c: webhooks.select_events(c, hook, wanted, venue_id=None, limit=2, after=after))

    first = page(None)
    assert [event.id for event in [*first, *page(first[-1])]] == ids


def test_only_endpoints_with_something_due_are_named(database: Database) -> None:
    hook = listen(database, 1)
    listen(database, 2, events=(EventType.MENU_UPDATED,))
    assert due(database) == []
    place(database)
    assert due(database) == [hook.id]
    take(database, hook)
    assert due(database) == []


def test_a_success_after_an_outage_makes_due_what_waited_for_its_end_but_not_what_was_refused(
    database: Database,
) -> None:
    hook = listen(database)
    place(database)
    place(database)
    first, refused = take(database, hook)
    end(database, first, DeliveryState.PENDING, due_at_ms=NOW + DAY)
    end(database, refused, DeliveryState.PENDING, due_at_ms=NOW + DAY, status=500)

    def health(*, well: bool, now_ms: int) -> int | None:
        return database.run_now(lambda c: webhook_outbox.note_health(c, hook.id, well=well, now_ms=now_ms))

    assert health(well=False, now_ms=NOW) == NOW
    assert health(well=False, now_ms=NOW + 5) == NOW
    assert health(well=True, now_ms=NOW + 59_000) is None
    assert take(database, hook, now_ms=NOW + 59_000) == []
    assert health(well=False, now_ms=NOW) == NOW
    assert health(well=True, now_ms=NOW + 60_000) is None
    taken = {one.event.id for one in take(database, hook, now_ms=NOW + 60_000)}
    assert taken & {first.event.id, refused.event.id} == {first.event.id}


def test_a_switched_off_endpoint_is_sent_nothing_and_can_be_told_later(database: Database) -> None:
    hook = listen(database)
    listen(database, 2, events=(EventType.MENU_UPDATED,))
    place(database)
    off = structs.replace(hook, enabled=False)

    def switch_off(connection: Connection) -> None:
        webhooks.save_endpoint(connection, off)
        webhooks.stop_deliveries(connection, hook.id, detail="off", now_ms=NOW)

    database.run_now(switch_off)
    place(database)
    assert states(database, hook) == [DeliveryState.FAILED]
    assert take(database, hook, now_ms=NOW + DAY) == []
    database.run_now(lambda connection: webhooks.save_endpoint(connection, hook))
    assert replay(database, hook, Period(from_ms=NOW, before_ms=NOW + 1)) == 2
    assert len(take(database, hook)) == 2


def test_a_replay_leaves_alone_what_is_on_its_way(database: Database) -> None:
    hook = listen(database)
    place(database)
    [claimed] = take(database, hook)
    assert replay(database, hook, Period(event_id=claimed.event.id)) == 0
    end(database, claimed, DeliveryState.DELIVERED, status=200)
    assert replay(database, hook, Period(event_id=claimed.event.id)) == 1
    [again] = take(database, hook)
    assert (again.event, again.tries) == (claimed.event, 1)


def test_a_replay_gives_an_endpoint_only_what_it_is_told_of(database: Database) -> None:
    listen(database, 1, venue_id="")
    menus_only = listen(database, 2, events=(EventType.MENU_UPDATED,))
    elsewhere = listen(database, 3, venue_id="loc_elsewhere")
    place(database)
    everything = Period(from_ms=0, before_ms=NOW + DAY)
    assert replay(database, menus_only, everything) == 0
    assert replay(database, elsewhere, everything) == 0


def test_a_key_has_only_so_many_endpoints(database: Database) -> None:
    listen(database)
    assert database.run_now(lambda c: webhooks.insert_endpoint(c, endpoint(2), most=1)) is False


def test_the_log_goes_page_by_page_from_the_newest_event(database: Database) -> None:
    hook = listen(database)
    ids = [place(database).event_id for _ in range(3)]

    def page(before: str) -> list[str]:
        entries = database.read_now(lambda c: webhooks.load_log(c, hook.id, state=None, before=before, limit=2))
        return [entry.event_id for entry in entries]

    assert page("") == [ids[2], ids[1]]
    assert page(ids[1]) == [ids[0]]


def test_old_events_are_forgotten_with_their_log_unless_their_order_is_under_legal_hold(database: Database) -> None:
    hook = listen(database)
    place(database, link=None, at_ms=NOW - 31 * DAY)
    held = place(database, link=None, at_ms=NOW - 31 * DAY)
    place(database, link=None)
    hold = {"order_id": held.order.id, "reason": "court", "actor": "tester", "since_ms": NOW}
    database.run_now(lambda connection: connection.execute(insert(order_holds), [hold]))
    gone = database.run_now(lambda c: webhooks.forget_events(c, NOW - 30 * DAY, 100))
    assert gone == 1
    assert len(states(database, hook)) == 2

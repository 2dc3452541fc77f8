"""A party that sits down is one order, however often and from wherever its channel says so."""

import asyncio
from collections.abc import Callable

import pytest
from msgspec import structs

from hub.contract.inbound import OpenTab, TabResult, WantedItem
from hub.database import directory as stored_directory
from hub.database.engine import Database
from hub.errors import Conflict, Forbidden, InvalidRequest, VendorUnreachable
from hub.model.menu import Item, Menu, ModifierGroup, ModifierOption
from hub.model.order import Customer
from hub.model.payment import PaymentMethod
from hub.model.status import OrderType, PaymentStatus, Stage, Status
from hub.services.asked import Asked
from hub.services.changes import Changes
from hub.services.requests import LineRequest
from tests.contract.ports import StandingClock
from tests.database.stored import LINK, NOW, PLOV, VENUE
from tests.services.seating.dining_room import CHANNEL, ELSEWHERE, SECOND, DiningRoom, DraftPos, ListingPos

pytestmark = pytest.mark.anyio
JOHN = Customer(name="John Doe", phone="34646883377", email="john@example.com")


async def test_a_guest_sits_down_and_the_tab_is_open_and_empty(database: Database, clock: StandingClock) -> None:
    room = await DiningRoom(database, clock).open_doors()
    tab = await room.open("t2", customer=JOHN, seated_at_ms=NOW - 60_000)
    order = tab.order
    assert (order.number, tab.channel_order_id, order.order_type) == ("DT-001", "b-1", OrderType.DINE_IN)
    assert (order.status, order.stage, order.tables, order.party_size) == (Status.OPEN, Stage.RECEIVED, ("T2",), 4)
    assert (order.origin.system, order.origin.order_id, order.customer) == ("book", "b-1", JOHN)
    assert (order.timing.seated_at_ms, order.timing.business_date) == (NOW - 60_000, "2026-11-18")
    assert [(check.lines, check.totals.total_cents) for check in order.checks] == [((), 0)]
    assert order.check_number(order.checks[0]) == "DT-001"
    assert (room.kinds(order.id), room.told(), room.told(LINK)) == (["placed"], [], [])


async def test_five_at_once_are_one_order_with_one_answer(database: Database, clock: StandingClock) -> None:
    room = await DiningRoom(database, clock).open_doors()
    tabs = await asyncio.gather(*(room.open("T1") for _ in range(5)))
    assert {(tab.order.id, tab.order.version) for tab in tabs} == {(tabs[0].order.id, 1)}
    assert room.order_count() == 1


async def test_two_processes_open_one_order(open_database: Callable[[], Database], clock: StandingClock) -> None:
    first = await DiningRoom(open_database(), clock, process=1).open_doors()
    second = DiningRoom(open_database(), clock, process=2)
    await second.directory.refresh()
    tabs = await asyncio.gather(*(room.open("T1") for room in (first, second) * 5))
    assert len({tab.order.id for tab in tabs}) == 1
    assert first.order_count() == 1


async def test_of_two_parties_that_want_one_table_at_once_one_gets_it(
    open_database: Callable[[], Database], clock: StandingClock
) -> None:
    first = await DiningRoom(open_database(), clock, process=1).open_doors()
    second = DiningRoom(open_database(), clock, process=2)
    await second.directory.refresh()
    outcomes = await asyncio.gather(
        *(room.open("T1", channel_order_id=f"b-{number}") for number, room in enumerate((first, second) * 3)),
        return_exceptions=True,
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, Conflict)]
    assert (len(refused), first.order_count()) == (5, 1)
    assert {problem.code for problem in refused} == {"TABLE_OCCUPIED"}


async def test_another_party_at_an_occupied_table_changes_nothing(database: Database, clock: StandingClock) -> None:
    room = await DiningRoom(database, clock).open_doors()
    first = await room.open("T1", "T2")
    with pytest.raises(Conflict, match="table T2 is occupied by order DT-001") as problem:
        await room.open("T3", " t 2", channel_order_id="b-2")
    assert (problem.value.code, problem.value.field, room.order_count()) == ("TABLE_OCCUPIED", "tables", 1)
    assert room.stored(first.order.id).version == 1


async def test_without_an_id_of_its_own_a_repetition_finds_the_table_occupied(
    database: Database, clock: StandingClock
) -> None:
    room = await DiningRoom(database, clock).open_doors()
    await room.open("T1", channel_order_id="")
    with pytest.raises(Conflict, match="occupied by order DT-001"):
        await room.open("T1", channel_order_id="")


async def test_a_party_moves_and_is_corrected_and_only_other_channels_hear_of_it(
    database: Database, clock: StandingClock
) -> None:
    owned = structs.replace(VENUE, seating="book")
    room = await DiningRoom(database, clock).open_doors(CHANNEL, SECOND, venue=owned)
    opened = await room.open("T1", customer=JOHN)
    clock.advance(60)
    moved = await room.open("T4", "T5", party_size=6)
    assert (moved.order.id, moved.order.version, moved.order.number) == (opened.order.id, 2, "DT-001")
    assert (moved.order.tables, moved.order.party_size, moved.order.customer) == (("T4", "T5"), 6, JOHN)
    assert room.kinds(opened.order.id) == ["placed", "reseated"]
    assert (room.told(CHANNEL), room.told(SECOND)) == ([], ["push_opened", "push_changed"])
    assert (await room.open("T1", channel_order_id="b-2")).order.number == "DT-002"


async def test_a_channel_may_name_an_order_by_our_id(database: Database, clock: StandingClock) -> None:
    room = await DiningRoom(database, clock).open_doors()
    tab = await room.open("T1")
    moved = await room.open("T2", channel_order_id=tab.order.id, party_size=6)
    assert (moved.order.id, moved.order.tables, moved.order.party_size) == (tab.order.id, ("T2",), 6)
    assert (await room.get(tab.order.id)).channel_order_id == "b-1"
    assert room.order_count() == 1


async def test_our_id_of_another_venues_order_leads_nowhere(database: Database, clock: StandingClock) -> None:
    room = await DiningRoom(database, clock).open_doors(CHANNEL, ELSEWHERE)
    tab = await room.open("T1")
    other = await room.open("T1", link=ELSEWHERE, channel_order_id=tab.order.id)
    assert other.order.id != tab.order.id
    assert room.stored(tab.order.id).tables == ("T1",)


async def test_a_party_does_not_move_to_an_occupied_table(database: Database, clock: StandingClock) -> None:
    room = await DiningRoom(database, clock).open_doors()
    await room.open("T1")
    other = await room.open("T2", channel_order_id="b-2")
    with pytest.raises(Conflict, match="table T1 is occupied by order DT-001"):
        await room.open("T1", channel_order_id="b-2", party_size=9)
    assert (room.stored(other.order.id).tables, room.stored(other.order.id).party_size) == (("T2",), 4)


async def test_the_id_of_a_closed_tab_is_answered_with_that_tab(database: Database, clock: StandingClock) -> None:
    room = await DiningRoom(database, clock).open_doors()
    opened = await room.open("T1")
    changes = changes_of(room)
    await changes.set_stage(Asked(opened.order.id, "tester"), Stage.COMPLETED)
    again = await room.open("T2")
    assert (again.order.id, again.order.status, again.order.tables) == (opened.order.id, Status.CLOSED, ("T1",))
    assert (await room.open("T1", channel_order_id="b-2")).order.number == "DT-002"


async def test_a_prepayment_is_a_payment_of_the_check(database: Database, clock: StandingClock) -> None:
    room = await DiningRoom(database, clock).open_doors()
    order = (await room.open("T1", prepaid_cents=5000)).order
    [payment] = order.checks[0].payments
    assert (payment.method, payment.cents, order.payment_status) == (PaymentMethod.PREPAID, 5000, PaymentStatus.PAID)
    assert (order.totals.total_cents, order.totals.discount_cents) == (0, 0)
    again = (await room.open("T1", prepaid_cents=5000)).order
    assert (len(again.checks[0].payments), again.version) == (1, 1)


async def test_what_the_menu_knows_becomes_a_line_and_the_rest_words(database: Database, clock: StandingClock) -> None:
    sizes = ModifierGroup(id="grp_1", name="Size", min_select=1, options=(ModifierOption(id="opt_1", name="Large"),))
    pizza = Item(id="item_p", name="Pizza", price_cents=900, modifier_groups=(sizes,))
    soup = Item(id="item_s", name="Soup", price_cents=500, vendor={"id": 77})
    gone = Item(id="item_g", name="Duck", price_cents=2500, available=False)
    menu = Menu(items=(PLOV, pizza, soup, gone))
    database.run_now(lambda c: stored_directory.save_menu(c, VENUE.id, menu, source="pos", now_ms=NOW))
    room = await DiningRoom(database, clock).open_doors()
    names = (("Plov", 2, ""), ("77", 1, "hot"), ("Pizza", 1, ""), ("Duck", 1, ""), ("plov", 1, "no nuts"))
    items = tuple(WantedItem(item=name, quantity=quantity, note=note) for name, quantity, note in names)
    order = (await room.open("T1", items=items)).order
    lines = [(line.item_id, line.quantity, line.note) for line in order.checks[0].lines]
    assert lines == [(PLOV.id, 2, ""), ("item_s", 1, "hot")]
    assert order.note == "Ordered before: 1 x Pizza; 1 x Duck; 1 x plov (no nuts)"
    assert (order.totals.total_cents, order.money_audit.computed_cents) == (4100, 4100)
    assert room.told(LINK) == ["submit_order"]


async def test_a_pos_that_opens_empty_orders_hears_of_the_table_at_once(
    database: Database, clock: StandingClock
) -> None:
    room = await DiningRoom(database, clock, pos=DraftPos).open_doors()
    await room.open("T1")
    assert (room.told(LINK), room.woken) == (["submit_order"], [LINK.id])


async def test_any_other_pos_hears_of_the_table_with_the_first_round(database: Database, clock: StandingClock) -> None:
    room = await DiningRoom(database, clock).open_doors()
    opened = await room.open("T1")
    await changes_of(room).add_lines(Asked(opened.order.id, "tester"), [LineRequest(item_id=PLOV.id)])
    assert (room.told(LINK), room.told(CHANNEL)) == (["submit_order"], ["push_changed"])
    assert room.stored(opened.order.id).tables == ("T1",)


async def test_an_order_the_staff_opened_on_the_table_becomes_the_partys(
    database: Database, clock: StandingClock
) -> None:
    room = await DiningRoom(database, clock).open_doors()
    theirs = room.opened_at_the_pos("T3")
    assert room.told() == ["push_opened"]
    items = (WantedItem(item="Plov", quantity=2),)
    tab = await room.open("T3", customer=JOHN, prepaid_cents=1000, items=items)
    assert (tab.order.id, tab.order.number, tab.channel_order_id) == (theirs.id, "DT-001", "b-1")
    assert (tab.order.party_size, tab.order.customer, tab.order.origin.system) == (4, JOHN, "pos:till")
    assert (tab.order.note, tab.order.totals.total_cents) == ("Ordered before: 2 x Plov", 3600)
    assert [payment.cents for payment in tab.order.checks[0].payments] == [1000]
    assert (room.kinds(theirs.id), room.order_count()) == (["placed", "seated"], 1)
    assert room.told() == ["push_changed", "push_changed"]
    again = await room.open("T3", customer=JOHN, prepaid_cents=1000, items=items)
    assert (again.order.id, again.order.version) == (theirs.id, 2)
    with pytest.raises(Conflict, match="table T3 is occupied by order DT-001"):
        await room.open("T3", channel_order_id="b-2")


async def test_five_at_once_link_the_staffs_order_once(database: Database, clock: StandingClock) -> None:
    room = await DiningRoom(database, clock).open_doors()
    theirs = room.opened_at_the_pos("T3")
    tabs = await asyncio.gather(*(room.open("T3", prepaid_cents=500) for _ in range(5)))
    assert {(tab.order.id, tab.order.version) for tab in tabs} == {(theirs.id, 2)}
    assert len(room.stored(theirs.id).checks[0].payments) == 1


async def test_a_table_the_staff_opened_a_moment_ago_is_seen(database: Database, clock: StandingClock) -> None:
    looked: list[str] = []

    async def look(link_id: str) -> None:
        looked.append(link_id)
        if len(looked) == 1:
            room.opened_at_the_pos("T3")

    room = await DiningRoom(database, clock, pos=ListingPos, look=look).open_doors()
    assert (await room.open("T3")).order.origin.system == "pos:till"
    assert (await room.open("T3", party_size=5)).order.party_size == 5
    assert looked == [LINK.id]


@pytest.mark.parametrize("problem", [VendorUnreachable("nobody answers"), None])
async def test_a_pos_that_does_not_answer_is_no_obstacle(
    database: Database, clock: StandingClock, problem: Exception | None
) -> None:
    async def look(link_id: str) -> None:
        if problem is not None:
            raise problem
        await asyncio.Event().wait()

    room = await DiningRoom(database, clock, pos=ListingPos, look=look).open_doors()
    assert (await room.open("T3")).order.number == "DT-001"


async def test_only_the_one_who_owns_seating_seats(database: Database, clock: StandingClock) -> None:
    room = await DiningRoom(database, clock).open_doors(CHANNEL, SECOND)
    with pytest.raises(Forbidden, match="book may not seat guests at demo: the hub does"):
        await room.open("T1")
    await room.open_doors(CHANNEL, SECOND, venue=structs.replace(VENUE, seating="ring"))
    with pytest.raises(Forbidden, match="ring does") as problem:
        await room.open("T1")
    assert (problem.value.code, room.order_count()) == ("SEATING_NOT_YOURS", 0)
    assert (await room.open("T1", link=SECOND)).order.origin.system == "ring"


async def test_where_the_pos_seats_a_channel_takes_over_its_tables_and_opens_none(
    database: Database, clock: StandingClock
) -> None:
    room = await DiningRoom(database, clock).open_doors(venue=structs.replace(VENUE, seating="pos"))
    theirs = room.opened_at_the_pos("T3")
    with pytest.raises(Forbidden, match="its POS does"):
        await room.open("T1")
    assert (await room.open("T3")).order.id == theirs.id
    assert (await room.open("T3", party_size=7)).order.party_size == 7
    with pytest.raises(Forbidden, match="its POS does"):
        await room.open("T5")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"tables": ()}, "tables"),
        ({"tables": (" ",)}, "tables"),
        ({"tables": ("x" * 101,)}, "tables"),
        ({"tables": ("T1",) * 21}, "tables"),
        ({"channel_order_id": "x" * 201}, "id"),
        ({"party_size": -1}, "partySize"),
        ({"prepaid_cents": -1}, "prepayment"),
        ({"customer": Customer(name="x" * 201)}, "guest"),
        ({"items": (WantedItem(item="x", quantity=0),)}, "items"),
    ],
)
async def test_what_cannot_be_is_refused_by_name(
    database: Database, clock: StandingClock, values: dict[str, object], field: str
) -> None:
    room = await DiningRoom(database, clock).open_doors()
    with pytest.raises(InvalidRequest) as problem:
        result = await room.seating.carry_out(CHANNEL, OpenTab(**{"tables": ("T1",), **values}))  # type: ignore[arg-type]
        assert isinstance(result, TabResult)
    assert problem.value.field == field


def changes_of(room: DiningRoom) -> Changes:
    return Changes(
        database=room.database,
        directory=room.directory,
        registry=room.registry,
        clock=room.clock,
        new_id=room.new_id,
        on_queued=room.woken.append,
    )

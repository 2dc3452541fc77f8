"""An order is checked against its venue's rules, priced, given a deadline, and stored once."""

from dataclasses import dataclass
from typing import Any

import pytest
from msgspec import structs

from hub.contract.base import PosConnector
from hub.contract.registry import Registration, Registry
from hub.contract.writes import Operation
from hub.database import directory as stored_directory
from hub.database.engine import Database
from hub.errors import Forbidden, InvalidRequest, KeyReused, NotFound
from hub.model.menu import Menu
from hub.model.order import Delivery, OrderRecord
from hub.model.status import Injection, OrderType
from hub.model.venue import OpeningHours, Policies, Venue
from hub.services.directory import Directory
from hub.services.orders import Orders, deliver_by_ms, new_order
from hub.services.requests import Caller, LineRequest, OrderRequest
from tests.contract.ports import StandingClock
from tests.database.stored import DAY, LINK, MINUTE, NOW, OTHER_VENUE, PLOV, VENUE, counting_ids
from tests.services.priced import amount, catalog, line

ANYONE = Caller(id="anonymous:203.0.113.5", name="web")
TILL = Caller(id="key_1", name="till", scopes=frozenset({"orders:write"}))
HOUR = 60 * MINUTE
# NOW is Wednesday, 2026-11-18, 15:06 in Baku.
EVENING = (OpeningHours(day="wed", opens="18:00", closes="02:00"),)


def asked(**values: Any) -> OrderRequest:
    return structs.replace(
        OrderRequest(venue_id=VENUE.id, order_type=OrderType.PICKUP, lines=(line("plov"),)), **values
    )


def made(request: OrderRequest, caller: Caller = TILL, venue: Venue = VENUE) -> Any:
    return new_order(request, caller, venue, catalog(), now_ms=NOW, new_id=counting_ids())


def refused(
    request: OrderRequest, caller: Caller = TILL, venue: Venue = VENUE, kind: type[Exception] = InvalidRequest
) -> tuple[str | None, str | None]:
    with pytest.raises(kind) as raised:
        made(request, caller, venue)
    return raised.value.field, raised.value.code  # type: ignore[attr-defined]


def under(**policies: Any) -> Venue:
    return structs.replace(VENUE, policies=Policies(**policies))


def test_an_order_is_made_in_the_venue_s_currency_and_day() -> None:
    order = made(asked(note="no onions", declared_total_cents=1700, origin_order_id="A-1"))
    assert (order.currency, order.totals.total_cents, order.note) == ("AZN", 1800, "no onions")
    assert (order.timing.business_date, order.timing.timezone) == ("2026-11-18", "Asia/Baku")
    assert (order.origin.system, order.origin.order_id) == ("till", "A-1")
    assert order.money_audit.difference_cents == -100
    assert (order.created_at_ms, order.version, order.number) == (NOW, 1, "")


def test_the_business_date_is_the_venue_s_not_utc_s() -> None:
    late = new_order(asked(), TILL, VENUE, catalog(), now_ms=NOW + 10 * HOUR, new_id=counting_ids())
    assert late.timing.business_date == "2026-11-19"  # 21:06 UTC is 01:06 in Baku


def test_an_anonymous_order_comes_from_the_web() -> None:
    assert made(asked(), ANYONE).origin.system == "web"


def test_a_venue_may_take_no_anonymous_orders() -> None:
    assert refused(asked(), ANYONE, under(anonymous_orders=False), Forbidden) == (None, "KEY_REQUIRED")
    assert made(asked(), TILL, under(anonymous_orders=False))


def test_an_anonymous_caller_gives_no_discount_and_orders_up_to_the_limit() -> None:
    assert refused(asked(discount=amount(1)), ANYONE, kind=Forbidden) == ("discount", "KEY_REQUIRED")
    assert made(asked(), ANYONE, under(anonymous_max_cents=1800))
    assert refused(asked(), ANYONE, under(anonymous_max_cents=1799)) == ("items", "ORDER_TOO_LARGE")
    assert made(asked(), TILL, under(anonymous_max_cents=1799))


def test_an_order_type_the_venue_does_not_offer_is_refused() -> None:
    venue = structs.replace(VENUE, order_types=(OrderType.DINE_IN,))
    assert refused(asked(), venue=venue) == ("orderType", "ORDER_TYPE_NOT_OFFERED")


def test_a_closed_venue_takes_orders_for_later_only() -> None:
    venue = structs.replace(VENUE, hours=EVENING)
    assert refused(asked(), venue=venue) == (None, "STORE_CLOSED")
    assert made(asked(promised_at_ms=NOW + 4 * HOUR), venue=venue)
    assert made(asked(promised_at_ms=NOW + 10 * HOUR), venue=venue)  # 01:06 of the next day
    assert refused(asked(promised_at_ms=NOW + 2 * HOUR), venue=venue) == ("scheduledFor", "STORE_CLOSED")
    assert refused(asked(promised_at_ms=NOW + 11 * HOUR), venue=venue) == ("scheduledFor", "STORE_CLOSED")


@pytest.mark.parametrize("promised", [NOW, NOW - DAY, 0, -(10**13), -62_135_596_800_000])
def test_a_time_that_is_past_is_refused(promised: int) -> None:
    assert refused(asked(promised_at_ms=promised)) == ("scheduledFor", "TIME_PAST")


@pytest.mark.parametrize("promised", [NOW + 400 * DAY, 253_402_300_799_000, 10**17])
def test_a_time_that_nobody_can_mean_is_refused(promised: int) -> None:
    field, _ = refused(asked(promised_at_ms=promised))
    assert field == "scheduledFor"


def test_a_delivery_needs_an_address_where_the_venue_says_so() -> None:
    request = asked(order_type=OrderType.DELIVERY)
    assert refused(request, venue=under(delivery_address_required=True)) == ("deliveryAddress", "ADDRESS_REQUIRED")
    there = structs.replace(request, delivery=Delivery(address="28 May 12"))
    assert made(there, venue=under(delivery_address_required=True)).delivery == Delivery(address="28 May 12")
    assert made(request)


@pytest.mark.parametrize(
    ("promised_in_minutes", "deadline_in_minutes"), [(None, 10), (15, 10), (30, 10), (31, 11), (120, 100)]
)
def test_the_hub_tries_for_ten_minutes_or_until_the_promised_time_less_preparation(
    promised_in_minutes: int | None, deadline_in_minutes: int
) -> None:
    promised = None if promised_in_minutes is None else NOW + promised_in_minutes * MINUTE
    assert deliver_by_ms(VENUE, NOW, promised) == NOW + deadline_in_minutes * MINUTE


class TwoSteps(PosConnector):
    """Needs two writes for an order."""

    submission = (Operation.SUBMIT_ORDER, Operation.CANCEL_ORDER)


@dataclass
class House:
    """The service with what stands around it."""

    orders: Orders
    directory: Directory
    woken: list[str]
    rendered: list[OrderRecord]

    def render(self, record: OrderRecord) -> str:
        self.rendered.append(record)
        return f"{record.order.number}, {len(self.rendered)}"


@pytest.fixture
async def house(database: Database, clock: StandingClock) -> House:
    directory, woken = Directory(database), []
    await directory.refresh()
    registration = Registration(TwoSteps, manifest=None, config_schema={}, tables=None)  # type: ignore[arg-type]
    orders = Orders(
        database=database,
        directory=directory,
        registry=Registry({"till": registration}),
        clock=clock,
        new_id=counting_ids(),
        on_placed=woken.append,
    )
    return House(orders, directory, woken, [])


def plov(**values: Any) -> OrderRequest:
    return asked(lines=(LineRequest(item_id=PLOV.id),), **values)


@pytest.mark.anyio
async def test_a_placed_order_is_answered_as_stored_and_wakes_its_link(house: House) -> None:
    placed = await house.orders.place(plov(), TILL, idempotency_key="", render=house.render)
    assert (placed.answer, placed.replayed) == ("DT-001, 1", False)
    assert house.woken == [LINK.id]
    [state] = house.rendered[0].injection
    assert (state.state, state.target, state.deadline_at_ms) == (Injection.QUEUED, "till", NOW + 10 * MINUTE)
    for name in (placed.order_id, "DT-001", placed.order_id.removeprefix("order_")):
        assert (await house.orders.load(name)).order.id == placed.order_id


@pytest.mark.anyio
async def test_a_repetition_is_answered_from_the_order_as_it_was_placed_and_wakes_nobody(house: House) -> None:
    first = await house.orders.place(plov(), TILL, idempotency_key="k", render=house.render)
    again = await house.orders.place(plov(), TILL, idempotency_key="k", render=house.render)
    assert (again.order_id, again.replayed) == (first.order_id, True)
    assert house.rendered[1] == house.rendered[0]
    assert house.woken == [LINK.id]


@pytest.mark.anyio
async def test_a_repetition_by_origin_alone_is_answered_with_the_order_as_it_is_now(house: House) -> None:
    await house.orders.place(plov(origin_order_id="A-1"), TILL, idempotency_key="", render=house.render)
    again = await house.orders.place(plov(origin_order_id="A-1"), TILL, idempotency_key="", render=house.render)
    assert (again.answer, again.replayed) == ("DT-001, 2", True)


@pytest.mark.anyio
@pytest.mark.parametrize(("key", "origin"), [("k", ""), ("", "A-1")])
async def test_a_repetition_is_answered_although_the_order_would_be_refused_by_now(
    house: House, clock: StandingClock, key: str, origin: str
) -> None:
    soon = plov(promised_at_ms=NOW + HOUR, origin_order_id=origin)
    first = await house.orders.place(soon, TILL, idempotency_key=key, render=house.render)
    clock.advance(2 * 3600)
    again = await house.orders.place(soon, TILL, idempotency_key=key, render=house.render)
    assert (again.order_id, again.replayed) == (first.order_id, True)
    with pytest.raises(InvalidRequest):
        await house.orders.place(
            structs.replace(soon, note="x", origin_order_id=""), TILL, idempotency_key="other", render=house.render
        )


@pytest.mark.anyio
@pytest.mark.parametrize(("key", "origin", "field"), [("k", "", "Idempotency-Key"), ("", "A-1", "externalId")])
async def test_the_same_name_for_another_order_is_refused(house: House, key: str, origin: str, field: str) -> None:
    await house.orders.place(plov(origin_order_id=origin), TILL, idempotency_key=key, render=house.render)
    with pytest.raises(KeyReused) as raised:
        other = plov(origin_order_id=origin, note="other")
        await house.orders.place(other, TILL, idempotency_key=key, render=house.render)
    assert (raised.value.status, raised.value.field) == (422, field)


@pytest.mark.anyio
async def test_an_order_is_priced_again_when_the_menu_changed_meanwhile(house: House, database: Database) -> None:
    dearer = Menu(items=(structs.replace(PLOV, price_cents=2000),))
    await house.directory.catalog(VENUE.id)
    database.run_now(lambda c: stored_directory.save_menu(c, VENUE.id, dearer, source="pos", now_ms=NOW))
    placed = await house.orders.place(plov(), TILL, idempotency_key="", render=house.render)
    assert (await house.orders.load(placed.order_id)).order.totals.total_cents == 2000


@pytest.mark.anyio
async def test_a_venue_without_a_pos_keeps_its_orders_in_the_hub(house: House, database: Database) -> None:
    database.run_now(
        lambda c: stored_directory.save_venue(
            c, structs.replace(OTHER_VENUE, id="loc_" + "3" * 32, slug="x", order_prefix="X")
        )
    )
    await house.directory.refresh()
    database.run_now(
        lambda c: stored_directory.save_menu(c, "loc_" + "3" * 32, Menu(items=(PLOV,)), source="file", now_ms=NOW)
    )
    request = plov(venue_id="loc_" + "3" * 32)
    placed = await house.orders.place(request, TILL, idempotency_key="", render=house.render)
    assert (await house.orders.load(placed.order_id)).injection == ()
    assert house.woken == []


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["DT-001", "order_" + "0" * 32, "", "a\x00b", "é" * 300, "'; DROP TABLE orders"])
async def test_an_order_that_is_not_there_is_not_found(house: House, name: str) -> None:
    with pytest.raises(NotFound):
        await house.orders.load(name)

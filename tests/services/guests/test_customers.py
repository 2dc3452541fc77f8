"""Guests are kept from orders, each counted once; found by name, phone and e-mail; seen by their own store only."""

import asyncio
from typing import Any

import pytest
from msgspec import structs

from hub.contract.families import HasCustomers, PosCustomer
from hub.database.engine import Database
from hub.errors import VendorUnavailable
from hub.model.order import Customer
from hub.model.payment import Payment, PaymentMethod
from hub.model.status import PaymentStatus, Stage, Status
from tests.contract.ports import StandingClock
from tests.database.stored import LINK, OTHER_VENUE
from tests.services.fake_pos import PlainPos
from tests.services.guests.restaurant import ALICE, Restaurant

pytestmark = pytest.mark.anyio
BOB = Customer(name="Bob Smith", phone="012 555 12 34")


async def test_a_guest_comes_from_their_orders_with_figures(house: Restaurant) -> None:
    house.eats()
    house.clock.advance(60)
    house.order()
    [guest] = await house.customers("alice")
    assert guest["name"] == "Alice Əliyeva"
    assert guest["phone"] == "+994 50 123 45 67"
    assert guest["email"] == "Alice@example.com"
    assert guest["orderCount"] == 2
    assert guest["spend"] == {"cents": 1800, "dollars": 18.0, "display": "₼18.00", "currency": "AZN"}
    assert (guest["firstOrderAt"], guest["lastOrderAt"]) == ("2026-11-18T11:06:40Z", "2026-11-18T11:07:40Z")
    assert guest["marketingConsent"] is False
    assert guest["sources"] == ["hub"]


async def test_an_order_is_counted_once_however_often_and_by_whomever_it_is_read(
    house: Restaurant, database: Database, clock: StandingClock
) -> None:
    order = house.eats()
    other = Restaurant(database, clock, process=2)
    await other.directory.refresh()
    await asyncio.gather(*(front.book.catch_up(front_venues(front)) for front in (house.front, other.front) * 3))
    clock.advance(60)
    for restaurant in (house, other):
        await restaurant.front.book.read_on()
        await restaurant.front.book.read_on()
    house.change(order, note="x")
    await other.front.book.catch_up(other.directory.venues())
    [guest] = await house.customers()
    assert (guest["orderCount"], guest["spend"]["cents"]) == (1, 1800)


def front_venues(front: Any) -> Any:
    return front.book._directory.venues()


async def test_the_job_leaves_the_last_moments_to_later_and_reads_nothing_twice(house: Restaurant) -> None:
    house.order()
    assert await house.front.book.read_on() == 0
    house.clock.advance(20)
    assert await house.front.book.read_on() == 1
    assert await house.front.book.read_on() == 0


async def test_an_order_that_another_process_stored_late_is_not_missed(house: Restaurant) -> None:
    house.clock.advance(10)
    house.order(BOB)
    assert len(await house.customers()) == 1
    house.clock.advance(-10)
    house.order()  # changed before Bob's order, and seen only now
    house.clock.advance(10)
    assert sorted(guest["name"] for guest in await house.customers()) == ["Alice Əliyeva", "Bob Smith"]


@pytest.mark.parametrize(
    "again",
    [
        Customer(name="A", phone="+994501234567"),
        Customer(name="A", phone="00994 50 1234567"),
        Customer(name="A", phone="(050) 123-45-67"),
        Customer(name="A", phone="", email="ALICE@EXAMPLE.COM"),
        Customer(name="A", phone="٠٥٠١٢٣٤٥٦٧"),
    ],
)
async def test_the_same_person_is_recognised_however_the_number_is_written(house: Restaurant, again: Customer) -> None:
    house.order()
    house.order(again)
    [guest] = await house.customers()
    assert guest["orderCount"] == 2


@pytest.mark.parametrize(
    "another",
    [
        Customer(name="Alice Əliyeva"),
        Customer(name="Alice Əliyeva", phone="+49 50 123 45 67"),
        Customer(name="Alice Əliyeva", phone="1234"),
        Customer(name="Alice Əliyeva", email="alice"),
    ],
)
async def test_two_people_are_not_made_one(house: Restaurant, another: Customer) -> None:
    house.order()
    house.order(another)
    assert [guest["orderCount"] for guest in await house.customers()] == [1, 1]


async def test_a_number_that_two_countries_could_have_decides_nothing(house: Restaurant) -> None:
    house.order()
    house.order(Customer(name="Anna", phone="+49 50 123 45 67"))
    house.order(Customer(name="Who", phone="050 123 45 67"))
    assert len(await house.customers()) == 3


@pytest.mark.parametrize(
    "query",
    ["alice", "ELIYEVA", "əliyeva", "Aliye", "eliyeva alice", "123 45", "+994 50", "example.com", "050 123 45 67"],
)
async def test_a_guest_is_found_by_parts_of_name_phone_and_email(house: Restaurant, query: str) -> None:
    house.order()
    house.order(BOB)
    expected = [] if query == "Aliye" else ["Alice Əliyeva"]
    assert [guest["name"] for guest in await house.customers(query.replace("+", "%2B"))] == expected


@pytest.mark.parametrize("query", ["%25", "_", "ali_e", "\\", "zoe", "alice bob", "99999"])
async def test_what_nobody_has_finds_nobody(house: Restaurant, query: str) -> None:
    house.order()
    house.order(BOB)
    assert await house.customers(query) == []


async def test_the_newest_name_and_number_are_shown_and_nothing_told_erases_nothing(house: Restaurant) -> None:
    house.order()
    house.clock.advance(60)
    house.order(Customer(name="Alice Smith", phone="+994501234567"))
    [guest] = await house.customers()
    assert (guest["name"], guest["email"]) == ("Alice Smith", "Alice@example.com")


async def test_money_counts_once_it_is_paid_or_closed_and_what_came_to_nothing_never(house: Restaurant) -> None:
    async def figures() -> tuple[int, int]:
        [guest] = await house.customers()
        return guest["orderCount"], guest["spend"]["cents"]

    order = house.order()
    assert await figures() == (1, 0)
    house.clock.advance(1)
    house.change(order, payment_status=PaymentStatus.PAID)
    assert await figures() == (1, 1800)
    refund = Payment(id="pay_1", method=PaymentMethod.CASH, cents=1800, refunded_cents=500)
    house.change(order, checks=(structs.replace(order.checks[0], payments=(refund,)),))
    assert await figures() == (1, 1300)
    house.change(order, status=Status.VOID, stage=Stage.CANCELLED)
    assert await figures() == (0, 0)
    [guest] = await house.customers()
    assert (guest["firstOrderAt"], guest["lastOrderAt"]) == (None, None)
    house.eats(stage=Stage.EXPIRED)
    unpaid = house.order()
    house.close(unpaid, stage=Stage.EXPIRED, payment_status=PaymentStatus.UNPAID)
    assert await figures() == (2, 1800)


async def test_an_order_that_gets_another_guest_counts_for_that_one(house: Restaurant) -> None:
    order = house.order()
    assert [guest["name"] for guest in await house.customers()] == ["Alice Əliyeva"]
    house.clock.advance(1)
    house.change(order, customer=BOB)
    assert [(guest["name"], guest["orderCount"]) for guest in await house.customers()] == [("Bob Smith", 1)]


async def test_pages_lead_through_all_guests_and_the_last_says_so(house: Restaurant) -> None:
    for number in range(5):
        house.order(Customer(name=f"Guest {number}", phone=f"+99450000000{number}"))
    seen, cursor = [], ""
    while cursor is not None:
        page = await house.get(f"/customers?query=guest&limit=2&cursor={cursor}")
        seen += [guest["name"] for guest in page["customers"]]
        cursor = page["nextCursor"]
    assert seen == [f"Guest {number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=x", "limit"), ("cursor=x", "cursor"), (f"query={'x' * 201}", "query")],
)
async def test_what_cannot_be_understood_is_named(house: Restaurant, query: str, field: str) -> None:
    answer = await house.call("GET", f"/customers?{query}")
    assert (answer.status_code, answer.json()["field"]) == (400, field)


async def test_a_key_of_one_store_sees_its_own_guests_and_figures_only(house: Restaurant) -> None:
    house.eats()
    house.eats(structs.replace(ALICE, name="Secret", email="secret@example.com"), venue=OTHER_VENUE)
    house.order(BOB, venue=OTHER_VENUE)
    [mine] = await house.customers(key="demo")
    assert (mine["name"], mine["email"], mine["orderCount"]) == ("Alice Əliyeva", "Alice@example.com", 1)
    assert [store["storeSlug"] for store in mine["stores"]] == ["demo"]
    assert [guest["name"] for guest in await house.customers(key="other")] == ["Bob Smith", "Secret"]
    assert (await house.call("GET", "/customers?storeSlug=other", key="demo")).status_code == 403
    theirs = (await house.customers("secret"))[0]
    for method, body in (("GET", None), ("PATCH", {"marketingConsent": True}), ("DELETE", None)):
        answer = await house.call(method, f"/customers/{theirs['id']}", body, key="demo")
        assert (answer.status_code, "Secret" in answer.text) == (403, False)


async def test_a_key_of_all_stores_sees_where_else_a_guest_comes(house: Restaurant) -> None:
    house.eats()
    house.clock.advance(60)
    house.eats(venue=OTHER_VENUE)
    [here] = await house.customers("alice&storeSlug=demo")
    shown = (await house.get(f"/customers/{here['id']}"))["customer"]
    assert [(store["storeSlug"], store["orderCount"], store["spend"]["cents"]) for store in shown["stores"]] == [
        ("demo", 1, 1800),
        ("other", 1, 1800),
    ]


async def test_customers_need_the_scope_and_changes_need_write(house: Restaurant) -> None:
    house.order()
    [guest] = await house.customers(key="guests")
    one = f"/customers/{guest['id']}"
    assert (await house.call("GET", "/customers", key="")).status_code == 401
    assert (await house.call("GET", "/customers", key="orders")).status_code == 403
    for key in ("guests", "reader", "orders"):
        assert (await house.call("DELETE", one, key=key)).status_code == 403
        assert (await house.call("PATCH", one, {"marketingConsent": True}, key=key)).status_code == 403
    assert (await house.call("GET", "/customers/nobody")).status_code == 404
    assert (await house.call("GET", f"/customers/cust_{'0' * 32}")).status_code == 404


async def test_consent_is_noted_with_who_and_when_and_guarded_by_version(house: Restaurant) -> None:
    house.order()
    [guest] = await house.customers()
    one = f"/customers/{guest['id']}"
    answer = await house.call("PATCH", one, {"marketingConsent": True}, if_match=f'"{guest["version"]}"')
    after = answer.json()["customer"]
    assert (after["marketingConsent"], after["consentNotedBy"]) == (True, "all")
    assert after["consentChangedAt"] == "2026-11-18T11:06:40Z"
    assert answer.headers["etag"] == f'"{after["version"]}"'
    late = await house.call("PATCH", one, {"marketingConsent": False}, if_match=f'"{guest["version"]}"')
    assert (late.status_code, late.json()["code"]) == (409, "VERSION_CONFLICT")
    house.clock.advance(60)
    house.order()
    assert (await house.customers())[0]["marketingConsent"] is True


async def test_a_corrected_number_recognises_the_guest_from_then_on(house: Restaurant) -> None:
    house.order()
    [guest] = await house.customers()
    await house.call("PATCH", f"/customers/{guest['id']}", {"phone": "+994 55 777 77 77", "name": "Alisa"})
    house.clock.advance(60)
    house.order(Customer(name="", phone="055 777 77 77"))
    house.order(Customer(name="New", phone=ALICE.phone))
    assert [(it["name"], it["orderCount"]) for it in await house.customers()] == [("New", 1), ("Alisa", 2)]


class KnowingPos(PlainPos, HasCustomers):
    """Knows Alice and Zoe, or fails."""

    problem: Exception | None = None

    async def search_customers(self, query: str) -> Any:
        if self.problem is not None:
            raise self.problem
        known = (Customer(name="A. Eliyeva", phone="0501234567"), Customer(name="Zoe", phone="0507654321"))
        return [PosCustomer(id=str(number), customer=customer) for number, customer in enumerate(known, start=1)]


def at_the_pos(house: Restaurant, problem: Exception | None = None) -> None:
    pos = object.__new__(KnowingPos)
    pos.problem = problem
    house.connections.connectors[LINK.id] = pos


async def test_guests_of_the_pos_are_merged_and_marked(house: Restaurant) -> None:
    house.order()
    at_the_pos(house)
    found = await house.get("/customers?query=z&storeSlug=demo")
    assert found["pos"] == {"status": "searched", "problem": None}
    assert [(it["name"], it["sources"], it["posCustomerId"]) for it in found["customers"]] == [
        ("A. Eliyeva", ["pos"], "1"),
        ("Zoe", ["pos"], "2"),
    ]
    found = await house.get("/customers?query=alice", key="demo")
    assert [(it["name"], it["sources"], it["posCustomerId"]) for it in found["customers"]] == [
        ("Alice Əliyeva", ["hub", "pos"], "1"),
        ("Zoe", ["pos"], "2"),
    ]
    assert (await house.get("/customers?query=alice"))["pos"]["status"] == "not_asked"
    assert (await house.get("/customers", key="demo"))["pos"]["status"] == "not_asked"


@pytest.mark.parametrize(
    ("problem", "words"), [(VendorUnavailable("away"), "VendorUnavailable"), (TimeoutError(), "no answer within 3 s")]
)
async def test_a_pos_that_fails_hides_none_of_ours(house: Restaurant, problem: Exception, words: str) -> None:
    house.order()
    at_the_pos(house, problem)
    found = await house.get("/customers?query=alice&storeSlug=demo")
    assert found["pos"] == {"status": "failed", "problem": words}
    assert [guest["name"] for guest in found["customers"]] == ["Alice Əliyeva"]


async def test_the_trace_keeps_nothing_of_guests(house: Restaurant) -> None:
    house.order()
    [guest] = await house.customers("alice")
    await house.call("PATCH", f"/customers/{guest['id']}", {"name": "Alicia"})
    for call in house.sink.calls:
        kept = f"{call.url} {call.request_body} {call.response_body}"
        assert "lic" not in kept.lower()
    assert len(house.sink.calls) == 2

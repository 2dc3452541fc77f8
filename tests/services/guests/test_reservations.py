"""Tables are kept for guests who will come, not twice; a party that comes gets its tab, whoever seats it."""

from typing import Any

import pytest
from msgspec import structs

from hub.database.engine import Database
from hub.model.order import Customer
from hub.model.status import Stage, Status
from hub.model.venue import OpeningHours
from tests.contract.ports import StandingClock
from tests.database.stored import OTHER_VENUE, VENUE
from tests.services.guests.restaurant import ALICE, Restaurant
from tests.services.seating.dining_room import CHANNEL

pytestmark = pytest.mark.anyio
TONIGHT = "2026-11-18T19:00:00+04:00"
GUEST = {"name": "Alice", "phone": "+994 50 123 45 67"}


def wanted(**values: Any) -> dict[str, Any]:
    return {"storeSlug": "demo", "partySize": 4, "startsAt": TONIGHT, "customer": GUEST, "tables": ["T1"], **values}


async def book(house: Restaurant, **values: Any) -> dict[str, Any]:
    answer = await house.call("POST", "/reservations", wanted(**values))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()["reservation"]
    return made


async def reservations(house: Restaurant, query: str = "", **values: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await house.get(f"/reservations?{query}", **values))["reservations"]
    return found


async def test_a_reservation_is_kept_with_its_times_in_both_zones_and_its_guest(house: Restaurant) -> None:
    made = await book(house, notes="window", externalId="R-7")
    assert {name: made[name] for name in ("status", "startsAt", "endsAt", "startsAtLocal", "timezone")} == {
        "status": "booked",
        "startsAt": "2026-11-18T15:00:00Z",
        "endsAt": "2026-11-18T17:00:00Z",
        "startsAtLocal": "2026-11-18T19:00:00+04:00",
        "timezone": "Asia/Baku",
    }
    assert (made["source"], made["notes"], made["externalId"], made["tables"]) == ("all", "window", "R-7", ["T1"])
    assert await reservations(house) == [made]
    [guest] = await house.customers("alice")
    assert (guest["id"], guest["orderCount"]) == (made["customerId"], 0)
    again = await book(house, customerId=guest["id"], customer=None, tables=["T2"])
    assert again["customer"] == {"name": "Alice", "phone": "+994 50 123 45 67", "email": None}


async def test_the_same_key_books_once(house: Restaurant) -> None:
    first = await house.call("POST", "/reservations", wanted(), idempotency_key="k1")
    second = await house.call("POST", "/reservations", wanted(), idempotency_key="k1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    other = await house.call("POST", "/reservations", wanted(partySize=2), idempotency_key="k1")
    assert (other.status_code, other.json()["code"]) == (422, "KEY_REUSED")
    assert len(await reservations(house)) == 1


@pytest.mark.parametrize(
    ("changed", "field", "code"),
    [
        ({"startsAt": "2026-11-18T19:00:00"}, "startsAt", "INVALID_REQUEST"),
        ({"startsAt": "2026-11-18T10:00:00+04:00"}, "startsAt", "TIME_PAST"),
        ({"startsAt": "2028-11-18T19:00:00+04:00"}, "startsAt", "TIME_TOO_FAR"),
        ({"endsAt": TONIGHT}, "endsAt", "INVALID_REQUEST"),
        ({"partySize": 0}, "partySize", "BODY_INVALID"),
        ({"customer": None}, "customer", "INVALID_REQUEST"),
        ({"customer": None, "customerId": "cust_1"}, "customerId", "INVALID_REQUEST"),
        ({"tables": [""]}, "tables[0]", "BODY_INVALID"),
    ],
)
async def test_what_cannot_be_booked_is_refused_by_field(
    house: Restaurant, changed: dict[str, Any], field: str, code: str
) -> None:
    answer = await house.call("POST", "/reservations", wanted(**changed))
    assert (answer.status_code, answer.json()["field"], answer.json()["code"]) == (400, field, code)
    assert await reservations(house) == []


async def test_a_table_is_not_booked_twice_at_a_time(house: Restaurant) -> None:
    first = await book(house)
    later = {"startsAt": "2026-11-18T20:59:00+04:00"}
    for values in ({}, later, {"tables": ["T3", "t 1"]}):
        answer = await house.call("POST", "/reservations", wanted(**values))
        assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (409, "TABLE_BOOKED", "tables")
    assert first["id"] in answer.json()["error"]
    assert "Alice" not in answer.text
    await book(house, startsAt="2026-11-18T21:00:00+04:00")
    await book(house, tables=["T2"])
    overbooked = await house.call("POST", "/reservations", wanted(allowOverlap=True))
    assert overbooked.status_code == 201
    assert [warning["code"] for warning in overbooked.json()["warnings"]] == ["TABLE_BOOKED"]


async def test_seats_and_unknown_tables_are_checked(house: Restaurant) -> None:
    answer = await house.call("POST", "/reservations", wanted(partySize=5))
    assert [warning["code"] for warning in answer.json()["warnings"]] == ["TABLE_TOO_SMALL"]
    answer = await house.call("POST", "/reservations", wanted(tables=["Z9"]))
    assert (answer.status_code, answer.json()["code"]) == (409, "TABLE_UNKNOWN")
    answer = await house.call("POST", "/reservations", wanted(tables=[], partySize=28))
    assert (answer.status_code, answer.json()["code"]) == (409, "STORE_FULL")
    answer = await house.call("POST", "/reservations", wanted(tables=[], partySize=27))
    assert answer.status_code == 201


async def test_nobody_books_while_the_store_is_closed(database: Database, clock: StandingClock) -> None:
    hours = (OpeningHours(day="wed", opens="18:00", closes="22:00"),)
    house = await Restaurant(database, clock).open(venue=structs.replace(VENUE, hours=hours))
    assert (await book(house))["status"] == "booked"
    answer = await house.call("POST", "/reservations", wanted(startsAt="2026-11-19T19:00:00+04:00"))
    assert (answer.status_code, answer.json()["code"]) == (400, "STORE_CLOSED")


async def test_a_reservation_is_changed_under_its_version(house: Restaurant) -> None:
    made = await book(house)
    one = f"/reservations/{made['id']}"
    answer = await house.call("PATCH", one, {"startsAt": "2026-11-18T20:00:00+04:00", "partySize": 3}, if_match='"1"')
    after = answer.json()["reservation"]
    assert (after["startsAt"], after["endsAt"], after["partySize"], after["version"]) == (
        "2026-11-18T16:00:00Z",
        "2026-11-18T18:00:00Z",
        3,
        2,
    )
    assert answer.headers["etag"] == '"2"'
    late = await house.call("PATCH", one, {"partySize": 2}, if_match='"1"')
    assert (late.status_code, late.json()["code"]) == (409, "VERSION_CONFLICT")
    await house.call("PATCH", one, {"status": "confirmed"})
    other = await book(house, tables=["T2"])
    clash = await house.call("PATCH", f"/reservations/{other['id']}", {"tables": ["T1"]})
    assert (clash.status_code, clash.json()["code"]) == (409, "TABLE_BOOKED")
    assert (await house.get(one))["reservation"]["status"] == "confirmed"


async def test_a_cancelled_reservation_frees_its_table_and_stays_cancelled(house: Restaurant) -> None:
    made = await book(house)
    one = f"/reservations/{made['id']}"
    for _ in range(2):
        answer = await house.call("POST", f"{one}/cancel", {"reason": "ill"})
        assert (answer.json()["reservation"]["status"], answer.json()["reservation"]["reason"]) == ("cancelled", "ill")
    await book(house)
    answer = await house.call("PATCH", one, {"partySize": 2})
    assert (answer.status_code, answer.json()["code"]) == (409, "BOOKING_ENDED")
    assert (await house.call("POST", f"{one}/seat", {})).status_code == 409


async def test_reservations_are_found_by_time_status_and_table_in_pages(house: Restaurant) -> None:
    made = [
        await book(house, startsAt=f"2026-11-{day}T19:00:00+04:00", tables=[f"T{day - 18}"]) for day in (21, 19, 20)
    ]
    third, first, second = (entry["id"] for entry in made)

    async def found(query: str) -> list[str]:
        return [entry["id"] for entry in await reservations(house, query)]

    assert await found("") == [first, second, third]
    assert await found("from=2026-11-20T00:00:00%2B04:00&to=2026-11-21T00:00:00%2B04:00") == [second]
    assert await found("table=t3") == [third]
    await house.call("PATCH", f"/reservations/{first}", {"status": "confirmed"})
    assert await found("status=confirmed") == [first]
    assert await found("storeSlug=other") == []
    seen, cursor = [], ""
    while cursor is not None:
        page = await house.get(f"/reservations?limit=1&cursor={cursor}")
        seen += [entry["id"] for entry in page["reservations"]]
        cursor = page["nextCursor"]
    assert seen == [first, second, third]


@pytest.mark.parametrize(
    ("query", "field"), [("status=eaten", "status"), ("from=now", "from"), ("cursor=1.x", "cursor")]
)
async def test_a_search_that_cannot_be_understood_is_named(house: Restaurant, query: str, field: str) -> None:
    answer = await house.call("GET", f"/reservations?{query}")
    assert (answer.status_code, answer.json()["field"]) == (400, field)


async def test_a_party_that_comes_gets_its_tab_once_and_the_booking_ends_with_it(house: Restaurant) -> None:
    made = await book(house)
    seat = f"/reservations/{made['id']}/seat"
    first = (await house.call("POST", seat, {})).json()
    second = (await house.call("POST", seat, {})).json()
    assert first["order"] == second["order"]
    assert first["reservation"]["status"] == "seated"
    order = house.room.stored(first["order"]["id"])
    assert (order.tables, order.party_size, order.origin.system) == (("T1",), 4, "hub")
    assert order.customer == Customer(name="Alice", phone="+994 50 123 45 67")
    occupied = await book(house, tables=["T2"])
    answer = await house.call("POST", f"/reservations/{occupied['id']}/seat", {"tables": ["T1"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "TABLE_OCCUPIED")
    house.clock.advance(3600)
    house.close(order)
    shown = {entry["id"]: entry for entry in await reservations(house)}
    assert (shown[made["id"]]["status"], shown[made["id"]]["orderId"]) == ("completed", order.id)
    [guest] = await house.customers("alice")
    assert guest["orderCount"] == 1


async def test_without_a_table_nobody_is_seated(house: Restaurant) -> None:
    made = await book(house, tables=[])
    answer = await house.call("POST", f"/reservations/{made['id']}/seat", {})
    assert (answer.status_code, answer.json()["field"]) == (400, "tables")


async def test_a_party_that_a_channel_seated_is_among_the_reservations(
    database: Database, clock: StandingClock
) -> None:
    house = await Restaurant(database, clock).open(CHANNEL)
    tab = await house.room.open("T3", customer=ALICE, party_size=5)
    [shown] = await reservations(house)
    assert {name: shown[name] for name in ("status", "partySize", "tables", "source", "orderId", "externalId")} == {
        "status": "seated",
        "partySize": 5,
        "tables": ["T3"],
        "source": "book",
        "orderId": tab.order.id,
        "externalId": "b-1",
    }
    assert shown["customer"]["name"] == ALICE.name
    house.clock.advance(1)
    house.change(tab.order, status=Status.VOID, stage=Stage.CANCELLED)
    assert [entry["status"] for entry in await reservations(house)] == ["cancelled"]
    mine = await house.call("POST", "/reservations", wanted())
    refused = await house.call("POST", f"/reservations/{mine.json()['reservation']['id']}/seat", {})
    assert (refused.status_code, refused.json()["code"]) == (403, "SEATING_NOT_YOURS")


async def test_a_key_of_one_store_reaches_its_own_reservations_only(house: Restaurant) -> None:
    made = await book(house)
    await book(house, storeSlug=OTHER_VENUE.slug, tables=[])
    assert [entry["id"] for entry in await reservations(house, key="demo")] == [made["id"]]
    one = f"/reservations/{made['id']}"
    for method, path, body in (
        ("GET", one, None),
        ("PATCH", one, {"partySize": 2}),
        ("POST", f"{one}/cancel", {}),
        ("POST", f"{one}/seat", {}),
        ("POST", "/reservations", wanted()),
        ("GET", "/reservations?storeSlug=demo", None),
    ):
        assert (await house.call(method, path, body, key="other")).status_code == 403
    assert (await house.call("POST", "/reservations", wanted(), key="reader")).status_code == 403
    assert (await house.call("GET", "/reservations", key="guests")).status_code == 403
    assert (await house.call("GET", "/reservations/res_1")).status_code == 404


async def test_the_trace_keeps_no_guest_of_a_reservation(house: Restaurant) -> None:
    await book(house)
    await reservations(house)
    kept = "".join(f"{call.url}{call.request_body}{call.response_body}" for call in house.sink.calls)
    assert "Alice" not in kept
    assert len(house.sink.calls) == 2

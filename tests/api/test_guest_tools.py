"""Agents at the door: tables, reservations, the waitlist and guests, by tools alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import pytest

from hub.api.operations import OPERATIONS
from hub.api.tools import bind
from tests.api.agents import call, used
from tests.api.house import House

pytestmark = pytest.mark.anyio
TOOLS = bind(OPERATIONS)
ALICE = {"name": "Alice", "phone": "+994 50 123 45 67"}


async def use(house: House, name: str, **arguments: Any) -> dict[str, Any]:
    """What a tool gives, which must fit its schema."""
    given = await used(house, name, **arguments)
    jsonschema.validate(given, TOOLS[name].output_schema)
    return given


def tomorrow(house: House, hours: int = 0) -> str:
    moment = datetime.fromtimestamp(house.hub.now_ms() / 1000, UTC) + timedelta(days=1, hours=hours)
    return moment.replace(microsecond=0).isoformat()


async def test_a_reservation_is_booked_once_moved_seated_and_found(house: House) -> None:
    await house.hub.catalogs.sync(house.hub.directory.link("demo").id)
    asked = {"storeSlug": "demo", "partySize": 2, "startsAt": tomorrow(house), "customer": ALICE, "tables": ["7A"]}
    booked = (await use(house, "create_reservation", **asked, idempotencyKey="r-1"))["reservation"]
    again = (await use(house, "create_reservation", **asked, idempotencyKey="r-1"))["reservation"]
    assert again == booked
    assert (booked["timezone"], booked["startsAtLocal"][-6:]) == ("Asia/Baku", "+04:00")
    taken = await call(house, "create_reservation", {**asked, "idempotencyKey": "r-2"})
    assert (taken.status_code, taken.json()["code"]) == (409, "TABLE_BOOKED")
    mine = {"reservationId": booked["id"]}
    moved = (await use(house, "change_reservation", **mine, startsAt=tomorrow(house, 1), version=booked["version"]))[
        "reservation"
    ]
    assert moved["version"] > booked["version"]
    stale = await call(house, "change_reservation", {**mine, "partySize": 3, "version": booked["version"]})
    assert (stale.status_code, stale.json()["code"]) == (409, "VERSION_CONFLICT")
    listed = await use(house, "list_reservations", storeSlug="demo", limit=1, **{"from": tomorrow(house)})
    assert [entry["id"] for entry in listed["reservations"]] == [booked["id"]]
    assert (await use(house, "get_reservation", **mine))["reservation"] == moved
    tabs = [await use(house, "seat_reservation", **mine) for _ in range(2)]
    assert tabs[0]["order"] == tabs[1]["order"]
    floor = await use(house, "get_tables", storeSlug="demo")
    sitting = floor["tables"][0]["order"]
    assert (floor["timezone"], sitting["id"], sitting["seatedAtLocal"][-6:]) == (
        "Asia/Baku",
        tabs[0]["order"]["id"],
        "+04:00",
    )


async def test_cancelling_a_reservation_twice_is_the_same_as_once(house: House) -> None:
    asked = {"storeSlug": "kiosk", "partySize": 2, "startsAt": tomorrow(house), "customer": ALICE}
    booked = (await use(house, "create_reservation", **asked))["reservation"]
    for _ in range(2):
        ended = await use(house, "cancel_reservation", reservationId=booked["id"], reason="ill")
        assert (ended["reservation"]["status"], ended["reservation"]["reason"]) == ("cancelled", "ill")


async def test_a_party_waits_is_told_changes_and_leaves(house: House) -> None:
    asked = {"storeSlug": "kiosk", "partySize": 3, "customer": ALICE}
    entries = [(await use(house, "join_waitlist", **asked, idempotencyKey="w-1"))["entry"] for _ in range(2)]
    assert entries[0] == entries[1]
    mine = {"entryId": entries[0]["id"]}
    assert (entries[0]["position"], entries[0]["joinedAtLocal"][-6:]) == (1, "+04:00")
    told = (await use(house, "notify_waitlist_entry", **mine))["entry"]
    assert told["status"] == "notified"
    changed = (await use(house, "change_waitlist_entry", **mine, partySize=4, version=told["version"]))["entry"]
    assert changed["partySize"] == 4
    assert (await use(house, "list_waitlist", storeSlug="kiosk"))["parties"] == 1
    for _ in range(2):
        assert (await use(house, "leave_waitlist", **mine, status="left"))["entry"]["status"] == "left"
    assert (await use(house, "list_waitlist", storeSlug="kiosk"))["waitlist"] == []


async def test_a_guest_is_found_and_shown(house: House) -> None:
    order = await house.order("kiosk")
    found = await use(house, "search_customers", query="ali", storeSlug="kiosk")
    [guest] = found["customers"]
    assert (guest["name"], guest["orderCount"], found["pos"]["status"]) == ("Alice", 1, "no_pos")
    assert (await use(house, "get_customer", customerId=guest["id"]))["customer"]["id"] == guest["id"]
    assert (await use(house, "get_insights", storeSlug="kiosk"))["storeSlug"] == order["storeSlug"]


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("get_tables", {"storeSlug": "nowhere"}, "there is no store"),
        ("list_reservations", {"limit": 0}, "limit: "),
        ("get_reservation", {"reservationId": "x"}, "there is no reservation"),
        ("create_reservation", {"partySize": 1, "startsAt": "soon", "storeSlug": "kiosk"}, "startsAt: "),
    ],
)
async def test_wrong_arguments_are_named(house: House, name: str, arguments: Any, words: str) -> None:
    answer = await call(house, name, arguments)
    assert answer.status_code in (400, 404)
    assert answer.json()["error"].startswith(words)

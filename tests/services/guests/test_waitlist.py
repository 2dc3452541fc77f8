"""Parties wait in a queue; how long is estimated from how long parties sat, and only when enough were measured."""

from typing import Any

import pytest

from hub.model.booking import WaitStatus
from hub.model.status import OrderType, Stage, Status
from hub.model.table import Table, TableStatus
from hub.model.turns import Sureness, Turn, estimate_waits
from tests.database.stored import NOW
from tests.services.guests.restaurant import Restaurant

pytestmark = pytest.mark.anyio
MINUTE = 60_000
TWO = Table(id="t2", name="2", seats=2)
FOUR = Table(id="t4", name="4", seats=4)


def waits(parties: list[int], tables: list[Table], turns: int = 20, **values: Any) -> list[int | None]:
    measured = [Turn(party_size=2, minutes=60)] * turns
    shown = {"seated_at_ms": {}, "booked": {}, **values}
    estimates = estimate_waits(parties, tables, turns=measured, now_ms=NOW, **shown)
    return [estimate.minutes for estimate in estimates]


def test_each_party_waits_for_the_first_table_that_fits_and_gets_free() -> None:
    sitting = {"t2": NOW - 50 * MINUTE, "t4": NOW - 20 * MINUTE}
    assert waits([2, 2, 4], [TWO, FOUR], seated_at_ms=sitting) == [10, 40, 100]
    assert waits([4, 2], [TWO, FOUR], seated_at_ms=sitting) == [40, 10]
    assert waits([2], [TWO, FOUR]) == [0]
    assert waits([5], [TWO, FOUR]) == [None]
    assert waits([2], [Table(id="t", name="t", seats=2, status=TableStatus.BLOCKED), FOUR]) == [0]
    assert waits([2], [TWO], seated_at_ms={"t2": NOW - 300 * MINUTE}) == [0]


def test_a_booked_table_is_not_given_away() -> None:
    booked = {"t2": [(NOW + 30 * MINUTE, NOW + 90 * MINUTE)]}
    assert waits([2], [TWO], booked=booked) == [90]
    assert waits([2], [TWO], booked={"t2": [(NOW + 60 * MINUTE, NOW + 90 * MINUTE)]}) == [0]


@pytest.mark.parametrize(
    ("turns", "sureness"), [(4, Sureness.NONE), (5, Sureness.LOW), (15, Sureness.MEDIUM), (50, Sureness.HIGH)]
)
def test_how_sure_it_is_depends_on_how_much_was_measured(turns: int, sureness: Sureness) -> None:
    measured = [Turn(party_size=2, minutes=60)] * turns
    [estimate] = estimate_waits([2], [TWO], seated_at_ms={}, booked={}, turns=measured, now_ms=NOW)
    assert (estimate.sureness, estimate.turns) == (sureness, turns)
    assert (estimate.minutes is None) is (sureness is Sureness.NONE)


def test_the_range_comes_from_the_short_and_the_long_stays() -> None:
    measured = [Turn(party_size=2, minutes=minutes) for minutes in (40, 50, 60, 70, 80)]
    sitting = {"t2": NOW - 20 * MINUTE}
    [estimate] = estimate_waits([2], [TWO], seated_at_ms=sitting, booked={}, turns=measured, now_ms=NOW)
    assert (estimate.from_minutes, estimate.minutes, estimate.to_minutes) == (25, 40, 55)
    assert estimate.rule == "5 parties measured in the last 28 days: low (50 high, 15 medium, 5 low)"


def joining(name: str = "Alice", **values: Any) -> dict[str, Any]:
    return {"storeSlug": "demo", "partySize": 2, "customer": {"name": name, "phone": f"050{len(name):07d}"}, **values}


async def join(house: Restaurant, name: str = "Alice", **values: Any) -> dict[str, Any]:
    answer = await house.call("POST", "/waitlist", joining(name, **values))
    assert answer.status_code == 201, answer.text
    house.clock.advance(1)
    entry: dict[str, Any] = answer.json()["entry"]
    return entry


async def queue(house: Restaurant, query: str = "storeSlug=demo", **values: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await house.get(f"/waitlist?{query}", **values))["waitlist"]
    return found


async def test_parties_stand_in_the_order_they_came(house: Restaurant) -> None:
    first = await join(house)
    await join(house, "Bob")
    assert [(entry["customer"]["name"], entry["position"]) for entry in await queue(house)] == [
        ("Alice", 1),
        ("Bob", 2),
    ]
    gone = await house.call("POST", f"/waitlist/{first['id']}/cancel", {"status": "left"})
    assert (gone.json()["entry"]["status"], gone.json()["entry"]["position"]) == ("left", None)
    assert (await house.call("POST", f"/waitlist/{first['id']}/cancel", {})).json()["entry"]["status"] == "left"
    assert [(entry["customer"]["name"], entry["position"]) for entry in await queue(house)] == [("Bob", 1)]
    assert {guest["name"] for guest in await house.customers()} == {"Alice", "Bob"}


async def test_without_measured_turns_nobody_is_told_a_time(house: Restaurant) -> None:
    entry = await join(house)
    assert entry["quotedMinutes"] is None
    assert entry["estimatedWait"] == {
        "minutes": None,
        "fromMinutes": None,
        "toMinutes": None,
        "sureness": "none",
        "sampleSize": 0,
        "medianTurnMinutes": None,
        "rule": "not enough data: 0 measured parties in 28 days, 5 needed",
    }


async def test_the_estimate_is_measured_from_this_store_s_closed_tabs(house: Restaurant) -> None:
    for _ in range(6):
        tab = house.order(order_type=OrderType.DINE_IN, tables=("T1",))
        house.clock.advance(40 * 60)
        house.close(tab)
    forgotten = house.order(order_type=OrderType.DINE_IN, tables=("T1",))
    house.clock.advance(3600)
    house.close(forgotten, stage=Stage.EXPIRED)
    for number in range(1, 9):
        house.order(order_type=OrderType.DINE_IN, tables=(f"T{number}",))
    house.clock.advance(600)
    entry = await join(house)
    estimate = entry["estimatedWait"]
    assert (estimate["minutes"], estimate["sampleSize"], estimate["sureness"]) == (30, 6, "low")
    assert (estimate["medianTurnMinutes"], entry["quotedMinutes"]) == (40, 30)


async def test_the_same_key_joins_once(house: Restaurant) -> None:
    first = await house.call("POST", "/waitlist", joining(), idempotency_key="w1")
    second = await house.call("POST", "/waitlist", joining(), idempotency_key="w1")
    assert first.json() == second.json()
    assert len(await queue(house)) == 1


async def test_a_party_is_told_and_seated_and_leaves_the_queue(house: Restaurant) -> None:
    entry = await join(house)
    one = f"/waitlist/{entry['id']}"
    told = await house.call("POST", f"{one}/notify", {}, if_match='"1"')
    assert (told.json()["entry"]["status"], told.json()["entry"]["notifiedAt"]) == ("notified", "2026-11-18T11:06:41Z")
    late = await house.call("PATCH", one, {"partySize": 3}, if_match='"1"')
    assert (late.status_code, late.json()["code"]) == (409, "VERSION_CONFLICT")
    changed = await house.call("PATCH", one, {"partySize": 3, "notes": "pram"})
    assert (changed.json()["entry"]["partySize"], changed.json()["entry"]["notes"]) == (3, "pram")
    assert (await house.call("POST", f"{one}/seat", {})).json()["field"] == "tables"
    first = (await house.call("POST", f"{one}/seat", {"tables": ["t1"]})).json()
    second = (await house.call("POST", f"{one}/seat", {"tables": ["t1"]})).json()
    assert first["order"] == second["order"]
    assert (first["entry"]["status"], first["entry"]["tables"]) == (WaitStatus.SEATED, ["T1"])
    order = house.room.stored(first["order"]["id"])
    assert (order.status, order.party_size, order.customer and order.customer.name) == (Status.OPEN, 3, "Alice")
    assert await queue(house) == []
    assert (await house.call("POST", f"{one}/cancel", {})).json()["code"] == "BOOKING_ENDED"


async def test_a_queue_comes_in_pages_and_names_what_it_does_not_understand(house: Restaurant) -> None:
    for name in ("A", "Bo", "Cyd"):
        await join(house, name)
    page = await house.get("/waitlist?storeSlug=demo&limit=2")
    assert ([entry["customer"]["name"] for entry in page["waitlist"]], page["parties"]) == (["A", "Bo"], 3)
    page = await house.get(f"/waitlist?storeSlug=demo&limit=2&cursor={page['nextCursor']}")
    assert ([entry["customer"]["name"] for entry in page["waitlist"]], page["nextCursor"]) == (["Cyd"], None)
    for query, field in (("", "storeSlug"), ("storeSlug=demo&limit=0", "limit"), ("storeSlug=demo&cursor=x", "cursor")):
        answer = await house.call("GET", f"/waitlist?{query}")
        assert (answer.status_code, answer.json()["field"]) == (400, field)


async def test_a_key_of_one_store_reaches_its_own_queue_only(house: Restaurant) -> None:
    entry = await join(house)
    one = f"/waitlist/{entry['id']}"
    assert len(await queue(house, "", key="demo")) == 1
    assert await queue(house, "", key="other") == []
    for method, path, body in (
        ("GET", "/waitlist?storeSlug=demo", None),
        ("POST", "/waitlist", joining()),
        ("PATCH", one, {"partySize": 1}),
        ("POST", f"{one}/notify", {}),
        ("POST", f"{one}/seat", {}),
        ("POST", f"{one}/cancel", {}),
    ):
        assert (await house.call(method, path, body, key="other")).status_code == 403


async def test_who_joins_behind_the_end_of_a_very_long_queue_has_no_place_yet(
    house: Restaurant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.database.waitlist._LONGEST_QUEUE", 1)
    assert (await join(house, "Alice"))["position"] == 1
    assert (await join(house, "Bob"))["position"] is None

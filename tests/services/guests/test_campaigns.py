"""Guests fall into segments by rules that are written down; a campaign reaches only those who agreed."""

from typing import Any

import pytest
from msgspec import structs

from hub.model.guest import Guest
from hub.model.guest_rules import GuestRules
from hub.model.order import Customer
from hub.model.segment import Thresholds, described, segments_of
from hub.model.venue import Venue
from tests.database.stored import DAY, NOW, VENUE
from tests.services.guests.restaurant import ALICE, Restaurant

pytestmark = pytest.mark.anyio
BOB = Customer(name="Bob", phone="+994501111111")


def guest(*, orders: int, first_days: float, last_days: float, spend_cents: int = 0) -> Guest:
    return Guest(
        id="cust_1",
        venue_id=VENUE.id,
        name="A",
        phone="1",
        email="",
        marketing_consent=False,
        consent_at_ms=None,
        consent_by="",
        version=1,
        orders=orders,
        spend_cents=spend_cents,
        first_order_at_ms=NOW - int(first_days * DAY) if orders else None,
        last_order_at_ms=NOW - int(last_days * DAY) if orders else None,
        told_at_ms=NOW,
        created_at_ms=NOW,
        updated_at_ms=NOW,
    )


@pytest.mark.parametrize(
    ("orders", "first_days", "last_days", "segment"),
    [
        (1, 30, 30, "new"),
        (1, 30.1, 30.1, None),
        (2, 5, 1, None),
        (3, 40, 21, "regular"),
        (3, 40, 21.1, "at_risk"),
        (9, 99, 35, "at_risk"),
        (9, 99, 35.1, "lapsed"),
        (1, 36, 36, "lapsed"),
        (0, 0, 0, None),
    ],
)
def test_the_rules_draw_their_lines_where_they_say(
    orders: int, first_days: float, last_days: float, segment: str | None
) -> None:
    thresholds = Thresholds.of(GuestRules(), "AZN", orders=0, spend_cents=0)
    found = segments_of(guest(orders=orders, first_days=first_days, last_days=last_days), thresholds, NOW)
    assert found == (("all", segment) if segment else ("all",))


def test_a_big_spender_is_measured_by_the_venue_s_average_check_or_by_its_setting() -> None:
    rich = guest(orders=2, first_days=9, last_days=9, spend_cents=10_000)
    average = Thresholds.of(GuestRules(), "AZN", orders=10, spend_cents=20_000)
    assert segments_of(rich, average, NOW) == ("all", "big_spender")
    assert "big_spender" not in segments_of(structs.replace(rich, spend_cents=9_999), average, NOW)
    few = Thresholds.of(GuestRules(), "AZN", orders=9, spend_cents=9)
    assert "big_spender" not in segments_of(rich, few, NOW)
    own = Thresholds.of(GuestRules(big_spender_cents=5_000), "AZN", orders=0, spend_cents=0)
    assert "big_spender" in segments_of(rich, own, NOW)
    rules = {segment.key: segment.rule for segment in described(average)}
    assert rules["big_spender"] == "spent ₼100.00 or more (5 average checks)"
    assert rules["regular"] == "at least 3 orders, the last one in the last 21 days"
    assert {segment.key: segment.rule for segment in described(few)}["big_spender"] == (
        "not enough data for an average check: 9 orders, 10 needed"
    )


async def segments(house: Restaurant, **values: Any) -> dict[str, int]:
    found = (await house.get("/segments?storeSlug=demo", **values))["segments"]
    return {segment["key"]: segment["customers"] for segment in found if segment["customers"]}


async def test_segments_are_computed_from_orders_and_follow_time(house: Restaurant) -> None:
    house.eats()
    for _ in range(3):
        house.eats(BOB)
    assert await segments(house) == {"all": 2, "new": 1, "regular": 1}
    house.clock.advance(22 * 86_400)
    await house.front.segments.refresh()
    assert await segments(house) == {"all": 2, "new": 1, "at_risk": 1}
    members = await house.get("/segments/at_risk/customers?storeSlug=demo")
    assert ([guest["name"] for guest in members["customers"]], members["nextCursor"]) == (["Bob"], None)
    house.clock.advance(14 * 86_400)
    await house.front.segments.refresh()
    assert await segments(house) == {"all": 2, "lapsed": 2}
    first = await house.get("/segments/lapsed/customers?storeSlug=demo&limit=1")
    second = await house.get(f"/segments/lapsed/customers?storeSlug=demo&limit=1&cursor={first['nextCursor']}")
    assert [page["customers"][0]["name"] for page in (first, second)] == ["Bob", "Alice Əliyeva"]


async def test_a_venue_sets_its_own_lines(database: Any, clock: Any) -> None:
    venue: Venue = structs.replace(VENUE, guests=GuestRules(regular_orders=1))
    house = await Restaurant(database, clock).open(venue=venue)
    house.eats()
    assert (await segments(house))["regular"] == 1


async def test_segments_need_a_store_a_scope_and_a_name_that_is_known(house: Restaurant) -> None:
    assert (await house.call("GET", "/segments")).json()["field"] == "storeSlug"
    assert (await house.call("GET", "/segments", key="orders")).status_code == 403
    assert (await house.call("GET", "/segments?storeSlug=demo", key="other")).status_code == 403
    assert (await house.call("GET", "/segments/friends/customers?storeSlug=demo")).status_code == 404
    shown = await house.get("/segments", key="demo")
    assert [segment["key"] for segment in shown["segments"]] == [
        *("all", "new", "regular", "at_risk", "lapsed", "big_spender", "contactable")
    ]


def wanted(**values: Any) -> dict[str, Any]:
    campaign = {"storeSlug": "demo", "name": "Autumn", "segment": "all", "channel": "email", "message": "Come again"}
    return campaign | values


async def make(house: Restaurant, **values: Any) -> dict[str, Any]:
    answer = await house.call("POST", "/campaigns", wanted(**values))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()["campaign"]
    return made


async def consents(house: Restaurant, name: str) -> str:
    [found] = await house.customers(name)
    await house.call("PATCH", f"/customers/{found['id']}", {"marketingConsent": True})
    return str(found["id"])


async def audience(house: Restaurant, campaign: dict[str, Any]) -> list[str]:
    shown = await house.get(f"/campaigns/{campaign['id']}/audience")
    return [entry["name"] for entry in shown["audience"]]


async def test_only_guests_who_agreed_and_have_the_address_are_in_an_audience(house: Restaurant) -> None:
    house.eats()
    house.eats(BOB)
    house.eats(Customer(name="Zoe", email="zoe@example.com"))
    by_email, by_sms, shown = await make(house), await make(house, channel="sms"), await make(house, channel="none")
    assert [await audience(house, campaign) for campaign in (by_email, by_sms, shown)] == [[], [], []]
    await consents(house, "alice")
    bob = await consents(house, "bob")
    assert await audience(house, by_email) == ["Alice Əliyeva"]
    assert await audience(house, by_sms) == ["Bob", "Alice Əliyeva"]
    assert await audience(house, shown) == ["Bob", "Alice Əliyeva"]
    results = [{"customerId": bob, "result": "delivered"}, {"customerId": bob, "result": "unsubscribed"}]
    for _ in range(2):
        noted = await house.call("POST", f"/campaigns/{by_sms['id']}/results", {"results": results})
        tally = noted.json()["campaign"]["results"]
        assert tally == {"sent": 0, "delivered": 1, "failed": 0, "opened": 0, "redeemed": 0, "unsubscribed": 1}
    assert await audience(house, by_sms) == ["Alice Əliyeva"]
    [found] = await house.customers("bob")
    assert (found["marketingConsent"], found["consentNotedBy"]) == (False, "all")


async def test_a_forgotten_guest_leaves_the_figures_of_a_campaign(house: Restaurant) -> None:
    house.eats()
    campaign = await make(house)
    alice = await consents(house, "alice")
    assert await audience(house, campaign) == ["Alice Əliyeva"]
    await house.call(
        "POST", f"/campaigns/{campaign['id']}/results", {"results": [{"customerId": alice, "result": "sent"}]}
    )
    assert (await house.call("DELETE", f"/customers/{alice}")).status_code == 200
    assert await audience(house, campaign) == []
    assert (await house.get(f"/campaigns/{campaign['id']}"))["campaign"]["results"]["sent"] == 1


async def test_the_status_follows_the_clock_and_an_ended_campaign_has_no_audience(house: Restaurant) -> None:
    campaign = await make(house, startsAt="2026-11-18T12:00:00Z", endsAt="2026-11-18T13:00:00Z")
    one = f"/campaigns/{campaign['id']}"
    assert campaign["status"] == "scheduled"
    house.clock.advance(3600)
    assert (await house.get(one))["campaign"]["status"] == "running"
    changed = await house.call("PATCH", one, {"name": "Winter"}, if_match='"1"')
    assert (changed.json()["campaign"]["name"], changed.headers["etag"]) == ("Winter", '"2"')
    late = await house.call("PATCH", one, {"name": "Spring"}, if_match='"1"')
    assert late.json()["code"] == "VERSION_CONFLICT"
    house.clock.advance(3600)
    assert (await house.get(one))["campaign"]["status"] == "ended"
    assert (await house.call("PATCH", one, {"name": "x"})).json()["code"] == "CAMPAIGN_ENDED"
    assert (await house.call("GET", f"{one}/audience")).status_code == 409
    other = await make(house)
    for _ in range(2):
        answer = await house.call("POST", f"/campaigns/{other['id']}/cancel", {})
        assert answer.json()["campaign"]["status"] == "cancelled"
    assert (await house.call("GET", f"/campaigns/{other['id']}/audience")).json()["code"] == "CAMPAIGN_ENDED"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"segment": "friends"}, "segment"),
        ({"channel": "pigeon"}, "channel"),
        ({"message": " "}, "message"),
        ({"name": ""}, "name"),
        ({"startsAt": "soon"}, "startsAt"),
        ({"startsAt": "2026-11-19T12:00:00Z", "endsAt": "2026-11-19T12:00:00Z"}, "endsAt"),
        ({"storeSlug": ""}, "storeSlug"),
    ],
)
async def test_a_campaign_that_cannot_be_is_refused_by_field(
    house: Restaurant, changed: dict[str, Any], field: str
) -> None:
    answer = await house.call("POST", "/campaigns", wanted(**changed))
    assert (answer.status_code, answer.json()["field"]) == (400, field)


async def test_campaigns_are_made_once_listed_in_pages_and_seen_by_their_store(house: Restaurant) -> None:
    first = await house.call("POST", "/campaigns", wanted(), idempotency_key="c1")
    assert (await house.call("POST", "/campaigns", wanted(), idempotency_key="c1")).json() == first.json()
    second = await make(house, name="Second")
    other = await make(house, name="Theirs", storeSlug="other")
    page = await house.get("/campaigns?limit=2")
    assert [entry["name"] for entry in page["campaigns"]] == ["Theirs", "Second"]
    page = await house.get(f"/campaigns?limit=2&cursor={page['nextCursor']}")
    assert ([entry["name"] for entry in page["campaigns"]], page["nextCursor"]) == (["Autumn"], None)
    assert [entry["name"] for entry in (await house.get("/campaigns", key="other"))["campaigns"]] == ["Theirs"]
    house.eats(ALICE)
    alice = (await house.customers())[0]["id"]
    mixed = await house.call(
        "POST", f"/campaigns/{other['id']}/results", {"results": [{"customerId": alice, "result": "sent"}]}
    )
    assert (mixed.status_code, mixed.json()["field"]) == (400, "results")
    one = f"/campaigns/{second['id']}"
    for method, path, body in (
        ("GET", one, None),
        ("GET", f"{one}/audience", None),
        ("PATCH", one, {"name": "x"}),
        ("POST", f"{one}/cancel", {}),
        ("POST", f"{one}/results", {"results": [{"customerId": "cust_1", "result": "sent"}]}),
    ):
        assert (await house.call(method, path, body, key="other")).status_code == 403
    assert (await house.call("POST", "/campaigns", wanted(), key="reader")).status_code == 403

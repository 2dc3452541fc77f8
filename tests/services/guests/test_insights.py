"""Insights come from a store's own orders, say what they rest on and how sure they are; a model may add words."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import update

from hub.database import directory
from hub.database.orders import place_orders, save_change
from hub.database.tables import deliveries
from hub.model.menu import Item, Menu
from hub.model.order import Customer
from hub.model.status import Stage, Status
from hub.services.insight_text import InsightWriter, ModelSettings, insight_writer
from tests.contract.ports import CallList, NoPacing, StandingClock
from tests.database.stored import NOW, PLOV, VENUE, new_order
from tests.services.guests.model_server import ModelServer
from tests.services.guests.restaurant import Restaurant

pytestmark = pytest.mark.anyio
WEEK = 7 * 86_400


async def insights(house: Restaurant, query: str = "storeSlug=demo", **values: Any) -> dict[str, Any]:
    report = await house.get(f"/insights?{query}", **values)
    return {insight["key"]: insight for insight in report["insights"]}


def eats(house: Restaurant, times: int, **values: Any) -> None:
    for _ in range(times):
        house.eats(**values)


async def test_sales_and_checks_are_compared_with_the_period_before(house: Restaurant) -> None:
    eats(house, 10)
    house.clock.advance(WEEK)
    eats(house, 12)
    house.order()  # open: it is no sale yet
    house.clock.advance(1)
    found = await insights(house)
    sales = found["sales"]
    assert (sales["figures"]["sales"]["cents"], sales["figures"]["orders"]) == (21_600, 13)
    assert sales["before"]["sales"]["cents"] == 18_000
    assert (sales["summary"], sales["sureness"], sales["sampleSize"]) == ("Sales rose by 20 %.", "low", 10)
    assert sales["rule"].startswith("by the smaller number of cases in the two periods: 200 high")
    assert found["average_check"]["figures"]["averageCheck"]["cents"] == 1800
    assert found["average_check"]["summary"] == "The average check stayed the same."


async def test_with_few_orders_it_says_that_there_is_not_enough_data(house: Restaurant) -> None:
    eats(house, 9)
    house.clock.advance(1)
    found = await insights(house)
    assert found["sales"]["summary"] == "Not enough data: 9 cases now and 0 before, 10 of each needed."
    assert {insight["sureness"] for insight in found.values()} == {"none"}
    assert found["sales"]["figures"]["orders"] == 9


async def test_items_and_hours_come_in_the_store_s_own_words_and_zone(house: Restaurant) -> None:
    tea = Item(id="item_" + "2" * 32, name="Tea", price_cents=300)
    house.database.run_now(
        lambda c: directory.save_menu(c, VENUE.id, Menu(items=(PLOV, tea)), source="pos", now_ms=NOW)
    )
    await house.directory.refresh()
    for _ in range(10):
        item = new_order(link=None, at_ms=house.clock.now_ms(), catalog_version=2)
        house.database.run_now(lambda c, item=item: place_orders(c, [item]))
    house.clock.advance(1)
    found = await insights(house)
    assert found["top_items"]["figures"]["items"][0]["name"] == "Plov"
    assert found["top_items"]["figures"]["items"][0]["quantity"] == 10
    assert found["top_items"]["figures"]["items"][0]["sales"]["cents"] == 18_000
    assert found["slow_items"]["figures"]["items"][0] | {"sales": 0} == {"name": "Tea", "quantity": 0, "sales": 0}
    assert found["busiest_hours"]["figures"]["hours"] == [{"hour": "wed 15", "orders": 10}]
    assert found["busiest_hours"]["sureness"] == "low"


async def test_cancelled_orders_are_told_with_their_causes(house: Restaurant) -> None:
    for times in (10, 11):
        eats(house, times)
        house.clock.advance(WEEK - 1 if times == 10 else 1)
    for reason in ("no rice", "no rice", ""):
        cancel(house, reason)
    house.clock.advance(1)
    found = (await insights(house))["cancellations"]
    assert found["figures"] == {
        "orders": 14,
        "cancelledOrders": 3,
        "rejectedOrders": 0,
        "expiredOrders": 0,
        "sharePercent": 21,
        "causes": [{"cause": "no rice", "orders": 2}, {"cause": "no reason given", "orders": 1}],
    }
    assert found["summary"] == "21 % of orders came to nothing, 0 % before."


def cancel(house: Restaurant, reason: str) -> None:
    order = house.order()
    stored = house.room.stored(order.id)
    after = structs.replace(stored, status=Status.VOID, stage=Stage.CANCELLED)
    words = {"event_id": house.new_id("evt"), "kind": "cancelled", "actor": "tester", "detail": reason}
    house.database.run_now(lambda c: save_change(c, stored, after, **words))


async def test_trouble_with_the_pos_late_kitchens_and_differing_totals_are_counted(house: Restaurant) -> None:
    for week in range(2):
        for number in range(10):
            send(house, failing=week == 1 and number < 5, ready_after=1300 if week and number < 2 else 600)
        house.clock.advance(WEEK - 30_000)
    found = await insights(house, "storeSlug=demo&from=2026-11-25T00:00:00Z&to=2026-12-02T00:00:00Z")
    failures = found["pos_failures"]
    assert failures["figures"] == {
        "sentOrders": 10,
        "failedOrders": 5,
        "sharePercent": 50,
        "causes": [{"cause": "POS_UNREACHABLE", "orders": 5}],
    }
    assert failures["before"]["failedOrders"] == 0
    late = found["late_kitchen"]["figures"]
    assert (late["timedOrders"], late["lateOrders"], late["medianLateMinutes"]) == (10, 2, 2)
    drift = found["drift"]["figures"]
    assert (drift["comparedOrders"], drift["differentOrders"], drift["difference"]["cents"]) == (10, 10, 200 * 10)


def send(house: Restaurant, *, failing: bool, ready_after: int) -> None:
    """An order that goes to the POS, which names another total, and is ready after some seconds."""
    at_ms = house.clock.now_ms()
    item = new_order(at_ms=at_ms, deliver_by_ms=at_ms + 600_000)
    item = structs.replace(item, order=structs.replace(item.order, id=house.new_id("order")))
    values = {"attempts": 3, "cause": "POS_UNREACHABLE"} if failing else {"attempts": 1}
    told = update(deliveries).where(deliveries.c.order_id == item.order.id).values(**values, pos_cents=2000)

    def unit(connection: Any) -> None:
        place_orders(connection, [item])
        connection.execute(told)
        stored = structs.replace(item.order, number="")
        ready = structs.replace(stored, stage=Stage.READY, updated_at_ms=at_ms + ready_after * 1000)
        words = {"event_id": house.new_id("evt"), "actor": "pos", "detail": "accepted -> ready (done)"}
        save_change(connection, stored, ready, kind="pos_changed", **words)

    house.database.run_now(unit)


async def test_a_period_is_named_and_bounded_and_a_store_sees_its_own(house: Restaurant) -> None:
    eats(house, 3)
    report = await house.get("/insights?from=2026-11-18T00:00:00Z&to=2026-11-19T00:00:00Z", key="demo")
    assert report["period"] == {"from": "2026-11-18T00:00:00Z", "to": "2026-11-19T00:00:00Z"}
    assert report["comparedWith"] == {"from": "2026-11-17T00:00:00Z", "to": "2026-11-18T00:00:00Z"}
    assert (report["complete"], report["text"]) == (True, None)
    assert (await insights(house, "", key="other"))["sales"]["figures"]["orders"] == 0
    for query, field in (
        ("from=2026-11-19T00:00:00Z&to=2026-11-18T00:00:00Z", "from"),
        ("from=2026-01-01T00:00:00Z", "from"),
        ("to=x", "to"),
    ):
        answer = await house.call("GET", f"/insights?storeSlug=demo&{query}")
        assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert (await house.call("GET", "/insights?storeSlug=demo", key="other")).status_code == 403
    assert (await house.call("GET", "/insights?storeSlug=demo", key="guests")).status_code == 403


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        yield server


def with_model(house: Restaurant, model: ModelServer, **values: Any) -> CallList:
    sink = CallList()
    house.front.insights._writer = InsightWriter(
        ModelSettings(model.url, "sk-model-secret", "small-7b"),
        transport=model.transport,
        sink=sink,
        limiter=NoPacing(),
        clock=StandingClock(NOW),
        **values,
    )
    return sink


async def test_a_model_writes_about_the_figures_and_gets_nothing_of_guests(
    house: Restaurant, model: ModelServer
) -> None:
    eats(house, 12, customer=Customer(name="Alice", phone="0501234567"), note="for Alice")
    cancel(house, "Alice changed her mind")
    house.clock.advance(1)
    sink = with_model(house, model)
    report = await house.get("/insights?storeSlug=demo")
    assert report["text"] == {"by": "model small-7b", "text": "Sales are fine.", "problem": None}
    [(headers, body)] = model.asked
    assert headers["authorization"] == "Bearer sk-model-secret"
    assert (body["model"], [message["role"] for message in body["messages"]]) == ("small-7b", ["system", "user"])
    assert "Alice" not in json.dumps(body)
    assert '"salesCents":21600' in body["messages"][1]["content"]
    [call] = sink.calls
    assert "sk-model-secret" not in f"{call.request_headers}{call.request_body}{call.response_body}"


@pytest.mark.parametrize(
    ("mood", "problem"),
    [
        ("error", "VendorUnavailable"),
        ("refused", "VendorAuthFailed"),
        ("html", "VendorMalformed"),
        ("empty", "the answer holds no text"),
        ("slow", "VendorUnavailable"),
    ],
)
async def test_a_model_that_fails_is_no_error(house: Restaurant, model: ModelServer, mood: str, problem: str) -> None:
    model.mood = mood
    with_model(house, model, total_seconds=0.3)
    report = await house.get("/insights?storeSlug=demo")
    assert report["text"] == {"by": "model small-7b", "text": None, "problem": problem}
    assert len(report["insights"]) == 9


def test_without_an_address_there_is_no_model() -> None:
    made = insight_writer(
        ModelSettings("", "", ""),
        transport=None,  # type: ignore[arg-type]
        sink=CallList(),
        limiter=NoPacing(),
        clock=StandingClock(NOW),
    )
    assert made is None

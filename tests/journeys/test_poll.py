"""What the clerk does at the POS comes back to the order, and the trace tells the whole story."""

import json
from typing import Any

import pytest

from hub.model.ids import order_mark
from tests.journeys.conftest import POSTGRES, NewStage, Stage
from tests.journeys.running import wait_for
from tests.journeys.site import Server, bearer, order_body, venue
from tests.journeys.vendor import Vendor

V1, V2 = "demo-restaurant", "second-restaurant"


class Restaurant:
    """Two venues, one per dialect, whose links are polled every second."""

    def __init__(self, stage: Stage) -> None:
        self.site = stage.site
        self.vendor: Vendor = stage.vendor(start=False)
        self.vendor.start_from_command_line()
        tuning = {"poll_seconds": 1, "total_timeout_seconds": 2.0}
        self.site.apply(
            venue(self.vendor.url, V1, tuning=tuning),
            venue(self.vendor.url, V2, "SR", dialect="v2", tuning=tuning),
        )
        self.server: Server = self.site.serve()

    def place(self, slug: str) -> tuple[str, int]:
        """An order that is at the POS: its id and its number there."""
        placed = self.server.placed(order_body(self.server.item_id(slug=slug), storeSlug=slug))
        injection = self.server.wait_until(placed["id"], "confirmed")
        return placed["id"], int(injection["posOrderId"])

    def wait_for_status(self, order_id: str, status: str) -> dict[str, Any]:
        """The order once it has this status."""
        return wait_for(
            lambda: order if (order := self.server.order(order_id))["status"] == status else None,
            f"order {order_id} is {status}",
        )

    def stored(self, order_id: str) -> dict[str, Any]:
        """The order as it is kept."""
        rows = self.site.rows("SELECT document FROM orders WHERE id = :id", id=order_id)
        document: dict[str, Any] = json.loads(rows[0][0])
        return document


@pytest.fixture(scope="module")
def restaurant(new_shared_stage: NewStage) -> Restaurant:
    return Restaurant(new_shared_stage())


def test_orders_follow_the_clerk(restaurant: Restaurant) -> None:
    check_following(restaurant)


def test_orders_follow_the_clerk_on_postgresql(new_stage: NewStage) -> None:
    check_following(Restaurant(new_stage(POSTGRES)))


def check_following(restaurant: Restaurant) -> None:
    """The clerk accepts six orders and ends them in three ways; the hub's orders do the same."""
    placed = {(slug, what): restaurant.place(slug) for slug in (V1, V2) for what in ("deliver", "ignore", "reopen")}
    for _, number in placed.values():
        restaurant.vendor.play_clerk(number, "accept")
    for order_id, _ in placed.values():
        order = restaurant.wait_for_status(order_id, "accepted")
        assert (order["tabStatus"], order["version"]) == ("open", 2)
        assert restaurant.stored(order_id)["raw_status"] == "RECEIVED"
    for (_, what), (_, number) in placed.items():
        restaurant.vendor.play_clerk(number, what)
    expected = {
        "deliver": ("completed", "closed", "DELIVERED"),
        "ignore": ("cancelled", "void", "IGNORE"),
        "reopen": ("received", "open", "PENDING"),
    }
    for (_, what), (order_id, _) in placed.items():
        status, tab, word = expected[what]
        order = restaurant.wait_for_status(order_id, status)
        assert (order["tabStatus"], order["version"]) == (tab, 3)
        stored = restaurant.stored(order_id)
        assert stored["raw_status"] == word
        assert ("closed_at_ms" in stored["timing"]) == (tab != "open")


def test_a_status_nobody_knows_is_kept_as_it_came(restaurant: Restaurant) -> None:
    words = ["ON_THE_MOON", "gözləyir ⏳", "", " "]
    placed = [(*restaurant.place(slug), word) for slug in (V1, V2) for word in words]
    for _, number, word in placed:
        restaurant.vendor.play_clerk(number, word)
    for order_id, _, word in placed:
        order = restaurant.wait_for_status(order_id, "unknown")
        assert order["tabStatus"] == "open"
        assert restaurant.stored(order_id).get("raw_status", "") == word
    for _, number, _ in placed:
        restaurant.vendor.play_clerk(number, "deliver")
    for order_id, _, _ in placed:
        restaurant.wait_for_status(order_id, "completed")


def test_a_poll_that_fails_harms_nothing(restaurant: Restaurant) -> None:
    order_id, number = restaurant.place(V1)
    restaurant.vendor.fail(
        {"method": "GET", "fault": "malformed", "times": 1},
        {"method": "GET", "fault": "rejected", "times": 1},
        {"method": "GET", "fault": "rate_limited", "times": 1},
    )
    restaurant.vendor.play_clerk(number, "accept")
    restaurant.wait_for_status(order_id, "accepted")
    assert [restaurant.vendor.fired(number) for number in (1, 2, 3)] == [1, 1, 1]
    restaurant.vendor.work_again()
    assert "Traceback" not in restaurant.site.logs()


def test_the_trace_tells_the_whole_story(restaurant: Restaurant) -> None:
    before = restaurant.server.order("DT-001", bearer())
    restaurant.vendor.fail({"operation": "create_order", "fault": "drop_after", "times": 1})
    order_id, number = restaurant.place(V1)
    restaurant.vendor.play_clerk(number, "accept")
    order = restaurant.wait_for_status(order_id, "accepted")
    looked_up = "/open-api/orders?page=1&limit=100  200"

    def told() -> str | None:
        """The story, once the calls of the last moment are written down."""
        story = restaurant.site.run("trace", order["orderNumber"])
        assert story.returncode == 0, story.stderr
        return story.stdout if looked_up in story.stdout else None

    story = wait_for(told, "the look-up stands in the trace", every=0.5)
    lines = story.splitlines()
    assert lines[0].startswith(f"{order['orderNumber']}  {order_id}")
    assert order_mark(order_id) in lines[0]
    assert lines[1].strip() == "pickup, accepted, unpaid, ₼9.80"
    assert lines[2].strip() == f"clopos: confirmed after 1 attempt(s), there order {number}"
    happened = "\n".join(lines[3:])
    for words in (
        "placed by journeys (version 1)",
        "<- POST",
        "/api/v1/orders  201",
        "/open-api/orders  no answer",
        "OutcomeUnknown: create_order: no clear answer",
        looked_up,
        "pos_changed by pos (version 2) received -> accepted (RECEIVED)",
    ):
        assert words in happened, story
    sent, looked = happened.index("no answer"), happened.index(looked_up)
    assert happened.index("placed by") < sent < looked < happened.index("pos_changed")
    assert before["orderNumber"] == "DT-001" and "DT-001" not in story


def test_the_trace_by_number_shows_bodies_and_json(restaurant: Restaurant) -> None:
    shown = restaurant.site.run("trace", "DT-001", "--bodies").stdout
    assert "sent: " in shown and '"orderTotal"' in shown
    document = json.loads(restaurant.site.run("trace", "DT-001", "--json").stdout)
    assert document["order"]["order"]["number"] == "DT-001"
    assert {call["direction"] for call in document["calls"]} == {"in", "out"}
    assert document["events"][0]["kind"] == "placed"
    missing = restaurant.site.run("trace", "DT-999")
    assert missing.returncode == 1
    assert "there is no order 'DT-999'" in missing.stderr

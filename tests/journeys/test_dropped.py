"""The vendor takes an order and its answer is lost, or never takes it: the kitchen sees it once either way."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from tests.journeys.conftest import POSTGRES, NewStage, Stage
from tests.journeys.running import wait_for
from tests.journeys.site import Server, bearer, order_body, venue
from tests.journeys.vendor import Vendor

TUNING = {"connect_timeout_seconds": 1.0, "total_timeout_seconds": 1.0, "settle_seconds": 1.0}
CREATE = {"operation": "create_order", "times": 1}
AFTER_COMMIT: dict[str, dict[str, Any]] = {
    "drop": {"fault": "drop_after"},
    "500": {"fault": "status", "status": 500, "after_commit": True},
    "502": {"fault": "status", "status": 502, "after_commit": True},
    "504": {"fault": "status", "status": 504, "after_commit": True},
    "hang": {"fault": "hang", "after_commit": True},
    "trickle": {"fault": "trickle", "delay_seconds": 0.2},
    "html": {"fault": "malformed", "after_commit": True},
    "half json": {"fault": "malformed", "half_json": True, "after_commit": True},
}
BEFORE_COMMIT: dict[str, dict[str, Any]] = {
    "drop": {"fault": "drop_before"},
    "500": {"fault": "status", "status": 500},
    "504": {"fault": "status", "status": 504},
    "hang": {"fault": "hang"},
    "html": {"fault": "malformed"},
}
LINKS = ["v1", "v1-ignores-keys", "v2"]


class Street:
    """Three venues: v1, v1 at a vendor that ignores keys, and v2 (which knows none)."""

    def __init__(self, stage: Stage) -> None:
        self.site = stage.site
        keeps, ignores = stage.vendor(), stage.vendor(ignore_keys=True)
        self.vendors: dict[str, Vendor] = {"v1": keeps, "v1-ignores-keys": ignores, "v2": keeps}
        self.site.apply(
            venue(keeps.url, "v1", "VA", tuning=TUNING),
            venue(ignores.url, "v1-ignores-keys", "VB", tuning=TUNING),
            venue(keeps.url, "v2", "VC", dialect="v2", tuning=TUNING),
        )
        self.server: Server = self.site.serve()
        self.items = {slug: self.server.item_id(slug=slug) for slug in LINKS}

    def place(self, slug: str, note: str) -> str:
        """Places an order and gives its id."""
        body = order_body(self.items[slug], note, storeSlug=slug)
        return str(self.server.placed(body, bearer())["id"])

    def place_under(self, slug: str, name: str, rule: dict[str, Any]) -> str:
        """Places an order whose creation at the vendor meets this fault."""
        vendor = self.vendors[slug]
        vendor.fail({**CREATE, **rule})
        order_id = self.place(slug, name)
        wait_for(lambda: vendor.fired() == 1, f"the fault {name} fires")
        return order_id

    def absent_since(self, order_id: str) -> int | None:
        """When a look-up first found that the vendor has not got the order."""
        rows = self.site.rows("SELECT absent_since_ms FROM deliveries WHERE order_id = :id", id=order_id)
        since: int | None = rows[0][0]
        return since


@pytest.fixture(scope="module")
def street(new_shared_stage: NewStage) -> Street:
    return Street(new_shared_stage())


@pytest.fixture(scope="module")
def street_on_postgres(new_shared_stage: NewStage) -> Street:
    return Street(new_shared_stage(POSTGRES))


def test_an_order_whose_answer_is_lost_after_the_commit_is_found_and_not_sent_again(street: Street) -> None:
    check_lost_after_the_commit(street, LINKS)


def test_the_same_on_postgresql(street_on_postgres: Street) -> None:
    check_lost_after_the_commit(street_on_postgres, ["v1-ignores-keys"])
    check_late_commit(street_on_postgres, "v2")


def check_lost_after_the_commit(street: Street, slugs: Sequence[str]) -> None:
    """Places an order for each link and each way of losing an answer, and looks for second ones that must not be."""
    before = {slug: street.vendors[slug].calls("create_order") for slug in slugs}
    placed = {
        (slug, name): street.place_under(slug, name, rule) for slug in slugs for name, rule in AFTER_COMMIT.items()
    }
    for place, order_id in placed.items():
        assert street.server.wait_until(order_id, "confirmed")["posOrderId"], place
    for slug in slugs:
        vendor = street.vendors[slug]
        there = {
            place: vendor.copies_of([order_id])[order_id] for place, order_id in placed.items() if place[0] == slug
        }
        assert there == dict.fromkeys(there, 1)
        calls = sum(street.vendors[place[0]] is vendor for place in placed)
        hanging = sum(street.vendors[place[0]] is vendor and place[1] == "hang" for place in placed)
        # The sandbox counts a call when it ends.
        assert vendor.calls("create_order") - before[slug] == calls - hanging


@pytest.mark.parametrize("slug", ["v1", "v1-ignores-keys"])
def test_keyed_orders_lost_before_the_commit_are_sent_again(street: Street, slug: str) -> None:
    vendor = street.vendors[slug]
    vendor.fail(*({**CREATE, **rule} for rule in BEFORE_COMMIT.values()))
    placed = [street.place(slug, name) for name in BEFORE_COMMIT]
    attempts = [street.server.wait_until(order_id, "confirmed")["attempts"] for order_id in placed]
    assert [vendor.fired(number + 1) for number in range(len(BEFORE_COMMIT))] == [1] * len(BEFORE_COMMIT)
    assert sum(attempts) == 2 * len(BEFORE_COMMIT)
    assert vendor.copies_of(placed) == dict.fromkeys(placed, 1)


def test_an_order_without_a_key_is_sent_again_once_two_look_ups_agree_that_it_is_not_there(street: Street) -> None:
    vendor = street.vendors["v2"]
    placed = {name: street.place_under("v2", name, rule) for name, rule in BEFORE_COMMIT.items()}
    created = vendor.calls("create_order")
    for order_id in placed.values():
        street.server.wait_until(order_id, "unknown")
    street.site.travel(seconds=3)
    for order_id in placed.values():
        wait_for(partial(street.absent_since, order_id), "a look-up misses the order")
    assert vendor.calls("create_order") == created
    street.site.travel(seconds=6)
    for order_id in placed.values():
        assert street.server.wait_until(order_id, "confirmed")["attempts"] == 2
    assert vendor.copies_of(list(placed.values())) == dict.fromkeys(placed.values(), 1)


@pytest.mark.parametrize("slug", ["v1", "v2"])
def test_a_vendor_that_commits_after_our_time_out_gets_no_second_order(street: Street, slug: str) -> None:
    check_late_commit(street, slug)


def check_late_commit(street: Street, slug: str) -> None:
    """Places an order that the vendor takes after our time-out, and looks for the second one that must not be."""
    vendor = street.vendors[slug]
    before = vendor.calls("create_order")
    slow = {"fault": "delay", "delay_seconds": 1.6}  # later than the time-out, earlier than time-out and settling
    order_id = street.place_under(slug, "late", slow)
    injection = street.server.wait_until(order_id, "confirmed")
    assert injection["posOrderId"]
    # With a key the hub need not wait until the vendor is done with the first call.
    assert slug == "v1" or injection["attempts"] == 1
    wait_for(lambda: vendor.calls("create_order") - before == injection["attempts"], "the vendor is done")
    assert vendor.copies_of([order_id]) == {order_id: 1}


@pytest.mark.parametrize("slug", ["v1", "v2"])
def test_a_look_up_that_fails_is_no_proof_that_the_order_is_absent(street: Street, slug: str) -> None:
    vendor = street.vendors[slug]
    vendor.fail(
        {**CREATE, "fault": "drop_after"},
        {"operation": "list_orders", "times": 1, "fault": "status", "status": 500},
        {"operation": "list_orders", "times": 1, "fault": "malformed"},
        {"operation": "list_orders", "times": 2, "fault": "drop_before"},
        {"operation": "list_orders", "times": 1, "fault": "rate_limited", "retry_after": 1},
    )
    created = vendor.calls("create_order")
    order_id = street.place(slug, "failing look-up")
    street.server.wait_until(order_id, "confirmed", seconds=30)
    assert [vendor.fired(number) for number in (1, 2, 3, 4, 5)] == [1, 1, 1, 2, 1]
    assert vendor.calls("create_order") - created == 1
    assert vendor.copies_of([order_id]) == {order_id: 1}


@pytest.mark.parametrize("slug", LINKS)
def test_a_refusal_inside_a_success_is_a_refusal(street: Street, slug: str) -> None:
    vendor = street.vendors[slug]
    order_id = street.place_under(slug, "refused", {"fault": "rejected"})
    injection = street.server.wait_until(order_id, "failed")
    assert injection["cause"]["code"] == "POS_REJECTED"
    assert "call_center is not active" in injection["detail"]
    assert street.server.order(order_id)["status"] == "rejected"
    assert vendor.copies_of([order_id]) == {order_id: 0}

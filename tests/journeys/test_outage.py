"""The vendor is away, slow to forgive, or refuses us: orders come in all the time, and each gets where it should."""

import email.utils
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.journeys.conftest import POSTGRES, SQLITE, NewStage, Stage
from tests.journeys.running import wait_for
from tests.journeys.site import Server, Site, bearer, order_body, venue
from tests.journeys.vendor import Vendor, comment_of

TUNING = {"connect_timeout_seconds": 1.0, "total_timeout_seconds": 2.0, "settle_seconds": 0.5}
WAITING = {"queued", "retrying"}
EVENING = timedelta(hours=4)
LONGEST_PAUSE_SECONDS = 61  # a little more than a breaker's longest pause


class Kitchen:
    """A hub and a sandbox that knows the guest already, so that an order costs a single call."""

    def __init__(self, stage: Stage) -> None:
        self.site: Site = stage.site
        self.vendor: Vendor = stage.vendor()
        self.site.apply(venue(self.vendor.url, tuning=TUNING))
        self.server: Server = self.site.serve()
        self.item = self.server.item_id()
        self.warm_up()

    def warm_up(self) -> None:
        """One order that goes through."""
        self.server.wait_until(self.place("first"), "confirmed")

    def place(self, note: str, *, scheduled: timedelta | None = None) -> str:
        """Places an order, as soon as possible or for a time after now, and gives its id."""
        more = {"scheduledFor": (self.now() + scheduled).isoformat()} if scheduled else {}
        return str(self.server.placed(order_body(self.item, note, **more), bearer())["id"])

    def now(self) -> datetime:
        """The time of the hub."""
        return datetime.now(UTC) + timedelta(
            seconds=float(self.site.clock.read_text() if self.site.clock.exists() else 0)
        )

    def arrived(self) -> list[str]:
        """The notes of what is at the vendor, in the order it arrived."""
        return [comment_of(order).partition(" | ")[0] for order in self.vendor.orders()]


@pytest.fixture(scope="module")
def kitchen(new_shared_stage: NewStage) -> Iterator[Kitchen]:
    stage = new_shared_stage()
    yield Kitchen(stage)
    stage.close()


@pytest.mark.parametrize("database", [SQLITE, POSTGRES])
def test_an_hour_without_the_vendor(database: str, new_stage: NewStage) -> None:
    kitchen = Kitchen(new_stage(database))
    site, server, vendor = kitchen.site, kitchen.server, kitchen.vendor
    vendor.stop()
    late, scheduled = [], []
    for number in range(4):
        scheduled.append(kitchen.place(f"scheduled {number}", scheduled=EVENING))
        late.append(kitchen.place(f"soon {number}"))
    tried = "SELECT count(*) FROM deliveries WHERE cause = 'POS_UNREACHABLE'"
    wait_for(lambda: site.rows(tried) != [(0,)], "the hub notices")
    assert {server.injection(order_id)["state"] for order_id in late} <= {*WAITING, "sending"}

    site.travel(hours=1)
    fresh = [kitchen.place("after an hour"), kitchen.place("scheduled 4", scheduled=EVENING)]
    for order_id in late:
        injection = server.wait_until(order_id, "manual_required")
        assert injection["cause"] == {
            "code": "DEADLINE_PASSED",
            "title": "The POS could not be reached before the order had to be in the kitchen.",
            "owner": "pos",
            "nextAction": "Tell the kitchen or the guest, then deliver it with `openpos-hub deliver ORDER` "
            "or mark it done by hand.",
        }
    assert {server.injection(order_id)["state"] for order_id in scheduled} <= {*WAITING, "sending"}

    vendor.start()
    site.travel(seconds=LONGEST_PAUSE_SECONDS)
    for order_id in [*scheduled, *fresh]:
        server.wait_until(order_id, "confirmed")
    expected = ["first", *(f"scheduled {number}" for number in range(4)), "after an hour", "scheduled 4"]
    assert kitchen.arrived() == expected
    copies = vendor.copies_of([*late, *scheduled, *fresh])
    assert copies == dict.fromkeys(late, 0) | dict.fromkeys([*scheduled, *fresh], 1)


def test_a_person_delivers_what_is_left_of_an_outage(kitchen: Kitchen) -> None:
    site, server, vendor = kitchen.site, kitchen.server, kitchen.vendor
    before = len(kitchen.arrived())
    vendor.stop()
    late = [kitchen.place(f"left {number}") for number in range(4)]
    site.travel(hours=1)
    for order_id in late:
        server.wait_until(order_id, "manual_required")
    vendor.start()
    site.travel(seconds=LONGEST_PAUSE_SECONDS)
    listed = site.run("stuck").stdout
    assert "4 waiting" in listed
    assert listed.count("[DEADLINE_PASSED]") == 4
    assert listed.count("-> Tell the kitchen or the guest, then deliver it with `openpos-hub deliver ORDER`") == 4
    numbers = [server.order(order_id)["orderNumber"] for order_id in late]
    assert all(number in listed for number in numbers)

    assert site.run("deliver", numbers[0]).returncode == 0
    server.wait_until(late[0], "confirmed")
    assert site.run("deliver", numbers[1], "--done").returncode == 0
    assert server.injection(late[1])["state"] == "manual_done"
    assert server.order(late[1])["status"] == "accepted"
    assert site.run("deliver", "all").returncode == 0
    for order_id in late[2:]:
        server.wait_until(order_id, "confirmed")
    assert sorted(kitchen.arrived()[before:]) == ["left 0", "left 2", "left 3"]
    assert vendor.copies_of(late) == dict.fromkeys(late, 1) | {late[1]: 0}
    assert "nothing waits for a person" in site.run("stuck").stdout
    refused = site.run("deliver", numbers[0])
    assert refused.returncode == 1
    assert "has nothing that waits for a person" in refused.stderr


def test_an_hour_of_broken_connections(kitchen: Kitchen) -> None:
    site, server, vendor = kitchen.site, kitchen.server, kitchen.vendor
    before = len(kitchen.arrived())
    vendor.fail({"fault": "down"})
    soon = [kitchen.place(f"soon {number}") for number in range(2)]
    for order_id in soon:
        server.wait_until(order_id, "unknown")
    scheduled = [kitchen.place(f"scheduled {number}", scheduled=EVENING) for number in range(3)]
    wait_for(lambda: vendor.fired() >= 5, "connections break")

    site.travel(hours=1)
    fresh = kitchen.place("after an hour")
    for order_id in soon:
        cause = server.wait_until(order_id, "manual_required")["cause"]
        assert cause["code"] == "OUTCOME_UNKNOWN"
        assert "may or may not be in the kitchen" in cause["title"]
    vendor.work_again()
    site.travel(seconds=LONGEST_PAUSE_SECONDS)
    for order_id in [*scheduled, fresh]:
        server.wait_until(order_id, "confirmed")
    placed, arrived = ["scheduled 0", "scheduled 1", "scheduled 2", "after an hour"], kitchen.arrived()[before:]
    assert sorted(arrived) == sorted(placed)
    # The one on trial last lets the others go before it, for it may have been the reason; they keep their order.
    assert any(without(late, arrived) == without(late, placed) for late in placed), arrived
    assert site.run("deliver", "all").returncode == 0
    for order_id in soon:
        server.wait_until(order_id, "confirmed")
    copies = vendor.copies_of([*soon, *scheduled, fresh])
    assert set(copies.values()) == {1}


def without(note: str, notes: list[str]) -> list[str]:
    """The notes but for this one."""
    return [one for one in notes if one != note]


def test_an_order_delivered_by_hand_that_had_arrived_is_found_and_not_sent_twice(kitchen: Kitchen) -> None:
    site, server, vendor = kitchen.site, kitchen.server, kitchen.vendor
    vendor.fail({"fault": "drop_after", "operation": "create_order", "times": 1}, {"fault": "down"})
    order_id = kitchen.place("arrived")
    server.wait_until(order_id, "unknown")
    site.travel(hours=1)
    server.wait_until(order_id, "manual_required")
    vendor.work_again()
    site.travel(seconds=LONGEST_PAUSE_SECONDS)
    created = vendor.calls("create_order")
    assert site.run("deliver", order_id).returncode == 0
    assert server.wait_until(order_id, "confirmed")["posOrderId"]
    assert vendor.calls("create_order") == created
    assert vendor.copies_of([order_id]) == {order_id: 1}


@pytest.mark.parametrize(("status", "wait"), [(429, "seconds"), (503, "date")])
def test_the_whole_link_waits_as_long_as_the_vendor_asks(kitchen: Kitchen, status: int, wait: str) -> None:
    site, server, vendor = kitchen.site, kitchen.server, kitchen.vendor
    later = email.utils.format_datetime(kitchen.now() + timedelta(seconds=61), usegmt=True)
    asked = {"operation": "create_order", "times": 1, "retry_after": "60" if wait == "seconds" else later}
    fault = {"fault": "rate_limited"} if status == 429 else {"fault": "status", "status": 503}
    before = len(vendor.orders())
    vendor.fail(asked | fault)
    first = kitchen.place(f"told to wait {status} {wait}")
    wait_for(lambda: (server.injection(first)["cause"] or {}).get("code") == "POS_RATE_LIMITED", "told to wait")
    second = kitchen.place(f"behind it {status} {wait}")
    site.travel(seconds=50)
    assert "nothing waits for a person" in site.run("stuck").stdout  # takes as long as the hub needs for a round
    assert {server.injection(order_id)["state"] for order_id in (first, second)} <= WAITING
    assert len(vendor.orders()) == before
    site.travel(seconds=12)
    for order_id in (first, second):
        server.wait_until(order_id, "confirmed")
    assert vendor.fired() == 1
    assert vendor.copies_of([first, second]) == {first: 1, second: 1}


@pytest.mark.parametrize("junk", ["soon", "-5", "1e400", "Thu, 99 Nov 2026 99:99:99 GMT", ""])
def test_a_wait_that_makes_no_sense_is_a_short_one(kitchen: Kitchen, junk: str) -> None:
    kitchen.vendor.fail({"fault": "rate_limited", "operation": "create_order", "times": 1, "retry_after": junk})
    order_id = kitchen.place(f"junk {junk}")
    wait_for(lambda: kitchen.vendor.fired() == 1, "the vendor refuses")
    kitchen.site.travel(seconds=6)
    kitchen.server.wait_until(order_id, "confirmed")
    assert kitchen.vendor.copies_of([order_id]) == {order_id: 1}


def test_a_wait_beyond_the_deadline_is_handed_to_a_person_at_once(kitchen: Kitchen) -> None:
    kitchen.vendor.fail({"fault": "rate_limited", "operation": "create_order", "times": 1, "retry_after": 7200})
    order_id = kitchen.place("beyond the deadline")
    injection = kitchen.server.wait_until(order_id, "manual_required")
    assert injection["cause"]["code"] == "POS_RATE_LIMITED"
    assert "deadline" in injection["detail"]
    kitchen.site.travel(minutes=16)
    assert kitchen.site.run("deliver", order_id).returncode == 0
    kitchen.server.wait_until(order_id, "confirmed")


def test_a_link_whose_credentials_are_refused_pauses_and_comes_back_by_itself(kitchen: Kitchen) -> None:
    site, server, vendor = kitchen.site, kitchen.server, kitchen.vendor
    vendor.fail({"fault": "status", "status": 401})
    orders = [kitchen.place("refused"), kitchen.place("behind the refused")]
    link = "SELECT paused_cause FROM links"
    wait_for(lambda: site.rows(link) == [("POS_AUTH_FAILED",)], "the link is paused")
    refused = vendor.fired()
    orders.append(kitchen.place("while paused"))
    report = site.run("doctor")
    assert report.returncode == 1
    assert "paused: Check the link's credentials" in report.stdout
    assert vendor.orders() == [] or vendor.copies_of(orders) == dict.fromkeys(orders, 0)
    assert refused < 20
    vendor.work_again()
    wait_for(lambda: site.rows(link) == [("",)], "the link comes back", seconds=40)
    for order_id in orders:
        assert server.wait_until(order_id, "confirmed")["attempts"] == 1
    assert vendor.copies_of(orders) == dict.fromkeys(orders, 1)

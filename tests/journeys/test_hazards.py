"""What two vendors do not protect us from: twins at Desktop Kitchen, and a create without any key at Desibits."""

import time
from functools import partial
from typing import Any

import pytest

from tests.journeys.conftest import POSTGRES, SQLITE, NewStage
from tests.journeys.crowd import post_together
from tests.journeys.running import wait_for
from tests.journeys.site import Server, bearer
from tests.journeys.trio import DESIBITS, DESKTOP_KITCHEN, Pos, Trio

TUNING = {"total_timeout_seconds": 1.0, "settle_seconds": 0.5, "poll_seconds": 1}
# Longer than the slow server below needs after our time-out, until what it wrote is seen.
PATIENT = TUNING | {"settle_seconds": 2.0}
LEASE_SECONDS = 16
LATE = "a commit after our time-out"
LOST: dict[str, dict[str, Any]] = {
    "dropped before the commit": {"fault": "drop_before"},
    "dropped after the commit": {"fault": "drop_after"},
    "an error after the commit": {"fault": "status", "status": 500, "after_commit": True},
    "an error before the commit": {"fault": "status", "status": 500},
    LATE: {"fault": "delay", "delay_seconds": 1.2},
    "no answer": {"fault": "hang", "after_commit": True},
    "a page in place of JSON": {"fault": "malformed", "after_commit": True},
}
OFTEN = ["dropped before the commit", "dropped after the commit", LATE]


def settle(trio: Trio, order_id: str, *, travel: bool = True) -> None:
    """Lets the time pass that the hub waits for a vendor that may still be working, until the order is there.

    Without `travel` it passes as it does: a vendor that is slow now is not done sooner because a clock was moved.
    """

    def arrived() -> bool:
        injection = trio.server.injection(order_id)
        assert injection["state"] in ("queued", "sending", "retrying", "unknown", "confirmed"), injection
        if injection["state"] == "unknown" and travel:
            trio.site.travel(seconds=1)
        return bool(injection["state"] == "confirmed")

    wait_for(arrived, f"{order_id} is confirmed", seconds=40, every=0.2)


class Taqueria:
    """Two hub processes on one database, which both send; and a server that looks, waits, writes, and shows it late."""

    def __init__(self, new_stage: NewStage, **options: Any) -> None:
        self.trio = Trio(new_stage(POSTGRES), [DESKTOP_KITCHEN], options=options, tuning=PATIENT, serve=False)
        self.servers = [self.trio.site.serve(), self.trio.site.serve()]
        self.trio.server = self.servers[0]
        self.pos: Pos = self.trio.one

    def place_six_times(self, name: str) -> str:
        """One order, sent by six callers at the same moment to both processes."""
        body = self.trio.body(DESKTOP_KITCHEN, [{"item": "Torta Cubana"}], externalId=name)
        calls = [(self.servers[number % 2].url, body, bearer()) for number in range(6)]
        answers = post_together(calls, at_once=6)
        assert {answer.status_code for answer in answers} <= {200, 201}
        [order_id] = {answer.json()["order"]["id"] for answer in answers}
        return str(order_id)

    def kill(self, number: int) -> None:
        """`kill -9` of one process, and another in its place."""
        self.servers[number].kill()
        self.servers[number] = self.trio.site.begin_to_serve()
        self.servers[number].wait_until_ready()
        self.trio.server = self.servers[number]

    def require_one_ticket(self, order_id: str) -> None:
        """The kitchen got the order once."""
        [ticket] = self.pos.kitchen(order_id)
        assert len(ticket["arrivals"]) == 1
        assert [(item["item_name"], item["quantity"]) for item in ticket["items"]] == [("Torta Cubana", 1)]
        assert self.trio.server.injection(order_id)["posOrderId"] == str(ticket["id"])


def test_desktop_kitchen_makes_twins_of_simultaneous_creates(new_stage: NewStage) -> None:
    """That the danger is real: without our lock the vendor cooks one order several times."""
    stage = new_stage()
    pos = Pos(stage.folder / "pos", stage.site.clock, DESKTOP_KITCHEN, {"insert_gap_ms": 200})
    stage.add(pos)
    pos.start()
    login = pos.call("POST", "/api/employees/login", {"pin": "sandbox-secret"}, **{"X-Tenant-ID": "taqueria-el-faro"})
    body = {"employee_id": 1, "items": [{"menu_item_id": 4, "quantity": 1}], "offline_temp_id": "the-same"}
    headers = {"X-Tenant-ID": "taqueria-el-faro", "Authorization": f"Bearer {login['token']}"}
    answers = post_together([(pos.url, body, headers)] * 6, at_once=6, path="/api/orders")
    assert {answer.status_code for answer in answers} == {201}
    assert len([ticket for ticket in pos.kitchen() if ticket["offline_temp_id"] == "the-same"]) == 6


def test_one_order_of_six_callers_is_one_ticket_whatever_the_connection_does(new_stage: NewStage) -> None:
    taqueria = Taqueria(new_stage, insert_gap_ms=150, commit_delay_ms=400)
    for name, rule in {"all is well": None, **LOST}.items():
        taqueria.pos.fail(*([{"operation": "create_order", "times": 1, **rule}] if rule else []))
        order_id = taqueria.place_six_times(name)
        settle(taqueria.trio, order_id, travel=False)
        taqueria.require_one_ticket(order_id)


@pytest.mark.parametrize("seconds", [0.1, *(pytest.param(more, marks=pytest.mark.long) for more in (0.0, 0.3, 0.6))])
def test_one_order_of_six_callers_is_one_ticket_though_hubs_are_killed(seconds: float, new_stage: NewStage) -> None:
    taqueria = Taqueria(new_stage, insert_gap_ms=150, commit_delay_ms=400)
    taqueria.pos.fail({"operation": "create_order", "fault": "delay", "delay_seconds": 0.4})
    order_id = taqueria.place_six_times("killed")
    wait_for(partial(is_sent, taqueria, order_id), "the order is on its way", every=0.005)
    time.sleep(seconds)  # somewhere in the middle of the vendor's work
    for victim in (0, 1):
        taqueria.kill(victim)
    taqueria.trio.site.travel(seconds=LEASE_SECONDS)
    settle(taqueria.trio, order_id, travel=False)
    taqueria.require_one_ticket(order_id)
    assert len(taqueria.pos.kitchen()) == 1


def is_sent(taqueria: Taqueria, order_id: str) -> bool:
    """Whether the attempt is noted, which happens right before the call."""
    rows = taqueria.trio.site.rows("SELECT sent_at_ms FROM deliveries WHERE order_id = :id", id=order_id)
    return any(sent is not None for (sent,) in rows)


class SpiceHouse:
    """Desibits, which knows no key, no unique index and no order of ours but by a mark in a note."""

    def __init__(self, new_stage: NewStage, database: str = SQLITE, **link: Any) -> None:
        self.trio = Trio(new_stage(database), [DESIBITS], tuning=TUNING, **link)
        self.pos: Pos = self.trio.one

    @property
    def server(self) -> Server:
        return self.trio.server

    def place(self) -> str:
        """An order that is not there yet."""
        body = self.trio.body(DESIBITS, [{"item": "Butter Chicken", "quantity": 2, "options": {"Hot": 1}}])
        return str(self.server.placed(body)["id"])

    def cooked(self, order_id: str) -> list[tuple[str, int]]:
        """What the kitchen was told to cook of an order, cancelled tickets left out."""
        tickets = [one for one in self.pos.kitchen(order_id) if one["status"] != "cancelled"]
        return [(item["name"], item["quantity"]) for ticket in tickets for item in ticket["items"]]

    def standing(self, order_id: str) -> list[str]:
        """The statuses of the orders with our mark that were not cancelled."""
        return [one["status"] for one in self.pos.received(order_id) if one["status"] != "cancelled"]

    def require_one_order(self, order_id: str) -> None:
        """One ticket, and no draft beside it."""
        assert self.cooked(order_id) == [("Butter Chicken", 2)]
        wait_for(lambda: self.standing(order_id) == ["kot"], f"drafts are swept: {self.pos.received(order_id)}")

    def restart(self) -> None:
        """`kill -9` and a new process."""
        self.server.kill()
        self.trio.server = self.trio.site.serve()


@pytest.fixture(scope="module")
def house(new_shared_stage: NewStage) -> SpiceHouse:
    return SpiceHouse(new_shared_stage)


@pytest.mark.parametrize("operation", ["create_order", "generate_kot"])
@pytest.mark.parametrize("name", LOST)
def test_an_order_whose_step_is_lost_is_cooked_once(house: SpiceHouse, operation: str, name: str) -> None:
    house.pos.fail({"operation": operation, "times": 1, **LOST[name]})
    order_id = house.place()
    settle(house.trio, order_id, travel=name != LATE)
    house.require_one_order(order_id)
    assert house.pos.fired() == 1


@pytest.mark.parametrize("operation", ["update_order", "generate_kot"])
@pytest.mark.parametrize(
    "name", [name if name in OFTEN else pytest.param(name, marks=pytest.mark.long) for name in LOST]
)
def test_a_further_round_whose_step_is_lost_is_cooked_once(house: SpiceHouse, operation: str, name: str) -> None:
    house.pos.work_again()
    order_id = house.place()
    settle(house.trio, order_id)
    house.pos.fail({"operation": operation, "times": 1, **LOST[name]})
    chai = house.server.item_id("Masala Chai", house.pos.slug)
    body = {"items": [{"itemId": chai, "quantity": 3}]}
    answer = house.server.client.post(f"/api/v1/orders/{order_id}/items", json=body, headers=bearer())
    assert (answer.status_code, answer.json()["pos"]) == (200, "queued"), answer.text
    wait_for(lambda: house.pos.fired() == 1, f"{name} happens to {operation}")
    wait_until_told(house, order_id, travel=name != LATE)
    assert house.cooked(order_id) == [("Butter Chicken", 2), ("Masala Chai", 3)]
    [arrived] = house.pos.received(order_id)
    assert [(item["name"], item["quantity"]) for item in arrived["record"]["items"]] == house.cooked(order_id)


def wait_until_told(house: SpiceHouse, order_id: str, *, travel: bool) -> None:
    """Lets time pass until nothing of an order is on its way; `travel` as above."""

    def told() -> bool:
        rows = house.trio.site.rows("SELECT state, detail FROM deliveries WHERE order_id = :id", id=order_id)
        assert all(state != "dead" for state, _ in rows), rows
        if travel and any(state == "unknown" for state, _ in rows):
            house.trio.site.travel(seconds=1)
        return all(state == "delivered" for state, _ in rows)

    wait_for(told, "all of it is at Desibits", seconds=40, every=0.2)


def test_a_create_that_commits_long_after_the_look_ups_leaves_no_draft_behind(house: SpiceHouse) -> None:
    check_late_draft(house)


@pytest.mark.long
def test_a_late_draft_is_swept_where_orders_of_the_till_are_left_alone(new_stage: NewStage) -> None:
    check_late_draft(SpiceHouse(new_stage, POSTGRES, pos_orders="ignore"))


def check_late_draft(house: SpiceHouse) -> None:
    """The first create is committed when the order was long made a second time and is being cooked."""
    created = house.pos.calls("create_order")
    house.pos.fail({"operation": "create_order", "times": 1, "fault": "delay", "delay_seconds": 8})
    order_id = house.place()
    settle(house.trio, order_id)
    assert house.cooked(order_id) == [("Butter Chicken", 2)]
    assert len(house.pos.received(order_id)) == 1
    wait_for(lambda: house.pos.calls("create_order") == created + 2, "the first create is done at last", seconds=30)
    assert len(house.pos.received(order_id)) == 2
    house.require_one_order(order_id)
    assert house.trio.wait_for(order_id, tabStatus="open")["injection"][0]["state"] == "confirmed"


@pytest.mark.parametrize("fault", ["delay", pytest.param("drop_after", marks=pytest.mark.long)])
@pytest.mark.parametrize("database", [SQLITE, pytest.param(POSTGRES, marks=pytest.mark.long)])
def test_a_hub_that_is_killed_between_the_steps_goes_on_at_the_right_one(
    database: str, fault: str, new_stage: NewStage
) -> None:
    house = SpiceHouse(new_stage, database)
    for operation in ("create_order", "generate_kot"):
        calls = house.pos.calls(operation)
        house.pos.fail({"operation": operation, "times": 1, "fault": fault, "delay_seconds": 0.5})
        order_id = house.place()
        wait_for(lambda: house.pos.fired() == 1, f"{operation} is under way", every=0.005)
        house.restart()
        wait_for(lambda before=calls, name=operation: house.pos.calls(name) > before, "the vendor is done")
        house.trio.site.travel(seconds=LEASE_SECONDS)
        settle(house.trio, order_id)
        house.require_one_order(order_id)

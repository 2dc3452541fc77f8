"""Several processes on one PostgreSQL database share the orders: none is delivered twice, none is forgotten."""

import pytest

from tests.journeys.conftest import POSTGRES, NewStage
from tests.journeys.crowd import post_together
from tests.journeys.running import Process, wait_for
from tests.journeys.site import Server, Site, bearer, order_body, venue
from tests.journeys.vendor import Vendor

TUNING = {"max_in_flight": 4, "total_timeout_seconds": 3.0, "settle_seconds": 0.5}
LEASE_SECONDS = TUNING["total_timeout_seconds"] + 15
SLOW = {"fault": "delay", "operation": "create_order", "delay_seconds": 0.04}


class Firm:
    """Two `worker` processes beside a `serve` that only takes orders in."""

    def __init__(self, new_stage: NewStage, *, ignore_keys: bool = False) -> None:
        stage = new_stage(POSTGRES)
        self.site: Site = stage.site
        self.vendor: Vendor = stage.vendor(ignore_keys=ignore_keys)
        self.site.apply(venue(self.vendor.url, tuning=TUNING))
        self.server: Server = self.site.begin_to_serve("--no-delivery")
        self.workers: list[Process] = [self.site.begin_to_work(), self.site.begin_to_work()]
        self.server.wait_until_ready()
        for worker in self.workers:
            self.site.wait_until_it_delivers(worker)
        self.vendor.fail(SLOW)

    def place(self, orders: int) -> list[str]:
        """Places orders, several at once, and gives their ids."""
        item = self.server.item_id()
        calls = [(self.server.url, order_body(item, f"order {index}"), bearer()) for index in range(orders)]
        answers = post_together(calls, at_once=25)
        assert {answer.status_code for answer in answers} == {201}
        return [answer.json()["order"]["id"] for answer in answers]

    def holders(self) -> set[int]:
        """The process ids that hold a lease now."""
        rows = self.site.rows("SELECT DISTINCT lease_owner FROM lanes WHERE lease_owner IS NOT NULL")
        return {int(owner.split(":")[-2]) for (owner,) in rows}

    def is_caught_at_work(self, worker: Process) -> bool:
        """Freezes a worker; lets it go on again, and says no, when it holds nothing at this moment."""
        worker.freeze()
        if worker.pid in self.holders():
            return True
        worker.thaw()
        return False

    def delivered(self) -> int:
        """How many orders are delivered."""
        return int(self.site.rows("SELECT count(*) FROM deliveries WHERE state = 'delivered'")[0][0])

    def check(self, order_ids: list[str]) -> None:
        """Every order is at the vendor once, and no lane waits."""
        copies = self.vendor.copies_of(order_ids)
        assert {order_id: count for order_id, count in copies.items() if count != 1} == {}
        assert len(self.vendor.orders()) == len(order_ids)
        waiting = "SELECT count(*) FROM lanes WHERE due_at_ms IS NOT NULL OR lease_owner IS NOT NULL"
        assert self.site.rows(waiting) == [(0,)]
        assert {self.server.injection(order_id)["state"] for order_id in order_ids[:5]} == {"confirmed"}


@pytest.mark.parametrize("orders", [150, pytest.param(1000, marks=pytest.mark.long)])
def test_two_workers_share_the_orders(orders: int, new_stage: NewStage) -> None:
    firm = Firm(new_stage)
    pids = {worker.pid for worker in firm.workers}
    order_ids = firm.place(orders)
    seen: set[int] = set()

    def all_delivered() -> bool:
        seen.update(firm.holders())
        return firm.delivered() == orders

    wait_for(all_delivered, f"{orders} orders are delivered", seconds=30 + orders / 10)
    assert seen == pids
    firm.check(order_ids)


@pytest.mark.parametrize(
    ("orders", "ignore_keys"),
    [(150, True), pytest.param(1000, True, marks=pytest.mark.long), pytest.param(1000, False, marks=pytest.mark.long)],
)
def test_the_other_worker_takes_over_when_one_is_killed(orders: int, ignore_keys: bool, new_stage: NewStage) -> None:
    firm = Firm(new_stage, ignore_keys=ignore_keys)
    victim, survivor = firm.workers
    order_ids = firm.place(orders)
    wait_for(lambda: firm.delivered() > 10 and firm.is_caught_at_work(victim), "the victim is at work", every=0.001)
    victim.kill()

    def only_the_dead_hold_orders() -> bool:
        free = firm.site.rows("SELECT count(*) FROM lanes WHERE due_at_ms IS NOT NULL AND lease_owner IS NULL")
        return free == [(0,)] and firm.holders() <= {victim.pid}

    wait_for(only_the_dead_hold_orders, "the survivor is done with the rest", seconds=30 + orders / 10)
    assert survivor.is_running()
    assert victim.pid in firm.holders()
    assert firm.delivered() < orders
    firm.site.travel(seconds=LEASE_SECONDS + 1)
    wait_for(lambda: firm.delivered() == orders, f"{orders} orders are delivered")
    firm.check(order_ids)


def test_a_worker_that_is_asked_to_stop_leaves_nothing_behind(new_stage: NewStage) -> None:
    firm = Firm(new_stage)
    leaver, stayer = firm.workers
    order_ids = firm.place(60)
    wait_for(lambda: leaver.pid in firm.holders(), "the leaver is at work", every=0.001)
    assert leaver.stop() == 0
    assert leaver.pid not in firm.holders()
    wait_for(lambda: firm.delivered() == 60, "60 orders are delivered")
    assert stayer.is_running()
    firm.check(order_ids)

"""Several processes claim from the same short lanes at once, and nothing is delivered twice or out of order."""

import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError

from hub.database.deliveries import State
from hub.database.engine import Database
from hub.database.orders import place_orders
from hub.database.outbox import claim, complete
from hub.database.tables import deliveries, lanes
from hub.model.order import VendorRef
from tests.database.stored import LINK, NOW, new_order, outcome

WORKERS, ROUNDS, ORDERS = 4, 5, 40
STEPS = ("submit_order", "cancel_order", "cancel_order")


class Worker(threading.Thread):
    """One process: claims a few lanes, delivers, and records each outcome by itself."""

    def __init__(self, database: Database, name: str, sent: list[tuple[str, int]]) -> None:
        super().__init__(name=name, daemon=True)
        self._database = database
        self._sent = sent
        self.problem: BaseException | None = None

    def run(self) -> None:
        try:
            idle = 0
            while idle < 3:
                idle = 0 if self._work() else idle + 1
        except BaseException as problem:
            self.problem = problem

    def _work(self) -> int:
        claimed = self._run(
            lambda c: claim(
                c, link_id=LINK.id, owner=self.name, now_ms=NOW, lease_ms=60_000, limit=3, marked_on_claim=()
            )
        )
        for one in claimed:
            self._sent.append((one.lane_id, one.seq))
            done = outcome(one, State.DELIVERED, now_ms=NOW, ref=VendorRef(kind="order", id=one.delivery_id))
            assert self._run(lambda c, done=done: complete(c, [done])) == [True]
        return len(claimed)

    def _run(self, unit: Callable[[Connection], Any]) -> Any:
        for _ in range(5):
            try:
                return self._database.run_now(unit)
            except OperationalError:  # SQLite: five seconds were not enough to get the file
                continue
        raise AssertionError("the database stayed busy")


def race(databases: list[Database]) -> None:
    items = [new_order(operations=STEPS) for _ in range(ORDERS)]
    databases[0].run_now(lambda connection: place_orders(connection, items))
    sent: list[tuple[str, int]] = []
    workers = [Worker(database, f"worker-{n}", sent) for n, database in enumerate(databases)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert [worker.problem for worker in workers] == [None] * len(workers)
    by_lane: dict[str, list[int]] = {}
    for lane_id, seq in sent:
        by_lane.setdefault(lane_id, []).append(seq)
    assert len(by_lane) == ORDERS
    assert {tuple(seqs) for seqs in by_lane.values()} == {(1, 2, 3)}


def test_no_delivery_is_made_twice_or_out_of_order(open_database: Callable[[], Database]) -> None:
    databases = [open_database() for _ in range(WORKERS)]
    for _ in range(ROUNDS if not databases[0].is_sqlite else 1):
        race(databases)
    states = set(databases[0].read_now(lambda c: c.execute(select(deliveries.c.state)).scalars()))
    assert states == {"delivered"}
    awake = select(lanes.c.id).where(lanes.c.due_at_ms.is_not(None))
    assert databases[0].read_now(lambda c: c.execute(awake).all()) == []

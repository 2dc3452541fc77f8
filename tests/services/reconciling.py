"""A venue's orders, a scripted POS that has them or not, and the reconciliation of both."""

from collections.abc import Sequence
from typing import Any

from msgspec import structs
from sqlalchemy import Connection

from hub.contract.writes import Replay
from hub.database.deliveries import State
from hub.database.engine import Database
from hub.database.order_reads import load_order
from hub.database.orders import save_change
from hub.errors import (
    ConnectorError,
    VendorRejected,
)
from hub.model.check import Check, Line, Totals
from hub.model.order import Order, PosOrder, VendorRef
from hub.model.status import Stage, Status
from hub.services.archive import Archive
from hub.services.directory import Directory
from hub.services.reconcile import By, Reconciler, Reconciliation
from tests.contract.ports import StandingClock
from tests.database.stored import (
    MINUTE,
    NOW,
    PLOV,
    VENUE,
    claim_one,
    finish,
    new_id,
    place,
)
from tests.services.dispatching import OneConnector
from tests.services.scripted import ScriptedPos

HOUR = 60 * MINUTE
Row = tuple[str, str, str, str]


class Till(ScriptedPos):
    """A POS with these orders; `silent_on` raises for an id, or for `list`. It notes what it was asked."""

    def __init__(self, *orders: PosOrder, silent_on: dict[str, ConnectorError] | None = None) -> None:
        super().__init__(Replay.KEYED)
        self.known = list(orders)
        self.silent_on = silent_on or {}
        self.asked: list[str] = []

    async def list_orders(self, *, since_ms: int) -> Sequence[PosOrder]:
        self.asked.append(f"since {since_ms - NOW}")
        if "list" in self.silent_on:
            raise self.silent_on["list"]
        return self.known

    async def fetch_order(self, ref: VendorRef) -> PosOrder:
        self.asked.append(ref.id)
        if ref.id in self.silent_on:
            raise self.silent_on[ref.id]
        for order in self.known:
            if order.ref == ref:
                return structs.replace(order, summary_only=False)
        raise VendorRejected("till: there is no such order", code="404")


def told(vendor_id: str = "9001", **values: Any) -> PosOrder:
    """The order of one plov for 18.00, as the till tells it."""
    line = Line(uid="1", item_id=PLOV.id, name="Plov", quantity=1, unit_cents=1800, gross_cents=1800)
    first = PosOrder(
        ref=VendorRef(kind="order", id=vendor_id),
        raw_status="NEW",
        status=Status.OPEN,
        stage=Stage.RECEIVED,
        checks=(Check(id="c", lines=(line,), totals=Totals(subtotal_cents=1800, total_cents=1800)),),
        total_cents=1800,
        created_at_ms=NOW,
    )
    return structs.replace(first, **values)


def delivered(database: Database, vendor_id: str = "9001", **values: Any) -> Order:
    """An order that the till took."""
    order = place(database, **values).order
    finish(database, claim_one(database), State.DELIVERED, ref=VendorRef(kind="order", id=vendor_id))
    return order


def change(database: Database, order_id: str, *, told_by_link_id: str = "", **values: Any) -> None:
    """What became of an order here, maybe because a channel said so."""

    def unit(connection: Connection) -> None:
        record = load_order(connection, order_id)
        assert record is not None
        after = structs.replace(record.order, **values)
        words = {"event_id": new_id("evt"), "kind": "changed", "actor": "tester", "detail": ""}
        words["told_by_link_id"] = told_by_link_id
        assert save_change(connection, record.order, after, **words)

    database.run_now(unit)


async def report(
    database: Database,
    till: Till,
    *,
    from_ms: int = NOW - HOUR,
    to_ms: int = NOW + HOUR,
    by: By = "creation",
    now_ms: int = NOW,
    patient: bool = False,
) -> Reconciliation:
    directory, clock = Directory(database), StandingClock(now_ms)
    await directory.refresh()
    archive = Archive(database=database, clock=clock, new_id=new_id)
    connections: Any = OneConnector(till)
    reconciler = Reconciler(database, directory, connections, archive, clock)
    return await reconciler.check(VENUE, from_ms, to_ms, by=by, patient=patient)


async def rows(database: Database, till: Till, **values: Any) -> list[Row]:
    found = await report(database, till, **values)
    return [(one.order, one.field, one.here, one.there) for one in found.differences]


def stored(database: Database, order_id: str) -> Order:
    record = database.read_now(lambda c: load_order(c, order_id))
    assert record is not None
    return record.order

"""What the POS does with open orders comes back: polled, compared, and applied as changes."""

import logging

from msgspec import Struct, structs
from sqlalchemy import Connection

from hub.contract.base import Capability, PosConnector
from hub.contract.ports import Clock
from hub.database import orders as stored
from hub.database.engine import Database
from hub.database.order_reads import OpenRef, load_order, open_orders_at_link
from hub.errors import ConnectorError, VendorRejected
from hub.model.ids import NewId
from hub.model.order import Order, PosOrder
from hub.model.status import Status
from hub.services.connections import Connections

_CLOCK_SKEW_MS = 120_000
_ONE_BY_ONE_AT_MOST = 20
_log = logging.getLogger(__name__)


class PolledLink(Struct, frozen=True):
    """How many open orders a poll looked at, and how many of them had changed."""

    looked_at: int
    changed: int


class Sync:
    """Polls the open orders of a link with as few calls as its vendor allows."""

    def __init__(self, *, database: Database, connections: Connections, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._connections = connections
        self._clock = clock
        self._new_id = new_id

    async def poll(self, link_id: str) -> PolledLink:
        """Compares every open order of a link with the POS. Raises `ConnectorError`."""
        opened = await self._database.read(lambda connection: open_orders_at_link(connection, link_id))
        if not opened:
            return PolledLink(0, 0)
        connector = self._connections.connector(link_id)
        told = await self._told(connector, opened)
        changed = 0
        for entry in opened:
            pos_order = told.get(entry.ref.id)
            if pos_order is not None and _in_short(pos_order) != entry.last_told:
                changed += await self._apply(link_id, entry, pos_order)
        return PolledLink(len(opened), changed)

    async def _told(self, connector: PosConnector, opened: list[OpenRef]) -> dict[str, PosOrder]:
        """What the POS says of these orders: from one list, and one by one where the list left some out."""
        told: dict[str, PosOrder] = {}
        if Capability.LIST_ORDERS in connector.capabilities and len(opened) > 1:
            since_ms = min(entry.created_at_ms for entry in opened) - _CLOCK_SKEW_MS
            told = {order.ref.id: order for order in await connector.list_orders(since_ms=since_ms)}
        missing = [entry for entry in opened if entry.ref.id not in told]
        for entry in missing[:_ONE_BY_ONE_AT_MOST]:
            try:
                told[entry.ref.id] = await connector.fetch_order(entry.ref)
            except VendorRejected as problem:
                _log.warning("order %s: the POS does not show it: %s", entry.order_id, problem.message)
        return told

    async def _apply(self, link_id: str, entry: OpenRef, pos_order: PosOrder) -> bool:
        now_ms, event_id = self._clock.now_ms(), self._new_id("evt")

        def unit(connection: Connection) -> bool:
            record = load_order(connection, entry.order_id)
            if record is None:
                return False
            before = record.order
            after = apply_pos_order(before, pos_order, now_ms)
            if after is not None:
                detail = f"{before.stage} -> {after.stage} ({pos_order.raw_status})"
                saved = stored.save_change(
                    connection, before, after, event_id=event_id, kind="pos_changed", actor="pos", detail=detail
                )
                if saved is None:  # somebody changed it at this moment; the next poll compares again
                    return False
            stored.note_told(connection, link_id, entry.ref, _in_short(pos_order))
            return after is not None

        return await self._database.write(unit)


def _in_short(pos_order: PosOrder) -> str:
    """What a poll compares: the status as the vendor words it, what is paid, and the total."""
    return f"{pos_order.raw_status}|{pos_order.payment_status or ''}|{pos_order.total_cents or ''}"[:200]


def apply_pos_order(order: Order, pos_order: PosOrder, now_ms: int) -> Order | None:
    """The order as the POS has it now; None when nothing differs. The POS wins on status and total."""
    stage = pos_order.stage
    status = pos_order.status if pos_order.status is not Status.UNKNOWN else order.status
    audit = order.money_audit
    if pos_order.total_cents is not None and pos_order.total_cents != audit.pos_cents:
        differs = pos_order.total_cents != audit.computed_cents or audit.pos_cents is not None
        audit = structs.replace(audit, pos_cents=pos_order.total_cents) if differs else audit
    after = structs.replace(
        order,
        stage=stage,
        status=status,
        raw_status=pos_order.raw_status,
        payment_status=pos_order.payment_status or order.payment_status,
        money_audit=audit,
    )
    if after == structs.replace(order, raw_status=pos_order.raw_status):
        return None
    closed_now = status is not Status.OPEN and order.status is Status.OPEN
    timing = structs.replace(after.timing, closed_at_ms=now_ms) if closed_now else after.timing
    return structs.replace(after, timing=timing, updated_at_ms=now_ms)


async def poll_quietly(sync: Sync, link_id: str) -> PolledLink | None:
    """`poll` for a schedule: a vendor that does not answer is noted and asked again next time."""
    try:
        return await sync.poll(link_id)
    except ConnectorError as problem:
        _log.warning("link %s: open orders could not be polled: %s", link_id, problem.message)
        return None

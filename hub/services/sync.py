"""What the POS does with open orders comes back: polled, compared, and applied as changes."""

import logging
from collections.abc import Mapping, Sequence
from itertools import groupby

from msgspec import Struct
from sqlalchemy import Connection

from hub.contract.base import Capability, PosConnector
from hub.contract.ports import Clock
from hub.database import orders as stored
from hub.database.engine import Database
from hub.database.order_reads import OpenRef, load_order, open_orders_at_link
from hub.database.tabs import seated_by_channel
from hub.database.vendor_refs import note_told
from hub.errors import ConnectorError, VendorMalformed, VendorRejected
from hub.model.ids import NewId
from hub.model.menu import Item
from hub.model.order import PosOrder
from hub.model.venue import Link, seating_owner
from hub.services.comparison import combined, compare
from hub.services.connections import Connections
from hub.services.directory import Directory
from hub.services.fair_turns import FairTurns
from hub.services.one_of_many import one_of_many
from hub.services.pickup import Pickup
from hub.services.pos_reading import CLOCK_SKEW_MS

_ONE_BY_ONE_AT_MOST = 20
_log = logging.getLogger(__name__)


class PolledLink(Struct, frozen=True):
    """How many open orders a poll looked at, how many had changed, and how many it picked up at the POS."""

    looked_at: int
    changed: int
    picked_up: int = 0


class Sync:
    """Polls a link with as few calls as its vendor allows: one list where there is one."""

    def __init__(
        self,
        *,
        database: Database,
        directory: Directory,
        connections: Connections,
        pickup: Pickup,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._database = database
        self._directory = directory
        self._connections = connections
        self._pickup = pickup
        self._clock = clock
        self._new_id = new_id
        self._turns = FairTurns()

    async def poll(self, link_id: str) -> PolledLink:
        """Compares every open order of a link with the POS, and picks up what was opened there.

        Raises `ConnectorError`.
        """
        link = self._directory.link(link_id)
        opened = await self._database.read(lambda connection: open_orders_at_link(connection, link_id))
        connector = self._connections.pos(link_id)
        lists = Capability.LIST_ORDERS in connector.capabilities
        picks_up = lists and link.pos_orders == "pick_up"
        if not opened and not picks_up:
            return PolledLink(0, 0)
        sweeps = lists and len(connector.submission) > 1  # a lost answer may have left a draft behind
        listed: Sequence[PosOrder] = ()
        if lists and (picks_up or sweeps or len(opened) > 1):
            oldest_ms = min((entry.created_at_ms for entry in opened), default=self._clock.now_ms())
            listed = await connector.list_orders(since_ms=oldest_ms - CLOCK_SKEW_MS)
        by_id = {order.ref.id: order for order in listed}
        told = await self._told(link_id, connector, opened, by_id)
        words = {vendor_id: _in_short(by_id.get(vendor_id, order)) for vendor_id, order in told.items()}
        items = (await self._directory.catalog(link.venue_id)).items
        changed = 0
        for _, entries in groupby(opened, key=lambda entry: entry.order_id):
            rounds = list(entries)
            with one_of_many(f"order {rounds[0].order_id}: cannot follow what the POS says of it"):
                changed += await self._compare(link_id, rounds, told, words, items)
        picked_up = 0
        if picks_up or sweeps:
            picked_up = await self._pickup.look(link, connector, listed, take_in=picks_up)
        return PolledLink(len(opened), changed, picked_up)

    async def _told(
        self, link_id: str, connector: PosConnector, opened: Sequence[OpenRef], listed: Mapping[str, PosOrder]
    ) -> dict[str, PosOrder]:
        """What the POS says of these orders: from the list, and one by one where the list says too little.

        What it says of an order to which something of ours is on its way may be older than that, and does not count.
        """
        compared = [entry for entry in opened if not entry.is_changing]
        told = {entry.ref.id: listed[entry.ref.id] for entry in compared if entry.ref.id in listed}
        asking = {
            entry.ref.id: entry
            for entry in compared
            if entry.ref.id not in told
            or (told[entry.ref.id].summary_only and _in_short(told[entry.ref.id]) != entry.last_told)
        }
        for vendor_id in self._turns.next(link_id, list(asking), _ONE_BY_ONE_AT_MOST):
            entry = asking[vendor_id]
            try:
                told[entry.ref.id] = await connector.fetch_order(entry.ref)
            except VendorRejected as problem:
                _log.warning("order %s: the POS does not show it: %s", entry.order_id, problem.message)
            except VendorMalformed as problem:  # it must not keep the others waiting
                _log.warning("order %s: what the POS says of it cannot be read: %s", entry.order_id, problem.message)
        return told

    async def _compare(
        self,
        link_id: str,
        entries: list[OpenRef],
        told: Mapping[str, PosOrder],
        words: Mapping[str, str],
        items: Mapping[str, Item],
    ) -> bool:
        """Applies what the POS says of one order; several entries are its rounds there.

        `words` is what each is remembered by: as the list puts it where there is one, so that the next list with the
        same words costs no call.
        """
        rounds = [told[entry.ref.id] for entry in entries if entry.ref.id in told]
        if len(rounds) < len(entries) or all(words[entry.ref.id] == entry.last_told for entry in entries):
            return False
        pos_order = combined(rounds)
        now_ms, event_id = self._clock.now_ms(), self._new_id("evt")
        owner = self._channel_that_seats(self._directory.link(link_id).venue_id)

        def unit(connection: Connection) -> bool:
            record = load_order(connection, entries[0].order_id)
            if record is None or record.order.version != entries[0].version:
                return False  # changed since the POS was asked
            seats_at_pos = not seated_by_channel(connection, record.order, owner)
            difference = compare(
                record.order,
                pos_order,
                items,
                now_ms,
                seats_at_pos=seats_at_pos,
                answered_cents=record.money_audit.pos_cents,
            )
            if difference is not None:
                saved = stored.save_change(
                    connection,
                    record.order,
                    difference.order,
                    event_id=event_id,
                    kind="pos_changed",
                    actor="pos",
                    detail="; ".join(difference.words),
                )
                if saved is None:  # somebody changed it at this moment; the next poll compares again
                    return False
            for entry in entries:
                note_told(connection, link_id, entry.ref, words[entry.ref.id])
            return difference is not None

        return await self._database.write(unit)

    def _channel_that_seats(self, venue_id: str) -> Link | None:
        """The channel that says where the venue's guests sit, if it is one."""
        channels = self._directory.channels_of(venue_id)
        owner = seating_owner(self._directory.venue(venue_id), channels)
        return next((link for link in channels if link.label == owner), None)


def _in_short(pos_order: PosOrder) -> str:
    """What a poll compares: the status as the vendor words it, the money, the tables, and the lines' quantities."""
    quantities = ",".join(str(line.quantity) for check in pos_order.checks for line in check.lines)
    paid = sum(payment.cents for check in pos_order.checks for payment in check.payments)
    money = f"{pos_order.payment_status or ''}|{pos_order.total_cents or ''}|{paid}"
    return f"{pos_order.raw_status}|{money}|{','.join(pos_order.tables)}|{quantities}"[:200]


async def poll_quietly(sync: Sync, link_id: str) -> PolledLink | None:
    """`poll` for a schedule: a vendor that does not answer is noted and asked again next time."""
    try:
        return await sync.poll(link_id)
    except ConnectorError as problem:
        _log.warning("link %s: open orders could not be polled: %s", link_id, problem.message)
        return None

"""Orders a poll finds at the POS that the hub does not know: opened there by the staff, or a duplicate of ours."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from msgspec import structs
from sqlalchemy import Connection

from hub.contract.base import Capability, PosConnector
from hub.contract.ports import Clock
from hub.contract.writes import OrderWrite
from hub.database import orders as stored
from hub.database.engine import Database
from hub.database.order_reads import known_refs, load_open_orders, load_order
from hub.database.orders import NewOrder, PlacementKind
from hub.database.vendor_refs import save_ref
from hub.errors import ConnectorError, VendorMalformed, VendorRejected
from hub.model.check import Check, Totals, payment_status_of
from hub.model.ids import NewId, as_uuid, order_mark
from hub.model.menu import Item
from hub.model.order import MoneyAudit, Order, Origin, PosOrder, Timing
from hub.model.status import Injection, OrderType, PaymentStatus, Stage, Status
from hub.model.venue import Link, Venue
from hub.services.comparison import known_line
from hub.services.directory import Directory
from hub.services.fair_turns import FairTurns
from hub.services.one_of_many import one_of_many

_READ_AT_MOST = 20
_log = logging.getLogger(__name__)


class Pickup:
    """Takes in what was opened at the POS, once; and sweeps drafts that a lost answer left behind."""

    def __init__(self, *, database: Database, directory: Directory, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._directory = directory
        self._clock = clock
        self._new_id = new_id
        self._turns = FairTurns()

    async def look(
        self, link: Link, connector: PosConnector, listed: Sequence[PosOrder], *, take_in: bool = True
    ) -> int:
        """Goes through a POS's list; returns how many orders were picked up. Raises `ConnectorError`.

        Without `take_in` only drafts are swept, and what the staff opened stays theirs.
        """
        ids = [order.ref.id for order in listed]
        known = await self._database.read(lambda connection: known_refs(connection, link.id, "order", ids))
        unknown = [order for order in listed if order.ref.id not in known and order.status is not Status.VOID]
        picked_up = 0
        if not take_in:  # rows that do not show a mark are not worth a call each, poll after poll
            unknown = [order for order in unknown if order.mark]
        by_id = {order.ref.id: order for order in unknown}
        for vendor_id in self._turns.next(link.id, list(by_id), _READ_AT_MOST):
            whole = await self._whole(connector, by_id[vendor_id])
            if whole is None:
                continue
            if whole.mark:
                await self._sweep(link, connector, whole)
            elif take_in:
                with one_of_many(f"order {whole.ref.id} at the POS cannot be picked up"):
                    picked_up += await self._take_in(link, whole)
        return picked_up

    async def _whole(self, connector: PosConnector, told: PosOrder) -> PosOrder | None:
        """All of an order; None when the POS lists it and does not show it, which must not keep the others waiting."""
        if not told.summary_only:
            return told
        try:
            return await connector.fetch_order(told.ref)
        except (VendorRejected, VendorMalformed) as problem:
            _log.warning("order %s is listed by the POS and not shown: %s", told.ref.id, problem.message)
            return None

    async def _take_in(self, link: Link, told: PosOrder) -> bool:
        venue = self._directory.venue(link.venue_id)
        catalog = await self._directory.catalog(venue.id)
        order = self._order(link, venue, catalog.items, told)
        new = NewOrder(
            order=order,
            order_prefix=venue.order_prefix,
            catalog_version=catalog.version,
            fingerprint=hashlib.sha256(f"{link.id} {told.ref.id}".encode()).digest(),
            principal=f"pos:{link.id}",
            idempotency_key="",
            key_expires_at_ms=0,
            event_id=self._new_id("evt"),
            actor="pos",
            submission=None,
            answer=lambda _: "",
        )

        def unit(connection: Connection) -> bool:
            placement = stored.place_orders(connection, [new])[0]
            if placement.kind is PlacementKind.MENU_CHANGED:
                return False  # the next poll reads the new menu
            save_ref(connection, link.id, told.ref, placement.order_id, now_ms=order.updated_at_ms)
            return placement.kind is PlacementKind.PLACED

        taken = await self._database.write(unit)
        if not taken:
            await self._directory.refresh()
        return taken

    def _order(self, link: Link, venue: Venue, items: Mapping[str, Item], told: PosOrder) -> Order:
        now_ms = self._clock.now_ms()
        created_at_ms = told.created_at_ms or now_ms
        local = datetime.fromtimestamp(created_at_ms / 1000, UTC).astimezone(ZoneInfo(venue.timezone))
        checks = tuple(
            structs.replace(check, id=self._new_id("chk"), lines=tuple(known_line(line, items) for line in check.lines))
            for check in told.checks
        ) or (Check(id=self._new_id("chk"), totals=Totals(total_cents=told.total_cents or 0)),)
        total_cents = Totals.sum_of([check.totals for check in checks]).total_cents
        status = Status.OPEN if told.status is Status.UNKNOWN else told.status
        return Order(
            id=self._new_id("order"),
            venue_id=venue.id,
            order_type=told.order_type or (OrderType.DINE_IN if told.tables else OrderType.PICKUP),
            origin=Origin(system=f"pos:{link.connector}", order_id=told.ref.id),
            status=status,
            stage=told.stage,
            payment_status=told.payment_status or payment_status_of(checks) or PaymentStatus.UNPAID,
            raw_status=told.raw_status,
            timing=Timing(
                timezone=venue.timezone,
                business_date=local.date().isoformat(),
                closed_at_ms=None if status is Status.OPEN else now_ms,
            ),
            currency=venue.currency,
            checks=tuple(structs.replace(check, status=status) for check in checks),
            tables=told.tables,
            party_size=told.party_size,
            customer=told.customer,
            note=told.note,
            money_audit=MoneyAudit(computed_cents=total_cents, pos_cents=told.total_cents),
            created_at_ms=created_at_ms,
            updated_at_ms=now_ms,
        )

    async def _sweep(self, link: Link, connector: PosConnector, told: PosOrder) -> None:
        """Cancels a draft that carries our mark while the order it belongs to stands at the POS already.

        A lost answer can leave one behind: the vendor finished an earlier call after we had looked for it.
        """
        opened = await self._database.read(lambda connection: load_open_orders(connection, link.venue_id))
        order = next((entry for entry in opened if order_mark(entry.id) == told.mark), None)
        is_draft = told.stage is Stage.RECEIVED and len(connector.submission) > 1
        if order is None or not is_draft or Capability.CANCEL_ORDER not in connector.capabilities:
            return
        record = await self._database.read(lambda connection: load_order(connection, order.id))
        mine = next((state for state in record.injection if state.link_id == link.id), None) if record else None
        if mine is None or mine.ref is None or mine.ref == told.ref or mine.state is not Injection.CONFIRMED:
            return  # while it is on its way its own look-up decides
        request = OrderWrite(
            order=order,
            idempotency_key=str(as_uuid(self._new_id("dlv"))),
            mark=told.mark,
            ref=told.ref,
            reason=f"duplicate of {mine.ref.id}",
        )
        try:
            await connector.cancel_order(request)
        except ConnectorError as problem:
            _log.warning("order %s: duplicate draft %s stays: %s", order.id, told.ref.id, problem.message)
            return
        _log.warning("order %s: duplicate draft %s was cancelled at the POS", order.id, told.ref.id)

"""Compares our orders with what the POS has and with what channels last took, and names every difference."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from msgspec import Struct

from hub.contract.base import Capability, PosConnector
from hub.database.engine import Database
from hub.database.order_reads import known_refs, load_order_refs
from hub.database.pushes import last_told
from hub.errors import ConnectorError, InvalidRequest, VendorRejected
from hub.model.archive import Search
from hub.model.check import Check
from hub.model.order import Order, OrderRecord, PosOrder
from hub.model.status import Status
from hub.model.venue import Link, Venue
from hub.services.archive import Archive
from hub.services.comparison import combined
from hub.services.connections import Connections
from hub.services.directory import Directory

MOST_ORDERS = 2_000
_DAY_MS = 86_400_000
_LONGEST_DAYS = 46
_CLOCK_SKEW_MS = 120_000


class Difference(Struct, frozen=True, kw_only=True):
    """One thing on which the hub and somebody else disagree."""

    target: str
    """The connector that the other side is reached by."""
    order: str
    """Our order number, or the POS's own where we do not have the order."""
    field: str
    """`status`, `total`, `payments`, `lines`, `missing_here`, `missing_there` or `not_asked`."""
    here: str
    there: str


class Reconciliation(Struct, frozen=True, kw_only=True):
    """The result: how many orders were looked at, with whom they were compared, and the differences."""

    venue_slug: str
    from_ms: int
    to_ms: int
    orders: int
    compared: tuple[str, ...]
    differences: tuple[Difference, ...]


class Reconciler:
    """Reads only, here and at the POS."""

    def __init__(self, *, database: Database, directory: Directory, connections: Connections, archive: Archive) -> None:
        self._database = database
        self._directory = directory
        self._connections = connections
        self._archive = archive

    async def check(self, venue: Venue, from_ms: int, to_ms: int) -> Reconciliation:
        """Compares the orders made from `from_ms` to before `to_ms`.

        A tab nobody ordered on and a tab its POS was not told of count as missing there only when they are on their
        way or stuck. Raises `InvalidRequest` for a window that is empty, too long or holds too many orders, and
        `ConnectorError` when the POS does not answer.
        """
        if not from_ms < to_ms or to_ms - from_ms > _LONGEST_DAYS * _DAY_MS:
            raise InvalidRequest(f"to: must be after from, by at most {_LONGEST_DAYS} days", field="to")
        records = await self._records(venue, from_ms, to_ms)
        found: list[Difference] = []
        compared = []
        link = self._directory.link_of(venue.id)
        if link is not None:
            compared.append(link.label)
            found += await self._at_pos(link, records, from_ms, to_ms)
        for channel in self._directory.channels_of(venue.id):
            compared.append(channel.label)
            found += await self._at_channel(channel, records)
        return Reconciliation(
            venue_slug=venue.slug,
            from_ms=from_ms,
            to_ms=to_ms,
            orders=len(records),
            compared=tuple(compared),
            differences=tuple(found),
        )

    async def _records(self, venue: Venue, from_ms: int, to_ms: int) -> list[OrderRecord]:
        search = Search(venue_id=venue.id, created_from_ms=from_ms, created_before_ms=to_ms)
        records: list[OrderRecord] = []
        async for page in self._archive.pages(search):
            records += page.records
            if len(records) > MOST_ORDERS:
                raise InvalidRequest(f"to: more than {MOST_ORDERS} orders; take a shorter time", field="to")
        return records

    async def _at_pos(self, link: Link, records: Sequence[OrderRecord], from_ms: int, to_ms: int) -> list[Difference]:
        connector = self._connections.pos(link.id)
        listed: Sequence[PosOrder] = ()
        if Capability.LIST_ORDERS in connector.capabilities:
            listed = await connector.list_orders(since_ms=from_ms - _CLOCK_SKEW_MS)
        by_id = {order.ref.id: order for order in listed}
        found: list[Difference] = []
        for record in records:
            found += await self._one_at_pos(link, connector, record, by_id)
        theirs = [one for one in listed if one.created_at_ms is not None and from_ms <= one.created_at_ms < to_ms]
        ids = [one.ref.id for one in theirs]
        known = await self._database.read(lambda connection: known_refs(connection, link.id, "order", ids))
        for one in theirs:
            if one.ref.id not in known:
                found.append(_difference(link, one.number or one.ref.id, "missing_here", "nothing", one.raw_status))
        return found

    async def _one_at_pos(
        self, link: Link, connector: PosConnector, record: OrderRecord, listed: dict[str, PosOrder]
    ) -> list[Difference]:
        order = record.order
        refs = await self._database.read(lambda connection: load_order_refs(connection, link.id, order.id, "order"))
        if not refs:
            state = next((state for state in record.injection if state.link_id == link.id), None)
            if state is None or order.status is Status.VOID:
                return []
            return [_difference(link, order.number, "missing_there", str(order.status), state.state)]
        rounds = []
        for ref in refs:
            told = listed.get(ref.id)
            if told is None or told.summary_only:
                try:
                    told = await connector.fetch_order(ref)
                except VendorRejected as refused:
                    return [_difference(link, order.number, "missing_there", ref.id, refused.message)]
                except ConnectorError as problem:
                    return [_difference(link, order.number, "not_asked", ref.id, problem.message)]
            rounds.append(told)
        return [_difference(link, order.number, *one) for one in against_pos(order, combined(rounds))]

    async def _at_channel(self, link: Link, records: Sequence[OrderRecord]) -> list[Difference]:
        ids = [record.order.id for record in records]
        told: dict[str, Order | None] = {}
        for start in range(0, len(ids), 200):
            some = ids[start : start + 200]
            told |= await self._database.read(partial(last_told, link_id=link.id, order_ids=some))
        found = []
        for record in records:
            order = record.order
            if order.id not in told:
                continue
            theirs = told[order.id]
            if theirs is None:
                found.append(_difference(link, order.number, "missing_there", str(order.status), "told nothing yet"))
            else:
                found += [_difference(link, order.number, *one) for one in against_told(order, theirs)]
        return found


def against_told(ours: Order, theirs: Order) -> list[tuple[str, str, str]]:
    """Where an order and an earlier one of it differ: (field, here, there)."""
    pairs = (
        ("status", str(ours.status), str(theirs.status)),
        ("total", str(ours.totals.total_cents), str(theirs.totals.total_cents)),
        ("payments", str(_paid(ours.checks)), str(_paid(theirs.checks))),
        ("lines", _lines(ours.checks), _lines(theirs.checks)),
    )
    return [pair for pair in pairs if pair[1] != pair[2]]


def against_pos(ours: Order, theirs: PosOrder) -> list[tuple[str, str, str]]:
    """The same against what a POS tells; what it does not tell is not compared. Amounts are minor units."""
    return list(_against_pos(ours, theirs))


def _against_pos(ours: Order, theirs: PosOrder) -> Iterator[tuple[str, str, str]]:
    if theirs.status is not Status.UNKNOWN and theirs.status is not ours.status:
        yield "status", str(ours.status), f"{theirs.status} ({theirs.raw_status})"
    if Status.VOID in (ours.status, theirs.status):
        return
    if theirs.total_cents is not None and theirs.total_cents != ours.totals.total_cents:
        yield "total", str(ours.totals.total_cents), str(theirs.total_cents)
    if not theirs.summary_only and theirs.checks:
        if any(check.payments for check in theirs.checks) and _paid(ours.checks) != _paid(theirs.checks):
            yield "payments", str(_paid(ours.checks)), str(_paid(theirs.checks))
        by_name = any(not line.item_id for check in theirs.checks for line in check.lines)
        here, there = _lines(ours.checks, by_name=by_name), _lines(theirs.checks, by_name=by_name)
        if here != there:
            yield "lines", here, there


def _paid(checks: Iterable[Check]) -> int:
    return sum(check.paid_cents for check in checks if check.status is not Status.VOID)


def _lines(checks: Iterable[Check], *, by_name: bool = False) -> str:
    """`2 item_a, 1 item_b`, the same for the same lines in whatever order."""
    counted: Counter[str] = Counter()
    for check in checks:
        if check.status is not Status.VOID:
            for line in check.lines:
                counted[line.name if by_name else line.item_id or line.name] += line.quantity
    return ", ".join(f"{quantity} {name}" for name, quantity in sorted(counted.items()))


def _difference(link: Link, order: str, field: str, here: str, there: str) -> Difference:
    return Difference(target=link.connector, order=order, field=field, here=here, there=there)

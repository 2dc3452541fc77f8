"""Compares our orders with what the POS has and with what channels last took, and names every difference."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Literal

from msgspec import Struct

from hub.contract.ports import Clock
from hub.database.engine import Database
from hub.database.order_reads import known_refs, load_order_refs
from hub.database.pushes import Told, known_to, last_told
from hub.errors import InvalidRequest, VendorRejected
from hub.model.archive import Search
from hub.model.ids import order_mark
from hub.model.menu import Item
from hub.model.order import Order, OrderRecord, PosOrder
from hub.model.status import Injection, Status
from hub.model.venue import Link, Venue
from hub.services.archive import Archive
from hub.services.comparison import combined
from hub.services.connections import Connections
from hub.services.directory import Directory
from hub.services.order_differences import Triple, against_pos, against_told
from hub.services.pos_reading import NotAsked, PosReading
from hub.services.retention import DAY_MS, ORDERS_KEPT_DAYS

MOST_ORDERS = 2_000
_LONGEST_DAYS = 46
_IDS_PER_QUERY = 200
EVERY_ORDER = "*"
"""In place of an order's number: what is said holds for all of them."""
By = Literal["creation", "closing"]


class Difference(Struct, frozen=True, kw_only=True):
    """One thing on which the hub and somebody else disagree, or which nobody could be asked."""

    target: str
    """The label of the link that the other side is reached by."""
    order: str
    """Our order number, or the POS's own where we do not have the order, or `*`."""
    field: str
    """`status`, `total`, `payments`, `tables`, `lines`, `missing_here`, `missing_there` or `not_asked`."""
    here: str
    there: str


class Reconciliation(Struct, frozen=True, kw_only=True):
    """The result: how many orders were looked at, with whom they were compared, and the differences."""

    venue_slug: str
    from_ms: int
    to_ms: int
    by: By
    orders: int
    compared: tuple[str, ...]
    differences: tuple[Difference, ...]


class Reconciler:
    """Reads only, here and at the POS."""

    def __init__(
        self, database: Database, directory: Directory, connections: Connections, archive: Archive, clock: Clock
    ) -> None:
        self._database = database
        self._directory = directory
        self._connections = connections
        self._archive = archive
        self._clock = clock

    async def check(
        self, venue: Venue, from_ms: int, to_ms: int, *, by: By = "creation", patient: bool = False
    ) -> Reconciliation:
        """Compares the orders made (or closed) from `from_ms` to before `to_ms`.

        A tab nobody ordered on and a tab its POS was not told of count as missing there only when they are on their
        way or stuck. What could not be asked is a difference too. A `patient` caller waits where the vendor's limits
        say so; for others each order that needs a call of its own costs one of a few. Raises `InvalidRequest` for a
        window that is empty, too long, older than orders are kept, or holds too many orders.
        """
        if not from_ms < to_ms or to_ms - from_ms > _LONGEST_DAYS * DAY_MS:
            raise InvalidRequest(f"to: must be after from, by at most {_LONGEST_DAYS} days", field="to")
        if from_ms < self._clock.now_ms() - ORDERS_KEPT_DAYS * DAY_MS:
            words = f"orders are deleted {ORDERS_KEPT_DAYS} days after closing, so there is nothing to compare with"
            raise InvalidRequest(f"from: {words}", field="from")
        records = await self._records(venue, from_ms, to_ms, by)
        found: list[Difference] = []
        compared = []
        link = self._directory.link_of(venue.id)
        if link is not None:
            since_ms = min([from_ms, *(record.order.created_at_ms for record in records)])
            reading = PosReading(self._connections.pos(link.id), patient=patient)
            items = (await self._directory.catalog(venue.id)).items
            if await reading.list_since(since_ms):
                compared.append(link.label)
                found += await self._at_pos(link, reading, records, items)
                found += await self._only_there(link, reading, records, from_ms, to_ms)
            if reading.list_problem:
                found.append(
                    _difference(link, EVERY_ORDER, "not_asked", f"{len(records)} orders", reading.list_problem)
                )
        for channel in self._directory.channels_of(venue.id):
            compared.append(channel.label)
            found += await self._at_channel(channel, records)
        return Reconciliation(
            venue_slug=venue.slug,
            from_ms=from_ms,
            to_ms=to_ms,
            by=by,
            orders=len(records),
            compared=tuple(compared),
            differences=tuple(found),
        )

    async def _records(self, venue: Venue, from_ms: int, to_ms: int, by: By) -> list[OrderRecord]:
        if by == "creation":
            search = Search(venue_id=venue.id, created_from_ms=from_ms, created_before_ms=to_ms)
        else:
            search = Search(venue_id=venue.id, closed_from_ms=from_ms, closed_before_ms=to_ms, created_before_ms=to_ms)
        records: list[OrderRecord] = []
        async for page in self._archive.pages(search):
            records += page.records
            if len(records) > MOST_ORDERS:
                raise InvalidRequest(f"to: more than {MOST_ORDERS} orders; take a shorter time", field="to")
        return records

    async def _at_pos(
        self, link: Link, reading: PosReading, records: Sequence[OrderRecord], items: Mapping[str, Item]
    ) -> list[Difference]:
        found: list[Difference] = []
        for record in records:
            number = record.order.number
            found += [_difference(link, number, *one) for one in await self._one_at_pos(link, reading, record, items)]
        return found

    async def _one_at_pos(
        self, link: Link, reading: PosReading, record: OrderRecord, items: Mapping[str, Item]
    ) -> list[Triple]:
        order = record.order
        load = partial(load_order_refs, link_id=link.id, order_id=order.id, kind="order")
        refs = await self._database.read(load)
        if not refs:
            state = next((state for state in record.injection if state.link_id == link.id), None)
            if state is None or order.status is Status.VOID:
                return []
            if state.state is Injection.MANUAL_DONE:
                return [("not_asked", str(order.status), "entered by hand, so the hub does not know which one it is")]
            return [("missing_there", str(order.status), str(state.state))]
        rounds = []
        for ref in refs:
            try:
                rounds.append(await reading.fetch(ref))
            except VendorRejected as refused:
                return [("missing_there", ref.id, refused.message)]
            except NotAsked as reason:
                return [("not_asked", ref.id, str(reason))]
        known = [loss.path for state in record.injection if state.link_id == link.id for loss in state.losses]
        differing = against_pos(order, combined(rounds), items)
        # That a POS cannot hold several tables was said when it took the order; it is no news in every reconciliation.
        return [one for one in differing if not (one[0] == "tables" and "tables" in known)]

    async def _only_there(
        self, link: Link, reading: PosReading, records: Sequence[OrderRecord], from_ms: int, to_ms: int
    ) -> list[Difference]:
        """What the POS has and we do not. What the staff opened counts where the link picks that up."""
        theirs = [
            one
            for one in reading.listed.values()
            if (one.created_at_ms is None or from_ms <= one.created_at_ms < to_ms)
            and one.status is not Status.VOID
            and (one.mark or link.pos_orders == "pick_up")
        ]
        known = await self._database.read(
            lambda connection: known_refs(connection, link.id, "order", [one.ref.id for one in theirs])
        )
        ours = {order_mark(record.order.id): record.order.number for record in records}
        return [
            _difference(link, *_named(one, ours.get(one.mark) if one.mark else None))
            for one in theirs
            if one.ref.id not in known
        ]

    async def _at_channel(self, link: Link, records: Sequence[OrderRecord]) -> list[Difference]:
        found: list[Difference] = []
        for start in range(0, len(records), _IDS_PER_QUERY):
            some = records[start : start + _IDS_PER_QUERY]
            ids = [record.order.id for record in some]
            told = await self._database.read(partial(last_told, link_id=link.id, order_ids=ids))
            known = await self._database.read(partial(known_to, link_id=link.id, order_ids=ids))
            for record in some:
                differing = _told_of(record.order, told, known)
                found += [_difference(link, record.order.number, *one) for one in differing]
        return found


def _told_of(order: Order, told: Mapping[str, Told], known: set[str]) -> list[Triple]:
    """Where a channel's picture of an order is behind; an order that it was never to hear of is in neither."""
    theirs = told.get(order.id)
    if theirs is None:  # it opened the order itself, or was never to hear of it
        is_stale = order.id in known and order.status is not Status.OPEN
        return [("status", str(order.status), "open; it was told nothing since")] if is_stale else []
    if theirs.order is None:
        return [("missing_there", str(order.status), "told nothing yet")]
    differing = against_told(order, theirs.order)
    # Where guests sit a channel may have said itself; it is not told its own words.
    return differing if theirs.is_behind else [one for one in differing if one[0] != "tables"]


def _named(theirs: PosOrder, our_number: str | None) -> tuple[str, str, str, str]:
    """(order, field, here, there) of one that is only there: by our number where it carries our mark."""
    if our_number is None:
        return theirs.number or theirs.ref.id, "missing_here", "nothing", theirs.raw_status
    words = f"{theirs.ref.id} ({theirs.raw_status}) carries its mark"
    return our_number, "missing_here", "not known as this order's", words


def _difference(link: Link, order: str, field: str, here: str, there: str) -> Difference:
    return Difference(target=link.label, order=order, field=field, here=here, there=there)

"""The restaurant's orders at Desibits, searched for our mark and listed by day."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from connectors.desibits.client import DesibitsClient
from connectors.desibits.fields import moment_ms, rows
from connectors.desibits.mark import carries, find_mark
from connectors.desibits.read_order import (
    ReadSetup,
    is_cancelled,
    is_draft,
    order_from_desibits,
    order_id,
    shows_kitchen,
)
from connectors.desibits.settings import CONNECTOR
from connectors.desibits.venue_codes import VenueCodes
from connectors.desibits.wire import Row
from hub.contract.amounts import find_readable
from hub.contract.connector import LinkContext
from hub.contract.writes import LookUp, OrderWrite, Verdict
from hub.errors import VendorMalformed
from hub.model.order import PosOrder, VendorRef

_CLOCK_SKEW_MS: Final = 120_000
_LATE_NIGHT_MS: Final = 6 * 3_600_000  # what is ordered after midnight may count for the day before
_MOST_SINGLE_READS: Final = 25


class Marked(Struct, frozen=True):
    """Orders that carry a mark; `complete` when no order could have been overlooked."""

    rows: tuple[Row, ...]
    unmarked: tuple[Row, ...]
    complete: bool


class Orders:
    """Reads orders of one link."""

    def __init__(self, context: LinkContext, client: DesibitsClient, codes: VenueCodes) -> None:
        self._context = context
        self._client = client
        self._codes = codes

    async def read(self, row: Mapping[str, Any]) -> PosOrder:
        """A row in our words."""
        return order_from_desibits(row, await self._reading())

    async def read_if_possible(self, row: Mapping[str, Any]) -> PosOrder | None:
        """`read` after something was done: None when an amount cannot be, which does not undo it."""
        reading = await self._reading()
        return find_readable(lambda: order_from_desibits(row, reading), order_id(row))

    async def find(self, request: OrderWrite, *, since_ms: int, table_id: str) -> LookUp:
        """Looks for our mark in the orders of the days since then. Of several, the furthest counts, then the oldest."""
        found = await self.marked(request.mark, since_ms=since_ms - _LATE_NIGHT_MS, table_id=table_id)
        candidates = sorted(found.rows, key=self._rank)
        if not candidates and not _has_lines(request) and table_id:
            candidates = [row for row in found.unmarked if self._is_fresh_tab(row, since_ms)]
            if len(candidates) > 1:
                return LookUp(verdict=Verdict.AMBIGUOUS, candidates=tuple(map(_ref, candidates)))
        if candidates:
            first, *others = candidates
            order = await self.read_if_possible(first)
            return LookUp(verdict=Verdict.FOUND, ref=_ref(first), order=order, candidates=tuple(map(_ref, others)))
        return LookUp(verdict=Verdict.ABSENT if found.complete else Verdict.AMBIGUOUS)

    async def marked(
        self,
        mark: str,
        *,
        since_ms: int,
        status: str = "",
        table_id: str = "",
        single_reads: int = _MOST_SINGLE_READS,
    ) -> Marked:
        """The orders since then that carry a mark. So many rows that do not show their content are read singly."""
        listed, complete = await self._days(since_ms, status=status, table_id=table_id)
        marked: list[Row] = []
        unmarked: list[Row] = []
        hidden = 0
        for row in listed:
            shown = row
            if carries(row, mark) is None:
                hidden += 1
                if hidden > single_reads:
                    complete = False
                    continue
                shown = await self._client.fetch_order(order_id(row))
            (marked if carries(shown, mark) else unmarked).append(shown)
        return Marked(tuple(marked), tuple(unmarked), complete)

    async def list_all(self, *, since_ms: int) -> Sequence[PosOrder]:
        """The readable orders since then, except those that are cooked and whose row does not say how far they are.

        What the kitchen does is then only in the order itself. Raises `VendorMalformed` when the list cannot be read
        to its end.
        """
        listed, complete = await self._days(since_ms)
        if not complete:
            raise VendorMalformed("list_orders: the list cannot be read to its end", connector=CONNECTOR)
        reading = await self._reading()
        recent = [row for row in listed if not _is_older(row, since_ms) and order_id(row)]
        shown = [row for row in recent if shows_kitchen(row, self._context.tables)]
        found = [find_readable(partial(order_from_desibits, row, reading), order_id(row)) for row in shown]
        return [order for order in found if order is not None]

    async def _days(self, since_ms: int, *, status: str = "", table_id: str = "") -> tuple[list[Row], bool]:
        """The orders of every day since then: `date` is the restaurant's local date, or perhaps that of UTC."""
        found: dict[str, Row] = {}
        complete = True
        for day in self._dates(since_ms):
            listing = await self._client.fetch_orders(date=day, status=status, table_id=table_id)
            complete = complete and listing.complete
            found.update((order_id(row), row) for row in listing.rows)
        return list(found.values()), complete

    def _dates(self, since_ms: int) -> list[str]:
        zones = (UTC, ZoneInfo(self._context.timezone))
        until_ms = self._context.clock.now_ms() + _CLOCK_SKEW_MS
        first = min(datetime.fromtimestamp((since_ms - _CLOCK_SKEW_MS) // 1000, zone).date() for zone in zones)
        last = max(datetime.fromtimestamp(until_ms // 1000, zone).date() for zone in zones)
        return [(first + timedelta(days=day)).isoformat() for day in range((last - first).days + 1)]

    def _rank(self, row: Row) -> tuple[int, int, str]:
        """Beyond a draft first, then drafts, then cancelled ones; the oldest of each first."""
        tables = self._context.tables
        place = 2 if is_cancelled(row, tables) else 1 if is_draft(row, tables) else 0
        vendor_id = order_id(row)
        return place, int(vendor_id) if vendor_id.isdecimal() else 0, vendor_id

    def _is_fresh_tab(self, row: Row, since_ms: int) -> bool:
        """A draft on the table without lines and without anybody's mark: what we opened, if the notes were dropped."""
        return (
            is_draft(row, self._context.tables)
            and rows(row, "items", "order_items") == []
            and not find_mark(row)
            and not _is_older(row, since_ms)
        )

    async def _reading(self) -> ReadSetup:
        return ReadSetup(
            currency=self._context.currency,
            tables=self._context.tables,
            order_types=await self._codes.order_types(),
            table_names=await self._codes.table_names(),
        )


def _has_lines(request: OrderWrite) -> bool:
    return any(check.lines for check in request.order.checks)


def _ref(row: Mapping[str, Any]) -> VendorRef:
    return VendorRef(kind="order", id=order_id(row))


def _is_older(row: Mapping[str, Any], since_ms: int) -> bool:
    created_at_ms = moment_ms(row, "created_at")
    return created_at_ms is not None and created_at_ms < since_ms - _CLOCK_SKEW_MS

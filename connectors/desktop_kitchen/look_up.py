"""Finds orders again among those of the restaurant, with the few calls its lists allow."""

from collections.abc import Sequence
from typing import Final

from connectors.desktop_kitchen.client import LONGEST_LIST, DesktopKitchenClient
from connectors.desktop_kitchen.read_order import ReadSetup, header_of, order_from_desktop_kitchen
from connectors.desktop_kitchen.values import read_id, read_time_ms
from connectors.desktop_kitchen.wire import Row
from hub.contract.amounts import find_readable
from hub.contract.writes import LookUp, Verdict
from hub.errors import VendorRejected
from hub.model.order import PosOrder, VendorRef

_CLOCK_SKEW_MS: Final = 120_000
_MOST_SINGLE_READS: Final = 25
_OURS: Final = "pos"  # the source of every order that came through the API
_LEFT_THE_KITCHEN: Final = ("ready", "completed", "cancelled")


class OrderLists:
    """The kitchen's list, which has notes, and the restaurant's, which has neither notes nor pages."""

    def __init__(self, client: DesktopKitchenClient, setup: ReadSetup) -> None:
        self._client = client
        self._setup = setup

    async def find(self, mark: str, round_code: str, *, since_ms: int) -> LookUp:
        """The order with this mark (and round) among all that came since then, whatever became of it."""
        kitchen = await self._client.fetch_kitchen()
        found = [row for row in kitchen if _is_marked(row, mark, round_code)]
        if found:
            return self._look_up(found)
        rows, complete = await self._left_the_kitchen(since_ms, {read_id(row.get("id")) for row in kitchen})
        if len(rows) > _MOST_SINGLE_READS:
            return LookUp(verdict=Verdict.AMBIGUOUS)
        for row in rows:
            try:
                shown = await self._client.fetch_order(read_id(row.get("id")) or "")
            except VendorRejected:  # deleted since it was listed
                continue
            if _is_marked(shown, mark, round_code):
                found.append(shown)
        return self._look_up(found) if found or complete else LookUp(verdict=Verdict.AMBIGUOUS)

    async def all_since(self, since_ms: int) -> list[PosOrder]:
        """Every readable order since then; where the list is cut short, the newest hundred and all in the kitchen."""
        rows = {read_id(row.get("id")): row for row in await self._client.fetch_orders()}
        if not _reaches(tuple(rows.values()), since_ms):
            for row in await self._client.fetch_kitchen():
                rows.setdefault(read_id(row.get("id")), row)
        recent = {order_id: row for order_id, row in rows.items() if _is_since(row, since_ms)}
        found = [self._read(row, order_id or "") for order_id, row in recent.items()]
        return [order for order in found if order is not None]

    async def _left_the_kitchen(self, since_ms: int, seen: set[str | None]) -> tuple[list[Row], bool]:
        """Rows since then that the kitchen's list does not show, and whether that is surely all of them.

        The list may be cut at its hundred newest; then each status has a list of its own, with a hundred of its own.
        """
        newest = await self._client.fetch_orders()
        complete = _reaches(newest, since_ms)
        rows = list(newest)
        if not complete:
            lists = [await self._client.fetch_orders(status=status) for status in _LEFT_THE_KITCHEN]
            complete = all(_reaches(one, since_ms) for one in lists)
            rows += [row for one in lists for row in one]
        wanted: dict[str | None, Row] = {}
        for row in rows:
            order_id = read_id(row.get("id"))
            if order_id not in seen and _is_since(row, since_ms) and str(row.get("source") or _OURS) == _OURS:
                wanted.setdefault(order_id, row)
        return list(wanted.values()), complete

    def _look_up(self, rows: Sequence[Row]) -> LookUp:
        refs = tuple(VendorRef(kind="order", id=order_id) for row in rows if (order_id := read_id(row.get("id"))))
        if len(rows) == len(refs) == 1:
            return LookUp(verdict=Verdict.FOUND, ref=refs[0], order=self._read(rows[0], refs[0].id))
        if not rows:
            return LookUp(verdict=Verdict.ABSENT)
        return LookUp(verdict=Verdict.AMBIGUOUS, candidates=refs)

    def _read(self, row: Row, order_id: str) -> PosOrder | None:
        return find_readable(lambda: order_from_desktop_kitchen(row, self._setup), order_id)


def _is_marked(row: Row, mark: str, round_code: str) -> bool:
    header = header_of(row)
    return header is not None and (header.mark, header.round) == (mark, round_code)


def _reaches(newest_first: Sequence[Row], since_ms: int) -> bool:
    """Whether a list that gives its newest rows only goes back far enough."""
    if len(newest_first) < LONGEST_LIST:
        return True
    times = [time for row in newest_first if (time := read_time_ms(row.get("created_at"))) is not None]
    return bool(times) and min(times) < since_ms - _CLOCK_SKEW_MS


def _is_since(row: Row, since_ms: int) -> bool:
    created_ms = read_time_ms(row.get("created_at"))
    return created_ms is None or created_ms >= since_ms - _CLOCK_SKEW_MS

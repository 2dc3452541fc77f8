"""Finds orders, open and closed, and holds those that must not be deleted."""

from collections.abc import AsyncIterator
from functools import partial

from hub.contract.ports import Clock
from hub.database import archive as stored
from hub.database import retention
from hub.database.archive import Page, Position
from hub.database.engine import Database
from hub.errors import InvalidRequest, NotFound
from hub.model.archive import Hold, Search
from hub.model.ids import NewId
from hub.model.order import Order

LARGEST_PAGE = 200
_LONGEST_REASON = 500


class Archive:
    """All orders there are. A closed order is here for 45 × 24 hours, and longer under a hold."""

    def __init__(self, *, database: Database, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    async def page(self, search: Search, *, after: str = "", limit: int = 50) -> Page:
        """One page of a search, newest first; `after` is the `next` of the page before, as text.

        Raises `InvalidRequest` naming the field.
        """
        if not 1 <= limit <= LARGEST_PAGE:
            raise InvalidRequest(f"limit: must be from 1 to {LARGEST_PAGE}", field="limit")
        position = _position(after, search) if after else None
        return await self._database.read(partial(stored.load_page, search=search, after=position, limit=limit))

    async def pages(self, search: Search) -> AsyncIterator[Page]:
        """All pages of a search, one after another; memory holds one."""
        after = ""
        while True:
            page = await self.page(search, after=after, limit=LARGEST_PAGE)
            yield page
            if page.next is None:
                return
            after = str(page.next)

    async def find_hold(self, order_id: str) -> Hold | None:
        """The hold on an order; None when there is none."""
        return await self._database.read(partial(retention.find_hold, order_id=order_id))

    async def hold(self, order: Order, *, reason: str, actor: str) -> Hold:
        """Keeps an order, its calls and its history until it is released; holding again changes the reason.

        Raises `InvalidRequest` without a reason and `NotFound` when the order was deleted at this moment.
        """
        reason = reason.strip()
        if not 1 <= len(reason) <= _LONGEST_REASON:
            raise InvalidRequest(f"reason: must have 1 to {_LONGEST_REASON} characters", field="reason")
        hold = Hold(order_id=order.id, reason=reason, actor=actor, since_ms=self._clock.now_ms())
        save = partial(retention.save_hold, hold=hold, event_id=self._new_id("evt"))
        if not await self._database.write(save):
            raise NotFound(f"there is no order {order.number!r} any more")
        return await self.find_hold(order.id) or hold

    async def release(self, order: Order, *, actor: str) -> None:
        """Lets an order be deleted when its time is over. Raises `NotFound` when it is gone."""
        release = partial(
            retention.release_hold,
            order_id=order.id,
            actor=actor,
            now_ms=self._clock.now_ms(),
            event_id=self._new_id("evt"),
        )
        if not await self._database.write(release):
            raise NotFound(f"there is no order {order.number!r} any more")


def _position(text: str, search: Search) -> Position:
    position = stored.parse_position(text)
    if position is None or (position.closed_at_ms is not None) is not search.by_closing:
        raise InvalidRequest("cursor: use the nextCursor of a page of the same search", field="cursor")
    return position

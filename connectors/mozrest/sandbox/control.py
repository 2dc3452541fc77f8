"""The control calls of the Mozrest sandbox beside those every sandbox has; `app` documents them."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from connectors.mozrest.sandbox.guests import Guests
from connectors.mozrest.sandbox.log import UNREADABLE, Log
from connectors.mozrest.sandbox.orders import BY_POS_ID, Orders
from connectors.mozrest.sandbox.seed import Seed, Venue
from connectors.mozrest.sandbox.sync import Sync
from connectors.mozrest.sandbox.view import shown
from hub.contract.sandbox import Handler, json_answer
from hub.contract.sandbox.ledger import from_json, to_json

MOST_TIMES = 1000


class Unclear(Exception):
    """A control call that cannot be carried out; the status and the reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason


class Control:
    """Carries the control calls out; `seed` and `move` read and change the venues as they are now."""

    def __init__(
        self,
        seed: Callable[[], Seed],
        move: Callable[[Venue], None],
        orders: Orders,
        guests: Guests,
        sync: Sync,
        received: Log,
        sent: Log,
    ) -> None:
        self._seed = seed
        self._move = move
        self._orders = orders
        self._guests = guests
        self._sync = sync
        self._received = received
        self._sent = sent

    def routes(self) -> list[tuple[str, str, Handler]]:
        """(method, path below the control prefix, handler)."""
        table: list[tuple[str, str, Callable[[web.Request], Awaitable[Any]]]] = [
            ("GET", "view", self._view),
            ("GET", "received", self._log(self._received)),
            ("GET", "sent", self._log(self._sent)),
            ("PUT", "venues/{venueId}", self._move_venue),
            ("POST", "tables", self._tables),
            ("POST", "seat", self._seat),
            ("POST", "seat-again", self._seat_again),
            ("POST", "sync", self._pull),
            ("POST", "order", self._pull_one),
        ]
        return [(method, path, _answering(work)) for method, path, work in table]

    async def _view(self, request: web.Request) -> Any:
        wanted = {"venue": request.query.get("venue"), "id": request.query.get("id")}
        views = [shown(order, self._orders.history(order.number)) for order in self._orders.load()]
        return {
            "orders": [
                view
                for view in views
                if wanted["venue"] in (None, view["venue"]) and wanted["id"] in (None, view["id"])
            ],
            "tables": {venue.id: self._orders.tables(venue) for venue in self._seed().venues},
        }

    def _log(self, log: Log) -> Callable[[web.Request], Awaitable[Any]]:
        async def load(request: web.Request) -> Any:
            after = request.query.get("after", "0")
            if not after.isdecimal() or len(after) > 15:
                raise Unclear(400, "after is the number of a call")
            return log.load(after=int(after))

        return load

    async def _move_venue(self, request: web.Request) -> Any:
        venue = self._seed().find_venue(request.match_info["venueId"])
        if venue is None:
            raise Unclear(404, "there is no such venue")
        changes = await _wish(request)
        try:
            moved = msgspec.json.decode(to_json({**msgspec.to_builtins(venue), **changes, "id": venue.id}), type=Venue)
        except msgspec.DecodeError as problem:
            raise Unclear(400, str(problem)) from problem
        self._move(moved)
        return {"id": moved.id, "hub_url": moved.hub_url}

    async def _tables(self, request: web.Request) -> Any:
        return await self._sync.tables(self._venue(await _wish(request)), self._seed().settings)

    async def _seat(self, request: web.Request) -> Any:
        wish = await _wish(request)
        venue, times, reservation = self._venue(wish), _times(wish), wish.pop("reservation", None)
        order_id = wish.get("id")
        if order_id is not None and (not isinstance(order_id, str) or not order_id):
            raise Unclear(400, "id is a text, or null to send none")
        if order_id is not None and self._orders.find(venue, order_id) is not None:
            raise Unclear(409, f"order {order_id} is there already; seat-again sends it once more")
        return await self._guests.seat(venue, self._seed().settings, wish, reservation, times)

    async def _seat_again(self, request: web.Request) -> Any:
        wish = await _wish(request)
        venue, times, order_id = self._venue(wish), _times(wish), str(wish.pop("id", ""))
        order = self._orders.find(venue, order_id)
        if order is None or "request" not in order.record:
            raise Unclear(404, f"no guest was seated with the id {order_id!r}")
        return await self._guests.seat_again(venue, self._seed().settings, order, wish, times)

    async def _pull(self, request: web.Request) -> Any:
        wish = await _wish(request)
        query = {name: str(wish[name]) for name in ("status", "from", "until") if wish.get(name) is not None}
        return await self._sync.orders(self._venue(wish), self._seed().settings, query, each=wish.get("each") is True)

    async def _pull_one(self, request: web.Request) -> Any:
        wish = await _wish(request)
        venue, order_id = self._venue(wish), str(wish.get("id", ""))
        order = self._orders.find(venue, order_id) or self._orders.find(venue, order_id, BY_POS_ID)
        pos_id = order.record.get("posOrderId", order_id) if order else order_id
        if not pos_id:
            raise Unclear(400, "id is Mozrest's id of the order, or the POS's")
        return await self._sync.order(venue, self._seed().settings, pos_id)

    def _venue(self, wish: dict[str, Any]) -> Venue:
        """The venue named in a control call, taken out of it; the first one if none is named."""
        name = wish.pop("venue", None)
        venues = self._seed().venues
        found = next((venue for venue in venues if name in (None, venue.id)), None)
        if found is None:
            raise Unclear(404, f"there is no venue {name!r}")
        return found


async def _wish(request: web.Request) -> dict[str, Any]:
    raw = await request.read()
    try:
        wish = from_json(raw) if raw else {}
    except UNREADABLE as broken:
        raise Unclear(400, "the body is not JSON") from broken
    if not isinstance(wish, dict):
        raise Unclear(400, "the body is no JSON object")
    return wish


def _times(wish: dict[str, Any]) -> int:
    times = wish.pop("times", 1)
    if isinstance(times, bool) or not isinstance(times, int) or not 1 <= times <= MOST_TIMES:
        raise Unclear(400, f"times is a whole number from 1 to {MOST_TIMES}")
    return times


def _answering(work: Callable[[web.Request], Awaitable[Any]]) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        try:
            return json_answer(await work(request))
        except Unclear as unclear:
            return json_answer({"error": unclear.reason}, unclear.status)

    return handle

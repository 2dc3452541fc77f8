"""Lets a caller wait until an order's way into the POS has ended, well or badly."""

import asyncio

from hub.database.engine import Database
from hub.database.order_reads import load_order
from hub.model.order import OrderRecord
from hub.model.status import Injection
from hub.services.directory import Directory

_LOOK_AGAIN_SECONDS = 1.0  # another process may deliver, and nobody tells this one
_ON_THE_WAY = (Injection.QUEUED, Injection.SENDING, Injection.RETRYING, Injection.UNKNOWN)


class Outcomes:
    """Wakes those who wait for an order."""

    def __init__(self, database: Database, directory: Directory) -> None:
        self._database = database
        self._directory = directory
        self._waiting: dict[str, list[asyncio.Event]] = {}

    def settled(self, order_id: str) -> None:
        """Says that a delivery of this order ended."""
        for event in self._waiting.get(order_id, ()):
            event.set()

    async def wait(self, order_id: str, seconds: float) -> OrderRecord | None:
        """The order once nothing of it is on the way to the POS any more, or as it is after `seconds`."""
        event = asyncio.Event()
        self._waiting.setdefault(order_id, []).append(event)
        until = asyncio.get_running_loop().time() + seconds
        try:
            while True:
                event.clear()
                record = await self._database.read(lambda connection: load_order(connection, order_id))
                left = until - asyncio.get_running_loop().time()
                if record is None or left <= 0 or not self._is_on_the_way(record):
                    return record
                try:
                    await asyncio.wait_for(event.wait(), min(left, _LOOK_AGAIN_SECONDS))
                except TimeoutError:
                    continue
        finally:
            self._waiting[order_id].remove(event)
            if not self._waiting[order_id]:
                del self._waiting[order_id]

    def _is_on_the_way(self, record: OrderRecord) -> bool:
        """Whether the POS has still to answer; what channels are told of it holds nobody up."""
        channels = {link.id for link in self._directory.channels_of(record.order.venue_id)}
        return any(state.state in _ON_THE_WAY for state in record.injection if state.link_id not in channels)

"""Asks each POS regularly what became of its orders, and for its menu; jobs."""

import logging
from collections.abc import Awaitable, Callable

from hub.contract.ports import Clock
from hub.database import order_reads
from hub.database.engine import Database
from hub.errors import ConfigurationError, ConnectorError
from hub.services.catalog import Catalogs
from hub.services.connections import Connections
from hub.services.directory import Directory
from hub.services.sync import Sync, poll_quietly

_IDLE_POLLS_RARER = 4  # a POS without open orders of ours is asked for new ones a quarter as often
_log = logging.getLogger(__name__)


class Polling:
    """`claim_slot` says whether this process is the one to poll a link at this moment."""

    def __init__(
        self,
        *,
        database: Database,
        directory: Directory,
        connections: Connections,
        catalogs: Catalogs,
        sync: Sync,
        clock: Clock,
        claim_slot: Callable[[str, int], Awaitable[bool]],
    ) -> None:
        self._database = database
        self._directory = directory
        self._connections = connections
        self._catalogs = catalogs
        self._sync = sync
        self._clock = clock
        self._claim_slot = claim_slot
        self._last_polls: dict[str, int] = {}

    async def poll_orders(self) -> None:
        """Polls each link with open orders when its own interval is over, in one process only."""
        busy = set(await self._database.read(order_reads.links_with_open_orders))
        for link in self._directory.links():
            idle = link.id not in busy and link.pos_orders == "ignore"
            if link.role != "pos" or link.paused_cause or idle:
                continue
            seconds = self._connections.poll_seconds(link.id) * (1 if link.id in busy else _IDLE_POLLS_RARER)
            slot = int(self._clock.now_ms() // (seconds * 1000))
            if self._last_polls.get(link.id) == slot:
                continue
            self._last_polls[link.id] = slot
            if await self._claim_slot(f"poll:{link.id}", slot):
                await poll_quietly(self._sync, link.id)

    async def sync_menus(self) -> None:
        """Reads every POS's menu."""
        for link in (link for link in self._directory.links() if link.role == "pos"):
            try:
                if await self._catalogs.sync_if_possible(link.id):
                    _log.info("link %s: the menu changed", link.id)
            except (ConnectorError, ConfigurationError) as problem:
                _log.warning("link %s: the menu could not be read: %s", link.id, problem.message)

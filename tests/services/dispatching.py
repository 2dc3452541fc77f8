"""A dispatcher over a real database, with one scripted connector and a clock that moves when told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from msgspec import structs

from hub.contract.base import PosConnector
from hub.database import directory as stored
from hub.database import link_state
from hub.database.engine import Database
from hub.database.link_state import Breaker
from hub.database.order_reads import load_order
from hub.model.order import InjectionState, OrderRecord
from hub.services.directory import Directory
from hub.services.dispatch import Dispatcher
from tests.contract.ports import StandingClock
from tests.database.stored import LINK, counting_ids


class OneConnector:
    """The same connector for every link."""

    def __init__(self, connector: PosConnector | Exception, max_in_flight: int = 4) -> None:
        self._connector = connector
        self._max_in_flight = max_in_flight

    def connector(self, link_id: str) -> PosConnector:
        if isinstance(self._connector, Exception):
            raise self._connector
        return self._connector

    pos = connector

    def max_in_flight(self, link_id: str) -> int:
        return self._max_in_flight

    def total_timeout_seconds(self, link_id: str) -> float:
        return 30.0

    def settle_seconds(self, link_id: str) -> float:
        return 30.0


class Dispatching:
    """What a test looks at."""

    def __init__(
        self, database: Database, clock: StandingClock, connector: PosConnector | Exception, **values: Any
    ) -> None:
        self.database = database
        self.clock = clock
        self.settled: list[str] = []
        self._changed = asyncio.Event()
        self.dispatcher = Dispatcher(
            owner="me",
            database=database,
            directory=Directory(database),
            registry=None,  # type: ignore[arg-type]
            connections=OneConnector(connector, **values),  # type: ignore[arg-type]
            clock=clock,
            jitter=lambda: 1.0,
            new_id=counting_ids(),
            on_settled=self._note,
        )

    def _note(self, order_id: str) -> None:
        self.settled.append(order_id)
        self._changed.set()

    async def until_settled(self, count: int) -> None:
        """Waits until this many outcomes were recorded, and what they mean for the link too."""
        async with asyncio.timeout(30):
            while len(self.settled) < count:
                self._changed.clear()
                await self._changed.wait()
            for task in list(self.dispatcher._tasks):
                await asyncio.wait([task])

    async def record(self, order_id: str) -> OrderRecord:
        found = await self.database.read(lambda connection: load_order(connection, order_id))
        assert found is not None
        return found

    async def injection(self, order_id: str) -> InjectionState:
        return structs.replace((await self.record(order_id)).injection[0])

    async def breaker(self) -> Breaker | None:
        stored_breakers = await self.database.read(lambda c: link_state.load_breakers(c, LINK.id))
        return stored_breakers.get("submit_order")

    async def paused_cause(self) -> str:
        links = await self.database.read(stored.load_links)
        return links[0].paused_cause


@asynccontextmanager
async def dispatching(
    database: Database, clock: StandingClock, connector: PosConnector | Exception, **values: Any
) -> AsyncIterator[Dispatching]:
    """A running dispatcher, stopped at the end."""
    running = Dispatching(database, clock, connector, **values)
    running.dispatcher.start()
    try:
        yield running
    finally:
        await running.dispatcher.stop(grace_seconds=1)

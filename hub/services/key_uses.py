"""When each API key was last used: noted in memory, written now and then, never while a request waits."""

from hub.contract.ports import Clock
from hub.database import request_use as stored
from hub.database.engine import Database

WRITTEN_EVERY_SECONDS = 60


class KeyUses:
    """The keys used in this process since the last `save`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._used: dict[str, int] = {}

    def note(self, key_id: str) -> None:
        """A request came with this key."""
        self._used[key_id] = self._clock.now_ms()

    async def save(self) -> None:
        """Writes what was noted; for each key at most once a minute over all processes."""
        used, self._used = self._used, {}
        if not used:
            return
        at_least_ms = WRITTEN_EVERY_SECONDS * 1000
        await self._database.write(lambda connection: stored.save_key_uses(connection, used.items(), at_least_ms))

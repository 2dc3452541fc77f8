"""Tries everything a running hub needs, changing nothing; and brings paused links back when they work again."""

import logging

from msgspec import Struct

from hub.contract.connector import ProbeStep
from hub.database import directory as stored
from hub.database.engine import Database
from hub.errors import ConfigurationError, ConnectorError
from hub.model import causes
from hub.services.connections import Connections
from hub.services.directory import Directory

_RESUMED_BY_ITSELF = (causes.POS_AUTH_FAILED, causes.LINK_MISCONFIGURED)
_log = logging.getLogger(__name__)


class LinkReport(Struct, frozen=True, kw_only=True):
    """What a probe of one link found."""

    link_id: str
    venue_slug: str
    connector: str
    paused_cause: str
    steps: tuple[ProbeStep, ...]

    @property
    def ok(self) -> bool:
        """Whether everything the link needs works."""
        return not self.paused_cause and all(step.ok for step in self.steps)


class Health:
    """Probes links."""

    def __init__(self, *, database: Database, directory: Directory, connections: Connections) -> None:
        self._database = database
        self._directory = directory
        self._connections = connections

    async def probe(self, link_id: str) -> LinkReport:
        """Tries what a link needs; failures are steps of the report, never raised."""
        link = self._directory.link(link_id)
        try:
            steps = tuple(await self._connections.connector(link.id).probe())
        except (ConfigurationError, ConnectorError) as problem:
            steps = (
                ProbeStep(
                    name="settings" if isinstance(problem, ConfigurationError) else "vendor",
                    ok=False,
                    detail=problem.message,
                ),
            )
        return LinkReport(
            link_id=link.id,
            venue_slug=self._directory.venue(link.venue_id).slug,
            connector=link.connector,
            paused_cause=link.paused_cause,
            steps=steps,
        )

    async def resume_paused(self) -> list[str]:
        """Resumes links that were paused for a reason that is gone; returns them."""
        resumed = []
        for link in self._directory.links():
            if link.paused_cause not in _RESUMED_BY_ITSELF:
                continue
            report = await self.probe(link.id)
            if all(step.ok for step in report.steps):
                await self.set_paused(link.id, "")
                _log.warning("link %s works again and is resumed", link.id)
                resumed.append(link.id)
        return resumed

    async def set_paused(self, link_id: str, cause: str) -> None:
        """Pauses a link, or resumes it with an empty cause."""
        await self._database.write(lambda connection: stored.set_link_paused(connection, link_id, cause))
        await self._directory.refresh()

"""OAuth's parts put together, for a hub that has a public address."""

from collections.abc import Callable

import httpx

from hub.contract.ports import Clock
from hub.database.engine import Database
from hub.model.ids import NewId
from hub.services.directory import Directory
from hub.services.oauth.client_documents import ClientDocuments
from hub.services.oauth.clients import Clients
from hub.services.oauth.grants import Grants


class OAuth:
    """Who may ask, and what was allowed. `issuer` is the hub's public address, `resource` what tokens are for;
    `transport` fetches what strangers describe themselves with, so it must reach public addresses only."""

    def __init__(
        self,
        *,
        issuer: str,
        resource: str,
        database: Database,
        directory: Directory,
        clock: Clock,
        transport: httpx.AsyncBaseTransport,
        new_id: NewId,
        new_secret: Callable[[], str],
    ) -> None:
        self.issuer = issuer
        self.new_secret = new_secret
        self._documents = ClientDocuments(transport, clock)
        self.clients = Clients(database=database, documents=self._documents, clock=clock, new_id=new_id)
        self.grants = Grants(
            database=database,
            directory=directory,
            clock=clock,
            new_id=new_id,
            new_secret=new_secret,
            resource=resource,
        )

    async def close(self) -> None:
        """Lets go of connections."""
        await self._documents.close()

"""The programs that may ask somebody for leave: registered here, or described at their own address."""

from collections.abc import Sequence

from sqlalchemy import Connection

from hub.contract.ports import Clock
from hub.database import oauth as stored
from hub.database.engine import Database
from hub.model.ids import NewId
from hub.model.oauth import OAuthClient
from hub.services.oauth.client_documents import ClientDocuments, is_document_address
from hub.services.oauth.redirects import checked_redirects
from hub.services.oauth.refusal import OAuthRefused

_LONGEST_NAME = 100
_MOST_UNUSED = 1000


class Clients:
    """Registers programs and finds them."""

    def __init__(self, *, database: Database, documents: ClientDocuments, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._documents = documents
        self._clock = clock
        self._new_id = new_id

    async def register(self, name: str, redirect_uris: Sequence[str]) -> OAuthClient:
        """Registers a program (RFC 7591). When very many are registered and unused, the oldest of those go.

        Raises `OAuthRefused`.
        """
        shown = "".join(sign for sign in name if sign.isprintable()).strip()[:_LONGEST_NAME]
        client = OAuthClient(
            id=self._new_id("client"),
            name=shown or "an unnamed program",
            redirect_uris=checked_redirects(redirect_uris),
            created_at_ms=self._clock.now_ms(),
        )

        def unit(connection: Connection) -> None:
            stored.delete_oldest_unused(connection, _MOST_UNUSED - 1)
            stored.insert_client(connection, client)

        await self._database.write(unit)
        return client

    async def find(self, client_id: str) -> OAuthClient:
        """The program with this id. Raises `OAuthRefused`."""
        if is_document_address(client_id):
            return await self._documents.find(client_id)
        client = await self._database.read(lambda connection: stored.find_client(connection, client_id[:64]))
        if client is None:
            raise OAuthRefused("invalid_client", "client_id: nobody registered it here, or long ago; register again")
        return client

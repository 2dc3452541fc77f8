"""Tokens, encrypted, and learnt vendor ids, kept in the database and remembered in this process."""

from hub.contract.ports import Clock
from hub.database import link_state
from hub.database.engine import Database
from hub.errors import ConfigurationError
from hub.services.secrets import place_of_token
from hub.services.vault import Vault

_REMEMBERED_REFS = 50_000
_REMEMBERED_MS = 86_400_000  # then it is read again, and its use noted: guests must not be remembered for ever


class LinkStores:
    """Implements `TokenStore` and `RefStore` of the contract."""

    def __init__(self, database: Database, clock: Clock, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._tokens: dict[str, tuple[str, int]] = {}
        self._refs: dict[tuple[str, str, str], str] = {}
        self._refs_since_ms = 0

    async def load_token(self, link_id: str) -> tuple[str, int] | None:
        """The link's token and its end (ms since 1970)."""
        if link_id not in self._tokens:
            found = await self._database.read(lambda connection: link_state.load_token(connection, link_id))
            if found is None:
                return None
            try:
                token = self._vault.unseal(found[0], place=place_of_token(link_id))
            except ConfigurationError:
                return None  # the key is another one by now; the vendor gives a new token
            self._tokens[link_id] = (token, found[1])
        return self._tokens[link_id]

    async def save_token(self, link_id: str, token: str, expires_at_ms: int) -> None:
        """Replaces the link's token. A hub that has no key to encrypt it with remembers it in this process only."""
        self._tokens[link_id] = (token, expires_at_ms)
        if self._vault.can_seal:
            sealed = self._vault.seal(token, place=place_of_token(link_id))
            await self._database.write(
                lambda connection: link_state.save_token(connection, link_id, sealed, expires_at_ms)
            )

    async def load_ref(self, link_id: str, kind: str, key: str) -> str | None:
        """The vendor's id for a key, if it was learnt."""
        name, now_ms = (link_id, kind, key), self._clock.now_ms()
        self._forget_after_a_day(now_ms)
        if name not in self._refs:
            found = await self._database.read(lambda connection: link_state.load_ref(connection, *name))
            if found is None:
                return None
            await self._database.write(lambda connection: link_state.note_ref_used(connection, *name, now_ms))
            self._remember(name, found)
        return self._refs[name]

    async def save_ref(self, link_id: str, kind: str, key: str, vendor_id: str) -> None:
        """Learns a vendor's id."""
        name, now_ms = (link_id, kind, key), self._clock.now_ms()
        self._forget_after_a_day(now_ms)
        self._remember(name, vendor_id)
        await self._database.write(lambda connection: link_state.save_ref(connection, *name, vendor_id, now_ms))

    def _forget_after_a_day(self, now_ms: int) -> None:
        if now_ms - self._refs_since_ms >= _REMEMBERED_MS:
            self._refs.clear()
            self._refs_since_ms = now_ms

    def _remember(self, name: tuple[str, str, str], vendor_id: str) -> None:
        if len(self._refs) >= _REMEMBERED_REFS:
            self._refs.clear()
        self._refs[name] = vendor_id

"""What people allowed programs: codes that work once, short access tokens, refresh tokens that change with each use."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from hub.contract.ports import Clock
from hub.database import oauth as stored
from hub.database.directory import StoredKey
from hub.database.engine import Database
from hub.database.oauth import Grant, StoredToken, TokenKind
from hub.errors import Unauthorized
from hub.model.ids import NewId
from hub.services.directory import Directory
from hub.services.keys import allows, hash_of
from hub.services.oauth.refusal import OAuthRefused
from hub.services.requests import Caller

ACCESS_PREFIX, _REFRESH_PREFIX, _CODE_PREFIX = "oat_", "ort_", "oac_"
ACCESS_SECONDS = 3600
_CODE_MS = 60_000
_REFRESH_MS = 30 * 86_400_000
_DAY_MS = 86_400_000
_IDLE_CLIENT_MS = 90 * _DAY_MS


class CodeTerms(Struct, frozen=True, kw_only=True):
    """What a code can only be used with."""

    redirect_uri: str
    challenge: str


class Issued(Struct, frozen=True, kw_only=True):
    """New tokens, as they are shown once."""

    access_token: str
    refresh_token: str
    scopes: tuple[str, ...]


class Grants:
    """Gives and takes back leave. `resource` is the one address that tokens are for."""

    def __init__(
        self,
        *,
        database: Database,
        directory: Directory,
        clock: Clock,
        new_id: NewId,
        new_secret: Callable[[], str],
        resource: str,
    ) -> None:
        self._database = database
        self._directory = directory
        self._clock = clock
        self._new_id = new_id
        self._new_secret = new_secret
        self.resource = resource

    async def allow(
        self, *, client_id: str, key_hash: bytes, scopes: Sequence[str], redirect_uri: str, challenge: str
    ) -> str:
        """Lets a program act with a key; gives the code for it, which works for a minute."""
        now_ms = self._clock.now_ms()
        code = _CODE_PREFIX + self._new_secret()
        grant = Grant(
            id=self._new_id("grant"),
            client_id=client_id,
            key_hash=key_hash,
            scopes=tuple(scopes),
            resource=self.resource,
            created_at_ms=now_ms,
            expires_at_ms=now_ms + _CODE_MS,
        )
        terms = CodeTerms(redirect_uri=redirect_uri, challenge=challenge)
        token = StoredToken(
            hash=hash_of(code),
            kind=TokenKind.CODE,
            grant_id=grant.id,
            bound_to=msgspec.json.encode(terms).decode(),
            expires_at_ms=now_ms + _CODE_MS,
        )

        def unit(connection: Connection) -> None:
            stored.note_client_used(connection, client_id, now_ms)
            stored.insert_grant(connection, grant)
            stored.insert_token(connection, token)

        await self._database.write(unit)
        return code

    async def redeem(self, *, code: str, client_id: str, redirect_uri: str, verifier: str, resource: str) -> Issued:
        """Tokens for a code. Any attempt uses the code up; a second one ends what the first one gave.

        Raises `OAuthRefused`.
        """
        self._check_resource(resource)
        now_ms = self._clock.now_ms()

        def unit(connection: Connection) -> Issued | OAuthRefused:
            found = stored.find_token(connection, hash_of(code), TokenKind.CODE)
            if found is None or not _is_of(found[0], code):
                return _invalid("the code is not one of this hub's, or too old")
            token, grant = found
            if not stored.use_token(connection, token.hash, now_ms):
                stored.end_grant(connection, grant.id, now_ms)
                return _invalid("the code was used before; everything it gave has ended")
            terms = msgspec.json.decode(token.bound_to, type=CodeTerms)
            if token.expires_at_ms <= now_ms:
                return _invalid("the code is too old")
            if grant.client_id != client_id or terms.redirect_uri != redirect_uri:
                return _invalid("the code was given to another client_id or for another redirect_uri")
            if not hmac.compare_digest(challenge_of(verifier), terms.challenge):
                return _invalid("code_verifier: does not fit the code_challenge")
            return self._issue(connection, grant, now_ms)

        return _given(await self._database.write(unit))

    async def refresh(self, *, token: str, client_id: str, scopes: Sequence[str], resource: str) -> Issued:
        """New tokens for a refresh token, which ends with that. One that comes twice was stolen from somebody: it ends
        everything. `scopes` may ask for less. Raises `OAuthRefused`.
        """
        self._check_resource(resource)
        now_ms = self._clock.now_ms()

        def unit(connection: Connection) -> Issued | OAuthRefused:
            found = stored.find_token(connection, hash_of(token), TokenKind.REFRESH)
            if found is None or not _is_of(found[0], token) or found[0].expires_at_ms <= now_ms:
                return _invalid("the refresh token is not one of this hub's, or too old")
            old, grant = found
            if grant.client_id != client_id:
                return _invalid("the refresh token was given to another client_id")
            if not stored.use_token(connection, old.hash, now_ms):
                stored.end_grant(connection, grant.id, now_ms)
                return _invalid("the refresh token was used before; this connection has ended, connect again")
            return self._issue(connection, grant, now_ms, scopes)

        return _given(await self._database.write(unit))

    async def revoke(self, token: str, client_id: str) -> None:
        """Ends an access token, or with a refresh token the whole grant (RFC 7009). What is none is ended already."""
        now_ms = self._clock.now_ms()

        def unit(connection: Connection) -> None:
            for kind in (TokenKind.REFRESH, TokenKind.ACCESS):
                found = stored.find_token(connection, hash_of(token), kind)
                if found is None or found[1].client_id != client_id:
                    continue
                if kind is TokenKind.REFRESH:
                    stored.end_grant(connection, found[1].id, now_ms)
                else:
                    stored.delete_token(connection, found[0].hash)

        await self._database.write(unit)

    async def caller(self, token: str) -> Caller:
        """Who calls with an access token: its key, with what the program may of that. Raises `Unauthorized`."""
        found = await self._database.read(
            lambda connection: stored.find_token(connection, hash_of(token), TokenKind.ACCESS)
        )
        if found is None or not _is_of(found[0], token):
            raise Unauthorized(_UNKNOWN)
        kept, grant = found
        key = self._key(grant)
        if key is None or kept.expires_at_ms <= self._clock.now_ms() or grant.resource != self.resource:
            raise Unauthorized(_UNKNOWN)
        return Caller(
            id=key.id,
            name=key.name,
            scopes=frozenset(in_both(kept.bound_to.split(), key.scopes)),
            venue_id=key.venue_id,
            requests_per_minute=key.requests_per_minute,
            requests_per_day=key.requests_per_day,
        )

    async def forget(self) -> None:
        """Forgets what is over: tokens, grants, and programs that were registered and never used."""
        now_ms = self._clock.now_ms()
        await self._database.write(
            lambda connection: stored.delete_expired(
                connection, now_ms=now_ms, unused_since_ms=now_ms - _DAY_MS, idle_since_ms=now_ms - _IDLE_CLIENT_MS
            )
        )

    def _issue(
        self, connection: Connection, grant: Grant, now_ms: int, fewer: Sequence[str] = ()
    ) -> Issued | OAuthRefused:
        if self._key(grant) is None:
            return _invalid("the API key behind this connection has ended")
        if not all(allows(grant.scopes, scope) for scope in fewer):
            return OAuthRefused("invalid_scope", "scope: more than was allowed")
        scopes = tuple(fewer) or grant.scopes
        access, refresh = ACCESS_PREFIX + self._new_secret(), _REFRESH_PREFIX + self._new_secret()
        for text, kind, lasts_ms, bound_to in (
            (access, TokenKind.ACCESS, ACCESS_SECONDS * 1000, " ".join(scopes)),
            (refresh, TokenKind.REFRESH, _REFRESH_MS, ""),
        ):
            token = StoredToken(
                hash=hash_of(text), kind=kind, grant_id=grant.id, expires_at_ms=now_ms + lasts_ms, bound_to=bound_to
            )
            stored.insert_token(connection, token)
        stored.prolong_grant(connection, grant.id, now_ms + _REFRESH_MS)
        return Issued(access_token=access, refresh_token=refresh, scopes=scopes)

    def _key(self, grant: Grant) -> StoredKey | None:
        """The key behind a grant, unless either has ended; a key that got another value is another key."""
        return None if grant.ended_at_ms is not None else self._directory.key(grant.key_hash)

    def _check_resource(self, resource: str) -> None:
        if resource not in ("", self.resource):
            raise OAuthRefused("invalid_target", f"resource: tokens are only given for {self.resource}")


_UNKNOWN = "Missing or invalid access token"


def in_both(asked: Iterable[str], held: Iterable[str]) -> tuple[str, ...]:
    """The scopes that both lists cover: of `read` and `orders:read` the narrower one."""
    asked, held = list(asked), list(held)
    common = [scope for scope in asked if allows(held, scope)] + [scope for scope in held if allows(asked, scope)]
    return tuple(dict.fromkeys(common))


def challenge_of(verifier: str) -> str:
    """The code challenge of a verifier (RFC 7636, S256)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def is_access_token(text: str) -> bool:
    """Whether a bearer is one of ours rather than an API key."""
    return text.startswith(ACCESS_PREFIX)


def _is_of(token: StoredToken, text: str) -> bool:
    """Found by its hash, whose bytes a caller cannot choose; compared once more in constant time."""
    return hmac.compare_digest(token.hash, hash_of(text))


def _given(result: Issued | OAuthRefused) -> Issued:
    """What a unit of work gave: a refusal is raised only now, so that what it noted stays."""
    if isinstance(result, OAuthRefused):
        raise result
    return result


def _invalid(words: str) -> OAuthRefused:
    return OAuthRefused("invalid_grant", words)

"""API keys: made once, shown once, kept only as a hash; and what their scopes allow."""

import hashlib
import hmac
from collections.abc import Collection, Sequence
from enum import StrEnum

from msgspec import Struct
from sqlalchemy import Connection

from hub.database import directory as stored
from hub.database.directory import StoredKey
from hub.errors import Forbidden, InvalidRequest, NotFound, Unauthorized
from hub.model.ids import NewId
from hub.services.directory import Directory
from hub.services.requests import Caller

SCOPES = ("read", "write", "orders:read", "orders:write", "menu:read", "menu:write", "customers:read")
DEFAULT_SCOPES = ("read",)
HIGHEST_LIMIT = 1_000_000_000
_PREFIX = "sk_"
_LONGEST_NAME = 100


class Access(StrEnum):
    """The two levels of access that most keys need."""

    READ_ONLY = "read-only"
    READ_WRITE = "read-write"

    @property
    def scopes(self) -> Sequence[str]:
        """What a key of this level may do; `write` alone would not let it read."""
        return DEFAULT_SCOPES if self is Access.READ_ONLY else ("read", "write")


class OwnLimits(Struct, frozen=True):
    """How much a key may ask; None for what every key may."""

    per_minute: int | None = None
    per_day: int | None = None


NO_OWN_LIMITS = OwnLimits()


def hash_of(key: str) -> bytes:
    """The SHA-256 under which a key is kept."""
    return hashlib.sha256(key.encode()).digest()


def create_key(
    connection: Connection,
    *,
    name: str,
    scopes: Sequence[str],
    venue_id: str | None,
    secret: str,
    new_id: NewId,
    now_ms: int,
    limits: OwnLimits = NO_OWN_LIMITS,
) -> str:
    """Stores a key and returns it; it cannot be shown again. `secret` is its random part.

    Raises `InvalidRequest` for an unknown scope, a limit below one, or a name that is empty or taken.
    """
    if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable():
        raise InvalidRequest(f"name: must be 1 to {_LONGEST_NAME} visible characters", field="name")
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown:
        raise InvalidRequest(f"scopes: {unknown[0]!r} is none of {', '.join(SCOPES)}", field="scopes")
    for field, number in (("per_minute", limits.per_minute), ("per_day", limits.per_day)):
        if number is not None and not 1 <= number <= HIGHEST_LIMIT:
            raise InvalidRequest(f"{field}: must be from 1 to {HIGHEST_LIMIT}", field=field)
    if any(key.name == name for key in stored.load_keys(connection)):
        raise InvalidRequest(f"name: there is a key {name!r} already", field="name")
    key = _PREFIX + secret
    stored.insert_key(
        connection,
        StoredKey(
            id=new_id("key"),
            name=name,
            hash=hash_of(key),
            shown=key[:8] + "…",
            scopes=tuple(scopes) or DEFAULT_SCOPES,
            venue_id=venue_id,
            created_at_ms=now_ms,
            requests_per_minute=limits.per_minute,
            requests_per_day=limits.per_day,
        ),
    )
    return key


def revoke_key(connection: Connection, name: str, now_ms: int) -> None:
    """Ends a key at once. Raises `NotFound`."""
    if not stored.revoke_key(connection, name, now_ms):
        raise NotFound(f"there is no working key {name!r}")


def authenticate(directory: Directory, authorization: str | None, address: str) -> Caller:
    """Who calls, by the `Authorization` header; anonymous without one. Raises `Unauthorized`."""
    if authorization is None:
        return Caller(id=f"anonymous:{address}", name="web")
    kind, _, key = authorization.partition(" ")
    shown = hash_of(key.strip())
    found = directory.key(shown) if kind.lower() == "bearer" else None
    # Found by its hash, whose bytes a caller cannot choose; compared once more in constant time.
    if found is None or not hmac.compare_digest(found.hash, shown):
        raise Unauthorized("Missing or invalid API key")
    return _caller(found)


def find_owner(connection: Connection, name: str) -> Caller:
    """Who calls with the working key of this name. Raises `NotFound`."""
    for key in stored.load_keys(connection):
        if key.name == name and key.revoked_at_ms is None:
            return _caller(key)
    raise NotFound(f"there is no working key {name!r}")


def _caller(found: StoredKey) -> Caller:
    return Caller(
        id=found.id,
        name=found.name,
        scopes=frozenset(found.scopes),
        venue_id=found.venue_id,
        requests_per_minute=found.requests_per_minute,
        requests_per_day=found.requests_per_day,
    )


def allows(scopes: Collection[str], wanted: str) -> bool:
    """Whether the scopes cover `orders:read` and the like; `read` covers all that read, `write` all that write."""
    return wanted in scopes or wanted.rpartition(":")[2] in scopes


def require(caller: Caller, scope: str) -> None:
    """Raises `Unauthorized` for an anonymous caller and `Forbidden` for a key without the scope."""
    if caller.is_anonymous:
        raise Unauthorized("Missing or invalid API key")
    if not allows(caller.scopes, scope):
        raise Forbidden(f"Insufficient scope: this API key lacks {scope}", code="SCOPE_MISSING")


def require_venue(caller: Caller, venue_id: str) -> None:
    """Raises `Forbidden` when the caller's key is bound to another venue."""
    if caller.venue_id is not None and caller.venue_id != venue_id:
        raise Forbidden("No location access: this API key is bound to another location", code="LOCATION_FORBIDDEN")

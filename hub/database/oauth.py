"""Programs that may use the hub for somebody (OAuth clients), what they were allowed, and their tokens."""

from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Row, delete, insert, select, update

from hub.database.access_tables import oauth_clients, oauth_grants, oauth_tokens
from hub.model.oauth import OAuthClient


class TokenKind(StrEnum):
    """What a token is for."""

    CODE = "code"
    ACCESS = "access"
    REFRESH = "refresh"


class Grant(Struct, frozen=True, kw_only=True):
    """What somebody allowed a program."""

    id: str
    client_id: str
    key_hash: bytes
    scopes: tuple[str, ...]
    resource: str
    created_at_ms: int
    expires_at_ms: int
    ended_at_ms: int | None = None


class StoredToken(Struct, frozen=True, kw_only=True):
    """A code or token, as its hash. `bound_to` is what a code can only be used with, or an access token's
    scopes."""

    hash: bytes
    kind: TokenKind
    grant_id: str
    expires_at_ms: int
    bound_to: str = ""
    used_at_ms: int | None = None


def insert_client(connection: Connection, client: OAuthClient) -> None:
    """Stores a program."""
    row = {**msgspec.structs.asdict(client), "redirect_uris": msgspec.json.encode(client.redirect_uris).decode()}
    connection.execute(insert(oauth_clients), [row])


def find_client(connection: Connection, client_id: str) -> OAuthClient | None:
    """A registered program."""
    row = connection.execute(select(oauth_clients).where(oauth_clients.c.id == client_id)).one_or_none()
    if row is None:
        return None
    uris = msgspec.json.decode(row.redirect_uris, type=tuple[str, ...])
    return OAuthClient(
        id=row.id, name=row.name, redirect_uris=uris, created_at_ms=row.created_at_ms, used_at_ms=row.used_at_ms
    )


def note_client_used(connection: Connection, client_id: str, now_ms: int) -> None:
    """Keeps a program from being forgotten."""
    connection.execute(update(oauth_clients).where(oauth_clients.c.id == client_id).values(used_at_ms=now_ms))


def delete_oldest_unused(connection: Connection, keep: int) -> None:
    """Forgets programs that nobody ever allowed anything, the oldest first, until so many are left."""
    unused = select(oauth_clients.c.id).where(oauth_clients.c.used_at_ms.is_(None))
    newest = unused.order_by(oauth_clients.c.created_at_ms.desc(), oauth_clients.c.id.desc()).limit(keep)
    kept = list(connection.execute(newest).scalars())
    if len(kept) == keep:
        nobody = oauth_clients.c.used_at_ms.is_(None)
        connection.execute(delete(oauth_clients).where(nobody, oauth_clients.c.id.not_in(kept)))


def insert_grant(connection: Connection, grant: Grant) -> None:
    """Stores what somebody allowed."""
    row = {**msgspec.structs.asdict(grant), "scopes": " ".join(grant.scopes)}
    connection.execute(insert(oauth_grants), [row])


def insert_token(connection: Connection, token: StoredToken) -> None:
    """Stores a code or token."""
    connection.execute(insert(oauth_tokens), [msgspec.structs.asdict(token)])


def find_token(connection: Connection, token_hash: bytes, kind: TokenKind) -> tuple[StoredToken, Grant] | None:
    """A token of this kind with its grant, whether it still works or not."""
    token_columns = (oauth_tokens.c[name] for name in StoredToken.__struct_fields__)
    grant_columns = (oauth_grants.c[name].label(f"grant_{name}") for name in Grant.__struct_fields__ if name != "id")
    query = select(*token_columns, *grant_columns).join_from(oauth_tokens, oauth_grants)
    row = connection.execute(query.where(oauth_tokens.c.hash == token_hash, oauth_tokens.c.kind == kind)).one_or_none()
    return None if row is None else (_token(row), _grant(row))


def use_token(connection: Connection, token_hash: bytes, now_ms: int) -> bool:
    """Marks a code or token that works once as used; False when it was used already."""
    mine = (oauth_tokens.c.hash == token_hash, oauth_tokens.c.used_at_ms.is_(None))
    return connection.execute(update(oauth_tokens).where(*mine).values(used_at_ms=now_ms)).rowcount == 1


def prolong_grant(connection: Connection, grant_id: str, expires_at_ms: int) -> None:
    """Keeps a grant for as long as its newest token."""
    connection.execute(update(oauth_grants).where(oauth_grants.c.id == grant_id).values(expires_at_ms=expires_at_ms))


def end_grant(connection: Connection, grant_id: str, now_ms: int) -> None:
    """Ends a grant and with it all its tokens."""
    mine = (oauth_grants.c.id == grant_id, oauth_grants.c.ended_at_ms.is_(None))
    connection.execute(update(oauth_grants).where(*mine).values(ended_at_ms=now_ms))


def delete_token(connection: Connection, token_hash: bytes) -> None:
    """Ends one token."""
    connection.execute(delete(oauth_tokens).where(oauth_tokens.c.hash == token_hash))


def delete_expired(connection: Connection, *, now_ms: int, unused_since_ms: int, idle_since_ms: int) -> None:
    """Forgets tokens and grants whose time is over, and the programs nobody uses.

    Those are programs that were registered before `unused_since_ms` and never allowed anything, and those last allowed
    something before `idle_since_ms` with nothing left of it.
    """
    connection.execute(delete(oauth_tokens).where(oauth_tokens.c.expires_at_ms <= now_ms))
    with_tokens = select(oauth_tokens.c.grant_id)
    over = (oauth_grants.c.expires_at_ms <= now_ms, oauth_grants.c.id.not_in(with_tokens))
    connection.execute(delete(oauth_grants).where(*over))
    never = (oauth_clients.c.used_at_ms.is_(None), oauth_clients.c.created_at_ms <= unused_since_ms)
    connection.execute(delete(oauth_clients).where(*never))
    with_grants = select(oauth_grants.c.client_id)
    idle = (oauth_clients.c.used_at_ms <= idle_since_ms, oauth_clients.c.id.not_in(with_grants))
    connection.execute(delete(oauth_clients).where(*idle))


def _token(row: Row[Any]) -> StoredToken:
    return StoredToken(
        hash=bytes(row.hash),
        kind=TokenKind(row.kind),
        grant_id=row.grant_id,
        expires_at_ms=row.expires_at_ms,
        bound_to=row.bound_to,
        used_at_ms=row.used_at_ms,
    )


def _grant(row: Row[Any]) -> Grant:
    return Grant(
        id=row.grant_id,
        client_id=row.grant_client_id,
        key_hash=bytes(row.grant_key_hash),
        scopes=tuple(row.grant_scopes.split()),
        resource=row.grant_resource,
        created_at_ms=row.grant_created_at_ms,
        expires_at_ms=row.grant_expires_at_ms,
        ended_at_ms=row.grant_ended_at_ms,
    )

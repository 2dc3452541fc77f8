"""Encrypted secrets: those stored by name, tokens of links, what webhooks sign with. What is sealed stays so here."""

from enum import StrEnum

from msgspec import Struct
from sqlalchemy import Connection, delete, select, update

from hub.database.access_tables import secrets
from hub.database.directory import raise_revision
from hub.database.tables import link_tokens
from hub.database.upsert import upsert
from hub.database.webhook_tables import webhook_endpoints


class Sealed(StrEnum):
    """What the database keeps encrypted."""

    SECRET = "secret"
    TOKEN = "token"
    WEBHOOK = "webhook"
    WEBHOOK_BEFORE = "webhook_before"
    """What a webhook was signed with before the last change."""


# Whose it is, and the encrypted text.
_COLUMNS = {
    Sealed.SECRET: (secrets.c.name, secrets.c.sealed),
    Sealed.TOKEN: (link_tokens.c.link_id, link_tokens.c.token),
    Sealed.WEBHOOK: (webhook_endpoints.c.id, webhook_endpoints.c.secret),
    Sealed.WEBHOOK_BEFORE: (webhook_endpoints.c.id, webhook_endpoints.c.old_secret),
}


class StoredSecret(Struct, frozen=True):
    """A secret by name, encrypted, and when it was set."""

    name: str
    sealed: str
    updated_at_ms: int


def load_secrets(connection: Connection) -> list[StoredSecret]:
    """All secrets by name."""
    query = select(secrets.c.name, secrets.c.sealed, secrets.c.updated_at_ms).order_by(secrets.c.name)
    return [StoredSecret(*row) for row in connection.execute(query)]


def save_secret(connection: Connection, secret: StoredSecret) -> None:
    """Stores a secret, new or changed; every process takes it over."""
    row = {"name": secret.name, "sealed": secret.sealed, "updated_at_ms": secret.updated_at_ms}
    upsert(connection, secrets, [row], ["sealed", "updated_at_ms"])
    raise_revision(connection)


def delete_secret(connection: Connection, name: str) -> bool:
    """Forgets a secret; False when there is none."""
    found = connection.execute(delete(secrets).where(secrets.c.name == name)).rowcount == 1
    raise_revision(connection)
    return found


def load_sealed(connection: Connection, what: Sealed) -> list[tuple[str, str]]:
    """Whose each one is, and the encrypted text."""
    owner, sealed = _COLUMNS[what]
    return [(row[0], row[1]) for row in connection.execute(select(owner, sealed).where(sealed != "").order_by(owner))]


def replace_sealed(connection: Connection, what: Sealed, of: str, *, before: str, after: str) -> bool:
    """Replaces an encrypted text, unless it is another one by now."""
    owner, sealed = _COLUMNS[what]
    statement = update(owner.table).where(owner == of, sealed == before).values({sealed: after})
    return connection.execute(statement).rowcount == 1


def delete_sealed(connection: Connection, what: Sealed, of: str, *, before: str) -> bool:
    """Forgets an encrypted text, unless it is another one by now."""
    owner, sealed = _COLUMNS[what]
    return connection.execute(delete(owner.table).where(owner == of, sealed == before)).rowcount == 1

"""Venues, links, menus, sold-out lists and keys: what an operator declares, and the revision that tells it changed."""

from collections.abc import Collection
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from hub.database.prepared import Prepared
from hub.database.tables import api_keys, links, menus, revision, sold_out, venues
from hub.database.upsert import upsert
from hub.database.webhook_events import has_listener, note_catalog
from hub.model.menu import Menu
from hub.model.venue import Link, Venue


class MenuSource(StrEnum):
    """Where a venue's menu comes from; the sync with the POS leaves one from a file alone."""

    POS = "pos"
    FILE = "file"


class StoredVenue(Struct, frozen=True, kw_only=True):
    """A venue with the version its menu has now."""

    venue: Venue
    catalog_version: int


class StoredKey(Struct, frozen=True, kw_only=True):
    """An API key as kept: its hash, never the key. `venue_id` restricts it to one venue; without limits of its own
    it has the hub's."""

    id: str
    name: str
    hash: bytes
    shown: str
    scopes: tuple[str, ...]
    venue_id: str | None
    created_at_ms: int
    revoked_at_ms: int | None = None
    requests_per_minute: int | None = None
    requests_per_day: int | None = None


def load_revision(connection: Connection) -> int:
    """A number that grows with every change of what is in this module."""
    value: int = connection.execute(select(revision.c.value)).scalar_one()
    return value


def lock_directory(connection: Connection) -> None:
    """Makes other processes that lock it wait until this transaction ends (SQLite has one writer anyway)."""
    connection.execute(select(revision.c.value).with_for_update())


def raise_revision(connection: Connection) -> None:
    """Says to every process that something of what an operator declares has changed."""
    connection.execute(update(revision).values(value=revision.c.value + 1))


def load_venues(connection: Connection) -> list[StoredVenue]:
    """All venues by slug."""
    query = select(venues.c.document, venues.c.catalog_version).order_by(venues.c.slug)
    return [
        StoredVenue(venue=msgspec.json.decode(row.document, type=Venue), catalog_version=row.catalog_version)
        for row in connection.execute(query)
    ]


def save_venue(connection: Connection, venue: Venue) -> None:
    """Stores a venue, new or changed. Its orders and their numbering stay as they are."""
    row = {"slug": venue.slug, "order_prefix": venue.order_prefix, "document": _json(venue)}
    upsert(connection, venues, [{"id": venue.id, **row}], list(row))
    raise_revision(connection)


def load_menu(connection: Connection, venue_id: str) -> Menu:
    """A venue's menu; empty when none was loaded yet."""
    query = select(menus.c.document).where(menus.c.venue_id == venue_id)
    document = connection.execute(query).scalar_one_or_none()
    return Menu() if document is None else msgspec.json.decode(document, type=Menu)


def save_menu(connection: Connection, venue_id: str, menu: Menu, *, source: str, now_ms: int) -> None:
    """Replaces a venue's menu; orders priced with the old one are refused and priced again from here on."""
    before = _catalog_if_told(connection, venue_id)
    row = {"document": _json(menu), "source": source, "updated_at_ms": now_ms}
    upsert(connection, menus, [{"venue_id": venue_id, **row}], list(row))
    _raise_catalog_version(connection, venue_id)
    if before is not None:
        note_catalog(connection, venue_id, before, (menu, before[1]), now_ms)


def load_menu_source(connection: Connection, venue_id: str) -> str | None:
    """Where the venue's menu comes from (see `MenuSource`); None when it has none yet."""
    source: str | None = connection.execute(
        select(menus.c.source).where(menus.c.venue_id == venue_id)
    ).scalar_one_or_none()
    return source


def save_menu_source(connection: Connection, venue_id: str, source: str) -> None:
    """Changes where the menu comes from from now on; the menu there is stays until then."""
    connection.execute(update(menus).where(menus.c.venue_id == venue_id).values(source=source))
    raise_revision(connection)


def _raise_catalog_version(connection: Connection, venue_id: str) -> None:
    statement = update(venues).where(venues.c.id == venue_id).values(catalog_version=venues.c.catalog_version + 1)
    connection.execute(statement)
    raise_revision(connection)


def load_sold_out(connection: Connection, venue_id: str) -> frozenset[str]:
    """The items that the hub holds as sold out."""
    return frozenset(connection.execute(select(sold_out.c.item_id).where(sold_out.c.venue_id == venue_id)).scalars())


def save_sold_out(connection: Connection, venue_id: str, item_ids: Collection[str], now_ms: int) -> None:
    """Replaces a venue's sold-out list."""
    before = _catalog_if_told(connection, venue_id)
    connection.execute(delete(sold_out).where(sold_out.c.venue_id == venue_id))
    if item_ids:
        rows = [{"venue_id": venue_id, "item_id": item_id, "since_ms": now_ms} for item_id in sorted(item_ids)]
        connection.execute(insert(sold_out), rows)
    _raise_catalog_version(connection, venue_id)
    if before is not None:
        note_catalog(connection, venue_id, before, (before[0], frozenset(item_ids)), now_ms)


def set_sold_out(connection: Connection, venue_id: str, item_id: str, *, is_sold_out: bool, now_ms: int) -> bool:
    """Puts one item on the sold-out list or takes it off; False when it was so already."""
    mine = (sold_out.c.venue_id == venue_id, sold_out.c.item_id == item_id)
    before = _catalog_if_told(connection, venue_id)
    if is_sold_out:
        changed = upsert(connection, sold_out, [{"venue_id": venue_id, "item_id": item_id, "since_ms": now_ms}]) == 1
    else:
        changed = connection.execute(delete(sold_out).where(*mine)).rowcount == 1
    if changed:
        _raise_catalog_version(connection, venue_id)
    if changed and before is not None:
        menu, items = before
        after = items | {item_id} if is_sold_out else items - {item_id}
        note_catalog(connection, venue_id, before, (menu, after), now_ms)
    return changed


def _catalog_if_told(connection: Connection, venue_id: str) -> tuple[Menu, frozenset[str]] | None:
    """The menu and what is sold out, where partners are told of changes; None elsewhere."""
    if not has_listener(connection, venue_id):
        return None
    return load_menu(connection, venue_id), load_sold_out(connection, venue_id)


def load_links(connection: Connection) -> list[Link]:
    """All links, with the reason for those that are paused."""
    query = select(links.c.document, links.c.paused_cause).order_by(links.c.id)
    return [
        msgspec.structs.replace(msgspec.json.decode(row.document, type=Link), paused_cause=row.paused_cause)
        for row in connection.execute(query)
    ]


_CHANNELS = Prepared(
    lambda _: (
        select(links.c.document)
        .where(links.c.venue_id == bindparam("venue"), links.c.role == "channel")
        .order_by(links.c.id)
    ),
    "venue",
)


def load_channels(connection: Connection, venue_id: str) -> list[Link]:
    """The links of a venue to channels."""
    return [msgspec.json.decode(row.document, type=Link) for row in _CHANNELS.run(connection, venue_id)]


def save_link(connection: Connection, link: Link) -> None:
    """Stores a link, new or changed; whether it is paused stays as it is."""
    document = _json(msgspec.structs.replace(link, paused_cause=""))
    row = {"venue_id": link.venue_id, "role": link.role, "connector": link.connector, "document": document}
    upsert(connection, links, [{"id": link.id, **row}], list(row))
    raise_revision(connection)


def set_link_paused(connection: Connection, link_id: str, cause: str) -> bool:
    """Pauses a link with a cause, or resumes it with an empty one; False when there is no such link."""
    changed = connection.execute(update(links).where(links.c.id == link_id).values(paused_cause=cause)).rowcount
    raise_revision(connection)
    return changed == 1


def load_keys(connection: Connection) -> list[StoredKey]:
    """All API keys, revoked ones too."""
    return [_key(row) for row in connection.execute(select(api_keys).order_by(api_keys.c.created_at_ms))]


def find_key(connection: Connection, key_hash: bytes) -> StoredKey | None:
    """The key with this SHA-256, unless it was revoked."""
    query = select(api_keys).where(api_keys.c.hash == key_hash, api_keys.c.revoked_at_ms.is_(None))
    row = connection.execute(query).one_or_none()
    return None if row is None else _key(row)


def insert_key(connection: Connection, key: StoredKey) -> None:
    """Stores a new key."""
    connection.execute(insert(api_keys), [_key_row(key)])
    raise_revision(connection)


def save_key(connection: Connection, key: StoredKey) -> None:
    """Stores a changed key."""
    connection.execute(update(api_keys).where(api_keys.c.id == key.id).values(_key_row(key)))
    raise_revision(connection)


def revoke_key(connection: Connection, name: str, now_ms: int) -> bool:
    """Revokes the key of this name; False when there is none that works."""
    statement = (
        update(api_keys).where(api_keys.c.name == name, api_keys.c.revoked_at_ms.is_(None)).values(revoked_at_ms=now_ms)
    )
    changed = connection.execute(statement).rowcount
    raise_revision(connection)
    return changed == 1


def _key_row(key: StoredKey) -> dict[str, Any]:
    return {**msgspec.to_builtins(key, builtin_types=(bytes,)), "scopes": " ".join(key.scopes)}


def _key(row: Row[Any]) -> StoredKey:
    return StoredKey(
        id=row.id,
        name=row.name,
        hash=bytes(row.hash),
        shown=row.shown,
        scopes=tuple(row.scopes.split()),
        venue_id=row.venue_id,
        created_at_ms=row.created_at_ms,
        revoked_at_ms=row.revoked_at_ms,
        requests_per_minute=row.requests_per_minute,
        requests_per_day=row.requests_per_day,
    )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()

"""Venues, links, menus and keys held in memory, reloaded when any process changes them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from hub.database import directory as stored
from hub.database.engine import Database
from hub.database.secrets import load_secrets
from hub.errors import NotFound
from hub.model.check import Line
from hub.model.ids import parse_id
from hub.model.menu import Item, Menu
from hub.model.venue import Link, Venue
from hub.services.requests import ModifierChoice


@dataclass(frozen=True)
class Catalog:
    """A venue's menu at one version, with what is sold out."""

    version: int
    menu: Menu
    sold_out: frozenset[str]

    @cached_property
    def items(self) -> Mapping[str, Item]:
        """The items by id, retired ones too."""
        return {item.id: item for item in self.menu.items}

    @cached_property
    def orderable(self) -> Mapping[str, Item]:
        """The items that can be ordered now, by id."""
        return {item.id: item for item in self.menu.items if self.is_available(item)}

    @cached_property
    def portions(self) -> dict[tuple[str, tuple[ModifierChoice, ...]], Line]:
        """One of an item with these choices, as pricing found it before in this version of the menu."""
        return {}

    def is_available(self, item: Item) -> bool:
        """Whether an item can be ordered now: neither the POS nor the hub's own 86 list says no."""
        return item.available and not item.retired and item.id not in self.sold_out


@dataclass(frozen=True)
class _Snapshot:
    revision: int
    venues: Mapping[str, stored.StoredVenue]
    by_slug: Mapping[str, str]
    links: Mapping[str, Link]
    link_of_venue: Mapping[str, str]
    keys: Mapping[bytes, stored.StoredKey]
    sealed_secrets: Mapping[str, str]


_EMPTY = _Snapshot(-1, {}, {}, {}, {}, {}, {})


class Directory:
    """What an operator declared. `refresh` costs one small query when nothing changed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._snapshot = _EMPTY
        self._catalogs: dict[str, Catalog] = {}
        self._lock = asyncio.Lock()
        self._reading_menu = asyncio.Lock()

    async def refresh(self) -> bool:
        """Reloads if anything changed since; says whether it did."""
        async with self._lock:
            revision = await self._database.read(stored.load_revision)
            if revision == self._snapshot.revision:
                return False
            venues = await self._database.read(stored.load_venues)
            links = await self._database.read(stored.load_links)
            keys = await self._database.read(stored.load_keys)
            self._snapshot = _Snapshot(
                revision=revision,
                venues={entry.venue.id: entry for entry in venues},
                by_slug={entry.venue.slug: entry.venue.id for entry in venues},
                links={link.id: link for link in links},
                link_of_venue={link.venue_id: link.id for link in links if link.role == "pos"},
                keys={key.hash: key for key in keys if key.revoked_at_ms is None},
                sealed_secrets={secret.name: secret.sealed for secret in await self._database.read(load_secrets)},
            )
            return True

    def venues(self) -> list[Venue]:
        """All venues by slug."""
        return [entry.venue for entry in self._snapshot.venues.values()]

    def venue(self, slug_or_id: str) -> Venue:
        """A venue by slug, `loc_…` id or UUID; raises `NotFound`."""
        snapshot = self._snapshot
        venue_id = snapshot.by_slug.get(slug_or_id) or parse_id("loc", slug_or_id) or slug_or_id
        entry = snapshot.venues.get(venue_id)
        if entry is None:
            raise NotFound(f"there is no store {slug_or_id!r}")
        return entry.venue

    async def catalog(self, venue_id: str) -> Catalog:
        """A venue's menu as it is now."""
        known = self._known_catalog(venue_id)
        if known is not None:
            return known
        async with self._reading_menu:  # a menu that changed is read once, not by every request that needs it
            known = self._known_catalog(venue_id)
            if known is not None:
                return known
            version = self._snapshot.venues[venue_id].catalog_version
            menu = await self._database.read(lambda connection: stored.load_menu(connection, venue_id))
            sold_out = await self._database.read(lambda connection: stored.load_sold_out(connection, venue_id))
            catalog = self._catalogs[venue_id] = Catalog(version, menu, sold_out)
            return catalog

    def _known_catalog(self, venue_id: str) -> Catalog | None:
        catalog = self._catalogs.get(venue_id)
        is_current = catalog is not None and catalog.version == self._snapshot.venues[venue_id].catalog_version
        return catalog if is_current else None

    def links(self) -> list[Link]:
        """All links."""
        return list(self._snapshot.links.values())

    def link(self, link_id: str) -> Link:
        """A link by id, or by its venue's slug; raises `NotFound`."""
        snapshot = self._snapshot
        by_venue = snapshot.link_of_venue.get(snapshot.by_slug.get(link_id, ""), "")
        link = snapshot.links.get(link_id) or snapshot.links.get(by_venue)
        if link is None:
            raise NotFound(f"there is no link {link_id!r}")
        return link

    def link_of(self, venue_id: str) -> Link | None:
        """The link through which a venue's POS is told things; None without one, and for a venue to practise at."""
        link_id = self._snapshot.link_of_venue.get(venue_id)
        if link_id is None or self._snapshot.venues[venue_id].venue.policies.practice:
            return None
        return self._snapshot.links[link_id]

    def channels_of(self, venue_id: str) -> list[Link]:
        """The links of a venue to channels."""
        return [link for link in self._snapshot.links.values() if link.venue_id == venue_id and link.role == "channel"]

    def key(self, key_hash: bytes) -> stored.StoredKey | None:
        """The working API key with this SHA-256."""
        return self._snapshot.keys.get(key_hash)

    def sealed_secrets(self) -> Mapping[str, str]:
        """The encrypted secrets by name."""
        return self._snapshot.sealed_secrets

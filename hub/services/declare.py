"""Makes the hub as a declaration says, all of it or nothing; what already is that way is not written again."""

from collections.abc import Callable, Iterator
from enum import StrEnum

from msgspec import Struct, structs
from sqlalchemy import Connection

from hub.database import directory as stored
from hub.database import redeclare
from hub.database.directory import MenuSource, StoredKey
from hub.errors import ConfigurationError
from hub.model.ids import NewId
from hub.model.menu import Menu
from hub.model.venue import Link, Venue
from hub.services.catalog import with_retired
from hub.services.declaration import Declaration, DeclaredKey, DeclaredVenue
from hub.services.keys import create_key, hash_of
from hub.services.tables import replace_declared_tables


class Outcome(StrEnum):
    """What happened to a declared thing."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    LEFT = "left alone"
    """It is in the hub, and the file does not speak of it or may not change it."""


class Change(Struct, frozen=True, kw_only=True):
    """One line of the report. `new_key` is a key that was just made: show it now, nobody can later."""

    outcome: Outcome
    thing: str
    detail: str = ""
    new_key: str = ""


def declare(
    connection: Connection, declaration: Declaration, *, now_ms: int, new_id: NewId, new_secret: Callable[[], str]
) -> list[Change]:
    """Stores what differs, in this one transaction, and says what happened to each thing.

    `new_secret` makes the random part of a key. Raises `ConfigurationError` naming the place in the file when the
    declaration cannot stand beside what is in the hub; then nothing may be committed.
    """
    stored.lock_directory(connection)
    return list(_Declaring(connection, now_ms, new_id, new_secret).all(declaration))


class _Declaring:
    """One run, in one transaction."""

    def __init__(self, connection: Connection, now_ms: int, new_id: NewId, new_secret: Callable[[], str]) -> None:
        self._connection = connection
        self._now_ms = now_ms
        self._new_id = new_id
        self._new_secret = new_secret
        self._venues = {entry.venue.id: entry.venue for entry in stored.load_venues(connection)}
        self._links = {link.id: link for link in stored.load_links(connection)}

    def all(self, declaration: Declaration) -> Iterator[Change]:
        for declared in declaration.venues:
            yield self._venue(declared)
            for link in declared.links:
                yield self._link(declared, link)
            yield from self._tables(declared)
            yield from self._menu(declared)
        for key in declaration.keys:
            yield self._key(key)
        yield from self._left(declaration)

    def _venue(self, declared: DeclaredVenue) -> Change:
        after = declared.venue
        before = self._venues.get(after.id)
        if before is None or before.order_prefix != after.order_prefix:
            self._refuse_taken_prefix(declared)
        if after != before:
            stored.save_venue(self._connection, after)
            self._venues[after.id] = after
        return _change(f"venue {after.slug}", before, after)

    def _refuse_taken_prefix(self, declared: DeclaredVenue) -> None:
        venue, place = declared.venue, declared.place.at("order_prefix")
        for other in self._venues.values():
            if other.id != venue.id and other.order_prefix == venue.order_prefix:
                raise ConfigurationError(f"{place}: {venue.order_prefix!r} belongs to venue {other.slug}")
        if redeclare.has_orders_numbered(self._connection, venue.order_prefix, besides_venue_id=venue.id):
            raise ConfigurationError(f"{place}: another venue has orders numbered {venue.order_prefix}-…")

    def _link(self, declared: DeclaredVenue, after: Link) -> Change:
        before = self._links.get(after.id)
        if before is not None:
            after = structs.replace(after, paused_cause=before.paused_cause)
        if before is not None and before.connector != after.connector:
            self._refuse_orders_in_flight(declared, before, after)
            redeclare.forget_vendor(self._connection, after.id)
        elif before is not None and before.config != after.config:
            redeclare.forget_account(self._connection, after.id)
        if after != before:
            stored.save_link(self._connection, after)
        return _change(f"link {declared.venue.slug} to {after.connector}", before, after)

    def _refuse_orders_in_flight(self, declared: DeclaredVenue, before: Link, after: Link) -> None:
        numbers = redeclare.load_numbers_in_flight(self._connection, before.venue_id, before.id)
        if numbers:
            raise ConfigurationError(
                f"{declared.place.at('link', 'connector')}: venue {declared.venue.slug} has orders that are not "
                f"finished ({', '.join(numbers)}); close or cancel them before it moves from {before.connector} "
                f"to {after.connector}"
            )

    def _tables(self, declared: DeclaredVenue) -> Iterator[Change]:
        changed = replace_declared_tables(self._connection, declared.venue.id, declared.tables)
        if changed or declared.tables:
            outcome = Outcome.CHANGED if changed else Outcome.UNCHANGED
            thing, detail = f"tables {declared.venue.slug}", f"{len(declared.tables)} declared"
            yield Change(outcome=outcome, thing=thing, detail=detail)

    def _menu(self, declared: DeclaredVenue) -> Iterator[Change]:
        venue_id, thing = declared.venue.id, f"menu {declared.venue.slug}"
        source = stored.load_menu_source(self._connection, venue_id)
        if declared.menu is not None:
            yield self._menu_from_file(declared.menu, venue_id, thing, source)
        elif source == MenuSource.FILE and declared.link is not None:
            stored.save_menu_source(self._connection, venue_id, MenuSource.POS)
            yield Change(outcome=Outcome.CHANGED, thing=thing, detail="from now on the POS's")
        elif source == MenuSource.FILE:
            yield Change(outcome=Outcome.LEFT, thing=thing, detail="not in this file")

    def _menu_from_file(self, menu: Menu, venue_id: str, thing: str, source: str | None) -> Change:
        before = stored.load_menu(self._connection, venue_id)
        after = with_retired(before, menu)
        outcome = Outcome.UNCHANGED
        if source != MenuSource.FILE or after != before:
            stored.save_menu(self._connection, venue_id, after, source=MenuSource.FILE, now_ms=self._now_ms)
            outcome = Outcome.CREATED if source is None else Outcome.CHANGED
        return Change(outcome=outcome, thing=thing, detail=f"{len(menu.items)} items")

    def _key(self, declared: DeclaredKey) -> Change:
        thing = f"key {declared.name}"
        keys = {key.name: key for key in stored.load_keys(self._connection)}
        venue_id = self._venue_of(declared)
        self._refuse_taken_secret(declared, keys)
        before = keys.get(declared.name)
        if before is None:
            key = self._create_key(declared, venue_id)
            return Change(outcome=Outcome.CREATED, thing=thing, new_key="" if declared.secret else key)
        if before.revoked_at_ms is not None:
            return Change(outcome=Outcome.LEFT, thing=thing, detail="it was revoked; a new one needs another name")
        after = structs.replace(
            before,
            scopes=declared.scopes,
            venue_id=venue_id,
            requests_per_minute=declared.limits.per_minute,
            requests_per_day=declared.limits.per_day,
        )
        if declared.secret is not None:
            after = structs.replace(after, hash=hash_of(declared.secret), shown=declared.secret[:8] + "…")
        if after != before:
            stored.save_key(self._connection, after)
        return _change(thing, before, after)

    def _create_key(self, declared: DeclaredKey, venue_id: str | None) -> str:
        return create_key(
            self._connection,
            name=declared.name,
            scopes=declared.scopes,
            venue_id=venue_id,
            secret=self._new_secret() if declared.secret is None else declared.secret.removeprefix("sk_"),
            new_id=self._new_id,
            now_ms=self._now_ms,
            limits=declared.limits,
        )

    def _venue_of(self, declared: DeclaredKey) -> str | None:
        if declared.venue_slug is None:
            return None
        for venue in self._venues.values():
            if venue.slug == declared.venue_slug:
                return venue.id
        raise ConfigurationError(
            f"{declared.place.at('venue')}: there is no venue {declared.venue_slug!r} in this file or in the hub"
        )

    def _refuse_taken_secret(self, declared: DeclaredKey, keys: dict[str, StoredKey]) -> None:
        taken = {key.hash: name for name, key in keys.items() if name != declared.name}
        if declared.secret is not None and hash_of(declared.secret) in taken:
            other = taken[hash_of(declared.secret)]
            raise ConfigurationError(f"{declared.place.at('secret')}: this is the key {other!r} already")

    def _left(self, declaration: Declaration) -> Iterator[Change]:
        venues = {declared.venue.id for declared in declaration.venues}
        linked = {link.id for declared in declaration.venues for link in declared.links}
        names = {key.name for key in declaration.keys}
        left = [f"venue {venue.slug}" for venue in self._venues.values() if venue.id not in venues]
        for link in self._links.values():
            if link.venue_id in venues and link.id not in linked:
                left.append(f"link {self._venues[link.venue_id].slug} to {link.connector}")
        for key in stored.load_keys(self._connection):
            if key.name not in names and key.revoked_at_ms is None:
                left.append(f"key {key.name}")
        for thing in left:
            yield Change(outcome=Outcome.LEFT, thing=thing, detail="not in this file")


def _change(thing: str, before: Venue | Link | StoredKey | None, after: Venue | Link | StoredKey) -> Change:
    """Whether a thing is new, as it was, or which of its fields changed."""
    if before is None:
        return Change(outcome=Outcome.CREATED, thing=thing)
    names = [name for name in after.__struct_fields__ if getattr(before, name) != getattr(after, name)]
    outcome = Outcome.CHANGED if names else Outcome.UNCHANGED
    words = ("secret" if name == "hash" else name for name in names if name != "shown")
    return Change(outcome=outcome, thing=thing, detail=", ".join(words))

"""Guests by venue: recognised by phone number or e-mail address, searched by name, changed under a venue's lock."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct, structs
from sqlalchemy import Connection, Row, delete, insert, select, update

from hub.database.guest_tables import guest_books, guest_keys, guests, segment_members
from hub.database.upsert import upsert
from hub.model.guest import Guest, Identity, search_text
from hub.model.order import Customer

_EXAMINED_AT_MOST = 20_000
"""Guests one page looks at; a search that finds few goes on from there with the page's cursor."""
_COLUMNS = [guests.c[name] for name in Guest.__struct_fields__]
_NAMES_PER_QUERY = 500


class GuestPage(Struct, frozen=True):
    """One page, newest first. `next` is the id behind which the next begins, empty at the end; a page may be short
    and still not be the last."""

    guests: Sequence[Guest]
    next: str


def lock_guest_book(connection: Connection, venue_id: str) -> tuple[int, str]:
    """Makes others that change this venue's guests and bookings wait until this transaction ends; returns how far
    its orders were read. Orders and tabs do not wait."""
    row = {"venue_id": venue_id, "read_until_ms": 0, "read_until_id": ""}
    upsert(connection, guest_books, [row])
    query = select(guest_books.c.read_until_ms, guest_books.c.read_until_id)
    found = connection.execute(query.where(guest_books.c.venue_id == venue_id).with_for_update()).one()
    return found.read_until_ms, found.read_until_id


def find_guest(connection: Connection, guest_id: str) -> Guest | None:
    """A guest by id; None when there is none (any more)."""
    row = connection.execute(select(*_COLUMNS).where(guests.c.id == guest_id)).one_or_none()
    return None if row is None else _guest(row)


def load_guests(connection: Connection, guest_ids: Iterable[str]) -> dict[str, Guest]:
    """Those of these guests that are there, by id."""
    wanted, found = sorted(set(guest_ids)), {}
    for start in range(0, len(wanted), _NAMES_PER_QUERY):
        query = select(*_COLUMNS).where(guests.c.id.in_(wanted[start : start + _NAMES_PER_QUERY]))
        found.update({row.id: _guest(row) for row in connection.execute(query)})
    return found


def load_page(
    connection: Connection,
    *,
    venue_id: str = "",
    words: Sequence[str] = (),
    segment: str = "",
    after: str = "",
    limit: int,
) -> GuestPage:
    """The next page of a venue's guests (of all venues' when empty) that have all these words, as
    `model.guest.search_words` makes them; of one segment if named."""
    seen = select(guests.c.id, guests.c.search_text)
    if venue_id:
        seen = seen.where(guests.c.venue_id == venue_id)
    if segment:
        member = segment_members.c
        among = select(member.guest_id).where(member.segment == segment)
        among = among.where(member.venue_id == venue_id) if venue_id else among
        seen = seen.where(guests.c.id.in_(among))
    if after:
        seen = seen.where(guests.c.id < after)
    slice_ = seen.order_by(guests.c.id.desc()).limit(_EXAMINED_AT_MOST).subquery()
    query = select(slice_.c.id)
    for word in words:
        query = query.where(slice_.c.search_text.contains(word, autoescape=True))
    ids = list(connection.execute(query.order_by(slice_.c.id.desc()).limit(limit + 1)).scalars())
    found = load_guests(connection, ids[:limit])
    page = [found[guest_id] for guest_id in ids[:limit] if guest_id in found]
    if len(ids) > limit:
        return GuestPage(page, ids[limit - 1])
    examined = list(connection.execute(select(slice_.c.id).order_by(slice_.c.id.desc())).scalars()) if words else []
    return GuestPage(page, examined[-1] if len(examined) == _EXAMINED_AT_MOST else "")


def same_people(connection: Connection, guest_ids: Sequence[str]) -> dict[str, list[Guest]]:
    """For each guest, themselves and the guests of other venues with the same phone number or e-mail address."""
    own = guest_keys.c
    exact = own.lookup.not_like("tel~%")
    rows = connection.execute(select(own.guest_id, own.lookup).where(own.guest_id.in_(guest_ids), exact)).all()
    lookups = sorted({row.lookup for row in rows})
    known_as: dict[str, set[str]] = {}
    if lookups:
        for row in connection.execute(select(own.lookup, own.guest_id).where(own.lookup.in_(lookups))):
            known_as.setdefault(row.lookup, set()).add(row.guest_id)
    others: dict[str, set[str]] = {guest_id: {guest_id} for guest_id in guest_ids}
    for row in rows:
        others[row.guest_id] |= known_as.get(row.lookup, set())
    found = load_guests(connection, {entry for entries in others.values() for entry in entries})
    return {
        guest_id: sorted((found[entry] for entry in entries if entry in found), key=lambda guest: guest.venue_id)
        for guest_id, entries in others.items()
    }


def owners_of(connection: Connection, venue_id: str, lookups: Iterable[str]) -> dict[str, set[str]]:
    """The guests of a venue that have these keys."""
    wanted = sorted(set(lookups))
    owners: dict[str, set[str]] = {}
    for start in range(0, len(wanted), _NAMES_PER_QUERY):
        some = wanted[start : start + _NAMES_PER_QUERY]
        query = select(guest_keys.c.lookup, guest_keys.c.guest_id)
        for row in connection.execute(query.where(guest_keys.c.venue_id == venue_id, guest_keys.c.lookup.in_(some))):
            owners.setdefault(row.lookup, set()).add(row.guest_id)
    return owners


def recognise(identity: Identity, owners: Mapping[str, set[str]]) -> str:
    """The guest with this identity, empty when there is none: the first key that exactly one guest has decides."""
    for lookup in identity.wanted:
        found = owners.get(lookup, set())
        if len(found) == 1:
            return next(iter(found))
    return ""


def save_guests(connection: Connection, changed: Sequence[Guest]) -> None:
    """Stores guests, new or changed."""
    if changed:
        rows = [{**structs.asdict(guest), "search_text": _searched(guest)} for guest in changed]
        names = [name for name in rows[0] if name not in ("id", "venue_id", "created_at_ms")]
        upsert(connection, guests, rows, names)


def save_keys(connection: Connection, venue_id: str, rows: Iterable[tuple[str, str]]) -> None:
    """Lets guests be found by these keys: (key, guest) each."""
    entries = [{"venue_id": venue_id, "lookup": key, "guest_id": guest_id} for key, guest_id in sorted(set(rows))]
    if entries:
        upsert(connection, guest_keys, entries)


def change_guest(connection: Connection, before: Guest, after: Guest) -> bool:
    """Stores a change a person made; False when somebody else was faster."""
    row = {**structs.asdict(after), "search_text": _searched(after), "version": before.version + 1}
    mine = (guests.c.id == before.id, guests.c.version == before.version)
    return connection.execute(update(guests).where(*mine).values(row)).rowcount == 1


def replace_keys(connection: Connection, guest: Guest, lookups: Iterable[str]) -> None:
    """Lets a guest be found by these keys only, except those another guest has."""
    connection.execute(delete(guest_keys).where(guest_keys.c.guest_id == guest.id))
    owners = owners_of(connection, guest.venue_id, lookups)
    free = [key for key in lookups if key.startswith("tel~") or not owners.get(key)]
    rows = [{"venue_id": guest.venue_id, "lookup": key, "guest_id": guest.id} for key in free]
    if rows:
        connection.execute(insert(guest_keys), rows)


def new_guest(venue_id: str, customer: Customer, *, guest_id: str, told_at_ms: int, now_ms: int) -> Guest:
    """A guest nobody knew, without visits."""
    return Guest(
        id=guest_id,
        venue_id=venue_id,
        name=customer.name.strip(),
        phone=customer.phone.strip(),
        email=customer.email.strip(),
        marketing_consent=False,
        consent_at_ms=None,
        consent_by="",
        version=1,
        orders=0,
        spend_cents=0,
        first_order_at_ms=None,
        last_order_at_ms=None,
        told_at_ms=told_at_ms,
        created_at_ms=now_ms,
        updated_at_ms=now_ms,
    )


def _searched(guest: Guest) -> str:
    return search_text(guest.name, guest.phone, guest.email)


def _guest(row: Row[Any]) -> Guest:
    return Guest(**row._mapping)

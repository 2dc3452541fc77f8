"""Takes orders into the book of a venue's guests: every order once, in its newest version, whoever reads it twice."""

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs
from sqlalchemy import Connection, and_, delete, func, or_, select, update

from hub.database.guest_retention import forget_unkept
from hub.database.guest_tables import guest_books, guest_visits
from hub.database.guests import (
    load_guests,
    lock_guest_book,
    new_guest,
    owners_of,
    recognise,
    save_guests,
    save_keys,
)
from hub.database.order_reads import decode_order
from hub.database.tables import orders
from hub.database.upsert import upsert
from hub.model.guest import Guest, identity_of, newest, visit_facts
from hub.model.ids import NewId
from hub.model.order import Customer, Order

_GUESS = "tel~"


class Position(Struct, frozen=True, order=True):
    """How far a venue's orders were read, by when they changed."""

    changed_at_ms: int = 0
    order_id: str = ""

    @classmethod
    def of(cls, order: Order) -> "Position":
        """Right behind an order."""
        return cls(order.updated_at_ms, order.id)


def load_position(connection: Connection, venue_id: str) -> Position:
    """How far a venue's orders were read."""
    query = select(guest_books.c.read_until_ms, guest_books.c.read_until_id).where(guest_books.c.venue_id == venue_id)
    row = connection.execute(query).one_or_none()
    return Position() if row is None else Position(row.read_until_ms, row.read_until_id)


def load_changed(connection: Connection, venue_id: str, after: Position, *, limit: int) -> list[Order]:
    """A page of a venue's orders by when they last changed."""
    column = orders.c
    same = and_(column.updated_at_ms == after.changed_at_ms, column.id > after.order_id)
    query = (
        select(column.document)
        .where(
            column.venue_id == venue_id,
            column.updated_at_ms >= after.changed_at_ms,
            or_(column.updated_at_ms > after.changed_at_ms, same),
        )
        .order_by(column.updated_at_ms, column.id)
        .limit(limit)
    )
    return [decode_order(document) for document in connection.execute(query).scalars()]


def take_in(
    connection: Connection,
    venue_id: str,
    read: Sequence[Order],
    *,
    read_until: Position | None,
    now_ms: int,
    new_id: NewId,
) -> list[str]:
    """Books what these orders say of their guests; returns the guests concerned. `read_until` is remembered, None
    when they have to be read once more. Orders of which a newer version was booked already change nothing."""
    before = Position(*lock_guest_book(connection, venue_id))
    booked = _booked(connection, [order.id for order in read])
    news = [order for order in read if _is_news(order, booked)]
    as_read = _as_read(connection, [order.id for order in news])
    news = [order for order in news if as_read.get(order.id) == order.version]
    book = _Book(connection, venue_id, news, booked, now_ms, new_id)
    touched = book.save()
    if read_until is not None and read_until > before:
        row = {"read_until_ms": read_until.changed_at_ms, "read_until_id": read_until.order_id}
        connection.execute(update(guest_books).where(guest_books.c.venue_id == venue_id).values(row))
    return touched


class _Booked(Struct, frozen=True):
    guest_id: str
    version: int
    counts: bool
    spend_cents: int


def _booked(connection: Connection, order_ids: Sequence[str]) -> dict[str, _Booked]:
    table = guest_visits.c
    query = select(table.order_id, table.guest_id, table.version, table.counts, table.spend_cents)
    rows = connection.execute(query.where(table.order_id.in_(order_ids)))
    return {row.order_id: _Booked(row.guest_id, row.version, row.counts, row.spend_cents) for row in rows}


def _is_news(order: Order, booked: Mapping[str, _Booked]) -> bool:
    known = booked.get(order.id)
    return order.customer is not None if known is None else known.version < order.version


def _as_read(connection: Connection, order_ids: Sequence[str]) -> dict[str, int]:
    """The orders' versions now, and nobody deletes one before this transaction ends. One that changed since it was
    read is read again, or names nobody any more."""
    query = select(orders.c.id, orders.c.version).where(orders.c.id.in_(order_ids))
    rows = connection.execute(query.with_for_update(read=True, key_share=True)) if order_ids else ()
    return {row.id: row.version for row in rows}


class _Book:
    """The guests of some orders, changed in memory and stored together."""

    def __init__(
        self,
        connection: Connection,
        venue_id: str,
        news: Sequence[Order],
        booked: Mapping[str, _Booked],
        now_ms: int,
        new_id: NewId,
    ) -> None:
        self._connection = connection
        self._venue_id = venue_id
        self._news = news
        self._booked = booked
        self._now_ms = now_ms
        self._new_id = new_id
        lookups = [key for order in news if order.customer for key in identity_of(order.customer).wanted]
        self._owners = owners_of(connection, venue_id, lookups)
        known = {guest_id for found in self._owners.values() for guest_id in found}
        self._guests = load_guests(connection, known | {booked[it.id].guest_id for it in news if it.id in booked})
        self._keys: list[tuple[str, str]] = []
        self._recounted: set[str] = set()
        self._left: set[str] = set()

    def save(self) -> list[str]:
        visits, gone, touched = [], [], dict[str, None]()
        for order in self._news:
            known = self._booked.get(order.id)
            guest_id = "" if order.customer is None else self._guest_of(order.customer, order, known)
            self._count(order, known, guest_id)
            if known is not None and known.guest_id != guest_id:
                self._left.add(known.guest_id)
                touched[known.guest_id] = None
            if guest_id:
                row = {"order_id": order.id, "guest_id": guest_id, "version": order.version}
                visits.append({**row, **structs.asdict(visit_facts(order))})
                touched[guest_id] = None
            else:
                gone.append(order.id)
        changed = [self._guests[guest_id] for guest_id in touched if guest_id in self._guests]
        save_guests(self._connection, changed)
        save_keys(self._connection, self._venue_id, self._keys)
        if visits:
            upsert(self._connection, guest_visits, visits, ["guest_id", "version", "at_ms", "counts", "spend_cents"])
        if gone:
            self._connection.execute(delete(guest_visits).where(guest_visits.c.order_id.in_(gone)))
        self._recount()
        forget_unkept(self._connection, self._left)
        return list(touched)

    def _guest_of(self, customer: Customer, order: Order, known: _Booked | None) -> str:
        identity = identity_of(customer)
        guest_id = recognise(identity, self._owners)
        if not guest_id and not identity.wanted and known is not None:
            guest_id = known.guest_id  # by name alone: the same order's guest stays the same
        guest = self._guests.get(guest_id)
        if guest is None:
            guest_id = self._new_id("cust")
            guest = new_guest(
                self._venue_id, customer, guest_id=guest_id, told_at_ms=order.updated_at_ms, now_ms=self._now_ms
            )
        is_newer = order.updated_at_ms >= guest.told_at_ms
        self._guests[guest_id] = structs.replace(
            guest,
            name=newest(customer.name, guest.name, is_newer=is_newer),
            phone=newest(customer.phone, guest.phone, is_newer=is_newer),
            email=newest(customer.email, guest.email, is_newer=is_newer),
            told_at_ms=max(guest.told_at_ms, order.updated_at_ms),
            updated_at_ms=self._now_ms,
        )
        for key in identity.own:
            owners = self._owners.setdefault(key, set())
            if not owners or key.startswith(_GUESS):
                owners.add(guest_id)
                self._keys.append((key, guest_id))
        return guest_id

    def _count(self, order: Order, known: _Booked | None, guest_id: str) -> None:
        if known is not None and known.guest_id in self._guests:
            self._add(known.guest_id, orders=-int(known.counts), spend_cents=-known.spend_cents)
        facts = visit_facts(order)
        if not guest_id:
            return
        self._add(guest_id, orders=int(facts.counts), spend_cents=facts.spend_cents)
        if facts.counts:
            guest = self._guests[guest_id]
            first, last = guest.first_order_at_ms, guest.last_order_at_ms
            self._guests[guest_id] = structs.replace(
                guest,
                first_order_at_ms=facts.at_ms if first is None else min(first, facts.at_ms),
                last_order_at_ms=facts.at_ms if last is None else max(last, facts.at_ms),
            )
        if known is not None and known.counts and not (facts.counts and known.guest_id == guest_id):
            self._recounted.add(known.guest_id)

    def _add(self, guest_id: str, *, orders: int, spend_cents: int) -> None:
        guest = self._guests[guest_id]
        self._guests[guest_id] = structs.replace(
            guest, orders=max(guest.orders + orders, 0), spend_cents=max(guest.spend_cents + spend_cents, 0)
        )

    def _recount(self) -> None:
        """An order stopped counting: its guest's first and last order are looked up anew."""
        table = guest_visits.c
        for guest_id in self._recounted & set(self._guests):
            query = select(func.min(table.at_ms), func.max(table.at_ms)).where(table.guest_id == guest_id, table.counts)
            first, last = self._connection.execute(query).one()
            guest = self._guests[guest_id]
            self._guests[guest_id] = structs.replace(
                guest, first_order_at_ms=_first(guest, first), last_order_at_ms=last
            )
            save_guests(self._connection, [self._guests[guest_id]])


def _first(guest: Guest, first_here: int | None) -> int | None:
    """Since when the guest comes; orders that are deleted by now count as well."""
    if first_here is None or guest.first_order_at_ms is None:
        return first_here
    return first_here if guest.orders <= 1 else min(guest.first_order_at_ms, first_here)

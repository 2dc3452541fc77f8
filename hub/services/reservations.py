"""Reservations: made, changed, cancelled, and seated when the party comes."""

from collections.abc import Callable
from functools import partial

from msgspec import Struct, structs
from sqlalchemy import Connection

from hub.contract.inbound import OpenTab
from hub.contract.ports import Clock
from hub.database import reservations as stored
from hub.database.engine import Database
from hub.database.floor import load_floor
from hub.database.guests import lock_guest_book
from hub.database.reservations import Place, ReservationPage
from hub.errors import Conflict, InvalidRequest, NotFound
from hub.model.booking import EXPECTED, HOLDS_TABLE, Reservation, ReservationSearch, ReservationStatus
from hub.model.ids import NewId, parse_id
from hub.model.order import Customer, Order
from hub.model.venue import Venue
from hub.services.booking_guests import customer_of_guest, guest_of_booking
from hub.services.booking_rules import Clash, check_times, clashes
from hub.services.create_once import Created, Creation, check_version, saved
from hub.services.directory import Directory
from hub.services.guest_book import GuestBook
from hub.services.seating import Seating

LARGEST_PAGE = 200
_MINUTE_MS = 60_000
_BLOCKING = ("TABLE_BOOKED", "STORE_FULL", "TABLE_UNKNOWN")
_BY_HAND = (
    ReservationStatus.BOOKED,
    ReservationStatus.CONFIRMED,
    ReservationStatus.NO_SHOW,
    ReservationStatus.COMPLETED,
)


class Booking(Struct, frozen=True, kw_only=True):
    """A reservation as asked for. Without `ends_at_ms` it lasts as long as the venue usually keeps a table."""

    customer: Customer | None = None
    customer_id: str = ""
    party_size: int
    starts_at_ms: int
    ends_at_ms: int | None = None
    tables: tuple[str, ...] = ()
    note: str = ""
    external_id: str = ""
    allow_overlap: bool = False
    """Take it although a table is booked already or the house is full; what speaks against it is a warning then."""


class BookingChange(Struct, frozen=True, kw_only=True):
    """What to change; None leaves it."""

    customer: Customer | None = None
    party_size: int | None = None
    starts_at_ms: int | None = None
    ends_at_ms: int | None = None
    tables: tuple[str, ...] | None = None
    note: str | None = None
    status: ReservationStatus | None = None
    allow_overlap: bool = False


class Booked(Struct, frozen=True):
    """A reservation with what speaks against it."""

    reservation: Reservation
    warnings: tuple[Clash, ...] = ()


class Reservations:
    """All reservations; whoever calls says of which venue they may see."""

    def __init__(
        self,
        *,
        database: Database,
        directory: Directory,
        book: GuestBook,
        seating: Seating,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._database = database
        self._directory = directory
        self._book = book
        self._seating = seating
        self._clock = clock
        self._new_id = new_id

    async def page(self, wanted: ReservationSearch, *, after: str, limit: int) -> ReservationPage:
        """One page, the earliest first, with the parties that channels seated. Raises `InvalidRequest`."""
        if not 1 <= limit <= LARGEST_PAGE:
            raise InvalidRequest(f"limit: must be from 1 to {LARGEST_PAGE}", field="limit")
        place = _place(after) if after else None
        venues = [self._directory.venue(wanted.venue_id)] if wanted.venue_id else self._directory.venues()
        await self._book.catch_up(venues)
        return await self._database.read(partial(stored.load_page, wanted=wanted, after=place, limit=limit))

    async def load(self, reservation_id: str) -> Reservation:
        """A reservation by id. Raises `NotFound`."""
        wanted = parse_id("res", reservation_id)
        find = partial(stored.find_reservation, reservation_id=wanted or "")
        found = await self._database.read(find)
        if found is None:
            raise NotFound(f"there is no reservation {reservation_id[:100]!r}")
        return found

    async def create(self, venue: Venue, asked: Booking, creation: Creation) -> Created:
        """Books a table. `creation.render` is given a `Booked`.

        Raises `InvalidRequest` naming the field, and `Conflict` (`TABLE_BOOKED`, `STORE_FULL`) unless overlaps are
        allowed.
        """
        now_ms = self._clock.now_ms()
        usual_ms = venue.guests.reservation_minutes * _MINUTE_MS
        ends_at_ms = asked.starts_at_ms + usual_ms if asked.ends_at_ms is None else asked.ends_at_ms

        def unit(connection: Connection) -> Created:
            lock_guest_book(connection, venue.id)
            reservation_id = self._new_id("res")

            def make() -> Booked:
                check_times(venue, asked.starts_at_ms, ends_at_ms, now_ms)
                customer = asked.customer
                if customer is None and asked.customer_id:
                    customer = customer_of_guest(connection, venue.id, asked.customer_id)
                guest_id = guest_of_booking(connection, venue.id, customer, now_ms=now_ms, new_id=self._new_id)
                reservation = Reservation(
                    id=reservation_id,
                    venue_id=venue.id,
                    guest_id=guest_id,
                    customer=customer,
                    party_size=asked.party_size,
                    starts_at_ms=asked.starts_at_ms,
                    ends_at_ms=ends_at_ms,
                    tables=asked.tables,
                    status=ReservationStatus.BOOKED,
                    source=creation.actor,
                    order_id="",
                    external_id=asked.external_id,
                    note=asked.note,
                    reason="",
                    version=1,
                    created_at_ms=now_ms,
                    updated_at_ms=now_ms,
                )
                reservation, warnings = _checked(connection, reservation, allow_overlap=asked.allow_overlap)
                stored.insert_reservation(connection, reservation)
                return Booked(reservation, warnings)

            return creation.once(connection, reservation_id, now_ms, make)

        return await self._database.write(unit)

    async def change(self, reservation: Reservation, change: BookingChange, *, version: int | None) -> Booked:
        """Changes a reservation that nobody used yet. Raises `InvalidRequest`, `Conflict`."""
        venue = self._directory.venue(reservation.venue_id)
        now_ms = self._clock.now_ms()

        def with_change(connection: Connection, before: Reservation) -> Booked:
            if change.status is not None and change.status not in _BY_HAND:
                words = ", ".join(_BY_HAND)
                raise InvalidRequest(f"status: set {words}; cancel and seat are calls of their own", field="status")
            if before.status not in EXPECTED and not _only_moves_on(change):
                raise _ended(before)
            after = _with(before, change)
            if change.customer is not None:
                guest_id = guest_of_booking(connection, venue.id, change.customer, now_ms=now_ms, new_id=self._new_id)
                after = structs.replace(after, customer=change.customer, guest_id=guest_id)
            if (after.starts_at_ms, after.ends_at_ms) != (before.starts_at_ms, before.ends_at_ms):
                check_times(venue, after.starts_at_ms, after.ends_at_ms, now_ms)
            if _needs_room(before, after) and after.status in HOLDS_TABLE:
                after, warnings = _checked(connection, after, allow_overlap=change.allow_overlap)
            else:
                warnings = ()
            if after == before:
                return Booked(before)
            after = structs.replace(after, updated_at_ms=now_ms)
            return Booked(saved(stored.save_reservation(connection, before, after)), warnings)

        return await self._changed(reservation, version, with_change)

    async def cancel(self, reservation: Reservation, *, reason: str, version: int | None) -> Booked:
        """Cancels; a reservation that is cancelled already is fine. Raises `Conflict` after the party sat down."""
        now_ms = self._clock.now_ms()

        def with_end(connection: Connection, before: Reservation) -> Booked:
            if before.status is ReservationStatus.CANCELLED:
                return Booked(before)
            if before.status not in EXPECTED:
                raise _ended(before)
            after = structs.replace(before, status=ReservationStatus.CANCELLED, reason=reason, updated_at_ms=now_ms)
            return Booked(saved(stored.save_reservation(connection, before, after)))

        return await self._changed(reservation, version, with_end)

    async def seat(
        self, reservation: Reservation, *, tables: tuple[str, ...], version: int | None, actor: str
    ) -> tuple[Reservation, Order]:
        """The party sits down: opens their tab. One that sits already keeps its tab.

        Raises `InvalidRequest` without a table, `Conflict` (`TABLE_OCCUPIED`), `Forbidden` (`SEATING_NOT_YOURS`).
        """
        reservation = await self.load(reservation.id)
        check_version(version, reservation.version)
        if reservation.status not in (*EXPECTED, ReservationStatus.SEATED):
            raise _ended(reservation)
        wanted = tables or reservation.tables
        if not wanted:
            raise InvalidRequest("tables: say where the party sits", field="tables")
        tab = await self._seating.seat(
            self._directory.venue(reservation.venue_id),
            OpenTab(
                tables=wanted,
                channel_order_id=reservation.id,
                customer=reservation.customer,
                party_size=reservation.party_size,
                seated_at_ms=self._clock.now_ms(),
            ),
            actor=actor,
        )
        now_ms = self._clock.now_ms()

        def with_tab(connection: Connection, before: Reservation) -> Booked:
            after = structs.replace(
                before,
                status=ReservationStatus.SEATED,
                order_id=tab.id,
                tables=tab.tables,
                updated_at_ms=now_ms,
            )
            return Booked(saved(stored.save_reservation(connection, before, after)))

        return (await self._changed(reservation, None, with_tab)).reservation, tab

    async def _changed(
        self, reservation: Reservation, version: int | None, change: Callable[[Connection, Reservation], Booked]
    ) -> Booked:
        def unit(connection: Connection) -> Booked:
            lock_guest_book(connection, reservation.venue_id)
            before = stored.find_reservation(connection, reservation.id, lock=True)
            if before is None:
                raise NotFound("there is no such reservation any more")
            check_version(version, before.version)
            return change(connection, before)

        return await self._database.write(unit)


def _checked(
    connection: Connection, reservation: Reservation, *, allow_overlap: bool
) -> tuple[Reservation, tuple[Clash, ...]]:
    """The reservation with its tables as the venue calls them. Raises `Conflict` for what may not be."""
    floor = load_floor(connection, reservation.venue_id)
    starts_at_ms, ends_at_ms = reservation.starts_at_ms, reservation.ends_at_ms
    others = stored.load_at_the_same_time(
        connection, reservation.venue_id, starts_at_ms, ends_at_ms, but=reservation.id
    )
    found = clashes(
        floor,
        others,
        tables=reservation.tables,
        party_size=reservation.party_size,
        starts_at_ms=starts_at_ms,
        ends_at_ms=ends_at_ms,
    )
    for clash in found:
        if clash.code in _BLOCKING and not allow_overlap:
            raise Conflict(f"{clash.message}; allowOverlap books it all the same", field=clash.field, code=clash.code)
    return structs.replace(reservation, tables=floor.named(reservation.tables)), tuple(found)


def _with(before: Reservation, change: BookingChange) -> Reservation:
    values = {
        name: value
        for name in ("party_size", "starts_at_ms", "ends_at_ms", "tables", "note", "status")
        if (value := getattr(change, name)) is not None
    }
    after = structs.replace(before, **values)
    if change.starts_at_ms is not None and change.ends_at_ms is None:
        lasts_ms = before.ends_at_ms - before.starts_at_ms
        after = structs.replace(after, ends_at_ms=change.starts_at_ms + lasts_ms)
    return after


def _only_moves_on(change: BookingChange) -> bool:
    """Whether the change only says how it ended, or adds a note."""
    ends = change.status in (ReservationStatus.NO_SHOW, ReservationStatus.COMPLETED, None)
    others = (change.customer, change.party_size, change.starts_at_ms, change.ends_at_ms, change.tables)
    return ends and all(value is None for value in others)


def _needs_room(before: Reservation, after: Reservation) -> bool:
    names = ("party_size", "starts_at_ms", "ends_at_ms", "tables")
    return any(getattr(before, name) != getattr(after, name) for name in names)


def _ended(reservation: Reservation) -> Conflict:
    return Conflict(f"status: the reservation is {reservation.status} already", field="status", code="BOOKING_ENDED")


def _place(text: str) -> Place:
    at_ms, _, reservation_id = text.partition(".")
    if not (at_ms.isascii() and at_ms.isdecimal() and len(at_ms) <= 15 and parse_id("res", reservation_id)):
        raise InvalidRequest("cursor: use the nextCursor of a page of the same search", field="cursor")
    return Place(int(at_ms), reservation_id)

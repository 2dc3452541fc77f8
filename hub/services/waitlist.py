"""The waitlist: who waits for a table, in which place, and about how long it will take."""

from collections.abc import Callable, Sequence
from functools import partial

from msgspec import Struct, structs
from sqlalchemy import Connection

from hub.contract.inbound import OpenTab
from hub.contract.ports import Clock
from hub.database import waitlist as stored
from hub.database.engine import Database
from hub.database.floor import load_floor
from hub.database.guests import lock_guest_book
from hub.database.order_reads import load_open_orders
from hub.database.reservations import load_at_the_same_time
from hub.database.tabs import is_live
from hub.errors import Conflict, InvalidRequest, NotFound
from hub.model.booking import IN_QUEUE, WaitEntry, WaitStatus
from hub.model.ids import NewId, parse_id
from hub.model.order import Customer, Order
from hub.model.turns import TURN_DAYS, Estimate, Turn, estimate_waits
from hub.model.venue import Venue
from hub.services.booking_guests import guest_of_booking
from hub.services.create_once import Created, Creation, check_version, saved
from hub.services.directory import Directory
from hub.services.seating import Seating

_DAY_MS = 86_400_000
_LOOK_AHEAD_MS = 6 * 3_600_000
_MEASURED_FOR_MS = 600_000


class Joining(Struct, frozen=True, kw_only=True):
    """A party that wants to wait; without `quoted_minutes` they are told the hub's estimate."""

    customer: Customer
    party_size: int
    quoted_minutes: int | None = None
    note: str = ""


class WaitChange(Struct, frozen=True, kw_only=True):
    """What to change; None leaves it."""

    customer: Customer | None = None
    party_size: int | None = None
    quoted_minutes: int | None = None
    note: str | None = None


class Waiting(Struct, frozen=True):
    """A party with its place in the queue and its estimate; None for one that waits no more."""

    entry: WaitEntry
    position: int | None = None
    estimate: Estimate | None = None


class Waitlist:
    """The queues of all venues; whoever calls says of which venue they may see."""

    def __init__(
        self, *, database: Database, directory: Directory, seating: Seating, clock: Clock, new_id: NewId
    ) -> None:
        self._database = database
        self._directory = directory
        self._seating = seating
        self._clock = clock
        self._new_id = new_id
        self._turns: dict[str, tuple[int, Sequence[Turn]]] = {}
        """What was measured at a venue, and when: many orders are read for it."""

    async def queue(self, venue_id: str) -> list[Waiting]:
        """Who waits at a venue, the longest first."""
        turns = await self._measured(venue_id)
        now_ms = self._clock.now_ms()
        return await self._database.read(partial(_queue, venue_id=venue_id, turns=turns, now_ms=now_ms))

    async def load(self, entry_id: str) -> WaitEntry:
        """A party by id. Raises `NotFound`."""
        entry = await self._database.read(partial(stored.find_entry, entry_id=parse_id("wait", entry_id) or ""))
        if entry is None:
            raise NotFound(f"there is no party {entry_id[:100]!r} on a waitlist")
        return entry

    async def placed(self, entry: WaitEntry) -> Waiting:
        """A party with its place in the queue as it is now."""
        queue = await self.queue(entry.venue_id)
        return next((waiting for waiting in queue if waiting.entry.id == entry.id), Waiting(entry))

    async def join(self, venue: Venue, asked: Joining, creation: Creation) -> Created:
        """Puts a party at the end of the queue. `creation.render` is given a `Waiting`."""
        turns = await self._measured(venue.id)
        now_ms = self._clock.now_ms()

        def unit(connection: Connection) -> Created:
            lock_guest_book(connection, venue.id)
            entry_id = self._new_id("wait")

            def make() -> Waiting:
                guest_id = guest_of_booking(connection, venue.id, asked.customer, now_ms=now_ms, new_id=self._new_id)
                entry = WaitEntry(
                    id=entry_id,
                    venue_id=venue.id,
                    guest_id=guest_id,
                    customer=asked.customer,
                    party_size=asked.party_size,
                    status=WaitStatus.WAITING,
                    quoted_minutes=asked.quoted_minutes,
                    tables=(),
                    order_id="",
                    source=creation.actor,
                    note=asked.note,
                    version=1,
                    joined_at_ms=now_ms,
                    notified_at_ms=None,
                    ended_at_ms=None,
                    updated_at_ms=now_ms,
                )
                stored.insert_entry(connection, entry)
                queue = _queue(connection, venue.id, turns, now_ms)
                # A queue has an end; who joins behind it has no place yet.
                waiting = next((own for own in queue if own.entry.id == entry_id), Waiting(entry))
                if asked.quoted_minutes is None and waiting.estimate and waiting.estimate.minutes is not None:
                    after = structs.replace(entry, quoted_minutes=waiting.estimate.minutes)
                    entry = saved(stored.save_entry(connection, entry, after))
                return Waiting(entry, waiting.position, waiting.estimate)

            return creation.once(connection, entry_id, now_ms, make)

        return await self._database.write(unit)

    async def change(self, entry: WaitEntry, change: WaitChange, *, version: int | None) -> WaitEntry:
        """Changes a party that waits. Raises `Conflict`."""
        now_ms = self._clock.now_ms()

        def with_change(connection: Connection, before: WaitEntry) -> WaitEntry:
            names = ("party_size", "quoted_minutes", "note", "customer")
            values = {name: value for name in names if (value := getattr(change, name)) is not None}
            after = structs.replace(before, **values)
            if change.customer is not None:
                guest_id = guest_of_booking(
                    connection, before.venue_id, change.customer, now_ms=now_ms, new_id=self._new_id
                )
                after = structs.replace(after, guest_id=guest_id)
            return after

        return await self._changed(entry, version, with_change, IN_QUEUE)

    async def notify(self, entry: WaitEntry, *, version: int | None) -> WaitEntry:
        """Notes that the party was told that their table is ready; the hub sends nothing itself."""
        now_ms = self._clock.now_ms()
        return await self._changed(
            entry,
            version,
            lambda _, before: structs.replace(
                before, status=WaitStatus.NOTIFIED, notified_at_ms=before.notified_at_ms or now_ms
            ),
            IN_QUEUE,
        )

    async def leave(self, entry: WaitEntry, *, status: WaitStatus, version: int | None) -> WaitEntry:
        """Takes a party off the list: cancelled, or left without a word. Doing it twice is fine."""
        now_ms = self._clock.now_ms()
        return await self._changed(
            entry,
            version,
            lambda _, before: (
                before if before.ended_at_ms else structs.replace(before, status=status, ended_at_ms=now_ms)
            ),
            (*IN_QUEUE, WaitStatus.CANCELLED, WaitStatus.LEFT),
        )

    async def seat(
        self, entry: WaitEntry, *, tables: tuple[str, ...], version: int | None, actor: str
    ) -> tuple[WaitEntry, Order]:
        """The party sits down: opens their tab. One that sits already keeps its tab. Raises what seating raises."""
        entry = await self.load(entry.id)
        check_version(version, entry.version)
        if entry.status not in (*IN_QUEUE, WaitStatus.SEATED):
            raise _ended(entry)
        if not (tables or entry.tables):
            raise InvalidRequest("tables: say where the party sits", field="tables")
        now_ms = self._clock.now_ms()
        tab = await self._seating.seat(
            self._directory.venue(entry.venue_id),
            OpenTab(
                tables=tables or entry.tables,
                channel_order_id=entry.id,
                customer=entry.customer,
                party_size=entry.party_size,
                seated_at_ms=now_ms,
            ),
            actor=actor,
        )
        after = await self._changed(
            entry,
            None,
            lambda _, before: structs.replace(
                before,
                status=WaitStatus.SEATED,
                order_id=tab.id,
                tables=tab.tables,
                ended_at_ms=before.ended_at_ms or now_ms,
            ),
            (*IN_QUEUE, WaitStatus.SEATED),
        )
        return after, tab

    async def _changed(
        self,
        entry: WaitEntry,
        version: int | None,
        change: Callable[[Connection, WaitEntry], WaitEntry],
        allowed: Sequence[WaitStatus],
    ) -> WaitEntry:
        now_ms = self._clock.now_ms()

        def unit(connection: Connection) -> WaitEntry:
            lock_guest_book(connection, entry.venue_id)
            before = stored.find_entry(connection, entry.id, lock=True)
            if before is None:
                raise NotFound("this party is not on the waitlist any more")
            check_version(version, before.version)
            if before.status not in allowed:
                raise _ended(before)
            after = change(connection, before)
            if after == before:
                return before
            return saved(stored.save_entry(connection, before, structs.replace(after, updated_at_ms=now_ms)))

        return await self._database.write(unit)

    async def _measured(self, venue_id: str) -> Sequence[Turn]:
        now_ms = self._clock.now_ms()
        at_ms, turns = self._turns.get(venue_id, (0, ()))
        if not 0 <= now_ms - at_ms < _MEASURED_FOR_MS:
            since_ms = now_ms - TURN_DAYS * _DAY_MS
            turns = await self._database.read(partial(stored.load_turns, venue_id=venue_id, since_ms=since_ms))
            self._turns[venue_id] = (now_ms, turns)
        return turns


def _queue(connection: Connection, venue_id: str, turns: Sequence[Turn], now_ms: int) -> list[Waiting]:
    queue = stored.load_queue(connection, venue_id)
    if not queue:
        return []
    floor = load_floor(connection, venue_id)
    seated_at_ms: dict[str, int] = {}
    for order in load_open_orders(connection, venue_id):
        if is_live(order):
            for spot in floor.spots(order.tables):
                seated_at_ms.setdefault(spot, order.timing.seated_at_ms or order.created_at_ms)
    booked: dict[str, list[tuple[int, int]]] = {}
    for reservation in load_at_the_same_time(connection, venue_id, now_ms, now_ms + _LOOK_AHEAD_MS):
        for spot in floor.spots(reservation.tables) if not reservation.order_id else ():
            booked.setdefault(spot, []).append((reservation.starts_at_ms, reservation.ends_at_ms))
    estimates = estimate_waits(
        [entry.party_size for entry in queue],
        floor.tables,
        seated_at_ms=seated_at_ms,
        booked=booked,
        turns=turns,
        now_ms=now_ms,
    )
    numbered = enumerate(zip(queue, estimates, strict=True), start=1)
    return [Waiting(entry, place, estimate) for place, (entry, estimate) in numbered]


def _ended(entry: WaitEntry) -> Conflict:
    return Conflict(f"status: the party is {entry.status} already", field="status", code="BOOKING_ENDED")

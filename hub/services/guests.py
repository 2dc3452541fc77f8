"""Finds a venue's guests, in the hub's book and at the POS, notes what they agreed to, and forgets them on request."""

import asyncio
import logging
from collections.abc import Sequence
from enum import StrEnum
from functools import partial

from msgspec import Struct, structs
from sqlalchemy import Connection

from hub.contract.base import Capability
from hub.contract.families import HasCustomers, PosCustomer
from hub.contract.ports import Clock
from hub.database import calls as stored_calls
from hub.database import guests as stored
from hub.database.engine import Database
from hub.database.guest_retention import Forgotten, forget_guest
from hub.database.guests import GuestPage
from hub.errors import ConfigurationError, Conflict, ConnectorError, InvalidRequest, NotFound
from hub.model.guest import Guest, identity_of, search_words
from hub.model.ids import NewId, parse_id
from hub.model.order import Customer
from hub.model.venue import Venue
from hub.services.connections import Connections
from hub.services.create_once import check_version
from hub.services.directory import Directory
from hub.services.guest_book import GuestBook

LARGEST_PAGE = 200
_POS_SECONDS = 3.0
_MOST_OF_THE_POS = 50
_ORDERS_AT_ONCE = 200
_log = logging.getLogger(__name__)


class PosSearch(StrEnum):
    """What came of asking the POS."""

    SEARCHED = "searched"
    NOT_ASKED = "not_asked"
    """Only a first page with a query, of one store, asks it."""
    NO_POS = "no_pos"
    NOT_SUPPORTED = "not_supported"
    FAILED = "failed"
    """It did not answer in time, refused, or its link is paused; the hub's own guests are there all the same."""


class PosGuests(Struct, frozen=True):
    """The POS's guests, and why there may be none."""

    outcome: PosSearch
    customers: Sequence[PosCustomer] = ()
    problem: str = ""


class GuestChange(Struct, frozen=True, kw_only=True):
    """What to change; None leaves it."""

    name: str | None = None
    phone: str | None = None
    email: str | None = None
    marketing_consent: bool | None = None


class Guests:
    """The guests of all venues; whoever calls says of which venue they may see."""

    def __init__(
        self,
        *,
        database: Database,
        calls_database: Database,
        directory: Directory,
        connections: Connections,
        book: GuestBook,
        clock: Clock,
        new_id: NewId,
        pos_seconds: float = _POS_SECONDS,
    ) -> None:
        self._database = database
        self._calls = calls_database
        self._directory = directory
        self._connections = connections
        self._book = book
        self._clock = clock
        self._new_id = new_id
        self._pos_seconds = pos_seconds

    async def page(
        self, venue_id: str, *, query: str = "", segment: str = "", after: str = "", limit: int
    ) -> GuestPage:
        """One page of a venue's guests (of all venues' when empty), newest first. Raises `InvalidRequest`."""
        if not 1 <= limit <= LARGEST_PAGE:
            raise InvalidRequest(f"limit: must be from 1 to {LARGEST_PAGE}", field="limit")
        if after and parse_id("cust", after) != after:
            raise InvalidRequest("cursor: use the nextCursor of a page of the same search", field="cursor")
        await self.catch_up(venue_id)
        return await self._database.read(
            partial(
                stored.load_page,
                venue_id=venue_id,
                words=search_words(query),
                segment=segment,
                after=after,
                limit=limit,
            )
        )

    async def catch_up(self, venue_id: str) -> None:
        """Takes in what changed until now, at a venue or, when empty, at all of them."""
        await self._book.catch_up([self._directory.venue(venue_id)] if venue_id else self._directory.venues())

    async def load(self, guest_id: str) -> Guest:
        """A guest by `cust_…` id or UUID. Raises `NotFound`."""
        wanted = parse_id("cust", guest_id)
        guest = None if wanted is None else await self._database.read(partial(stored.find_guest, guest_id=wanted))
        if guest is None:
            raise NotFound(f"there is no customer {guest_id[:100]!r}")
        return guest

    async def same_people(self, guests: Sequence[Guest]) -> dict[str, list[Guest]]:
        """For each guest, the guests of other venues who have the same phone number or e-mail address, and itself."""
        ids = [guest.id for guest in guests]
        return await self._database.read(lambda connection: stored.same_people(connection, ids)) if ids else {}

    async def at_pos(self, venue: Venue, query: str) -> PosGuests:
        """What the venue's POS finds. Never raises for the POS's sake."""
        link = self._directory.link_of(venue.id)
        if link is None:
            return PosGuests(PosSearch.NO_POS)
        if link.paused_cause:
            return PosGuests(PosSearch.FAILED, problem=f"the link is paused: {link.paused_cause}")
        try:
            pos = self._connections.pos(link.id)
            if not isinstance(pos, HasCustomers) or Capability.SEARCH_CUSTOMERS not in pos.capabilities:
                return PosGuests(PosSearch.NOT_SUPPORTED)
            async with asyncio.timeout(self._pos_seconds):
                found = await pos.search_customers(query)
        except TimeoutError:
            return PosGuests(PosSearch.FAILED, problem=f"no answer within {self._pos_seconds:g} s")
        except (ConnectorError, ConfigurationError) as problem:
            _log.warning("venue %s: guests at the POS: %s", venue.slug, problem.message)
            return PosGuests(PosSearch.FAILED, problem=type(problem).__name__)
        return PosGuests(PosSearch.SEARCHED, found[:_MOST_OF_THE_POS])

    async def change(self, guest: Guest, change: GuestChange, *, version: int | None, actor: str) -> Guest:
        """Corrects a guest, or notes what they agreed to. Raises `Conflict` on another version, `NotFound`."""
        now_ms = self._clock.now_ms()

        def unit(connection: Connection) -> Guest:
            stored.lock_guest_book(connection, guest.venue_id)
            before = stored.find_guest(connection, guest.id)
            if before is None:
                raise NotFound("there is no such customer any more")
            check_version(version, before.version)
            after = _changed(before, change, actor, now_ms)
            if after == before:
                return before
            if not stored.change_guest(connection, before, after):
                raise Conflict("the customer changed at this moment; read it again", code="VERSION_CONFLICT")
            if (after.phone, after.email) != (before.phone, before.email):
                told = Customer(name=after.name, phone=after.phone, email=after.email)
                stored.replace_keys(connection, after, identity_of(told).own)
            return structs.replace(after, version=before.version + 1)

        return await self._database.write(unit)

    async def forget(self, guest: Guest, *, actor: str) -> Forgotten:
        """Takes a guest's data out of the hub: profile, bookings, closed orders and the recorded calls of these.

        What an order under a legal hold says stays; its numbers are in the result. Raises `Conflict` while the guest
        has an open order.
        """
        now_ms = self._clock.now_ms()
        await self.catch_up(guest.venue_id)

        def unit(connection: Connection) -> Forgotten:
            stored.lock_guest_book(connection, guest.venue_id)
            return forget_guest(connection, guest.id, actor=actor, now_ms=now_ms, new_id=self._new_id)

        done = await self._database.write(unit)
        if done.open_orders:
            raise Conflict(
                f"the customer has an open order ({', '.join(done.open_orders)}): close or cancel it first",
                code="CUSTOMER_HAS_OPEN_ORDERS",
            )
        await self._forget_calls(done.orders)
        return done

    async def _forget_calls(self, order_ids: Sequence[str]) -> None:
        days: list[str | None] = [*await self._calls.read(stored_calls.days_kept)]
        if await self._calls.read(stored_calls.orders_kept):
            days.append(None)
        for start in range(0, len(order_ids), _ORDERS_AT_ONCE):
            some = order_ids[start : start + _ORDERS_AT_ONCE]
            for day in days:
                await self._calls.write(partial(stored_calls.forget_calls, day=day, order_ids=some))


def _changed(before: Guest, change: GuestChange, actor: str, now_ms: int) -> Guest:
    told = {name: value for name in ("name", "phone", "email") if (value := getattr(change, name)) is not None}
    after = structs.replace(before, **told)
    consent = change.marketing_consent
    if consent is not None and consent != before.marketing_consent:
        after = structs.replace(after, marketing_consent=consent, consent_at_ms=now_ms, consent_by=actor)
    if after == before:
        return before
    if not (after.name or after.phone or after.email):
        raise InvalidRequest("name: a customer needs a name, a phone number or an e-mail address", field="name")
    return structs.replace(after, told_at_ms=now_ms if told else before.told_at_ms, updated_at_ms=now_ms)

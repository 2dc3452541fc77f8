"""Sold out is a state: here at once, at the POS as soon as it can be reached, in the order in which it was wanted."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import select

from hub.contract.base import Capability, PosConnector
from hub.contract.connector import ProbeStep
from hub.contract.families import HasAvailability
from hub.contract.writes import OrderWrite, Replay, WriteResult, write
from hub.database import directory as stored
from hub.database.engine import Database
from hub.database.tables import availability_pushes
from hub.errors import (
    ConfigurationError,
    Conflict,
    ConnectorError,
    NotFound,
    UnsupportedByVendor,
    VendorAuthFailed,
    VendorRateLimited,
    VendorRejected,
    VendorUnavailable,
)
from hub.model.menu import Item
from hub.model.order import PosOrder, VendorRef
from hub.services import availability as availability_module
from hub.services.availability import AtPos, Availability
from hub.services.directory import Directory
from tests.contract.ports import StandingClock
from tests.database.stored import LINK, PLOV, VENUE

pytestmark = pytest.mark.anyio


class Till(PosConnector, HasAvailability):
    """Takes over an item's state, or fails as it is told."""

    def __init__(self) -> None:
        self.told: list[bool] = []
        self.fails: list[ConnectorError] = []
        self.waits: asyncio.Event | None = None

    async def probe(self) -> Sequence[ProbeStep]:
        return []

    @write(Replay.ONCE)
    async def submit_order(self, request: OrderWrite) -> WriteResult:
        return WriteResult()

    async def fetch_order(self, ref: VendorRef) -> PosOrder:
        raise NotImplementedError

    async def set_item_availability(self, item: Item, *, available: bool) -> None:
        assert item.id == PLOV.id
        if self.waits is not None:
            await self.waits.wait()
        if self.fails:
            raise self.fails.pop(0)
        self.told.append(available)


class Mute(PosConnector):
    """Cannot be told anything."""

    probe, submit_order, fetch_order = Till.probe, Till.submit_order, Till.fetch_order  # type: ignore[assignment]

    def __init__(self) -> None:
        pass


class House:
    """A venue behind a till."""

    def __init__(self, database: Database, clock: StandingClock, directory: Directory, till: PosConnector) -> None:
        self.database, self.clock, self.directory, self.till = database, clock, directory, till
        self.broken = False
        self.availability = Availability(
            database=database,
            directory=directory,
            connections=self,  # type: ignore[arg-type]
            clock=clock,
        )

    def pos(self, link_id: str) -> PosConnector:
        assert link_id == LINK.id
        if self.broken:
            raise ConfigurationError("settings")
        return self.till

    async def set(self, available: bool) -> AtPos:
        return (await self.availability.set(VENUE, PLOV.id, available=available)).pos

    def pushes(self) -> list[Any]:
        return list(self.database.read_now(lambda connection: connection.execute(select(availability_pushes)).all()))

    async def is_orderable(self) -> bool:
        catalog = await self.directory.catalog(VENUE.id)
        return catalog.is_available(catalog.items[PLOV.id])


@pytest.fixture
def till() -> Till:
    return Till()


@pytest.fixture
def new_house(database: Database, clock: StandingClock) -> Callable[[PosConnector], House]:
    return lambda till: House(database, clock, Directory(database), till)


@pytest.fixture
async def house(new_house: Callable[[PosConnector], House], till: Till) -> House:
    made = new_house(till)
    await made.directory.refresh()
    return made


async def test_it_holds_here_and_at_the_pos_and_twice_is_once(house: House, till: Till) -> None:
    assert Capability.SET_ITEM_AVAILABILITY in Till.capabilities
    for _ in range(2):
        assert await house.set(False) is AtPos.APPLIED
        assert not await house.is_orderable()
    assert await house.set(True) is AtPos.APPLIED
    assert await house.is_orderable()
    assert till.told == [False, False, True]
    assert house.pushes() == []


async def test_the_pos_s_own_word_follows_what_it_was_told(house: House, database: Database) -> None:
    menu = structs.replace(
        database.read_now(lambda c: stored.load_menu(c, VENUE.id)), items=(structs.replace(PLOV, available=False),)
    )
    database.run_now(lambda c: stored.save_menu(c, VENUE.id, menu, source="pos", now_ms=1))
    await house.directory.refresh()
    assert not await house.is_orderable()
    changed = await house.availability.set(VENUE, PLOV.id, available=True)
    assert (changed.pos, changed.orderable) == (AtPos.APPLIED, True)


async def test_a_pos_that_cannot_be_told_is_no_obstacle(new_house: Callable[[PosConnector], House]) -> None:
    house = new_house(Mute())
    await house.directory.refresh()
    assert await house.set(False) is AtPos.NOT_SUPPORTED
    assert not await house.is_orderable()
    assert house.pushes() == []


async def test_one_that_cannot_at_this_venue_says_so_and_is_not_asked_again(house: House, till: Till) -> None:
    till.fails = [UnsupportedByVendor("not in this dialect")]
    assert await house.set(False) is AtPos.NOT_SUPPORTED
    assert (house.pushes(), await house.is_orderable()) == ([], False)


async def test_a_pos_that_is_away_is_told_later_with_growing_pauses(house: House, till: Till) -> None:
    till.fails = [VendorUnavailable("away"), VendorUnavailable("away")]
    assert await house.set(False) is AtPos.QUEUED
    assert not await house.is_orderable()
    for pause, told in ((4, []), (1, []), (9, []), (1, [False])):
        house.clock.advance(pause)
        await house.availability.tell_due()
        assert till.told == told
    assert house.pushes() == []


@pytest.mark.parametrize(
    ("problem", "answer", "cause", "again_after_seconds"),
    [
        (VendorRateLimited("slow down", retry_after_seconds=40), AtPos.QUEUED, "POS_RATE_LIMITED", 40),
        (VendorAuthFailed("who are you"), AtPos.QUEUED, "POS_AUTH_FAILED", 900),
        (VendorRejected("no"), AtPos.REFUSED, "POS_REJECTED", None),
    ],
)
async def test_each_failure_waits_in_its_own_way(
    house: House, till: Till, problem: ConnectorError, answer: AtPos, cause: str, again_after_seconds: int | None
) -> None:
    till.fails = [problem]
    assert await house.set(False) is answer
    [push] = house.pushes()
    due = None if again_after_seconds is None else house.clock.now_ms() + again_after_seconds * 1000
    assert (push.cause, push.due_at_ms, push.attempts) == (cause, due, 1)
    assert await house.set(True) is AtPos.APPLIED  # another state is tried at once
    assert house.pushes() == []


async def test_what_was_refused_waits_for_a_person_who_tries_again_or_ends_it(house: House, till: Till) -> None:
    assert await house.availability.load_refused() == []
    till.fails = [VendorRejected("till: the item is locked"), VendorRejected("till: still locked")]
    await house.set(False)
    house.clock.advance(100_000)
    await house.availability.tell_due()
    assert till.told == []  # nobody tries it again by itself
    [refused] = await house.availability.load_refused()
    assert (refused.venue, refused.item_name, refused.available, refused.cause, refused.detail) == (
        VENUE,
        "Plov",
        False,
        "POS_REJECTED",
        "till: the item is locked",
    )
    assert await house.availability.tell_again(refused) is AtPos.REFUSED
    [refused] = await house.availability.load_refused()
    assert refused.detail == "till: still locked"
    assert await house.availability.tell_again(refused) is AtPos.APPLIED
    assert (till.told, house.pushes()) == ([False], [])
    for gone in (house.availability.tell_again, house.availability.dismiss):
        with pytest.raises(Conflict, match="Plov"):
            await gone(refused)


async def test_what_a_person_did_at_the_pos_is_not_told_again(house: House, till: Till) -> None:
    till.fails = [VendorUnavailable("away")]
    await house.set(False)
    assert await house.availability.load_refused() == []  # that is tried again by itself
    till.fails = [VendorRejected("locked")]
    await house.set(False)
    [refused] = await house.availability.load_refused()
    await house.availability.dismiss(refused)
    assert (till.told, house.pushes(), await house.is_orderable()) == ([], [], False)


async def test_only_the_last_wanted_state_reaches_the_pos_last(
    house: House, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(availability_module, "_ANSWER_SECONDS", 0.01)
    till.waits = asyncio.Event()
    assert await house.set(False) is AtPos.QUEUED  # on its way
    assert await house.set(True) is AtPos.QUEUED  # waits for the one before
    till.waits.set()
    await asyncio.gather(*house.availability._telling)
    await house.availability.tell_due()
    assert till.told == [False, True]
    assert house.pushes() == []


async def test_a_paused_link_and_wrong_settings_are_tried_again_later(
    house: House, till: Till, database: Database
) -> None:
    database.run_now(lambda c: stored.set_link_paused(c, LINK.id, "LINK_PAUSED"))
    await house.directory.refresh()
    assert await house.set(False) is AtPos.QUEUED
    database.run_now(lambda c: stored.set_link_paused(c, LINK.id, ""))
    await house.directory.refresh()
    house.broken = True
    house.clock.advance(5)
    await house.availability.tell_due()
    assert house.pushes()[0].cause == "LINK_MISCONFIGURED"
    house.broken = False
    house.clock.advance(900)
    await house.availability.tell_due()
    assert (till.told, house.pushes()) == ([False], [])


@pytest.mark.parametrize("item_id", ["", "item_0", "x\x00", PLOV.id + "0"])
async def test_an_item_that_is_not_on_the_menu_is_not_found(house: House, item_id: str) -> None:
    with pytest.raises(NotFound) as missed:
        await house.availability.set(VENUE, item_id, available=False)
    assert (missed.value.code, missed.value.field) == ("ITEM_UNKNOWN", "itemId")


async def test_an_item_is_found_without_its_venue(house: House) -> None:
    assert await house.availability.find_venue_of(PLOV.id, house.directory.venues()) == VENUE
    with pytest.raises(NotFound):
        await house.availability.find_venue_of("item_0", house.directory.venues())

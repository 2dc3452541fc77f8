"""Venues, links, menus, sold-out lists and keys, and the revision that tells that any of them changed."""

from collections.abc import Callable

import pytest
from msgspec import structs
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from hub.database import directory
from hub.database.directory import StoredKey, StoredVenue
from hub.database.engine import Database
from hub.model import causes
from hub.model.menu import Category, Item, Menu, ModifierGroup, ModifierOption, Tax
from hub.model.status import OrderType
from hub.model.venue import LinkTuning, OpeningHours, Policies, RateLimit
from tests.database.stored import LINK, NOW, OTHER_LINK, OTHER_VENUE, PLOV, VENUE

KEY = StoredKey(
    id="key_1",
    name="till",
    hash=b"\x00\xff" * 16,
    shown="sk_12345…",
    scopes=("orders:read", "menu:write"),
    venue_id=VENUE.id,
    created_at_ms=NOW,
)


def revision(database: Database) -> int:
    return database.read_now(directory.load_revision)


def changes(database: Database, unit: Callable[[Connection], object]) -> int:
    """By how much a unit raises the revision."""
    before = revision(database)
    database.run_now(unit)
    return revision(database) - before


def test_venues_come_back_by_slug_with_the_version_of_their_menu(database: Database) -> None:
    assert database.read_now(directory.load_venues) == [
        StoredVenue(venue=VENUE, catalog_version=1),
        StoredVenue(venue=OTHER_VENUE, catalog_version=0),
    ]


def test_a_venue_keeps_everything_that_was_declared_of_it(database: Database) -> None:
    full = structs.replace(
        VENUE,
        address="28 May 12",
        order_types=(OrderType.PICKUP,),
        hours=(OpeningHours(day="fri", opens="18:00", closes="02:00"),),
        policies=Policies(
            anonymous_max_cents=50_000,
            service_charge_percent="12.5",
            tax=Tax(name="VAT", rate="18", inclusive=True),
        ),
    )
    assert changes(database, lambda c: directory.save_venue(c, full)) == 1
    assert database.read_now(directory.load_venues)[0].venue == full


def test_two_venues_never_share_a_slug_or_a_prefix(database: Database) -> None:
    for twin in (structs.replace(OTHER_VENUE, slug="demo"), structs.replace(OTHER_VENUE, order_prefix="DT")):
        with pytest.raises(IntegrityError):
            database.run_now(lambda c, t=twin: directory.save_venue(c, t))


def test_a_new_menu_raises_the_venue_s_catalog_version_and_the_revision(database: Database) -> None:
    menu = Menu(
        categories=(Category(id="cat_1", name="Mains"),),
        items=(
            PLOV,
            Item(
                id="item_2",
                name="Tea",
                price_cents=300,
                modifier_groups=(
                    ModifierGroup(id="g", name="Sugar", options=(ModifierOption(id="o", name="Two", price_cents=0),)),
                ),
                vendor={"id": 7, "codes": ["a"]},
            ),
        ),
    )
    assert changes(database, lambda c: directory.save_menu(c, VENUE.id, menu, source="pos", now_ms=NOW)) == 1
    assert database.read_now(lambda c: directory.load_menu(c, VENUE.id)) == menu
    assert [entry.catalog_version for entry in database.read_now(directory.load_venues)] == [2, 0]
    assert database.read_now(lambda c: directory.load_menu(c, OTHER_VENUE.id)) == Menu()


def test_a_sold_out_list_is_replaced_as_a_whole_and_makes_a_new_catalog_version(database: Database) -> None:
    database.run_now(lambda c: directory.save_sold_out(c, VENUE.id, {"item_1", "item_2"}, NOW))
    database.run_now(lambda c: directory.save_sold_out(c, VENUE.id, {"item_2", "item_3"}, NOW))
    assert database.read_now(lambda c: directory.load_sold_out(c, VENUE.id)) == {"item_2", "item_3"}
    database.run_now(lambda c: directory.save_sold_out(c, VENUE.id, (), NOW))
    assert database.read_now(lambda c: directory.load_sold_out(c, VENUE.id)) == frozenset()
    assert database.read_now(directory.load_venues)[0].catalog_version == 4


def test_a_link_keeps_its_settings_and_stays_paused_when_they_change(database: Database) -> None:
    tuning = LinkTuning(rate_limits=(RateLimit(5, 1, "vendor"),), settle_seconds=0)
    full = structs.replace(LINK, config={"base_url": "http://till", "venue_id": 1}, tuning=tuning)
    assert changes(database, lambda c: directory.set_link_paused(c, LINK.id, causes.POS_AUTH_FAILED)) == 1
    assert changes(database, lambda c: directory.save_link(c, full)) == 1
    stored = database.read_now(directory.load_links)
    assert stored == [structs.replace(full, paused_cause="POS_AUTH_FAILED"), OTHER_LINK]
    assert database.run_now(lambda c: directory.set_link_paused(c, LINK.id, "")) is True
    assert database.read_now(directory.load_links)[0] == full


def test_pausing_a_link_that_is_not_there_says_so(database: Database) -> None:
    assert database.run_now(lambda c: directory.set_link_paused(c, "link_0", causes.LINK_PAUSED)) is False


def test_a_key_is_found_by_its_hash_until_it_is_revoked(database: Database) -> None:
    assert changes(database, lambda c: directory.insert_key(c, KEY)) == 1
    assert database.read_now(lambda c: directory.find_key(c, KEY.hash)) == KEY
    assert database.read_now(lambda c: directory.find_key(c, b"\x01" * 32)) is None
    assert changes(database, lambda c: directory.revoke_key(c, "till", NOW + 1)) == 1
    assert database.read_now(lambda c: directory.find_key(c, KEY.hash)) is None
    assert database.read_now(directory.load_keys) == [structs.replace(KEY, revoked_at_ms=NOW + 1)]
    assert database.run_now(lambda c: directory.revoke_key(c, "till", NOW + 2)) is False

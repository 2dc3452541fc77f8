"""What an operator declared is held in memory, and read again when any process changes it."""

import asyncio

import pytest
from msgspec import structs

from hub.database import directory as stored
from hub.database.engine import Database
from hub.errors import NotFound
from hub.model.menu import Menu
from hub.services.directory import Catalog, Directory
from tests.database.stored import LINK, NOW, OTHER_LINK, OTHER_VENUE, PLOV, VENUE

pytestmark = pytest.mark.anyio


@pytest.fixture
async def directory(database: Database) -> Directory:
    made = Directory(database)
    assert await made.refresh() is True
    return made


async def test_nothing_is_known_before_the_first_look(database: Database) -> None:
    with pytest.raises(NotFound):
        Directory(database).venue("demo")


async def test_it_reads_again_only_when_something_changed(directory: Directory, database: Database) -> None:
    assert await directory.refresh() is False
    database.run_now(lambda c: stored.save_venue(c, structs.replace(VENUE, name="New name")))
    assert directory.venue("demo").name == "Demo"
    assert await directory.refresh() is True
    assert directory.venue("demo").name == "New name"


@pytest.mark.parametrize("name", ["demo", VENUE.id, "1" * 32, "11111111-1111-1111-1111-111111111111"])
async def test_a_venue_is_found_by_slug_id_and_uuid(directory: Directory, name: str) -> None:
    assert directory.venue(name) == VENUE


@pytest.mark.parametrize("name", ["", "nowhere", "loc_" + "9" * 32, LINK.id])
async def test_another_name_is_no_venue(directory: Directory, name: str) -> None:
    with pytest.raises(NotFound, match="there is no store"):
        directory.venue(name)


async def test_a_link_is_found_by_id_and_by_its_venue(directory: Directory) -> None:
    assert directory.link(LINK.id) == directory.link("demo") == directory.link_of(VENUE.id) == LINK
    assert directory.links() == [LINK, OTHER_LINK]
    assert directory.link_of("loc_0") is None
    with pytest.raises(NotFound, match="there is no link 'nowhere'"):
        directory.link("nowhere")


async def test_many_that_need_a_catalog_at_once_get_the_one_that_was_read(directory: Directory) -> None:
    first, *others = await asyncio.gather(*(directory.catalog(VENUE.id) for _ in range(5)))
    assert all(other is first for other in others)


async def test_a_catalog_is_read_again_when_its_version_moves_on(directory: Directory, database: Database) -> None:
    first = await directory.catalog(VENUE.id)
    assert await directory.catalog(VENUE.id) is first
    assert (first.version, first.menu) == (1, Menu(items=(PLOV,)))
    database.run_now(lambda c: stored.save_sold_out(c, VENUE.id, {PLOV.id}, NOW))
    await directory.refresh()
    second = await directory.catalog(VENUE.id)
    assert (second.version, second.is_available(PLOV)) == (2, False)
    assert (await directory.catalog(OTHER_VENUE.id)).menu == Menu()


async def test_a_revoked_key_is_no_longer_known(directory: Directory, database: Database) -> None:
    key = stored.StoredKey(
        id="key_1", name="till", hash=b"\x01" * 32, shown="sk_", scopes=("read",), venue_id=None, created_at_ms=NOW
    )
    database.run_now(lambda c: stored.insert_key(c, key))
    await directory.refresh()
    assert directory.key(b"\x01" * 32) == key
    database.run_now(lambda c: stored.revoke_key(c, "till", NOW))
    await directory.refresh()
    assert directory.key(b"\x01" * 32) is None


@pytest.mark.parametrize(
    ("available", "retired", "sold_out", "expected"),
    [(True, False, False, True), (False, False, False, False), (True, True, False, False), (True, False, True, False)],
)
async def test_an_item_can_be_ordered_when_nobody_says_no(
    available: bool, retired: bool, sold_out: bool, expected: bool
) -> None:
    item = structs.replace(PLOV, available=available, retired=retired)
    catalog = Catalog(1, Menu(items=(item,)), frozenset({PLOV.id} if sold_out else ()))
    assert catalog.is_available(item) is expected

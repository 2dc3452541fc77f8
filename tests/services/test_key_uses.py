"""A key's last use is written now and then, at most once a minute over all processes."""

import pytest

from hub.database import directory as stored
from hub.database.engine import Database
from hub.database.request_use import load_key_uses
from hub.services.key_uses import KeyUses
from tests.contract.ports import StandingClock
from tests.database.stored import NOW

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def keys(database: Database) -> None:
    for number in (1, 2):
        key = stored.StoredKey(
            id=f"key_{number}",
            name=str(number),
            hash=bytes([number]) * 32,
            shown="sk_",
            scopes=("read",),
            venue_id=None,
            created_at_ms=NOW,
        )
        database.run_now(lambda connection, key=key: stored.insert_key(connection, key))


async def test_nothing_is_written_before_it_is_saved(database: Database, clock: StandingClock) -> None:
    uses = KeyUses(database, clock)
    uses.note("key_1")
    assert database.read_now(load_key_uses) == {}
    await uses.save()
    assert database.read_now(load_key_uses) == {"key_1": NOW}


async def test_a_later_use_replaces_an_earlier_one_after_a_minute(database: Database, clock: StandingClock) -> None:
    one, other = KeyUses(database, clock), KeyUses(database, clock)
    for seconds, expected in ((0, NOW), (59, NOW), (1, NOW + 60_000)):
        clock.advance(seconds)
        for uses in (one, other):
            uses.note("key_1")
            await uses.save()
        assert database.read_now(load_key_uses) == {"key_1": expected}


async def test_noting_a_use_makes_no_process_reload(database: Database, clock: StandingClock) -> None:
    before = database.read_now(stored.load_revision)
    uses = KeyUses(database, clock)
    uses.note("key_2")
    await uses.save()
    assert database.read_now(stored.load_revision) == before

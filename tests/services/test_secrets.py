"""Stored secrets: encrypted in the database, below the environment, re-encrypted with a newer key."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Connection, select

from hub.database import link_state
from hub.database import secrets as stored
from hub.database.access_tables import secrets as table
from hub.database.engine import Database
from hub.database.secrets import Sealed
from hub.database.tables import link_tokens
from hub.database.webhooks import load_endpoints
from hub.errors import ConfigurationError, InvalidRequest, NotFound
from hub.services.directory import Directory
from hub.services.link_stores import LinkStores
from hub.services.secrets import Secrets, count_closed, remove_secret, rotate, set_secret
from hub.services.vault import Vault
from tests.contract.ports import StandingClock
from tests.database.listening import listen
from tests.database.stored import LINK, NOW

pytestmark = pytest.mark.anyio
OLD = Vault(["b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xkLW9sZC0="])
BOTH = Vault(["bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldy0=", "b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xkLW9sZC0="])
LOST = Vault(["enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6eno="])
NEW = Vault(["bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldy0="])


@pytest.fixture
async def directory(database: Database) -> AsyncIterator[Directory]:
    made = Directory(database)
    await made.refresh()
    yield made


def put(database: Database, name: str, value: str, vault: Vault = OLD) -> None:
    database.run_now(lambda connection: set_secret(connection, vault, name, value, NOW))


async def test_a_stored_secret_is_found_by_its_name_and_is_not_in_the_database(
    database: Database, directory: Directory
) -> None:
    secrets = Secrets({}, directory, OLD)
    assert "TILL_PASSWORD" not in secrets
    put(database, "TILL_PASSWORD", "open sesame")
    assert await directory.refresh()
    assert secrets["TILL_PASSWORD"] == "open sesame"
    assert (list(secrets), len(secrets)) == (["TILL_PASSWORD"], 1)
    assert "sesame" not in str(database.read_now(lambda c: c.execute(select(table)).all()))


async def test_the_environment_stands_above_the_store(database: Database, directory: Directory) -> None:
    put(database, "TILL_PASSWORD", "stored")
    await directory.refresh()
    secrets = Secrets({"TILL_PASSWORD": "given", "OTHER": "x"}, directory, OLD)
    assert secrets["TILL_PASSWORD"] == "given"
    assert len(secrets) == 2
    with pytest.raises(KeyError):
        secrets["UNKNOWN"]


async def test_a_changed_or_removed_secret_is_taken_over(database: Database, directory: Directory) -> None:
    put(database, "TILL_PASSWORD", "first")
    put(database, "TILL_PASSWORD", "second")
    await directory.refresh()
    secrets = Secrets({}, directory, OLD)
    assert secrets["TILL_PASSWORD"] == "second"
    database.run_now(lambda connection: remove_secret(connection, "TILL_PASSWORD"))
    await directory.refresh()
    assert secrets.get("TILL_PASSWORD") is None
    with pytest.raises(NotFound, match="there is no secret 'TILL_PASSWORD'"):
        database.run_now(lambda connection: remove_secret(connection, "TILL_PASSWORD"))


@pytest.mark.parametrize("name", ["", "with space", "1st", "a-b", "x" * 101, "OPENPOS_DATABASE_URL"])
def test_a_name_that_is_none_is_refused(database: Database, name: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        put(database, name, "x")
    assert caught.value.field == "name"


@pytest.mark.parametrize("value", ["", "two\nlines", "null\x00byte", "x" * 10_001])
def test_a_value_that_is_none_is_refused_without_being_shown(database: Database, value: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        put(database, "TILL_PASSWORD", value)
    assert caught.value.message == "the secret must be one line of 1 to 10000 visible characters"


def test_without_a_key_nothing_is_stored(database: Database) -> None:
    with pytest.raises(ConfigurationError, match="secrets cannot be stored: there is no OPENPOS_SECRET_KEY"):
        put(database, "TILL_PASSWORD", "x", Vault([]))
    assert database.read_now(stored.load_secrets) == []


async def test_rotation_leaves_nothing_that_needs_the_old_key(database: Database, directory: Directory) -> None:
    put(database, "A", "one")
    put(database, "B", "two", BOTH)
    await LinkStores(database, StandingClock(NOW), OLD).save_token(LINK.id, "vendor-token", NOW + 1000)
    place = "secret of webhook hook_1"
    listen(database, 1, secret=OLD.seal("whsec_new", place=place), old_secret=OLD.seal("whsec_old", place=place))
    assert database.run_now(lambda connection: rotate(connection, BOTH)) == 4
    assert database.run_now(lambda connection: rotate(connection, BOTH)) == 0
    await directory.refresh()
    assert dict(Secrets({}, directory, NEW)) == {"A": "one", "B": "two"}
    [hook] = database.read_now(load_endpoints)
    assert [NEW.unseal(one, place=place) for one in (hook.secret, hook.old_secret)] == ["whsec_new", "whsec_old"]
    assert await LinkStores(database, StandingClock(NOW), NEW).load_token(LINK.id) == ("vendor-token", NOW + 1000)


def test_rotation_that_cannot_read_one_changes_none(database: Database) -> None:
    put(database, "A", "one")
    put(database, "Z", "two", LOST)
    before = database.read_now(stored.load_secrets)
    with pytest.raises(ConfigurationError, match="secret Z cannot be decrypted"):
        database.run_now(lambda connection: rotate(connection, BOTH))
    assert database.read_now(stored.load_secrets) == before
    assert database.read_now(lambda connection: count_closed(connection, BOTH)) == (2, ["Z"])


async def test_rotation_forgets_a_vendor_s_token_that_no_key_opens(database: Database) -> None:
    put(database, "A", "one")
    await LinkStores(database, StandingClock(NOW), LOST).save_token(LINK.id, "vendor-token", NOW + 1000)
    assert database.run_now(lambda connection: rotate(connection, BOTH)) == 1
    assert database.read_now(lambda connection: link_state.load_token(connection, LINK.id)) is None


def test_a_webhook_s_secret_that_no_key_opens_is_named(database: Database) -> None:
    listen(database, 1, secret=LOST.seal("whsec_new", place="secret of webhook hook_1"))
    put(database, "A", "one")
    assert database.read_now(lambda connection: count_closed(connection, BOTH)) == (2, ["secret of webhook hook_1"])


def test_what_was_set_anew_meanwhile_is_not_replaced_by_the_old_one(database: Database) -> None:
    put(database, "A", "one")
    [(_, before)] = database.read_now(lambda connection: stored.load_sealed(connection, Sealed.SECRET))
    put(database, "A", "two")

    def late(connection: Connection) -> tuple[bool, bool]:
        return (
            stored.replace_sealed(connection, Sealed.SECRET, "A", before=before, after="x"),
            stored.delete_sealed(connection, Sealed.SECRET, "A", before=before),
        )

    assert database.run_now(late) == (False, False)
    assert database.read_now(lambda connection: count_closed(connection, OLD)) == (1, [])


async def test_a_vendor_s_token_is_encrypted_in_the_database(database: Database) -> None:
    await LinkStores(database, StandingClock(NOW), OLD).save_token(LINK.id, "vendor-token", NOW + 1000)
    kept = database.read_now(lambda c: c.execute(select(link_tokens.c.token)).scalar_one())
    assert "vendor-token" not in kept
    assert await LinkStores(database, StandingClock(NOW), OLD).load_token(LINK.id) == ("vendor-token", NOW + 1000)


async def test_a_token_whose_key_is_lost_is_as_if_there_were_none(database: Database) -> None:
    await LinkStores(database, StandingClock(NOW), OLD).save_token(LINK.id, "vendor-token", NOW + 1000)
    assert await LinkStores(database, StandingClock(NOW), NEW).load_token(LINK.id) is None


async def test_without_a_key_a_vendor_s_token_is_remembered_in_this_process_only(database: Database) -> None:
    stores = LinkStores(database, StandingClock(NOW), Vault([]))
    await stores.save_token(LINK.id, "vendor-token", NOW + 1000)
    assert await stores.load_token(LINK.id) == ("vendor-token", NOW + 1000)
    assert database.read_now(lambda connection: link_state.load_token(connection, LINK.id)) is None

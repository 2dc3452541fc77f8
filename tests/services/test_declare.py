"""Making the hub as a file declares it, on SQLite and PostgreSQL."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec import structs
from sqlalchemy import Connection, select, update

from hub.database import directory as stored
from hub.database import link_state
from hub.database.deliveries import State
from hub.database.engine import Database
from hub.database.link_state import CodeRow
from hub.database.migrate import migrate
from hub.database.order_reads import load_order
from hub.database.orders import save_change
from hub.database.tables import deliveries, order_refs
from hub.database.upsert import upsert
from hub.errors import ConfigurationError
from hub.model.ids import derived_id
from hub.model.menu import Item, Menu
from hub.model.status import Status
from hub.services.declaration import read_declaration
from hub.services.declare import Change, Outcome, declare
from hub.services.keys import hash_of, revoke_key
from tests.database.stored import NOW, counting_ids, place
from tests.postgres import Server, postgres_server
from tests.services.fake_pos import fake_registry
from tests.services.test_declaration import LINK, MENU, SECRETS, VENUE

VENUE_ID = derived_id("loc", "demo")
LINK_ID = derived_id("link", "demo")
OTHER = VENUE.replace("demo", "other").replace('"DT"', '"OT"')
INSIDE = MENU.replace("[[", "[[venues.menu.")
KEY = '[[keys]]\nname = "partner"\nscopes = ["orders:read"]\n'

Apply = Callable[[str], list[Change]]


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    with postgres_server(fsync=False) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty, migrated database of either kind."""
    on_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'hub.sqlite'}" if on_sqlite else request.getfixturevalue("postgres").create_database()
    database = Database(url, durable=False)
    database.run_now(migrate)
    yield database
    database.close_now()


@pytest.fixture
def apply(database: Database, tmp_path: Path) -> Apply:
    """Applies the text of a file."""
    new_id = counting_ids()

    def applied(text: str) -> list[Change]:
        path = tmp_path / "venues.toml"
        path.write_text(text, encoding="utf-8")
        declaration = read_declaration(path, registry=fake_registry(), secrets=SECRETS)
        return database.run_now(
            lambda connection: declare(
                connection, declaration, now_ms=NOW, new_id=new_id, new_secret=lambda: "made-by-the-test"
            )
        )

    return applied


def lines(changes: list[Change]) -> list[str]:
    return [f"{change.outcome} {change.thing} {change.detail}".strip() for change in changes]


def refusal(apply: Apply, text: str) -> str:
    with pytest.raises(ConfigurationError) as problem:
        apply(text)
    return problem.value.message.rpartition("/")[2]


def place_order(database: Database) -> str:
    """An order at the venue, on its way to the link; its id."""
    venue = database.read_now(stored.load_venues)[0].venue
    link = database.read_now(stored.load_links)[0]
    version = database.read_now(stored.load_venues)[0].catalog_version
    return place(database, venue=venue, link=link, catalog_version=version).order.id


def close(database: Database, order_id: str) -> None:
    """Ends an order in the hub; what it has to tell its POS still waits."""

    def unit(connection: Connection) -> None:
        record = load_order(connection, order_id)
        assert record is not None
        after = structs.replace(record.order, status=Status.CLOSED)
        save_change(connection, record.order, after, event_id="evt_close", kind="closed", actor="tester", detail="")

    database.run_now(unit)


def deliver(database: Database, order_id: str) -> None:
    """Notes that the POS took the order, as its number 7."""

    def unit(connection: Connection) -> None:
        connection.execute(update(deliveries).values(state=State.DELIVERED))
        upsert(connection, order_refs, [{"link_id": LINK_ID, "kind": "order", "vendor_id": "7", "order_id": order_id}])

    database.run_now(unit)


def learn(database: Database) -> None:
    """What the hub knows of a POS after a while."""

    def unit(connection: Connection) -> None:
        link_state.save_token(connection, LINK_ID, "token", NOW + 1000)
        link_state.save_ref(connection, LINK_ID, "customer", "+994", "5", 0)
        link_state.replace_codes(connection, LINK_ID, [CodeRow(code_table="sale_type", code_id="2", name="Delivery")])

    database.run_now(unit)


def known(database: Database) -> tuple[bool, bool, bool]:
    """Whether a token, a customer and codes are known."""

    def unit(connection: Connection) -> tuple[bool, bool, bool]:
        return (
            link_state.load_token(connection, LINK_ID) is not None,
            link_state.load_ref(connection, LINK_ID, "customer", "+994") is not None,
            link_state.load_codes(connection, LINK_ID) != [],
        )

    return database.read_now(unit)


def test_everything_in_the_file_is_created(apply: Apply, database: Database) -> None:
    assert lines(apply(LINK + INSIDE + KEY)) == [
        "created venue demo",
        "created link demo to fake",
        "created menu demo 1 items",
        "created key partner",
    ]
    assert database.read_now(stored.load_venues)[0].venue.id == VENUE_ID
    (link,) = database.read_now(stored.load_links)
    assert (link.id, link.config["password"]) == (LINK_ID, "env:POS_PASSWORD")
    menu = database.read_now(lambda connection: stored.load_menu(connection, VENUE_ID))
    assert [item.price_cents for item in menu.items] == [1499]


def test_the_same_file_again_writes_nothing(apply: Apply, database: Database) -> None:
    text = LINK + "margin = 0.5\n[venues.link.tuning]\nsettle_seconds = 1.5\n" + INSIDE + KEY
    text = text.replace("[venues.link]", "hours = [{ day = 'mon', opens = '09:00', closes = '17:00' }]\n[venues.link]")
    apply(text)
    revision = database.read_now(stored.load_revision)
    assert {change.outcome for change in apply(text)} == {Outcome.UNCHANGED}
    assert database.read_now(stored.load_revision) == revision


def test_a_change_says_which_fields(apply: Apply, database: Database) -> None:
    apply(LINK + KEY)
    text = LINK.replace('"Demo"', '"Demo 2"').replace("branch = 1", "branch = 2") + KEY.replace("orders:read", "read")
    assert lines(apply(text)) == [
        "changed venue demo name",
        "changed link demo to fake config",
        "changed key partner scopes",
    ]
    assert database.read_now(stored.load_venues)[0].venue.name == "Demo 2"
    assert database.read_now(stored.load_links)[0].config["branch"] == 2
    assert database.read_now(stored.load_keys)[0].scopes == ("read",)


def test_what_the_file_does_not_mention_is_left_alone(apply: Apply, database: Database) -> None:
    apply(LINK + INSIDE + KEY)
    assert lines(apply(OTHER)) == [
        "created venue other",
        "left alone venue demo not in this file",
        "left alone key partner not in this file",
    ]
    assert lines(apply(VENUE)) == [
        "unchanged venue demo",
        "left alone menu demo not in this file",
        "left alone venue other not in this file",
        "left alone link demo to fake not in this file",
        "left alone key partner not in this file",
    ]
    assert len(database.read_now(stored.load_links)) == 1


def test_one_wrong_thing_and_nothing_is_stored(apply: Apply, database: Database) -> None:
    text = VENUE + '[[keys]]\nname = "partner"\nvenue = "nowhere"\n'
    assert refusal(apply, text) == (
        "venues.toml:9: keys[0].venue: there is no venue 'nowhere' in this file or in the hub"
    )
    assert database.read_now(stored.load_venues) == []


def test_an_order_prefix_belongs_to_one_venue(apply: Apply) -> None:
    apply(VENUE)
    assert refusal(apply, OTHER.replace("OT", "DT")) == (
        "venues.toml:4: venues[0].order_prefix: 'DT' belongs to venue demo"
    )


def test_a_prefix_that_stands_on_another_venue_s_orders_is_not_given_again(apply: Apply, database: Database) -> None:
    apply(LINK)
    place_order(database)
    apply(LINK.replace("DT", "NEW"))
    assert refusal(apply, OTHER.replace("OT", "DT")) == (
        "venues.toml:4: venues[0].order_prefix: another venue has orders numbered DT-…"
    )
    assert lines(apply(LINK)) == ["changed venue demo order_prefix", "unchanged link demo to fake"]


def test_a_venue_keeps_its_pos_while_orders_are_not_finished(apply: Apply, database: Database) -> None:
    apply(LINK)
    order_id = place_order(database)
    moved = LINK.replace('"fake"', '"plain"')
    refused = (
        "venues.toml:8: venues[0].link.connector: venue demo has orders that are not finished (DT-001); "
        "close or cancel them before it moves from fake to plain"
    )
    assert refusal(apply, moved) == refused
    close(database, order_id)
    assert refusal(apply, moved) == refused  # the POS has not heard of it yet
    deliver(database, order_id)
    assert lines(apply(moved)) == ["unchanged venue demo", "changed link demo to plain connector"]


def test_a_new_pos_starts_without_what_was_learnt_at_the_old_one(apply: Apply, database: Database) -> None:
    apply(LINK)
    order_id = place_order(database)
    deliver(database, order_id)
    close(database, order_id)
    learn(database)
    apply(LINK.replace('"fake"', '"plain"'))
    assert known(database) == (False, False, False)
    assert database.read_now(lambda connection: list(connection.execute(select(order_refs)))) == []


def test_new_settings_forget_the_old_account_and_nothing_else(apply: Apply, database: Database) -> None:
    apply(LINK)
    learn(database)
    apply(LINK + "[venues.link.tuning]\npoll_seconds = 5\n")
    assert known(database) == (True, True, True)
    apply(LINK.replace("branch = 1", "branch = 2"))
    assert known(database) == (False, False, True)


def test_a_paused_link_stays_paused(apply: Apply, database: Database) -> None:
    apply(LINK)
    database.run_now(lambda connection: stored.set_link_paused(connection, LINK_ID, "LINK_PAUSED"))
    assert lines(apply(LINK.replace("branch = 1", "branch = 2")))[1] == "changed link demo to fake config"
    assert database.read_now(stored.load_links)[0].paused_cause == "LINK_PAUSED"


def test_an_item_that_left_the_file_is_retired_and_comes_back(apply: Apply, database: Database) -> None:
    second = '[[venues.menu.items]]\nkey = "tea"\nname = "Tea"\ncategory = "mains"\nprice = 2\n'
    apply(VENUE + INSIDE + second)
    assert lines(apply(VENUE + INSIDE))[1] == "changed menu demo 1 items"
    menu = database.read_now(lambda connection: stored.load_menu(connection, VENUE_ID))
    assert [(item.name, item.retired) for item in menu.items] == [("Burger", False), ("Tea", True)]
    assert lines(apply(VENUE + INSIDE))[1] == "unchanged menu demo 1 items"
    apply(VENUE + INSIDE + second)
    menu = database.read_now(lambda connection: stored.load_menu(connection, VENUE_ID))
    assert [(item.name, item.retired) for item in menu.items] == [("Burger", False), ("Tea", False)]


def test_a_menu_goes_from_the_pos_to_the_file_and_back(apply: Apply, database: Database) -> None:
    def source() -> str | None:
        return database.read_now(lambda connection: stored.load_menu_source(connection, VENUE_ID))

    apply(LINK)
    assert source() is None
    soup = Menu(items=(Item(id="item_pos", name="Soup", price_cents=500),))
    database.run_now(lambda connection: stored.save_menu(connection, VENUE_ID, soup, source="pos", now_ms=NOW))
    assert lines(apply(LINK + INSIDE))[2] == "changed menu demo 1 items"
    assert source() == "file"
    assert lines(apply(LINK))[2] == "changed menu demo from now on the POS's"
    assert source() == "pos"
    assert len(apply(LINK)) == 2


def test_a_key_is_made_and_shown_once(apply: Apply, database: Database) -> None:
    (made,) = apply(KEY)
    assert made.new_key == "sk_made-by-the-test"
    (again,) = apply(KEY)
    assert (again.outcome, again.new_key) == (Outcome.UNCHANGED, "")
    (key,) = database.read_now(stored.load_keys)
    assert (key.hash, key.scopes, key.venue_id) == (hash_of("sk_made-by-the-test"), ("orders:read",), None)


def test_a_key_may_be_bound_to_a_venue_of_another_file(apply: Apply, database: Database) -> None:
    apply(VENUE)
    apply(KEY + 'venue = "demo"\n')
    assert database.read_now(stored.load_keys)[0].venue_id == VENUE_ID


def test_a_given_key_is_stored_as_a_hash_and_may_be_exchanged(apply: Apply, database: Database) -> None:
    given = KEY + 'secret = "env:PARTNER_KEY"\n'
    apply(KEY)
    assert lines(apply(given)) == ["changed key partner secret"]
    (key,) = database.read_now(stored.load_keys)
    assert (key.hash, key.shown) == (hash_of(SECRETS["PARTNER_KEY"]), "sk_kkkkk…")
    (again,) = apply(given)
    assert (again.outcome, again.new_key) == (Outcome.UNCHANGED, "")


def test_two_keys_cannot_have_the_same_secret(apply: Apply) -> None:
    text = KEY + 'secret = "env:PARTNER_KEY"\n' + '[[keys]]\nname = "twin"\nsecret = "env:PARTNER_KEY"\n'
    assert refusal(apply, text) == "venues.toml:7: keys[1].secret: this is the key 'partner' already"


def test_a_revoked_key_stays_revoked(apply: Apply, database: Database) -> None:
    apply(KEY)
    database.run_now(lambda connection: revoke_key(connection, "partner", NOW))
    assert lines(apply(KEY)) == ["left alone key partner it was revoked; a new one needs another name"]
    assert database.read_now(stored.load_keys)[0].revoked_at_ms == NOW

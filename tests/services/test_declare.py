"""Making the hub as a file declares it, on SQLite and PostgreSQL."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from hub.database import directory as stored
from hub.database import link_state
from hub.database.engine import Database
from hub.database.migrate import migrate
from hub.database.orders import load_order, save_change
from hub.database.tables import order_refs
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
    """Ends an order whose delivery is done."""
    record = database.read_now(lambda connection: load_order(connection, order_id))
    assert record is not None
    closed = record.order.__class__(**{**{f: getattr(record.order, f) for f in record.order.__struct_fields__}})
    check = closed.checks[0].__class__(
        **{**{f: getattr(closed.checks[0], f) for f in closed.checks[0].__struct_fields__}, "status": Status.CLOSED}
    )
    raise NotImplementedError(check)


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

"""`openpos-hub apply`, up to the POS that answers or does not."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from hub.app import Hub
from hub.cli.apply import apply
from hub.contract.registry import installed_connectors
from hub.database import link_state
from hub.model.ids import derived_id
from hub.settings import read_settings
from tests.services.fake_pos import fake_registry
from tests.services.test_declaration import LINK, MENU, SECRETS, VENUE

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "configuration.md"
INSIDE = MENU.replace("[[", "[[venues.menu.")
LINK_ID = derived_id("link", "demo")

Run = Callable[..., Awaitable[int]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    """A hub that nothing was declared in, and whose database has no schema yet."""
    hub = Hub(read_settings({"OPENPOS_DATA": str(tmp_path / "data"), **SECRETS}), registry=fake_registry())
    yield hub
    await hub.stop()


@pytest.fixture
def run(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Writes a file and applies it, from the folder it is in."""
    monkeypatch.chdir(tmp_path)

    def applied(text: str, *, sync: bool = True) -> Awaitable[int]:
        path = Path("venues.toml")
        path.write_text(text, encoding="utf-8")
        return apply(hub, path, sync=sync)

    return applied


async def test_a_file_is_applied_and_the_menu_read(hub: Hub, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run(LINK) == 0
    assert capsys.readouterr().out.splitlines() == [
        "created    venue demo",
        "created    link demo to fake",
        "demo: reading the venue's codes",
        "demo: reading the menu",
        "demo: 1 items, the menu changed",
    ]
    assert [code.name for code in hub.database.read_now(lambda c: link_state.load_codes(c, LINK_ID))] == ["Delivery"]
    assert await run(LINK) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "demo: 1 items, the menu is as it was"


async def test_the_pos_is_not_asked_when_no_sync_is_wanted(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run(LINK, sync=False) == 0
    assert capsys.readouterr().out.splitlines() == ["created    venue demo", "created    link demo to fake"]


async def test_a_menu_from_the_file_stays_and_only_codes_are_read(
    hub: Hub, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(LINK + INSIDE) == 0
    assert capsys.readouterr().out.splitlines()[2:] == [
        "created    menu demo (1 items)",
        "demo: reading the venue's codes",
        "demo: 1 items, the menu is as it was",
    ]
    assert await hub.catalogs.sync_if_possible(LINK_ID) is False
    catalog = await hub.directory.catalog(derived_id("loc", "demo"))
    assert [item.name for item in catalog.menu.items] == ["Burger"]


async def test_a_menu_given_back_to_the_pos_is_read_from_it(
    hub: Hub, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    await run(LINK + INSIDE)
    assert await run(LINK) == 0
    assert "changed    menu demo (from now on the POS's)" in capsys.readouterr().out
    catalog = await hub.directory.catalog(derived_id("loc", "demo"))
    assert [(item.name, item.retired) for item in catalog.menu.items] == [("Soup", False), ("Burger", True)]


async def test_a_pos_that_is_away_does_not_undo_the_declaration(
    hub: Hub, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(LINK + 'mood = "away"\n') == 0
    assert capsys.readouterr().err.splitlines() == [
        "demo: fake cannot be reached now: fake: nobody answers at 127.0.0.1:9",
        "demo: what the file declares is stored; a running hub tries again every 15 minutes",
    ]
    assert len(hub.directory.links()) == 1


async def test_a_pos_that_needs_a_person_is_a_failure(hub: Hub, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run(LINK + 'mood = "refusing"\n') == 1
    assert "demo: fake did not give its menu: fake: wrong password" in capsys.readouterr().err
    assert len(hub.directory.links()) == 1


async def test_a_pos_without_a_menu_asks_for_one_in_the_file(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run(LINK.replace('"fake"', '"plain"')) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "demo: plain has no menu to read; declare one under [venues.menu]"


async def test_a_wrong_file_is_told_on_standard_error_and_touches_nothing(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(VENUE.replace("AZN", "MANAT")) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "venues.toml:5: venues[0].currency: 'MANAT' is not a currency code of ISO 4217, like EUR\n"


async def test_what_contradicts_the_hub_is_told_too(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    await run(VENUE)
    capsys.readouterr()
    assert await run(VENUE.replace('"demo"', '"other"')) == 1
    assert capsys.readouterr().err == "venues.toml:4: venues[0].order_prefix: 'DT' belongs to venue demo\n"


async def test_a_new_key_is_shown_once(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run('[[keys]]\nname = "partner"\n') == 0
    head, key, advice = capsys.readouterr().out.splitlines()
    assert head == "created    key partner"
    assert re.fullmatch(r"           sk_[\w-]{43}", key)
    assert advice == "           Copy it now: it is shown only once."
    assert await run('[[keys]]\nname = "partner"\n') == 0
    assert capsys.readouterr().out == "unchanged  key partner\n"


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The documentation's complete example as a file."""
    text = DOCUMENT.read_text("utf-8").partition("## A complete example")[2].partition("```toml\n")[2]
    path = tmp_path / "venues.toml"
    path.write_text(text.partition("```")[0], encoding="utf-8")
    return path


async def test_the_example_of_the_documentation_is_applied(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = {"CLOPOS_CLIENT_ID": "id", "CLOPOS_CLIENT_SECRET": "secret", "RESERVATIONS_KEY": "sk_" + "r" * 24}
    settings = read_settings({"OPENPOS_DATA": str(tmp_path / "data"), **secrets})
    hub = Hub(settings, registry=installed_connectors())
    try:
        assert await apply(hub, example, sync=False) == 0
    finally:
        await hub.stop()
    said = capsys.readouterr()
    assert said.err == ""
    assert [line for line in said.out.splitlines() if line.startswith("created")] == [
        "created    venue demo-restaurant",
        "created    link demo-restaurant to clopos",
        "created    venue corner-cafe",
        "created    menu corner-cafe (1 items)",
        "created    key delivery-platform",
        "created    key reservations",
    ]


def test_the_documentation_names_every_setting() -> None:
    settings = set(re.findall(r"OPENPOS_[A-Z_]+[A-Z]", (ROOT / "hub" / "settings.py").read_text("utf-8")))
    assert settings - set(re.findall(r"`(OPENPOS_[A-Z_]+)`", DOCUMENT.read_text("utf-8"))) == set()


def test_the_documentation_names_every_field_and_scope() -> None:
    source = (ROOT / "hub" / "services" / "declaration_entries.py").read_text("utf-8")
    fields = set(re.findall(r"^    (\w+): ", source, re.MULTILINE))
    words = set(re.findall(r"[\w:]+", DOCUMENT.read_text("utf-8")))
    assert fields - words == set()

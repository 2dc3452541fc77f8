"""A POS's menu is taken over, but for what nobody may order at."""

import pytest
from msgspec import structs

from hub.contract.writes import Replay
from hub.database.engine import Database
from hub.model.menu import Menu
from hub.services.catalog import Catalogs
from hub.services.directory import Directory
from tests.contract.ports import StandingClock
from tests.database.stored import LINK, PLOV
from tests.services.dispatching import OneConnector
from tests.services.scripted import ScriptedPos


class WithMenu(ScriptedPos):
    """Shows one menu."""

    def __init__(self, menu: Menu) -> None:
        super().__init__(Replay.KEYED)
        self.menu = menu

    async def fetch_menu(self) -> Menu:
        return self.menu


@pytest.mark.anyio
async def test_an_item_with_a_negative_price_is_sold_out(
    database: Database, clock: StandingClock, caplog: pytest.LogCaptureFixture
) -> None:
    directory = Directory(database)
    await directory.refresh()
    menu = Menu(
        items=(structs.replace(PLOV, id="below", price_cents=-500), structs.replace(PLOV, id="free", price_cents=0))
    )
    catalogs = Catalogs(
        database=database,
        directory=directory,
        connections=OneConnector(WithMenu(menu)),  # type: ignore[arg-type]
        clock=clock,
    )
    assert await catalogs.sync(LINK.id)
    catalog = await directory.catalog(LINK.venue_id)
    assert ("below" in catalog.orderable, "free" in catalog.orderable) == (False, True)
    assert caplog.messages == ["items with a negative price are not sold: below"]
    assert not await catalogs.sync(LINK.id)

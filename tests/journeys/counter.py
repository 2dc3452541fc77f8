"""A hub to be sent nonsense to, and the check that nothing of it is kept."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.journeys.conftest import POSTGRES, SQLITE, NewStage, Stage
from tests.journeys.site import Server, order_body, venue


class Counter:
    """The hub behind its counter, with the ids of a few dishes."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.site = stage.site
        vendor = stage.vendor()
        self.site.apply(venue(vendor.url))
        self.server: Server = self.site.serve()
        menu = self.server.menu()
        self.item = menu["Lülə kabab"]["id"]
        self.sold_out = menu["Künəfə"]["id"]
        self.with_choice = menu["Toyuq dönər dürüm"]["id"]
        groups = menu["Toyuq dönər dürüm"]["modifierGroups"]
        self.options = {option["name"]: option["id"] for group in groups for option in group["options"]}

    def body(self) -> dict[str, Any]:
        """A valid order to spoil."""
        return order_body(self.item)


@pytest.fixture(scope="module", params=[SQLITE, POSTGRES])
def counter(request: pytest.FixtureRequest, new_shared_stage: NewStage) -> Iterator[Counter]:
    stage = new_shared_stage(request.param)
    yield Counter(stage)
    stage.close()


@pytest.fixture(autouse=True)
def nothing_is_kept(counter: Counter) -> Iterator[None]:
    """After each test the tables are as before, the hub works, and its log shows no error of its own."""
    before, logged = counter.site.counts(), len(counter.site.logs())
    yield
    assert counter.site.counts() == before
    assert counter.server.client.get("/health").json() == {"status": "ok"}
    assert "Traceback" not in counter.site.logs()[logged:]

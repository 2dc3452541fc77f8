"""A fifth connector, from a package of its own, passes the contract and works; nothing under hub/ knows of it."""

import importlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from hub.contract.connector import LinkContext
from hub.contract.http import HttpProfile, VendorHttp
from hub.contract.redact import Redactor
from hub.contract.registry import installed_connectors
from hub.contract.writes import OrderWrite
from hub.model.check import Check, Line, Totals
from hub.model.order import MoneyAudit, VendorRef
from hub.model.venue import Link
from tests.connectors.clopos.linked import KEY, MARK, NOW_MS, order
from tests.contract.ports import CallList, MemoryRefs, MemoryTokens, NoPacing, StandingClock
from tests.contract.pos import PosContract, PosVendor
from tests.journeys.running import Process, new_client, plain_environment, wait_for
from tests.journeys.site import Site
from tests.ports import free_port

EXAMPLES = Path(__file__).parents[2] / "examples"
PACKAGE = EXAMPLES / "tin_till"
SECRET = "till-secret-value"


class TinTillVendor(PosVendor):
    """The till, played by a router."""

    secrets = (SECRET,)

    def __init__(self) -> None:
        self.router = respx.Router(assert_all_called=False, base_url="https://till.test")
        self.sink = CallList()
        config = {"base_url": "https://till.test", "api_key": SECRET}
        http = VendorHttp(
            HttpProfile("tin_till", "link_till", "https://till.test", 3.0, 5.0, ()),
            transport=httpx.MockTransport(self.router.async_handler),
            sink=self.sink,
            limiter=NoPacing(),
            clock=StandingClock(NOW_MS),
            redactor=Redactor(["x-api-key"], [], [SECRET]),
        )
        registration = installed_connectors().get("tin_till")
        context = LinkContext(
            link=Link(id="link_till", venue_id="loc_1", connector="tin_till", config=config),
            config=config,
            currency="EUR",
            timezone="Europe/Berlin",
            http=http,
            tables=registration.tables,
            tokens=MemoryTokens(),
            refs=MemoryRefs(),
            clock=StandingClock(NOW_MS),
        )
        self.connector = registration.pos(context)
        self.calls = self.sink.calls

    def load_order_schema(self) -> Mapping[str, Any]:
        schema: Mapping[str, Any] = json.loads(PACKAGE.joinpath("ticket_create.json").read_text("utf-8"))
        return schema

    def write(self, *, unit_cents: int = 1299, quantity: int = 2) -> OrderWrite:
        line = Line(
            uid="li_1",
            item_id="item_soup",
            name="Soup",
            quantity=quantity,
            unit_cents=unit_cents,
            gross_cents=unit_cents * quantity,
            vendor={"id": "soup"},
        )
        total = unit_cents * quantity
        check = Check(id="chk_1", lines=(line,), totals=Totals(subtotal_cents=total, total_cents=total))
        placed = order([line], checks=(check,), currency="EUR", money_audit=MoneyAudit(computed_cents=total))
        return OrderWrite(order=placed, idempotency_key=KEY, mark=MARK)

    def takes_orders(self) -> tuple[respx.Route, str]:
        return self.router.post("/tickets").respond(201, json={"id": "T7", "status": "new"}), "T7"

    def shows_order(self, *, status: str, total: str) -> VendorRef:
        content = f'{{"id": "T7", "status": "{status}", "total": {total}}}'
        self.shown = self.router.get("/tickets/T7").respond(200, content=content)
        return VendorRef(kind="order", id="T7")

    def renews_tokens(self) -> None:
        """The key never ends."""

    def order_route(self) -> respx.Route:
        return self.shown

    def lists(self, bodies: Sequence[Any]) -> None:
        rows = [{"id": f"T{7 + index}", "status": "new", "ref": body["ref"]} for index, body in enumerate(bodies)]
        self.router.get("/tickets").respond(200, json={"tickets": rows})

    def unit_price_sent(self, body: Any) -> Any:
        return body["lines"][0]["price"]

    def key_sent(self, request: httpx.Request) -> str | None:
        return request.headers.get("idempotency-key")

    def refusal(self) -> Mapping[str, Any]:
        return {"error": "the kitchen is closed"}

    def ready_for_probe(self) -> respx.Router:
        self.lists([])
        return self.router

    def changes_data(self, request: httpx.Request) -> bool:
        return request.method != "GET"


@pytest.fixture
def as_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example's package and its metadata are found, as after `pip install tin-till`."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    importlib.invalidate_caches()


class TestTinTill(PosContract):
    @pytest.fixture
    def vendor(self, as_installed: None) -> PosVendor:
        return TinTillVendor()


MENU = """
[[venues]]
slug = "corner"
name = "Corner"
order_prefix = "CO"
currency = "EUR"
timezone = "Europe/Berlin"
[venues.link]
connector = "tin_till"
[venues.link.config]
base_url = "{url}"
api_key = "env:TILL_KEY"
[venues.link.tuning]
poll_seconds = 1
[[venues.menu.categories]]
key = "all"
name = "All"
[[venues.menu.items]]
key = "soup"
name = "Soup"
category = "all"
price = 4.50
vendor = {{ id = "soup" }}

"""


@pytest.fixture
def till(tmp_path: Path) -> Iterator[str]:
    port = free_port()
    log = tmp_path / "till.log"
    with Process([str(EXAMPLES / "till_server.py"), str(port)], plain_environment(), log) as process:
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: _answers(url), f"the till answers: {process.output()}")
        yield url


def test_an_order_goes_through_a_whole_hub_and_what_the_till_does_comes_back(tmp_path: Path, till: str) -> None:
    site = Site(tmp_path / "hub")
    paths = [str(EXAMPLES), *filter(None, [os.environ.get("PYTHONPATH")])]
    site.environment_more = {"PYTHONPATH": os.pathsep.join(paths), "TILL_KEY": "till-key"}
    site.apply(MENU.format(url=till))
    server = site.serve()
    body = {
        "storeSlug": "corner",
        "items": [{"itemId": server.item_id("Soup", "corner"), "quantity": 2}],
        "orderType": "pickup",
        "customer": {"name": "Ada", "phone": "555"},
    }
    placed = server.placed(body)
    assert server.wait_until(placed["id"], "confirmed")["posOrderId"] == "T1"
    with new_client(till) as client:
        client.headers["x-api-key"] = "till-key"
        [ticket] = client.get("/tickets").json()["tickets"]
        assert [(line["sku"], line["qty"], line["price"]) for line in ticket["lines"]] == [("soup", 2, 4.5)]
        client.put("/tickets/T1/status", json={"status": "cooking"}).raise_for_status()
    wait_for(lambda: server.order(placed["id"])["status"] == "preparing", "the till's word comes back")
    site.close()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/tickets", headers={"x-api-key": "till-key"}, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False

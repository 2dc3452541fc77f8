"""A bistro whose guests come through Mozrest's sandbox: the hub in a process of its own, and the waiter beside it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from hub.app import Hub
from hub.model.ids import time_ordered_id
from hub.model.payment import Payment, PaymentMethod
from hub.model.status import Stage as OrderStage
from hub.services.changes import Asked
from hub.services.requests import LineRequest
from hub.settings import read_settings
from tests.journeys.conftest import Stage
from tests.journeys.running import wait_for
from tests.journeys.site import MOVING, Server, bearer
from tests.journeys.vendor import Vendor

SLUG = "demo-bistro"
PLACE = f"/inbound/mozrest/{SLUG}"
TABLES = tuple(f"T{number}" for number in range(1, 20))
_TUNING = {"connect_timeout_seconds": 1.0, "total_timeout_seconds": 3.0, "settle_seconds": 0.5}
_DECLARED = """
[[venues]]
slug = "demo-bistro"
name = "Demo Bistro"
order_prefix = "DB"
currency = "EUR"
timezone = "Europe/Madrid"
tables = [{tables}]
[[venues.channels]]
connector = "mozrest"
[venues.channels.config]
venue_id = "demo-bistro"
base_url = "{url}/v1/pos"
api_key = "env:MOZREST_KEY"
hub_token = "env:MOZREST_KEY"
[venues.channels.tuning]
{tuning}
[[venues.menu.categories]]
key = "food"
name = "Food"
[[venues.menu.items]]
key = "steak"
name = "Steak"
category = "food"
price = 24.95
[[venues.menu.items]]
key = "wine"
name = "Wine"
category = "food"
price = 5.10

"""


class Mozrest(Vendor):
    """Mozrest's sandbox as a process, which calls the hub at the address it is told."""

    def start(self) -> None:
        """Serves until `stop`; returns when it answers."""
        arguments = ["-m", "tests.journeys.mozrest_process", "--port", str(self._port), "--state", str(self._state)]
        self._begin([*arguments, "--clock", str(self._clock)])

    def meets(self, hub_url: str) -> None:
        """Tells it where the hub is."""
        moved = {"hub_url": f"{hub_url}{PLACE}"}
        self._client.put(f"/_sandbox/venues/{SLUG}", json=moved).raise_for_status()

    def tell(self, what: str, **wish: Any) -> dict[str, Any]:
        """A control call: `seat`, `seat-again`, `sync`, `tables`, `order`."""
        answer: dict[str, Any] = self._client.post(f"/_sandbox/{what}", json=wish).raise_for_status().json()
        return answer

    def seat(self, table: str, **wish: Any) -> dict[str, Any]:
        """Seats two guests who must be let in; gives both ids."""
        seated = self.tell("seat", tables=[table], partySize=2, **wish)
        assert seated["status"] == "open", seated
        return seated

    def view(self, pos_order_id: str) -> dict[str, Any]:
        """Its own picture of an order."""
        views = self._client.get("/_sandbox/view").json()["orders"]
        [own] = [view for view in views if view.get("posOrderId") == pos_order_id]
        return dict(own)

    def heard(self, pos_order_id: str) -> list[dict[str, Any]]:
        """Every call about an order, whatever came of it, in the order it began."""
        received = self._client.get("/_sandbox/received").json()
        return [call for call in received if pos_order_id in (call["body"] or {}).get("id", "")]

    def differences(self) -> list[dict[str, Any]]:
        """Where its picture of any order differs from the hub's, and what is wrong with the hub's answers."""
        result = self.tell("sync", each=True)
        assert result["problems"] == []
        found: list[dict[str, Any]] = result["differences"]
        return found


class Bistro:
    """Hub, sandbox, and what the waiter does at the hub."""

    def __init__(self, stage: Stage) -> None:
        self.site = stage.site
        self.site.environment_more["MOZREST_KEY"] = "sandbox-secret"
        self.mozrest = Mozrest(stage.folder / "mozrest", stage.site.clock)
        self.mozrest.start()
        tuning = "\n".join(f"{name} = {value}" for name, value in _TUNING.items())
        tables = ", ".join(f'{{ name = "{name}" }}' for name in TABLES)
        self.site.apply(_DECLARED.format(url=self.mozrest.url, tuning=tuning, tables=tables))
        self.server: Server = self.site.serve()
        self.mozrest.meets(self.server.url)
        self.items = {name: item["id"] for name, item in self.server.menu(SLUG).items()}

    def add(self, order_id: str, name: str, quantity: int = 1) -> None:
        """The waiter brings more."""
        lines = [LineRequest(item_id=self.items[name], quantity=quantity)]
        self._change(lambda hub: hub.changes.add_lines(Asked(order_id, "waiter"), lines))

    def pay(self, order_id: str, cents: int, method: PaymentMethod = PaymentMethod.CARD, tip_cents: int = 0) -> None:
        """The guest pays."""

        def paying(hub: Hub) -> Awaitable[object]:
            payment = Payment(id=hub.new_id("pay"), method=method, cents=cents, tip_cents=tip_cents)
            return hub.changes.record_payments(Asked(order_id, "waiter"), [payment])

        self._change(paying)

    def close(self, order_id: str) -> None:
        """The guest leaves."""
        self._change(lambda hub: hub.changes.set_stage(Asked(order_id, "waiter"), OrderStage.COMPLETED))

    def cancel(self, order_id: str) -> None:
        """It was a mistake."""
        self._change(lambda hub: hub.changes.cancel(Asked(order_id, "waiter"), reason="a mistake"))

    def _change(self, change: Callable[[Hub], Awaitable[object]]) -> None:
        async def session() -> None:
            hub = Hub(read_settings(self.site.environment))
            try:
                await hub.prepare()
                await change(hub)
            finally:
                await hub.stop()

        asyncio.run(session())

    def walk_in(self, table: str) -> str:
        """Guests sit down without a reservation, and the order comes in over REST."""
        body: Mapping[str, Any] = {
            "storeSlug": SLUG,
            "items": [{"itemId": self.items["Steak"], "quantity": 1}],
            "orderType": "dine_in",
            "tables": [table],
            "partySize": 3,
            "customer": {"name": "Bob", "phone": "+34600000000"},
        }
        return str(self.server.placed(body, bearer())["id"])

    def wait_until_told(self, order_id: str, seconds: float = 45.0) -> None:
        """Returns once nothing about an order waits to be told."""
        open_rows = "SELECT count(*) FROM deliveries WHERE order_id = :id AND state NOT IN ('delivered', 'dead')"

        def told() -> bool:
            return self.site.rows(open_rows, id=order_id) == [(0,)]

        wait_for(told, f"Mozrest heard all about {order_id}", seconds=seconds)
        assert self.site.rows("SELECT operation, cause FROM deliveries WHERE state = 'dead'") == []

    def state(self, order_id: str) -> str:
        """How the telling stands."""
        state = str(self.server.injection(order_id)["state"])
        assert state in (*MOVING, "confirmed")
        return state


def new_order_id() -> str:
    """An id that no order has."""
    return time_ordered_id("order", now_ms=0, random_bytes=b"0123456789")

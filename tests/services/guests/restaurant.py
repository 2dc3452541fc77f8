"""A restaurant as its front of house sees it: orders come in, and somebody asks the API about guests."""

import re
from itertools import count
from typing import Any

import httpx
import msgspec
from litestar import Litestar
from msgspec import structs
from sqlalchemy import Connection

from hub.api.operations import OPERATIONS
from hub.api.replies import framework_error
from hub.api.rest import Rest
from hub.database.engine import Database
from hub.database.order_reads import load_order
from hub.database.orders import place_orders, save_change
from hub.errors import ConfigurationError
from hub.model.ids import time_ordered_id
from hub.model.order import Customer, Order
from hub.model.status import PaymentStatus, Stage, Status
from hub.model.venue import Link, Venue
from hub.services.front_of_house import FrontOfHouse
from hub.services.keys import create_key
from hub.trace.inbound import InboundTrace
from tests.api.edges import edge
from tests.contract.ports import CallList, StandingClock
from tests.database.stored import NOW, OTHER_VENUE, VENUE, new_order
from tests.services.seating.dining_room import FLOOR, DiningRoom

ALICE = Customer(name="Alice Əliyeva", phone="+994 50 123 45 67", email="Alice@example.com")
FAMILIES = ("customers", "reservations", "waitlist", "campaigns", "segments", "insights")
KEYS = {
    "all": (("read", "write"), None),
    "demo": (("read", "write"), VENUE.id),
    "other": (("read", "write"), OTHER_VENUE.id),
    "reader": (("read",), None),
    "orders": (("orders:read", "orders:write"), None),
    "guests": (("customers:read",), None),
}


def keeps_its_shape(method: str, path: str, answer: httpx.Response) -> None:
    """The answer has the status and the shape that the operation says."""
    bare = path.partition("?")[0]
    for operation in OPERATIONS:
        pattern = re.sub(r"{\w+:str}", "[^/]+", operation.path)
        if operation.method == method and re.fullmatch(pattern, bare):
            assert answer.status_code == operation.success
            assert operation.answer is not None
            msgspec.json.decode(answer.content, type=operation.answer)
            return
    raise AssertionError(f"no operation {method} {bare}")


class NoPos:
    """No link works."""

    def __init__(self) -> None:
        self.connectors: dict[str, Any] = {}

    def pos(self, link_id: str) -> Any:
        if link_id not in self.connectors:
            raise ConfigurationError("this link is not set up")
        return self.connectors[link_id]


class Restaurant:
    """Everything wired, with the API in front."""

    def __init__(self, database: Database, clock: StandingClock, *, process: int = 1) -> None:
        self.database, self.clock = database, clock
        self.room = DiningRoom(database, clock, process=process)
        self.directory = self.room.directory
        self.connections = NoPos()
        self._numbers = count(process * 1_000_000)
        self.sink = CallList()
        self.front = FrontOfHouse(
            database=database,
            calls_database=database,
            directory=self.directory,
            connections=self.connections,  # type: ignore[arg-type]
            seating=self.room.seating,
            clock=clock,
            new_id=self.new_id,
        )
        web = Litestar(
            route_handlers=Rest(self, InboundTrace(self.sink), max_body_bytes=100_000).routes(  # type: ignore[arg-type]
                [operation for operation in OPERATIONS if operation.path.split("/")[1] in FAMILIES]
            ),
            exception_handlers={Exception: framework_error},
            openapi_config=None,
            logging_config=None,
        )
        self._app = edge(web, self.directory, clock=clock)

    def now_ms(self) -> int:
        return self.clock.now_ms()

    def new_id(self, prefix: str) -> str:
        number = next(self._numbers).to_bytes(10, "big")
        return time_ordered_id(prefix, now_ms=self.clock.now_ms(), random_bytes=number)

    async def open(self, *channels: Link, venue: Venue = VENUE, tables: Any = FLOOR) -> "Restaurant":
        """Declares tables, channels (none, unless named) and keys."""

        def unit(connection: Connection) -> None:
            for name, (scopes, venue_id) in KEYS.items():
                create_key(
                    connection,
                    name=name,
                    scopes=scopes,
                    venue_id=venue_id,
                    secret=name.ljust(30, "x"),
                    new_id=self.new_id,
                    now_ms=NOW,
                )

        self.database.run_now(unit)
        owned = venue if channels else structs.replace(venue, seating="hub")
        await self.room.open_doors(*channels, venue=owned, tables=tables)
        return self

    async def call(
        self, method: str, path: str, body: Any = None, *, key: str = "all", **headers: str
    ) -> httpx.Response:
        """One call of the API with one of the keys."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if key:
            named["Authorization"] = f"Bearer sk_{key.ljust(30, 'x')}"
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False, client=("203.0.113.5", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
            answer = await client.request(method, f"/api/v1{path}", json=body, headers=named)
        if answer.is_success:
            keeps_its_shape(method, path, answer)
        return answer

    async def get(self, path: str, **values: Any) -> Any:
        """What is read; it must work."""
        answer = await self.call("GET", path, **values)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def customers(self, query: str = "", **values: Any) -> list[dict[str, Any]]:
        """The guests a search finds."""
        found: list[dict[str, Any]] = (await self.get(f"/customers?query={query}", **values))["customers"]
        return found

    def order(self, customer: Customer | None = ALICE, *, venue: Venue = VENUE, **values: Any) -> Order:
        """An order of one plov (18.00) comes in now."""
        now_ms = self.clock.now_ms()
        item = new_order(venue=venue, link=None, at_ms=now_ms, catalog_version=1 if venue is VENUE else 0)
        order = structs.replace(item.order, id=self.new_id("order"), customer=customer, **values)
        self.database.run_now(lambda c: place_orders(c, [structs.replace(item, order=order)]))
        return order

    def change(self, order: Order, **values: Any) -> Order:
        """The order changes now."""

        def unit(connection: Connection) -> Order:
            record = load_order(connection, order.id)
            assert record is not None
            after = structs.replace(record.order, **{"updated_at_ms": self.clock.now_ms(), **values})
            words = {"event_id": self.new_id("evt"), "kind": "changed", "actor": "tester", "detail": ""}
            saved = save_change(connection, record.order, after, **words)
            assert saved is not None
            return saved

        return self.database.run_now(unit)

    def close(self, order: Order, **values: Any) -> Order:
        """The order is paid and closed now."""
        paid = {"status": Status.CLOSED, "stage": Stage.COMPLETED, "payment_status": PaymentStatus.PAID}
        return self.change(order, **{**paid, **values})

    def eats(self, customer: Customer | None = ALICE, **values: Any) -> Order:
        """An order comes in and is closed."""
        return self.close(self.order(customer, **values))

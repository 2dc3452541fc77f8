"""Finding and holding orders over the API: who may, what is asked, and what the trace keeps of it."""

import json
from typing import Any

import pytest

from hub.api.operation import Reply, Request
from hub.api.operations.orders_archive import OPERATIONS, HoldBody, hold_order, list_orders, release_order
from hub.database.archive import Page, Position
from hub.errors import Forbidden, InvalidRequest, NotFound
from hub.model.archive import Hold, Search
from hub.model.order import Order, OrderRecord
from hub.model.status import Stage, Status
from hub.services.requests import Caller
from tests.api.test_rest import Face
from tests.database.stored import NOW, OTHER_VENUE, VENUE, order_of

pytestmark = pytest.mark.anyio
PARAMETERS = OPERATIONS[0].query


class House:
    """Services that know one order, and note what they are asked."""

    def __init__(self) -> None:
        self.order = order_of()
        self.searches: list[tuple[Search, str, int]] = []
        self.held: list[tuple[str, str]] = []

    @property
    def directory(self) -> "House":
        return self

    @property
    def archive(self) -> "House":
        return self

    @property
    def orders(self) -> "House":
        return self

    def venue(self, slug_or_id: str) -> Any:
        for venue in (VENUE, OTHER_VENUE):
            if slug_or_id in (venue.id, venue.slug):
                return venue
        raise NotFound("there is no such store")

    async def page(self, search: Search, *, after: str, limit: int) -> Page:
        self.searches.append((search, after, limit))
        return Page(records=[OrderRecord(order=self.order)], next=Position(self.order.id), examined=1)

    async def load(self, _id: str) -> OrderRecord:
        return OrderRecord(order=self.order)

    async def hold(self, order: Order, *, reason: str, actor: str) -> Hold:
        self.held.append((reason, actor))
        return Hold(order_id=order.id, reason=reason, actor=actor, since_ms=NOW)

    async def release(self, order: Order, *, actor: str) -> None:
        self.held.append(("", actor))


def caller(venue_id: str | None = None) -> Caller:
    return Caller(id="key_1", name="partner", scopes=frozenset({"read", "write"}), venue_id=venue_id)


def request(venue_id: str | None = None, body: Any = None, **query: str) -> Request:
    known = dict.fromkeys(PARAMETERS, "")
    assert set(query) <= set(known)
    return Request(caller=caller(venue_id), path={"order": "DT-001"}, query=known | query, body=body)


async def search(house: House, venue_id: str | None = None, **query: str) -> Search:
    await list_orders(house, request(venue_id, **query))  # type: ignore[arg-type]
    return house.searches[-1][0]


def content(reply: Reply) -> Any:
    return json.loads(reply.content)


async def test_a_page_shows_orders_with_their_guests_and_leads_to_the_next() -> None:
    house = House()
    reply = await list_orders(house, request(cursor="order_x", limit="7"))  # type: ignore[arg-type]
    shown = content(reply)
    assert [order["id"] for order in shown["orders"]] == [house.order.id]
    assert "customer" in shown["orders"][0]
    assert shown["nextCursor"] == house.order.id
    assert house.searches == [(Search(), "order_x", 7)]
    assert reply.order_id == ""


async def test_every_filter_is_understood() -> None:
    house = House()
    asked = {"storeSlug": "demo", "status": "ready", "from": "2026-11-18T11:06:40Z", "to": "2026-11-18T12:06:40+01:00"}
    asked |= {"closedFrom": "1970-01-01T00:00:01Z", "closedTo": "1970-01-01T00:00:02Z", "table": " T1 "}
    asked |= {"number": "DT-001", "ref": "4711", "externalId": "E", "guest": "Ali", "held": "true"}
    assert await search(house, **asked) == Search(
        venue_id=VENUE.id,
        stage=Stage.READY,
        created_from_ms=NOW,
        created_before_ms=NOW,
        closed_from_ms=1000,
        closed_before_ms=2000,
        number="DT-001",
        ref="4711",
        external_id="E",
        table="T1",
        guest="Ali",
        held=True,
    )
    assert await search(house, status="void") == Search(status=Status.VOID)
    assert await search(house, locationId=OTHER_VENUE.id) == Search(venue_id=OTHER_VENUE.id)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "lost"),
        ("from", "yesterday"),
        ("to", "2026-11-18T11:06:40"),
        ("closedFrom", "0"),
        ("closedTo", "x"),
        ("guest", "x" * 201),
        ("table", "T\x00"),
        ("held", "yes"),
        ("limit", "many"),
        ("limit", "-1"),
        ("limit", "99999999999999999999"),
    ],
)
async def test_a_filter_that_cannot_be_understood_is_named(name: str, value: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await list_orders(House(), request(**{name: value}))  # type: ignore[arg-type]
    assert refused.value.field == name


async def test_a_key_of_one_store_finds_the_orders_of_that_store_only() -> None:
    house = House()
    assert await search(house, OTHER_VENUE.id) == Search(venue_id=OTHER_VENUE.id)
    assert await search(house, OTHER_VENUE.id, storeSlug="other") == Search(venue_id=OTHER_VENUE.id)
    with pytest.raises(Forbidden):
        await search(house, OTHER_VENUE.id, storeSlug="demo")
    body = HoldBody("case 7")
    for handler in (hold_order, release_order):
        with pytest.raises(Forbidden):
            await handler(house, request(OTHER_VENUE.id, body))  # type: ignore[arg-type]
    assert house.held == []


async def test_an_order_is_held_and_released_by_name() -> None:
    house = House()
    reply = await hold_order(house, request(body=HoldBody("case 7")))  # type: ignore[arg-type]
    assert content(reply)["hold"] == {
        "orderId": house.order.id,
        "orderNumber": "",
        "reason": "case 7",
        "heldBy": "partner",
        "since": "2026-11-18T11:06:40Z",
    }
    released = await release_order(house, request())  # type: ignore[arg-type]
    assert content(released) == {"hold": None}
    assert (reply.order_id, released.order_id) == (house.order.id, house.order.id)
    assert house.held == [("case 7", "partner"), ("", "partner")]


async def test_nobody_finds_or_holds_orders_without_a_key() -> None:
    assert {operation.name: (operation.scope, operation.anonymous) for operation in OPERATIONS} == {
        "list_orders": ("orders:read", False),
        "hold_order": ("orders:write", False),
        "release_order": ("orders:write", False),
    }


async def test_the_trace_keeps_neither_query_nor_answer_of_a_search() -> None:
    async def found(services: Any, request: Request) -> Reply:
        return Reply('{"orders": ["Alice"]}')

    face = Face(found, of_many=True)
    answer = await face.call("GET", "/api/v1/things/1?page=Alice", authorization="Bearer sk_reader")
    assert answer.json() == {"orders": ["Alice"]}
    [call] = face.sink.calls
    assert (call.url, call.response_body, call.status) == ("/api/v1/things/1", "", 200)

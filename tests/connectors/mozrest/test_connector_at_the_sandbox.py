"""The connector and the sandbox call each other over real sockets: they were written apart, from the documentation."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from msgspec import structs

from hub.contract.http import new_transport
from hub.contract.inbound import (
    CommandResult,
    GetTab,
    InboundRequest,
    ListTables,
    OpenTab,
    Tab,
    TablesResult,
    TabResult,
    TabsResult,
)
from hub.contract.sandbox import serving
from hub.contract.writes import Verdict
from hub.errors import Conflict, HubError, NotFound, OutcomeUnknown, VendorAuthFailed, VendorRejected
from hub.model.check import Check
from hub.model.order import Order, Origin, VendorRef
from hub.model.payment import Payment, PaymentMethod
from hub.model.status import Status
from hub.model.table import Table
from hub.services.channels import find_route
from tests.connectors.mozrest.linked import ORDER_ID, LinkedMozrest, check, line, order, write
from tests.connectors.mozrest.sandbox_play import VENUE, Play, playing

pytestmark = pytest.mark.anyio

KEYS = {"venue_id": VENUE, "api_key": "sandbox-secret", "hub_token": "pos-token"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Tabs:
    """A hub that keeps its orders in memory and lets the connector do the talking."""

    def __init__(self) -> None:
        self.linked: LinkedMozrest
        self.orders: dict[str, Order] = {}

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        connector = self.linked.connector
        try:
            found = find_route(connector.routes, request.method, request.path)
            headers = {name.lower(): value for name, value in request.headers.items()}
            call = InboundRequest(found.route, found.parts, dict(request.query), headers)
            connector.authenticate(call)
            command = connector.parse(replace(call, body=await request.read()))
            reply = connector.render(command, self._carry_out(command))
        except HubError as problem:
            reply = connector.render_error(problem)
        return web.Response(status=reply.status, body=reply.body, headers=dict(reply.headers))

    def _carry_out(self, command: Any) -> CommandResult:
        if isinstance(command, ListTables):
            return TablesResult([Table(id=f"tbl_{number}", name=f"T{number}") for number in range(1, 20)])
        if isinstance(command, OpenTab):
            return TabResult(Tab(order=self._open(command), channel_order_id=command.channel_order_id))
        if isinstance(command, GetTab):
            if command.order_id not in self.orders:
                raise NotFound("there is no such order")
            return TabResult(Tab(order=self.orders[command.order_id]))
        return TabsResult([Tab(order=one) for one in self.orders.values()])

    def _open(self, wanted: OpenTab) -> Order:
        for one in self.orders.values():
            if one.origin.order_id == wanted.channel_order_id:
                return one
            if set(one.tables) & set(wanted.tables):
                raise Conflict(f"table {wanted.tables[0]} is occupied", code="TABLE_OCCUPIED")
        number = len(self.orders) + 1
        opened = order(
            check(),
            id=f"{ORDER_ID[:-1]}{number}",
            number=f"DT-00{number}",
            tables=wanted.tables,
            party_size=wanted.party_size,
            customer=wanted.customer,
            origin=Origin(system="mozrest", order_id=wanted.channel_order_id),
        )
        self.orders[opened.id] = opened
        return opened

    def change(self, order_id: str, *checks: Check, status: Status = Status.OPEN) -> Order:
        """The order with these checks from now on."""
        self.orders[order_id] = structs.replace(self.orders[order_id], checks=checks, status=status)
        return self.orders[order_id]


class Bistro:
    """Sandbox and connector, each knowing the other's address."""

    def __init__(self, play: Play, tabs: Tabs, linked: LinkedMozrest) -> None:
        self.play = play
        self.tabs = tabs
        self.linked = linked
        self.connector = linked.connector

    async def seat(self, **wish: Any) -> str:
        """Seats two guests; gives our order id."""
        seated = await self.play.seated(**wish)
        assert seated["answers"][0]["problems"] == [], seated
        order_id: str = seated["posOrderId"]
        return order_id

    async def differences(self) -> list[Any]:
        """Where the two differ, and what Mozrest finds wrong with our answers."""
        result = await self.play.control("POST", "sync", {"each": True})
        return [*result["problems"], *result["differences"]]


@pytest.fixture
async def bistro() -> AsyncIterator[Bistro]:
    tabs, transport = Tabs(), new_transport()
    async with serving(tabs.app()) as hub_url, playing() as play:
        await play.control("PUT", f"venues/{VENUE}", {"hub_url": hub_url})
        base_url = f"{play.client.base_url}".rstrip("/") + "/v1/pos"
        tabs.linked = LinkedMozrest({**KEYS, "base_url": base_url}, transport=transport)
        yield Bistro(play, tabs, tabs.linked)
    await transport.aclose()


async def test_tables_are_listed_as_mozrest_reads_them(bistro: Bistro) -> None:
    listed = await bistro.play.control("POST", "tables")
    assert (listed["kept"], listed["problems"], listed["body"][0]) == (True, [], {"id": "T1", "name": "T1"})


async def test_an_evening_at_one_table(bistro: Bistro) -> None:
    await bistro.play.control("POST", "tables")
    order_id = await bistro.seat(guestName="John Doe", guestTelephone="34646883377", prepayment=50.0)
    assert await bistro.differences() == []
    ordered = check(line(4000, 2), line(7000, 1, uid="li_2", name="Wine"))
    result = await bistro.connector.push_changed(write(bistro.tabs.change(order_id, ordered)))
    assert result.ref == VendorRef(kind="order", id="moz-1")
    assert await bistro.differences() == []
    split = structs.replace(ordered, id="check_2", lines=ordered.lines[1:], totals=check(ordered.lines[1]).totals)
    first = structs.replace(ordered, lines=ordered.lines[:1], totals=check(ordered.lines[0]).totals)
    await bistro.connector.push_changed(write(bistro.tabs.change(order_id, first, split)))
    assert await bistro.differences() == []
    paid = tuple(
        structs.replace(
            one,
            status=Status.CLOSED,
            payments=(Payment(id="p", method=PaymentMethod.CASH, cents=one.totals.total_cents, tip_cents=100),),
        )
        for one in (first, split)
    )
    await bistro.connector.push_closed(write(bistro.tabs.change(order_id, *paid, status=Status.CLOSED)))
    await bistro.connector.push_closed(write(bistro.tabs.orders[order_id]))
    assert await bistro.differences() == []
    [view] = await bistro.play.view()
    assert (view["status"], view["warnings"], len(view["payments"])) == ("closed", [], 2)


async def test_a_void_order_by_both_ways(bistro: Bistro) -> None:
    for void_by in ("void", "update"):
        config = {**bistro.linked.context.config, "void_by": void_by}
        connector = LinkedMozrest(config, transport=bistro.linked.context.http._transport).connector
        order_id = await bistro.seat(tables=[f"T{len(bistro.tabs.orders) + 1}"])
        void = check(line(), status=Status.VOID)
        await connector.push_void(write(bistro.tabs.change(order_id, void, status=Status.VOID)))
    assert await bistro.differences() == []
    views = await bistro.play.view()
    assert [(view["status"], view["checks"][0]["status"], view["warnings"]) for view in views] == [
        ("closed", "void", [])
    ] * 2


async def test_a_lost_walk_in_is_found_and_told_once(bistro: Bistro) -> None:
    walk_in = order(origin=Origin(system="api"), customer=None)
    bistro.tabs.orders[ORDER_ID] = walk_in
    told = write(walk_in, ref=None)
    assert (await bistro.connector.find_order(told, since_ms=0)).verdict is Verdict.ABSENT
    await bistro.play.control("PUT", "faults", [{"fault": "drop_after", "operation": "open_order", "times": 1}])
    with pytest.raises(OutcomeUnknown):
        await bistro.connector.push_opened(told)
    found = await bistro.connector.find_order(told, since_ms=0)
    assert (found.verdict, found.ref) == (Verdict.FOUND, VendorRef(kind="order", id="moz-1"))
    assert await bistro.differences() == []


async def test_a_table_that_is_taken_is_409_in_the_documented_shape(bistro: Bistro) -> None:
    await bistro.seat()
    refused = await bistro.play.seated(guestName="Second")
    assert (refused["status"], refused["answers"][0]["status"], refused["answers"][0]["problems"]) == (
        "refused",
        409,
        [],
    )


async def test_mozrests_own_refusals_are_understood(bistro: Bistro) -> None:
    order_id = await bistro.seat()
    changed = bistro.tabs.change(order_id, check(line()))
    await bistro.connector.push_closed(write(bistro.tabs.change(order_id, check(line()), status=Status.CLOSED)))
    with pytest.raises(VendorRejected, match=r"HTTP 409, Order is closed: for Mozrest order DT-001 has ended"):
        await bistro.connector.push_changed(write(structs.replace(changed, party_size=9)))
    with pytest.raises(VendorRejected, match=r"HTTP 404, Order not found"):
        await bistro.connector.push_changed(write(order(id="order_x")))
    wrong = LinkedMozrest(
        {**bistro.linked.context.config, "api_key": "wrong-key"}, transport=bistro.linked.context.http._transport
    )
    with pytest.raises(VendorAuthFailed):
        await wrong.connector.push_changed(write(changed))


async def test_a_probe_needs_nothing_but_the_key_and_leaves_nothing_behind(bistro: Bistro) -> None:
    (step,) = await bistro.connector.probe()
    assert step.ok
    assert await bistro.play.view() == []

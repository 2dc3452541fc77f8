"""A restaurant with a running sandbox behind a real socket, and the hub's links to it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
from msgspec import structs

from connectors.desktop_kitchen.sandbox import DesktopKitchenSandbox, Options
from hub.contract.http import new_transport
from hub.contract.sandbox import serving
from hub.contract.writes import OrderWrite
from hub.model.change import PaymentChange
from hub.model.check import Check, Line, Modifier, Totals
from hub.model.menu import Item
from hub.model.payment import Payment, PaymentMethod
from tests.connectors.clopos.conftest import FakeClock
from tests.connectors.desktop_kitchen.linked import LinkedKitchen, order, write

CONFIG: Mapping[str, Any] = {"tenant": "taqueria-el-faro", "pin": "sandbox-secret"}


class Restaurant:
    """A link to a running sandbox; both see the same time."""

    def __init__(self, url: str, transport: Any, clock: FakeClock) -> None:
        self.url = url
        self.clock = clock
        self._transport = transport
        self.linked = self.link()
        self.connector = self.linked.connector

    def link(self, config: Mapping[str, Any] = CONFIG, **values: Any) -> LinkedKitchen:
        """One more link to the same sandbox."""
        linked = LinkedKitchen(config, token="", transport=self._transport, base_url=f"{self.url}/api", **values)
        linked.clock.advance(int(self.clock().timestamp()) - linked.clock.now_ms() // 1000)
        return linked

    def advance(self, *links: LinkedKitchen, seconds: int) -> None:
        """Moves the time of the sandbox and of links."""
        self.clock.advance(seconds=seconds)
        for linked in links or (self.linked,):
            linked.clock.advance(seconds)

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client:
            answer = await client.request(method, f"/_sandbox{path}", json=body)
            return answer.raise_for_status().json() if answer.content else None

    async def fail(self, *rules: dict[str, Any]) -> None:
        await self.control("PUT", "/faults", list(rules))

    async def kitchen(self) -> list[dict[str, Any]]:
        """Every ticket the kitchen ever saw."""
        tickets: list[dict[str, Any]] = await self.control("GET", "/kitchen")
        return tickets

    async def item(self, vendor_id: int) -> Item:
        return next(one for one in (await self.connector.fetch_menu()).items if one.vendor["id"] == vendor_id)

    async def request(self, *lines: Line, **changes: Any) -> OrderWrite:
        """Two tortas with cheese and a flan, priced from the menu as the hub does it, or other lines."""
        lines = lines or (await self.line(4, 2, 1), await self.line(19, 1))
        goods = sum(line.gross_cents for line in lines)
        check = Check(id="chk_1", lines=lines, totals=Totals(subtotal_cents=goods, total_cents=goods))
        placed = order(checks=(check,), computed_cents=goods, **changes)
        return write(structs.replace(placed, created_at_ms=self.linked.clock.now_ms()))

    async def line(self, vendor_id: int, quantity: int, *modifier_ids: int) -> Line:
        item = await self.item(vendor_id)
        options = [one for group in item.modifier_groups for one in group.options if one.vendor["id"] in modifier_ids]
        assert len(options) == len(modifier_ids)
        modifiers = tuple(
            Modifier(modifier_id=one.id, group_id="g", name=one.name, unit_cents=one.price_cents, vendor=one.vendor)
            for one in options
        )
        each = item.price_cents + sum(one.price_cents for one in options)
        return Line(
            uid=f"li_{vendor_id}",
            item_id=item.id,
            name=item.name,
            quantity=quantity,
            unit_cents=item.price_cents,
            gross_cents=each * quantity,
            modifiers=modifiers,
            vendor=item.vendor,
        )


@asynccontextmanager
async def opened(**options: Any) -> AsyncIterator[Restaurant]:
    clock = FakeClock()
    sandbox, transport = DesktopKitchenSandbox(clock=clock, options=Options(**options)), new_transport()
    async with serving(sandbox.app()) as url:
        yield Restaurant(url, transport, clock)
        await transport.aclose()
    sandbox.close()


async def placed(restaurant: Restaurant, request: OrderWrite) -> OrderWrite:
    """The same request once it was submitted, with the vendor's id."""
    return structs.replace(request, ref=(await restaurant.connector.submit_order(request)).ref)


def paying(request: OrderWrite, *payments: Payment) -> OrderWrite:
    return structs.replace(request, change=PaymentChange(check_id="chk_1", payments=payments))


def by(method: PaymentMethod, cents: int = 34000, **values: Any) -> Payment:
    return Payment(id=f"pay_{method}", method=method, cents=cents, **values)

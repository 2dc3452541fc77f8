"""The connector against the sandbox, over a real socket: the two were written apart, from the documentation alone."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest
from msgspec import structs

from connectors.clopos.sandbox import CloposSandbox
from hub.contract.http import new_transport
from hub.contract.sandbox import serving
from hub.contract.writes import OrderWrite, Verdict
from hub.errors import OutcomeUnknown, VendorRejected
from hub.model.check import Check, Discount, Line, Modifier, Totals
from hub.model.order import Customer, VendorRef
from hub.model.status import OrderType, Stage
from tests.connectors.clopos.conftest import FakeClock
from tests.connectors.clopos.linked import LINK_ID, LinkedClopos, order, write

pytestmark = pytest.mark.anyio

CREDENTIALS: Mapping[str, Any] = {
    "brand": "openapitest",
    "venue_id": 1,
    "client_id": "sandbox-client",
    "client_secret": "sandbox-secret",
    "default_customer_id": 9,
}
V2_CREDENTIALS = {**CREDENTIALS, "dialect": "v2", "integrator_id": "sandbox-integrator"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Restaurant:
    """A link to a running sandbox; both see the same time."""

    def __init__(self, url: str, transport: Any, config: Mapping[str, Any], clock: FakeClock) -> None:
        self.url = url
        self.linked = LinkedClopos(config, token="", transport=transport, base_url=f"{url}/open-api")
        self.linked.clock.advance(int(clock().timestamp()) - self.linked.clock.now_ms() // 1000)
        self.connector = self.linked.connector

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client:
            answer = await client.request(method, f"/_sandbox{path}", json=body)
            return answer.raise_for_status().json() if answer.content else None

    async def order_from_the_menu(self, **changes: Any) -> OrderWrite:
        """The documentation's order, priced from the menu as the hub does it."""
        menu = await self.connector.fetch_menu()
        item = next(one for one in menu.items if one.vendor["product"]["id"] == 1)
        options = [one for group in item.modifier_groups for one in group.options if one.vendor["id"] in (187, 201)]
        modifiers = tuple(
            Modifier(modifier_id=one.id, group_id="g", name=one.name, unit_cents=one.price_cents, vendor=one.vendor)
            for one in options
        )
        gross = item.price_cents + sum(one.price_cents for one in options)
        line = Line(
            uid="li_1",
            item_id=item.id,
            name=item.name,
            quantity=1,
            unit_cents=item.price_cents,
            gross_cents=gross,
            modifiers=modifiers,
            vendor=item.vendor,
        )
        check = Check(
            id="check_1",
            lines=(line,),
            discounts=(Discount(type="percent", value="10", cents=180),),
            totals=Totals(subtotal_cents=gross, discount_cents=180, total_cents=gross - 180),
        )
        now_ms = self.linked.clock.now_ms()
        return write(structs.replace(order(check=check), created_at_ms=now_ms, **changes))


@pytest.fixture(params=[CREDENTIALS, V2_CREDENTIALS], ids=["v1", "v2"])
async def restaurant(request: Any, clock: FakeClock) -> AsyncIterator[Restaurant]:
    sandbox, transport = CloposSandbox(clock=clock), new_transport()
    async with serving(sandbox.app()) as url:
        yield Restaurant(url, transport, request.param, clock)
        await transport.aclose()
    sandbox.close()


async def test_everything_a_link_needs_is_there(restaurant: Restaurant) -> None:
    assert [(step.name, step.ok) for step in await restaurant.connector.probe()] == [
        ("credentials", True),
        ("venue", True),
        ("sale types", True),
        ("products", True),
        ("orders", True),
    ]


@pytest.mark.parametrize(
    ("customer", "order_type"),
    [
        (Customer(name="Rahid Akhundzada", phone="+994705401040"), OrderType.DELIVERY),
        (Customer(name="Nərgiz", phone="+994 50 111 22 33"), OrderType.PICKUP),
        (None, OrderType.DINE_IN),
    ],
)
async def test_an_order_is_taken_read_back_and_found(
    restaurant: Restaurant, customer: Customer | None, order_type: OrderType
) -> None:
    request = await restaurant.order_from_the_menu(customer=customer, order_type=order_type)
    ref = (await restaurant.connector.submit_order(request)).ref
    assert ref is not None
    told = await restaurant.connector.fetch_order(ref)
    assert (told.stage, told.mark, told.order_type) == (Stage.RECEIVED, request.mark, order_type)
    assert told.total_cents in (1620, None), "v2 shows no total"
    found = await restaurant.connector.find_order(request, since_ms=request.order.created_at_ms)
    assert (found.verdict, found.ref) == (Verdict.FOUND, ref)


async def test_an_order_whose_answer_was_lost_is_found_again(restaurant: Restaurant) -> None:
    request = await restaurant.order_from_the_menu()
    await restaurant.control("PUT", "/faults", [{"fault": "drop_after", "operation": "create_order", "times": 1}])
    with pytest.raises(OutcomeUnknown):
        await restaurant.connector.submit_order(request)
    found = await restaurant.connector.find_order(request, since_ms=request.order.created_at_ms)
    assert (found.verdict, found.ref) == (Verdict.FOUND, VendorRef(kind="order", id="1"))


async def test_an_order_that_was_lost_on_its_way_is_absent(restaurant: Restaurant) -> None:
    request = await restaurant.order_from_the_menu()
    await restaurant.control("PUT", "/faults", [{"fault": "drop_before", "operation": "create_order", "times": 1}])
    with pytest.raises(OutcomeUnknown):
        await restaurant.connector.submit_order(request)
    found = await restaurant.connector.find_order(request, since_ms=request.order.created_at_ms)
    assert found.verdict is Verdict.ABSENT


async def test_v1_takes_the_same_order_with_the_same_key_once(restaurant: Restaurant) -> None:
    request = await restaurant.order_from_the_menu()
    refs = [(await restaurant.connector.submit_order(request)).ref for _ in range(2)]
    same = restaurant.linked.prefix == ""
    assert (refs[0] == refs[1]) is same


async def test_an_order_is_cancelled_until_the_clerk_has_taken_it(restaurant: Restaurant) -> None:
    request = await restaurant.order_from_the_menu()
    for status, cancelled in (("accept", False), (None, True)):
        ref = (await restaurant.connector.submit_order(structs.replace(request, idempotency_key=f"key-{status}"))).ref
        assert ref is not None
        if status:
            await restaurant.control("POST", f"/orders/{ref.id}/status", {"status": status})
        try:
            await restaurant.connector.cancel_order(structs.replace(request, ref=ref))
        except VendorRejected:
            assert not cancelled
        stage = (await restaurant.connector.fetch_order(ref)).stage
        assert stage is (Stage.CANCELLED if cancelled else Stage.ACCEPTED)


async def test_an_expired_token_is_renewed_without_anybody_noticing(restaurant: Restaurant) -> None:
    await restaurant.connector.probe()
    restaurant.linked.tokens.tokens[LINK_ID] = ("oauth_nobody_issued_this", restaurant.linked.clock.now_ms() * 2)
    request = await restaurant.order_from_the_menu()
    assert (await restaurant.connector.submit_order(request)).ref is not None

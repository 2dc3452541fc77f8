"""What a link does besides orders, at the sandbox: menu, office, logins, both servers, limits."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import structs

from hub.contract.registry import installed_connectors
from hub.database.engine import Database
from hub.database.migrate import migrate
from hub.errors import (
    OutcomeUnknown,
    VendorAuthFailed,
    VendorMalformed,
    VendorRateLimited,
    VendorRejected,
)
from hub.model.change import StageChange
from hub.model.menu import Item
from hub.model.order import VendorRef
from hub.model.payment import PaymentMethod
from hub.model.status import Stage
from hub.services.pacing import Pacing
from tests.connectors.desktop_kitchen.restaurant import CONFIG, Restaurant, by, opened, paying, placed
from tests.contract.ports import StandingClock
from tests.database.stored import NOW

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened_database = Database(f"sqlite:///{tmp_path / 'hub.sqlite'}", durable=False)
    opened_database.run_now(migrate)
    yield opened_database
    opened_database.close_now()


@pytest.fixture
async def restaurant() -> AsyncIterator[Restaurant]:
    async with opened() as restaurant:
        yield restaurant


async def test_an_item_is_switched_off_and_on_and_hands_that_want_the_same_agree(restaurant: Restaurant) -> None:
    torta = await restaurant.item(4)
    for available in (False, False, True):
        await restaurant.connector.set_item_availability(torta, available=available)
        assert (await restaurant.item(4)).available is available
    hands = [restaurant.link().connector for _ in range(3)]
    results = await asyncio.gather(
        *[hand.set_item_availability(torta, available=False) for hand in hands], return_exceptions=True
    )
    # They may undo each other's flips; each either sees it off or says that somebody else keeps switching.
    assert all(result is None or isinstance(result, VendorRejected) for result in results)
    assert any(result is None for result in results)


async def test_a_lost_flip_is_seen_to_have_happened(restaurant: Restaurant) -> None:
    torta = await restaurant.item(4)
    await restaurant.fail({"fault": "drop_after", "path": "*/toggle", "times": 1})
    await restaurant.connector.set_item_availability(torta, available=False)
    await restaurant.fail({"fault": "drop_before", "path": "*/toggle", "times": 1})
    with pytest.raises(OutcomeUnknown):
        await restaurant.connector.set_item_availability(torta, available=True)
    assert not (await restaurant.item(4)).available


async def test_the_menu_is_kept_from_here(restaurant: Restaurant) -> None:
    taco = await restaurant.item(1)
    assert [(group.name, group.min_select, group.max_select) for group in taco.modifier_groups] == [
        ("Salsas", 0, 2),
        ("Tortilla", 1, 1),
    ]
    new = Item(id="", name="Taco de Canasta", price_cents=2550, category_id=taco.category_id)
    saved = await restaurant.connector.save_menu_item(new)
    changed = structs.replace(saved, price_cents=2675)
    assert (await restaurant.connector.save_menu_item(changed)).id == saved.id
    menu = {item.id: item for item in (await restaurant.connector.fetch_menu()).items}
    assert (menu[saved.id].name, menu[saved.id].price_cents) == ("Taco de Canasta", 2675)


async def test_the_office_is_read_and_the_stock_kept(restaurant: Restaurant) -> None:
    connector = restaurant.connector
    assert [guest.customer.name for guest in await connector.search_customers("5555509876")] == ["Beto Núñez"]
    assert [one.name for one in await connector.fetch_delivery_platforms() if one.active] == ["Uber Eats", "Rappi"]
    await connector.set_stock("2", quantity="7.25")
    assert {one.id: one.quantity for one in await connector.fetch_stock()}["2"] == "7.25"
    request = await placed(restaurant, await restaurant.request())
    await connector.record_payment(paying(request, by(PaymentMethod.CARD)))
    report = await connector.fetch_sales_report("daily")
    assert (report.orders, report.revenue_cents, report.tax_cents) == (1, 29310, 4690)
    best = await connector.fetch_item_report("daily")
    assert [(one.name, one.quantity, one.revenue_cents) for one in best] == [
        ("Torta Cubana", 2, 29000),
        ("Flan de Cajeta", 1, 5000),
    ]
    assert "sandbox-uber" not in str(restaurant.linked.sink.calls)


async def test_the_documentation_s_server_is_met_with_the_documentation_s_settings() -> None:
    async with opened(legacy_employee_header=True, documented_paths=True) as restaurant:
        documented = {"tenant": CONFIG["tenant"], "legacy_employee_header": True, "employee_id": 1}
        connector = restaurant.link({**documented, "paths": "documented"}).connector
        assert [step.ok for step in await connector.probe()] == [True, True, True]
        assert (await connector.submit_order(await restaurant.request())).ref is not None
        assert await connector.fetch_item_report("daily") == []
        with pytest.raises(VendorMalformed):
            await restaurant.link(documented).connector.fetch_item_report("daily")


async def test_the_published_server_refuses_the_documented_header_and_path(restaurant: Restaurant) -> None:
    documented = {"tenant": CONFIG["tenant"], "legacy_employee_header": True, "employee_id": 1}
    with pytest.raises(VendorAuthFailed):
        await restaurant.link(documented).connector.submit_order(await restaurant.request())
    with pytest.raises(VendorMalformed):
        await restaurant.link({**CONFIG, "paths": "documented"}).connector.fetch_item_report("daily")


async def test_an_expired_token_is_renewed_without_anybody_noticing() -> None:
    async with opened(token_seconds=60) as restaurant:
        request = await restaurant.request()
        await restaurant.connector.submit_order(request)
        restaurant.advance(seconds=61)
        other = structs.replace(request, order=structs.replace(request.order, id="order_019b"))
        assert (await restaurant.connector.submit_order(other)).ref == VendorRef(kind="order", id="2")


async def test_a_wrong_pin_never_locks_the_login(restaurant: Restaurant) -> None:
    wrong = restaurant.link({**CONFIG, "pin": "999999"})
    request = await restaurant.request()
    for _ in range(20):
        with pytest.raises(VendorAuthFailed):
            await wrong.connector.submit_order(request)
    assert (await restaurant.connector.submit_order(request)).ref is not None, "the right PIN still opens the door"


async def test_a_locked_login_is_waited_out(restaurant: Restaurant) -> None:
    wrong, right = restaurant.link({**CONFIG, "pin": "999999"}), restaurant.link()
    request = await restaurant.request()
    for _ in range(5):
        with pytest.raises((VendorAuthFailed, VendorRateLimited)):
            await wrong.connector.submit_order(request)
        restaurant.advance(wrong, right, seconds=61)
    with pytest.raises(VendorRateLimited) as raised:
        await right.connector.submit_order(request)
    assert raised.value.retry_after_seconds == 900, "the hub asks again after a quarter of an hour at the latest"
    restaurant.advance(right, seconds=1800)
    assert (await right.connector.submit_order(request)).ref is not None


@pytest.mark.parametrize(
    ("tenant", "pin", "expected"),
    [
        ("nobody", "sandbox-secret", VendorAuthFailed),
        ("fonda-cerrada", "sandbox-secret", VendorAuthFailed),
        ("taqueria-el-faro", "265801", VendorAuthFailed),
        ("cafe-mercado", "sandbox-secret", VendorRejected),
    ],
    ids=["unknown tenant", "inactive tenant", "kitchen role", "another restaurant's menu"],
)
async def test_a_link_that_is_set_up_wrong_is_told_so(
    restaurant: Restaurant, tenant: str, pin: str, expected: type[Exception]
) -> None:
    linked = restaurant.link({"tenant": tenant, "pin": pin})
    with pytest.raises(expected):
        await linked.connector.submit_order(await restaurant.request())


async def test_thirty_orders_go_in_a_quarter_of_an_hour_for_all_venues_and_none_is_refused_by_the_pos(
    database: Database,
) -> None:
    limits = tuple(
        limit.as_rate_limit() for limit in installed_connectors().get("desktop_kitchen").manifest.rate_limits
    )
    async with opened(limit_scale=1) as restaurant:
        template = await restaurant.request()
        clock = StandingClock(NOW)
        links = [
            restaurant.link(link_id=f"link_{n}", limiter=Pacing(database, clock), rate_limits=limits) for n in range(3)
        ]
        sent, waits = 0, []
        for number in range(36):
            request = structs.replace(template, order=structs.replace(template.order, id=f"order_{number}"))
            try:
                await links[number % 3].connector.submit_order(request)
                sent += 1
            except VendorRateLimited as paced:
                assert "our own pacing holds create_order back" in paced.message
                assert not paced.whole_link
                waits.append(paced.retry_after_seconds)
        assert (sent, len(waits)) == (30, 6)
        assert all(900 < wait <= 1000 for wait in waits)
        moving = structs.replace(template, ref=VendorRef(kind="order", id="1"), change=StageChange(stage=Stage.READY))
        await links[0].connector.set_stage(moving)
        statuses = {call.status for linked in links for call in linked.sink.calls}
        assert 429 not in statuses

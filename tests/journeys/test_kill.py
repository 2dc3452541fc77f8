"""`kill -9` of the hub at random moments: what was answered with 201 is there, and at the vendor once."""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx
import pytest

from tests.journeys.conftest import POSTGRES, SQLITE, NewStage
from tests.journeys.running import wait_for
from tests.journeys.site import Server, Site, bearer, order_body, venue
from tests.journeys.vendor import Vendor

TUNING = {"max_in_flight": 8, "total_timeout_seconds": 3.0, "settle_seconds": 0.5}
# Slow enough that a kill often comes while an order is on its way.
SLOW = {"fault": "delay", "operation": "create_order", "delay_seconds": 0.03}
DROPS = {"fault": "drop_after", "operation": "create_order", "probability": 0.2, "seed": 7}
LEASE_SECONDS = TUNING["total_timeout_seconds"] + 15
CALLERS = 8


@dataclass
class Storm:
    """What the callers sent and were answered, and the kills meanwhile."""

    repeated: dict[str, str] = field(default_factory=dict)
    """Note to order id, of callers who repeat with their key until they get an answer."""
    single: dict[str, str] = field(default_factory=dict)
    """The same of callers without a key, who give up when the connection breaks."""
    given_up: list[str] = field(default_factory=list)
    kills: int = 0


@pytest.fixture(params=[SQLITE, POSTGRES])
def database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_sixty_orders_survive_four_kills(database: str, new_stage: NewStage) -> None:
    # A vendor that ignores our key protects us from nothing: the hub alone must not send twice.
    run_storm(database, new_stage, orders=60, kills=4, ignore_keys=True)


@pytest.mark.long
@pytest.mark.parametrize("ignore_keys", [False, True], ids=["keys kept", "keys ignored"])
@pytest.mark.parametrize("drops", [False, True], ids=["no drops", "drops"])
def test_five_hundred_orders_survive_twelve_kills(
    database: str, ignore_keys: bool, drops: bool, new_stage: NewStage
) -> None:
    run_storm(database, new_stage, orders=500, kills=12, ignore_keys=ignore_keys, drops=drops)


def run_storm(
    database: str,
    new_stage: NewStage,
    *,
    orders: int,
    kills: int,
    ignore_keys: bool = False,
    drops: bool = False,
) -> None:
    """Posts orders while the hub is killed and started again, then compares the three ledgers."""
    seed = int(os.environ.get("OPENPOS_TEST_SEED") or random.randrange(2**32))
    print(f"seed: OPENPOS_TEST_SEED={seed}")
    stage = new_stage(database)
    vendor = stage.vendor(ignore_keys=ignore_keys)
    stage.site.apply(venue(vendor.url, tuning=TUNING))
    server = stage.site.serve()
    vendor.fail(*([DROPS, SLOW] if drops else [SLOW]))
    item = server.item_id()
    storm, server = asyncio.run(_storm(stage.site, server, item, orders, kills, random.Random(seed)))
    assert storm.kills == kills
    fired = vendor.fired() if drops else 0
    vendor.work_again()
    _check(stage.site, server, vendor, storm, orders)
    assert not drops or fired > orders // 20


async def _storm(
    site: Site, server: Server, item: str, orders: int, kills: int, dice: random.Random
) -> tuple[Storm, Server]:
    storm = Storm()
    waiting = list(range(orders))
    url = {"now": server.url}
    limits = httpx.Limits(max_connections=CALLERS)
    async with httpx.AsyncClient(trust_env=False, timeout=30, limits=limits) as client:

        async def post(note: str, key: str | None) -> str:
            headers = bearer(idempotency_key=key) if key else bearer()
            answer = await client.post(f"{url['now']}/api/v1/orders", json=order_body(item, note), headers=headers)
            assert answer.status_code == 201, f"{answer.status_code} {answer.text}"
            return str(answer.json()["order"]["id"])

        async def caller() -> None:
            while waiting:
                index = waiting.pop()
                if index % 2:
                    await _once(storm, f"single-{index}", post)
                else:
                    await _until_answered(storm, f"repeated-{index}", post)

        callers = asyncio.gather(*(caller() for _ in range(CALLERS)))
        server = await _kill_at_random(site, server, storm, url, kills, dice, lambda: orders - len(waiting), orders)
        await callers
    return storm, server


async def _once(storm: Storm, note: str, post: Callable[[str, str | None], Awaitable[str]]) -> None:
    try:
        storm.single[note] = await post(note, None)
    except httpx.TransportError:
        storm.given_up.append(note)


async def _until_answered(storm: Storm, note: str, post: Callable[[str, str | None], Awaitable[str]]) -> None:
    for _ in range(600):
        try:
            storm.repeated[note] = await post(note, note)
            return
        except httpx.TransportError:
            await asyncio.sleep(0.05)
    raise AssertionError(f"{note} was never answered")


async def _kill_at_random(
    site: Site,
    server: Server,
    storm: Storm,
    url: dict[str, str],
    kills: int,
    dice: random.Random,
    sent: Callable[[], int],
    orders: int,
) -> Server:
    """Kills the hub while orders come in: at a random count of orders, plus a random part of a second."""
    for number in range(kills):
        from_count = orders * number // kills
        at_count = from_count + dice.randrange(max(orders // kills // 2, 1))
        await asyncio.to_thread(wait_for, lambda count=at_count: sent() >= count, "orders are sent", every=0.001)
        await asyncio.sleep(dice.random() * 0.15)
        await asyncio.to_thread(server.kill)
        storm.kills += 1
        server = site.begin_to_serve()
        await asyncio.to_thread(server.wait_until_ready)
        url["now"] = server.url
    return server


def _check(site: Site, server: Server, vendor: Vendor, storm: Storm, orders: int) -> None:
    """Every 201 is here and at the vendor once; nothing else is anywhere twice, and nothing is stuck."""
    answered = {**storm.repeated, **storm.single}
    assert len(answered) + len(storm.given_up) == orders
    assert len(set(answered.values())) == len(answered)
    if site.database_url is not None:
        site.travel(seconds=LEASE_SECONDS + 1)  # what a killed process held stays leased until then

    def still_open() -> list[tuple[str, ...]]:
        return site.rows("SELECT state, count(*) FROM deliveries WHERE state <> 'delivered' GROUP BY state")

    wait_for(lambda: not still_open(), "every order is delivered", seconds=60)
    stored = {order_id for (order_id,) in site.rows("SELECT id FROM orders")}
    assert set(answered.values()) <= stored
    assert len(storm.repeated) == (orders + 1) // 2
    copies = vendor.copies_of(sorted(stored))
    assert {order_id: count for order_id, count in copies.items() if count != 1} == {}
    assert len(vendor.orders()) == len(stored)
    documents = [document for (document,) in site.rows("SELECT document FROM orders")]
    assert [note for note in answered if sum(f'"{note}"' in document for document in documents) != 1] == []
    sample = next(iter(answered.values()))
    assert server.injection(sample)["state"] == "confirmed"
    assert site.rows("SELECT count(*) FROM lanes WHERE due_at_ms IS NOT NULL OR lease_owner IS NOT NULL") == [(0,)]

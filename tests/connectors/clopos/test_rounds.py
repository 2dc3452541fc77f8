"""A further round is a Clopos order of its own: found by its own mark, cancelled with the first."""

import pytest
from msgspec import structs

from hub.contract.writes import OrderWrite, Verdict
from hub.errors import OutcomeUnknown, VendorRejected
from hub.model.change import LinesChange
from hub.model.order import VendorRef
from hub.model.status import Stage
from tests.connectors.clopos.conftest import FakeClock
from tests.connectors.clopos.test_connector_at_the_sandbox import Restaurant, restaurant

pytestmark = pytest.mark.anyio
__all__ = ["restaurant"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def first_and_round(restaurant: Restaurant) -> tuple[OrderWrite, OrderWrite]:
    """An order that Clopos has, and a round of the same dish for it."""
    request = await restaurant.order_from_the_menu()
    ref = (await restaurant.connector.submit_order(request)).ref
    check = request.order.checks[0]
    line = structs.replace(check.lines[0], uid="li_2", discount_cents=180)
    grown = structs.replace(check, lines=(*check.lines, line))
    order = structs.replace(request.order, checks=(grown,))
    change = LinesChange(check_id=check.id, lines=(line,))
    key = "1fe7bc1e-9972-4c2f-bf03-4e0f09ba9d9d"
    return request, structs.replace(request, order=order, ref=ref, change=change, idempotency_key=key)


async def test_a_round_brings_its_own_lines_only(restaurant: Restaurant, clock: FakeClock) -> None:
    _, further = await first_and_round(restaurant)
    result = await restaurant.connector.add_lines(further)
    assert (result.ref, len(result.further_refs)) == (further.ref, 1)
    arrived = await restaurant.control("GET", "/orders")
    assert len(arrived) == 2
    body = arrived[-1]["body"]
    products = body["payload"]["products"] if "payload" in body else body["products"]
    assert [product["count"] for product in products] == [1]
    told = await restaurant.connector.fetch_order(result.further_refs[0])
    assert told.total_cents in (1620, None), "v2 shows no total"


async def test_a_round_and_the_first_order_are_not_taken_for_each_other(restaurant: Restaurant) -> None:
    first, further = await first_and_round(restaurant)
    since_ms = first.order.created_at_ms
    assert (await restaurant.connector.find_round(further, since_ms=since_ms)).verdict is Verdict.ABSENT
    await restaurant.control("PUT", "/faults", [{"fault": "drop_after", "operation": "create_order", "times": 1}])
    with pytest.raises(OutcomeUnknown):
        await restaurant.connector.add_lines(further)
    found = await restaurant.connector.find_round(further, since_ms=since_ms)
    assert found.verdict is Verdict.FOUND
    assert found.ref != further.ref
    assert (await restaurant.connector.find_order(first, since_ms=since_ms)).ref == further.ref


async def test_all_rounds_are_cancelled_or_none(restaurant: Restaurant) -> None:
    _, further = await first_and_round(restaurant)
    added = await restaurant.connector.add_lines(further)
    whole = structs.replace(further, further_refs=(*added.further_refs, VendorRef(kind="ticket", id="1")))
    await restaurant.control("POST", f"/orders/{added.further_refs[0].id}/status", {"status": "accept"})
    with pytest.raises(VendorRejected):
        await restaurant.connector.cancel_order(whole)
    assert further.ref is not None
    assert (await restaurant.connector.fetch_order(further.ref)).stage is Stage.RECEIVED
    await restaurant.control("POST", f"/orders/{added.further_refs[0].id}/status", {"status": "reopen"})
    await restaurant.connector.cancel_order(whole)
    stages = [(await restaurant.connector.fetch_order(ref)).stage for ref in (further.ref, *added.further_refs)]
    assert stages == [Stage.CANCELLED, Stage.CANCELLED]

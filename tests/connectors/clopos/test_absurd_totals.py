"""A total of Clopos that cannot be: the order is there all the same."""

import pytest

from hub.contract.writes import Verdict
from hub.errors import VendorMalformed
from hub.model.order import VendorRef
from tests.connectors.clopos.linked import MARK, NOW_MS, LinkedClopos, write
from tests.connectors.clopos.test_connector import look_up, row

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("total", ["99999999999999999999", "1e30", "Infinity"])
async def test_a_total_that_cannot_be_leaves_the_new_order_confirmed_and_its_total_not_told(total: str) -> None:
    linked = LinkedClopos()
    linked.knows_customer("994705401040", 9)
    answer = row(108, MARK)
    answer["payload"]["meta"]["orderTotal"] = total
    linked.answers("POST", "/orders", {"success": True, "data": answer}, 201)
    result = await linked.connector.submit_order(write())
    assert (result.ref, result.order) == (VendorRef(kind="order", id="108"), None)


async def test_an_order_with_a_total_that_cannot_be_is_found_and_others_are_listed() -> None:
    bad, good = row(7, MARK), row(8, "x")
    bad["payload"]["meta"]["orderTotal"] = "1e30"
    found = await look_up(bad, good)
    assert (found.verdict, found.ref, found.order) == (Verdict.FOUND, VendorRef(kind="order", id="7"), None)
    linked = LinkedClopos()
    linked.answers("GET", "/orders/7", {"success": True, "data": bad})
    linked.answers("GET", "/orders", {"success": True, "data": [bad, good], "total": 2})
    assert [one.ref.id for one in await linked.connector.list_orders(since_ms=NOW_MS - 600_000)] == ["8"]
    with pytest.raises(VendorMalformed):
        await linked.connector.fetch_order(VendorRef(kind="order", id="7"))

"""Finding orders again, listing them, and reading them back."""

from typing import Any

import pytest

from hub.contract.writes import LookUp, Verdict
from hub.errors import VendorMalformed, VendorRejected
from hub.model.order import VendorRef
from hub.model.status import OrderType, PaymentStatus, Stage
from tests.connectors.desktop_kitchen.linked import (
    MARK,
    NOW_MS,
    LinkedKitchen,
    in_kitchen,
    listed,
    read_back,
    refused,
    write,
)

pytestmark = pytest.mark.anyio
REF = VendorRef(kind="order", id="108")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def look_up(kitchen: list[Any], rows: list[Any], *shown: Any, since_ms: int = NOW_MS) -> LookUp:
    linked = LinkedKitchen()
    linked.answers("GET", "/orders/kitchen/active", kitchen)
    linked.answers("GET", "/orders", rows)
    for row in shown:
        linked.answers("GET", f"/orders/{row['id']}", row)
    return await linked.connector.find_order(write(), since_ms=since_ms)


NOTE = f"[{MARK} PICKUP Ana] x"


async def test_an_order_in_the_kitchen_is_found_with_one_call() -> None:
    found = await look_up([in_kitchen(5, notes="x"), in_kitchen("6", notes=NOTE)], [])
    assert (found.verdict, found.ref) == (Verdict.FOUND, VendorRef(kind="order", id="6"))


async def test_an_order_that_has_left_the_kitchen_is_found_among_those_of_its_time() -> None:
    rows = [listed(9), listed(8, source="rappi"), listed(7, created_at="2026-11-18T10:00:00Z")]
    found = await look_up([in_kitchen(5)], [*rows, listed(5)], read_back(9, notes=NOTE, status="ready"))
    assert (found.verdict, found.ref) == (Verdict.FOUND, VendorRef(kind="order", id="9"))
    assert found.order is not None and found.order.stage is Stage.READY


async def test_a_later_round_with_our_mark_is_not_the_order_itself() -> None:
    found = await look_up([in_kitchen(5, notes=f"[{MARK}/3FA9C1 PICKUP] x")], [listed(5)])
    assert found.verdict is Verdict.ABSENT


async def test_a_list_cut_at_a_hundred_is_continued_by_status_and_may_stay_ambiguous() -> None:
    full = [listed(1000 + n, created_at="2026-11-18T11:06:41Z") for n in range(100)]
    linked = LinkedKitchen()
    linked.answers("GET", "/orders/kitchen/active", [in_kitchen(row["id"]) for row in full])
    lists = linked.answers("GET", "/orders", full, [], [], [])
    assert (await linked.connector.find_order(write(), since_ms=NOW_MS)).verdict is Verdict.ABSENT
    assert [call.request.url.params.get("status") for call in lists.calls] == [None, "ready", "completed", "cancelled"]
    linked.answers("GET", "/orders", full)
    assert (await linked.connector.find_order(write(), since_ms=NOW_MS)).verdict is Verdict.AMBIGUOUS


async def test_too_many_orders_to_read_one_by_one_are_ambiguous() -> None:
    found = await look_up([], [listed(1000 + n) for n in range(26)])
    assert (found.verdict, found.candidates) == (Verdict.AMBIGUOUS, ())


async def test_orders_are_listed_as_summaries_and_the_kitchen_fills_up_a_list_cut_short() -> None:
    linked = LinkedKitchen()
    full = [listed(1000 - n, status="completed", created_at="2026-11-18T11:06:41Z") for n in range(100)]
    linked.answers("GET", "/orders", full)
    linked.answers("GET", "/orders/kitchen/active", [in_kitchen(5, notes=NOTE), in_kitchen(1000)])
    rows = {row.ref.id: row for row in await linked.connector.list_orders(since_ms=NOW_MS)}
    assert len(rows) == 101
    assert all(row.summary_only for row in rows.values())
    assert (rows["5"].mark, rows["5"].order_type, rows["1000"].total_cents) == (MARK, OrderType.PICKUP, 29000)


async def test_a_short_list_of_orders_costs_one_call() -> None:
    linked = LinkedKitchen()
    kitchen = linked.answers("GET", "/orders/kitchen/active", [])
    linked.answers("GET", "/orders", [listed(5), listed(4, created_at="2026-11-18T11:00:00Z")])
    assert [row.ref.id for row in await linked.connector.list_orders(since_ms=NOW_MS)] == ["5"]
    assert kitchen.call_count == 0


async def test_an_order_made_a_moment_ago_is_asked_for_twice_and_no_more() -> None:
    linked = LinkedKitchen()
    shown = linked.answers("GET", "/orders/108", refused(404, "Order not found"), read_back())
    assert (await linked.connector.fetch_order(REF)).ref == REF
    assert shown.call_count == 2
    gone = linked.answers("GET", "/orders/109", refused(404, "Order not found"))
    with pytest.raises(VendorRejected):
        await linked.connector.fetch_order(VendorRef(kind="order", id="109"))
    assert gone.call_count == 2


async def test_an_answer_with_another_order_is_malformed_and_a_strange_id_is_never_asked_for() -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/orders/108", read_back(107))
    with pytest.raises(VendorMalformed):
        await linked.connector.fetch_order(REF)
    with pytest.raises(VendorRejected, match="not an id"):
        await linked.connector.fetch_order(VendorRef(kind="order", id="1/../2"))


@pytest.mark.parametrize("total", [290, 290.0, "290", "290.00"])
@pytest.mark.parametrize("order_id", [108, "108"])
async def test_ids_and_amounts_may_be_numbers_or_texts(order_id: Any, total: Any) -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/orders/108", read_back(order_id, total=total, payment_status="paid"))
    told = await linked.connector.fetch_order(REF)
    assert (told.ref, told.total_cents, told.payment_status) == (REF, 29000, PaymentStatus.PAID)
    assert told.checks[0].lines[0].unit_cents == 13000
    assert told.created_at_ms == NOW_MS + 835


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"source": "rappi"}, OrderType.DELIVERY),
        ({"source": "qr_order", "table_number": "4"}, OrderType.DINE_IN),
        ({"source": "qr_order", "table_number": None}, OrderType.PICKUP),
        ({"source": "pos"}, None),
    ],
)
async def test_an_order_that_is_not_ours_tells_its_type_by_its_source(changes: Any, expected: Any) -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/orders/108", read_back(**changes))
    assert (await linked.connector.fetch_order(REF)).order_type is expected


async def test_an_order_with_a_total_that_cannot_be_is_found_and_others_are_listed() -> None:
    found = await look_up([in_kitchen(6, notes=NOTE, total="1e30")], [])
    assert (found.verdict, found.ref, found.order) == (Verdict.FOUND, VendorRef(kind="order", id="6"), None)
    linked = LinkedKitchen()
    linked.answers("GET", "/orders", [listed(9, total="1e30"), listed(8)])
    assert [one.ref.id for one in await linked.connector.list_orders(since_ms=NOW_MS)] == ["8"]


async def test_an_order_with_a_total_that_cannot_be_is_malformed() -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/orders/9", read_back(9, total="99999999999999999999"))
    with pytest.raises(VendorMalformed, match="no amount"):
        await linked.connector.fetch_order(VendorRef(kind="order", id="9"))

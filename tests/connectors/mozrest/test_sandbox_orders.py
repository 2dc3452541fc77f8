"""The picture Mozrest keeps of an order: what changes it, what is refused after a close, and what it finds odd."""

from decimal import Decimal
from typing import Any

import pytest

from tests.connectors.mozrest.sandbox_play import check, later, lines, order, playing

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]

UPDATE, CLOSE, VOID = "/order/1", "/order/1/close", "/order/1/void"


def closed(*checks: dict[str, Any]) -> dict[str, Any]:
    return order("1", *(checks or (check(status="closed"),)), status="closed")


async def test_the_history_tells_each_change_with_its_time_and_the_call_that_made_it() -> None:
    async with playing() as play:
        await play.walk_in(order("1"))
        later(play, minutes=30)
        await play.call("PUT", UPDATE, order("1", check(totalAmount=Decimal("140.00")), partySize=3))
        (seen,) = await play.view()
        assert seen["history"][1] == {
            "version": 2,
            "at": "2026-03-02T12:30:00+00:00",
            "operation": "update_order",
            "received": 2,
            "status": "open",
            "changes": [
                {"field": "partySize", "before": 2, "after": 3},
                {"field": "checks[98766].totalAmount", "before": Decimal("150.00"), "after": Decimal("140.00")},
            ],
            "warnings": [],
        }
        assert (seen["openedAt"], seen["updatedAt"]) == ("2026-03-02T12:00:00+00:00", "2026-03-02T12:30:00+00:00")


async def test_an_update_that_comes_again_changes_nothing_and_is_answered_the_same() -> None:
    async with playing() as play:
        await play.walk_in(order("1"))
        changed = order("1", check(tip=Decimal("25.00")))
        assert await play.call("PUT", UPDATE, changed) == await play.call("PUT", UPDATE, changed)
        (seen,) = await play.view()
        assert (seen["version"], [entry["version"] for entry in seen["history"]]) == (2, [1, 2, 2])
        assert seen["history"][2]["changes"] == []


async def test_a_close_and_a_void_may_come_again() -> None:
    async with playing() as play:
        await play.walk_in(order("1"))
        for path, body in ((CLOSE, closed()), (CLOSE, closed()), (VOID, None), (VOID, None)):
            assert await play.call("PUT", path, body) == (200, {"id": "moz-1", "status": "closed"})
        (seen,) = await play.view()
        assert seen["version"] == 3
        assert [entry["warnings"] for entry in seen["history"]] == [
            [],
            [],
            [],
            ["check 98766 was closed and is void", "the order was closed already"],
            [],
        ]


async def test_numbers_written_otherwise_and_tables_in_another_order_are_no_change() -> None:
    async with playing() as play:
        await play.walk_in(order("1", tables=["T12", "T13"]))
        same = check(totalAmount=150, tax=12, items=[{**line, "id": str(line["id"])} for line in lines()])
        await play.call("PUT", UPDATE, order("1", same, tables=["T13", "T12"]))
        assert (await play.view())[0]["version"] == 1


async def test_an_update_after_the_close_is_refused_and_leaves_the_order_as_it_was() -> None:
    async with playing() as play:
        await play.walk_in(order("1"))
        await play.call("PUT", CLOSE, closed())
        status, answer = await play.call("PUT", UPDATE, order("1"))
        assert (status, answer) == (409, {"error": {"code": 409, "message": "Order is closed"}})
        (seen,) = await play.view()
        assert (seen["status"], seen["checks"][0]["status"], len(seen["history"])) == ("closed", "closed", 2)


async def test_a_close_after_a_void_is_refused() -> None:
    async with playing() as play:
        await play.walk_in(order("1"))
        await play.call("PUT", VOID)
        assert (await play.call("PUT", CLOSE, closed()))[1]["error"] == {"code": 409, "message": "Order is void"}


async def test_another_close_may_correct_the_first_with_a_warning() -> None:
    async with playing() as play:
        await play.walk_in(order("1"))
        await play.call("PUT", CLOSE, closed())
        assert (await play.call("PUT", CLOSE, closed(check(status="closed", tip=Decimal("30.00")))))[0] == 200
        assert (await play.view())[0]["totals"]["tip"] == Decimal("30.00")
        assert await play.warnings() == ["the order was closed already"]


async def test_a_closed_order_opens_again_only_where_that_is_set() -> None:
    async with playing(reopen=True) as play:
        await play.walk_in(order("1"))
        await play.call("PUT", CLOSE, closed())
        assert await play.call("PUT", UPDATE, order("1")) == (200, {"id": "moz-1", "status": "open"})
        assert "closedAt" not in (await play.view())[0]
        assert await play.warnings() == ["check 98766 was closed and is open", "the order was closed already"]


async def test_a_walk_in_that_comes_again_is_a_second_order_and_updates_go_to_the_newer() -> None:
    async with playing() as play:
        assert [await play.walk_in(order("1")) for _ in range(2)] == ["moz-1", "moz-2"]
        await play.call("PUT", UPDATE, order("1", partySize=5))
        first, second = await play.view()
        assert (first["partySize"], second["partySize"]) == (2, 5)
        assert [one["text"] for one in second["warnings"]] == ["the POS order 1 is known already, as moz-1"]


async def test_a_walk_in_that_comes_again_is_the_same_order_where_that_is_set() -> None:
    async with playing(deduplicate_open_orders=True) as play:
        assert [await play.walk_in(order("1")) for _ in range(2)] == ["moz-1", "moz-1"]
        assert len(await play.view()) == 1


async def test_sums_leave_void_checks_out_and_payments_are_the_closed_checks() -> None:
    async with playing() as play:
        split = [
            check("A", status="closed", totalAmount=Decimal("80.00"), discount=0, tip=5, paymentMethod="cash"),
            check("B", status="void"),
            check("C", totalAmount=Decimal("70.05"), discount=0, tip=0),
        ]
        await play.walk_in(order("1", *split))
        (seen,) = await play.view()
        assert seen["totals"] == {"totalAmount": Decimal("150.05"), "tax": 24, "tip": 5, "discount": 0}
        assert seen["payments"] == [{"checkNumber": "A", "paymentMethod": "cash", "amount": 80, "tip": 5}]


@pytest.mark.parametrize(
    ("body", "warnings"),
    [
        (order("1"), []),
        (order("1", check(totalAmount=140)), []),
        (order("1", check(totalAmount=165)), ["check 98766: the lines add up to 150.00, totalAmount is 165"]),
        (order("1", check(items=[])), ["check 98766: totalAmount is 150.00 without any lines"]),
        (order("1", check(tip=-1)), ["check 98766: tip is negative"]),
        (
            order("1", check(status="closed", paymentMethod=None)),
            ["check 98766: it is closed and paymentMethod is missing"],
        ),
        (
            order("1", check(), check("98766")),
            ["check 98766 is there more than once"],
        ),
        (
            order("1", check(covers=2), waiter="Ann"),
            ["waiter is a field nobody has heard of", "checks[0].covers is a field nobody has heard of"],
        ),
        (order("1", tables=None, partySize=None), ["tables is missing", "partySize is missing"]),
        (order("1", check("2")), ["check 98766 was known and is missing"]),
        ({**order("1"), "checks": []}, ["there are no checks", "check 98766 was known and is missing"]),
        (order("7"), ["the order's own id is 7, at the seating it was 1"]),
        (order("1", check(status="closed"), status="closed"), ["closed by an update and not by the call for it"]),
        (
            order("1", check(items=[{"id": "x", "name": "Fish", "price": 100, "quantity": Decimal("1.5")}])),
            ["check 98766: the quantity 1.5 of items[0] is not whole"],
        ),
    ],
)
async def test_what_is_odd_is_accepted_with_a_warning(body: dict[str, Any], warnings: list[str]) -> None:
    async with playing() as play:
        await play.walk_in(order("1"))
        assert (await play.call("PUT", UPDATE, body))[0] == 200
        assert await play.warnings() == warnings


async def test_a_table_the_pos_never_listed_is_a_warning_once_it_has_listed_its_tables() -> None:
    async with playing() as play:
        await play.walk_in(order("1", tables=["t12"]))
        assert await play.warnings() == []
        await play.control("POST", "tables")
        await play.call("PUT", UPDATE, order("1", tables=["t12"]))
        assert await play.warnings() == ["table t12 is not listed by the POS"]


async def test_the_status_mozrest_believes_in_can_be_changed_by_hand() -> None:
    async with playing() as play:
        await play.walk_in(order("1"))
        await play.control("POST", "orders/1/status", {"status": "closed"})
        assert (await play.view())[0]["status"] == "closed"
        assert (await play.call("PUT", UPDATE, order("1")))[0] == 409

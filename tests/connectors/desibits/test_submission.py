"""Creating the draft: ids by name, the guest, the notes, what is read back, and finding it again."""

from typing import Any

import httpx
import pytest

from hub.contract.writes import LookUp, Operation, Replay, Verdict
from hub.errors import UnmappedValue, VendorMalformed, VendorUnavailable
from hub.model.decimals import decode_json
from hub.model.order import Customer, VendorRef
from hub.model.status import OrderType, Stage
from tests.connectors.desibits.linked import (
    LINK_ID,
    MARK,
    NOW_MS,
    ORDER_TYPES,
    LinkedDesibits,
    empty_tab,
    item_row,
    order,
    order_row,
    write,
)

pytestmark = pytest.mark.anyio

CREATED = {"id": 123, "order_number": "ORD-001-123", "status": "draft", "total": 25.98}
TABLES = [{"id": 5, "name": " 7 a"}, {"id": 6, "name": "8"}]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def taking_orders(shown: Any = None, **options: Any) -> tuple[LinkedDesibits, Any]:
    linked = LinkedDesibits(**options)
    linked.shows(shown or order_row())
    return linked, linked.answers("POST", "/orders", CREATED, 201)


def body_of(route: Any) -> Any:
    return decode_json(route.calls.last.request.content)


async def test_the_total_is_read_back_for_that_of_the_answer_is_before_the_discount() -> None:
    linked, _ = taking_orders(order_row(total="23.38"))
    result = await linked.connector.submit_order(write())
    assert result.order is not None
    assert (result.ref, result.order.total_cents) == (VendorRef(kind="order", id="123"), 2338)
    assert linked.sent() == ["POST /orders", "GET /orders/123"]


async def test_an_order_that_cannot_be_read_back_is_submitted_all_the_same() -> None:
    linked, _ = taking_orders()
    linked.route("GET", "/orders/123").mock(return_value=httpx.Response(200, text="<html>"))
    result = await linked.connector.submit_order(write())
    assert (result.ref, result.order) == (VendorRef(kind="order", id="123"), None)
    assert [(loss.path, loss.kind.value) for loss in result.losses] == [("totals.total_cents", "lost")]


async def test_what_desibits_made_of_the_items_is_compared() -> None:
    linked, _ = taking_orders(order_row(items=[item_row(price="11.00")]))
    result = await linked.connector.submit_order(write())
    assert [loss.loss for loss in result.losses] == [
        "Desibits shows menu item 15: 2 at 11.00 where 2 at 12.99 were sent"
    ]


@pytest.mark.parametrize("shown", [{"notes": None}, {"notes": "Birthday"}, {"notes": ...}])
async def test_notes_that_do_not_show_the_mark_are_set_once_more(shown: Any) -> None:
    row = {name: value for name, value in {**order_row(), **shown}.items() if value is not ...}
    linked, orders = taking_orders(row)
    put = linked.answers("PUT", "/orders/123")
    result = await linked.connector.submit_order(write(order(note="Birthday")))
    assert body_of(orders)["notes"] == f"Birthday | {MARK}"
    assert body_of(put) == {"notes": f"Birthday | {MARK}"}
    assert result.losses == ()


async def test_notes_that_cannot_be_set_are_told() -> None:
    linked, _ = taking_orders(order_row(notes=""))
    linked.route("PUT", "/orders/123").mock(side_effect=httpx.ReadTimeout("silence"))
    result = await linked.connector.submit_order(write())
    assert result.ref == VendorRef(kind="order", id="123")
    assert [loss.path for loss in result.losses] == ["note"]


async def test_order_types_are_read_once_and_found_by_any_of_their_words() -> None:
    linked, orders = taking_orders(order_types=None)
    route = linked.answers("GET", "/order-types", ORDER_TYPES)
    sent = []
    for order_type in OrderType:
        await linked.connector.submit_order(write(order(order_type=order_type)))
        sent.append((order_type.value, body_of(orders)["order_type_id"]))
    assert sent == [("pickup", 6), ("delivery", 5), ("dine_in", 4)]
    assert route.call_count == 1


async def test_the_links_own_order_type_goes_before_what_was_found() -> None:
    linked, orders = taking_orders(
        config={"base_url": "https://desibits.test", "token": "t", "order_types": {"pickup": 9}}
    )
    await linked.connector.submit_order(write(order(order_type=OrderType.PICKUP)))
    assert body_of(orders)["order_type_id"] == 9


async def test_an_order_type_the_restaurant_has_not_is_held() -> None:
    linked, orders = taking_orders(order_types=None)
    linked.answers("GET", "/order-types", ORDER_TYPES[:1])
    with pytest.raises(UnmappedValue, match=r"order_types\.pickup"):
        await linked.connector.submit_order(write(order(order_type=OrderType.PICKUP)))
    assert orders.call_count == 0


async def test_a_table_is_found_by_its_name_and_remembered() -> None:
    linked, orders = taking_orders()
    tables = linked.answers("GET", "/tables", TABLES)
    for name in ("7A", "7 a ", "8"):
        await linked.connector.submit_order(write(order(tables=(name,))))
    assert [decode_json(call.request.content)["table_id"] for call in orders.calls] == [5, 5, 6]
    assert tables.call_count == 1


async def test_a_table_that_desibits_has_not_stands_in_the_notes() -> None:
    linked, orders = taking_orders()
    linked.answers("GET", "/tables", TABLES)
    result = await linked.connector.submit_order(write(order(tables=("Garden",))))
    assert body_of(orders)["notes"] == f"Table Garden | {MARK}"
    assert "table_id" not in body_of(orders)
    assert [loss.path for loss in result.losses] == ["tables"]


async def test_a_tab_on_a_table_that_desibits_has_not_is_held() -> None:
    linked, orders = taking_orders()
    linked.answers("GET", "/tables", TABLES)
    with pytest.raises(UnmappedValue, match="'Garden'"):
        await linked.connector.submit_order(write(empty_tab(tables=("Garden",))))
    assert orders.call_count == 0


@pytest.mark.parametrize("stored", ["+91 98765 43210", "098765-43210", "9876543210"])
async def test_a_guest_is_found_by_phone_number_and_remembered(stored: str) -> None:
    linked, orders = taking_orders()
    rows = [{"id": 9, "name": "X", "phone": "+91 11111 43210"}, {"id": 10, "name": "Asha", "phone": stored}]
    search = linked.answers("GET", "/customers", rows)
    for phone in ("+91 98765 43210", "0091 9876543210"):
        await linked.connector.submit_order(write(order(customer=Customer(name="Asha", phone=phone))))
        assert body_of(orders)["customer_id"] == 10
    assert search.call_count == 1
    assert dict(search.calls.last.request.url.params) == {"search": "76543210"}
    assert linked.refs.refs[(LINK_ID, "customer", "919876543210")] == "10"


async def test_a_new_guest_is_added() -> None:
    linked, orders = taking_orders()
    linked.answers("GET", "/customers", [{"id": 9, "name": "X", "phone": None}])
    new = linked.answers("POST", "/customers", {"id": 77}, 201)
    guest = Customer(name="Asha", phone="+91 98765 43210", email="a@example.com")
    result = await linked.connector.submit_order(write(order(customer=guest)))
    assert body_of(new) == {"name": "Asha", "phone": "+91 98765 43210", "email": "a@example.com"}
    assert body_of(orders)["customer_id"] == 77
    assert result.losses == ()


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(422, json={"message": "taken"}), httpx.Response(200, json={"success": True, "data": {}})],
)
async def test_a_guest_whom_desibits_does_not_take_stands_in_the_notes(answer: httpx.Response) -> None:
    linked, orders = taking_orders()
    linked.answers("GET", "/customers", [])
    linked.route("POST", "/customers").mock(return_value=answer)
    result = await linked.connector.submit_order(write(order(customer=Customer(name="Asha", phone="98765432"))))
    assert body_of(orders)["notes"] == f"Asha, 98765432 | {MARK}"
    assert "customer_id" not in body_of(orders)
    assert [(loss.path, loss.kind.value) for loss in result.losses] == [("customer", "lost"), ("customer", "flattened")]


async def test_silence_while_adding_a_guest_never_counts_as_an_unknown_order() -> None:
    linked, orders = taking_orders()
    linked.answers("GET", "/customers", [])
    linked.route("POST", "/customers").mock(side_effect=httpx.ReadTimeout("silence"))
    with pytest.raises(VendorUnavailable):
        await linked.connector.submit_order(write(order(customer=Customer(name="Asha", phone="98765432"))))
    assert orders.call_count == 0


def test_a_draft_is_looked_up_and_a_duplicate_one_does_no_harm() -> None:
    connector = LinkedDesibits().connector
    assert [op.value for op in connector.submission] == ["submit_order", "send_to_kitchen"]
    rule = connector.write_rule(Operation.SUBMIT_ORDER)
    assert (rule.replay, rule.look_up) == (Replay.TWO_PHASE, "find_order")


async def look_up(*rows: Any, since_ms: int = NOW_MS, request: Any = None, **options: Any) -> tuple[LookUp, list[Any]]:
    linked = LinkedDesibits(**options)
    linked.answers("GET", "/tables", TABLES)
    route = linked.answers("GET", "/orders", list(rows))
    found = await linked.connector.find_order(request or write(), since_ms=since_ms)
    return found, [dict(call.request.url.params) for call in route.calls]


async def test_of_several_orders_with_our_mark_the_furthest_counts_then_the_oldest() -> None:
    rows = [
        order_row(130, "cancelled"),
        order_row(129, "draft"),
        order_row(128, "kot", notes=None),
        order_row(127, "billed"),
        order_row(126, "draft", notes="#ZZZZZZZZ", items=[item_row(note="")]),
    ]
    found, _ = await look_up(*rows)
    assert (found.verdict, found.ref) == (Verdict.FOUND, VendorRef(kind="order", id="127"))
    assert [ref.id for ref in found.candidates] == ["128", "129", "130"]


async def test_an_order_cancelled_at_the_pos_is_found_and_not_sent_again() -> None:
    found, _ = await look_up(order_row(8, "canceled"))
    assert found.order is not None
    assert (found.verdict, found.order.stage) == (Verdict.FOUND, Stage.CANCELLED)


@pytest.mark.parametrize(
    ("timezone", "now_ms", "dates"),
    [
        # 16:36 in India; six hours earlier is the same day in both zones.
        ("Asia/Kolkata", NOW_MS, ["2026-11-18"]),
        # 00:30 in India on the 19th, 19:00 UTC on the 18th.
        ("Asia/Kolkata", 1_795_028_400_000, ["2026-11-18", "2026-11-19"]),
        # 20:00 in Mexico on the 18th, 02:00 UTC on the 19th.
        ("America/Mexico_City", 1_795_053_600_000, ["2026-11-18", "2026-11-19"]),
        # 01:00 in Mexico on the 19th: what is ordered after midnight may count for the 18th.
        ("America/Mexico_City", 1_795_071_600_000, ["2026-11-18", "2026-11-19"]),
    ],
)
async def test_the_days_are_the_restaurants_and_those_next_to_midnight(
    timezone: str, now_ms: int, dates: list[str]
) -> None:
    _, queries = await look_up(since_ms=now_ms, timezone=timezone, now_ms=now_ms)
    assert [query["date"] for query in queries] == dates


async def test_an_order_at_a_table_is_looked_for_at_that_table() -> None:
    _, queries = await look_up(request=write(order(tables=("7A",))))
    assert queries == [{"date": "2026-11-18", "table_id": "5"}]


async def test_rows_without_content_are_read_one_by_one() -> None:
    linked = LinkedDesibits()
    linked.answers(
        "GET", "/orders", [{"id": 7, "status": "draft"}, {"id": 8, "status": "kot", "items": [{"name": "x"}]}]
    )
    linked.shows(order_row(7, notes="", items=[item_row(note="")]), order_id=7)
    linked.shows(order_row(8, "kot", notes=""), order_id=8)
    found = await linked.connector.find_order(write(), since_ms=NOW_MS)
    assert found.ref == VendorRef(kind="order", id="8")


async def test_too_many_rows_without_content_leave_it_to_a_person() -> None:
    linked = LinkedDesibits()
    linked.answers("GET", "/orders", [{"id": number, "status": "draft"} for number in range(1, 28)])
    single = linked.route("GET", r"/orders/\d+").mock(
        return_value=httpx.Response(200, json={"data": order_row(1, notes="", items=[])})
    )
    found = await linked.connector.find_order(write(), since_ms=NOW_MS)
    assert (found.verdict, single.call_count) == (Verdict.AMBIGUOUS, 25)


async def test_a_list_that_cannot_be_read_to_its_end_leaves_it_to_a_person() -> None:
    linked = LinkedDesibits()
    endless = {"success": True, "data": [], "meta": {"current_page": 1, "last_page": 9}}
    linked.route("GET", "/orders").mock(return_value=httpx.Response(200, json=endless))
    assert (await linked.connector.find_order(write(), since_ms=NOW_MS)).verdict is Verdict.AMBIGUOUS
    with pytest.raises(VendorMalformed):
        await linked.connector.list_orders(since_ms=NOW_MS)


TAB = order_row(8, items=[], notes="", table_id=5)


@pytest.mark.parametrize(
    ("rows", "verdict", "count"),
    [
        ([TAB], Verdict.FOUND, 0),
        ([TAB, order_row(9, items=[], notes="#ZZZZZZZZ")], Verdict.FOUND, 0),
        ([TAB, {**TAB, "id": 9}], Verdict.AMBIGUOUS, 2),
        ([order_row(8, "kot", items=[], notes="")], Verdict.ABSENT, 0),
        ([order_row(8, notes="", items=[item_row(note="")])], Verdict.ABSENT, 0),
        ([{**TAB, "created_at": "2026-11-18T09:00:00Z"}], Verdict.ABSENT, 0),
    ],
)
async def test_a_tab_without_lines_and_notes_is_known_by_its_table(rows: Any, verdict: Verdict, count: int) -> None:
    found, _ = await look_up(*rows, request=write(empty_tab()))
    assert (found.verdict, len(found.candidates)) == (verdict, count)


async def test_orders_are_listed_but_for_those_whose_kitchen_is_not_shown() -> None:
    linked = LinkedDesibits()
    rows = [
        order_row(1, "kot"),
        {"id": 2, "status": "kot", "total": "1.00"},
        {"id": 3, "status": "draft", "total": "1.00"},
        {"id": 4, "status": "cancelled", "created_at": "2026-11-18T11:00:00Z"},
        order_row(5, created_at="2026-11-17T11:00:00Z"),
    ]
    linked.answers("GET", "/orders", rows)
    listed = await linked.connector.list_orders(since_ms=NOW_MS - 600_000)
    assert [(one.ref.id, one.stage, one.summary_only) for one in listed] == [
        ("1", Stage.ACCEPTED, False),
        ("3", Stage.RECEIVED, True),
        ("4", Stage.CANCELLED, True),
    ]


async def test_a_total_that_cannot_be_leaves_the_new_order_confirmed_and_its_total_not_told() -> None:
    linked, _ = taking_orders(order_row(total="99999999999999999999"))
    result = await linked.connector.submit_order(write())
    assert (result.ref, result.order) == (VendorRef(kind="order", id="123"), None)
    with pytest.raises(VendorMalformed, match="no amount"):
        await linked.connector.fetch_order(VendorRef(kind="order", id="123"))

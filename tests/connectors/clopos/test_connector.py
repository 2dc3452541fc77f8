"""What is special about Clopos orders: customers, sale types, look-ups and cancelling."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from msgspec import structs

from hub.contract.writes import LookUp, Operation, Replay, Verdict
from hub.errors import OutcomeUnknown, UnmappedValue, VendorMalformed, VendorRejected
from hub.model.decimals import decode_json
from hub.model.order import Customer, VendorRef
from hub.model.status import OrderType, Stage
from tests.connectors.clopos.linked import (
    KEY,
    LINK_ID,
    MARK,
    NOW_MS,
    V1,
    V2,
    LinkedClopos,
    documented,
    order,
    plain_line,
    write,
)

pytestmark = pytest.mark.anyio

NAMELESS = {name: value for name, value in V1.items() if name not in ("sale_types", "venue_name")}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def row(order_id: int, comment: str | None, *, status: str = "PENDING", created: str = "2026-11-18T11:00:00Z") -> Any:
    payload = documented("get_order_v1")["data"]["payload"]
    payload["meta"]["comment"] = comment
    return {"id": order_id, "status": status, "created_at": created, "payload": payload}


def taking_orders(config: Any = V1) -> tuple[LinkedClopos, Any]:
    linked = LinkedClopos(config)
    return linked, linked.answers("POST", "/orders", {"success": True, "data": {"id": 108, "status": "PENDING"}}, 201)


async def test_the_documented_order_goes_out_as_documented_but_for_the_comment() -> None:
    linked, orders = taking_orders()
    linked.knows_customer("994705401040", 9)
    result = await linked.connector.submit_order(write())
    sent, expected = decode_json(orders.calls.last.request.content), documented("create_order_v1")
    assert sent["payload"]["meta"].pop("comment") == MARK
    assert expected["payload"]["meta"].pop("comment") == ""
    assert sent == expected
    assert orders.calls.last.request.headers["idempotency-key"] == KEY
    assert (result.ref, result.losses) == (VendorRef(kind="order", id="108"), ())


async def test_the_total_that_clopos_answers_is_kept() -> None:
    linked = LinkedClopos()
    linked.knows_customer("994705401040", 9)
    answer = documented("create_order_v1_answer")
    answer["data"]["payload"]["id"] = 12
    answer["data"]["payload"]["meta"]["orderTotal"] = "17.0000"
    linked.answers("POST", "/orders", answer, 201)
    result = await linked.connector.submit_order(write())
    assert result.ref == VendorRef(kind="order", id="12")
    assert result.order is not None
    assert (result.order.total_cents, result.order.order_type) == (1700, OrderType.DELIVERY)


async def test_the_documented_answer_without_an_id_leaves_the_outcome_unknown() -> None:
    linked = LinkedClopos()
    linked.knows_customer("994705401040", 9)
    linked.answers("POST", "/orders", documented("create_order_v1_answer"), 201)
    with pytest.raises(OutcomeUnknown, match="no id"):
        await linked.connector.submit_order(write())


async def test_v2_has_no_key_and_must_be_searched_while_v1_may_be_repeated_for_a_day() -> None:
    first, second = LinkedClopos(V1).connector, LinkedClopos(V2).connector
    rule = first.write_rule(Operation.SUBMIT_ORDER)
    assert (rule.replay, rule.look_up, rule.key_retention) == (Replay.KEYED, "find_order", timedelta(hours=24))
    rule = second.write_rule(Operation.SUBMIT_ORDER)
    assert (rule.replay, rule.look_up, rule.key_retention) == (Replay.SEARCHABLE, "find_order", None)
    assert second.write_rule(Operation.CANCEL_ORDER).replay is Replay.REPEATABLE


async def test_a_known_phone_number_is_found_once_and_remembered() -> None:
    linked, orders = taking_orders()
    search = linked.answers("GET", "/customers", documented("customers"))
    guest = order(customer=Customer(name="Somebody Else", phone="00994 (50) 333-22-11"))
    for _ in range(2):
        await linked.connector.submit_order(write(guest))
    assert search.call_count == 1
    assert dict(search.calls.last.request.url.params)["filters[0][1]"] == "994503332211"
    sent = decode_json(orders.calls.last.request.content)
    assert (sent["customer_id"], sent["payload"]["customer"]["name"]) == (7, "Somebody Else")
    assert linked.refs.refs[(LINK_ID, "customer", "994503332211")] == "7"


async def test_an_unknown_phone_number_becomes_a_new_customer() -> None:
    linked, orders = taking_orders()
    linked.answers("GET", "/customers", documented("customers"))
    new = linked.answers("POST", "/customers", {"success": True, "data": {"id": "77", "name": "Rahid"}}, 201)
    guest = order(customer=Customer(name="Rahid", phone="+994705401040", email="r@example.com"))
    await linked.connector.submit_order(write(guest))
    assert decode_json(new.calls.last.request.content) == {
        "name": "Rahid",
        "phone": "+994705401040",
        "email": "r@example.com",
    }
    assert decode_json(orders.calls.last.request.content)["customer_id"] == 77


async def test_a_customer_added_by_somebody_else_meanwhile_is_looked_up_again() -> None:
    linked, orders = taking_orders()
    found = [{"id": 9, "phone": None, "phones": ["+994 70 540 10 40"]}]
    linked.route("GET", "/customers").mock(side_effect=[httpx.Response(200, json=[]), httpx.Response(200, json=found)])
    linked.answers("POST", "/customers", {"success": False, "error": "duplicate_phone", "message": "taken"}, 409)
    await linked.connector.submit_order(write())
    assert decode_json(orders.calls.last.request.content)["customer_id"] == 9


async def test_a_duplicate_number_that_clopos_does_not_show_falls_back_to_the_default_customer() -> None:
    linked, orders = taking_orders()
    linked.answers("GET", "/customers", [])
    linked.answers("POST", "/customers", {"success": False, "error": "duplicate_phone", "message": "taken"}, 409)
    result = await linked.connector.submit_order(write())
    assert decode_json(orders.calls.last.request.content)["customer_id"] == 5
    assert [loss.path for loss in result.losses] == ["customer"]


async def test_an_order_without_a_phone_number_runs_under_the_default_customer_and_says_so() -> None:
    linked, orders = taking_orders()
    result = await linked.connector.submit_order(write(order(customer=Customer(name="Aysel"))))
    sent = decode_json(orders.calls.last.request.content)
    assert (sent["customer_id"], sent["payload"]["customer"]["name"]) == (5, "Aysel")
    assert [loss.path for loss in result.losses] == ["customer"]


async def test_without_a_phone_number_and_a_default_customer_the_order_is_held() -> None:
    linked, orders = taking_orders({name: value for name, value in V1.items() if name != "default_customer_id"})
    with pytest.raises(UnmappedValue, match="default_customer_id"):
        await linked.connector.submit_order(write(order(customer=None)))
    assert orders.call_count == 0


async def test_v2_sends_the_default_customers_phone_number_for_a_guest_without_one() -> None:
    linked, orders = taking_orders(V2)
    customer = linked.answers("GET", "/customers/5", {"success": True, "data": {"id": 5, "phone": "+994125551212"}})
    for _ in range(2):
        await linked.connector.submit_order(write(order([plain_line(400, 1)], customer=None)))
    assert decode_json(orders.calls.last.request.content)["customer"]["phone"] == "+994125551212"
    assert customer.call_count == 1


async def test_silence_while_adding_a_customer_never_counts_as_an_unknown_order() -> None:
    linked, orders = taking_orders()
    linked.answers("GET", "/customers", [])
    linked.route("POST", "/customers").mock(side_effect=httpx.ReadTimeout("silence"))
    with pytest.raises(Exception) as raised:
        await linked.connector.submit_order(write())
    assert type(raised.value).__name__ == "VendorUnavailable"
    assert orders.call_count == 0


async def test_venue_name_and_sale_type_are_read_once_from_clopos() -> None:
    linked, orders = taking_orders(NAMELESS)
    linked.knows_customer("994705401040", 9)
    venues = linked.answers("GET", "/venues", documented("venues"))
    sale_types = linked.answers("GET", "/sale-types", documented("sale_types_v1"))
    for _ in range(2):
        await linked.connector.submit_order(write())
    assert decode_json(orders.calls.last.request.content)["payload"]["service"] == {
        "sale_type_id": 2,
        "sale_type_name": "Delivery",
        "venue_id": 1,
        "venue_name": "Downtown Coffee Shop",
    }
    assert (venues.call_count, sale_types.call_count) == (1, 1)


async def test_sale_types_may_have_their_numbers_as_text() -> None:
    linked, orders = taking_orders(NAMELESS)
    linked.knows_customer("994705401040", 9)
    linked.answers("GET", "/venues", documented("venues"))
    rows = documented("sale_types_v1")
    for sale_type in rows:
        sale_type["id"] = str(sale_type["id"])
    linked.answers("GET", "/sale-types", rows)
    await linked.connector.submit_order(write())
    assert decode_json(orders.calls.last.request.content)["payload"]["service"]["sale_type_id"] == 2


async def test_an_order_type_without_a_sale_type_is_held() -> None:
    linked, orders = taking_orders(NAMELESS)
    linked.knows_customer("994705401040", 9)
    linked.answers("GET", "/sale-types", documented("sale_types_v1"))
    with pytest.raises(UnmappedValue, match=r"sale_types\.pickup"):
        await linked.connector.submit_order(write(order(order_type=OrderType.PICKUP)))
    assert orders.call_count == 0


async def test_a_sale_type_that_is_off_at_this_venue_is_not_used() -> None:
    linked, _ = taking_orders({**NAMELESS, "venue_id": 2})
    linked.knows_customer("994705401040", 9)
    rows = documented("sale_types_v2")
    rows["data"][1]["status"] = {"1": 1, "2": 0}
    linked.answers("GET", "/sale-types", rows)
    with pytest.raises(UnmappedValue):
        await linked.connector.submit_order(write())


async def look_up(*rows: Any, config: Any = V1, since_ms: int = NOW_MS) -> LookUp:
    linked = LinkedClopos(config)
    linked.answers("GET", "/orders", {"success": True, "data": list(rows), "total": len(rows)})
    return await linked.connector.find_order(write(), since_ms=since_ms)


async def test_an_order_is_found_by_its_mark_even_after_it_was_cancelled() -> None:
    found = await look_up(row(7, "Ring twice"), row(8, f"x | {MARK} (called)", status="IGNORE"), row(9, None))
    assert (found.verdict, found.ref) == (Verdict.FOUND, VendorRef(kind="order", id="8"))
    assert found.order is not None
    assert found.order.stage is Stage.CANCELLED


async def test_a_list_that_cannot_be_read_to_its_end_is_ambiguous() -> None:
    linked = LinkedClopos()
    linked.answers("GET", "/orders", {"success": True, "data": [row(7, "x")], "total": 500})
    found = await linked.connector.find_order(write(), since_ms=NOW_MS)
    assert (found.verdict, found.candidates) == (Verdict.AMBIGUOUS, ())


async def test_a_list_from_new_to_old_is_left_once_it_is_older_than_the_order() -> None:
    linked = LinkedClopos()
    rows = [row(7, "x", created="2026-11-18T11:05:00Z"), row(6, "x", created="2026-11-18T10:00:00Z")]
    route = linked.answers("GET", "/orders", {"success": True, "data": rows, "total": 9000})
    found = await linked.connector.find_order(write(), since_ms=NOW_MS)
    assert (found.verdict, route.call_count) == (Verdict.ABSENT, 1)


async def test_a_list_from_old_to_new_is_read_on() -> None:
    linked = LinkedClopos()
    old = [row(5, "x", created="2026-11-17T10:00:00Z"), row(6, "x", created="2026-11-17T11:00:00Z")]
    new = [row(7, MARK, created="2026-11-18T11:06:00Z")]
    answers = [httpx.Response(200, json={"data": rows, "total": 3}) for rows in (old, new)]
    linked.route("GET", "/orders").mock(side_effect=answers)
    found = await linked.connector.find_order(write(), since_ms=NOW_MS)
    assert found.ref == VendorRef(kind="order", id="7")


async def test_rows_without_content_are_read_one_by_one() -> None:
    linked = LinkedClopos()
    linked.answers("GET", "/orders/ORD-12345", {"success": True, "data": {**row(1, MARK), "id": "ORD-12345"}})
    linked.answers("GET", "/orders?", documented("list_orders_v1_oldest"))
    found = await linked.connector.find_order(write(), since_ms=NOW_MS)
    assert found.ref == VendorRef(kind="order", id="ORD-12345")


async def test_v2_asks_for_the_days_of_utc_and_of_the_venue() -> None:
    linked = LinkedClopos(V2)
    route = linked.answers("GET", "/orders", {"success": True, "data": []})
    # One minute after midnight UTC; the clock skew of two minutes reaches into the day before.
    await linked.connector.find_order(write(), since_ms=1_794_960_060_000)
    query = dict(route.calls.last.request.url.params)
    assert (query["date[0]"], query["date[1]"]) == ("2026-11-17", "2026-11-18")
    assert "status" not in query


async def test_open_orders_are_listed_with_those_before_the_time_left_out() -> None:
    linked = LinkedClopos()
    rows = [row(7, MARK, status="received"), row(6, "x", created="2026-11-16T10:00:00Z")]
    linked.answers("GET", "/orders", {"success": True, "data": rows})
    listed = await linked.connector.list_orders(since_ms=NOW_MS - 600_000)
    assert [(one.ref.id, one.stage, one.order_type) for one in listed] == [("7", Stage.ACCEPTED, OrderType.PICKUP)]


async def test_a_list_of_orders_cut_short_is_malformed() -> None:
    linked = LinkedClopos()
    linked.answers("GET", "/orders", {"success": True, "data": [row(7, "x")], "total": 500})
    with pytest.raises(VendorMalformed):
        await linked.connector.list_orders(since_ms=NOW_MS)


CANCEL = write(ref=VendorRef(kind="order", id="108"))


async def test_a_waiting_order_is_cancelled_by_ignore() -> None:
    linked = LinkedClopos()
    linked.answers("GET", "/orders/108", {"success": True, "data": row(108, MARK)})
    put = linked.answers("PUT", "/orders/108", documented("update_order"))
    result = await linked.connector.cancel_order(CANCEL)
    assert decode_json(put.calls.last.request.content) == {"status": "IGNORE"}
    assert result.ref == CANCEL.ref


async def test_an_order_that_is_cancelled_already_is_a_success() -> None:
    linked = LinkedClopos()
    linked.answers("GET", "/orders/108", {"success": True, "data": row(108, MARK, status="IGNORE")})
    put = linked.answers("PUT", "/orders/108", documented("update_order"))
    assert (await linked.connector.cancel_order(CANCEL)).ref == CANCEL.ref
    assert put.call_count == 0


async def test_an_order_the_restaurant_has_taken_cannot_be_cancelled() -> None:
    linked = LinkedClopos()
    linked.answers("GET", "/orders/108", {"success": True, "data": row(108, MARK, status="RECEIVED")})
    put = linked.answers("PUT", "/orders/108", documented("update_order"))
    with pytest.raises(VendorRejected, match="already taken it"):
        await linked.connector.cancel_order(CANCEL)
    assert put.call_count == 0


async def test_an_order_taken_at_the_same_moment_cannot_be_cancelled() -> None:
    linked = LinkedClopos()
    shown = [
        httpx.Response(200, json={"success": True, "data": row(108, MARK, status=s)}) for s in ("PENDING", "RECEIVED")
    ]
    linked.route("GET", "/orders/108").mock(side_effect=shown)
    linked.answers("PUT", "/orders/108", documented("errors")[1], 400)
    with pytest.raises(VendorRejected, match="already taken it"):
        await linked.connector.cancel_order(CANCEL)


async def test_an_order_without_an_id_cannot_be_cancelled_yet() -> None:
    with pytest.raises(VendorRejected, match="no id yet"):
        await LinkedClopos().connector.cancel_order(write())


async def test_the_menu_is_read_with_its_stop_list() -> None:
    linked = LinkedClopos()
    linked.answers("GET", "/categories", documented("categories"))
    linked.answers("GET", "/products/stop-list", documented("stop_list"))
    products = linked.answers("GET", "/products", documented("products"))
    menu = await linked.connector.fetch_menu()
    assert [(one.name, one.available) for one in menu.items if one.name == "Ayran"] == [("Ayran", False)]
    assert products.calls.last.request.url.params["with[2]"] == "modificator_groups"


async def test_a_menu_cut_short_is_malformed_instead_of_retiring_items() -> None:
    linked = LinkedClopos()
    linked.answers("GET", "/categories", documented("categories"))
    linked.answers("GET", "/products", {**documented("products"), "total": 500})
    with pytest.raises(VendorMalformed, match="products"):
        await linked.connector.fetch_menu()


async def test_codes_of_the_venue_are_listed() -> None:
    linked = LinkedClopos()
    linked.answers("GET", "/sale-types", documented("sale_types_v2"))
    linked.answers("GET", "/payment-methods", {"data": [{"id": 1, "name": "Cash", "status": {"1": 0}}]})
    linked.answers("GET", "/venues", documented("venues"))
    linked.answers("GET", "/stations", documented("stations"))
    linked.answers("GET", "/customer-groups", {"data": []})
    codes = await linked.connector.fetch_codes()
    assert [(code.table, code.id, code.name, code.detail) for code in codes][:5] == [
        ("sale_type", "1", "Yerinde", "IN"),
        ("sale_type", "2", "Catdirilma", "DELIVERY"),
        ("sale_type", "3", "Takeaway", "TAKEAWAY"),
        ("payment_method", "1", "Cash", "off at this venue"),
        ("venue", "1", "Downtown Coffee Shop", ""),
    ]


async def test_a_probe_with_wrong_credentials_stops_there() -> None:
    linked = LinkedClopos()
    linked.answers("POST", "/auth", {"success": False, "error": "Client is disabled"}, 401)
    (step,) = await linked.connector.probe()
    assert (step.name, step.ok) == ("credentials", False)
    assert "Client is disabled" in step.detail


async def test_a_probe_names_a_venue_that_the_credentials_do_not_show() -> None:
    linked = LinkedClopos({**V1, "venue_id": 4})
    linked.answers("POST", "/auth", documented("auth_v1"))
    linked.answers("GET", "/venues", documented("venues"))
    for path in ("/sale-types", "/products", "/orders"):
        linked.answers("GET", path, [])
    steps = {step.name: step for step in await linked.connector.probe()}
    assert steps["venue"].detail == "Clopos shows these credentials no venue 4"
    assert [name for name, step in steps.items() if not step.ok] == ["venue"]


async def test_an_order_with_a_larger_total_than_one_page_of_money_keeps_every_digit() -> None:
    linked, orders = taking_orders()
    linked.knows_customer("994705401040", 9)
    dinner = order([plain_line(123_456_789_99, 1)])
    await linked.connector.submit_order(write(structs.replace(dinner)))
    content = orders.calls.last.request.content
    assert b'"price":123456789.99' in content
    assert b'"orderTotal":"123456789.9900"' in content

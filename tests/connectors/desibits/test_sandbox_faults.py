"""The faults of the shared base at the Desibits sandbox: every operation under its name, and in its own words."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hub.contract.sandbox import Call
from tests.connectors.desibits.sandbox_calling import POS, Till, chai, page_example, playing

OPERATIONS = {
    "create_order": ("POST", "orders"),
    "list_orders": ("GET", "orders"),
    "get_order": ("GET", "orders/1"),
    "update_order": ("PUT", "orders/1"),
    "set_status": ("PUT", "orders/1/status"),
    "cancel_order": ("POST", "orders/1/cancel"),
    "apply_discount": ("POST", "orders/1/discount"),
    "print_bill": ("POST", "orders/1/print-bill"),
    "print_invoice": ("POST", "orders/1/print-invoice"),
    "record_payment": ("POST", "orders/1/payment"),
    "split_payment": ("POST", "orders/1/split-payment"),
    "payment_status": ("GET", "orders/1/payment-status"),
    "list_payment_methods": ("GET", "payment-methods"),
    "generate_kot": ("POST", "orders/1/kot"),
    "print_kot": ("POST", "kot/301/print"),
    "reprint_kot": ("POST", "kot/301/reprint"),
    "set_kot_status": ("PUT", "kot/301/status"),
    "assign_driver": ("POST", "orders/1/assign-driver"),
    "set_delivery_status": ("PUT", "orders/1/delivery-status"),
    "list_order_types": ("GET", "order-types"),
    "list_kitchens": ("GET", "kitchens"),
    "list_drivers": ("GET", "delivery-drivers"),
    "list_delivery_platforms": ("GET", "delivery-platforms"),
    "list_printers": ("GET", "printers"),
    "list_coupons": ("GET", "coupons"),
    "validate_coupon": ("POST", "coupons/validate"),
    "list_customers": ("GET", "customers"),
    "get_customer": ("GET", "customers/10"),
    "create_customer": ("POST", "customers"),
    "list_tables": ("GET", "tables"),
    "get_table": ("GET", "tables/5"),
    "set_table_status": ("PUT", "tables/5/status"),
    "get_session": ("GET", "session"),
    "save_session": ("POST", "session/save"),
    "clear_session": ("DELETE", "session/clear"),
    "list_held_orders": ("GET", "session/held-orders"),
}


@pytest.fixture
def pos() -> Iterator[Till]:
    with playing() as till:
        yield till


def put(pos: Till, *rules: dict[str, Any]) -> None:
    pos.control("PUT", "faults", list(rules))


def test_these_are_all_the_calls_there_are(pos: Till) -> None:
    calls: list[Call] = list(pos.sandbox.calls())
    assert sorted(call.operation for call in calls) == sorted(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_is_hit_under_its_name_and_by_no_other(pos: Till, operation: str) -> None:
    put(pos, {"fault": "status", "status": 502, "operation": operation})
    method, path = OPERATIONS[operation]
    answer = pos.call(method, path)
    assert (answer.status_code, answer.json()) == (502, {"message": "Server Error"})
    assert pos.control("GET", "calls") == {operation: {"total": 1, "answers": {"502": 1}}}


def test_dropping_before_the_work_makes_no_draft_and_after_it_does(pos: Till) -> None:
    put(
        pos,
        {"fault": "drop_before", "operation": "create_order", "times": 1},
        {"fault": "drop_after", "operation": "create_order", "times": 1},
    )
    for kept in (0, 1):
        with pytest.raises(httpx.TransportError):
            pos.call("POST", "orders", page_example())
        assert len(pos.control("GET", "orders")) == kept


def test_a_ticket_whose_answer_is_lost_has_reached_the_kitchen(pos: Till) -> None:
    pos.order(chai())
    put(pos, {"fault": "drop_after", "operation": "generate_kot", "times": 1})
    with pytest.raises(httpx.TransportError):
        pos.call("POST", "orders/1/kot")
    assert pos.cooked() == [(1, [("Masala Chai", 1)])]
    assert [kot["kot_number"] for kot in pos.data("GET", "orders/1")["kots"]] == ["KOT-001"]


def test_a_payment_whose_gateway_gave_up_is_taken(pos: Till) -> None:
    pos.order(chai())
    pos.call("POST", "orders/1/kot")
    put(pos, {"fault": "status", "status": 504, "after_commit": True, "operation": "record_payment"})
    assert pos.call("POST", "orders/1/payment", {"payment_method": "cash", "amount": 2.10}).status_code == 504
    assert pos.data("GET", "orders/1")["status"] == "paid"


def test_a_rate_limit_a_rejection_and_a_malformed_answer_come_in_the_vendor_s_words(pos: Till) -> None:
    put(
        pos,
        {"fault": "rate_limited", "retry_after": 30, "times": 1},
        {"fault": "rejected", "times": 1},
        {"fault": "malformed", "times": 1},
        {"fault": "malformed", "half_json": True, "times": 1},
    )
    limited, rejected, page, half = (pos.call("POST", "orders", page_example()) for _ in range(4))
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "30")
    assert limited.json() == {"message": "Too Many Attempts."}
    assert (rejected.status_code, rejected.json()) == (200, {"success": False, "message": "The restaurant is closed"})
    assert page.headers["Content-Type"].startswith("text/html")
    with pytest.raises(ValueError, match="Unterminated"):
        half.json()
    assert pos.control("GET", "orders") == []


def test_an_answer_may_trickle_or_never_come(pos: Till) -> None:
    put(
        pos,
        {"fault": "trickle", "delay_seconds": 0.001, "operation": "list_payment_methods"},
        {"fault": "hang", "operation": "create_order", "after_commit": True},
    )
    headers = {"Authorization": "Bearer sandbox-secret"}
    with pos.client.stream("GET", f"{POS}/payment-methods", headers=headers) as answer:
        chunks = list(answer.iter_raw())
    assert b"".join(chunks).startswith(b'{"success":true') and len(chunks) > 20
    pos.client.timeout = httpx.Timeout(0.2)
    with pytest.raises(httpx.ReadTimeout):
        pos.call("POST", "orders", page_example())
    assert len(pos.control("GET", "orders")) == 1


def test_a_sandbox_that_is_down_drops_every_call_but_the_control(pos: Till) -> None:
    put(pos, {"fault": "down"})
    with pytest.raises(httpx.TransportError):
        pos.call("GET", "tables")
    pos.control("DELETE", "faults")
    assert pos.call("GET", "tables").status_code == 200

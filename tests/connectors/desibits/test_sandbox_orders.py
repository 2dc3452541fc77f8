"""Orders at the Desibits sandbox: opened, read, found, changed, moved, cancelled, and kept."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.desibits.sandbox import DesibitsSandbox
from tests.connectors.clopos.conftest import FakeClock
from tests.connectors.desibits.sandbox_calling import (
    DELIVERY,
    DINE_IN,
    PICKUP,
    POS,
    Till,
    chai,
    exact,
    naan,
    page_example,
    playing,
)


@pytest.fixture
def pos() -> Iterator[Till]:
    with playing() as till:
        yield till


def test_the_example_of_the_page_gets_its_answer_with_the_total_before_the_discount(pos: Till) -> None:
    answer = pos.call("POST", "orders", page_example())
    assert answer.text == (
        '{"success":true,"data":{"id":1,"order_number":"ORD-001-001","status":"draft","total":25.98}}'
    )


def test_reading_an_order_tells_the_discounted_total_with_two_decimals(pos: Till) -> None:
    pos.call("POST", "orders", page_example())
    data = exact(pos.call("GET", "orders/1"))
    assert (data["sub_total"], data["discount_amount"], data["total"]) == ("25.98", "2.60", "23.38")
    assert (data["amount_paid"], data["payment_status"], data["payments"]) == ("0.00", "unpaid", [])
    assert (data["status"], data["order_type"], data["table"]) == ("draft", "Pickup", {"id": 5, "name": "T3"})
    assert (data["customer"]["name"], data["notes"], data["kots"]) == ("Priya Sharma", None, [])
    assert '"price":12.99,"note":"No onions","amount":25.98}' in pos.call("GET", "orders/1").text


def test_the_same_create_twice_makes_two_drafts(pos: Till) -> None:
    assert [pos.data("POST", "orders", page_example())["id"] for _ in range(2)] == [1, 2]
    assert [row["id"] for row in pos.data("GET", "orders")] == [2, 1]
    assert len(pos.control("GET", "orders")) == 2


def test_the_ledger_holds_the_order_as_received_without_the_token(pos: Till) -> None:
    pos.call("POST", "orders", page_example())
    (order,) = pos.control("GET", "orders")
    assert order["body"] == page_example()
    assert (order["number"], order["status"], order["record"]["source"]) == (1, "draft", "api")
    assert "authorization" not in {name.lower() for name in order["headers"]}


def test_wrong_fields_are_told_all_at_once(pos: Till) -> None:
    items: list[Any] = [{"menu_item_id": 99, "quantity": 0, "price": 1.005, "note": 5}, "naan", {"quantity": 1.5}]
    body = {"order_type_id": "1", "table_id": 77, "customer_id": 9, "items": items, "discount_type": "half"}
    answer = pos.call("POST", "orders", body)
    assert answer.status_code == 422
    assert answer.json()["message"] == "The selected order type id is invalid. (and 11 more errors)"
    assert answer.json()["errors"] == {
        "order_type_id": ["The selected order type id is invalid."],
        "table_id": ["The selected table id is invalid."],
        "customer_id": ["The selected customer id is invalid."],
        "items.0.menu_item_id": ["The selected items.0.menu_item_id is invalid."],
        "items.0.quantity": ["The items.0.quantity field must be at least 1."],
        "items.0.price": ["The items.0.price field must have 0-2 decimal places."],
        "items.0.note": ["The items.0.note field must be a string."],
        "items.1.menu_item_id": ["The items.1.menu_item_id field is required."],
        "items.1.quantity": ["The items.1.quantity field is required."],
        "items.2.menu_item_id": ["The items.2.menu_item_id field is required."],
        "items.2.quantity": ["The items.2.quantity field must be an integer."],
        "discount_type": ["The selected discount type is invalid."],
    }
    assert pos.control("GET", "orders") == []


@pytest.mark.parametrize(
    ("discount", "field", "message"),
    [
        ({"discount_type": "percent"}, "discount_value", "The discount value field is required."),
        (
            {"discount_type": "percent", "discount_value": 101},
            "discount_value",
            "The discount value field must not be greater than 100.",
        ),
        (
            {"discount_type": "fixed", "discount_value": "5"},
            "discount_value",
            "The discount value field must be a number.",
        ),
    ],
)
def test_a_discount_that_is_none_is_refused(pos: Till, discount: Any, field: str, message: str) -> None:
    body = {"order_type_id": PICKUP, "items": [chai()], **discount}
    assert pos.errors("POST", "orders", body) == {field: [message]}


@pytest.mark.parametrize("content", [b"{", b"", b"[]", b"null"])
def test_a_body_that_is_no_object_lacks_its_fields(pos: Till, content: bytes) -> None:
    headers = {"Authorization": "Bearer sandbox-secret", "Content-Type": "application/json"}
    answer = pos.client.post(f"{POS}/orders", content=content, headers=headers)
    assert (answer.status_code, answer.json()["message"]) == (422, "The order type id field is required.")


def test_a_dine_in_order_needs_a_table_unless_told_otherwise(pos: Till) -> None:
    body = {"order_type_id": DINE_IN, "items": [chai()]}
    assert pos.errors("POST", "orders", body) == {"table_id": ["The table id field is required."]}
    with playing(table_required=False) as easy:
        assert easy.data("POST", "orders", body)["id"] == 1


def test_an_order_may_be_opened_empty_unless_told_otherwise(pos: Till) -> None:
    assert pos.data("POST", "orders", {"order_type_id": DINE_IN, "table_id": 5, "items": []})["total"] == 0
    with playing(empty_orders=False) as strict:
        assert strict.errors("POST", "orders", {"order_type_id": PICKUP}) == {"items": ["The items field is required."]}
        empty = {"order_type_id": PICKUP, "items": []}
        assert strict.errors("POST", "orders", empty) == {"items": ["The items field must have at least 1 items."]}


def test_an_item_that_is_switched_off_is_refused_by_name(pos: Till) -> None:
    body = {"order_type_id": PICKUP, "items": [{"menu_item_id": 12, "quantity": 1, "price": 4.25}]}
    assert pos.refused("POST", "orders", body) == (400, "Masala Fries is not available")


def test_a_price_that_is_sent_counts_unless_the_menu_does() -> None:
    for honour_price, total in ((True, "2.20"), (False, "4.20")):
        with playing(honour_price=honour_price) as pos:
            pos.order({"menu_item_id": 22, "quantity": 2, "price": 1.1})
            assert exact(pos.call("GET", "orders/1"))["total"] == total
            pos.order({"menu_item_id": 22, "quantity": 1})
            assert exact(pos.call("GET", "orders/2"))["total"] == "2.10"


def test_notes_are_kept_by_an_update_and_by_a_create_only_when_told(pos: Till) -> None:
    pos.order(chai(), notes="ref 1")
    assert pos.data("GET", "orders/1")["notes"] is None
    assert pos.data("PUT", "orders/1", {"notes": "ref 1"})["notes"] == "ref 1"
    assert pos.data("PUT", "orders/1", {"customer_id": 12})["notes"] == "ref 1"
    with playing(notes_on_create=True) as other:
        other.order(chai(), notes="ref 1")
        assert other.data("GET", "orders")[0]["notes"] == "ref 1"


def test_an_update_replaces_the_items_and_leaves_the_rest(pos: Till) -> None:
    pos.data("POST", "orders", page_example())
    data = pos.data("PUT", "orders/1", {"items": [chai(3), naan()]})
    assert [(line["name"], line["quantity"]) for line in data["items"]] == [("Masala Chai", 3), ("Garlic Naan", 1)]
    assert (data["sub_total"], data["total"], data["customer_id"]) == (9.05, 8.14, 10)
    assert pos.errors("PUT", "orders/1", {"items": []}) == {"items": ["The items field must have at least 1 items."]}
    assert pos.errors("PUT", "orders/1", {"items": [{}], "customer_id": 99}).keys() == {
        "customer_id",
        "items.0.menu_item_id",
        "items.0.quantity",
    }
    assert pos.refused("PUT", "orders/9", {"notes": "x"}) == (404, "Order not found")


def test_an_update_appends_the_items_when_told() -> None:
    with playing(items_update="append") as pos:
        pos.order(chai())
        data = pos.data("PUT", "orders/1", {"items": [chai()]})
        assert [(line["id"], line["quantity"]) for line in data["items"]] == [(1, 1), (2, 1)]


def test_orders_are_found_by_status_table_payment_and_nothing_else(pos: Till) -> None:
    for table in (3, 5):
        pos.data("POST", "orders", {"order_type_id": DINE_IN, "table_id": table, "items": [chai()]})
    pos.call("PUT", "orders/2/status", {"status": "billed"})
    pos.call("POST", "orders/2/payment", {"payment_method": "cash", "amount": 2.10})

    def found(query: str) -> list[int]:
        return [row["id"] for row in pos.data("GET", f"orders?{query}")]

    assert (found("status=draft"), found("status=paid"), found("status=nonsense")) == ([1], [2], [])
    assert (found("table_id=5"), found("table_id=4")) == ([2], [])
    assert (found("payment_status=paid"), found("payment_status=unpaid")) == ([2], [1])
    assert (found("status=draft&table_id=5"), found("note=x")) == ([], [2, 1])


def test_the_date_of_a_list_is_a_local_day_of_the_restaurant(pos: Till) -> None:
    # In Kolkata, five and a half hours ahead, the third of March begins at 18:30 UTC.
    for moment in ((2, 18, 29), (2, 18, 30), (3, 18, 29), (3, 18, 30)):
        pos.clock.now = datetime(2026, 3, *moment, tzinfo=UTC)
        pos.order(chai())
    assert [row["id"] for row in pos.data("GET", "orders?date=2026-03-03")] == [3, 2]
    for wrong in ("today", "03-03-2026", "20260303", "2026-02-30"):
        assert pos.errors("GET", f"orders?date={wrong}") == {"date": ["The date field must match the format Y-m-d."]}


def test_a_brief_list_shows_what_a_create_shows() -> None:
    with playing(brief_lists=True) as pos:
        pos.call("POST", "orders", page_example())
        assert pos.data("GET", "orders") == [
            {"id": 1, "order_number": "ORD-001-001", "status": "draft", "total": 25.98}
        ]


MOVES = {
    ("draft", "kot"): 200,
    ("draft", "billed"): 200,
    ("draft", "paid"): 409,
    ("draft", "cancelled"): 200,
    ("kot", "draft"): 409,
    ("kot", "kot"): 200,
    ("kot", "billed"): 200,
    ("kot", "paid"): 409,
    ("kot", "cancelled"): 200,
    ("billed", "kot"): 409,
    ("billed", "billed"): 200,
    ("billed", "paid"): 409,
    ("billed", "cancelled"): 200,
    ("paid", "draft"): 409,
    ("paid", "paid"): 409,
    ("paid", "cancelled"): 409,
    ("cancelled", "kot"): 409,
    ("cancelled", "cancelled"): 409,
    ("on_hold", "kot"): 409,
}


@pytest.mark.parametrize(("before", "after"), MOVES)
def test_an_order_moves_only_where_it_makes_sense(pos: Till, before: str, after: str) -> None:
    pos.order(chai())
    pos.control("POST", "orders/1/status", {"status": before})
    assert pos.call("PUT", "orders/1/status", {"status": after}).status_code == MOVES[before, after]
    expected = after if MOVES[before, after] == 200 else before
    assert pos.data("GET", "orders/1")["status"] == expected


def test_a_status_is_one_of_the_five_and_paid_needs_a_balance_of_nothing(pos: Till) -> None:
    pos.order(chai(), discount_type="percent", discount_value=100)
    assert pos.errors("PUT", "orders/1/status", {"status": "ready"}) == {"status": ["The selected status is invalid."]}
    assert pos.data("PUT", "orders/1/status", {"status": "kot"}) == {
        "id": 1,
        "order_number": "ORD-001-001",
        "status": "kot",
    }
    assert pos.data("PUT", "orders/1/status", {"status": "paid"})["status"] == "paid"
    number = pos.order(chai())
    pos.data("PUT", f"orders/{number}/status", {"status": "billed"})
    paid = pos.refused("PUT", f"orders/{number}/status", {"status": "paid"})
    assert paid == (409, "Order has a remaining balance of 2.10")


def test_a_cancellation_needs_a_reason_and_is_final(pos: Till) -> None:
    pos.order(chai())
    pos.call("POST", "orders/1/kot")
    assert pos.errors("POST", "orders/1/cancel", {}) == {"reason": ["The reason field is required."]}
    assert pos.data("POST", "orders/1/cancel", {"reason": "guest left"})["status"] == "cancelled"
    data = pos.data("GET", "orders/1")
    assert (data["status"], data["cancel_reason"], data["kots"][0]["status"]) == (
        "cancelled",
        "guest left",
        "cancelled",
    )
    for method, path, body in (
        ("POST", "cancel", {"reason": "again"}),
        ("PUT", "", {"notes": "x"}),
        ("POST", "kot", None),
        ("POST", "discount", {"discount_type": "fixed", "discount_value": 1}),
        ("POST", "payment", {"payment_method": "cash", "amount": 1}),
    ):
        refused = pos.refused(method, f"orders/1/{path}".rstrip("/"), body)
        assert refused == (409, "Order is already cancelled"), path


def test_cancelled_can_be_spelled_with_one_l() -> None:
    with playing(cancelled_word="canceled") as pos:
        pos.order(chai())
        pos.order(chai())
        assert pos.data("POST", "orders/1/cancel", {"reason": "x"})["status"] == "canceled"
        assert pos.data("PUT", "orders/2/status", {"status": "cancelled"})["status"] == "canceled"
        assert pos.data("GET", "orders/1")["status"] == "canceled"
        for word in ("cancelled", "canceled"):
            assert len(pos.data("GET", f"orders?status={word}")) == 2
    with playing() as pos:
        pos.order(chai())
        assert pos.call("PUT", "orders/1/status", {"status": "canceled"}).status_code == 422


def test_refusals_hide_in_a_200_when_told_but_errors_do_not() -> None:
    with playing(refusals_in_200=True) as pos:
        assert pos.refused("GET", "orders/9") == (200, "Order not found")
        assert pos.refused("GET", "tables/77") == (200, "Table not found")
        assert pos.call("POST", "orders", {}).status_code == 422
        assert pos.call("GET", "nowhere").status_code == 404
        pos.token = "wrong"
        assert pos.call("GET", "orders").status_code == 401


def test_a_discount_is_applied_by_value_or_by_coupon(pos: Till) -> None:
    pos.order(chai(10))
    assert pos.data("POST", "orders/1/discount", {"discount_type": "fixed", "discount_value": 1.25})["total"] == 19.75
    data = pos.data("POST", "orders/1/discount", {"coupon_code": "WELCOME10"})
    assert (data["total"], data["coupon_code"], data["discount_type"]) == (18.9, "WELCOME10", "percent")
    too_much = pos.data("POST", "orders/1/discount", {"discount_type": "fixed", "discount_value": 500})
    assert (too_much["discount_amount"], too_much["total"]) == (21, 0)
    assert pos.refused("POST", "orders/1/discount", {"coupon_code": "STAFF"}) == (400, "Invalid or expired coupon")
    assert pos.errors("POST", "orders/1/discount", {}).keys() == {"discount_type", "discount_value"}


def test_bill_and_invoice_are_printed_when_it_is_time(pos: Till) -> None:
    pos.order(chai())
    assert pos.refused("POST", "orders/1/print-invoice") == (409, "Order has no bill yet")
    assert pos.data("POST", "orders/1/print-bill")["status"] == "draft"
    pos.call("POST", "orders/1/kot")
    assert pos.data("POST", "orders/1/print-bill")["status"] == "billed"
    assert pos.data("POST", "orders/1/print-invoice")["status"] == "billed"
    assert pos.control("GET", "orders")[0]["record"]["printed"] == {"bill": 2, "invoice": 1}


def test_a_driver_takes_a_delivery_and_nothing_else(pos: Till) -> None:
    pos.data("POST", "orders", {"order_type_id": DELIVERY, "customer_id": 10, "items": [chai()]})
    driver = {"id": 1, "name": "Ravi Kumar", "phone": "+91 98200 33333"}
    assert pos.data("POST", "orders/1/assign-driver", {"driver_id": 1})["delivery_driver"] == driver
    assert pos.data("PUT", "orders/1/delivery-status", {"status": "out_for_delivery"})["status"] == "draft"
    data = pos.data("GET", "orders/1")
    assert (data["delivery_driver"], data["delivery_status"]) == (driver, "out_for_delivery")
    assert pos.refused("POST", "orders/1/assign-driver", {"driver_id": 3})[0] == 409
    assert pos.errors("POST", "orders/1/assign-driver", {}) == {"driver_id": ["The driver id field is required."]}
    assert pos.call("PUT", "orders/1/delivery-status", {"status": "lost"}).status_code == 422
    pickup = pos.order(chai())
    refused = pos.refused("POST", f"orders/{pickup}/assign-driver", {"driver_id": 1})
    assert refused == (409, "Order is not a delivery")


SERVE = """
import asyncio, sys
from pathlib import Path
from connectors.desibits.sandbox import create_app
from hub.contract.sandbox import serving
async def main():
    async with serving(create_app(Path(sys.argv[1]))) as url:
        print(url, flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


def test_orders_tickets_and_payments_survive_kill_9(tmp_path: Path) -> None:
    state = tmp_path / "desibits.db"
    with subprocess.Popen([sys.executable, "-c", SERVE, str(state)], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        with httpx.Client(base_url=server.stdout.readline().strip(), trust_env=False) as client:
            pos = Till(client, FakeClock(), DesibitsSandbox())
            pos.data("POST", "orders", page_example())
            pos.data("POST", "orders/1/kot")
            pos.data("POST", "orders/1/payment", {"payment_method": "card", "amount": 3.38})
            pos.data("POST", "customers", {"name": "Asha"})
        os.kill(server.pid, signal.SIGKILL)
    pos.sandbox.close()
    sandbox = DesibitsSandbox(state=state)
    ((order,), count) = sandbox.ledger.load_orders()
    assert (count, order.status, [kot["id"] for kot in order.record["kots"]]) == (1, "kot", [301])
    assert str(order.record["payments"][0]["amount"]) == "3.38"
    assert [customer["id"] for customer in sandbox.ledger.load_documents("customer")] == [13]
    sandbox.close()

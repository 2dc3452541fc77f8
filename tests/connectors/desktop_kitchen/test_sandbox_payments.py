"""Payments and refunds at the Desktop Kitchen sandbox, and the reports that count them."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.connectors.desktop_kitchen.sandbox_caller import MANAGER_PIN, Caller, error, playing


@pytest.fixture
def dk() -> Iterator[Caller]:
    with playing() as caller:
        caller.sign_in(MANAGER_PIN)
        yield caller


def pay(dk: Caller, route: str, **body: Any) -> httpx.Response:
    return dk.call("POST", f"/api/payments/{route}", body)


def recorded(dk: Caller, number: int, method: str = "card") -> httpx.Response:
    return dk.call("PATCH", f"/api/orders/{number}/payment", {"payment_method": method, "reference": "R-1"})


def put_to(dk: Caller, number: int, status: str) -> None:
    dk.control("POST", f"orders/{number}/status", {"status": status})


def left_of(dk: Caller, ingredient: int) -> str:
    rows = {row["id"]: row["quantity"] for row in dk.get("/api/inventory")}
    quantity: str = rows[ingredient]
    return quantity


def test_a_recorded_payment_leaves_the_status_and_the_stock_alone(dk: Caller) -> None:
    number = dk.placed(items=[{"menu_item_id": 11, "quantity": 1}])
    put_to(dk, number, "ready")
    answer = recorded(dk, number)
    assert answer.status_code == 200
    assert answer.json()["success"] is True
    order = answer.json()["order"]
    assert (order["id"], order["status"], order["payment_status"], order["payment_method"], order["total"]) == (
        number,
        "ready",
        "paid",
        "card",
        "33.33",
    )
    assert left_of(dk, 3) == "48.00"
    assert "R-1" not in answer.text
    assert error(recorded(dk, number)) == (400, "Order is already paid")
    assert recorded(dk, 77).status_code == 404
    assert error(recorded(dk, dk.placed(), "rappi")) == (400, "Invalid payment method")


@pytest.mark.parametrize("status", ["pending", "confirmed", "ready", "completed"])
def test_cash_takes_an_order_back_to_preparing_from_wherever_it_is(dk: Caller, status: str) -> None:
    number = dk.placed()
    put_to(dk, number, status)
    answer = pay(dk, "cash", order_id=number, tip=10, amount_received=400)
    assert answer.json() == {
        "success": True,
        "message": "Cash payment processed",
        "order_id": number,
        "order_number": "20260302001",
        "total": 340,
        "amount_received": 400,
        "change_due": 50,
        "payment_method": "cash",
        "invoice_token": "inv_20260302001_1",
    }
    order = dk.get(f"/api/orders/{number}")
    assert (order["status"], order["payment_status"], order["tip"]) == ("preparing", "paid", "10.00")
    assert error(pay(dk, "cash", order_id=number)) == (400, "Order is already paid")


def test_cash_that_is_too_little_is_refused(dk: Caller) -> None:
    number = dk.placed()
    assert pay(dk, "cash", order_id=number, amount_received="339.99").status_code == 400
    assert pay(dk, "cash", order_id=77).status_code == 404
    assert pay(dk, "cash").status_code == 400
    assert dk.get(f"/api/orders/{number}")["payment_status"] == "unpaid"


def test_a_counter_payment_uses_up_ingredients(dk: Caller) -> None:
    number = dk.placed(items=[{"menu_item_id": 1, "quantity": 3}])
    pay(dk, "cash", order_id=number)
    assert (left_of(dk, 1), left_of(dk, 2)) == ("494.00", "20.26")
    dk.call("POST", "/api/inventory/deduct", {"order_id": number})
    assert left_of(dk, 1) == "488.00"


def test_the_parts_of_a_split_are_not_added_up(dk: Caller) -> None:
    number = dk.placed()
    parts = [{"payment_method": "cash", "amount": 1, "tip": 5}, {"payment_method": "card", "amount": 2, "tip": "2.5"}]
    answer = pay(dk, "split", order_id=number, split_type="custom", splits=parts)
    assert answer.json() == {"success": True, "message": "Split payment processed", "splits_count": 2}
    order = dk.get(f"/api/orders/{number}")
    assert (order["payment_method"], order["payment_status"], order["tip"]) == ("split", "paid", "7.50")
    assert order["status"] == "preparing"
    assert pay(dk, "split", order_id=dk.placed(), splits=[]).status_code == 400


def test_an_intent_loses_the_tip(dk: Caller) -> None:
    number = dk.placed()
    assert pay(dk, "create-intent", order_id=number, tip=50).json() == {
        "clientSecret": "pi_sandbox_1_secret",
        "payment_intent_id": "pi_sandbox_1",
        "amount": 340,
    }
    order = dk.get(f"/api/orders/{number}")
    assert (order["payment_status"], order["payment_intent_id"], order["status"]) == (
        "processing",
        "pi_sandbox_1",
        "pending",
    )


def test_a_payment_is_read_with_its_id_as_text(dk: Caller) -> None:
    number = dk.placed()
    assert dk.get(f"/api/payments/{number}") == {
        "order_id": "1",
        "payment_status": "unpaid",
        "payment_method": None,
        "amount": "340.00",
        "refund_total": "0.00",
    }
    assert dk.call("GET", "/api/payments/77").status_code == 404
    assert dk.call("GET", "/api/payments/cash").status_code == 500


def test_a_full_refund_gives_back_what_is_left(dk: Caller) -> None:
    number = dk.placed()
    assert error(pay(dk, "refund", order_id=number)) == (400, "Order is not paid")
    recorded(dk, number)
    part = pay(dk, "refund", order_id=number, amount="40.5").json()
    assert (part["refund_type"], part["amount"], part["fully_refunded"]) == ("partial_amount", 40.5, False)
    rest = pay(dk, "refund", order_id=number, reason="late").json()
    assert (rest["refund_type"], rest["amount"], rest["new_refund_total"]) == ("full", 299.5, 340)
    assert rest["fully_refunded"] is True
    payment = dk.get(f"/api/payments/{number}")
    assert (payment["payment_status"], payment["refund_total"]) == ("refunded", "340.00")
    assert pay(dk, "refund", order_id=number).status_code == 400
    assert error(recorded(dk, number)) == (400, "Order is already paid")


def test_items_are_refunded_at_their_price_and_no_more_often_than_bought(dk: Caller) -> None:
    number = dk.placed()
    recorded(dk, number)
    torta = dk.get(f"/api/orders/{number}")["items"][0]["id"]
    first = pay(dk, "refund", order_id=number, items=[{"order_item_id": torta, "quantity": 1}]).json()
    assert (first["refund_type"], first["amount"]) == ("partial_items", 145)
    twice = [{"order_item_id": torta, "quantity": 2}]
    assert pay(dk, "refund", order_id=number, items=twice).status_code == 400
    assert pay(dk, "refund", order_id=number, items=[{"order_item_id": 99, "quantity": 1}]).status_code == 400
    assert pay(dk, "refund", order_id=number, amount=195.01).status_code == 400
    assert dk.get(f"/api/payments/{number}")["refund_total"] == "145.00"


def test_a_cashier_may_not_refund(dk: Caller) -> None:
    number = dk.placed()
    recorded(dk, number)
    dk.sign_in()
    refused = error(pay(dk, "refund", order_id=number))
    assert refused == (403, "Permission denied: process_refunds is not granted for role cashier")


def test_sales_count_paid_orders_without_tax_and_in_text(dk: Caller) -> None:
    first, second, _ = dk.placed(), dk.placed(items=[{"menu_item_id": 2, "quantity": 7}]), dk.placed()
    pay(dk, "cash", order_id=first, tip=10)
    recorded(dk, second)
    assert dk.get("/api/reports/sales?period=daily") == {
        "period": "daily",
        "startDate": "2026-03-02",
        "order_count": "2",
        "total_revenue": "549.57",
        "avg_ticket": "274.79",
        "tip_total": "10.00",
        "tax_total": "87.93",
    }
    top = dk.get("/api/reports/top-items")
    assert [(row["item_name"], row["total_quantity"], row["revenue"]) for row in top] == [
        ("Taco de Suadero", "7", "297.50"),
        ("Torta Cubana", "2", "290.00"),
        ("Flan de Cajeta", "1", "50.00"),
    ]

"""Payments at the Desibits sandbox: single and split, what is left, and what is refused."""

from collections.abc import Iterator

import pytest

from tests.connectors.desibits.sandbox_calling import Till, chai, exact, naan, page_example, playing


@pytest.fixture
def pos() -> Iterator[Till]:
    """A sandbox with one order of 9.80 in the kitchen."""
    with playing() as till:
        till.order(chai(2), naan(), chai(1, price=2.85))
        till.call("POST", "orders/1/kot")
        yield till


def pay(pos: Till, amount: float, method: str = "card") -> str:
    status: str = pos.data("POST", "orders/1/payment", {"payment_method": method, "amount": amount})["status"]
    return status


def test_the_example_of_the_page_pays_an_order() -> None:
    with playing() as pos:
        pos.order({"menu_item_id": 15, "quantity": 1, "price": 45.99})
        pos.call("POST", "orders/1/kot")
        body = {"payment_method": "card", "amount": 45.99, "transaction_id": "TXN123456", "tip_amount": 5.00}
        assert pos.call("POST", "orders/1/payment", body).json() == {
            "success": True,
            "message": "Payment processed successfully",
            "data": {"payment_id": 1, "status": "paid"},
        }
        assert (
            '"payments":[{"id":1,"payment_method":"card","amount":45.99,"transaction_id":"TXN123456",'
            '"tip_amount":5.00,"created_at":"2026-03-02T12:00:00.000000Z"}]'
        ) in pos.call("GET", "orders/1").text


def test_a_tip_pays_nothing_of_the_order(pos: Till) -> None:
    body = {"payment_method": "card", "amount": 9.00, "tip_amount": 5.00}
    assert pos.data("POST", "orders/1/payment", body)["status"] == "partial"
    assert exact(pos.call("GET", "orders/1/payment-status")) == {
        "order_id": 1,
        "payment_status": "partial",
        "total": "9.80",
        "amount_paid": "9.00",
        "remaining_balance": "0.80",
    }


def test_the_same_payment_twice_is_two_payments(pos: Till) -> None:
    assert [pay(pos, 4.90), pay(pos, 4.90)] == ["partial", "paid"]
    data = pos.data("GET", "orders/1")
    assert ([payment["id"] for payment in data["payments"]], data["status"]) == ([1, 2], "paid")
    again = pos.refused("POST", "orders/1/payment", {"payment_method": "card", "amount": 4.90})
    assert again == (409, "Order is already paid")


def test_a_payment_cannot_exceed_the_discounted_balance() -> None:
    with playing() as pos:
        pos.data("POST", "orders", page_example())
        pos.call("PUT", "orders/1/status", {"status": "billed"})
        too_much = pos.refused("POST", "orders/1/payment", {"payment_method": "card", "amount": 25.98})
        assert too_much == (400, "Payment exceeds the remaining balance of 23.38")
        assert pay(pos, 23.38) == "paid"


def test_a_draft_takes_no_payment() -> None:
    with playing() as pos:
        pos.order(chai())
        refused = pos.refused("POST", "orders/1/payment", {"payment_method": "card", "amount": 1})
        assert refused == (409, "An order that is draft cannot be paid")


def test_a_split_is_taken_whole_or_not_at_all(pos: Till) -> None:
    cash, upi = {"payment_method": "cash", "amount": 4.80}, {"payment_method": "upi", "amount": 5.00}
    too_much = pos.refused("POST", "orders/1/split-payment", {"payments": [cash, upi | {"amount": 5.01}]})
    assert too_much == (400, "Payment exceeds the remaining balance of 9.80")
    assert pos.data("GET", "orders/1")["payments"] == []
    assert pos.data("POST", "orders/1/split-payment", {"payments": [cash, upi]}) == {
        "payments": [
            {"payment_id": 1, "payment_method": "cash", "amount": 4.8},
            {"payment_id": 2, "payment_method": "upi", "amount": 5},
        ],
        "status": "paid",
    }
    assert pos.data("GET", "orders/1")["status"] == "paid"


def test_wrong_payments_are_told_by_field(pos: Till) -> None:
    body = {"payment_method": "Card", "amount": 0, "tip_amount": -1, "transaction_id": 7}
    assert pos.errors("POST", "orders/1/payment", body) == {
        "payment_method": ["The selected payment method is invalid."],
        "amount": ["The amount field must be at least 0.01."],
        "transaction_id": ["The transaction id field must be a string."],
        "tip_amount": ["The tip amount field must be at least 0."],
    }
    assert pos.errors("POST", "orders/1/split-payment", {}) == {"payments": ["The payments field is required."]}
    assert pos.errors("POST", "orders/1/split-payment", {"payments": [{"amount": 1}]}) == {
        "payments": ["The payments field must have at least 2 items."],
        "payments.0.payment_method": ["The payments.0.payment_method field is required."],
    }


def test_a_discount_cannot_take_back_what_is_paid(pos: Till) -> None:
    pay(pos, 9.00)
    refused = pos.refused("POST", "orders/1/discount", {"discount_type": "fixed", "discount_value": 1})
    assert refused == (409, "The discount exceeds what is left to pay")

"""Every way in which such a server may say no, and the answers that are no refusals."""

from typing import Any

import pytest

from connectors.desibits.refusals import refusal


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"success": False, "message": "Order is already paid"}, "Order is already paid"),
        ({"success": False, "error": "No such table"}, "No such table"),
        ({"success": False, "error": {"code": 7, "message": "No such table"}}, "No such table"),
        ({"success": False, "message": "Invalid", "error": "Invalid"}, "Invalid"),
        ({"success": False}, "no reason given"),
        ({"success": False, "data": {"id": 1}, "message": "x"}, "x"),
        ({"message": "Unauthenticated."}, "Unauthenticated."),
        (
            {"message": "The given data was invalid.", "errors": {"table_id": ["is required"], "items": ["a", "b"]}},
            "The given data was invalid.: table_id: is required; items: a, b",
        ),
        ({"errors": ["first", "second"]}, "first, second"),
        ({"error": "Not found"}, "Not found"),
        ({"success": False, "message": "x" * 999}, "x" * 300),
    ],
)
def test_a_refusal_is_read_with_its_reason(body: Any, reason: str) -> None:
    assert refusal(body) == reason


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "text",
        {},
        {"success": True, "message": "Payment processed successfully", "data": {"payment_id": 456, "status": "paid"}},
        {"success": True, "message": "Printed"},
        {"data": [], "message": "nothing"},
    ],
)
def test_an_answer_is_no_refusal(body: Any) -> None:
    assert refusal(body) is None

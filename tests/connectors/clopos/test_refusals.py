"""How Clopos says no."""

from typing import Any

import pytest

from connectors.clopos.refusals import meaning, refusal
from hub.contract.tables import load_tables
from hub.errors import VendorRejected
from tests.connectors.clopos.linked import documented


def test_the_four_documented_shapes_give_one_readable_reason() -> None:
    assert [refusal(body) for body in documented("errors")] == [
        "invalid_parameter: The 'limit' parameter must be between 1 and 100",
        "validation_failed: Status is not allowed",
        "Token expired: Authentication failed",
        "No query results for model [App\\Models\\Client\\ServiceNotification] 1000",
    ]


@pytest.mark.parametrize("body", [None, [], {"success": True, "data": {}}, {"data": []}, {"token": "x"}])
def test_answers_are_no_refusals(body: Any) -> None:
    assert refusal(body) is None


def test_a_refusal_without_words_is_still_one() -> None:
    assert refusal({"success": False}) == "no reason given"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("Token expired", "token"),
        ("unauthorized: Token expired", "token"),
        ("validation_failed: Invalid token", "token"),
        ("Integrator is in test mode. But brand is not in test mode", "credentials"),
        ("duplicate_phone: Phone exists", "duplicate"),
        ("validation_failed: Status is not allowed", None),
    ],
)
def test_slugs_and_sentences_have_the_meaning_of_the_table(reason: str, expected: str | None) -> None:
    assert meaning(VendorRejected(f"update_order: {reason}", reason=reason), load_tables("clopos")) == expected

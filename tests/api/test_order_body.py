"""An order body says everything itself, or names a quote and adds what the quote left open."""

from typing import Any

import pytest
from msgspec import ValidationError, json

from hub.api.order_body import OrderBody, additions, order_request
from hub.errors import InvalidRequest
from hub.model.order import Customer

ITEM = {"itemId": "item_1"}


def body(**values: Any) -> OrderBody:
    return json.decode(json.encode(values), type=OrderBody)


@pytest.mark.parametrize(
    ("values", "field"), [({"orderType": "pickup"}, "items"), ({"items": [ITEM]}, "orderType"), ({}, "items")]
)
def test_without_a_quote_items_and_order_type_are_needed(values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        order_request(body(**values), "loc_1")
    assert (refused.value.field, refused.value.code) == (field, "BODY_INVALID")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("items", [ITEM]),
        ("orderType", "pickup"),
        ("discount", {"type": "percent", "value": 1}),
        ("scheduledFor", "2026-11-21T12:00:00Z"),
        ("externalId", "A-1"),
    ],
)
def test_what_the_quote_says_is_not_said_again(name: str, value: Any) -> None:
    with pytest.raises(InvalidRequest, match="leave it out") as refused:
        additions(body(quoteId="quote_1", **{name: value}))
    assert refused.value.field == name


@pytest.mark.parametrize(
    ("values", "tables"),
    [
        ({"tableNumber": 5}, ("5",)),
        ({"tableNumber": 0}, ("0",)),
        ({"tableNumber": "05"}, ("05",)),
        ({"tables": [5, "7A", 0]}, ("5", "7A", "0")),
        ({"tableNumber": ""}, ()),
        ({}, ()),
    ],
)
def test_the_number_of_a_table_may_be_a_number(values: dict[str, Any], tables: tuple[str, ...]) -> None:
    assert order_request(body(items=[ITEM], orderType="dine_in", **values), "loc_1").tables == tables


@pytest.mark.parametrize("value", [-1, 10**9, 5.5, True, ["5"], "x" * 65])
def test_what_is_no_name_or_number_of_a_table_is_refused(value: Any) -> None:
    for values in ({"tableNumber": value}, {"tables": [value]}):
        with pytest.raises(ValidationError, match="table"):
            body(**values)


def test_what_the_quote_left_open_is_added() -> None:
    added = additions(body(quoteId="quote_1", customer={"name": "Alice"}, notes="quick", tableNumber="7", partySize=2))
    assert (added.customer, added.note, added.tables, added.party_size) == (Customer(name="Alice"), "quick", ("7",), 2)

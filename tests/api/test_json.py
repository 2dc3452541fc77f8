"""A request body is understood strictly, and what is wrong with it is said by field."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.api.json import decode, encode
from hub.api.operations.orders import OrderIdArguments
from hub.api.operations.reservations import GuestBody, ReservationChangeBody
from hub.api.order_body import CustomerBody, DiscountBody, ItemBody, ModifierBody, OrderBody, PricedBody
from hub.errors import InvalidRequest

ITEM = '{"itemId": "item_1", "quantity": 2}'


def refused(content: bytes) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as raised:
        decode(content, PricedBody)
    assert raised.value.status == 400
    return raised.value


def test_the_body_of_the_brief_is_understood() -> None:
    body = decode(
        b'{"storeSlug": "demo-restaurant", "items": [{ "itemId": "item_xxx", "quantity": 2 }], '
        b'"orderType": "pickup", "customer": { "name": "Alice", "phone": "555-1234" }}',
        PricedBody,
    )
    assert (body.store_slug, body.order_type, body.customer.name) == ("demo-restaurant", "pickup", "Alice")
    assert [(item.item_id, item.quantity) for item in body.items] == [("item_xxx", 2)]


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ('{"orderType": "pickup"}', "items"),
        (f'{{"items": [{ITEM}]}}', "orderType"),
        ('{"items": [], "orderType": "pickup"}', "items"),
        ('{"items": [{"quantity": 1}], "orderType": "pickup"}', "items[0].itemId"),
        (f'{{"items": [{ITEM}, {{"itemId": ""}}], "orderType": "pickup"}}', "items[1].itemId"),
        ('{"items": [{"itemId": "a", "quantity": 0}], "orderType": "pickup"}', "items[0].quantity"),
        ('{"items": [{"itemId": "a", "quantity": 100}], "orderType": "pickup"}', "items[0].quantity"),
        ('{"items": [{"itemId": "a", "quantity": 1.5}], "orderType": "pickup"}', "items[0].quantity"),
        ('{"items": [{"itemId": "a", "quantity": "2"}], "orderType": "pickup"}', "items[0].quantity"),
        (
            '{"items": [{"itemId": "a", "modifiers": ["x", {}]}], "orderType": "x"}',
            "items[0].modifiers[1].optionId",
        ),
        (f'{{"items": [{ITEM}], "orderType": "pickup", "customer": {{}}}}', "customer.name"),
        (f'{{"items": [{ITEM}], "orderType": "pickup", "partySize": 0}}', "partySize"),
        (f'{{"items": [{ITEM}], "orderType": "pickup", "declaredTotal": -1}}', "declaredTotal"),
        (f'{{"items": [{ITEM}], "orderType": "pickup", "discount": {{"type": "half", "value": 1}}}}', "discount.type"),
        ("[]", "body"),
        ('"text"', "body"),
        ("null", "body"),
    ],
)
def test_a_wrong_body_is_refused_with_the_name_of_the_field(content: str, field: str) -> None:
    problem = refused(content.encode())
    assert (problem.field, problem.code) == (field, "BODY_INVALID")
    assert problem.message.startswith(f"{field}: ")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"<html>", b'{"notes": "\xff"}', b'{"notes": "\\ud800"}', b'{"x": ' + b"[" * 200_000],
)
def test_what_is_no_json_is_refused(content: bytes) -> None:
    problem = refused(content)
    assert (problem.field, problem.code) == ("body", "BODY_NOT_JSON")


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (f'{{"items": [{ITEM}], "orderType": "pickup", "notes": "a\\u0000b"}}', "notes"),
        ('{"items": [{"itemId": "a", "notes": "\\u0000"}], "orderType": "pickup"}', "items[0].notes"),
        (f'{{"items": [{ITEM}], "orderType": "pickup", "tables": ["1", "\\u0000"]}}', "tables[1]"),
    ],
)
def test_text_with_a_null_byte_is_refused(content: str, field: str) -> None:
    assert refused(content.encode()).field == field


@given(st.binary(max_size=200))
def test_no_bytes_are_answered_with_anything_but_a_body_or_a_refusal(content: bytes) -> None:
    try:
        assert isinstance(decode(content, PricedBody), PricedBody)
    except InvalidRequest as problem:
        assert problem.field


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=8,
    )
)
def test_no_value_in_a_known_field_is_answered_with_anything_but_a_body_or_a_refusal(value: object) -> None:
    content = msgspec.json.encode({"items": value, "orderType": "pickup"})
    try:
        decode(content, PricedBody)
    except InvalidRequest as problem:
        assert problem.field


@pytest.mark.parametrize(
    "name",
    [
        *("notes", "externalId", "deliveryAddress", "deliveryInstructions", "tableNumber", "tables", "quoteId"),
        *("customer", "scheduledFor", "declaredTotal", "partySize", "locationId", "discount"),
    ],
)
def test_a_member_that_is_null_counts_as_left_out(name: str) -> None:
    plain = f'"items": [{ITEM}], "orderType": "pickup"'
    assert decode(f'{{"{name}": null, {plain}}}'.encode(), OrderBody) == decode(f"{{{plain}}}".encode(), OrderBody)


def test_members_of_members_may_be_null_too_and_everything_else_stays_as_it_was_written() -> None:
    body = decode(
        b'{"items": [{"itemId": "a", "quantity": null, "modifiers": null, "notes": null}, {"itemId": "b", "modifiers": '
        b'["x", {"optionId": "y", "quantity": null}]}], "customer": {"name": "null", "phone": null, "email": null}, '
        b'"discount": {"type": "percent", "value": 12.50, "reason": null}, "declaredTotal": 1000000000000, "unknown": '
        b'[null, 1e999999999999999999999, 123456789012345678901234567890], "orderType": "pickup"}',
        PricedBody,
    )
    assert body == PricedBody(
        items=[ItemBody("a"), ItemBody("b", modifiers=["x", ModifierBody("y")])],
        order_type="pickup",
        customer=CustomerBody("null"),
        discount=DiscountBody("percent", Decimal("12.50")),
        declared_total=10**12,
    )
    assert str(body.discount.value) == "12.50"


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ('{"items": [{"itemId": null}], "notes": null, "orderType": "pickup"}', "items[0].itemId"),
        (f'{{"items": [{ITEM}], "orderType": null}}', "orderType"),
        (f'{{"items": [{ITEM}], "orderType": "pickup", "customer": {{"name": null}}}}', "customer.name"),
        (f'{{"items": [{ITEM}], "orderType": "pickup", "notes": null, "tables": [null]}}', "tables[0]"),
        (f'{{"items": [{ITEM}, null], "orderType": "pickup"}}', "items[1]"),
        (f'{{"items": [{ITEM}], "orderType": "pickup", "notes": null, "partySize": 0}}', "partySize"),
        (f'{{"items": [{ITEM}], "orderType": "pickup", "notes": null, "externalId": "\\u0000"}}', "externalId"),
    ],
)
def test_null_does_not_stand_for_what_is_needed_nor_hide_another_mistake(content: str, field: str) -> None:
    assert refused(content.encode()).field == field


def test_of_a_member_that_is_there_twice_the_last_counts_also_when_it_is_null() -> None:
    plain = f'"items": [{ITEM}], "orderType": "pickup"'
    assert decode(f'{{{plain}, "notes": "x", "notes": null}}'.encode(), PricedBody).notes == ""
    assert decode(f'{{{plain}, "notes": null, "notes": "x"}}'.encode(), PricedBody).notes == "x"


@pytest.mark.parametrize("content", [b'{"notes": null, ', b'{"notes": null, "x": ' + b"[" * 200_000])
def test_a_null_before_broken_json_does_not_make_it_any_better(content: bytes) -> None:
    assert refused(content).code == "BODY_NOT_JSON"


def test_a_change_refuses_null_for_it_could_mean_to_empty_the_field() -> None:
    with pytest.raises(InvalidRequest) as raised:
        decode(b'{"notes": null, "customer": {"name": "Alice", "phone": null}}', ReservationChangeBody)
    assert (raised.value.field, raised.value.code) == ("notes", "BODY_INVALID")
    changed = decode(b'{"customer": {"name": "Alice", "phone": null}, "allowOverlap": null}', ReservationChangeBody)
    assert (changed.customer, changed.allow_overlap) == (GuestBody("Alice"), False)


def test_a_member_nobody_knows_is_refused_where_such_are_refused_also_when_it_is_null() -> None:
    with pytest.raises(InvalidRequest, match="there is no such field"):
        decode(b'{"orderId": "ord_1", "notes": null}', OrderIdArguments)


def test_decimals_are_written_as_numbers_digit_for_digit() -> None:
    assert encode({"dollars": Decimal("16.20"), "none": None}) == '{"dollars":16.20,"none":null}'

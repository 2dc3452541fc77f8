"""No amount of money ever passes through a float."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.model.decimals import decode_json, encode_json


def floats_in(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(floats_in, value.values()))
    return any(map(floats_in, value)) if isinstance(value, list) else isinstance(value, float)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("18", 18),
        ("18.0", Decimal("18.0")),
        ("0.1", Decimal("0.1")),
        ("16.20", Decimal("16.20")),
        ("1e2", Decimal("1E+2")),
        ("123456789012345678.12", Decimal("123456789012345678.12")),
        ("-0.005", Decimal("-0.005")),
    ],
)
def test_a_number_with_a_point_becomes_a_decimal_digit_for_digit(text: str, value: object) -> None:
    decoded = decode_json(text)
    assert decoded == value
    assert str(decoded) == str(value)
    assert type(decoded) is type(value)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9))
def test_a_decimal_goes_out_as_a_bare_number_and_comes_back_the_same(amount: Decimal) -> None:
    content = encode_json({"price": [amount]})
    assert b'"price":["' not in content
    assert decode_json(content) == {"price": [amount]}


@given(
    st.recursive(
        st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**62), 2**62) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_there_is_no_float_however_deep(value: Any) -> None:
    assert not floats_in(decode_json(msgspec.json.encode(value)))


@pytest.mark.parametrize("content", [b"<html>", b"", b"{", b"NaN", b"Infinity", b"'a'"])
def test_what_is_not_json_is_refused(content: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_json(content)

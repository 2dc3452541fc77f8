"""JSON whose fractions are `Decimal` in both directions, so that no amount of money ever passes through a float."""

from decimal import Decimal
from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)


def decode_json(content: bytes | str) -> Any:
    """Decodes JSON; numbers with a point or exponent become `Decimal`, whole numbers stay `int`.

    Raises `msgspec.DecodeError`.
    """
    return _DECODER.decode(content)


def encode_json(value: Any) -> bytes:
    """Encodes a value; a `Decimal` becomes a bare number, digit for digit."""
    return _ENCODER.encode(value)

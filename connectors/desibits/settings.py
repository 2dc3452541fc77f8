"""The settings of one Desibits link, as `config.schema.json` describes them."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from hub.errors import ConfigurationError
from hub.model.payment import PaymentMethod
from hub.model.status import OrderType

CONNECTOR = "desibits"


class DesibitsSettings(Struct, frozen=True, kw_only=True):
    """One link's settings; see the table in `README.md`. `base_url` is used by the hub's HTTP client."""

    base_url: str
    token: str
    allow_http: bool = False
    order_types: Mapping[OrderType, int] = field(default_factory=dict)
    payment_methods: Mapping[PaymentMethod, str] = field(default_factory=dict)
    amount_discount: Literal["percent", "fixed", "fold"] = "percent"
    print_kot: bool = False
    send_delivery: bool = False


def read_settings(config: Mapping[str, Any]) -> DesibitsSettings:
    """The settings with their defaults; raises `ConfigurationError` naming the field that is wrong."""
    try:
        return msgspec.convert(config, DesibitsSettings)
    except msgspec.ValidationError as problem:
        raise ConfigurationError(f"{CONNECTOR} link: {problem}") from problem

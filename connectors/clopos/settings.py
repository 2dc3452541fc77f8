"""The settings of one Clopos link, as `config.schema.json` describes them."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from hub.errors import ConfigurationError
from hub.model.status import OrderType


class SaleType(Struct, frozen=True):
    """A venue's way of selling, e.g. number 2, "Delivery"."""

    id: int
    name: str


class CloposSettings(Struct, frozen=True, kw_only=True):
    """One link's settings; see the table in `README.md`."""

    brand: str
    venue_id: int
    client_id: str
    client_secret: str
    dialect: Literal["v1", "v2"] = "v1"
    integrator_id: str = ""
    stage: str = ""
    venue_name: str = ""
    default_customer_id: int | None = None
    customer_discount_type: int = 1
    apply_service_charge: bool = True
    order_product: Literal["compact", "full"] = "compact"
    sale_types: Mapping[OrderType, SaleType] = field(default_factory=dict)


def read_settings(config: Mapping[str, Any]) -> CloposSettings:
    """The settings with their defaults; raises `ConfigurationError` naming the field that is wrong."""
    try:
        return msgspec.convert(config, CloposSettings)
    except msgspec.ValidationError as problem:
        raise ConfigurationError(f"clopos link: {problem}") from problem

"""The settings of one Desktop Kitchen link, as `config.schema.json` describes them."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from hub.errors import ConfigurationError
from hub.model.payment import PaymentMethod

PosMethod = Literal["cash", "card", "transfer"]


class DesktopKitchenSettings(Struct, frozen=True, kw_only=True):
    """One link's settings; see the table in `README.md`."""

    tenant: str
    pin: str = ""
    tenant_by: Literal["header", "subdomain"] = "header"
    employee_id: int | None = None
    legacy_employee_header: bool = False
    paths: Literal["served", "documented"] = "served"
    confirm_on_arrival: bool = False
    cash_payments: Literal["mark_paid", "drawer"] = "mark_paid"
    payment_methods: Mapping[PaymentMethod, PosMethod] = field(default_factory=dict)


def read_settings(config: Mapping[str, Any]) -> DesktopKitchenSettings:
    """The settings with their defaults; raises `ConfigurationError` naming the field that is wrong."""
    try:
        return msgspec.convert(config, DesktopKitchenSettings)
    except msgspec.ValidationError as problem:
        raise ConfigurationError(f"desktop_kitchen link: {problem}") from problem

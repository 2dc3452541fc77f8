"""The settings of one Mozrest link, as `config.schema.json` describes them."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from hub.errors import ConfigurationError

# https://doc.mozrest.com/pos/mozrest-endpoints, read 2026-11-21
_BASE_URLS = {
    "production": "https://api.mozrest.com/v1/pos",
    "sandbox": "https://api-sandbox.mozrest.com/v1/pos",
}


class MozrestSettings(Struct, frozen=True, kw_only=True):
    """One link's settings; see the table in `README.md`."""

    venue_id: str
    api_key: str
    hub_token: str
    pos_venue_id: str = ""
    environment: Literal["production", "sandbox"] = "production"
    base_url: str = ""
    order_id: Literal["pos", "mozrest"] = "pos"
    void_by: Literal["void", "update"] = "void"
    path_open: str = "/{venueId}/order"
    path_update: str = "/{venueId}/order/{orderId}"
    path_close: str = "/{venueId}/order/{orderId}/close"
    path_void: str = "/{venueId}/order/{orderId}/void"

    @property
    def called_at(self) -> str:
        """The address of Mozrest's API."""
        return self.base_url or _BASE_URLS[self.environment]

    @property
    def calls_us_as(self) -> str:
        """The venue's id in Mozrest's calls to us."""
        return self.pos_venue_id or self.venue_id


def read_settings(config: Mapping[str, Any]) -> MozrestSettings:
    """The settings with their defaults; raises `ConfigurationError` naming the field that is wrong."""
    try:
        return msgspec.convert(config, MozrestSettings)
    except msgspec.ValidationError as problem:
        raise ConfigurationError(f"mozrest link: {problem}") from problem

"""Link settings: the address must be secure or said to be safe, and everything else has a default."""

from typing import Any

import pytest

from connectors.desibits.settings import read_settings
from hub.contract.registry import installed_connectors
from hub.errors import ConfigurationError
from hub.model.payment import PaymentMethod
from hub.model.status import OrderType
from hub.model.venue import Link
from hub.services.connections import resolve_config


def resolved(**config: Any) -> Any:
    link = Link(id="link_1", venue_id="loc_1", connector="desibits", config={"token": "env:TOKEN", **config})
    found, secrets = resolve_config(link, installed_connectors().get("desibits"), {"TOKEN": "very-secret"})
    assert secrets == ("very-secret",)
    return read_settings(found)


@pytest.mark.parametrize(
    "base_url",
    [
        "https://pos.example.com",
        "https://pos.example.com/shop",
        "http://localhost:8002",
        "http://127.0.0.1",
        "http://[::1]:80",
    ],
)
def test_https_and_this_machine_are_safe_addresses(base_url: str) -> None:
    assert resolved(base_url=base_url).base_url == base_url


@pytest.mark.parametrize(
    "base_url",
    ["http://pos.example.com", "http://127.0.0.1.example.com", "http://localhost.example.com", "ftp://pos.example.com"],
)
def test_a_token_goes_over_plain_http_only_where_the_link_says_so(base_url: str) -> None:
    with pytest.raises(ConfigurationError, match="base_url") as raised:
        resolved(base_url=base_url)
    assert raised.value.field == "base_url"
    if base_url.startswith("http:"):
        assert resolved(base_url=base_url, allow_http=True).allow_http


@pytest.mark.parametrize(
    "base_url", ["https://pos.example.com/", "https://pos.example.com/api/v1/pos", "https://pos.example.com/api", ""]
)
def test_the_address_ends_before_the_path_that_the_hub_adds(base_url: str) -> None:
    with pytest.raises(ConfigurationError, match="base_url"):
        resolved(base_url=base_url)


def test_there_is_no_default_address() -> None:
    with pytest.raises(ConfigurationError, match="'base_url' is a required property"):
        resolved()


def test_everything_else_has_a_default() -> None:
    settings = resolved(base_url="https://pos.example.com", order_types={"pickup": 6}, payment_methods={"card": "visa"})
    assert (settings.amount_discount, settings.print_kot, settings.send_delivery) == ("percent", False, False)
    assert settings.order_types == {OrderType.PICKUP: 6}
    assert settings.payment_methods == {PaymentMethod.CARD: "visa"}


def test_a_setting_of_the_wrong_kind_is_named() -> None:
    with pytest.raises(ConfigurationError, match="amount_discount"):
        read_settings({"base_url": "https://x.example", "token": "t", "amount_discount": "half"})

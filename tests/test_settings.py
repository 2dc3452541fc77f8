"""What the environment says is refused at the start when it cannot be meant."""

import pytest

from hub.errors import ConfigurationError
from hub.settings import read_settings


@pytest.mark.parametrize(
    "url",
    [
        "http://pos.example.com",
        "https://pos.example.com/hub",
        "https://POS.example.com",
        "https://user@pos.example.com",
        "https://pos.example.com?x=1",
        "ftp://localhost",
        "pos.example.com",
    ],
)
def test_a_public_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^OPENPOS_PUBLIC_URL: .* is no address like https://pos.example.com"):
        read_settings({"OPENPOS_PUBLIC_URL": url})


@pytest.mark.parametrize(
    ("given", "url", "hosts"),
    [
        ("https://pos.example.com/", "https://pos.example.com", ("pos.example.com",)),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000", ("127.0.0.1",)),
        ("", "", ()),
    ],
)
def test_the_public_address_is_one_of_the_hub_s_host_names(given: str, url: str, hosts: tuple[str, ...]) -> None:
    settings = read_settings({"OPENPOS_PUBLIC_URL": given})
    assert (settings.public_url, settings.hosts) == (url, hosts)

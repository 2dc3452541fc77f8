"""Where a program may have people sent back to."""

import pytest

from hub.services.oauth.redirects import checked_redirects, is_own_redirect, origin_of
from hub.services.oauth.refusal import OAuthRefused


@pytest.mark.parametrize(
    "uri",
    [
        "https://claude.ai/api/mcp/auth_callback",
        "https://chatgpt.com/connector_platform_oauth_redirect",
        "http://localhost:33418/callback",
        "http://[::1]:3000/callback",
        "cursor://anysphere.cursor-retrieval/oauth/callback",
        "com.example.app://callback",
        "com.example.app:/callback",
    ],
)
def test_addresses_that_hosts_use_are_taken(uri: str) -> None:
    assert checked_redirects([uri]) == (uri,)


@pytest.mark.parametrize(
    "uri", ["callback", "/callback", "app:/callback", "com.example.app:callback", "https:/a.example"]
)
def test_an_address_without_a_host_must_be_of_a_scheme_that_is_a_name_of_the_program(uri: str) -> None:
    with pytest.raises(OAuthRefused, match="is no address that can be returned to"):
        checked_redirects([uri])


@pytest.mark.parametrize("uris", [[], ["https://agent.example/cb"] * 11])
def test_there_is_one_address_at_least_and_ten_at_most(uris: list[str]) -> None:
    with pytest.raises(OAuthRefused, match="name one to 10 addresses"):
        checked_redirects(uris)


@pytest.mark.parametrize(
    ("uri", "own", "is_own"),
    [
        ("https://a.example/cb", "https://a.example/cb", True),
        ("https://a.example/cb/", "https://a.example/cb", False),
        ("https://A.example/cb", "https://a.example/cb", False),
        ("https://a.example:8443/cb", "https://a.example/cb", False),
        ("http://localhost:5/cb", "http://localhost/cb", True),
        ("http://127.0.0.1:5/cb", "http://127.0.0.1:6/cb", True),
        ("http://[::1]:5/cb", "http://[::1]/cb", True),
        ("http://localhost:5/cb?x=1", "http://localhost/cb", False),
        ("https://localhost:5/cb", "http://localhost/cb", False),
        ("http://localhost:5@evil.example/cb", "http://localhost/cb", False),
        ("http://localhost.evil.example/cb", "http://localhost/cb", False),
        ("http://localhost:99999/cb", "http://localhost/cb", False),
    ],
)
def test_only_the_port_of_an_address_on_the_person_s_machine_may_differ(uri: str, own: str, is_own: bool) -> None:
    assert is_own_redirect(uri, [own]) is is_own


def test_people_and_browsers_are_told_the_origin() -> None:
    assert origin_of("https://a.example:8443/cb?x=1") == "https://a.example:8443"
    assert origin_of("cursor://anysphere/cb") == "cursor:"
    assert origin_of("com.example.app:/cb") == "com.example.app:"

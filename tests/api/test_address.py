"""The caller's address is the peer's, and that of `X-Forwarded-For` only behind proxies of our own."""

import pytest

from hub.api.address import client_address

PROXIES = ("10.0.0.0/8", "192.0.2.7", "2001:db8::/32")


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "address"),
    [
        ("203.0.113.5", None, (), "203.0.113.5"),
        ("203.0.113.5", "198.51.100.1", (), "203.0.113.5"),
        ("203.0.113.5", "198.51.100.1", PROXIES, "203.0.113.5"),
        ("10.1.2.3", "198.51.100.1", PROXIES, "198.51.100.1"),
        ("10.1.2.3", None, PROXIES, "10.1.2.3"),
        ("10.1.2.3", " , ", PROXIES, "10.1.2.3"),
        ("10.1.2.3", "198.51.100.1, 10.9.9.9", PROXIES, "198.51.100.1"),
        ("10.1.2.3", "1.1.1.1, 198.51.100.1, 192.0.2.7", PROXIES, "198.51.100.1"),
        ("10.1.2.3", "10.4.4.4, 10.5.5.5", PROXIES, "10.1.2.3"),
        ("2001:db8::1", "2001:db9::5", PROXIES, "2001:db9::5"),
        ("192.0.2.7", "198.51.100.1", ("192.0.2.7",), "198.51.100.1"),
        ("", "198.51.100.1", PROXIES, ""),
    ],
)
def test_the_last_address_that_is_not_one_of_our_proxies_is_the_caller_s(
    peer: str, forwarded: str | None, trusted: tuple[str, ...], address: str
) -> None:
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    assert client_address(peer, headers, trusted) == address


def test_a_proxy_reached_over_a_dual_stack_socket_is_recognised() -> None:
    assert client_address("::ffff:10.1.2.3", {"x-forwarded-for": "198.51.100.1"}, PROXIES) == "198.51.100.1"


def test_an_address_that_is_none_is_cut_to_size() -> None:
    assert len(client_address("10.1.2.3", {"x-forwarded-for": "x" * 5000}, PROXIES)) == 64

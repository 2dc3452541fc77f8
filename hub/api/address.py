"""The address of the caller, through trusted proxies only."""

from collections.abc import Collection, Mapping
from ipaddress import ip_address, ip_network


def client_address(peer: str, headers: Mapping[str, str], trusted: Collection[str]) -> str:
    """The peer, or the last address in `X-Forwarded-For` that is not one of our own proxies.

    `trusted` are addresses or networks (`10.0.0.0/8`); a header from anybody else is ignored.
    """
    if not trusted or not _is_within(peer, trusted):
        return peer
    hops = [hop.strip() for hop in headers.get("x-forwarded-for", "").split(",") if hop.strip()]
    for hop in reversed(hops):
        if not _is_within(hop, trusted):
            return hop[:64]
    return peer


def _is_within(address: str, networks: Collection[str]) -> bool:
    try:
        parsed = ip_address(address)
        parsed = getattr(parsed, "ipv4_mapped", None) or parsed  # ::ffff:10.1.2.3, as a dual-stack socket says it
        return any(parsed in ip_network(network, strict=False) for network in networks)
    except ValueError:
        return False

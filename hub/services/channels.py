"""The addresses at which channels call this hub, and what stands behind them."""

import re
from collections.abc import Sequence

from msgspec import Struct

from hub.contract.channel import ChannelConnector
from hub.contract.inbound import InboundRoute
from hub.contract.registry import Registry
from hub.errors import NotFound
from hub.model.venue import Link
from hub.services.connections import Connections
from hub.services.directory import Directory

INBOUND = "/inbound"
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]+")


class Channels:
    """The channels of this hub as they see it from outside.

    A link is reached at `/inbound/<connector>/<venue's slug>`, one with a name at `…/<slug>.<name>`, and every link
    at `…/<link id>` too. A slug has no dot, so these never mean two links, and declaring another one moves none.
    """

    def __init__(self, *, registry: Registry, directory: Directory, connections: Connections) -> None:
        self._registry = registry
        self._directory = directory
        self._connections = connections
        self._kinds = {name: self._registry.get(name).connector for name in registry}

    def kind(self, connector_id: str) -> type[ChannelConnector]:
        """The class behind a channel's id; raises `NotFound` when it is not installed, or no channel."""
        kind = self._kinds.get(connector_id)
        if kind is None or not issubclass(kind, ChannelConnector):
            raise NotFound(f"there is no channel {connector_id[:64]!r}")
        return kind

    def find_link(self, connector_id: str, place: str) -> Link:
        """The link that an address means; raises `NotFound`."""
        for link in self._directory.links():
            if link.role == "channel" and link.connector == connector_id and place in (link.id, self._place(link)):
                return link
        raise NotFound(f"nothing is linked at {place[:100]!r}")

    def connector(self, link: Link) -> ChannelConnector:
        """The connector of a link. Raises `ConfigurationError` when its settings or secrets are not right."""
        return self._connections.channel(link.id)

    def path(self, link: Link) -> str:
        """Where the channel calls this hub, to be written behind the hub's own address."""
        return f"{INBOUND}/{link.connector}/{self._place(link)}"

    def _place(self, link: Link) -> str:
        slug = self._directory.venue(link.venue_id).slug
        if not link.name:
            return slug
        return f"{slug}.{link.name}" if _PLAIN_NAME.fullmatch(link.name) else link.id


class Found(Struct, frozen=True):
    """A route and the parts of the path it names."""

    route: InboundRoute
    parts: dict[str, str]


def find_route(routes: Sequence[InboundRoute], method: str, path: str) -> Found:
    """The route of a call; raises `NotFound`."""
    for route in routes:
        parts = _parts(route.path, path) if route.method == method else None
        if parts is not None:
            return Found(route, parts)
    raise NotFound(f"there is no {method[:10]} {path[:200]} here")


def _parts(pattern: str, path: str) -> dict[str, str] | None:
    """The named parts of a path, `{name}` in the pattern; None when it does not fit."""
    wanted, given = pattern.split("/"), path.split("/")
    if len(wanted) != len(given) or "\x00" in path:
        return None
    parts = {}
    for want, word in zip(wanted, given, strict=True):
        if want.startswith("{") and word:
            parts[want[1:-1]] = word
        elif want != word:
            return None
    return parts

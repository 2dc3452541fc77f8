"""The outermost layer around an application under test."""

from typing import Any

from litestar.types import ASGIApp

from hub.api.admission import Desk, Visitors
from hub.api.edge import Edge
from hub.services.limits import RequestLimits, RequestRules
from tests.contract.ports import StandingClock

NOW = 1_795_000_000_000  # 2026-11-18 11:06:40 UTC, twenty seconds before the minute ends


class Uses:
    """Remembers which keys were used."""

    def __init__(self) -> None:
        self.noted: list[str] = []

    def note(self, key_id: str) -> None:
        self.noted.append(key_id)


def edge(
    app: ASGIApp,
    directory: Any,
    *,
    clock: StandingClock | None = None,
    rules: RequestRules | None = None,
    uses: Any = None,
    hosts: tuple[str, ...] = ("hub",),
    origins: tuple[str, ...] = (),
    trusted_proxies: tuple[str, ...] = (),
    **paths: tuple[str, ...],
) -> Edge:
    """An edge that counts in memory, for one process."""
    limits = RequestLimits(database=None, clock=clock or StandingClock(NOW), shared=False)  # type: ignore[arg-type]
    desk = Desk(directory=directory, limits=limits, rules=rules or RequestRules(), uses=uses or Uses())
    visitors = Visitors(hosts=hosts, origins=origins)
    return Edge(app, desk=desk, visitors=visitors, trusted_proxies=trusted_proxies, **paths)

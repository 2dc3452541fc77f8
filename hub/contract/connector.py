"""What every connector is, whichever side of the hub its vendor stands on."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from hub.contract.http import VendorHttp
from hub.contract.ports import Clock, RefStore, TokenStore
from hub.contract.tables import VendorTables
from hub.contract.writes import Operation, Replay, WriteRule
from hub.errors import UnsupportedByVendor
from hub.model.venue import Link


class ProbeStep(Struct, frozen=True, kw_only=True):
    """One thing a probe tried."""

    name: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True)
class LinkContext:
    """Everything a connector is given for one link. `config` has its secrets filled in."""

    link: Link
    config: Mapping[str, Any]
    currency: str
    timezone: str
    http: VendorHttp
    tables: VendorTables
    tokens: TokenStore
    refs: RefStore
    clock: Clock


class Connector(ABC):
    """One vendor at one venue. Keeps no state but its HTTP client.

    All methods that cross the network raise the classes of `hub.errors.ConnectorError`.
    """

    def __init__(self, context: LinkContext) -> None:
        self.context = context

    def write_rule(self, operation: Operation) -> WriteRule:
        """How `operation` may be repeated at this link; a connector overrides it where a vendor's dialects differ."""
        method = getattr(self, operation.value, None)
        rule: WriteRule = getattr(method, "__write_rule__", WriteRule(Replay.ONCE))
        return rule

    @abstractmethod
    async def probe(self) -> Sequence[ProbeStep]:
        """Tries everything the link needs, changing nothing at the vendor."""

    def unsupported(self, operation: str) -> UnsupportedByVendor:
        """The error for an optional method this connector does not offer."""
        connector = self.context.link.connector
        return UnsupportedByVendor(f"{connector} offers no {operation}", connector=connector, operation=operation)

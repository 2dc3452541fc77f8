"""What a channel asks of the hub, taken apart and put together again without any I/O.

A channel's connector turns a request into a command; the hub carries it out; the connector renders the result in
the channel's own shape. Routes are mounted under `/inbound/<connector>/<link>`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from hub.model.order import Customer, Order
from hub.model.table import Table


@dataclass(frozen=True)
class InboundRoute:
    """One call a channel makes. `path` has named parts: `/venue/{venue}/orders/{order}`."""

    name: str
    method: str
    path: str


@dataclass(frozen=True)
class InboundRequest:
    """A call as it came in, its route found and its path taken apart; header names are in lower case."""

    route: InboundRoute
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class InboundReply:
    """The answer in the channel's own shape."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class ListTables(Struct, frozen=True):
    """The venue's tables."""


class WantedItem(Struct, frozen=True, kw_only=True):
    """Something ordered before the guest sat down; `item` is an id or a name, as the channel knows it."""

    item: str
    quantity: int = 1
    note: str = ""


class OpenTab(Struct, frozen=True, kw_only=True):
    """A guest sits down. The same `channel_order_id` again moves the party or corrects it."""

    tables: tuple[str, ...]
    """Names or ids; several are tables put together."""
    channel_order_id: str = ""
    customer: Customer | None = None
    party_size: int | None = None
    prepaid_cents: int = 0
    seated_at_ms: int | None = None
    items: tuple[WantedItem, ...] = ()


class GetTab(Struct, frozen=True, kw_only=True):
    """One order, by our id or the channel's."""

    order_id: str


class ListTabs(Struct, frozen=True, kw_only=True):
    """Orders of the venue that the channel may see, by when they last changed, half open: [from, until)."""

    is_open: bool | None = None
    """None: open and closed ones."""
    from_ms: int | None = None
    until_ms: int | None = None
    limit: int | None = None
    offset: int = 0


Command = ListTables | OpenTab | GetTab | ListTabs


class Tab(Struct, frozen=True, kw_only=True):
    """An order as a channel gets to see it, with the channel's own id where it has one."""

    order: Order
    channel_order_id: str = ""


class TablesResult(Struct, frozen=True):
    """The answer to `ListTables`."""

    tables: Sequence[Table]


class TabResult(Struct, frozen=True):
    """The answer to `OpenTab` and `GetTab`."""

    tab: Tab


class TabsResult(Struct, frozen=True):
    """The answer to `ListTabs`."""

    tabs: Sequence[Tab]


CommandResult = TablesResult | TabResult | TabsResult

"""What an operation of the outside face is, and what its handler gets and gives."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol

from msgspec import Meta, Struct

from hub.errors import InvalidRequest
from hub.services.archive import Archive
from hub.services.availability import Availability
from hub.services.changes import Changes
from hub.services.checks import Checks
from hub.services.directory import Directory
from hub.services.drift import DriftReports
from hub.services.fidelity import FidelityReports
from hub.services.front_of_house import FrontOfHouse
from hub.services.history import History
from hub.services.orders import Orders
from hub.services.outcomes import Outcomes
from hub.services.pos_desk import PosDesk
from hub.services.quotes import Quotes
from hub.services.reconcile import Reconciler
from hub.services.requests import Caller
from hub.services.tables import TableMap
from hub.services.webhooks import Webhooks


class Services(Protocol):
    """The use cases the operations call."""

    @property
    def directory(self) -> Directory:
        """Venues, menus, keys."""
        ...

    @property
    def outcomes(self) -> Outcomes:
        """Waiting for the POS."""
        ...

    @property
    def orders(self) -> Orders:
        """Placing and reading orders."""
        ...

    @property
    def archive(self) -> Archive:
        """Finding orders and holding them."""
        ...

    @property
    def quotes(self) -> Quotes:
        """Prices without an order."""
        ...

    @property
    def availability(self) -> Availability:
        """Sold out or not."""
        ...

    @property
    def changes(self) -> Changes:
        """Changing orders."""
        ...

    @property
    def fidelity(self) -> FidelityReports:
        """What arrived of an order."""
        ...

    @property
    def drift(self) -> DriftReports:
        """Where a store's menu and its POS's differ."""
        ...

    @property
    def reconciler(self) -> Reconciler:
        """Where orders differ from the POS and the channels."""
        ...

    @property
    def pos_desk(self) -> PosDesk:
        """Asking a store's POS while the caller waits."""
        ...

    @property
    def history(self) -> History:
        """What happened to an order."""
        ...

    @property
    def checks(self) -> Checks:
        """Splitting and closing bills."""
        ...

    @property
    def tables(self) -> TableMap:
        """The tables and who sits there."""
        ...

    @property
    def front(self) -> FrontOfHouse:
        """Guests, bookings, campaigns and insights."""
        ...

    @property
    def webhooks(self) -> Webhooks:
        """Who is told what happens."""
        ...

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC."""
        ...

    def new_id(self, prefix: str) -> str:
        """A new time-ordered identifier."""
        ...


class Request(Struct, frozen=True):
    """One call of an operation, understood and authenticated."""

    caller: Caller
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any = None
    """An instance of the operation's `body` type."""
    idempotency_key: str = ""
    if_match: int | None = None
    """The version of the order that the caller wants to change (`If-Match: "3"`); None for any."""
    wait_seconds: float = 0.0
    """How long the caller wants to wait for the POS (`Prefer: wait=10`, RFC 7240)."""


class Reply(Struct, frozen=True):
    """The answer: JSON text, and the order the call was about, if any."""

    content: str
    status: int = 200
    headers: Mapping[str, str] = {}
    order_id: str = ""


Handler = Callable[[Services, Request], Awaitable[Reply]]


@dataclass(frozen=True)
class Call:
    """What a tool's arguments mean for its operation; the same parts a REST request has."""

    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    idempotency_key: str = ""
    if_match: int | None = None


@dataclass(frozen=True)
class Tool:
    """How AI agents use an operation. `arguments` is a msgspec struct that refuses unknown fields."""

    name: str
    title: str
    description: str
    """For a language model: what it gives, and when to use it."""
    arguments: type[Struct]
    call: Callable[[Any], Call]
    """Makes the operation's parts of the arguments."""
    destructive: bool = False
    """Whether it takes something away (hint `destructiveHint`)."""
    idempotent: bool = False
    """Whether doing it twice is the same as once; what only reads is so anyway."""


class StoreArguments(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Names a store."""

    store_slug: Annotated[str, Meta(description="Store slug, from get_stores", max_length=100)] = ""
    location_id: Annotated[str, Meta(description="The store's id (loc_…), in place of storeSlug", max_length=100)] = ""

    @property
    def store(self) -> str:
        """The store as it was named. Raises `InvalidRequest` when it was not."""
        named = self.store_slug or self.location_id
        if not named:
            raise InvalidRequest("storeSlug: name the store by storeSlug or locationId", field="storeSlug")
        return named


@dataclass(frozen=True)
class Operation:
    """One thing the outside can ask for. `scope` is required unless `anonymous` callers may use it on REST;
    a caller who shows a key needs the scope in any case. Agents need the scope always.
    """

    name: str
    method: str
    path: str
    summary: str
    scope: str
    anonymous: bool
    handler: Handler
    body: type | None = None
    query: tuple[str, ...] = ()
    of_many: bool = False
    """It searches for, or answers with, many orders: the trace keeps neither the query nor the answer, for no order's
    end would take them along."""
    answer: type[Struct] | None = None
    """The shape of the answer; an operation with tools has one."""
    success: int = 200
    """The HTTP status of an answer that is no error."""
    heeds: tuple[str, ...] = ()
    """The request headers that change what it does, besides the key; those of changes of an order need no naming."""
    gives: tuple[str, ...] = ()
    """The headers of its answer, besides those of every answer and those that `heeds` brings with it."""
    example: Mapping[str, Any] | None = None
    """A body for the documentation."""
    tools: tuple[Tool, ...] = ()

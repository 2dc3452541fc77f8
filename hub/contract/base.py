"""The connector contract: what every POS connector must do, may do, and says about the safety of its writes."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

from msgspec import Struct

from hub.contract.http import VendorHttp
from hub.contract.ports import Clock, RefStore, TokenStore
from hub.contract.tables import VendorTables
from hub.errors import UnsupportedByVendor
from hub.model.menu import Menu
from hub.model.order import Loss, Order, PosOrder, VendorRef
from hub.model.venue import Link


class Replay(StrEnum):
    """What may happen when a write's outcome is unknown."""

    REPEATABLE = "R0"
    """Sets a state: send again."""
    KEYED = "R1"
    """The vendor honours our idempotency key: look if we can, else send the same again with the same key."""
    SEARCHABLE = "R2"
    """Look it up; send again only when it is surely absent."""
    TWO_PHASE = "R3"
    """Creates a draft that a later step commits: look it up; a duplicate draft is harmless and swept."""
    ONCE = "R4"
    """Nothing protects us: park for a person."""


@dataclass(frozen=True)
class WriteRule:
    """How a write may be repeated; see `write`."""

    replay: Replay
    look_up: str | None = None
    key_retention: timedelta | None = None


_Method = TypeVar("_Method", bound=Callable[..., Awaitable[Any]])


def write(
    replay: Replay, *, look_up: str | None = None, key_retention: timedelta | None = None
) -> Callable[[_Method], _Method]:
    """Declares the replay class of a connector's write.

    `look_up` names the method that tells whether the write happened. `key_retention` is how long the vendor
    surely remembers our key (`KEYED` only); after it the write counts as `SEARCHABLE`.
    """

    def declare(method: _Method) -> _Method:
        method.__write_rule__ = WriteRule(replay, look_up, key_retention)  # type: ignore[attr-defined]
        return method

    return declare


class Operation(StrEnum):
    """Writes about one order; each value is the name of the `PosConnector` method."""

    SUBMIT_ORDER = "submit_order"
    CANCEL_ORDER = "cancel_order"


class Capability(StrEnum):
    """Optional abilities; each value is the name of the `PosConnector` method that stands for it."""

    FIND_ORDER = "find_order"
    LIST_ORDERS = "list_orders"
    CANCEL_ORDER = "cancel_order"
    FETCH_MENU = "fetch_menu"
    FETCH_CODES = "fetch_codes"


class OrderWrite(Struct, frozen=True, kw_only=True):
    """What a write about an order gets to know."""

    order: Order
    idempotency_key: str
    """The same for every repetition of this write; a UUID in text form."""
    mark: str
    """Our short code; put it where `find_order` can see it again."""
    ref: VendorRef | None = None
    """The vendor's id of the order, once it has one."""
    reason: str = ""


class WriteResult(Struct, frozen=True, kw_only=True):
    """What a write gave back."""

    ref: VendorRef | None = None
    order: PosOrder | None = None
    """The order as the vendor echoed it, when it did."""
    losses: tuple[Loss, ...] = ()
    """What the vendor could not take as it was."""


class Verdict(StrEnum):
    """The answer of a look-up."""

    FOUND = "found"
    ABSENT = "absent"
    AMBIGUOUS = "ambiguous"
    """Several candidates, or the vendor's list could not be read to its end."""


class LookUp(Struct, frozen=True, kw_only=True):
    """Whether an earlier write happened at the vendor."""

    verdict: Verdict
    ref: VendorRef | None = None
    order: PosOrder | None = None
    candidates: tuple[VendorRef, ...] = ()


class VendorCode(Struct, frozen=True, kw_only=True):
    """One of a venue's own codes at the vendor, e.g. the sale type 2 named "Delivery"."""

    table: str
    id: str
    name: str
    detail: str = ""


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


class PosConnector(ABC):
    """One POS vendor at one venue: a system where orders are worked, and which the hub calls.

    Keeps no state but its HTTP client. All methods raise the classes of `hub.errors.ConnectorError`.
    """

    capabilities: ClassVar[frozenset[Capability]] = frozenset()
    """Computed from the methods a class overrides, never written by hand."""

    submission: ClassVar[tuple[Operation, ...]] = (Operation.SUBMIT_ORDER,)
    """The steps that bring an order into the POS; each is an outbox delivery of its own, in this order."""

    def __init__(self, context: LinkContext) -> None:
        self.context = context

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.capabilities = frozenset(
            capability
            for capability in Capability
            if getattr(cls, capability.value) is not getattr(PosConnector, capability.value)
        )
        for operation in Operation:
            method = getattr(cls, operation.value)
            if method is not getattr(PosConnector, operation.value) and not hasattr(method, "__write_rule__"):
                raise TypeError(f"{cls.__name__}.{operation.value} must declare its replay class with @write(…)")

    def write_rule(self, operation: Operation) -> WriteRule:
        """How `operation` may be repeated at this link; a connector overrides it where a vendor's dialects differ."""
        rule: WriteRule = getattr(getattr(self, operation.value), "__write_rule__", WriteRule(Replay.ONCE))
        return rule

    @abstractmethod
    async def probe(self) -> Sequence[ProbeStep]:
        """Tries everything the link needs, changing nothing at the vendor."""

    @abstractmethod
    async def submit_order(self, request: OrderWrite) -> WriteResult:
        """Brings the order into the POS and returns the vendor's id."""

    @abstractmethod
    async def fetch_order(self, ref: VendorRef) -> PosOrder:
        """Reads one order back."""

    async def find_order(self, request: OrderWrite, *, since_ms: int) -> LookUp:
        """Looks for our order among those the vendor got since `since_ms`, by our mark or reference."""
        raise self.unsupported("find_order")

    async def list_orders(self, *, since_ms: int) -> Sequence[PosOrder]:
        """All orders the vendor got since `since_ms`, with the least number of calls."""
        raise self.unsupported("list_orders")

    async def cancel_order(self, request: OrderWrite) -> WriteResult:
        """Cancels an order; one that is cancelled already counts as success."""
        raise self.unsupported("cancel_order")

    async def fetch_menu(self) -> Menu:
        """The whole menu with its modifier groups; ids are derived from the vendor's and stay the same."""
        raise self.unsupported("fetch_menu")

    async def fetch_codes(self) -> Sequence[VendorCode]:
        """The venue's own codes (sale types, payment methods, stations, …), for set-up."""
        raise self.unsupported("fetch_codes")

    def unsupported(self, operation: str) -> UnsupportedByVendor:
        """The error for an optional method this connector does not offer."""
        connector = self.context.link.connector
        return UnsupportedByVendor(f"{connector} offers no {operation}", connector=connector, operation=operation)

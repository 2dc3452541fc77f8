"""What an operation of the outside face is, and what its handler gets and gives."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from hub.services.archive import Archive
from hub.services.directory import Directory
from hub.services.orders import Orders
from hub.services.outcomes import Outcomes
from hub.services.requests import Caller


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

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC."""
        ...


@dataclass(frozen=True)
class Request:
    """One call of an operation, understood and authenticated."""

    caller: Caller
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any = None
    """An instance of the operation's `body` type."""
    idempotency_key: str = ""
    wait_seconds: float = 0.0
    """How long the caller wants to wait for the POS (`Prefer: wait=10`, RFC 7240)."""


@dataclass(frozen=True)
class Reply:
    """The answer: JSON text, and the order the call was about, if any."""

    content: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    order_id: str = ""


@dataclass(frozen=True)
class Operation:
    """One thing the outside can ask for. `scope` is required unless `anonymous` callers may use it on REST;
    a caller who shows a key needs the scope in any case."""

    name: str
    method: str
    path: str
    summary: str
    scope: str
    anonymous: bool
    handler: Callable[[Services, Request], Awaitable[Reply]]
    body: type | None = None
    query: tuple[str, ...] = ()
    of_many: bool = False
    """It searches for, or answers with, many orders: the trace keeps neither the query nor the answer, for no order's
    end would take them along."""

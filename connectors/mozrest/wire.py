"""The JSON of Mozrest's POS API as its documentation shows it (https://doc.mozrest.com/pos, read 2026-11-21).

What the hub writes is complete. What Mozrest sends is read field by field in `parse.py`, because fields may be added
at any time. Amounts are JSON numbers in major units; `Decimal` keeps them exact.
"""

from decimal import Decimal
from typing import Any, NotRequired, TypedDict


class MozrestTable(TypedDict):
    """One row of the list of tables."""

    id: str
    name: str


class MozrestItem(TypedDict):
    """One line of a check; `price` is that of one, modifiers included."""

    id: int | str
    name: str
    price: Decimal
    quantity: int


class MozrestCheck(TypedDict):
    """One bill. `totalAmount` is final, after tax and service charges, without the tip."""

    checkNumber: str
    status: str
    totalAmount: Decimal
    tax: Decimal
    tip: Decimal
    discount: Decimal
    paymentMethod: NotRequired[str]
    items: list[MozrestItem]


class MozrestOrder(TypedDict):
    """The body of an open, update, close or void call; `id` is the hub's."""

    id: str
    status: str
    tables: list[str]
    partySize: NotRequired[int]
    checks: list[MozrestCheck]


class MozrestListedOrder(MozrestOrder):
    """An order as Mozrest reads it from the hub; times are ISO 8601 in UTC."""

    guestName: NotRequired[str]
    guestEmail: NotRequired[str]
    guestTelephone: NotRequired[str]
    openedAt: str
    updatedAt: str
    closedAt: str | None


class MozrestOpened(TypedDict):
    """The answer to a guest's seating."""

    id: str
    checkNumber: str


class MozrestErrorBody(TypedDict):
    """What stands under `error`; `reason` is the hub's own code."""

    code: int
    message: str
    details: NotRequired[dict[str, Any]]
    reason: NotRequired[str]


class MozrestError(TypedDict):
    """The body of every error."""

    error: MozrestErrorBody

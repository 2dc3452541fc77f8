"""Writes about one order: which there are, what they get to know, what they give back, how they may be repeated."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

from msgspec import Struct

from hub.model.change import Change
from hub.model.order import Loss, Order, PosOrder, VendorRef


class Operation(StrEnum):
    """Writes about one order; each value is the name of the connector's method."""

    SUBMIT_ORDER = "submit_order"
    SEND_TO_KITCHEN = "send_to_kitchen"
    ADD_LINES = "add_lines"
    SET_STAGE = "set_stage"
    CANCEL_ORDER = "cancel_order"
    APPLY_DISCOUNT = "apply_discount"
    RECORD_PAYMENT = "record_payment"
    REFUND_PAYMENT = "refund_payment"
    ASSIGN_DRIVER = "assign_driver"

    PUSH_OPENED = "push_opened"
    PUSH_CHANGED = "push_changed"
    PUSH_CLOSED = "push_closed"
    PUSH_VOID = "push_void"


CHANNEL_OPERATIONS = (Operation.PUSH_OPENED, Operation.PUSH_CHANGED, Operation.PUSH_CLOSED, Operation.PUSH_VOID)
POS_OPERATIONS = tuple(operation for operation in Operation if operation not in CHANNEL_OPERATIONS)


class Replay(StrEnum):
    """What may happen when a write's outcome is unknown."""

    REPEATABLE = "R0"
    """Sets a state: send again."""
    KEYED = "R1"
    """The vendor honours our idempotency key: look if we can, else send the same again with the same key."""
    SEARCHABLE = "R2"
    """Look it up; send again only when it is surely absent."""
    TWO_PHASE = "R3"
    """Creates a draft that a later step commits: look it up; a duplicate draft is harmless and swept.

    The look-up answers *found* with the one that is furthest, and the others as `candidates`."""
    ONCE = "R4"
    """Nothing protects us: park for a person."""


@dataclass(frozen=True)
class WriteRule:
    """How a write may be repeated; see `write`."""

    replay: Replay
    look_up: str | None = None
    key_retention: timedelta | None = None
    one_at_a_time: bool = False


_Method = TypeVar("_Method", bound=Callable[..., Awaitable[Any]])


def write(
    replay: Replay,
    *,
    look_up: str | None = None,
    key_retention: timedelta | None = None,
    one_at_a_time: bool = False,
) -> Callable[[_Method], _Method]:
    """Declares the replay class of a connector's write.

    `look_up` names the method that tells whether the write happened. `key_retention` is how long the vendor
    surely remembers our key (`KEYED` only); after it the write counts as `SEARCHABLE`. `one_at_a_time` is for a
    vendor that honours a key only once the first call with it is over: the second one waits until it must be.
    """

    def declare(method: _Method) -> _Method:
        method.__write_rule__ = WriteRule(replay, look_up, key_retention, one_at_a_time)  # type: ignore[attr-defined]
        return method

    return declare


class OrderWrite(Struct, frozen=True, kw_only=True):
    """What a write about an order gets to know."""

    order: Order
    idempotency_key: str
    """The same for every repetition of this write; a UUID in text form."""
    mark: str
    """Our short code; put it where `find_order` can see it again."""
    ref: VendorRef | None = None
    """The vendor's id of the order, once it has one."""
    further_refs: tuple[VendorRef, ...] = ()
    """Other ids the vendor gave: of later rounds (kind `order`), of kitchen tickets (kind `ticket`)."""
    change: Change | None = None
    """What changed, for the operations that carry a change."""
    reason: str = ""


class WriteResult(Struct, frozen=True, kw_only=True):
    """What a write gave back."""

    ref: VendorRef | None = None
    further_refs: tuple[VendorRef, ...] = ()
    """Other ids the vendor gave, e.g. of the kitchen's ticket."""
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
    losses: tuple[Loss, ...] = ()
    """What the vendor cannot take of the order that was found; its own answer, which would have said so, is lost."""

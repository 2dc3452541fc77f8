"""What partners are told by webhooks: the kinds of events, who is told, and what happened."""

from enum import StrEnum

from msgspec import Struct

from hub.model.order import Order
from hub.model.status import Stage, Status

_ENDED_UNMADE = (Stage.REJECTED, Stage.CANCELLED, Stage.EXPIRED)


class EventType(StrEnum):
    """What may have happened. One change of an order is one event: the most telling of the three it could be."""

    ORDER_CREATED = "order.created"
    ORDER_UPDATED = "order.updated"
    ORDER_CANCELLED = "order.cancelled"
    """Cancelled, rejected by the POS, void, or forgotten by everybody."""
    ORDER_COMPLETED = "order.completed"
    ORDER_DELIVERY_FAILED = "order.delivery_failed"
    """Something did not reach the POS or a channel, and a person must look."""
    MENU_UPDATED = "menu.updated"
    ITEM_AVAILABILITY_CHANGED = "item.availability_changed"


ORDER_EVENTS = tuple(kind for kind in EventType if kind.startswith("order."))


def kind_of_change(before: Order, after: Order) -> EventType:
    """What a change of an order is told as."""
    stage_is_new, status_is_new = after.stage is not before.stage, after.status is not before.status
    if (stage_is_new and after.stage in _ENDED_UNMADE) or (status_is_new and after.status is Status.VOID):
        return EventType.ORDER_CANCELLED
    if (stage_is_new and after.stage is Stage.COMPLETED) or (status_is_new and after.status is Status.CLOSED):
        return EventType.ORDER_COMPLETED
    return EventType.ORDER_UPDATED


class Endpoint(Struct, frozen=True, kw_only=True):
    """An address that is told of events. `venue_id` is empty for all venues, `events` for all events; `secret` and
    `old_secret` are sealed, and the old one signs as well until `old_secret_until_ms`."""

    id: str
    key_id: str
    venue_id: str
    url: str
    description: str
    events: tuple[EventType, ...]
    secret: str
    old_secret: str
    old_secret_until_ms: int
    enabled: bool
    disabled_reason: str
    """Why it was switched off by itself; empty otherwise."""
    failing_since_ms: int | None
    created_at_ms: int

    def wants(self, kind: EventType) -> bool:
        """Whether it is told of events of this kind."""
        return not self.events or kind in self.events


class Event(Struct, frozen=True, kw_only=True):
    """Something that happened. Events of one `subject` are told in the order of `seq`, then `id`."""

    id: str
    venue_id: str
    order_id: str | None
    type: EventType
    subject: str
    seq: int
    at_ms: int
    document: str
    """The order as it was then, or an `ItemState`; as JSON. Empty for a menu."""


class ItemState(Struct, frozen=True, kw_only=True):
    """Whether an item could be ordered."""

    item_id: str
    name: str
    available: bool


class DeliveryState(StrEnum):
    """Where an event is on its way to an endpoint."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    """Given up after the last try, or because the endpoint was switched off; a replay tries again."""


class DeliveryEntry(Struct, frozen=True, kw_only=True):
    """One line of an endpoint's log. `status` is the HTTP status of the last try; None without an answer."""

    event_id: str
    type: EventType
    order_id: str | None
    state: DeliveryState
    attempts: int
    status: int | None
    detail: str
    due_at_ms: int | None
    at_ms: int
    done_at_ms: int | None


class Period(Struct, frozen=True, kw_only=True):
    """Which events to tell once more: one by its id, or those of a time, [from, before)."""

    event_id: str = ""
    from_ms: int = 0
    before_ms: int = 0

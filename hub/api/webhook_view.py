"""How events look to partners: the same views as the API gives to the key they are for."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from hub.api.answers import FailureShape, OrderShape
from hub.api.json import encode
from hub.api.schemas import schemas_of
from hub.api.views import failure_view, order_view, timestamp
from hub.model.order import OrderRecord
from hub.model.venue import Venue
from hub.model.webhook import ORDER_EVENTS, Endpoint, Event, EventType, ItemState
from hub.services.keys import allows


class OrderData(Struct, frozen=True):
    """The order as it was then; `failures` only with `order.delivery_failed`, to keys with `orders:read`."""

    order: OrderShape
    failures: list[FailureShape] | UnsetType = UNSET


class ItemData(Struct, frozen=True, rename="camel"):
    """Whether an item can be ordered."""

    store_slug: str
    location_id: str
    item_id: str
    name: str
    available: bool


class MenuData(Struct, frozen=True, rename="camel"):
    """Whose menu changed: read it again."""

    store_slug: str
    location_id: str


class OrderEvent(Struct, frozen=True):
    """Something happened to an order."""

    type: Literal["order.created", "order.updated", "order.cancelled", "order.completed", "order.delivery_failed"]
    timestamp: str
    data: OrderData


class ItemEvent(Struct, frozen=True):
    """An item can, or cannot, be ordered by now."""

    type: Literal["item.availability_changed"]
    timestamp: str
    data: ItemData


class MenuEvent(Struct, frozen=True):
    """A menu changed."""

    type: Literal["menu.updated"]
    timestamp: str
    data: MenuData


def event_body(
    event: Event, subject: OrderRecord | ItemState | None, scopes: Sequence[str], venue_of: Callable[[str], Venue]
) -> bytes:
    """The body of a message. Raises `NotFound` when the venue is gone."""
    venue = venue_of(event.venue_id)
    data: dict[str, Any] = {"storeSlug": venue.slug, "locationId": venue.id}
    if isinstance(subject, OrderRecord):
        private = allows(scopes, "orders:read")
        data = {"order": order_view(subject, venue, private=private)}
        if private and event.type is EventType.ORDER_DELIVERY_FAILED:
            data["failures"] = failure_view(subject)["failures"]
    elif isinstance(subject, ItemState):
        data |= {"itemId": subject.item_id, "name": subject.name, "available": subject.available}
    return encode({"type": event.type, "timestamp": timestamp(event.at_ms), "data": data}).encode()


def endpoint_view(endpoint: Endpoint, venue: Venue | None, now_ms: int) -> dict[str, Any]:
    """An endpoint; never its secret. `venue` is None for all venues of its key."""
    is_rotating = bool(endpoint.old_secret) and endpoint.old_secret_until_ms > now_ms
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "description": endpoint.description,
        "storeSlug": None if venue is None else venue.slug,
        "locationId": None if venue is None else venue.id,
        "events": [*(endpoint.events or EventType)],
        "enabled": endpoint.enabled,
        "disabledReason": endpoint.disabled_reason or None,
        "failingSince": timestamp(endpoint.failing_since_ms),
        "oldSecretUntil": timestamp(endpoint.old_secret_until_ms) if is_rotating else None,
        "createdAt": timestamp(endpoint.created_at_ms),
    }


def described_events(template: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What OpenAPI says of each kind of event, by its name, and the schemas that this refers to."""
    kinds: Mapping[EventType, type[Struct]] = {
        **dict.fromkeys(ORDER_EVENTS, OrderEvent),
        EventType.MENU_UPDATED: MenuEvent,
        EventType.ITEM_AVAILABILITY_CHANGED: ItemEvent,
    }
    schemas, components = schemas_of(list(kinds.values()), template)
    described = {
        kind.value: {
            "post": {
                "summary": f"{shape.__doc__}",
                "parameters": [_header(name, words) for name, words in _HEADERS.items()],
                "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
                "responses": {"2XX": {"description": "Received. Anything else is tried again."}},
            }
        }
        for (kind, shape), schema in zip(kinds.items(), schemas, strict=True)
    }
    return described, components


_HEADERS = {
    "webhook-id": "The event's id: the same however often it is sent.",
    "webhook-timestamp": "When it was sent: seconds since 1970.",
    "webhook-signature": "`v1,…` for each valid secret: HMAC-SHA256 of id, timestamp and body with points between.",
}


def _header(name: str, words: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": True, "description": words, "schema": {"type": "string"}}

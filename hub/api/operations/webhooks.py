"""Webhooks: where partners are told what happens, so that they need not ask."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from hub.api.json import encode
from hub.api.listing import limit_of, named_venue
from hub.api.operation import Operation, Reply, Request, Services
from hub.api.times import parse_timestamp
from hub.api.views import timestamp
from hub.api.webhook_view import endpoint_view
from hub.errors import InvalidRequest
from hub.model.venue import Venue
from hub.model.webhook import DeliveryEntry, DeliveryState, Endpoint, EventType, Period
from hub.services.webhooks import EndpointChange

_Url = Annotated[str, Meta(description="https://…, where events are sent with POST", min_length=1, max_length=2000)]
_Events = Annotated[list[EventType], Meta(description="Which events; all without any", max_length=20)]
_Description = Annotated[str, Meta(max_length=200)]
_Time = Annotated[str, Meta(description="ISO 8601 with offset", max_length=60)]


class WebhookBody(Struct, frozen=True, rename="camel", kw_only=True):
    """Where to send events, and which; without a store those of all stores of the key."""

    url: _Url
    events: _Events = []
    store_slug: Annotated[str, Meta(max_length=100)] = ""
    location_id: Annotated[str, Meta(max_length=100)] = ""
    description: _Description = ""


class WebhookChangeBody(Struct, frozen=True, kw_only=True):
    """What to change; what is left out stays. Switching it on forgets why it was off."""

    url: _Url | UnsetType = UNSET
    events: _Events | UnsetType = UNSET
    description: _Description | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class RotateBody(Struct, frozen=True):
    """Nothing has to be said."""


class ReplayBody(
    Struct, frozen=True, rename={"event_id": "eventId", "begins": "from", "ends": "to", "dry_run": "dryRun"}
):
    """One event by its id, or all from a time until before another one. `dryRun` only counts."""

    event_id: Annotated[str, Meta(max_length=100)] = ""
    begins: _Time | None = None
    ends: _Time | None = None
    dry_run: bool = False


class WebhookShape(Struct, frozen=True, rename="camel"):
    """An endpoint. `disabledReason` says why it was switched off by itself; no store means all stores of the key."""

    id: str
    url: str
    description: str
    store_slug: str | None
    location_id: str | None
    events: list[EventType]
    enabled: bool
    disabled_reason: str | None
    failing_since: str | None
    old_secret_until: str | None
    created_at: str


class WebhookAnswer(Struct, frozen=True):
    """One endpoint."""

    webhook: WebhookShape


class WebhookSecretAnswer(Struct, frozen=True):
    """An endpoint with its secret, which is shown this once."""

    webhook: WebhookShape
    secret: str


class WebhooksAnswer(Struct, frozen=True):
    """The endpoints of the key."""

    webhooks: list[WebhookShape]


class WebhookDeletedAnswer(Struct, frozen=True):
    """The endpoint that is gone."""

    deleted: str


class ReplayAnswer(Struct, frozen=True, rename="camel"):
    """How many events are sent once more. After 10 000 it stops: go on with `nextFrom` as `from`."""

    events: int
    next_from: str | None


class WebhookDeliveryShape(Struct, frozen=True, rename="camel"):
    """An event on its way to the endpoint. `status` is the last try's; null when nobody answered."""

    event_id: str
    type: EventType
    order_id: str | None
    state: DeliveryState
    attempts: int
    status: int | None
    detail: str | None
    next_attempt_at: str | None
    created_at: str
    done_at: str | None


class WebhookDeliveriesAnswer(Struct, frozen=True, rename="camel"):
    """A page of the log, the newest events first."""

    deliveries: list[WebhookDeliveryShape]
    next_cursor: str | None


async def list_webhooks(services: Services, request: Request) -> Reply:
    """The webhooks that this key made."""
    found = await services.webhooks.list(request.caller)
    return Reply(encode({"webhooks": [_view(services, endpoint) for endpoint in found]}))


async def create_webhook(services: Services, request: Request) -> Reply:
    """Tell this address what happens. The answer shows the secret that signs the messages, this once."""
    body: WebhookBody = request.body
    named = body.store_slug or body.location_id
    endpoint, secret = await services.webhooks.create(
        request.caller,
        url=body.url,
        venue_id=named_venue(services, request, body.store_slug, body.location_id).id if named else "",
        events=tuple(dict.fromkeys(body.events)),
        description=body.description,
    )
    headers = {"Location": f"/api/v1/webhooks/{endpoint.id}"}
    return Reply(encode({"webhook": _view(services, endpoint), "secret": secret}), status=201, headers=headers)


async def get_webhook(services: Services, request: Request) -> Reply:
    """One webhook."""
    return _reply(services, await _endpoint(services, request))


async def change_webhook(services: Services, request: Request) -> Reply:
    """Change the address, the events or the description; switch it off, or on again."""
    body: WebhookChangeBody = request.body
    change = EndpointChange(
        url=None if isinstance(body.url, UnsetType) else body.url,
        events=None if isinstance(body.events, UnsetType) else tuple(dict.fromkeys(body.events)),
        description=None if isinstance(body.description, UnsetType) else body.description,
        enabled=None if isinstance(body.enabled, UnsetType) else body.enabled,
    )
    return _reply(services, await services.webhooks.change(await _endpoint(services, request), change))


async def delete_webhook(services: Services, request: Request) -> Reply:
    """Tell this address nothing any more; its log goes too."""
    endpoint = await _endpoint(services, request)
    await services.webhooks.delete(endpoint)
    return Reply(encode({"deleted": endpoint.id}))


async def rotate_webhook(services: Services, request: Request) -> Reply:
    """A new secret, shown this once. For 24 hours messages are signed with the old one as well."""
    endpoint, secret = await services.webhooks.rotate(await _endpoint(services, request))
    return Reply(encode({"webhook": _view(services, endpoint), "secret": secret}))


async def replay_webhook(services: Services, request: Request) -> Reply:
    """Send events once more, under the ids they had; also those that happened while it was switched off.

    What happened is kept for 30 days, an order's events at most as long as the order.
    """
    body: ReplayBody = request.body
    endpoint = await _endpoint(services, request)
    replayed = await services.webhooks.replay(
        endpoint, _selection(services, body), venue_id=request.caller.venue_id, dry_run=body.dry_run
    )
    return Reply(encode({"events": replayed.events, "nextFrom": timestamp(replayed.next_from_ms)}))


async def list_webhook_deliveries(services: Services, request: Request) -> Reply:
    """What was sent to a webhook and how it went, the newest events first, in pages."""
    endpoint = await _endpoint(services, request)
    page = await services.webhooks.log(
        endpoint,
        state=_state(request.query["state"]),
        after=request.query["cursor"],
        limit=limit_of(request.query),
    )
    entries = [_entry_view(entry) for entry in page.entries]
    return Reply(encode({"deliveries": entries, "nextCursor": page.next or None}))


async def _endpoint(services: Services, request: Request) -> Endpoint:
    return await services.webhooks.load(request.path["webhook"], request.caller)


def _reply(services: Services, endpoint: Endpoint) -> Reply:
    return Reply(encode({"webhook": _view(services, endpoint)}))


def _view(services: Services, endpoint: Endpoint) -> dict[str, object]:
    venue: Venue | None = services.directory.venue(endpoint.venue_id) if endpoint.venue_id else None
    return endpoint_view(endpoint, venue, services.now_ms())


def _entry_view(entry: DeliveryEntry) -> dict[str, object]:
    return {
        "eventId": entry.event_id,
        "type": entry.type,
        "orderId": entry.order_id,
        "state": entry.state,
        "attempts": entry.attempts,
        "status": entry.status,
        "detail": entry.detail or None,
        "nextAttemptAt": timestamp(entry.due_at_ms),
        "createdAt": timestamp(entry.at_ms),
        "doneAt": timestamp(entry.done_at_ms),
    }


def _selection(services: Services, body: ReplayBody) -> Period:
    if body.event_id:
        if body.begins is not None or body.ends is not None:
            raise InvalidRequest("eventId: give either eventId, or from and to", field="eventId")
        return Period(event_id=body.event_id)
    from_ms, before_ms = parse_timestamp(body.begins, "from"), parse_timestamp(body.ends, "to")
    if from_ms is None:
        raise InvalidRequest("eventId: give either eventId, or from and to", field="eventId")
    return Period(from_ms=from_ms, before_ms=services.now_ms() + 1 if before_ms is None else before_ms)


def _state(word: str) -> DeliveryState | None:
    if word and word not in tuple(DeliveryState):
        raise InvalidRequest(f"state: {word[:40]!r} is none of {', '.join(DeliveryState)}", field="state")
    return DeliveryState(word) if word else None


_ONE = "/webhooks/{webhook:str}"
_EXAMPLE = {"url": "https://partner.example.com/openpos", "events": ["order.created", "order.updated"]}
OPERATIONS = (
    Operation(
        name="list_webhooks",
        method="GET",
        path="/webhooks",
        summary="List webhooks.",
        scope="read",
        anonymous=False,
        handler=list_webhooks,
        answer=WebhooksAnswer,
    ),
    Operation(
        name="create_webhook",
        method="POST",
        path="/webhooks",
        summary="Be told what happens.",
        scope="write",
        anonymous=False,
        handler=create_webhook,
        body=WebhookBody,
        answer=WebhookSecretAnswer,
        success=201,
        gives=("Location",),
        example=_EXAMPLE,
    ),
    Operation(
        name="get_webhook",
        method="GET",
        path=_ONE,
        summary="One webhook.",
        scope="read",
        anonymous=False,
        handler=get_webhook,
        answer=WebhookAnswer,
    ),
    Operation(
        name="change_webhook",
        method="PATCH",
        path=_ONE,
        summary="Change a webhook, or switch it off and on.",
        scope="write",
        anonymous=False,
        handler=change_webhook,
        body=WebhookChangeBody,
        answer=WebhookAnswer,
    ),
    Operation(
        name="delete_webhook",
        method="DELETE",
        path=_ONE,
        summary="Delete a webhook.",
        scope="write",
        anonymous=False,
        handler=delete_webhook,
        answer=WebhookDeletedAnswer,
    ),
    Operation(
        name="rotate_webhook",
        method="POST",
        path=f"{_ONE}/rotate",
        summary="A new secret for a webhook.",
        scope="write",
        anonymous=False,
        handler=rotate_webhook,
        body=RotateBody,
        answer=WebhookSecretAnswer,
    ),
    Operation(
        name="replay_webhook",
        method="POST",
        path=f"{_ONE}/replay",
        summary="Send events once more.",
        scope="write",
        anonymous=False,
        handler=replay_webhook,
        body=ReplayBody,
        answer=ReplayAnswer,
        example={"from": "2026-02-09T12:00:00Z", "to": "2026-02-09T13:00:00Z"},
    ),
    Operation(
        name="list_webhook_deliveries",
        method="GET",
        path=f"{_ONE}/deliveries",
        summary="What was sent to a webhook.",
        scope="read",
        anonymous=False,
        handler=list_webhook_deliveries,
        query=("state", "cursor", "limit"),
        answer=WebhookDeliveriesAnswer,
    ),
)

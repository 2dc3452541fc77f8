"""What all operations that change an order share: which order, who asks, once only, and the answer."""

import hashlib
from collections.abc import Awaitable
from typing import Annotated

import msgspec
from msgspec import Meta, Struct, structs

from hub.api.json import encode
from hub.api.operation import Reply, Request, Services
from hub.api.views import order_view
from hub.errors import InvalidRequest
from hub.model.order import Order, OrderRecord
from hub.model.status import Injection, Stage
from hub.services.asked import Asked, AtPos, Changed, Once
from hub.services.keys import allows, require_venue

_ENDED = {
    Injection.CONFIRMED: AtPos.APPLIED,
    Injection.MANUAL_DONE: AtPos.APPLIED,
    Injection.FAILED: AtPos.REFUSED,
    Injection.MANUAL_REQUIRED: AtPos.REFUSED,
    Injection.CONFIRMED_WITH_OPEN_ITEMS: AtPos.REFUSED,
}


class VersionBody(Struct, frozen=True, rename="camel", kw_only=True):
    """What every change may say: the version of the order that it is meant for, in place of `If-Match`."""

    version: Annotated[int, Meta(ge=1, le=10**9)] | None = None


async def order_of(services: Services, request: Request) -> Order:
    """The order in the path (id, UUID or number), if the caller may reach it. Raises `NotFound`, `Forbidden`."""
    record = await services.orders.load(request.path["order"])
    require_venue(request.caller, record.order.venue_id)
    return record.order


def asked_of(services: Services, request: Request, order: Order, what: str) -> Asked:
    """The change as the services are asked for it. `what` tells the operations apart under one key."""
    once = None
    if request.idempotency_key:
        content = b"\0".join((what.encode(), order.id.encode(), msgspec.json.encode(request.body)))
        once = Once(
            caller_id=request.caller.id,
            key=request.idempotency_key,
            fingerprint=hashlib.sha256(content).digest(),
            render=lambda changed: _answer(services, request, changed),
        )
    return Asked(order.id, request.caller.name, _version(request), once)


def _version(request: Request) -> int | None:
    in_body: int | None = getattr(request.body, "version", None)
    if request.if_match is not None and in_body is not None and request.if_match != in_body:
        raise InvalidRequest(f"version: {in_body}, but If-Match says {request.if_match}", field="version")
    return in_body if request.if_match is None else request.if_match


async def changed_reply(services: Services, request: Request, asked: Asked, change: Awaitable[Changed]) -> Reply:
    """Carries a change out and answers; with `Prefer: wait` once the POS has answered too."""
    changed = await change
    if changed.first_answer:
        headers = {"Idempotent-Replayed": "true"}
        return Reply(changed.first_answer, headers=headers, order_id=asked.order_id)
    headers = {}
    if request.wait_seconds and changed.pos is AtPos.QUEUED:
        headers["Preference-Applied"] = f"wait={request.wait_seconds:g}"
        link = services.directory.link_of(changed.record.order.venue_id)
        record = await services.outcomes.wait(asked.order_id, request.wait_seconds)
        if link is not None and record is not None:
            changed = after_waiting(changed, record, link.id)
    headers["ETag"] = f'"{changed.record.order.version}"'
    return Reply(_answer(services, request, changed), headers=headers, order_id=asked.order_id)


def after_waiting(changed: Changed, record: OrderRecord, link_id: str) -> Changed:
    """What became of a change that was on its way to the POS behind this link."""
    state = next((way.state for way in record.injection if way.link_id == link_id), None)
    pos = AtPos.QUEUED if state is None else _ENDED.get(state, AtPos.QUEUED)
    applied = changed.applied or record.order.stage is Stage.CANCELLED
    return structs.replace(changed, record=record, pos=pos, applied=applied)


def _answer(services: Services, request: Request, changed: Changed) -> str:
    venue = services.directory.venue(changed.record.order.venue_id)
    private = allows(request.caller.scopes, "orders:read")
    view = order_view(changed.record, venue, private=private)
    return encode({"order": view, "hub": "applied" if changed.applied else "requested", "pos": changed.pos})

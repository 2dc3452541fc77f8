"""The waitlist: the queue with estimates; parties join, are notified, seated, or leave."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from hub.api.derived import with_tool
from hub.api.guest_answers import WaitEntryAnswer, WaitlistAnswer, WaitSeatedAnswer
from hub.api.guest_views import who_view
from hub.api.json import encode
from hub.api.listing import (
    PAGE,
    STORE,
    changed_reply,
    created_reply,
    creation_of,
    limit_of,
    named_venue,
    one_venue_of,
)
from hub.api.operation import Handler, Operation, Reply, Request, Services
from hub.api.operations.reservations import GuestBody, LocationId, Party, SeatBody, StoreSlug
from hub.api.views import local_timestamp, timestamp
from hub.errors import InvalidRequest
from hub.model.booking import WaitEntry, WaitStatus
from hub.model.turns import Estimate
from hub.model.venue import Venue
from hub.services.keys import require_venue
from hub.services.waitlist import Joining, WaitChange, Waiting

_Minutes = Annotated[int, Meta(ge=0, le=24 * 60)]
_Text = Annotated[str, Meta(max_length=1000)]
_LARGEST_PAGE = 200


class WaitBody(Struct, frozen=True, rename="camel"):
    """A party that waits for a table."""

    customer: GuestBody
    party_size: Party
    store_slug: StoreSlug = ""
    location_id: LocationId = ""
    quoted_minutes: (
        Annotated[_Minutes, Meta(description="What the party was told; left out, the hub's own estimate")] | None
    ) = None
    notes: _Text = ""


class WaitChangeBody(Struct, frozen=True, rename="camel"):
    """What to change; what is left out stays."""

    customer: GuestBody | UnsetType = UNSET
    party_size: Party | UnsetType = UNSET
    quoted_minutes: _Minutes | UnsetType = UNSET
    notes: _Text | UnsetType = UNSET


class NotifyBody(Struct, frozen=True):
    """Nothing has to be said."""


class LeaveBody(Struct, frozen=True):
    """How the party went: it cancelled, or just left."""

    status: Literal["cancelled", "left"] = "cancelled"


async def list_waitlist(services: Services, request: Request) -> Reply:
    """Who waits at a store now, the longest first, with place and estimated wait."""
    venue, limit, cursor = one_venue_of(services, request), limit_of(request.query), request.query["cursor"]
    if not 1 <= limit <= _LARGEST_PAGE:
        raise InvalidRequest(f"limit: must be from 1 to {_LARGEST_PAGE}", field="limit")
    if cursor and not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= 6):
        raise InvalidRequest("cursor: use the nextCursor of a page of the same list", field="cursor")
    behind = int(cursor or 0)
    queue = await services.front.waitlist.queue(venue.id)
    page = queue[behind : behind + limit]
    following = str(behind + limit) if len(queue) > behind + limit else None
    views = [wait_view(waiting, venue) for waiting in page]
    return Reply(encode({"waitlist": views, "parties": len(queue), "nextCursor": following}))


async def join_waitlist(services: Services, request: Request) -> Reply:
    """Put a party on the list; repeat it with the same `Idempotency-Key` as often as needed."""
    body: WaitBody = request.body
    venue = named_venue(services, request, body.store_slug, body.location_id)
    asked = Joining(
        customer=body.customer.customer,
        party_size=body.party_size,
        quoted_minutes=body.quoted_minutes,
        note=body.notes,
    )
    creation = creation_of(request, "waitlist", lambda waiting: encode({"entry": wait_view(waiting, venue)}))
    return created_reply(await services.front.waitlist.join(venue, asked, creation))


async def change_waitlist_entry(services: Services, request: Request) -> Reply:
    """Change a party that waits."""
    body: WaitChangeBody = request.body
    entry = await _entry(services, request)
    change = WaitChange(
        customer=None if isinstance(body.customer, UnsetType) else body.customer.customer,
        party_size=None if isinstance(body.party_size, UnsetType) else body.party_size,
        quoted_minutes=None if isinstance(body.quoted_minutes, UnsetType) else body.quoted_minutes,
        note=None if isinstance(body.notes, UnsetType) else body.notes,
    )
    return await _reply(services, await services.front.waitlist.change(entry, change, version=request.if_match))


async def notify_waitlist_entry(services: Services, request: Request) -> Reply:
    """Note that the party was told that their table is ready."""
    entry = await _entry(services, request)
    return await _reply(services, await services.front.waitlist.notify(entry, version=request.if_match))


async def leave_waitlist(services: Services, request: Request) -> Reply:
    """Take a party off the list; twice is fine."""
    entry = await _entry(services, request)
    body: LeaveBody = request.body
    gone = await services.front.waitlist.leave(entry, status=WaitStatus(body.status), version=request.if_match)
    return await _reply(services, gone)


async def seat_waitlist_entry(services: Services, request: Request) -> Reply:
    """The party gets a table: open their tab. Seating twice gives the same tab."""
    entry = await _entry(services, request)
    body: SeatBody = request.body
    seated, order = await services.front.waitlist.seat(
        entry, tables=tuple(body.tables), version=request.if_match, actor=request.caller.name
    )
    view = wait_view(Waiting(seated), services.directory.venue(seated.venue_id))
    content = encode({"entry": view, "order": {"id": order.id, "orderNumber": order.number}})
    return Reply(content, headers={"ETag": f'"{seated.version}"'}, order_id=order.id)


async def _entry(services: Services, request: Request) -> WaitEntry:
    entry = await services.front.waitlist.load(request.path["entry"])
    require_venue(request.caller, entry.venue_id)
    return entry


async def _reply(services: Services, entry: WaitEntry) -> Reply:
    waiting = await services.front.waitlist.placed(entry)
    view = wait_view(waiting, services.directory.venue(entry.venue_id))
    return changed_reply(encode({"entry": view}), entry.version)


def wait_view(waiting: Waiting, venue: Venue) -> dict[str, Any]:
    """A party on the list."""
    entry = waiting.entry
    return {
        "id": entry.id,
        "storeSlug": venue.slug,
        "locationId": venue.id,
        "status": entry.status,
        "position": waiting.position,
        "estimatedWait": None if waiting.estimate is None else _estimate_view(waiting.estimate),
        "quotedMinutes": entry.quoted_minutes,
        "customerId": entry.guest_id or None,
        "customer": who_view(entry.customer),
        "partySize": entry.party_size,
        "tables": list(entry.tables),
        "orderId": entry.order_id or None,
        "notes": entry.note,
        "source": entry.source,
        "version": entry.version,
        "timezone": venue.timezone,
        "joinedAt": timestamp(entry.joined_at_ms),
        "joinedAtLocal": local_timestamp(entry.joined_at_ms, venue.timezone),
        "notifiedAt": timestamp(entry.notified_at_ms),
        "endedAt": timestamp(entry.ended_at_ms),
    }


def _estimate_view(estimate: Estimate) -> dict[str, Any]:
    return {
        "minutes": estimate.minutes,
        "fromMinutes": estimate.from_minutes,
        "toMinutes": estimate.to_minutes,
        "sureness": estimate.sureness,
        "sampleSize": estimate.turns,
        "medianTurnMinutes": estimate.median_turn_minutes,
        "rule": estimate.rule,
    }


def _writing(
    name: str,
    method: str,
    path: str,
    summary: str,
    handler: Handler,
    body: type,
    words: str,
    *,
    answer: type[Struct] = WaitEntryAnswer,
    destructive: bool = False,
) -> Operation:
    joins = path == "/waitlist"
    operation = Operation(
        name=name,
        method=method,
        path=path,
        summary=summary,
        scope="orders:write",
        anonymous=False,
        handler=handler,
        body=body,
        of_many=True,
        answer=answer,
        success=201 if joins else 200,
        heeds=("Idempotency-Key",) if joins else ("If-Match",),
    )
    return with_tool(operation, words, destructive=destructive, repeatable=not joins)


_ONE = "/waitlist/{entry:str}"
OPERATIONS = (
    with_tool(
        Operation(
            name="list_waitlist",
            method="GET",
            path="/waitlist",
            summary="Get the current waitlist queue.",
            scope="orders:read",
            anonymous=False,
            handler=list_waitlist,
            query=(*STORE, *PAGE),
            of_many=True,
            answer=WaitlistAnswer,
        ),
        "Who waits for a table at a store now, the longest first, with place and estimated wait.",
    ),
    _writing(
        "join_waitlist",
        "POST",
        "/waitlist",
        "Put a party on the waitlist.",
        join_waitlist,
        WaitBody,
        "Put a party on a store's waitlist; the answer has their place and estimated wait. Give an idempotencyKey, so "
        "that a repetition does not add them twice.",
    ),
    _writing(
        "change_waitlist_entry",
        "PATCH",
        _ONE,
        "Change a party that waits.",
        change_waitlist_entry,
        WaitChangeBody,
        "Change guest, party size, quoted minutes or notes of a party that waits; what is left out stays.",
    ),
    _writing(
        "notify_waitlist_entry",
        "POST",
        f"{_ONE}/notify",
        "Note that the party was told.",
        notify_waitlist_entry,
        NotifyBody,
        "Note that a party was told that their table is ready. It sends no message: somebody tells them.",
    ),
    _writing(
        "seat_waitlist_entry",
        "POST",
        f"{_ONE}/seat",
        "Seat the party: opens their tab.",
        seat_waitlist_entry,
        SeatBody,
        "A party that waits gets a table: opens their tab there, in the POS too. Twice gives the same tab.",
        answer=WaitSeatedAnswer,
    ),
    _writing(
        "leave_waitlist",
        "POST",
        f"{_ONE}/cancel",
        "Take a party off the list.",
        leave_waitlist,
        LeaveBody,
        "Take a party off the waitlist: it cancelled, or left. They lose their place. Twice is the same as once.",
        destructive=True,
    ),
)

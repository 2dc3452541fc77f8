"""Reservations: listed with the parties that channels seated, made, changed, cancelled and seated."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from hub.api.derived import with_tool
from hub.api.guest_answers import ReservationAnswer, ReservationsAnswer, SeatedAnswer
from hub.api.guest_views import clash_views, reservation_view
from hub.api.json import encode
from hub.api.listing import (
    PAGE,
    STORE,
    changed_reply,
    created_reply,
    creation_of,
    limit_of,
    named_venue,
    text_of,
    venue_id_of,
)
from hub.api.operation import Operation, Reply, Request, Services
from hub.api.times import parse_timestamp
from hub.errors import InvalidRequest
from hub.model.booking import Reservation, ReservationSearch, ReservationStatus
from hub.model.order import Customer
from hub.services.keys import require_venue
from hub.services.reservations import Booked, Booking, BookingChange

Party = Annotated[int, Meta(ge=1, le=500)]
TableNames = Annotated[list[Annotated[str, Meta(min_length=1, max_length=100)]], Meta(max_length=20)]
StoreSlug = Annotated[str, Meta(description="Store slug, from get_stores")]
LocationId = Annotated[str, Meta(description="The store's id (loc_…), in place of storeSlug")]
_Text = Annotated[str, Meta(max_length=1000)]
_Time = Annotated[str, Meta(description="ISO 8601 with offset")]
_Overlap = Annotated[bool, Meta(description="Book it although the table is taken then, or the house full")]


class GuestBody(Struct, frozen=True, rename="camel"):
    """Who comes."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    phone: Annotated[str, Meta(max_length=40)] = ""
    email: Annotated[str, Meta(max_length=254)] = ""

    @property
    def customer(self) -> Customer:
        """The same in the hub's words."""
        return Customer(name=self.name, phone=self.phone, email=self.email)


class ReservationBody(Struct, frozen=True, rename="camel"):
    """A table to keep. Times are ISO 8601 with offset; without `endsAt` the store's usual time holds."""

    party_size: Party
    starts_at: _Time
    ends_at: _Time | None = None
    store_slug: StoreSlug = ""
    location_id: LocationId = ""
    customer: GuestBody | None = None
    customer_id: Annotated[str, Meta(description="A known guest, from search_customers", max_length=64)] = ""
    tables: TableNames = []
    notes: _Text = ""
    external_id: Annotated[str, Meta(description="Your own number for it, only kept", max_length=200)] = ""
    allow_overlap: _Overlap = False


class ReservationChangeBody(Struct, frozen=True, rename="camel"):
    """What to change; what is left out stays. A new `startsAt` alone keeps how long it lasts."""

    party_size: Party | UnsetType = UNSET
    starts_at: _Time | UnsetType = UNSET
    ends_at: _Time | UnsetType = UNSET
    customer: GuestBody | UnsetType = UNSET
    tables: TableNames | UnsetType = UNSET
    notes: _Text | UnsetType = UNSET
    status: Literal["booked", "confirmed", "no_show", "completed"] | UnsetType = UNSET
    allow_overlap: _Overlap = False


class EndBody(Struct, frozen=True):
    """Why."""

    reason: Annotated[str, Meta(max_length=500)] = ""


class SeatBody(Struct, frozen=True):
    """Where the party sits; left out, where it was booked."""

    tables: TableNames = []


async def list_reservations(services: Services, request: Request) -> Reply:
    """Reservations by when they begin, the earliest first, in pages; parties that channels seated are among them."""
    query = request.query
    wanted = ReservationSearch(
        venue_id=venue_id_of(services, request),
        from_ms=parse_timestamp(query["from"] or None, "from"),
        before_ms=parse_timestamp(query["to"] or None, "to"),
        status=_status(query["status"]),
        table=text_of(query, "table"),
    )
    page = await services.front.reservations.page(wanted, after=query["cursor"], limit=limit_of(query))
    views = [reservation_view(entry, services.directory.venue(entry.venue_id)) for entry in page.reservations]
    return Reply(encode({"reservations": views, "nextCursor": None if page.next is None else str(page.next)}))


async def get_reservation(services: Services, request: Request) -> Reply:
    """One reservation."""
    return _reply(services, Booked(await _reservation(services, request)))


async def create_reservation(services: Services, request: Request) -> Reply:
    """Book a table; repeat it with the same `Idempotency-Key` as often as needed."""
    body: ReservationBody = request.body
    venue = named_venue(services, request, body.store_slug, body.location_id)
    starts_at_ms = parse_timestamp(body.starts_at, "startsAt")
    assert starts_at_ms is not None
    asked = Booking(
        customer=None if body.customer is None else body.customer.customer,
        customer_id=body.customer_id,
        party_size=body.party_size,
        starts_at_ms=starts_at_ms,
        ends_at_ms=parse_timestamp(body.ends_at, "endsAt"),
        tables=tuple(body.tables),
        note=body.notes,
        external_id=body.external_id,
        allow_overlap=body.allow_overlap,
    )
    if asked.customer is None and not asked.customer_id:
        raise InvalidRequest("customer: say who comes, by customer or customerId", field="customer")
    creation = creation_of(request, "reservation", lambda booked: _content(services, booked))
    return created_reply(await services.front.reservations.create(venue, asked, creation))


async def change_reservation(services: Services, request: Request) -> Reply:
    """Change a reservation; `If-Match` with its version guards against changes in between."""
    body: ReservationChangeBody = request.body
    reservation = await _reservation(services, request)
    change = BookingChange(
        customer=None if isinstance(body.customer, UnsetType) else body.customer.customer,
        party_size=None if isinstance(body.party_size, UnsetType) else body.party_size,
        starts_at_ms=None if isinstance(body.starts_at, UnsetType) else parse_timestamp(body.starts_at, "startsAt"),
        ends_at_ms=None if isinstance(body.ends_at, UnsetType) else parse_timestamp(body.ends_at, "endsAt"),
        tables=None if isinstance(body.tables, UnsetType) else tuple(body.tables),
        note=None if isinstance(body.notes, UnsetType) else body.notes,
        status=None if isinstance(body.status, UnsetType) else ReservationStatus(body.status),
        allow_overlap=body.allow_overlap,
    )
    return _reply(services, await services.front.reservations.change(reservation, change, version=request.if_match))


async def cancel_reservation(services: Services, request: Request) -> Reply:
    """Cancel a reservation; cancelling twice is fine."""
    reservation = await _reservation(services, request)
    body: EndBody = request.body
    done = await services.front.reservations.cancel(reservation, reason=body.reason, version=request.if_match)
    return _reply(services, done)


async def seat_reservation(services: Services, request: Request) -> Reply:
    """The party is here: open their tab at the table. Seating twice gives the same tab."""
    reservation = await _reservation(services, request)
    body: SeatBody = request.body
    seated, order = await services.front.reservations.seat(
        reservation, tables=tuple(body.tables), version=request.if_match, actor=request.caller.name
    )
    view = reservation_view(seated, services.directory.venue(seated.venue_id))
    content = encode({"reservation": view, "order": {"id": order.id, "orderNumber": order.number}})
    return Reply(content, headers={"ETag": f'"{seated.version}"'}, order_id=order.id)


async def _reservation(services: Services, request: Request) -> Reservation:
    reservation = await services.front.reservations.load(request.path["reservation"])
    require_venue(request.caller, reservation.venue_id)
    return reservation


def _status(word: str) -> ReservationStatus | None:
    if word and word not in tuple(ReservationStatus):
        known = ", ".join(ReservationStatus)
        raise InvalidRequest(f"status: {word[:40]!r} is none of {known}", field="status")
    return ReservationStatus(word) if word else None


def _content(services: Services, booked: Booked) -> str:
    view = reservation_view(booked.reservation, services.directory.venue(booked.reservation.venue_id))
    return encode({"reservation": view, "warnings": clash_views(booked.warnings)})


def _reply(services: Services, booked: Booked) -> Reply:
    return changed_reply(_content(services, booked), booked.reservation.version)


_ONE = "/reservations/{reservation:str}"
OPERATIONS = (
    with_tool(
        Operation(
            name="list_reservations",
            method="GET",
            path="/reservations",
            summary="List reservations for a location.",
            scope="orders:read",
            anonymous=False,
            handler=list_reservations,
            query=("from", "to", "status", "table", *STORE, *PAGE),
            of_many=True,
            answer=ReservationsAnswer,
        ),
        "Reservations by when they begin, earliest first, of one store or of all; from and to bound the time. Go on "
        "with cursor while nextCursor is not null.",
    ),
    with_tool(
        Operation(
            name="create_reservation",
            method="POST",
            path="/reservations",
            summary="Book a table.",
            scope="orders:write",
            anonymous=False,
            handler=create_reservation,
            body=ReservationBody,
            of_many=True,
            answer=ReservationAnswer,
            success=201,
            heeds=("Idempotency-Key",),
        ),
        "Keep a table for a party. Name the guest by customer or customerId. Give an idempotencyKey, so that a "
        "repetition books nothing twice. startsAt needs an offset; the store's timezone is in get_store_info.",
    ),
    with_tool(
        Operation(
            name="get_reservation",
            method="GET",
            path=_ONE,
            summary="One reservation.",
            scope="orders:read",
            anonymous=False,
            handler=get_reservation,
            of_many=True,
            answer=ReservationAnswer,
            gives=("ETag",),
        ),
        "One reservation with its status, guest, tables, times and version.",
    ),
    with_tool(
        Operation(
            name="change_reservation",
            method="PATCH",
            path=_ONE,
            summary="Change a reservation.",
            scope="orders:write",
            anonymous=False,
            handler=change_reservation,
            body=ReservationChangeBody,
            of_many=True,
            answer=ReservationAnswer,
            heeds=("If-Match",),
        ),
        "Change time, party, guest, tables, notes or status of a reservation; what is left out stays. Cancel it with "
        "cancel_reservation.",
        repeatable=True,
    ),
    with_tool(
        Operation(
            name="cancel_reservation",
            method="POST",
            path=f"{_ONE}/cancel",
            summary="Cancel a reservation.",
            scope="orders:write",
            anonymous=False,
            handler=cancel_reservation,
            body=EndBody,
            of_many=True,
            answer=ReservationAnswer,
            heeds=("If-Match",),
        ),
        "Cancel a reservation; the table is free for others at once, so ask the guest first. Twice is the same as "
        "once.",
        destructive=True,
        repeatable=True,
    ),
    with_tool(
        Operation(
            name="seat_reservation",
            method="POST",
            path=f"{_ONE}/seat",
            summary="Seat the party of a reservation: opens their tab.",
            scope="orders:write",
            anonymous=False,
            handler=seat_reservation,
            body=SeatBody,
            of_many=True,
            answer=SeatedAnswer,
            heeds=("If-Match",),
        ),
        "The party of a reservation is here: opens their tab at the table, in the POS too. Twice gives the same tab.",
        repeatable=True,
    ),
)

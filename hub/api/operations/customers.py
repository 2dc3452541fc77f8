"""A store's guests: found in the hub's book and at the POS, corrected, and forgotten on request."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from hub.api.derived import with_tool
from hub.api.guest_answers import CustomerAnswer, CustomersAnswer, ForgottenAnswer
from hub.api.guest_views import guest_view, pos_guest_view
from hub.api.json import encode
from hub.api.listing import PAGE, STORE, changed_reply, limit_of, text_of, venue_id_of
from hub.api.operation import Operation, Reply, Request, Services
from hub.model.guest import Guest, Identity, identity_of
from hub.model.order import Customer
from hub.model.venue import Venue
from hub.services.guests import GuestChange, PosGuests, PosSearch
from hub.services.keys import require_venue

_Name = Annotated[str, Meta(max_length=200)]
_Phone = Annotated[str, Meta(max_length=40)]
_Email = Annotated[str, Meta(max_length=254)]


class CustomerChangeBody(Struct, frozen=True, rename="camel"):
    """What to change; what is left out stays."""

    marketing_consent: bool | UnsetType = UNSET
    name: _Name | UnsetType = UNSET
    phone: _Phone | UnsetType = UNSET
    email: _Email | UnsetType = UNSET


async def list_customers(services: Services, request: Request) -> Reply:
    """Guests by name, phone or e-mail address, the newest first, in pages.

    With a query, the first page of one store also has what its POS finds; `pos.status` says how that went.
    """
    query, text = request.query, text_of(request.query, "query")
    venue_id = venue_id_of(services, request)
    guests = services.front.guests
    page = await guests.page(venue_id, query=text, after=query["cursor"], limit=limit_of(query))
    views = await customer_views(services, request, page.guests)
    at_pos = PosGuests(PosSearch.NOT_ASKED)
    if text and venue_id and not query["cursor"]:
        venue = services.directory.venue(venue_id)
        at_pos = await guests.at_pos(venue, text)
        views = _merged(views, page.guests, at_pos, venue)
    return Reply(
        encode(
            {
                "customers": views,
                "pos": {"status": at_pos.outcome, "problem": at_pos.problem or None},
                "nextCursor": page.next or None,
            }
        )
    )


async def get_customer(services: Services, request: Request) -> Reply:
    """One guest with figures, by id."""
    guest = await _guest(services, request)
    [view] = await customer_views(services, request, [guest])
    return changed_reply(encode({"customer": view}), guest.version)


async def change_customer(services: Services, request: Request) -> Reply:
    """Correct a guest's name or addresses, or note whether they agreed to be written to."""
    body: CustomerChangeBody = request.body
    guest = await _guest(services, request)
    told = {name: None if (value := getattr(body, name)) is UNSET else value for name in body.__struct_fields__}
    after = await services.front.guests.change(
        guest, GuestChange(**told), version=request.if_match, actor=request.caller.name
    )
    [view] = await customer_views(services, request, [after])
    return changed_reply(encode({"customer": view}), after.version)


async def forget_customer(services: Services, request: Request) -> Reply:
    """Forget a guest: name and addresses go out of the book, of bookings and of closed orders.

    Orders under a legal hold keep them; they are named in the answer.
    """
    guest = await _guest(services, request)
    done = await services.front.guests.forget(guest, actor=request.caller.name)
    answer = {"ordersAnonymised": len(done.orders), "bookingsAnonymised": done.bookings, "ordersOnHold": done.held}
    return Reply(encode({"forgotten": {"customerId": guest.id, **answer}}))


async def _guest(services: Services, request: Request) -> Guest:
    await services.front.guests.catch_up(request.caller.venue_id or "")
    guest = await services.front.guests.load(request.path["customer"])
    require_venue(request.caller, guest.venue_id)
    return guest


async def customer_views(services: Services, request: Request, guests: Any) -> list[dict[str, Any]]:
    """The guests with their figures at each store the caller may see."""
    same = await services.front.guests.same_people(guests)
    bound_to = request.caller.venue_id
    return [
        guest_view(
            guest,
            [other for other in same.get(guest.id, [guest]) if bound_to in (None, other.venue_id)],
            services.directory,
        )
        for guest in guests
    ]


def _merged(views: list[dict[str, Any]], guests: Any, at_pos: PosGuests, venue: Venue) -> list[dict[str, Any]]:
    """Ours with the POS's id where both know the guest, then those whom only the POS knows."""
    keys = [set(_exact(_identity(guest))) for guest in guests]
    only_there = []
    for found in at_pos.customers:
        wanted = set(_exact(identity_of(found.customer)))
        index = next((number for number, own in enumerate(keys) if own & wanted), None)
        if index is None:
            only_there.append(pos_guest_view(found.id, found.customer, venue))
        elif views[index]["posCustomerId"] is None:
            views[index] |= {"sources": ["hub", "pos"], "posCustomerId": found.id}
    return [*views, *only_there]


def _identity(guest: Guest) -> Identity:
    return identity_of(Customer(name=guest.name, phone=guest.phone, email=guest.email))


def _exact(identity: Identity) -> list[str]:
    return [*identity.own, *(key.replace("tel~", "tel:") for key in identity.own)]


OPERATIONS = (
    with_tool(
        Operation(
            name="list_customers",
            method="GET",
            path="/customers",
            summary="Search customers by name, phone, or email.",
            scope="customers:read",
            anonymous=False,
            handler=list_customers,
            query=("query", *STORE, *PAGE),
            of_many=True,
            answer=CustomersAnswer,
        ),
        "Guests by name, phone or e-mail address (query), newest first. With a store, its POS is searched too; a guest "
        "whom only the POS knows has no id.",
        name="search_customers",
    ),
    with_tool(
        Operation(
            name="get_customer",
            method="GET",
            path="/customers/{customer:str}",
            summary="One customer with orders, spend and stores visited.",
            scope="customers:read",
            anonymous=False,
            handler=get_customer,
            of_many=True,
            answer=CustomerAnswer,
            gives=("ETag",),
        ),
        "One guest by id (cust_…), with orders, spend and the stores they went to.",
    ),
    Operation(
        name="change_customer",
        method="PATCH",
        path="/customers/{customer:str}",
        summary="Correct a customer, or note marketing consent.",
        scope="write",
        anonymous=False,
        handler=change_customer,
        body=CustomerChangeBody,
        of_many=True,
        answer=CustomerAnswer,
        heeds=("If-Match",),
    ),
    Operation(
        name="forget_customer",
        method="DELETE",
        path="/customers/{customer:str}",
        summary="Forget a customer who asks for it.",
        scope="write",
        anonymous=False,
        handler=forget_customer,
        of_many=True,
        answer=ForgottenAnswer,
    ),
)

"""People a store's POS knows: guests, those who bring orders to them, and the delivery platforms."""

from dataclasses import replace
from typing import Annotated

from msgspec import Meta, Struct

from hub.api.at_store import id_at_pos, listed, query_text, reading, single, venue_of, writing
from hub.api.derived import answer_of
from hub.api.operation import Reply, Request, Services
from hub.model.order import Customer


class GuestView(Struct, frozen=True, rename="camel", kw_only=True):
    """What the POS has of a guest."""

    name: str
    phone: str
    email: str


class PosCustomerView(Struct, frozen=True, rename="camel", kw_only=True):
    """A guest with the POS's id."""

    id: str
    customer: GuestView
    detail: str


class DriverView(Struct, frozen=True, rename="camel", kw_only=True):
    """Somebody who brings orders to guests."""

    id: str
    name: str
    phone: str
    raw_status: str


class PlatformView(Struct, frozen=True, rename="camel", kw_only=True):
    """A delivery platform the POS works with."""

    id: str
    name: str
    active: bool


class GuestBody(Struct, frozen=True, rename="camel", kw_only=True):
    """A guest to add."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    phone: Annotated[str, Meta(max_length=40)] = ""
    email: Annotated[str, Meta(max_length=254)] = ""


async def search_customers(services: Services, request: Request) -> Reply:
    """The POS's guests by name, phone or email."""
    venue, query = venue_of(services, request), query_text(request, "query")
    return listed("customers", await services.pos_desk.search_customers(venue.id, query), PosCustomerView)


async def get_customer(services: Services, request: Request) -> Reply:
    """One guest of the POS."""
    venue, customer_id = venue_of(services, request), id_at_pos(request, "customer")
    return single("customer", await services.pos_desk.customer(venue.id, customer_id), PosCustomerView)


async def create_customer(services: Services, request: Request) -> Reply:
    """Add a guest at the POS."""
    body: GuestBody = request.body
    venue = venue_of(services, request)
    guest = Customer(name=body.name, phone=body.phone, email=body.email)
    return single("customer", await services.pos_desk.create_customer(venue.id, guest), PosCustomerView)


async def get_drivers(services: Services, request: Request) -> Reply:
    """The POS's drivers."""
    return listed("drivers", await services.pos_desk.drivers(venue_of(services, request).id), DriverView)


async def get_delivery_platforms(services: Services, request: Request) -> Reply:
    """The delivery platforms the POS works with."""
    platforms = await services.pos_desk.delivery_platforms(venue_of(services, request).id)
    return listed("deliveryPlatforms", platforms, PlatformView)


_GUESTS, _GUEST, _READ = "customers", "customers/{customer:str}", "customers:read"
_ONE = answer_of("PosCustomerAnswer", customer=PosCustomerView)
_SEVERAL = answer_of("PosCustomersAnswer", customers=list[PosCustomerView])
_ABOUT_GUESTS = (
    reading(
        "search_pos_customers",
        _GUESTS,
        "Guests by name, phone or email.",
        search_customers,
        _SEVERAL,
        scope=_READ,
        query=("query",),
    ),
    reading("get_pos_customer", _GUEST, "One guest by the POS's id.", get_customer, _ONE, scope=_READ),
    writing("create_pos_customer", _GUESTS, "Add a guest.", create_customer, GuestBody, _ONE),
)
# Guests are deleted at the POS, not here: neither what was searched for nor who was found stays in the trace.
OPERATIONS = (
    *(replace(operation, of_many=True) for operation in _ABOUT_GUESTS),
    reading(
        "get_pos_drivers",
        "drivers",
        "Those who bring orders to guests.",
        get_drivers,
        answer_of("DriversAnswer", drivers=list[DriverView]),
    ),
    reading(
        "get_pos_delivery_platforms",
        "delivery-platforms",
        "The delivery platforms.",
        get_delivery_platforms,
        answer_of("PlatformsAnswer", delivery_platforms=list[PlatformView]),
    ),
)

"""Guests at Desibits: found by phone number or added when an order needs one, searched and added by hand."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from connectors.desibits.client import DesibitsClient
from connectors.desibits.fields import as_id, text
from connectors.desibits.lines import lost
from connectors.desibits.settings import CONNECTOR
from connectors.desibits.wire import NewCustomer
from hub.contract.connector import LinkContext
from hub.contract.families import PosCustomer
from hub.errors import VendorMalformed, VendorRejected
from hub.model.order import Customer, Loss, LossKind

_KIND: Final = "customer"
_SEARCHED_DIGITS: Final = 8  # an end of the number that is in it however its country code is written
_GUEST: Final = "Guest"


class Found(Struct, frozen=True):
    """The customer an order is for, if any, and what became of the guest otherwise."""

    customer_id: int | str | None
    losses: tuple[Loss, ...] = ()


class Customers:
    """The customers of one link; numbers learnt once are kept for all processes."""

    def __init__(self, context: LinkContext, client: DesibitsClient) -> None:
        self._context = context
        self._client = client

    async def find_or_create(self, guest: Customer | None) -> Found:
        """The customer with the guest's phone number; none for a guest without one.

        Desibits documents neither search nor new customers, so what it answers there does not hold the order up:
        the guest's name then stands in the notes.
        """
        digits = phone_digits(guest.phone) if guest else ""
        if guest is None or not digits:
            return Found(None)
        link_id = self._context.link.id
        known = await self._context.refs.load_ref(link_id, _KIND, digits)
        if known is None:
            try:
                known = await self._find(digits) or await self._add(guest)
            except (VendorRejected, VendorMalformed) as problem:
                return Found(None, (lost("customer", f"not a customer at Desibits: {problem.message}", LossKind.LOST),))
            await self._context.refs.save_ref(link_id, _KIND, digits, known)
        return Found(as_id(known))

    async def search(self, query: str) -> tuple[PosCustomer, ...]:
        """Guests by name, phone or email."""
        listing = await self._client.search_customers(query)
        return tuple(customer_from_desibits(row) for row in listing.rows)

    async def fetch(self, customer_id: str) -> PosCustomer:
        """One guest."""
        return customer_from_desibits(await self._client.fetch_customer(customer_id))

    async def create(self, customer: Customer) -> PosCustomer:
        """Adds a guest; the answer need not hold more than the id."""
        row = await self._client.create_customer(_new(customer))
        created = customer_from_desibits({**_new(customer), **row})
        digits = phone_digits(customer.phone)
        if digits:
            await self._context.refs.save_ref(self._context.link.id, _KIND, digits, created.id)
        return created

    async def _add(self, guest: Customer) -> str:
        return customer_from_desibits(await self._client.create_customer(_new(guest), looked_first=True)).id

    async def _find(self, digits: str) -> str | None:
        listing = await self._client.search_customers(digits[-_SEARCHED_DIGITS:])
        found = (row for row in listing.rows if _same_phone(phone_digits(text(row, "phone", "mobile")), digits))
        return next((text(row, "id") for row in found if text(row, "id")), None)


def customer_from_desibits(row: Mapping[str, Any]) -> PosCustomer:
    """A guest as Desibits tells it. Raises `VendorMalformed` when there is no id in it."""
    customer_id = text(row, "id", "customer_id")
    if not customer_id:
        raise VendorMalformed("a customer without an id", connector=CONNECTOR)
    customer = Customer(name=text(row, "name"), phone=text(row, "phone", "mobile"), email=text(row, "email"))
    return PosCustomer(id=customer_id, customer=customer)


def phone_digits(phone: str) -> str:
    """A phone number as digits only, without leading zeros: `+91 98765 43210` is `919876543210`."""
    return "".join(character for character in phone if character.isdecimal()).lstrip("0")


def _same_phone(one: str, other: str) -> bool:
    """Whether two numbers are one, with or without a country code."""
    shorter, longer = sorted((one, other), key=len)
    return one == other or (len(shorter) >= _SEARCHED_DIGITS and longer.endswith(shorter))


def _new(guest: Customer) -> NewCustomer:
    body: NewCustomer = {"name": guest.name or _GUEST}
    if guest.phone:
        body["phone"] = guest.phone
    if guest.email:
        body["email"] = guest.email
    return body

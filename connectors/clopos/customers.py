"""Finds the guest among a restaurant's Clopos customers, or adds them; orders must name a customer by number."""

from typing import Final

from msgspec import Struct

from connectors.clopos.client import CloposClient
from connectors.clopos.refusals import DUPLICATE, meaning
from connectors.clopos.settings import CloposSettings
from connectors.clopos.translate import CONNECTOR, GUEST, lost, phone_digits, phone_to_clopos
from connectors.clopos.wire import NewCustomer, Row
from hub.contract.connector import LinkContext
from hub.errors import UnmappedValue, VendorMalformed, VendorRejected
from hub.model.order import Customer, Loss

_KIND: Final = "customer"
_PHONE: Final = "customer_phone"


class Found(Struct, frozen=True):
    """The customer an order is for, and what could not be kept of the guest."""

    customer_id: int
    losses: tuple[Loss, ...] = ()
    is_default: bool = False


class Customers:
    """The customers of one link; numbers learnt once are kept for all processes."""

    def __init__(self, context: LinkContext, client: CloposClient, settings: CloposSettings) -> None:
        self._context = context
        self._client = client
        self._settings = settings

    async def find_or_create(self, guest: Customer | None) -> Found:
        """The Clopos customer with the guest's phone number, or the link's default customer.

        Raises `UnmappedValue` when there is neither.
        """
        digits = phone_digits(guest.phone) if guest else ""
        if guest is None or not digits:
            return self._default("the order names no phone number")
        link_id = self._context.link.id
        known = await self._context.refs.load_ref(link_id, _KIND, digits)
        if known is not None:
            return Found(int(known))
        customer_id = await self._find(digits)
        if customer_id is None:
            try:
                customer_id = await self._create(guest)
            except VendorRejected as refused:
                if meaning(refused, self._context.tables) != DUPLICATE and refused.code != "409":
                    raise
                # Somebody was quicker, or Clopos' search writes the number differently.
                customer_id = await self._find(digits) or await self._find(f"+{digits}")
                if customer_id is None:
                    if self._settings.default_customer_id is None:
                        raise
                    return self._default("Clopos knows the phone number but does not show whose it is")
        await self._context.refs.save_ref(link_id, _KIND, digits, str(customer_id))
        return Found(customer_id)

    async def phone_of(self, customer_id: int) -> str:
        """A customer's phone number at Clopos, read once; empty when there is none."""
        link_id = self._context.link.id
        known = await self._context.refs.load_ref(link_id, _PHONE, str(customer_id))
        if known is None:
            known = str((await self._client.fetch_customer(customer_id)).get("phone") or "")
            await self._context.refs.save_ref(link_id, _PHONE, str(customer_id), known)
        return known

    async def _find(self, phone: str) -> int | None:
        listing = await self._client.fetch_customers(phone)
        digits = phone_digits(phone)
        return next((row["id"] for row in listing.rows if digits in _phones(row) and isinstance(row["id"], int)), None)

    async def _create(self, guest: Customer) -> int:
        body: NewCustomer = {"name": guest.name or GUEST, "phone": phone_to_clopos(guest.phone)}
        if guest.email:
            body["email"] = guest.email
        row = await self._client.create_customer(body)
        customer_id = row.get("id")
        if isinstance(customer_id, str) and customer_id.isdecimal():
            return int(customer_id)
        if not isinstance(customer_id, int):
            raise VendorMalformed("create_customer: no id in the answer", connector=CONNECTOR)
        return customer_id

    def _default(self, why: str) -> Found:
        customer_id = self._settings.default_customer_id
        if customer_id is None:
            raise UnmappedValue(
                f"{why} and the link has no default_customer_id; Clopos takes no order without a customer",
                connector=CONNECTOR,
                field="customer",
            )
        loss = lost("customer", f"{why}; the order runs under the link's default customer")
        return Found(customer_id, (loss,), is_default=True)


def _phones(row: Row) -> set[str]:
    # The sample pages show `phone` with spaces, and `phones` both empty and as a list of further numbers.
    others = row.get("phones")
    numbers = [row.get("phone"), *(others if isinstance(others, list) else [])]
    return {phone_digits(one) for one in numbers if isinstance(one, str)}

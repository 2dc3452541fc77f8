"""The guest behind a booking: found by phone number or e-mail address, else made."""

from msgspec import structs
from sqlalchemy import Connection

from hub.database import guests as stored
from hub.errors import InvalidRequest
from hub.model.guest import identity_of
from hub.model.ids import NewId
from hub.model.order import Customer


def guest_of_booking(
    connection: Connection, venue_id: str, customer: Customer | None, *, now_ms: int, new_id: NewId
) -> str:
    """The id of the guest of this name, under the lock of the venue's guest book; empty when nobody was named."""
    if customer is None:
        return ""
    identity = identity_of(customer)
    owners = stored.owners_of(connection, venue_id, identity.wanted)
    guest_id = stored.recognise(identity, owners)
    guest = stored.find_guest(connection, guest_id) if guest_id else None
    if guest is None:
        guest = stored.new_guest(venue_id, customer, guest_id=new_id("cust"), told_at_ms=now_ms, now_ms=now_ms)
    else:
        guest = structs.replace(
            guest,
            name=customer.name.strip() or guest.name,
            phone=customer.phone.strip() or guest.phone,
            email=customer.email.strip() or guest.email,
            told_at_ms=now_ms,
            updated_at_ms=now_ms,
        )
    stored.save_guests(connection, [guest])
    free = [key for key in identity.own if key.startswith("tel~") or owners.get(key, set()) <= {guest.id}]
    stored.save_keys(connection, venue_id, [(key, guest.id) for key in free])
    return guest.id


def customer_of_guest(connection: Connection, venue_id: str, guest_id: str) -> Customer:
    """A known guest as a booking names them. Raises `InvalidRequest` for one of another venue, or of none."""
    guest = stored.find_guest(connection, guest_id)
    if guest is None or guest.venue_id != venue_id:
        raise InvalidRequest(f"customerId: this store has no customer {guest_id!r}", field="customerId")
    return Customer(name=guest.name, phone=guest.phone, email=guest.email)

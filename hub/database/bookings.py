"""How reservations and parties that wait are stored alike: the guest in columns, the tables as JSON."""

from typing import Any

import msgspec
from sqlalchemy import Row

from hub.model.booking import Reservation, WaitEntry
from hub.model.order import Customer


def booking_row(booking: Reservation | WaitEntry) -> dict[str, Any]:
    """A booking as its table keeps it."""
    row = msgspec.structs.asdict(booking)
    guest = row.pop("customer") or Customer(name="")
    row["table_names"] = msgspec.json.encode(row.pop("tables")).decode()
    return row | {
        "name": guest.name,
        "phone": guest.phone,
        "email": guest.email,
        "guest_id": booking.guest_id or None,
        "order_id": booking.order_id or None,
        "status": booking.status.value,
    }


def booking_values(row: Row[Any]) -> dict[str, Any]:
    """The fields of a stored booking but for its status. It has no customer when nobody was named, or was forgotten."""
    values = dict(row._mapping)
    named = {name: values.pop(name) for name in ("name", "phone", "email")}
    del values["status"]
    values["tables"] = msgspec.json.decode(values.pop("table_names"), type=tuple[str, ...])
    values |= {"guest_id": row.guest_id or "", "order_id": row.order_id or ""}
    return values | {"customer": Customer(**named) if any(named.values()) else None}

"""The one free text of a Desktop Kitchen order, its first line's note: what the hub writes there and reads again.

There is no field for the order type, the guest, the table or a time, and none for our mark; the note is what the
kitchen's screen and ticket show: `[#H7F3K9Q2 DELIVERY Ana 555-1234 19:30] sin cebolla`.
"""

import re
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.model.order import Loss, Order
from hub.model.status import OrderType

CONNECTOR: Final = "desktop_kitchen"

_TYPES = {OrderType.PICKUP: "PICKUP", OrderType.DELIVERY: "DELIVERY", OrderType.DINE_IN: "DINE IN"}
_HEADER = re.compile(r"\[(#[A-Z0-9]{8})(?:/([0-9A-F]{6}))?(?: ([^\]]*))?\] ?")
_IN_NOTE = "Desktop Kitchen has no field for it; it stands in the first line's note"


class Header(Struct, frozen=True, kw_only=True):
    """What stands in front of a note. `round` is empty for the order itself, else names a later round of lines."""

    mark: str
    round: str = ""
    order_type: OrderType | None = None
    rest: str = ""
    """The note behind it."""


def order_header(order: Order, mark: str, round_code: str = "") -> tuple[str, list[Loss]]:
    """The text in front of the first line's note, and what stands in it for want of a field."""
    parts = [(f"{mark}/{round_code}" if round_code else mark, ""), (_TYPES[order.order_type], "order_type")]
    if order.tables:
        parts.append((f"TABLE {', '.join(order.tables)}", "tables"))
    if order.party_size is not None:
        parts.append((f"{order.party_size} GUESTS", "party_size"))
    if order.customer is not None:
        parts += [(order.customer.name, "customer.name"), (order.customer.phone, "customer.phone")]
    if order.timing.promised_at_ms is not None:
        parts.append((_promised(order), "timing.promised_at_ms"))
    if order.delivery is not None:
        parts += [
            (order.delivery.address, "delivery.address"),
            (order.delivery.instructions, "delivery.instructions"),
        ]
    written = [(text, path) for text, path in parts if text]
    losses = [Loss(target=CONNECTOR, path=path, loss=_IN_NOTE) for _, path in written if path]
    return f"[{' '.join(_plain(text) for text, _ in written)}]", losses


def find_header(note: Any) -> Header | None:
    """Our header at the start of a note, or None."""
    found = _HEADER.match(note) if isinstance(note, str) else None
    if found is None:
        return None
    words = found[3] or ""
    told = next((one for one, word in _TYPES.items() if words == word or words.startswith(f"{word} ")), None)
    return Header(mark=found[1], round=found[2] or "", order_type=told, rest=note[found.end() :])


def _promised(order: Order) -> str:
    """When the guest expects the food, with the day where it is not that of the order."""
    zone = ZoneInfo(order.timing.timezone)
    promised = datetime.fromtimestamp((order.timing.promised_at_ms or 0) // 1000, zone)
    ordered = datetime.fromtimestamp(order.created_at_ms // 1000, zone)
    return f"{promised:%H:%M}" if promised.date() == ordered.date() else f"{promised:%Y-%m-%d %H:%M}"


def _plain(text: str) -> str:
    """Text that cannot be mistaken for the end of the header."""
    return " ".join(text.replace("[", "(").replace("]", ")").split())

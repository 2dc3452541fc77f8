"""The orders of one tab: Desktop Kitchen's orders cannot be changed, so each later round is an order of its own."""

import hashlib

from connectors.desktop_kitchen.notes import CONNECTOR
from hub.contract.writes import OrderWrite
from hub.errors import VendorRejected
from hub.model.order import VendorRef


def round_code(request: OrderWrite) -> str:
    """Six characters that stay the same for every repetition of one round's write."""
    return hashlib.sha256(request.idempotency_key.encode()).hexdigest()[:6].upper()


def order_ref(request: OrderWrite) -> VendorRef:
    """The vendor's id of the order; raises `VendorRejected` while it has none."""
    if request.ref is None:
        raise VendorRejected("Desktop Kitchen has given this order no id yet", connector=CONNECTOR)
    return request.ref


def order_ids(request: OrderWrite) -> tuple[str, ...]:
    """The vendor's ids of the order and of its rounds; raises `VendorRejected` while there is none."""
    refs = (order_ref(request), *request.further_refs)
    return tuple(dict.fromkeys(ref.id for ref in refs if ref.kind == "order"))

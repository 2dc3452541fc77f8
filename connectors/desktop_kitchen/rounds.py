"""The further orders of one tab: Desktop Kitchen's orders cannot be changed, so each later round is one of its own."""

import hashlib
from typing import Final

from connectors.desktop_kitchen.notes import CONNECTOR
from hub.contract.base import LinkContext
from hub.contract.writes import OrderWrite
from hub.errors import VendorRejected
from hub.model.order import VendorRef

_KIND: Final = "rounds"


def round_code(request: OrderWrite) -> str:
    """Six characters that stay the same for every repetition of one round's write."""
    return hashlib.sha256(request.idempotency_key.encode()).hexdigest()[:6].upper()


def order_ref(request: OrderWrite) -> VendorRef:
    """The vendor's id of the order; raises `VendorRejected` while it has none."""
    if request.ref is None:
        raise VendorRejected("Desktop Kitchen has given this order no id yet", connector=CONNECTOR)
    return request.ref


class Rounds:
    """Remembers which orders of the POS belong to one of ours, in the order they were made."""

    def __init__(self, context: LinkContext) -> None:
        self._context = context

    async def order_ids(self, request: OrderWrite) -> tuple[str, ...]:
        """The ids of the order and of its rounds."""
        return await self._stored(request) or (order_ref(request).id,)

    async def add(self, request: OrderWrite, order_id: str) -> None:
        """Remembers a round that was just made, or found."""
        known = await self.order_ids(request)
        for number, one in enumerate(dict.fromkeys((*known, order_id))):
            await self._context.refs.save_ref(self._context.link.id, _KIND, f"{request.order.id} {number}", one)

    async def _stored(self, request: OrderWrite) -> tuple[str, ...]:
        found: list[str] = []
        while True:
            key = f"{request.order.id} {len(found)}"
            order_id = await self._context.refs.load_ref(self._context.link.id, _KIND, key)
            if order_id is None:
                return tuple(found)
            found.append(order_id)

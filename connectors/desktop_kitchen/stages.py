"""Moves an order along Desktop Kitchen's statuses: one allowed step at a time, never back."""

from collections import deque
from collections.abc import Mapping
from typing import Final

from connectors.desktop_kitchen.client import DesktopKitchenClient
from connectors.desktop_kitchen.notes import CONNECTOR
from connectors.desktop_kitchen.refusals import TRANSITION, meaning
from hub.contract.tables import VendorTables
from hub.errors import VendorRejected

# The server's own table. It refuses everything else, the status an order has already among it.
_ALLOWED: Final[Mapping[str, tuple[str, ...]]] = {
    "pending": ("confirmed", "preparing", "cancelled"),
    "confirmed": ("preparing", "cancelled"),
    "preparing": ("ready", "cancelled"),
    "ready": ("completed", "cancelled"),
    "completed": (),
    "cancelled": (),
}
_FORWARD: Final = ("pending", "confirmed", "preparing", "ready", "completed")
_TRIES: Final = 3


def steps_between(current: str, target: str) -> tuple[str, ...]:
    """The statuses to set, in turn, so that `current` becomes `target`; none when it is there or further.

    An unknown `current` is left to the server to judge. Raises `VendorRejected` when there is no way.
    """
    if current == target:
        return ()
    if current not in _ALLOWED:
        return (target,)
    if current in _FORWARD and target in _FORWARD and _FORWARD.index(current) > _FORWARD.index(target):
        return ()
    waiting: deque[tuple[str, ...]] = deque([(current,)])
    while waiting:
        way = waiting.popleft()
        for following in _ALLOWED[way[-1]]:
            if following == target:
                return (*way[1:], target)
            waiting.append((*way, following))
    raise VendorRejected(
        f"the order is {current} at the POS and cannot become {target}", connector=CONNECTOR, operation="set_status"
    )


async def move_order(client: DesktopKitchenClient, tables: VendorTables, order_id: str, target: str) -> None:
    """Brings an order to a status, reading it again where somebody else moves it at the same moment.

    Raises `VendorRejected` when the POS refuses for another reason, or there is no way to that status.
    """
    for attempt in range(1, _TRIES + 1):
        row = await client.fetch_order(order_id)
        try:
            for step in steps_between(str(row.get("status") or "").lower(), target):
                await client.set_status(order_id, step)
        except VendorRejected as refused:
            if meaning(refused, tables) != TRANSITION or attempt == _TRIES:
                raise
        else:
            return

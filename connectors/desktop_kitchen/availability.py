"""Switches an item on or off at the POS, which can only flip the switch, not set it."""

from typing import Final

from connectors.desktop_kitchen.client import DesktopKitchenClient
from connectors.desktop_kitchen.notes import CONNECTOR
from connectors.desktop_kitchen.values import read_id
from hub.contract.retry import retry_read
from hub.errors import OutcomeUnknown, VendorRejected

_MOST_FLIPS: Final = 3  # once, and twice again when somebody else flips it back at the same moment


class _Other(VendorRejected):
    """The item shows another state than it was just given."""


async def set_active(client: DesktopKitchenClient, item_id: str, *, active: bool) -> None:
    """Makes an item active or not. Reads first, flips only what differs, and reads again.

    Raises `VendorRejected` when the item is not on the menu or somebody keeps flipping it back, `OutcomeUnknown`
    when a flip got no clear answer and did not show; it is never flipped again unseen.
    """
    if await _is_active(client, item_id) == active:
        return
    for _ in range(_MOST_FLIPS):
        try:
            await client.toggle_item(item_id)
        except OutcomeUnknown as unclear:
            if await _shows(client, item_id, active=active):
                return
            raise unclear
        if await _shows(client, item_id, active=active):
            return
    raise VendorRejected(
        f"set_item_availability: item {item_id} was switched {_MOST_FLIPS} times and somebody switched it back",
        connector=CONNECTOR,
        operation="set_item_availability",
    )


async def _shows(client: DesktopKitchenClient, item_id: str, *, active: bool) -> bool:
    """Whether the item shows this state, now or a moment later: the server answers before it commits."""

    async def look() -> None:
        if await _is_active(client, item_id) != active:
            raise _Other(f"item {item_id} is not {active} yet", connector=CONNECTOR)

    try:
        await retry_read(look, error=_Other)
    except _Other:
        return False
    return True


async def _is_active(client: DesktopKitchenClient, item_id: str) -> bool:
    row = next((row for row in await client.fetch_items() if read_id(row.get("id")) == item_id), None)
    if row is None:
        raise VendorRejected(
            f"set_item_availability: item {item_id} is not on the restaurant's menu any more: sync the menu",
            connector=CONNECTOR,
            operation="set_item_availability",
        )
    return row.get("active") not in (False, 0)

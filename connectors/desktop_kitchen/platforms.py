"""The delivery platforms a restaurant works with."""

from collections.abc import Iterable

from connectors.desktop_kitchen.values import read_id
from connectors.desktop_kitchen.wire import Row
from hub.contract.families import DeliveryPlatform


def platforms_from_desktop_kitchen(rows: Iterable[Row]) -> list[DeliveryPlatform]:
    """The platforms; their webhook secrets, which the server tells everybody, go no further."""
    found = []
    for row in rows:
        platform_id = read_id(row.get("id"))
        if platform_id is not None:
            name = str(row.get("display_name") or row.get("name") or platform_id)
            found.append(DeliveryPlatform(id=platform_id, name=name, active=row.get("active") not in (False, 0)))
    return found

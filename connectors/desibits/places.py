"""Kitchens, printers, drivers and delivery platforms: lists whose rows Desibits does not document."""

from collections.abc import Mapping
from typing import Any

from connectors.desibits.fields import rows, text
from connectors.desibits.tickets import menu_item_id
from hub.contract.families import DeliveryPlatform, Driver, Kitchen, Printer


def kitchen_from_desibits(row: Mapping[str, Any]) -> Kitchen:
    """A kitchen with its menu items, which may be objects or bare ids."""
    items = rows(row, "menu_items", "items", "assigned_items") or []
    bare = row.get("menu_item_ids")
    ids = [menu_item_id(item) or text(item, "id") for item in items]
    ids += [str(one) for one in bare if isinstance(one, int | str)] if isinstance(bare, list) else []
    return Kitchen(id=text(row, "id"), name=text(row, "name"), item_ids=tuple(one for one in ids if one))


def printer_from_desibits(row: Mapping[str, Any]) -> Printer:
    """A printer of the restaurant."""
    detail = ", ".join(text(row, name) for name in ("type", "ip_address", "status") if text(row, name))
    return Printer(id=text(row, "id"), name=text(row, "name"), detail=detail)


def driver_from_desibits(row: Mapping[str, Any]) -> Driver:
    """A driver of the restaurant."""
    return Driver(
        id=text(row, "id"), name=text(row, "name"), phone=text(row, "phone", "mobile"), raw_status=text(row, "status")
    )


def platform_from_desibits(row: Mapping[str, Any]) -> DeliveryPlatform:
    """A delivery platform."""
    off = (row.get("active"), row.get("is_active"), row.get("status"))
    return DeliveryPlatform(
        id=text(row, "id"),
        name=text(row, "name"),
        active=not any(one in (False, 0, "inactive", "disabled") for one in off if one is not None),
    )

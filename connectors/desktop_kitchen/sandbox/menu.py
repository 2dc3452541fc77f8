"""The menu calls of the Desktop Kitchen sandbox: categories, items, modifier groups and combos."""

from typing import Any

from aiohttp import web

from connectors.desktop_kitchen.sandbox.amounts import amount_of, as_number, as_text
from connectors.desktop_kitchen.sandbox.answers import Refused, as_id, body_of, id_in_path
from connectors.desktop_kitchen.sandbox.doors import Visit
from connectors.desktop_kitchen.sandbox.store import Store
from hub.contract.sandbox import json_answer

SETTABLE = ("category_id", "name", "price", "description", "image_url", "prep_time_minutes")
_READ = ("id", "category_id", "name", "price", "description", "image_url")
_LISTED = (*_READ, "active", "prep_time_minutes", "is_example")


class Menu:
    """Shows and changes the menu."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def categories(self, visit: Visit) -> web.Response:
        """`GET /api/menu/categories`, with `active_only=1` without those that are switched off."""
        rows = self._store.rows(visit.tenant_id, "categories")
        wanted = [row for row in rows if row["active"] or not _is_set(visit, "active_only")]
        return json_answer(sorted(wanted, key=lambda row: (row["sort_order"], row["id"])))

    async def items(self, visit: Visit) -> web.Response:
        """`GET /api/menu/items`: without sold-out items unless `include_inactive=1`."""
        rows = self._store.rows(visit.tenant_id, "items")
        category = visit.request.query.get("category_id")
        if category:
            rows = [row for row in rows if row["category_id"] == as_id(category)]
        wanted = [row for row in rows if row["active"] or _is_set(visit, "include_inactive")]
        return json_answer([_shown(row, _LISTED) for row in wanted])

    async def item(self, visit: Visit) -> web.Response:
        """`GET /api/menu/items/:id`; a sold-out item is not found."""
        row = self._find(visit, "Failed to fetch menu item")
        if not row["active"]:
            raise Refused(404, "Item not found")
        return json_answer(_shown(row, _READ))

    async def create(self, visit: Visit) -> web.Response:
        """`POST /api/menu/items`."""
        body = await body_of(visit.request)
        if not body.get("category_id") or not body.get("name") or body.get("price") is None:
            raise Refused(400, "Missing required fields")
        fields = {name: _checked(name, body.get(name)) for name in SETTABLE}
        more = {"active": True, "is_example": False, "modifier_group_ids": []}
        row = self._store.add(visit.tenant_id, "items", {**fields, **more})
        return json_answer({**_shown(row, _LISTED), "price": as_number(row["price"])}, 201)

    async def update(self, visit: Visit) -> web.Response:
        """`PUT /api/menu/items/:id`."""
        body = await body_of(visit.request)
        fields = {name: _checked(name, body[name]) for name in SETTABLE if name in body}
        if not fields:
            raise Refused(400, "No fields to update")
        row = self._find(visit, "Failed to update menu item")
        self._store.change(visit.tenant_id, "items", row["id"], fields)
        return json_answer({"message": "Item updated successfully"})

    async def toggle(self, visit: Visit) -> web.Response:
        """`PUT /api/menu/items/:id/toggle`: turns `active` round, whatever it is."""
        row = self._find(visit, "Failed to toggle menu item")
        self._store.change(visit.tenant_id, "items", row["id"], {"active": not row["active"]})
        return json_answer({"id": visit.request.match_info["id"], "active": not row["active"]})

    async def delete(self, visit: Visit) -> web.Response:
        """`DELETE /api/menu/items/:id`, which only the documentation has; its answer is a reading."""
        row = self._find(visit, "Failed to delete menu item")
        self._store.remove(visit.tenant_id, "items", row["id"])
        return json_answer({"message": "Item deleted successfully"})

    async def modifier_groups(self, visit: Visit) -> web.Response:
        """`GET /api/modifiers/groups`, and `…/groups/item/:menuItemId` for those of one item."""
        groups = self._store.rows(visit.tenant_id, "modifier_groups")
        if "menuItemId" in visit.request.match_info:
            number = id_in_path(visit.request, "Failed to fetch modifier groups", "menuItemId")
            item = self._store.find(visit.tenant_id, "items", number) or {}
            groups = [group for group in groups if group["id"] in item.get("modifier_group_ids", ())]
        return json_answer([_group(group) for group in groups])

    async def combos(self, visit: Visit) -> web.Response:
        """`GET /api/combos`; an order never gets the price of a combo."""
        rows = self._store.rows(visit.tenant_id, "combos")
        return json_answer([{**row, "combo_price": as_text(row["combo_price"])} for row in rows])

    def _find(self, visit: Visit, failure: str) -> dict[str, Any]:
        row = self._store.find(visit.tenant_id, "items", id_in_path(visit.request, failure))
        if row is None:
            raise Refused(404, "Item not found")
        return row


def _is_set(visit: Visit, name: str) -> bool:
    return visit.request.query.get(name) in ("1", "true")


def _shown(row: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: row.get(name) for name in names} | {"price": as_text(row["price"])}


def _group(group: dict[str, Any]) -> dict[str, Any]:
    modifiers = [
        {**one, "group_id": group["id"], "price_adjustment": as_text(one["price_adjustment"])}
        for one in group["modifiers"]
    ]
    return {**group, "modifiers": modifiers}


def _checked(name: str, value: Any) -> Any:
    if name != "price":
        return value
    amount = amount_of(value)
    if amount is None:
        raise Refused(500, "Failed to save menu item")
    return amount

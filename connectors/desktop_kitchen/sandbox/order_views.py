"""How an order looks in each answer: numbers when it is created, text when it is read, and never the same fields."""

from collections.abc import Mapping
from typing import Any

from connectors.desktop_kitchen.sandbox.amounts import as_number, as_text
from connectors.desktop_kitchen.sandbox.answers import timestamp
from connectors.desktop_kitchen.sandbox.store import Store
from hub.contract.sandbox.ledger import LedgerOrder

_SUMS = ("subtotal", "tax", "tip", "total")
_ITEM = ("id", "order_id", "menu_item_id", "item_name", "quantity", "unit_price", "notes", "combo_instance_id")


def created(order: LedgerOrder) -> dict[str, Any]:
    """The answer (201) to a create."""
    record = order.record
    return {
        **_names(order),
        **{name: as_number(record[name]) for name in _SUMS},
        "payment_status": record["payment_status"],
        "items": [_created_item(item) for item in record["items"]],
        "estimated_ready_minutes": record["estimated_ready_minutes"],
        "estimated_ready_range": record["estimated_ready_range"],
    }


def replayed(order: LedgerOrder) -> dict[str, Any]:
    """The answer (200) to a create whose `offline_temp_id` is known: no modifiers, no estimate."""
    read = row(order)
    names = ("payment_status", "payment_method", "source", "created_at")
    shown = {**_names(order), **{name: read[name] for name in (*_SUMS, *names)}}
    return {**shown, "items": [_item(order, item) for item in order.record["items"]]}


def listed(order: LedgerOrder, store: Store) -> dict[str, Any]:
    """One element of the list of orders: no items."""
    return {**row(order), "employee_name": _employee_name(order, store)}


def full(order: LedgerOrder, store: Store) -> dict[str, Any]:
    """One order with its items and their modifiers."""
    items = [{**_item(order, item), "modifiers": item["modifiers"]} for item in order.record["items"]]
    return {**listed(order, store), "items": items}


def on_display(order: LedgerOrder, store: Store) -> dict[str, Any]:
    """One element of the kitchen display."""
    record = order.record
    return {
        "id": order.number,
        "order_number": record["order_number"],
        "status": order.status,
        "payment_method": record["payment_method"],
        "source": record["source"],
        "created_at": timestamp(order.received_at),
        "estimated_ready_minutes": record["estimated_ready_minutes"],
        "table_number": record["table_number"],
        "employee_name": _employee_name(order, store),
        "items": [_displayed_item(order, item, store) for item in record["items"]],
    }


def _names(order: LedgerOrder) -> dict[str, Any]:
    return {
        "id": order.number,
        "order_number": order.record["order_number"],
        "employee_id": order.record["employee_id"],
        "status": order.status,
    }


def row(order: LedgerOrder) -> dict[str, Any]:
    """The bare row of an order, which every read call starts from."""
    record = order.record
    return {
        **_names(order),
        **{name: as_text(record[name]) for name in _SUMS},
        "payment_intent_id": record["payment_intent_id"],
        "payment_status": record["payment_status"],
        "payment_method": record["payment_method"],
        "source": record["source"],
        "created_at": timestamp(order.received_at),
        "completed_at": record["completed_at"],
    }


def _employee_name(order: LedgerOrder, store: Store) -> str | None:
    employee = store.find(order.scope, "employees", order.record["employee_id"])
    return employee["name"] if employee else None


def _item(order: LedgerOrder, item: Mapping[str, Any]) -> dict[str, Any]:
    shown = {**item, "order_id": order.number}
    return {name: shown[name] for name in _ITEM}


def _created_item(item: Mapping[str, Any]) -> dict[str, Any]:
    modifiers = [
        {"id": one["modifier_id"], "name": one["modifier_name"], "price_adjustment": one["price_adjustment"]}
        for one in item["modifiers"]
    ]
    names = ("menu_item_id", "item_name", "quantity", "unit_price", "notes", "combo_instance_id")
    shown = {name: item[name] for name in names} | {"unit_price": as_number(item["unit_price"])}
    return {
        **shown,
        "modifiers": modifiers,
        "virtual_brand_id": item["virtual_brand_id"],
        "_orderItemId": item["id"],
    }


def _displayed_item(order: LedgerOrder, item: Mapping[str, Any], store: Store) -> dict[str, Any]:
    brand = store.find(order.scope, "virtual_brands", item["virtual_brand_id"])
    names = ("id", "item_name", "quantity", "notes", "combo_instance_id", "virtual_brand_id")
    return {
        **{name: item[name] for name in names},
        "brand_name": brand["name"] if brand else None,
        "brand_color": brand["color"] if brand else None,
        "modifiers": [{name: one[name] for name in ("modifier_name", "price_adjustment")} for one in item["modifiers"]],
    }

"""Turns the items of an order body into lines with the prices of the menu, as loosely as the server does."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import ceil, floor
from typing import Any

from connectors.desktop_kitchen.sandbox.amounts import amount_of, as_text, extract_tax
from connectors.desktop_kitchen.sandbox.answers import Refused, as_id
from connectors.desktop_kitchen.sandbox.store import Store

DEFAULT_PREP_MINUTES = 5
CREATE_FAILED = "Failed to create order"


def lines_of(items: Sequence[Any], store: Store, tenant_id: str) -> list[dict[str, Any]]:
    """Priced items for a record; refuses with 400, 404 or 500. What it does not know it ignores.

    An inactive item is sold. A modifier that does not exist is left out without a word, required groups
    are not asked for, and a modifier that is named twice counts once (the last is a reading).
    """
    groups = store.rows(tenant_id, "modifier_groups")
    known = {modifier["id"]: modifier for group in groups for modifier in group["modifiers"]}
    return [_line(item, store, tenant_id, known) for item in items]


def order_fields(lines: Sequence[Mapping[str, Any]], *, source: str, employee_id: int | None) -> dict[str, Any]:
    """The record of a new order with these lines: sums, estimate, nothing paid."""
    return {
        "employee_id": employee_id,
        "source": source,
        "table_number": None,
        "tip": Decimal("0.00"),
        "payment_intent_id": None,
        "payment_status": "unpaid",
        "payment_method": None,
        "refund_total": Decimal("0.00"),
        "refunded_items": {},
        "ready_at": None,
        "completed_at": None,
        "items": list(lines),
        **sums_of(lines),
        **estimate(lines),
    }


def sums_of(lines: Sequence[Mapping[str, Any]]) -> dict[str, Decimal]:
    """Subtotal, tax and total; the unit prices include modifiers and tax."""
    totals = extract_tax(sum((Decimal(line["unit_price"]) * line["quantity"] for line in lines), Decimal(0)))
    return {"subtotal": totals.subtotal, "tax": totals.tax, "total": totals.total}


def estimate(lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """When the order will be ready. The range around 5 minutes, 4 to 7, was seen; the rest is drawn from it."""
    minutes = max((line["prep_time_minutes"] or DEFAULT_PREP_MINUTES for line in lines), default=DEFAULT_PREP_MINUTES)
    low, high = floor(Decimal(minutes) * Decimal("0.8")), ceil(Decimal(minutes) * Decimal("1.3"))
    return {"estimated_ready_minutes": minutes, "estimated_ready_range": {"low": low, "high": high}}


def _line(item: Any, store: Store, tenant_id: str, known: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise Refused(500, CREATE_FAILED)
    item_id = as_id(item.get("menu_item_id"))
    if item_id is None:
        raise Refused(500, CREATE_FAILED)
    quantity = _quantity(item.get("quantity"), item_id)
    row = store.find(tenant_id, "items", item_id)
    if row is None:
        raise Refused(404, f"Menu item {item_id} not found")
    brand = store.find(tenant_id, "virtual_brands", as_id(item.get("virtual_brand_id")))
    branded: Mapping[str, Any] = (
        next((one for one in brand["items"] if one["menu_item_id"] == item_id), {}) if brand else {}
    )
    modifiers = _modifiers(item.get("modifiers"), known)
    price = Decimal(branded.get("price", row["price"]))
    return {
        "menu_item_id": item_id,
        "item_name": branded.get("name", row["name"]),
        "quantity": quantity,
        # As text, so that it stays exact in any copy of the record.
        "unit_price": as_text(price + sum((Decimal(one["price_adjustment"]) for one in modifiers), Decimal(0))),
        "notes": _text(item.get("notes")),
        "combo_instance_id": _text(item.get("combo_instance_id")),
        "virtual_brand_id": brand["id"] if brand else None,
        "modifiers": modifiers,
        "prep_time_minutes": row["prep_time_minutes"],
    }


def _quantity(value: Any, item_id: int) -> int:
    amount = amount_of(value)
    if amount is None or amount <= 0:
        raise Refused(400, f"Invalid quantity for item {item_id}. Quantity must be greater than 0.")
    quantity = as_id(int(amount))
    if quantity is None or quantity != amount:
        raise Refused(500, CREATE_FAILED)  # the column is an integer, and the database says no
    return quantity


def _modifiers(value: Any, known: Mapping[int, Mapping[str, Any]]) -> list[dict[str, Any]]:
    wanted = dict.fromkeys(as_id(one) for one in value) if isinstance(value, list) else {}
    return [
        {
            "modifier_id": number,
            "modifier_name": known[number]["name"],
            "price_adjustment": as_text(known[number]["price_adjustment"]),
        }
        for number in wanted
        if number is not None and number in known
    ]


def _text(value: Any) -> str | None:
    if not value:
        return None
    if not isinstance(value, str) or "\x00" in value:
        raise Refused(500, CREATE_FAILED)  # PostgreSQL text takes no NUL
    return value

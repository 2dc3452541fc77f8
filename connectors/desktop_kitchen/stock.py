"""The restaurant's inventory."""

from collections.abc import Iterable
from decimal import Decimal

from connectors.desktop_kitchen.notes import CONNECTOR
from connectors.desktop_kitchen.values import read_id
from connectors.desktop_kitchen.wire import NewStockItem, Number, Row
from hub.contract.amounts import read_decimal
from hub.contract.families import StockItem
from hub.errors import UnmappedValue


def stock_from_desktop_kitchen(rows: Iterable[Row]) -> list[StockItem]:
    """Everything in the inventory that has an id."""
    read = (stock_item_from_desktop_kitchen(row) for row in rows)
    return [item for item in read if item is not None]


def stock_item_from_desktop_kitchen(row: Row) -> StockItem | None:
    """One item, or None when it has no id."""
    item_id = read_id(row.get("id"))
    if item_id is None:
        return None
    return StockItem(
        id=item_id,
        name=str(row.get("name") or item_id),
        quantity=_text(row.get("quantity")) or "0",
        unit=str(row.get("unit") or ""),
        low_below=_text(row.get("low_stock_threshold")),
        category=str(row.get("category") or ""),
    )


def stock_item_to_desktop_kitchen(item: StockItem) -> NewStockItem:
    """The body that adds an item. Raises `UnmappedValue` for a quantity that is no number."""
    body: NewStockItem = {"name": item.name, "quantity": quantity_to_desktop_kitchen(item.quantity, "quantity")}
    if item.unit:
        body["unit"] = item.unit
    if item.low_below:
        body["low_stock_threshold"] = quantity_to_desktop_kitchen(item.low_below, "low_below")
    if item.category:
        body["category"] = item.category
    return body


def quantity_to_desktop_kitchen(text: str, field: str) -> Number:
    """A decimal string as a bare number, whole where it is whole. Raises `UnmappedValue` for anything else."""
    number = read_decimal(text)
    if number is None:
        raise UnmappedValue(f"{field}: {text!r} is not a number", connector=CONNECTOR, field=field)
    return int(number) if number == number.to_integral_value() else number


def _text(value: object) -> str:
    number = read_decimal(value)
    if number is None:
        return ""
    return f"{number.normalize():f}" if number != 0 else str(Decimal(0))

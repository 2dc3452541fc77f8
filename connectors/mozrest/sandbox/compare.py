"""Compares two pictures of one order, field by field."""

from collections.abc import Iterator, Mapping
from typing import Any

ORDER_VALUES = ("status", "partySize", "guestName", "guestEmail", "guestTelephone")
CHECK_VALUES = ("status", "totalAmount", "tax", "tip", "discount", "paymentMethod")
ITEM_VALUES = ("name", "price", "quantity")
NOTHING: tuple[Any, ...] = (None, 0, "", [])


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """(field, before, after) for each field that differs, such as `checks[98766].items[0].price`.

    Absent, null, zero and empty are the same; so are 150 and 150.00, the item ids 1 and "1", and tables in another
    order. Checks are matched by their number, items by their position.
    """
    old, new = dict(_flat(before)), dict(_flat(after))
    pairs = ((field, old.get(field), new.get(field)) for field in {**old, **new})
    return [pair for pair in pairs if pair[1] != pair[2] and not (pair[1] in NOTHING and pair[2] in NOTHING)]


def _flat(order: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from _values(order, ORDER_VALUES, "")
    yield "tables", sorted(order.get("tables") or [])
    for check in order.get("checks", []):
        place = f"checks[{check.get('checkNumber', '')}]."
        yield from _values(check, CHECK_VALUES, place)
        for at, item in enumerate(check.get("items", [])):
            yield f"{place}items[{at}].id", str(item.get("id", ""))
            yield from _values(item, ITEM_VALUES, f"{place}items[{at}].")


def _values(row: Mapping[str, Any], names: tuple[str, ...], place: str) -> Iterator[tuple[str, Any]]:
    for name in names:
        if name in row:
            yield f"{place}{name}", row[name]

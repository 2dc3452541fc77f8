"""What the Mozrest sandbox finds odd about an order it accepts: warnings for its view, never a refusal.

The documented sample shows tax inside and tip outside `totalAmount`, and does not say whether prices are before or
after the discount; a service charge has no field of its own. So sums are compared and told, not enforced.
"""

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any


def doubts_about(
    order: Mapping[str, Any], known: Mapping[str, Any], *, unknown_fields: Collection[str], tables: Collection[str]
) -> list[str]:
    """The warnings about an order as received, next to what was known; `tables` is empty if never fetched."""
    return [
        *(f"{field} is a field nobody has heard of" for field in unknown_fields),
        *(f"{field} is missing" for field in ("tables", "partySize") if not order.get(field)),
        *(
            f"table {table} is not listed by the POS"
            for table in order.get("tables", [])
            if tables and table not in tables
        ),
        *_about_check_numbers(order, known),
        *(doubt for check in order["checks"] for doubt in _about_check(check)),
        *_about_moves(order, known),
    ]


def _about_check_numbers(order: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[str]:
    numbers = [check["checkNumber"] for check in order["checks"]]
    if not numbers:
        yield "there are no checks"
    for number in sorted({number for number in numbers if numbers.count(number) > 1}):
        yield f"check {number} is there more than once"
    for check in known.get("checks", []):
        if check["checkNumber"] not in numbers:
            yield f"check {check['checkNumber']} was known and is missing"


def _about_check(check: Mapping[str, Any]) -> Iterator[str]:
    place, total, items = f"check {check['checkNumber']}", check.get("totalAmount", 0), check.get("items", [])
    lines = sum((Decimal(item["price"]) * item["quantity"] for item in items), Decimal(0))
    if items and total not in (lines, lines - check.get("discount", 0)) and check["status"] != "void":
        yield f"{place}: the lines add up to {lines}, totalAmount is {total}"
    if not items and total and check["status"] == "open":
        yield f"{place}: totalAmount is {total} without any lines"
    for name in ("totalAmount", "tax", "tip", "discount"):
        if check.get(name, 0) < 0:
            yield f"{place}: {name} is negative"
    if check["status"] == "closed" and total and "paymentMethod" not in check:
        yield f"{place}: it is closed and paymentMethod is missing"
    for at, item in enumerate(items):
        if item["quantity"] % 1:
            yield f"{place}: the quantity {item['quantity']} of items[{at}] is not whole"


def _about_moves(order: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[str]:
    before = {check["checkNumber"]: check["status"] for check in known.get("checks", [])}
    for check in order["checks"]:
        was = before.get(check["checkNumber"], "open")
        if was not in ("open", check["status"]):
            yield f"check {check['checkNumber']} was {was} and is {check['status']}"

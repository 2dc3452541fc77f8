"""The items of an order at the Desibits sandbox: read from a request, and changed after the order was opened."""

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from connectors.desibits.sandbox.answers import refuse
from connectors.desibits.sandbox.catalogue import Catalogue
from connectors.desibits.sandbox.fields import Fields
from connectors.desibits.sandbox.options import Options

Line = dict[str, Any]
MOST_OF_ONE = 9999


def read_items(fields: Fields, catalogue: Catalogue, options: Options, *, least: int) -> list[Line]:
    """The `items` of a body, each without an id and with nothing sent to the kitchen.

    What is wrong is noted in the fields; the lines count only after their `finish`.
    """
    return [_line(element, catalogue, options) for element in fields.elements("items", least=least)]


def require_available(lines: Sequence[Line], catalogue: Catalogue) -> None:
    """Raises `Refused` (400) for an item that is switched off."""
    for line in lines:
        item = catalogue.menu_items[line["menu_item_id"]]
        if not item["is_available"]:
            raise refuse(400, f"{item['name']} is not available")


def numbered(lines: Sequence[Line], next_id: Callable[[], int]) -> list[Line]:
    """New lines with ids."""
    return [{"id": next_id(), **line} for line in lines]


def replaced(before: Sequence[Line], wanted: Sequence[Line], next_id: Callable[[], int]) -> list[Line]:
    """The lines of an order after its items were replaced.

    A line of the same item with the same note stays the line it was, with what the kitchen has got of it.
    """
    known: defaultdict[tuple[int, str | None], deque[Line]] = defaultdict(deque)
    for line in before:
        known[_key(line)].append(line)
    after = []
    for line in wanted:
        same = known[_key(line)]
        old = same.popleft() if same else {"id": next_id(), "sent": 0}
        after.append({"id": old["id"], **line, "sent": old["sent"]})
    return after


def require_sent_kept(before: Sequence[Line], after: Sequence[Line]) -> None:
    """Raises `Refused` (409) when something that the kitchen has got would be gone."""
    quantities = {line["id"]: line["quantity"] for line in after}
    if any(line["sent"] > quantities.get(line["id"], 0) for line in before):
        raise refuse(409, "Items that were sent to the kitchen cannot be removed")


def _key(line: Line) -> tuple[int, str | None]:
    return line["menu_item_id"], line["note"]


def _line(fields: Fields, catalogue: Catalogue, options: Options) -> Line:
    number = fields.one_of("menu_item_id", catalogue.menu_items, required=True)
    quantity = fields.integer("quantity", required=True, least=1, most=MOST_OF_ONE)
    price = fields.amount("price")
    item = catalogue.menu_items.get(number, {}) if number is not None else {}
    if price is None or not options.honour_price:
        price = item.get("price", Decimal("0.00"))
    return {
        "menu_item_id": number,
        "name": item.get("name"),
        "quantity": quantity,
        "price": price,
        "note": fields.text("note"),
        "sent": 0,
    }

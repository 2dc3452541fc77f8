"""One line of ours as the items of a Desibits order: modifiers are text and price, or items of their own."""

from collections.abc import Mapping
from typing import Any

from connectors.desibits.mark import option_mark
from connectors.desibits.settings import CONNECTOR
from connectors.desibits.wire import OrderItem
from hub.contract.writes import OrderWrite
from hub.errors import UnmappedValue
from hub.model.check import Line, Modifier
from hub.model.money import to_decimal
from hub.model.order import Loss, LossKind, Order


def lost(path: str, loss: str, kind: LossKind = LossKind.FLATTENED) -> Loss:
    """One entry of the fidelity report."""
    return Loss(target=CONNECTOR, path=path, loss=loss, kind=kind)


def line_to_desibits(line: Line, path: str, request: OrderWrite, losses: list[Loss]) -> list[OrderItem]:
    """The line's item, then one for every option that is a menu item of its own.

    The price is for one unit with the modifiers that are in its note. The note of an option's item ends with our mark
    and a plus, by which it is known again as part of the item before it. Raises `UnmappedValue` when the line has no id
    of Desibits' menu.
    """
    order = request.order
    own, as_text = _split(line.modifiers)
    unit_cents = line.unit_cents + sum(_with_deeper(modifier) * modifier.quantity for modifier in as_text)
    notes = [line.note] if line.note else []
    if as_text:
        notes.append(", ".join(map(_words, as_text)))
        losses.append(
            lost(
                f"{path}.modifiers",
                "Desibits knows no modifiers; their names are in the line's note, their prices in its price",
            )
        )
    items = [_item(_menu_item(line.vendor, line.name, path), line.quantity, unit_cents, order, " | ".join(notes))]
    for modifier in own:
        losses.append(
            lost(f"{path}.modifiers", f"{modifier.name!r} is a menu item at Desibits; it went as a line of its own")
        )
        note = " | ".join([f"with {line.name}", *map(_words, modifier.modifiers)]) + f" {option_mark(request.mark)}"
        menu_item = _menu_item(modifier.vendor, modifier.name, f"{path}.modifiers")
        items.append(_item(menu_item, line.quantity * modifier.quantity, _with_deeper(modifier), order, note))
    return items


def _split(modifiers: tuple[Modifier, ...]) -> tuple[list[Modifier], list[Modifier]]:
    """Those that are menu items of their own, and the others."""
    own = [modifier for modifier in modifiers if "id" in modifier.vendor]
    return own, [modifier for modifier in modifiers if "id" not in modifier.vendor]


def _item(menu_item_id: int | str, quantity: int, unit_cents: int, order: Order, note: str) -> OrderItem:
    item: OrderItem = {
        "menu_item_id": menu_item_id,
        "quantity": quantity,
        "price": to_decimal(unit_cents, order.currency),
    }
    if note:
        item["note"] = note
    return item


def _menu_item(vendor: Mapping[str, Any], name: str, path: str) -> int | str:
    """Desibits' id of a menu item, as the hub's menu has it."""
    found = vendor.get("id")
    if isinstance(found, bool) or not isinstance(found, int | str) or not found:
        raise UnmappedValue(
            f"{name!r} has no id of Desibits' menu; add vendor = {{ id = … }} to it in the menu file",
            connector=CONNECTOR,
            field=path,
        )
    return found


def _with_deeper(modifier: Modifier) -> int:
    """A modifier's price with that of the options inside it."""
    return modifier.unit_cents + sum(_with_deeper(one) * one.quantity for one in modifier.modifiers)


def _words(modifier: Modifier) -> str:
    count = f"{modifier.quantity}x " if modifier.quantity > 1 else ""
    deeper = f" ({', '.join(map(_words, modifier.modifiers))})" if modifier.modifiers else ""
    return f"{count}{modifier.name}{deeper}"

"""Turns an order of ours into the body that creates it at Desibits, and says what Desibits could not take as it was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from connectors.desibits.discounts import AmountDiscount, discount_to_desibits, fold_in
from connectors.desibits.fields import decimal, rows
from connectors.desibits.lines import line_to_desibits, lost
from connectors.desibits.tickets import menu_item_id
from connectors.desibits.wire import NewOrder, Number, OrderItem
from hub.contract.tables import VendorTables
from hub.contract.writes import OrderWrite
from hub.model.check import Line
from hub.model.money import to_decimal
from hub.model.order import Loss, LossKind, Order
from hub.model.status import Status

_IN_NOTES = "Desibits orders have no field for it; it is part of the notes"


class OrderSetup(Struct, frozen=True, kw_only=True):
    """What a Desibits order needs besides the order itself: the restaurant's ids."""

    tables: VendorTables
    order_type_id: int | str
    table_id: int | str | None = None
    customer_id: int | str | None = None
    amount_discount: AmountDiscount = "percent"


@dataclass(frozen=True)
class Translated:
    """A request body, and what of the order it could not hold."""

    body: NewOrder
    losses: tuple[Loss, ...]


def order_to_desibits(request: OrderWrite, setup: OrderSetup) -> Translated:
    """The body of `POST /orders`. Our mark stands at the end of the notes and of the first item's note.

    Raises `UnmappedValue` for an item without an id of Desibits' menu.
    """
    order, losses = request.order, list[Loss]()
    items = [
        item for path, line in order_lines(order, losses) for item in line_to_desibits(line, path, request, losses)
    ]
    if items:
        items[0] = marked(items[0], request.mark)
    body: NewOrder = {
        "order_type_id": setup.order_type_id,
        "items": items,
        "notes": order_notes(request, setup, losses),
    }
    if setup.table_id is not None:
        body["table_id"] = setup.table_id
    if setup.customer_id is not None:
        body["customer_id"] = setup.customer_id
    if setup.amount_discount == "fold" and any(one.type == "amount" for one in _discounts(order)):
        body["items"] = fold_in(items, order, losses)
    else:
        discount = discount_to_desibits(
            _discounts(order), order.totals, order.currency, setup.amount_discount, setup.tables, losses
        )
        if discount is not None:
            body["discount_type"], body["discount_value"] = discount
    _say_what_desibits_computes(order, losses)
    return Translated(body, tuple(losses))


def order_lines(order: Order, losses: list[Loss]) -> list[tuple[str, Line]]:
    """Every line of the checks that are not void, with its path; Desibits knows one bill per order."""
    checks = [(index, check) for index, check in enumerate(order.checks) if check.status is not Status.VOID]
    if len(checks) > 1:
        losses.append(lost("checks", "Desibits orders hold one bill; all checks became one"))
    return [(f"checks[{at}].lines[{index}]", line) for at, check in checks for index, line in enumerate(check.lines)]


def order_notes(request: OrderWrite, setup: OrderSetup, losses: list[Loss]) -> str:
    """The notes: the guest's note, what Desibits has no field for, and our mark at the end."""
    order = request.order
    parts = [order.note] if order.note else []
    for path, words in _unplaced(order, setup):
        parts.append(words)
        losses.append(lost(path, _IN_NOTES))
    return " | ".join([*parts, request.mark])


def marked(item: OrderItem, mark: str) -> OrderItem:
    """An item whose note ends with a mark."""
    note = item.get("note", "")
    return {**item, "note": f"{note} {mark}".strip()}


def compare_items(sent: Sequence[OrderItem], shown: Mapping[str, Any]) -> tuple[Loss, ...]:
    """What differs between the items that were sent and those the order shows, as sentences for a person."""
    there = rows(shown, "items", "order_items")
    if there is None:
        return ()
    theirs = [
        (menu_item_id(row), decimal(row, "quantity", "qty"), decimal(row, "price", "unit_price")) for row in there
    ]
    losses = []
    for index, item in enumerate(sent):
        wanted = (str(item["menu_item_id"]), Decimal(item["quantity"]), Decimal(item["price"]))
        if wanted in theirs:
            theirs.remove(wanted)
            continue
        same_item = next((row for row in theirs if row[0] == wanted[0]), None)
        if same_item is None:
            losses.append(
                lost(f"checks[0].lines[{index}]", f"Desibits does not show menu item {wanted[0]}", LossKind.LOST)
            )
            continue
        theirs.remove(same_item)
        _, quantity, price = same_item
        difference = f"{_plain(quantity)} at {_plain(price)} where {wanted[1]} at {wanted[2]} were sent"
        losses.append(
            lost(f"checks[0].lines[{index}]", f"Desibits shows menu item {wanted[0]}: {difference}", LossKind.LOST)
        )
    if theirs:
        losses.append(lost("checks.lines", f"Desibits shows {len(theirs)} more items than were sent", LossKind.LOST))
    return tuple(losses)


def _plain(number: Number | None) -> str:
    return "?" if number is None else f"{number}"


def _discounts(order: Order) -> list[Any]:
    return [one for check in order.checks if check.status is not Status.VOID for one in check.discounts]


def _unplaced(order: Order, setup: OrderSetup) -> list[tuple[str, str]]:
    """(path, words) of everything that has no field, or none that could be filled."""
    guest, delivery = order.customer, order.delivery
    found: list[tuple[str, str]] = []
    if guest is not None and setup.customer_id is None:
        found.append(("customer", ", ".join(part for part in (guest.name, guest.phone, guest.email) if part)))
    loose = order.tables if setup.table_id is None else order.tables[1:]
    if loose:
        found.append(("tables", f"Table {', '.join(order.tables)}"))
    if order.party_size is not None:
        found.append(("party_size", f"Party of {order.party_size}"))
    if order.timing.promised_at_ms is not None:
        zone = ZoneInfo(order.timing.timezone)
        promised = datetime.fromtimestamp(order.timing.promised_at_ms // 1000, zone)
        found.append(("timing.promised_at_ms", f"For {promised:%Y-%m-%d %H:%M}"))
    if delivery is not None:
        found.append(("delivery.address", f"To {delivery.address}"))
        if delivery.instructions:
            found.append(("delivery.instructions", delivery.instructions))
    for check in order.checks:
        if check.status is not Status.VOID:
            charges = [one for one in check.charges if one.cents]
            found += [("checks.charges", f"{c.type} charge {to_decimal(c.cents, order.currency)}") for c in charges]
    if order.totals.tip_cents:
        found.append(("totals.tip_cents", f"tip {to_decimal(order.totals.tip_cents, order.currency)}"))
    return [(path, words) for path, words in found if words]


def _say_what_desibits_computes(order: Order, losses: list[Loss]) -> None:
    lines = [line for check in order.checks if check.status is not Status.VOID for line in check.lines]
    if any(line.tax is not None and line.tax.type == "exclusive" and line.tax.cents for line in lines):
        losses.append(
            lost("checks.lines.tax", "Desibits takes no tax with an order; it adds its own, if any", LossKind.LOST)
        )

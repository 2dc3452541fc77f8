"""Orders on their way to Desktop Kitchen, and what its answer shows to have become of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.desktop_kitchen.notes import CONNECTOR, order_header
from connectors.desktop_kitchen.taken import find_taken
from connectors.desktop_kitchen.values import read_count, read_id
from connectors.desktop_kitchen.wire import NewItem, NewOrder, Row
from hub.contract.amounts import find_cents
from hub.contract.writes import OrderWrite
from hub.errors import UnmappedValue
from hub.model.check import Line, Modifier
from hub.model.money import Money, display
from hub.model.order import Loss, LossKind, Order
from hub.model.status import Status


@dataclass(frozen=True)
class Translated:
    """A request body, the lines behind it with their paths, and what of the order it could not hold."""

    body: NewOrder
    lines: tuple[tuple[str, Line], ...]
    losses: tuple[Loss, ...]


def order_to_desktop_kitchen(request: OrderWrite, *, employee_id: int) -> Translated:
    """The body of `POST /orders` for a whole order.

    Raises `UnmappedValue` for an item or modifier that is not from Desktop Kitchen's menu.
    """
    order = request.order
    header, losses = order_header(order, request.mark)
    checks = [(index, check) for index, check in enumerate(order.checks) if check.status is not Status.VOID]
    lines = [(f"checks[{at}].lines[{index}]", line) for at, check in checks for index, line in enumerate(check.lines)]
    if len(checks) > 1:
        losses.append(flattened("checks", "Desktop Kitchen orders hold one bill; all checks became one"))
    if order.note:
        losses.append(flattened("note", "Desktop Kitchen orders have no note of their own; it is on the first line"))
    if order.customer is not None and order.customer.email:
        losses.append(lost("customer.email", "Desktop Kitchen orders carry no e-mail address"))
    losses += _lost_money(order)
    return _translated(header, order.note, lines, losses, employee_id, key=f"hub:{order.id}")


def round_to_desktop_kitchen(
    request: OrderWrite, lines: Sequence[Line], *, round_code: str, employee_id: int
) -> Translated:
    """The body of `POST /orders` for later lines of an order, which become a further order with the same mark."""
    header, losses = order_header(request.order, request.mark, round_code)
    losses.append(
        flattened("checks.lines", "Desktop Kitchen orders cannot be changed; the new lines are a further order")
    )
    placed = [(f"change.lines[{index}]", line) for index, line in enumerate(lines)]
    key = f"hub:{request.order.id}:{request.idempotency_key}"
    return _translated(header, "", placed, losses, employee_id, key=key)


def compare(sent: Translated, row: Row, currency: str) -> tuple[Loss, ...]:
    """What the answer to a new order shows to be missing: the server drops modifiers it does not know and says
    nothing, and takes prices from its own menu."""
    items = row.get("items")
    told = [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []
    losses: list[Loss] = []
    taken: Sequence[Mapping[str, Any] | None] = told
    if told and len(told) != len(sent.lines):
        known = find_taken(sent.body["items"], told)
        if known is None:
            losses.append(lost("checks.lines", f"the POS took {len(told)} lines of {len(sent.lines)}"))
        taken = known or told
    for (path, line), body, item in zip(sent.lines, sent.body["items"], taken, strict=False):
        if item is None:
            losses.append(lost(path, f"the POS did not take {line.quantity} × {line.name!r}"))
        else:
            losses += _compare_line(path, line, body, item)
    meant = sum(line.gross_cents for _, line in sent.lines)
    total = find_cents(row.get("total"), currency)
    if total is not None and total != meant:
        amounts = f"{display(Money(total, currency))} instead of {display(Money(meant, currency))}"
        losses.append(Loss(target=CONNECTOR, path="totals.total_cents", loss=f"the POS's own prices make {amounts}"))
    return tuple(losses)


def flattened(path: str, loss: str) -> Loss:
    """Something that is there in another form."""
    return Loss(target=CONNECTOR, path=path, loss=loss)


def lost(path: str, loss: str) -> Loss:
    """Something that only the hub has."""
    return Loss(target=CONNECTOR, path=path, loss=loss, kind=LossKind.LOST)


def _translated(
    header: str, note: str, lines: Sequence[tuple[str, Line]], losses: list[Loss], employee_id: int, *, key: str
) -> Translated:
    items = [_item(line, path, losses) for path, line in lines]
    first = lines[0][1].note if lines else ""
    if items:
        items[0]["notes"] = " ".join(part for part in (header, " | ".join(filter(None, (note, first)))) if part)
    body: NewOrder = {"employee_id": employee_id, "items": items, "offline_temp_id": key}
    return Translated(body, tuple(lines), tuple(losses))


def _item(line: Line, path: str, losses: list[Loss]) -> NewItem:
    item: NewItem = {"menu_item_id": _vendor_id(line.vendor, line.name, path), "quantity": line.quantity}
    modifiers = list(_modifier_ids(line.modifiers, path, 1, losses))
    if modifiers:
        item["modifiers"] = modifiers
    if line.note:
        item["notes"] = line.note
    return item


def _modifier_ids(modifiers: Sequence[Modifier], path: str, times: int, losses: list[Loss]) -> Iterator[int]:
    """The ids of a line's modifiers, one per piece; those of modifiers move up, as only one level is known."""
    for index, modifier in enumerate(modifiers):
        own = f"{path}.modifiers[{index}]"
        count = modifier.quantity * times
        yield from [_vendor_id(modifier.vendor, modifier.name, own)] * count
        if modifier.modifiers:
            losses.append(flattened(f"{own}.modifiers", "Desktop Kitchen has one level of modifiers; they moved up"))
            yield from _modifier_ids(modifier.modifiers, own, count, losses)


def _vendor_id(vendor: Mapping[str, Any], name: str, path: str) -> int:
    known = read_id(vendor.get("id"))
    if known is None:
        raise UnmappedValue(f"{name!r} is not in the menu synced from Desktop Kitchen", connector=CONNECTOR, field=path)
    return int(known)


def _lost_money(order: Order) -> Iterator[Loss]:
    """Amounts without a field. The POS's total wins in the restaurant; the audit shows the difference."""
    totals, currency = order.totals, order.currency
    amounts = (
        ("checks.discounts", "discount", totals.discount_cents),
        ("checks.charges", "charges", totals.charge_cents),
        ("totals.tip_cents", "tip", totals.tip_cents),
    )
    for path, name, cents in amounts:
        if cents:
            amount = display(Money(cents, currency))
            yield lost(path, f"Desktop Kitchen orders have no field for it; the {name} of {amount} is in the hub alone")


def _compare_line(path: str, line: Line, body: NewItem, told: Mapping[str, Any]) -> Iterator[Loss]:
    if read_id(told.get("menu_item_id")) not in (None, str(body["menu_item_id"])):
        yield lost(path, f"the POS has {told.get('item_name')!r} in place of {line.name!r}")
    quantity = read_count(told.get("quantity"))
    if quantity is not None and quantity != line.quantity:
        yield lost(f"{path}.quantity", f"the POS took {quantity} of {line.quantity} × {line.name!r}")
    taken = told.get("modifiers")
    if not isinstance(taken, list):  # a repeated order is answered without them
        return
    left = [read_id(one.get("modifier_id", one.get("id"))) for one in taken if isinstance(one, Mapping)]
    for modifier_id in body.get("modifiers", []):
        if str(modifier_id) in left:
            left.remove(str(modifier_id))
        else:
            name = _name_of(line.modifiers, str(modifier_id))
            yield lost(f"{path}.modifiers", f"the POS dropped the modifier {name!r} of {line.name!r} without a word")


def _name_of(modifiers: Sequence[Modifier], modifier_id: str) -> str:
    for modifier in modifiers:
        if str(modifier.vendor.get("id")) == modifier_id:
            return modifier.name
        below = _name_of(modifier.modifiers, modifier_id)
        if below != modifier_id:
            return below
    return modifier_id

"""Kitchen tickets (KOT) as an order shows them: their ids and states, and whether they hold everything ordered."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct

from connectors.desibits.fields import decimal, mapping, rows, text
from hub.contract.tables import VendorTables
from hub.model.order import VendorRef
from hub.model.status import Stage

_DIGITS = re.compile(r"\d+")


class Ticket(Struct, frozen=True, kw_only=True):
    """One ticket; `item_ids` counts what is on it by menu item, None where Desibits does not show it."""

    id: str
    number: str
    word: str
    stage: Stage
    item_ids: Mapping[str, Decimal] | None


def tickets_of(row: Mapping[str, Any], tables: VendorTables) -> tuple[Ticket, ...] | None:
    """The order's tickets; None when the order does not show any list of them."""
    found = rows(row, "kots", "kot_list")
    return None if found is None else tuple(_ticket(entry, tables) for entry in found)


def tickets_kept(refs: Sequence[VendorRef]) -> tuple[Ticket, ...]:
    """The tickets whose ids the hub keeps, for an order that shows none."""
    ids = (ref.id for ref in refs if ref.kind == "ticket")
    return tuple(Ticket(id=one, number="", word="", stage=Stage.UNKNOWN, item_ids=None) for one in ids)


def ticket_id(row: Mapping[str, Any]) -> str:
    """A ticket's id: as such, or as a last resort the number at the end of `kot_number`; empty when there is none."""
    known = text(row, "id", "kot_id")
    if known:
        return known
    digits = _DIGITS.findall(text(row, "kot_number"))
    return str(int(digits[-1])) if digits else ""


def state_words(tickets: tuple[Ticket, ...]) -> tuple[str, ...]:
    """The words of the tickets' states, each one once."""
    return tuple(dict.fromkeys(ticket.word for ticket in tickets if ticket.word))


def kitchen_stage(tickets: tuple[Ticket, ...]) -> Stage | None:
    """How far the kitchen is with all tickets that are not cancelled; None without any.

    A ticket in a state nobody knows is an open one: of the order no more is said than that the kitchen has it.
    """
    stages = {ticket.stage for ticket in tickets if ticket.stage is not Stage.CANCELLED}
    if not stages:
        return None
    if Stage.UNKNOWN in stages:
        return Stage.ACCEPTED
    if stages == {Stage.SERVED}:
        return Stage.SERVED
    return Stage.READY if stages <= {Stage.READY, Stage.SERVED} else Stage.PREPARING


def holds_everything(row: Mapping[str, Any], tables: VendorTables) -> bool | None:
    """Whether every item of the order is on a ticket; None when Desibits does not show what is on them."""
    tickets, items = tickets_of(row, tables), rows(row, "items", "order_items")
    if tickets is None or items is None:
        return None
    live = [ticket for ticket in tickets if ticket.stage is not Stage.CANCELLED]
    on_tickets: Counter[str] = Counter()
    for ticket in live:
        if ticket.item_ids is None:
            return None
        on_tickets.update(ticket.item_ids)
    ordered = _quantities(items)
    return ordered is not None and all(on_tickets[item] >= quantity for item, quantity in ordered.items())


def menu_item_id(row: Mapping[str, Any]) -> str:
    """Which menu item a line is of: the plain field, or the item inside it."""
    return text(row, "menu_item_id") or text(mapping(row.get("menu_item")), "id")


def _ticket(row: Mapping[str, Any], tables: VendorTables) -> Ticket:
    word = text(row, "status")
    known = tables.from_vendor("kitchen_status", word) or {}
    items = rows(row, "items", "kot_items")
    return Ticket(
        id=ticket_id(row),
        number=text(row, "kot_number"),
        word=word,
        stage=Stage(known.get("stage", "unknown")),
        item_ids=None if items is None else _quantities(items),
    )


def _quantities(items: list[dict[str, Any]]) -> Mapping[str, Decimal] | None:
    """How often each menu item occurs; None when a line does not say."""
    counted: dict[str, Decimal] = {}
    for item in items:
        item_id, quantity = menu_item_id(item), decimal(item, "quantity", "qty")
        if not item_id or quantity is None:
            return None
        counted[item_id] = counted.get(item_id, Decimal(0)) + quantity
    return counted

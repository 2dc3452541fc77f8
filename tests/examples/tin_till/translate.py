"""Between our order and a Tin Till ticket: pure functions."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hub.contract.tables import VendorTables
from hub.errors import UnmappedValue, VendorMalformed
from hub.model.check import Check, Line, Totals
from hub.model.money import from_decimal, to_decimal
from hub.model.order import Loss, LossKind, Order, PosOrder, VendorRef
from hub.model.status import Stage, Status

CONNECTOR = "tin_till"


def order_to_ticket(order: Order, mark: str) -> tuple[dict[str, Any], tuple[Loss, ...]]:
    """The body of `POST /tickets`, and what it could not hold. Raises `UnmappedValue` for an item without an id."""
    losses = []
    lines = []
    for line in (line for check in order.checks for line in check.lines):
        if "id" not in line.vendor:
            raise UnmappedValue(f"{line.name!r} has no id at the till", connector=CONNECTOR)
        row: dict[str, Any] = {"sku": str(line.vendor["id"]), "qty": line.quantity}
        row["price"] = to_decimal(line.gross_cents // line.quantity, order.currency)
        words = [*(modifier.name for modifier in line.modifiers), *([line.note] if line.note else [])]
        if words:
            row["text"] = ", ".join(words)
        if line.modifiers:
            losses.append(_lost("lines.modifiers", "modifiers are text, their price is in the line's"))
        lines.append(row)
    if order.totals.discount_cents:
        losses.append(_lost("discount", "the till knows no discount", LossKind.LOST))
    return {"ref": mark, "note": order.note, "lines": lines}, tuple(losses)


def order_from_ticket(ticket: Any, tables: VendorTables, currency: str) -> PosOrder:
    """A ticket in our words. Raises `VendorMalformed` when it has no id."""
    if not isinstance(ticket, Mapping) or not ticket.get("id"):
        raise VendorMalformed("a ticket without an id", connector=CONNECTOR)
    raw_status = str(ticket.get("status") or "")
    known = tables.from_vendor("order_status", raw_status) or {}
    status = Status(known.get("status", "unknown"))
    lines = tuple(_line(index, row, currency) for index, row in enumerate(ticket.get("lines") or ()))
    total_cents = from_decimal(Decimal(ticket["total"]), currency) if "total" in ticket else None
    subtotal = sum(line.gross_cents for line in lines)
    totals = Totals(subtotal_cents=subtotal, total_cents=subtotal)
    return PosOrder(
        ref=VendorRef(kind="order", id=str(ticket["id"])),
        raw_status=raw_status,
        status=status,
        stage=Stage(known.get("stage", "unknown")),
        mark=str(ticket.get("ref") or ""),
        note=str(ticket.get("note") or ""),
        checks=(Check(id=str(ticket["id"]), status=status, lines=lines, totals=totals),) if lines else (),
        total_cents=total_cents,
    )


def _line(index: int, row: Mapping[str, Any], currency: str) -> Line:
    unit_cents, quantity = from_decimal(Decimal(row["price"]), currency), int(row["qty"])
    return Line(
        uid=str(index),
        item_id="",
        name=str(row.get("text") or row["sku"]),
        quantity=quantity,
        unit_cents=unit_cents,
        gross_cents=unit_cents * quantity,
        vendor={"id": row["sku"]},
    )


def _lost(path: str, words: str, kind: LossKind = LossKind.FLATTENED) -> Loss:
    return Loss(target=CONNECTOR, path=path, loss=words, kind=kind)

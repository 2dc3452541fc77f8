"""Reads an order as Desktop Kitchen tells it: a new one, a repeated one, one read back, a row of either list."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from connectors.desktop_kitchen.catalogue import item_id, modifier_id
from connectors.desktop_kitchen.notes import CONNECTOR, Header, find_header
from connectors.desktop_kitchen.values import read_count, read_id, read_time_ms
from connectors.desktop_kitchen.wire import Row
from hub.contract.amounts import read_cents, times
from hub.contract.tables import VendorTables
from hub.errors import VendorMalformed
from hub.model.check import Check, Line, Modifier, Totals
from hub.model.order import PosOrder, VendorRef
from hub.model.status import OrderType, PaymentStatus, Stage, Status

_QR_ORDER = "qr_order"


class ReadSetup(Struct, frozen=True, kw_only=True):
    """What reading an order needs to know of the link."""

    link_id: str
    currency: str
    tables: VendorTables


def order_from_desktop_kitchen(row: Row, setup: ReadSetup) -> PosOrder:
    """An order in our words. What is not told stays empty, a status nobody knows stays with its raw word.

    Raises `VendorMalformed` when there is no id in it, or an amount that cannot be.
    """
    order_id = read_id(row.get("id"))
    if order_id is None:
        raise VendorMalformed("an order without an id", connector=CONNECTOR)
    raw_status = str(row.get("status") or "")
    known = setup.tables.from_vendor("order_status", raw_status) or {}
    status = Status(known.get("status", "unknown"))
    header = header_of(row)
    table = row.get("table_number")
    paid = payment_status_of(row.get("payment_status"), setup.tables)
    return PosOrder(
        ref=VendorRef(kind="order", id=order_id),
        raw_status=raw_status,
        status=status,
        stage=Stage(known.get("stage", "unknown")),
        # The POS knows paid or unpaid only: "unpaid" says nothing against a part of it that the hub knows of.
        payment_status=None if paid is PaymentStatus.UNPAID else paid,
        mark=header.mark if header else "",
        order_type=_order_type(row, header, setup),
        checks=_checks(order_id, status, row, setup),
        total_cents=read_cents(row.get("total"), setup.currency),
        number=str(row.get("order_number") or ""),
        tables=(str(table),) if table else (),
        created_at_ms=read_time_ms(row.get("created_at")),
        summary_only=not isinstance(row.get("items"), list) or "total" not in row,
    )


def header_of(row: Row) -> Header | None:
    """Our header in the first note that has one."""
    return next((header for item in _items(row) if (header := find_header(item.get("notes"))) is not None), None)


def payment_status_of(word: Any, tables: VendorTables) -> PaymentStatus | None:
    """What a `payment_status` means; None where the row has none."""
    if not word:
        return None
    row = tables.from_vendor("payment_status", str(word))
    return PaymentStatus(row["payment_status"]) if row else PaymentStatus.UNKNOWN


def _order_type(row: Row, header: Header | None, setup: ReadSetup) -> OrderType | None:
    source = str(row.get("source") or "")
    if source == _QR_ORDER and "table_number" in row:
        return OrderType.DINE_IN if row["table_number"] else OrderType.PICKUP
    known = setup.tables.from_vendor("order_type", source)
    if known is not None:
        return OrderType(known["order_type"])
    return header.order_type if header else None


def _checks(order_id: str, status: Status, row: Row, setup: ReadSetup) -> tuple[Check, ...]:
    """The order's bill; none where the row has no prices, or they do not add up to its total."""
    lines = [_line(f"{order_id}-{index}", item, setup) for index, item in enumerate(_items(row))]
    known = tuple(line for line in lines if line is not None)
    total = read_cents(row.get("total"), setup.currency)
    if not known or len(known) < len(lines) or total is None:
        return ()
    goods = sum(line.gross_cents for line in known)
    tip = read_cents(row.get("tip"), setup.currency) or 0
    if total not in (goods, goods + tip):
        return ()
    totals = Totals(
        subtotal_cents=goods,
        tax_cents=read_cents(row.get("tax"), setup.currency) or 0,
        tip_cents=total - goods,
        total_cents=total,
    )
    return (Check(id=order_id, status=status, lines=known, totals=totals),)


def _line(uid: str, item: Mapping[str, Any], setup: ReadSetup) -> Line | None:
    """A line; `unit_price` includes the modifiers, which are not always told."""
    vendor_id, quantity = read_id(item.get("menu_item_id")), read_count(item.get("quantity"))
    each = read_cents(item.get("unit_price"), setup.currency)
    if vendor_id is None or quantity is None or quantity < 1 or each is None:
        return None
    modifiers = _modifiers(item.get("modifiers"), setup)
    note = str(item.get("notes") or "")
    header = find_header(note)
    return Line(
        uid=uid,
        item_id=item_id(setup.link_id, vendor_id),
        name=str(item.get("item_name") or vendor_id),
        quantity=quantity,
        unit_cents=each - sum(modifier.unit_cents for modifier in modifiers),
        gross_cents=times(each, quantity),
        modifiers=modifiers,
        note=header.rest if header else note,
    )


def _modifiers(rows: Any, setup: ReadSetup) -> tuple[Modifier, ...]:
    """A line's modifiers: `{id, name}` in a new order, `{modifier_id, modifier_name}` in one read back."""
    found = []
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, Mapping):
            continue
        vendor_id = read_id(row.get("modifier_id", row.get("id")))
        name = str(row.get("modifier_name") or row.get("name") or vendor_id)
        cents = read_cents(row.get("price_adjustment"), setup.currency) or 0
        own_id = modifier_id(setup.link_id, vendor_id) if vendor_id else ""
        found.append(Modifier(modifier_id=own_id, group_id="", name=name, unit_cents=cents))
    return tuple(found)


def _items(row: Row) -> Sequence[Mapping[str, Any]]:
    items = row.get("items")
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []

"""Reads an order as Desibits tells it: what the page documents, and more where an answer shows more."""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, structs

from connectors.desibits.fields import as_id, cents, decimal, mapping, moment_ms, rows, text, word_key
from connectors.desibits.mark import find_mark, is_option, item_note, order_notes, without_mark
from connectors.desibits.payments import payments_of
from connectors.desibits.settings import CONNECTOR
from connectors.desibits.tickets import kitchen_stage, menu_item_id, state_words, tickets_of
from hub.contract.amounts import share_cents, times
from hub.contract.tables import VendorTables
from hub.errors import VendorMalformed
from hub.model.check import Charge, Check, Discount, Line, Modifier, Totals
from hub.model.order import Customer, PosOrder, VendorRef
from hub.model.payment import Payment
from hub.model.status import OrderType, PaymentStatus, Stage, Status
from hub.model.table import table_key

_TABLES_IN_NOTES = re.compile(r"(?:^|\| )Table ([^|]+?)(?: \||$)")
_TOTAL = ("total", "grand_total", "total_amount")


class ReadSetup(Struct, frozen=True, kw_only=True):
    """What reading an order needs to know of the link; `order_types` are by the restaurant's order type id."""

    currency: str
    tables: VendorTables
    order_types: Mapping[str, OrderType]
    table_names: Mapping[str, str]


def order_id(row: Mapping[str, Any]) -> str:
    """The order's id; empty when there is none."""
    return text(row, "id", "order_id")


def order_status(row: Mapping[str, Any], tables: VendorTables) -> tuple[Status, Stage]:
    """What the order's own status says, without its tickets."""
    known = tables.from_vendor("order_status", text(row, "status")) or {}
    return Status(known.get("status", "unknown")), Stage(known.get("stage", "unknown"))


def is_draft(row: Mapping[str, Any], tables: VendorTables) -> bool:
    """Whether nothing has been done with the order yet."""
    return order_status(row, tables)[1] is Stage.RECEIVED


def is_cancelled(row: Mapping[str, Any], tables: VendorTables) -> bool:
    """Whether the order was cancelled."""
    return order_status(row, tables)[0] is Status.VOID


def shows_kitchen(row: Mapping[str, Any], tables: VendorTables) -> bool:
    """Whether a row tells how far the order is: of one that is beyond a draft the tickets do."""
    stage = order_status(row, tables)[1]
    return stage in (Stage.RECEIVED, Stage.CANCELLED) or tickets_of(row, tables) is not None


def order_from_desibits(row: Mapping[str, Any], setup: ReadSetup) -> PosOrder:
    """An order in our words; what Desibits does not say stays empty, a status nobody knows stays with its raw word.

    `raw_status` holds the order's own word, then those of its tickets and of its delivery: `kot / in_kitchen`.
    Raises `VendorMalformed` when there is no id in it, or an amount that cannot be.
    """
    vendor_id = order_id(row)
    if not vendor_id:
        raise VendorMalformed("an order without an id", connector=CONNECTOR)
    tickets = tickets_of(row, setup.tables) or ()
    delivery = text(row, "delivery_status")
    paid = payments_of(row, setup.tables, setup.currency)
    total_cents = cents(row, setup.currency, *_TOTAL)
    payment_status = _payment_status(row, paid, total_cents, setup.tables)
    status, stage = _progress(row, payment_status, setup.tables)
    check = _check(vendor_id, status, row, paid or (), setup)
    return PosOrder(
        ref=VendorRef(kind="order", id=vendor_id),
        raw_status=" / ".join(word for word in (text(row, "status"), *state_words(tickets), delivery) if word),
        status=status,
        stage=stage,
        payment_status=payment_status,
        mark=find_mark(row),
        order_type=_order_type(row, setup),
        customer=_customer(mapping(row.get("customer"))),
        checks=() if check is None else (check,),
        note=without_mark(order_notes(row)),
        total_cents=total_cents,
        number=text(row, "order_number"),
        tables=_table_names(row, setup),
        created_at_ms=moment_ms(row, "created_at"),
        tickets=tuple(VendorRef(kind="ticket", id=ticket.id) for ticket in tickets if ticket.id),
        summary_only=check is None,
    )


def lines_of(row: Mapping[str, Any], currency: str) -> tuple[Line, ...] | None:
    """The order's lines, None when the row shows none or one that cannot be read.

    `item_id` stays empty: the hub finds its item by `vendor`, the id of Desibits' menu item. An option of ours that
    went as an item of its own is an option again.
    """
    found = rows(row, "items", "order_items")
    if found is None:
        return None
    known: list[Line] = []
    for index, item in enumerate(found):
        line = _line(index, item, currency)
        if line is None:
            return None
        if is_option(item) and known and line.quantity % known[-1].quantity == 0:
            known[-1] = _with_option(known[-1], line)
        else:
            known.append(line)
    return tuple(known)


def _progress(
    row: Mapping[str, Any], payment_status: PaymentStatus | None, tables: VendorTables
) -> tuple[Status, Stage]:
    """Status and stage. `billed` and `paid` are about money: while a ticket is open, the order is."""
    status, stage = order_status(row, tables)
    if status is Status.VOID or stage is Stage.UNKNOWN:
        return status, stage
    cooked = kitchen_stage(tickets_of(row, tables) or ())
    stage = cooked or stage
    delivery = tables.from_vendor("delivery_status", word_key(text(row, "delivery_status"))) or {}
    if delivery:
        stage = Stage(delivery["stage"])
    if payment_status is PaymentStatus.PAID and status is Status.CLOSED:
        done = stage in (Stage.SERVED, Stage.COMPLETED)
        return (Status.CLOSED, Stage.COMPLETED) if done else (Status.OPEN, stage)
    return status, stage


def _payment_status(
    row: Mapping[str, Any], paid: tuple[Payment, ...] | None, total_cents: int | None, tables: VendorTables
) -> PaymentStatus | None:
    """What is paid: by Desibits' own word, else by the order's status, else by its payments."""
    told = tables.from_vendor("payment_status", word_key(text(row, "payment_status")))
    by_status = (tables.from_vendor("order_status", text(row, "status")) or {}).get("payment_status")
    if by_status == PaymentStatus.PAID:
        return PaymentStatus.PAID
    if told is not None:
        return PaymentStatus(told["payment_status"])
    if paid:
        covered = total_cents is not None and sum(payment.cents for payment in paid) >= total_cents
        return PaymentStatus.PAID if covered else PaymentStatus.PARTIAL
    if paid == ():
        return PaymentStatus.UNPAID
    return None if by_status is None else PaymentStatus(by_status)


def _check(
    check_id: str, status: Status, row: Mapping[str, Any], paid: tuple[Payment, ...], setup: ReadSetup
) -> Check | None:
    """The order's bill. What Desibits' total has beyond lines, discount and tax is a charge it does not name."""
    lines = lines_of(row, setup.currency)
    if lines is None:
        return None
    subtotal = sum(line.gross_cents for line in lines)
    discount = _discount(row, subtotal, setup)
    taken_off = discount.cents if discount else 0
    tax = cents(row, setup.currency, "tax_amount", "total_tax_amount", "tax") or 0
    told = cents(row, setup.currency, *_TOTAL)
    total = subtotal - taken_off if told is None else told
    rest = total - (subtotal - taken_off)
    charge = rest - tax if rest >= tax else rest  # a tax inside the prices adds nothing
    if charge < 0:
        taken_off -= charge
        discount = Discount(type="amount", value=str(taken_off), cents=taken_off)
        charge = 0
    totals = Totals(
        subtotal_cents=subtotal,
        discount_cents=taken_off,
        charge_cents=charge,
        tax_cents=tax,
        total_cents=total,
    )
    return Check(
        id=check_id,
        status=status,
        lines=lines,
        discounts=(discount,) if discount else (),
        charges=(Charge(type="other", cents=charge),) if charge else (),
        payments=paid,
        totals=totals,
    )


def _line(index: int, row: Mapping[str, Any], currency: str) -> Line | None:
    vendor_id = menu_item_id(row)
    price = cents(row, currency, "price", "unit_price")
    quantity = decimal(row, "quantity", "qty")
    if not vendor_id or price is None or quantity is None or quantity < 1:
        return None
    name = text(row, "name", "item_name", "menu_item_name") or text(mapping(row.get("menu_item")), "name", "item_name")
    return Line(
        uid=text(row, "id") or str(index),
        item_id="",
        name=name or vendor_id,
        quantity=int(quantity),
        unit_cents=price,
        gross_cents=times(price, quantity),
        note=without_mark(item_note(row)),
        vendor={"id": as_id(vendor_id)},
    )


def _with_option(line: Line, option: Line) -> Line:
    """A line with the option that follows it as an item of its own."""
    chosen = Modifier(
        modifier_id="",
        group_id="",
        name=option.name,
        quantity=option.quantity // line.quantity,
        unit_cents=option.unit_cents,
        vendor=option.vendor,
    )
    return structs.replace(line, gross_cents=line.gross_cents + option.gross_cents, modifiers=(*line.modifiers, chosen))


def _discount(row: Mapping[str, Any], subtotal_cents: int, setup: ReadSetup) -> Discount | None:
    """The discount as Desibits computed it, else by its type and value."""
    word, value = text(row, "discount_type"), decimal(row, "discount_value")
    known = (setup.tables.from_vendor("discount_type", word) or {}).get("discount_type")
    told = cents(row, setup.currency, "discount_amount")
    if known == "percent" and value:
        taken_off = share_cents(subtotal_cents, value) if told is None else told
        return Discount(type="percent", value=f"{value.normalize():f}", cents=taken_off)
    if told is None and known == "amount":
        told = cents(row, setup.currency, "discount_value")
    taken_off = told or 0
    return Discount(type="amount", value=str(taken_off), cents=taken_off) if taken_off else None


def _order_type(row: Mapping[str, Any], setup: ReadSetup) -> OrderType | None:
    """By the restaurant's id, else by the words an answer may hold beside or in place of it."""
    nested = mapping(row.get("order_type"))
    known = setup.order_types.get(text(row, "order_type_id") or text(nested, "id"))
    if known is not None:
        return known
    for word in (text(row, "order_type"), *(text(nested, name) for name in ("type", "slug", "code", "name"))):
        found = setup.tables.from_vendor("order_type", word_key(word))
        if found is not None:
            return OrderType(found["order_type"])
    return None


def _customer(row: Mapping[str, Any]) -> Customer | None:
    name = text(row, "name")
    return Customer(name=name, phone=text(row, "phone", "mobile"), email=text(row, "email")) if name else None


def _table_names(row: Mapping[str, Any], setup: ReadSetup) -> tuple[str, ...]:
    """The table's name; with further tables that stand in the notes, as long as the order is at one of them."""
    nested = mapping(row.get("table"))
    name = text(nested, "name", "table_code", "table_number", "code")
    name = name or text(row, "table_name") or setup.table_names.get(text(row, "table_id") or text(nested, "id"), "")
    told = _TABLES_IN_NOTES.search(order_notes(row))
    all_tables = tuple(told[1].split(", ")) if told else ()
    if table_key(name) in map(table_key, all_tables):
        return all_tables
    return (name,) if name else ()

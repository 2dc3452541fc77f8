"""Orders as lines: one JSON object each, or one row of a spreadsheet each."""

import csv
import json
from collections.abc import Callable, Mapping
from typing import IO, Any

from hub.api.json import encode
from hub.api.views import order_view, timestamp
from hub.model.money import to_decimal
from hub.model.order import Order, OrderRecord
from hub.model.venue import Venue

Write = Callable[[OrderRecord, Venue], None]
_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS: Mapping[str, Callable[[OrderRecord, Venue], object]] = {
    "number": lambda record, _: record.order.number,
    "id": lambda record, _: record.order.id,
    "store": lambda _, venue: venue.slug,
    "status": lambda record, _: record.order.stage,
    "tab_status": lambda record, _: record.order.status,
    "payment_status": lambda record, _: record.order.payment_status,
    "order_type": lambda record, _: record.order.order_type,
    "created_at": lambda record, _: timestamp(record.order.created_at_ms),
    "closed_at": lambda record, _: timestamp(record.order.timing.closed_at_ms),
    "business_date": lambda record, _: record.order.timing.business_date,
    "origin": lambda record, _: record.order.origin.system,
    "external_id": lambda record, _: record.order.origin.order_id,
    "pos_ids": lambda record, _: " ".join(state.ref.id for state in record.injection if state.ref is not None),
    "tables": lambda record, _: ", ".join(record.order.tables),
    "party_size": lambda record, _: record.order.party_size,
    "guest": lambda record, _: record.order.customer.name if record.order.customer else "",
    "phone": lambda record, _: record.order.customer.phone if record.order.customer else "",
    "email": lambda record, _: record.order.customer.email if record.order.customer else "",
    "delivery_address": lambda record, _: record.order.delivery.address if record.order.delivery else "",
    "items": lambda record, _: _items(record.order),
    "currency": lambda record, _: record.order.currency,
    "subtotal": lambda record, _: _amount(record.order, record.order.totals.subtotal_cents),
    "discount": lambda record, _: _amount(record.order, record.order.totals.discount_cents),
    "service_charge": lambda record, _: _amount(record.order, record.order.totals.charge_cents),
    "tax": lambda record, _: _amount(record.order, record.order.totals.tax_cents),
    "tip": lambda record, _: _amount(record.order, record.order.totals.tip_cents),
    "total": lambda record, _: _amount(record.order, record.order.totals.total_cents),
    "pos_total": lambda record, _: _amount(record.order, record.money_audit.pos_cents),
    "difference": lambda record, _: _amount(record.order, record.money_audit.difference_cents),
}


def jsonl(out: IO[str]) -> Write:
    """Writes each order as the API shows it, one line each."""

    def write(record: OrderRecord, venue: Venue) -> None:
        view: Any = json.loads(encode(order_view(record, venue, private=True)))
        out.write(json.dumps(view, ensure_ascii=False, separators=(",", ":")) + "\n")

    return write


def table(out: IO[str]) -> Write:
    """Writes a row of CSV per order, after a row with the names of the columns."""
    rows = csv.writer(out)
    rows.writerow(_COLUMNS)

    def write(record: OrderRecord, venue: Venue) -> None:
        rows.writerow([cell(column(record, venue)) for column in _COLUMNS.values()])

    return write


def cell(value: object) -> str:
    """A cell no spreadsheet takes for a formula: what a guest typed is never calculated."""
    text = "" if value is None else str(value)
    number = text[1:].replace(".", "").replace(" ", "").isdecimal()
    return f"'{text}" if text.startswith(_BEGINS_A_FORMULA) and not number else text


def _items(order: Order) -> str:
    lines = [line for check in order.checks for line in check.lines]
    return "; ".join(f"{line.quantity} x {line.name}" for line in lines)


def _amount(order: Order, cents: int | None) -> object:
    return None if cents is None else to_decimal(cents, order.currency)

"""Reads an order as Clopos tells it, in every shape its documentation shows; v1 and v2 answer alike."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct

from connectors.clopos.catalogue import item_id, modifier_id
from connectors.clopos.translate import CONNECTOR, find_mark
from hub.contract.amounts import read_cents, read_decimal, share_cents, times
from hub.contract.tables import VendorTables
from hub.errors import VendorMalformed
from hub.model.check import Charge, Check, Discount, Line, Modifier, Totals
from hub.model.order import Customer, PosOrder, VendorRef
from hub.model.status import OrderType, Stage, Status


class ReadSetup(Struct, frozen=True, kw_only=True):
    """What reading an order needs to know of the link; `order_types` are by the venue's sale type number."""

    link_id: str
    currency: str
    tables: VendorTables
    order_types: Mapping[int, OrderType]


def find_order_id(row: Any) -> str | None:
    """The order's id: in the object itself, or in its payload as an older page of the documentation has it."""
    for place in (_mapping(row), _mapping(_mapping(row).get("payload"))):
        found = place.get("id")
        if (isinstance(found, int) and not isinstance(found, bool)) or (isinstance(found, str) and found):
            return str(found)
    return None


def find_comment(row: Any) -> str | None:
    """The order's comment, empty when it has none; None when the row does not show the order's content."""
    meta = _mapping(_mapping(row).get("payload")).get("meta")
    if not isinstance(meta, Mapping):
        return None
    return str(meta.get("comment") or "")


def order_from_clopos(row: Any, setup: ReadSetup) -> PosOrder:
    """An order in our words; what Clopos does not say stays empty, a status nobody knows stays with its raw word.

    Raises `VendorMalformed` when there is no id in it, or an amount that cannot be.
    """
    order_id = find_order_id(row)
    if order_id is None:
        raise VendorMalformed("an order without an id", connector=CONNECTOR)
    payload = _mapping(row.get("payload"))
    service, customer, meta = (_mapping(payload.get(name)) for name in ("service", "customer", "meta"))
    comment = find_comment(row) or ""
    mark = find_mark(comment)
    raw_status = str(row.get("status") or "")
    known = setup.tables.from_vendor("order_status", raw_status) or {}
    total_cents = read_cents(meta.get("orderTotal"), setup.currency)
    name, phone = customer.get("name"), customer.get("phone")
    status = Status(known.get("status", "unknown"))
    return PosOrder(
        ref=VendorRef(kind="order", id=order_id),
        raw_status=raw_status,
        status=status,
        stage=Stage(known.get("stage", "unknown")),
        mark=mark,
        order_type=setup.order_types.get(_integer(service.get("sale_type_id"))),
        customer=Customer(name=str(name), phone=str(phone or "")) if name else None,
        checks=_checks(order_id, status, payload, total_cents, setup),
        note=comment.removesuffix(mark).removesuffix(" | ") if mark else comment,
        total_cents=total_cents,
        number=str(row.get("number") or payload.get("order_number") or ""),
        created_at_ms=_moment_ms(row.get("created_at")),
    )


def _checks(
    order_id: str, status: Status, payload: Mapping[str, Any], told_cents: int | None, setup: ReadSetup
) -> tuple[Check, ...]:
    """The order's bill; none when it cannot be added up, because most echoes leave out what modifiers cost."""
    products = payload.get("products")
    if not isinstance(products, list) or not products:
        return ()
    known: list[Line] = []
    for index, row in enumerate(products):
        line = _line(f"{order_id}-{index}", row, setup)
        if line is None:
            return ()
        known.append(line)
    subtotal = sum([line.gross_cents for line in known])
    meta = _mapping(payload.get("meta"))
    discount = _discount(_mapping(meta.get("discount")), subtotal, setup)
    charges = _charges(meta, payload, subtotal - (discount.cents if discount else 0), setup)
    totals = Totals(
        subtotal_cents=subtotal,
        discount_cents=discount.cents if discount else 0,
        charge_cents=sum(charge.cents for charge in charges),
        total_cents=subtotal - (discount.cents if discount else 0) + sum(charge.cents for charge in charges),
    )
    if told_cents is not None and told_cents != totals.total_cents:
        return ()
    discounts = (discount,) if discount else ()
    return (Check(id=order_id, status=status, lines=tuple(known), discounts=discounts, charges=charges, totals=totals),)


def _line(uid: str, row: Any, setup: ReadSetup) -> Line | None:
    product, meta = _mapping(row), _mapping(_mapping(row).get("meta"))
    order_product = _mapping(meta.get("order_product"))
    unit_cents, quantity = read_cents(meta.get("price"), setup.currency), _integer(product.get("count"))
    entries = order_product.get("product_modificators") or product.get("product_modificators") or []
    modifiers = [_modifier(entry, setup) for entry in entries] if isinstance(entries, list) else [None]
    chosen = tuple(modifier for modifier in modifiers if modifier is not None)
    if unit_cents is None or quantity < 1 or len(chosen) < len(modifiers):
        return None
    product_id = str(product.get("product_id"))
    each = unit_cents + sum(times(modifier.unit_cents, modifier.quantity) for modifier in chosen)
    return Line(
        uid=uid,
        item_id=item_id(setup.link_id, product_id),
        name=str(_mapping(order_product.get("product")).get("name") or product_id),
        quantity=quantity,
        unit_cents=unit_cents,
        gross_cents=times(each, quantity),
        modifiers=chosen,
    )


def _modifier(entry: Any, setup: ReadSetup) -> Modifier | None:
    modificator = _mapping(_mapping(entry).get("modificator"))
    unit_cents = read_cents(modificator.get("price"), setup.currency)
    count = _integer(_mapping(entry).get("count"))
    if unit_cents is None or count < 1:
        return None
    vendor_id = str(modificator.get("id"))
    return Modifier(
        modifier_id=modifier_id(setup.link_id, vendor_id),
        group_id="",
        name=str(modificator.get("name") or vendor_id),
        quantity=count,
        unit_cents=unit_cents,
    )


def _discount(row: Mapping[str, Any], subtotal_cents: int, setup: ReadSetup) -> Discount | None:
    told, known = row.get("discount_value"), setup.tables.from_vendor("discount_type", str(row.get("discount_type")))
    kind = (known or {}).get("discount_type")
    if kind == "percent" and (percent := read_decimal(told)):
        return Discount(type="percent", value=str(percent), cents=share_cents(subtotal_cents, percent))
    if kind == "amount" and (cents := read_cents(told, setup.currency)):
        return Discount(type="amount", value=str(cents), cents=cents)
    return None


def _charges(
    meta: Mapping[str, Any], payload: Mapping[str, Any], base_cents: int, setup: ReadSetup
) -> tuple[Charge, ...]:
    percent = read_decimal(meta.get("service_charge_value")) or Decimal(0)
    fee = read_cents(payload.get("delivery_fee"), setup.currency) or 0
    charges = []
    if percent and meta.get("apply_service_charge") is True:
        charges.append(Charge(type="service", cents=share_cents(base_cents, percent), percent=str(percent)))
    if fee:
        charges.append(Charge(type="delivery", cents=fee))
    return tuple(charges)


def _moment_ms(value: Any) -> int | None:
    """A time with its offset in milliseconds since 1970; one without may be any zone's, and counts as not told."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return None if moment.tzinfo is None else int(moment.timestamp() * 1000)


def _mapping(value: Any) -> Mapping[str, Any]:
    # Clopos writes an empty object as an empty list, as PHP does.
    return value if isinstance(value, dict) else {}


def _integer(value: Any) -> int:
    number = read_decimal(value)
    return 0 if number is None else int(number)

"""Checks an order in the flat v2 schema and turns it into the nested payload that v2 shows on reads."""

from typing import Any

from connectors.clopos.sandbox.answers import field_refused
from connectors.clopos.sandbox.fields import Fields
from connectors.clopos.sandbox.order_check import (
    AUTO_FLAGS,
    DISCOUNT_TYPES,
    CheckedOrder,
    Chosen,
    Shop,
    check_auto_flags,
    check_discount,
)
from connectors.clopos.sandbox.totals import SoldLine, Terms, add_up

ORDER = ("sale_type_id", "venue_id", "customer", "products")
ORDER_OPTIONS = (*AUTO_FLAGS, "order_number", "delivery_fee", "comment", "discount", "service_charge")
LINE = ("product_id", "product_name", "count", "price", "status", "product_hash")
LINE_OPTIONS = ("portion_size", "note", "modifiers")
LONGEST_ORDER_NUMBER = 20


def check_order(body: Any, shop: Shop) -> CheckedOrder:
    """The order as it will be stored; raises `Refused` (400) naming the field."""
    root = Fields(body, "", required=ORDER, optional=ORDER_OPTIONS)
    shop.check_sale_type(root, "sale_type_id")
    shop.check_venue(root, "venue_id")
    customer = _check_customer(root.raw("customer"), shop)
    checked = [_check_line(line, path, shop) for path, line in root.elements("products", filled=True)]
    kind, value = check_discount(root.raw("discount") if root.has("discount") else {}, "discount")
    enabled, percent = _check_service_charge(root)
    fee = root.number("delivery_fee", default=0)
    terms = Terms(kind, value, percent if enabled else Terms().service_charge_percent, fee)
    order_number = root.optional_text("order_number")
    if order_number is not None and len(order_number) > LONGEST_ORDER_NUMBER:
        raise field_refused("order_number", f"must not be longer than {LONGEST_ORDER_NUMBER} characters")
    accept_at_once = check_auto_flags(root)
    payload = {
        "auto_order_accept": accept_at_once,
        "auto_order_sent_to_station": root.boolean("auto_order_sent_to_station", default=False),
        "delivery_fee": fee,
        "service": {"sale_type_id": root.raw("sale_type_id"), "venue_id": root.raw("venue_id")},
        "customer": customer.raw_values(),
        "products": [stored for stored, _ in checked],
        "meta": {
            "comment": root.optional_text("comment") or None,
            "discount": {"discount_type": kind, "discount_value": value},
            "apply_service_charge": enabled,
            "customer_discount_type": customer.raw("customer_discount_type") or 0,
            "service_charge_value": percent,
        },
        "customer_id": customer.raw("id"),
        "sale_type_id": root.raw("sale_type_id"),
    }
    return CheckedOrder(payload, add_up([line for _, line in checked], terms), accept_at_once, order_number)


def _check_customer(value: Any, shop: Shop) -> Fields:
    fields = Fields(
        value, "customer", required=("id", "phone", "address", "name"), optional=("customer_discount_type",)
    )
    shop.check_customer(fields, "id")
    fields.text("name")
    fields.choice("customer_discount_type", DISCOUNT_TYPES, default=0)
    if fields.has("phone"):
        fields.text("phone", empty=True)
    fields.optional_text("address")
    return fields


def _check_service_charge(root: Fields) -> tuple[bool, Any]:
    value = root.raw("service_charge") if root.has("service_charge") else {}
    fields = Fields(value, "service_charge", required=(), optional=("enabled", "value"))
    return fields.boolean("enabled", default=False), fields.number("value", default=0)


def _check_line(value: Any, path: str, shop: Shop) -> tuple[dict[str, Any], SoldLine]:
    fields = Fields(value, path, required=LINE, optional=LINE_OPTIONS)
    fields.text("product_name")
    fields.number("price")
    fields.text("status")
    fields.text("product_hash")
    note = fields.optional_text("note")
    count = fields.integer("count", least=1)
    portion_size = fields.number("portion_size", default=1)
    chosen = [_check_modifier(one, where) for where, one in fields.elements("modifiers", default=True)]
    product, line = shop.check_line(fields, count, chosen, portion_size)
    modificators = [{"modificator_id": one.modifier_id, "count": one.count} for one in chosen]
    stored = {
        "product_id": product["id"],
        "count": count,
        "product_modificators": modificators,
        "portion_size": portion_size,
        **({"note": note} if note else {}),
        "meta": {
            "price": fields.raw("price"),
            "order_product": {
                "count": count,
                "status": fields.raw("status"),
                "product_modificators": modificators,
                "product_hash": fields.raw("product_hash"),
                "product": {"id": product["id"], "name": fields.raw("product_name"), "price": fields.raw("price")},
            },
        },
    }
    return stored, line


def _check_modifier(value: Any, path: str) -> Chosen:
    fields = Fields(value, path, required=("modifier_id", "modifier_name", "count"), optional=("price", "portion_size"))
    fields.text("modifier_name")
    fields.number("price", default=0)
    count = fields.integer("count", least=1)
    return Chosen(fields.integer("modifier_id"), count, path, fields.number("portion_size", default=1))

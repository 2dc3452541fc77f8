"""Checks an order in the nested v1 schema of the brief, field by field."""

from typing import Any

from connectors.clopos.sandbox.answers import field_refused
from connectors.clopos.sandbox.catalogue import RELATIONS
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

SERVICE = ("sale_type_id", "sale_type_name", "venue_id", "venue_name")
META = ("discount", "orderTotal", "apply_service_charge", "customer_discount_type", "service_charge_value")
ORDER_PRODUCT = ("product", "count", "status", "product_modificators", "product_hash")


def check_order(body: Any, shop: Shop) -> CheckedOrder:
    """The order as it will be stored; raises `Refused` (400) naming the field."""
    root = Fields(body, "", required=("customer_id", "payload"))
    customer_id = shop.check_customer(root, "customer_id")
    payload = Fields(
        root.raw("payload"), "payload", required=("service", "customer", "products", "meta"), optional=AUTO_FLAGS
    )
    service = Fields(payload.raw("service"), "payload.service", required=SERVICE)
    shop.check_sale_type(service, "sale_type_id")
    service.text("sale_type_name")
    shop.check_venue(service, "venue_id")
    service.text("venue_name")
    customer = _check_customer(payload.raw("customer"), customer_id)
    lines = [_check_line(line, path, shop) for path, line in payload.elements("products", filled=True)]
    meta = Fields(payload.raw("meta"), "payload.meta", required=META, optional=("comment",))
    totals = add_up(lines, _check_meta(meta, customer))
    stored = _stored(payload, customer, meta, totals.order_total)
    return CheckedOrder(stored, totals, check_auto_flags(payload))


def _check_customer(value: Any, customer_id: int) -> Fields:
    fields = Fields(
        value,
        "payload.customer",
        required=("id", "name", "customer_discount_type"),
        optional=("phone", "address"),
    )
    if fields.integer("id") != customer_id:
        raise field_refused(fields.at("id"), "must equal customer_id")
    fields.text("name")
    fields.choice("customer_discount_type", DISCOUNT_TYPES)
    if fields.has("phone"):
        fields.text("phone")
    fields.optional_text("address")
    return fields


def _check_line(value: Any, path: str, shop: Shop) -> SoldLine:
    fields = Fields(value, path, required=("product_id", "count", "product_modificators", "meta"))
    count = fields.integer("count", least=1)
    chosen = [_check_modificator(one, where) for where, one in fields.elements("product_modificators")]
    product, line = shop.check_line(fields, count, chosen)
    meta = Fields(fields.raw("meta"), fields.at("meta"), required=("price", "order_product"))
    meta.number("price")
    _check_order_product(meta, product, count, chosen)
    return line


def _check_modificator(value: Any, path: str) -> Chosen:
    fields = Fields(value, path, required=("modificator_id", "count"))
    return Chosen(fields.integer("modificator_id"), fields.integer("count", least=1), path)


def _check_order_product(meta: Fields, product: dict[str, Any], count: int, chosen: list[Chosen]) -> None:
    """The copy of the catalogue's data must tell the same as the line itself."""
    fields = Fields(meta.raw("order_product"), meta.at("order_product"), required=ORDER_PRODUCT)
    # Whatever the catalogue returns for a product may come back; the examples agree on id and name alone.
    copy = Fields(fields.raw("product"), fields.at("product"), required=("id", "name"), optional=(*product, *RELATIONS))
    if copy.integer("id") != product["id"]:
        raise field_refused(copy.at("id"), "must equal product_id")
    copy.text("name")
    if fields.integer("count") != count:
        raise field_refused(fields.at("count"), "must equal the count of the line")
    fields.matching("status", "completed", '"completed"')
    fields.text("product_hash")
    copied = [_check_copied(one, path) for path, one in fields.elements("product_modificators")]
    if copied != [(one.modifier_id, one.count) for one in chosen]:
        raise field_refused(fields.at("product_modificators"), "must list the modifiers of the line")


def _check_copied(value: Any, path: str) -> tuple[int, int]:
    # The brief shows both forms: with the modifier's data, and with its id alone.
    if isinstance(value, dict) and "modificator" in value:
        fields = Fields(value, path, required=("modificator", "count"))
        inner = Fields(value["modificator"], fields.at("modificator"), required=("id", "name", "price"))
        inner.text("name")
        inner.number("price")
        return inner.integer("id"), fields.integer("count", least=1)
    modificator = _check_modificator(value, path)
    return modificator.modifier_id, modificator.count


def _check_meta(meta: Fields, customer: Fields) -> Terms:
    kind, value = check_discount(meta.raw("discount"), meta.at("discount"))
    meta.matching("orderTotal", r"[0-9]+\.[0-9]{4}", "a string with four decimals")
    meta.optional_text("comment")
    if meta.choice("customer_discount_type", DISCOUNT_TYPES) != customer.raw("customer_discount_type"):
        raise field_refused(meta.at("customer_discount_type"), "must equal the type of the customer")
    percent = meta.number("service_charge_value")
    applies = meta.boolean("apply_service_charge")
    return Terms(kind, value, percent if applies else Terms().service_charge_percent)


def _stored(payload: Fields, customer: Fields, meta: Fields, order_total: str) -> dict[str, Any]:
    """The payload as Clopos keeps it: no phone or address, an empty comment as null, its own total."""
    flags = {name: payload.raw(name) for name in AUTO_FLAGS if payload.has(name)}
    return {
        **flags,
        "service": payload.raw("service"),
        "customer": {name: customer.raw(name) for name in ("id", "customer_discount_type", "name")},
        "products": payload.raw("products"),
        "meta": {**meta.raw_values(), "comment": meta.raw("comment") or None, "orderTotal": order_total},
    }

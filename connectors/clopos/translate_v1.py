"""Orders in the first generation of Clopos' API: the nested body of `POST /orders`.

Source: https://developer.clopos.com/api-reference/orders/create-order, read 2026-11-21.
"""

from typing import Any

from connectors.clopos.read_order import order_from_clopos
from connectors.clopos.translate import (
    GUEST,
    OrderSetup,
    Translated,
    as_number,
    line_modifiers,
    line_product,
    money_extras,
    number,
    order_comment,
    order_discount,
    order_lines,
    order_total,
    phone_to_clopos,
    product_hash,
    split_charges,
)
from connectors.clopos.wire import ModificatorV1, OrderProductV1, OrderV1, PricedModificatorV1, ProductV1
from hub.contract.writes import OrderWrite
from hub.model.check import Charge, Line, Modifier
from hub.model.money import exponent
from hub.model.order import Loss

__all__ = ["order_from_clopos", "order_to_clopos"]


def order_to_clopos(request: OrderWrite, setup: OrderSetup) -> Translated[OrderV1]:
    """The body of `POST /orders`, and what it could not hold.

    Raises `UnmappedValue` for an item or modifier that is not from Clopos' menu.
    """
    order = request.order
    customer = order.customer
    scale = exponent(order.currency)
    losses: list[Loss] = []
    lines = order_lines(order, losses)
    charges = split_charges(order, setup, losses)
    without_field = list(charges.others)
    if charges.delivery_cents:
        without_field.append(Charge(type="delivery", cents=charges.delivery_cents))
    extras = [(f"{path}.note", f"{line.quantity}× {line.name}: {line.note}") for path, line in lines if line.note]
    extras += money_extras(order, without_field)
    body: OrderV1 = {
        "customer_id": setup.customer_id,
        "payload": {
            "service": {
                "sale_type_id": setup.sale_type.id,
                "sale_type_name": setup.sale_type.name,
                "venue_id": setup.venue_id,
                "venue_name": setup.venue_name,
            },
            "customer": {
                "id": setup.customer_id,
                "name": customer.name if customer else GUEST,
                "customer_discount_type": setup.customer_discount_type,
                "phone": (phone_to_clopos(customer.phone) or None) if customer else None,
                "address": order.delivery.address if order.delivery else None,
            },
            "products": [_product(line, path, scale, setup.full_products, losses) for path, line in lines],
            "meta": {
                "comment": order_comment(request, extras, losses),
                "discount": order_discount(order, setup.tables, losses),
                "orderTotal": order_total(order),
                "apply_service_charge": setup.apply_service_charge,
                "customer_discount_type": setup.customer_discount_type,
                "service_charge_value": charges.service_percent,
            },
        },
    }
    return Translated(body, tuple(losses))


def _product(line: Line, path: str, scale: int, full: bool, losses: list[Loss]) -> ProductV1:
    product = line_product(line, path)
    product_id: int = product["id"]
    modifiers = line_modifiers(line, path, losses)
    modificators: list[ModificatorV1] = [{"modificator_id": one, "count": count} for one, count, _ in modifiers]
    order_product: OrderProductV1 = {
        "product": _with_price(product),
        "count": line.quantity,
        # The documentation sends "completed" in v1 and "new" in v2 and explains neither.
        "status": "completed",
        "product_modificators": _priced(modifiers, scale) if full else modificators,
        "product_hash": product_hash(product_id, tuple([(one, count) for one, count, _ in modifiers])),
    }
    return {
        "product_id": product_id,
        "count": line.quantity,
        "product_modificators": modificators,
        "meta": {"price": number(line.unit_cents, scale), "order_product": order_product},
    }


def _with_price(product: Any) -> dict[str, Any]:
    if "price" not in product or type(product["price"]) is int:
        same: dict[str, Any] = product
        return same
    return {**product, "price": as_number(product["price"])}


def _priced(modifiers: list[tuple[int, int, Modifier]], scale: int) -> list[PricedModificatorV1]:
    return [
        {
            "modificator": {
                "id": modifier_id,
                "name": modifier.vendor.get("name", modifier.name),
                "price": number(modifier.unit_cents, scale),
            },
            "count": count,
        }
        for modifier_id, count, modifier in modifiers
    ]

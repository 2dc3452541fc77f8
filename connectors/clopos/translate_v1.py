"""Orders in the first generation of Clopos' API: the nested body of `POST /orders`.

Source: https://developer.clopos.com/api-reference/orders/create-order, read 2026-11-21.
"""

from typing import Any

from connectors.clopos.lines import (
    FlatModifiers,
    LineContent,
    line_json,
    line_path,
    product_hash,
    remembered,
    sent_checks,
)
from connectors.clopos.read_order import order_from_clopos
from connectors.clopos.translate import (
    GUEST,
    OrderSetup,
    Translated,
    as_number,
    money_extras,
    number,
    order_comment,
    order_discount,
    order_total,
    phone_to_clopos,
    split_charges,
)
from connectors.clopos.wire import ModificatorV1, OrderProductV1, OrderV1, PricedModificatorV1, ProductV1
from hub.contract.writes import OrderWrite
from hub.model.check import Charge
from hub.model.money import exponent
from hub.model.order import Loss

__all__ = ["order_from_clopos", "order_to_clopos"]


def order_to_clopos(request: OrderWrite, setup: OrderSetup) -> Translated[OrderV1]:
    """The body of `POST /orders`, and what it could not hold.

    Raises `UnmappedValue` for an item or modifier that is not from Clopos' menu.
    """
    order = request.order
    customer, totals = order.customer, order.totals
    scale = exponent(order.currency)
    losses: list[Loss] = []
    checks = sent_checks(order, losses)
    charges = split_charges(order, setup, losses)
    without_field = list(charges.others)
    if charges.delivery_cents:
        without_field.append(Charge(type="delivery", cents=charges.delivery_cents))
    extras = [
        (f"{line_path(at, index)}.note", f"{line.quantity}× {line.name}: {line.note}")
        for at, check in checks
        for index, line in enumerate(check.lines)
        if line.note
    ]
    extras += money_extras(totals, without_field, order.currency)
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
            "products": line_json(checks, _product, losses, scale=scale, full=setup.full_products),
            "meta": {
                "comment": order_comment(request, extras, losses),
                "discount": order_discount(order, totals.discount_cents, setup.tables, losses),
                "orderTotal": order_total(totals.total_cents, scale),
                "apply_service_charge": setup.apply_service_charge,
                "customer_discount_type": setup.customer_discount_type,
                "service_charge_value": charges.service_percent,
            },
        },
    }
    return Translated(body, tuple(losses))


@remembered
def _product(line: LineContent, catalogued: dict[str, Any], modifiers: FlatModifiers) -> ProductV1:
    product_id: int = catalogued["id"]
    modificators: list[ModificatorV1] = [{"modificator_id": one, "count": count} for one, count, _ in modifiers.chosen]
    order_product: OrderProductV1 = {
        "product": _with_price(catalogued),
        "count": line.quantity,
        # The documentation sends "completed" in v1 and "new" in v2 and explains neither.
        "status": "completed",
        "product_modificators": _priced(modifiers, line.scale) if line.full else modificators,
        "product_hash": product_hash(product_id, modifiers.counts),
    }
    return {
        "product_id": product_id,
        "count": line.quantity,
        "product_modificators": modificators,
        "meta": {"price": number(line.unit_cents, line.scale), "order_product": order_product},
    }


def _with_price(product: dict[str, Any]) -> dict[str, Any]:
    if "price" not in product or type(product["price"]) is int:
        return product
    return {**product, "price": as_number(product["price"])}


def _priced(modifiers: FlatModifiers, scale: int) -> list[PricedModificatorV1]:
    return [
        {
            "modificator": {
                "id": modifier_id,
                "name": modifier.vendor.get("name", modifier.name),
                "price": number(modifier.unit_cents, scale),
            },
            "count": count,
        }
        for modifier_id, count, modifier in modifiers.chosen
    ]

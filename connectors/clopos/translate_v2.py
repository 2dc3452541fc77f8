"""Orders in the second generation of Clopos' API: the flat body of `POST /v2/orders`.

Source: https://developer.clopos.com/api-reference/v2/orders/create-order, read 2026-11-21. Orders read back have
the nested shape of v1.
"""

from typing import Any

from connectors.clopos.lines import FlatModifiers, LineContent, line_json, product_hash, remembered, sent_checks
from connectors.clopos.read_order import order_from_clopos
from connectors.clopos.translate import (
    GUEST,
    OrderSetup,
    Translated,
    money_extras,
    number,
    order_comment,
    order_discount,
    phone_to_clopos,
    split_charges,
)
from connectors.clopos.wire import ModifierV2, OrderV2, ProductV2
from hub.contract.writes import OrderWrite
from hub.model.money import exponent
from hub.model.order import Loss

__all__ = ["order_from_clopos", "order_to_clopos"]

_LONGEST_ORDER_NUMBER = 20  # Clopos: `order_number` has at most 20 characters.


def order_to_clopos(request: OrderWrite, setup: OrderSetup) -> Translated[OrderV2]:
    """The body of `POST /v2/orders`, and what it could not hold.

    Raises `UnmappedValue` for an item or modifier that is not from Clopos' menu.
    """
    order = request.order
    customer, totals = order.customer, order.totals
    scale = exponent(order.currency)
    losses: list[Loss] = []
    checks = sent_checks(order, losses)
    charges = split_charges(order, setup, losses)
    body: OrderV2 = {
        "sale_type_id": setup.sale_type.id,
        "venue_id": setup.venue_id,
        # The page gives phone and address as required strings, so what is missing is empty, not null.
        "customer": {
            "id": setup.customer_id,
            "phone": (phone_to_clopos(customer.phone) if customer else "") or setup.default_phone,
            "address": order.delivery.address if order.delivery else "",
            "customer_discount_type": setup.customer_discount_type,
            "name": customer.name if customer else GUEST,
        },
        "comment": order_comment(request, money_extras(totals, charges.others, order.currency), losses),
        "discount": order_discount(order, totals.discount_cents, setup.tables, losses),
        "service_charge": {"enabled": setup.apply_service_charge, "value": charges.service_percent},
        "products": line_json(checks, _product, losses, scale=scale, with_notes=True),
    }
    if charges.delivery_cents:
        body["delivery_fee"] = number(charges.delivery_cents, scale)
    if 0 < len(order.number) <= _LONGEST_ORDER_NUMBER:
        body["order_number"] = order.number
    return Translated(body, tuple(losses))


@remembered
def _product(line: LineContent, catalogued: dict[str, Any], flat: FlatModifiers) -> ProductV2:
    product_id: int = catalogued["id"]
    modifiers: list[ModifierV2] = [
        {
            "modifier_id": modifier_id,
            "modifier_name": modifier.vendor.get("name", modifier.name),
            "count": count,
            "price": number(modifier.unit_cents, line.scale),
        }
        for modifier_id, count, modifier in flat.chosen
    ]
    return {
        "product_id": product_id,
        "product_name": catalogued["name"],
        "count": line.quantity,
        "price": number(line.unit_cents, line.scale),
        "status": "new",
        "product_hash": product_hash(product_id, flat.counts),
        "modifiers": modifiers,
    }

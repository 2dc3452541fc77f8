"""The orders every contender receives: three sizes, and the typed structs the bare servers decode them into."""

import json
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

UNIQUE = "@unique-per-request@"
"""Where this stands in a request, the load generator writes a new text of the same length each time."""

ShortText = Annotated[str, Meta(min_length=1, max_length=200)]
Count = Annotated[int, Meta(ge=1, le=999)]


class Modifier(Struct, rename="camel"):
    """A choice on an item."""

    modifier_id: ShortText
    quantity: Count = 1


class Item(Struct, rename="camel"):
    """One line of an order."""

    item_id: ShortText
    quantity: Count
    modifiers: Annotated[list[Modifier], Meta(max_length=20)] = []
    notes: Annotated[str, Meta(max_length=500)] | None = None


class Customer(Struct, rename="camel"):
    """Who ordered."""

    name: ShortText
    phone: Annotated[str, Meta(pattern=r"^[0-9+() -]{4,20}$")]


class Order(Struct, rename="camel"):
    """The body of `POST /orders`."""

    store_slug: ShortText
    items: Annotated[list[Item], Meta(min_length=1, max_length=200)]
    order_type: Annotated[str, Meta(pattern="^(pickup|delivery|dine_in)$")]
    customer: Customer


def order_body(items: int, modifiers: int) -> bytes:
    """Return an order with this many items, the modifiers spread over the first items."""
    lines: list[dict[str, Any]] = []
    for number in range(1, items + 1):
        line: dict[str, Any] = {"itemId": f"item_{number}", "quantity": 1 + number % 2}
        if number <= modifiers:
            line["modifiers"] = [{"modifierId": f"mod_{number}", "quantity": 1}]
        lines.append(line)
    lines[0]["notes"] = "No onions please, and cut it in two"
    order = {
        "storeSlug": "demo-restaurant",
        "items": lines,
        "orderType": "pickup",
        "customer": {"name": "Alice Example", "phone": "+994 50 555 12 34"},
    }
    return json.dumps(order, separators=(",", ":")).encode()


def three_items() -> bytes:
    """The usual order: three items, two modifiers, about 350 bytes."""
    return order_body(items=3, modifiers=2)


def ten_items() -> bytes:
    """The big order: ten items, ten modifiers, about 1 kB."""
    return order_body(items=10, modifiers=10)


def order_to_vendor(order: Order, order_id: str) -> dict[str, Any]:
    """Return the order in the shape of a Clopos v1 order, the work a hub cannot avoid before it sends."""
    products = []
    for position, item in enumerate(order.items, start=1):
        product: dict[str, Any] = {"id": position, "name": item.item_id, "category_id": 1, "station_id": 1, "price": 0}
        chosen = [
            {"modificator_id": 100 + number, "count": modifier.quantity}
            for number, modifier in enumerate(item.modifiers)
        ]
        products.append(
            {
                "product_id": position,
                "count": item.quantity,
                "product_modificators": chosen,
                "meta": {
                    "price": 0,
                    "order_product": {
                        "product": product,
                        "count": item.quantity,
                        "status": "completed",
                        "product_modificators": chosen,
                        "product_hash": f"{position}:{len(chosen)}",
                    },
                },
            }
        )
    return {
        "customer_id": 9,
        "payload": {
            "service": {"sale_type_id": 2, "sale_type_name": "Takeaway", "venue_id": 1, "venue_name": "Main"},
            "customer": {"id": 9, "name": order.customer.name, "phone": order.customer.phone, "address": None},
            "products": products,
            "meta": {"comment": order_id, "orderTotal": "16.2000", "apply_service_charge": True},
        },
    }


def bare_translation() -> Callable[[], object]:
    """Return a function that decodes, checks, translates and encodes the ten-item order without a hub around it."""
    body, decoder, encoder = ten_items(), msgspec.json.Decoder(Order), msgspec.json.Encoder()

    def translate() -> bytes:
        return encoder.encode(order_to_vendor(decoder.decode(body), "order_1"))

    return translate

"""Order bodies to send to the Clopos sandbox: both v1 examples of the brief, and the same order in v2."""

from copy import deepcopy
from typing import Any

NAME = "Mega Dürüm Menü Alana Çiğ Köfte Dürüm"
CDN = "https://cdn.clopos.com/omega/f78e74e9-75da-468f-b7cf-96bed863832f"

_FULL: dict[str, Any] = {
    "customer_id": 9,
    "payload": {
        "service": {"sale_type_id": 2, "sale_type_name": "Delivery", "venue_id": 1, "venue_name": "Main"},
        "customer": {
            "id": 9,
            "name": "Rahid Akhundzada",
            "customer_discount_type": 1,
            "phone": "+994705401040",
            "address": None,
        },
        "products": [
            {
                "product_id": 1,
                "count": 1,
                "product_modificators": [
                    {"modificator_id": 187, "count": 1},
                    {"modificator_id": 201, "count": 1},
                ],
                "meta": {
                    "price": 0,
                    "order_product": {
                        "product": {"id": 1, "name": NAME, "category_id": 1, "station_id": 1, "price": 0},
                        "count": 1,
                        "status": "completed",
                        "product_modificators": [
                            {"modificator_id": 187, "count": 1},
                            {"modificator_id": 201, "count": 1},
                        ],
                        "product_hash": "MTExODcsMTEyMDE=",
                    },
                },
            }
        ],
        "meta": {
            "comment": "",
            "discount": {"discount_type": 1, "discount_value": 10},
            "orderTotal": "16.2000",
            "apply_service_charge": True,
            "customer_discount_type": 1,
            "service_charge_value": 0,
        },
    },
}


def full_example() -> dict[str, Any]:
    """The brief's "Full payload example"."""
    return deepcopy(_FULL)


def request_example() -> dict[str, Any]:
    """The brief's "Request Example": the copy of the catalogue carries more."""
    body = full_example()
    copy = body["payload"]["products"][0]["meta"]["order_product"]
    copy["product"] = {
        "id": 1,
        "type": "DISH",
        "name": NAME,
        "category_id": 1,
        "station_id": 1,
        "image": {"original": f"{CDN}/original.jpg", "thumb": f"{CDN}/thumb.jpg"},
        "meta": {"modifier_pos": {"5": 0, "8": 1, "9": 2, "32": 3}},
    }
    copy["product_modificators"] = [
        {"modificator": {"id": 187, "name": "yyy", "price": 3}, "count": 1},
        {"modificator": {"id": 201, "name": "S-bb", "price": 15}, "count": 1},
    ]
    return body


def line_v1(product_id: int, count: int, *modifiers: tuple[int, int]) -> dict[str, Any]:
    """A v1 line with modifiers as pairs of id and count."""
    chosen = [{"modificator_id": number, "count": times} for number, times in modifiers]
    copy = {
        "product": {"id": product_id, "name": "a product"},
        "count": count,
        "status": "completed",
        "product_modificators": chosen,
        "product_hash": str(product_id),
    }
    return {
        "product_id": product_id,
        "count": count,
        "product_modificators": chosen,
        "meta": {"price": 0, "order_product": copy},
    }


def order_v1(*lines: dict[str, Any], discount: tuple[int, Any] = (0, 0), service: Any = 0) -> dict[str, Any]:
    """A v1 order with these lines."""
    body = full_example()
    body["payload"]["products"] = list(lines)
    meta = body["payload"]["meta"]
    meta["discount"] = {"discount_type": discount[0], "discount_value": discount[1]}
    meta["service_charge_value"] = service
    return body


def order_v2() -> dict[str, Any]:
    """The brief's order in the flat schema of v2, with a delivery fee and a service charge."""
    return {
        "sale_type_id": 2,
        "venue_id": 1,
        "delivery_fee": 2.5,
        "order_number": "A-1024",
        "comment": "Leave at the door",
        "customer": {
            "id": 9,
            "name": "Rahid Akhundzada",
            "phone": "+994705401040",
            "address": "123 Main St",
            "customer_discount_type": 1,
        },
        "discount": {"discount_type": 1, "discount_value": 10},
        "service_charge": {"enabled": True, "value": 5},
        "products": [
            {
                "product_id": 1,
                "product_name": NAME,
                "count": 1,
                "price": 0,
                "status": "new",
                "product_hash": "abc123",
                "note": "No onions",
                "modifiers": [
                    {"modifier_id": 187, "modifier_name": "yyy", "count": 1, "price": 3},
                    {"modifier_id": 201, "modifier_name": "S-bb", "count": 1, "price": 15},
                ],
            }
        ],
    }

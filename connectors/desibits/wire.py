"""The JSON of Desibits' POS API as its one page shows it (www.api.desibits.com/endpoints/pos, read 2026-11-21).

Only what the hub sends is complete. What the page does not show, and the hub had to assume, says so. Fractions are
`Decimal` on both ways.
"""

from decimal import Decimal
from typing import Any, NotRequired, TypedDict

Number = int | Decimal
Row = dict[str, Any]
"""One object of an answer, as it came: nothing in it may be taken for granted."""


class OrderItem(TypedDict):
    """One line of an order; `price` is for one unit, `id` (assumed) that of a line Desibits has already."""

    id: NotRequired[int | str]
    menu_item_id: int | str
    quantity: Number
    price: Number
    note: NotRequired[str]


class NewOrder(TypedDict):
    """Body of `POST /orders`. `notes` is assumed: the page names notes only for `PUT /orders/{id}`."""

    order_type_id: int | str
    table_id: NotRequired[int | str]
    customer_id: NotRequired[int | str]
    items: list[OrderItem]
    discount_type: NotRequired[str]
    discount_value: NotRequired[Number]
    notes: str


class OrderUpdate(TypedDict, total=False):
    """Body of `PUT /orders/{id}` (assumed): "Update order items, customer, or notes"."""

    items: list[OrderItem]
    notes: str


class NewPayment(TypedDict):
    """Body of `POST /orders/{id}/payment`; the tip stands beside the amount."""

    payment_method: str
    amount: Number
    transaction_id: str
    tip_amount: NotRequired[Number]


class SplitPayment(TypedDict):
    """Body of `POST /orders/{id}/split-payment` (assumed): the parts, each like a single payment."""

    payments: list[NewPayment]


class DiscountBody(TypedDict):
    """Body of `POST /orders/{id}/discount` (assumed): the fields an order has at creation, and the coupon."""

    discount_type: str
    discount_value: Number
    coupon_code: NotRequired[str]


class CouponCheck(TypedDict):
    """Body of `POST /coupons/validate` (assumed)."""

    code: str
    order_total: Number


class NewCustomer(TypedDict):
    """Body of `POST /customers` (assumed)."""

    name: str
    phone: NotRequired[str]
    email: NotRequired[str]

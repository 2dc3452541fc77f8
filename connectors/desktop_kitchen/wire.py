"""The JSON of Desktop Kitchen's API as its server is known to speak it.

Only what the hub sends is complete; of what it reads, the fields it uses. What is read mixes numbers and texts: an id
is `1` in an order and `"1"` in a status answer, a price is `45` when an order is created and `"45.00"` when it is read.
"""

from decimal import Decimal
from typing import Any, NotRequired, TypedDict

Number = int | Decimal
Row = dict[str, Any]
"""One object as it came: nothing in it may be taken for granted."""


class NewItem(TypedDict):
    """One line of a new order. There is no price: it comes from the restaurant's own menu."""

    menu_item_id: int
    quantity: int
    modifiers: NotRequired[list[int]]
    notes: NotRequired[str]


class NewOrder(TypedDict):
    """Body of `POST /orders`. `offline_temp_id` is honoured by one call after the other, not by several at once."""

    employee_id: int
    items: list[NewItem]
    offline_temp_id: str


class PaidBy(TypedDict):
    """Body of `PATCH /orders/:id/payment`; the reference is read and not kept."""

    payment_method: str
    reference: NotRequired[str]


class CashPayment(TypedDict):
    """Body of `POST /payments/cash`."""

    order_id: int
    tip: Number
    amount_received: Number


class SplitPart(TypedDict):
    """One part of a split bill."""

    payment_method: str
    amount: Number
    tip: Number


class SplitPayment(TypedDict):
    """Body of `POST /payments/split`; its sums are not checked."""

    order_id: int
    split_type: str
    splits: list[SplitPart]


class NewRefund(TypedDict):
    """Body of `POST /payments/refund`; without an amount everything is given back."""

    order_id: int
    amount: NotRequired[Number]
    reason: NotRequired[str]


class MenuItem(TypedDict):
    """Body of `POST /menu/items` and `PUT /menu/items/:id`."""

    category_id: int
    name: str
    price: Number
    description: NotRequired[str]
    image_url: NotRequired[str]


class NewStockItem(TypedDict):
    """Body of `POST /inventory`."""

    name: str
    quantity: Number
    unit: NotRequired[str]
    low_stock_threshold: NotRequired[Number]
    category: NotRequired[str]

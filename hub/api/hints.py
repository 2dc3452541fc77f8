"""What a language model should do after an error, by its code."""

from collections.abc import Mapping

from hub.errors import HubError, TooManyRequests, Unavailable

_READ_MENU = "Call get_menu (inStock: true) for this store and use ids from it."
_STEPS: Mapping[str, str] = {
    "ITEM_UNKNOWN": _READ_MENU,
    "ITEM_SOLD_OUT": "Offer the guest something else: get_menu with inStock: true shows what there is.",
    "MODIFIER_UNKNOWN": _READ_MENU,
    "MODIFIER_SOLD_OUT": _READ_MENU,
    "MODIFIER_REQUIRED": "Ask the guest, then choose an option of this group from get_menu.",
    "MODIFIER_LIMIT": "Choose fewer options: get_menu shows minSelect, maxSelect and maxQuantity.",
    "ORDER_TYPE_NOT_OFFERED": "Choose one of the store's orderTypes: see get_store_info.",
    "STORE_CLOSED": "See the hours in get_store_info; ask the guest for another time and send it as scheduledFor.",
    "ADDRESS_REQUIRED": "Ask the guest for the address and send it as deliveryAddress.",
    "TIME_PAST": "Send a later time, or leave scheduledFor out for as soon as possible.",
    "TIME_TOO_FAR": "Send an earlier time.",
    "QUOTE_UNKNOWN": "Call quote_order again and use the new quote's id.",
    "QUOTE_EXPIRED": "Call quote_order again, tell the guest the total, and use the new quote's id.",
    "QUOTE_OUTDATED": "Call quote_order again and tell the guest the new total before you order.",
    "SCOPE_MISSING": "Do not repeat this; ask the operator for a key with this scope.",
    "LOCATION_FORBIDDEN": "Do not repeat this; get_stores lists the stores that this key may use.",
    "KEY_REUSED": "Something was done under this key already: look (get_order, list_reservations, list_waitlist) "
    "before you use another key.",
    "ORIGIN_REUSED": "That externalId belongs to another order: look with get_order, or use another externalId.",
    "ORDER_CLOSED": "Nothing is left to do: get_order shows how it ended.",
    "NOT_SUPPORTED_BY_POS": "Tell the guest that the restaurant itself must do this.",
    "OUTCOME_UNKNOWN": "A person at the restaurant must look first; explain_failure says who.",
    "NOT_AT_POS": "The POS does not have this order yet: look again with get_order in a moment.",
    "POS_REJECTED": "The POS refused it for the reason given; change what you ask for, or tell the restaurant.",
    "STATUS_NOT_ALLOWED": "Read the order with get_order: it has moved on.",
    "TABLE_BOOKED": "Offer another time or table (get_tables), or, if the restaurant agrees, send allowOverlap: true.",
    "TABLE_TOO_SMALL": "Choose more or larger tables: get_tables shows their seats.",
    "TABLE_UNKNOWN": "Use the names that get_tables lists.",
    "STORE_FULL": "Offer another time, or put the party on the waitlist with join_waitlist.",
    "BOOKING_ENDED": "Nothing is left to do: list_reservations or list_waitlist shows how it ended.",
    "TABLE_OCCUPIED": "Choose a free table: get_tables shows them.",
    "CHECK_UNKNOWN": "Read the order with get_order and name one of its open checks.",
    "PAYMENT_UNKNOWN": "Read the order with get_order and use the id of one of its payments.",
    "PAYMENT_TOO_HIGH": "Read what is due with get_order; was this payment recorded already?",
    "REFUND_TOO_HIGH": "Read the payments with get_order; was this given back already?",
    "COUPON_INVALID": "Tell the guest why the coupon does not work.",
    "VERSION_CONFLICT": "Read it again, then decide again.",
    "CONFLICT": "Repeat the same call in a moment.",
    "BODY_INVALID": "Correct the arguments as the tool's input schema says, and call again.",
    "INVALID_REQUEST": "Correct this argument and call again.",
    "DISCOUNT_TOO_LARGE": "Give a smaller discount.",
}


def next_step(problem: HubError) -> str:
    """A sentence that says what to do now; empty when there is nothing to say."""
    if isinstance(problem, TooManyRequests | Unavailable):
        return f"Repeat the same call after {problem.retry_after_seconds} seconds."
    if problem.code == "NOT_FOUND" and "store" in problem.message:
        return "Call get_stores for valid slugs."
    if problem.code == "NOT_FOUND":
        return "Check the id or number with whoever gave it to you."
    return _STEPS.get(problem.code or "", "")

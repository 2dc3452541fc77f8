"""Who may do what: one line per operation, written by hand, to be read by whoever wants to know and held by a test.

- without a key: "anyone", or "a key" is needed. Agents need a key for every tool.
- scope: what a key needs; a caller who shows a key needs it too where anyone may come without one. `read` covers every
  scope that ends in `read`, `write` every one that ends in `write`.
- a key that is bound to another store is "refused" (403); "only its own" is what it gets of a list of all stores.
  What belongs to the key that made it is "not there" (404) for every other key.
"""

from typing import Literal, NamedTuple


class Right(NamedTuple):
    """One line."""

    without_a_key: Literal["anyone", "a key"]
    scope: str
    elsewhere: Literal["refused", "only its own", "not there"]


RIGHTS = {
    "get_stores": Right("anyone", "menu:read", "only its own"),
    "get_store_info": Right("anyone", "menu:read", "refused"),
    "get_menu": Right("anyone", "menu:read", "refused"),
    "get_store_context": Right("anyone", "menu:read", "refused"),
    "set_item_availability": Right("a key", "menu:write", "refused"),
    "quote_order": Right("anyone", "orders:write", "refused"),
    "create_order": Right("anyone", "orders:write", "refused"),
    "get_order": Right("anyone", "orders:read", "refused"),
    "trace_order": Right("a key", "orders:read", "refused"),
    "explain_failure": Right("a key", "orders:read", "refused"),
    "list_orders": Right("a key", "orders:read", "refused"),
    "hold_order": Right("a key", "orders:write", "refused"),
    "release_order": Right("a key", "orders:write", "refused"),
    "cancel_order": Right("a key", "orders:write", "refused"),
    "set_order_status": Right("a key", "orders:write", "refused"),
    "add_order_items": Right("a key", "orders:write", "refused"),
    "discount_order": Right("a key", "orders:write", "refused"),
    "assign_driver": Right("a key", "orders:write", "refused"),
    "send_to_kitchen": Right("a key", "orders:write", "refused"),
    "print_bill": Right("a key", "orders:write", "refused"),
    "record_payments": Right("a key", "orders:write", "refused"),
    "refund_payment": Right("a key", "orders:write", "refused"),
    "get_payment_state": Right("a key", "orders:read", "refused"),
    "split_check": Right("a key", "orders:write", "refused"),
    "move_lines": Right("a key", "orders:write", "refused"),
    "close_check": Right("a key", "orders:write", "refused"),
    "void_check": Right("a key", "orders:write", "refused"),
    "get_fidelity": Right("a key", "orders:read", "refused"),
    "get_drift": Right("a key", "menu:read", "refused"),
    "get_reconciliation": Right("a key", "orders:read", "refused"),
    "get_pos_capabilities": Right("a key", "orders:read", "refused"),
    "get_pos_codes": Right("a key", "orders:read", "refused"),
    "get_pos_tables": Right("a key", "orders:read", "refused"),
    "get_pos_table": Right("a key", "orders:read", "refused"),
    "set_pos_table_status": Right("a key", "orders:write", "refused"),
    "get_pos_kitchens": Right("a key", "orders:read", "refused"),
    "get_pos_printers": Right("a key", "orders:read", "refused"),
    "set_pos_ticket_status": Right("a key", "orders:write", "refused"),
    "print_pos_ticket": Right("a key", "orders:write", "refused"),
    "search_pos_customers": Right("a key", "customers:read", "refused"),
    "get_pos_customer": Right("a key", "customers:read", "refused"),
    "create_pos_customer": Right("a key", "orders:write", "refused"),
    "get_pos_drivers": Right("a key", "orders:read", "refused"),
    "get_pos_delivery_platforms": Right("a key", "orders:read", "refused"),
    "get_pos_payment_methods": Right("a key", "orders:read", "refused"),
    "get_pos_coupons": Right("a key", "orders:read", "refused"),
    "validate_pos_coupon": Right("a key", "orders:read", "refused"),
    "get_pos_stock": Right("a key", "menu:read", "refused"),
    "add_pos_stock_item": Right("a key", "orders:write", "refused"),
    "set_pos_stock": Right("a key", "orders:write", "refused"),
    "get_pos_sales": Right("a key", "orders:read", "refused"),
    "get_pos_item_sales": Right("a key", "orders:read", "refused"),
    "get_tables": Right("a key", "read", "refused"),
    "list_customers": Right("a key", "customers:read", "refused"),
    "get_customer": Right("a key", "customers:read", "refused"),
    "change_customer": Right("a key", "write", "refused"),
    "forget_customer": Right("a key", "write", "refused"),
    "list_reservations": Right("a key", "orders:read", "refused"),
    "create_reservation": Right("a key", "orders:write", "refused"),
    "get_reservation": Right("a key", "orders:read", "refused"),
    "change_reservation": Right("a key", "orders:write", "refused"),
    "cancel_reservation": Right("a key", "orders:write", "refused"),
    "seat_reservation": Right("a key", "orders:write", "refused"),
    "list_waitlist": Right("a key", "orders:read", "refused"),
    "join_waitlist": Right("a key", "orders:write", "refused"),
    "change_waitlist_entry": Right("a key", "orders:write", "refused"),
    "notify_waitlist_entry": Right("a key", "orders:write", "refused"),
    "seat_waitlist_entry": Right("a key", "orders:write", "refused"),
    "leave_waitlist": Right("a key", "orders:write", "refused"),
    "list_segments": Right("a key", "customers:read", "refused"),
    "list_segment_customers": Right("a key", "customers:read", "refused"),
    "list_campaigns": Right("a key", "read", "refused"),
    "create_campaign": Right("a key", "write", "refused"),
    "get_campaign": Right("a key", "read", "refused"),
    "change_campaign": Right("a key", "write", "refused"),
    "cancel_campaign": Right("a key", "write", "refused"),
    "get_campaign_audience": Right("a key", "customers:read", "refused"),
    "note_campaign_results": Right("a key", "write", "refused"),
    "get_insights": Right("a key", "orders:read", "refused"),
    "list_webhooks": Right("a key", "read", "only its own"),
    "create_webhook": Right("a key", "write", "refused"),
    "get_webhook": Right("a key", "read", "not there"),
    "change_webhook": Right("a key", "write", "not there"),
    "delete_webhook": Right("a key", "write", "not there"),
    "rotate_webhook": Right("a key", "write", "not there"),
    "replay_webhook": Right("a key", "write", "not there"),
    "list_webhook_deliveries": Right("a key", "read", "not there"),
}

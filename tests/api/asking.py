"""A request of every operation, and arguments of every tool, about the things of one store."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from hub.api.operation import Operation
from hub.api.parameters import IN_PATH
from hub.api.tools import BoundTool
from hub.api.views import timestamp
from tests.api.filled import Things

_DAY_MS = 86_400_000
_AT_POS = {"table": "7", "ticket": "77", "customer": "4", "item": "6"}
"""What a path names that only the POS knows."""
_QUERY = {"search_pos_customers": {"query": "alice"}}


@dataclass(frozen=True)
class Asking:
    """One request, before it is sent: the parts that a caller can choose."""

    path: dict[str, str]
    query: dict[str, str]
    body: Any


def about(operation: Operation, things: Things, now_ms: int) -> Asking:
    """A request that a caller with every right may make; raises `KeyError` for an operation that nobody described."""
    names = IN_PATH.findall(operation.path)
    at_pos = "/pos/" in operation.path
    path = {name: _AT_POS[name] if at_pos and name in _AT_POS else things.one(name) for name in names}
    if operation.name == "move_lines":
        path["check"] = things.named["check"][1]  # which has the lines
    query = dict(_QUERY.get(operation.name, {}))
    if "storeSlug" in operation.query:
        query["storeSlug"] = things.slug
    if operation.name == "get_reconciliation":
        query |= {"from": timestamp(now_ms - _DAY_MS), "to": timestamp(now_ms)}
    body = None if operation.body is None else bodies(things, now_ms)[operation.name]
    return Asking(path, query, body)


def bodies(things: Things, now_ms: int) -> Mapping[str, Any]:
    """What to send, by the operation's name."""
    store, guest = {"storeSlug": things.slug}, {"name": "Zoe", "phone": "+994 50 111 22 33"}
    items = [{"itemId": things.one("item")}]
    ordered = {**store, "items": items, "orderType": "delivery"}
    party = {**store, "partySize": 2, "customer": guest}
    soon = timestamp(now_ms + 40 * _DAY_MS)
    return {
        "set_item_availability": {"available": True},
        "quote_order": ordered,
        "create_order": ordered,
        "hold_order": {"reason": "case 7"},
        "cancel_order": {"reason": "left"},
        "set_order_status": {"status": "preparing"},
        "add_order_items": {"items": items, "checkId": things.one("check")},
        "discount_order": {"type": "percent", "value": 10, "checkId": things.one("check")},
        "assign_driver": {"driverId": "8", "name": "Rashad"},
        "send_to_kitchen": {"action": "send"},
        "print_bill": {"what": "bill"},
        "record_payments": {"method": "cash", "amount": 50, "checkId": things.one("check")},
        "refund_payment": {"reason": "cold"},
        "split_check": {"ways": 2, "checkId": things.one("check")},
        "move_lines": {"items": [{"uid": things.one("uid"), "quantity": 1}], "to": things.one("check")},
        "close_check": {},
        "void_check": {"reason": "left"},
        "set_pos_table_status": {"status": "free"},
        "set_pos_ticket_status": {"status": "ready"},
        "print_pos_ticket": {"again": True},
        "create_pos_customer": guest,
        "validate_pos_coupon": {"code": "TEN", "total": 100},
        "add_pos_stock_item": {"name": "Rice", "quantity": 1},
        "set_pos_stock": {"quantity": 1},
        "change_customer": {"name": "Zoe"},
        "create_reservation": {**party, "startsAt": soon, "allowOverlap": True},
        "change_reservation": {"partySize": 3, "allowOverlap": True},
        "cancel_reservation": {"reason": "ill"},
        "seat_reservation": {"tables": [things.one("reservation")]},
        "join_waitlist": party,
        "change_waitlist_entry": {"partySize": 3},
        "notify_waitlist_entry": {},
        "seat_waitlist_entry": {"tables": [things.one("entry")]},
        "leave_waitlist": {"status": "left"},
        "create_webhook": {**store, "url": "http://127.0.0.1:9/heard"},
        "change_webhook": {"description": "more"},
        "rotate_webhook": {},
        "replay_webhook": {"from": timestamp(now_ms - _DAY_MS), "dryRun": True},
        "create_campaign": {**store, "name": "Spring", "segment": "new"},
        "change_campaign": {"name": "Summer"},
        "cancel_campaign": {},
        "note_campaign_results": {"results": [{"customerId": things.one("customer"), "result": "sent"}]},
    }


def path_of(operation: Operation, asking: Asking) -> str:
    """Path and query as they are sent."""
    path = IN_PATH.sub(lambda found: asking.path[found[1]], operation.path)
    return f"{path}?{urlencode(asking.query)}" if asking.query else path


def arguments_of(bound: BoundTool, things: Things, asking: Asking) -> dict[str, Any]:
    """The same for a tool."""
    properties = bound.input_schema["properties"]
    own = {"storeSlug" if name == "store" else f"{name}Id": value for name, value in asking.path.items()}
    if bound.name in ("86_item", "un86_item"):
        return own | {"storeSlug": things.slug}
    given = own | asking.query | (asking.body or {})
    return {name: value for name, value in given.items() if name in properties}

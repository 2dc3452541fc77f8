"""What callers may send beside a body, for the documentation: parts of the path, the query and headers."""

import re
from collections.abc import Mapping
from typing import Any

from hub.api.at_store import ID_AT_POS
from hub.api.changing import VersionBody
from hub.api.operation import Operation
from hub.model.booking import ReservationStatus
from hub.model.status import Stage, Status
from hub.model.webhook import DeliveryState
from hub.services.archive import LARGEST_PAGE

IN_PATH = re.compile(r"{(\w+):str}")
CHANGE_HEADERS = ("Idempotency-Key", "If-Match", "Prefer")
_AT_POS = "/pos/"
_STORE = {"type": "string", "examples": ["demo-restaurant"]}
_TIME = {"type": "string", "format": "date-time", "examples": ["2026-02-09T12:30:00Z"]}
_SHORT = {"type": "string", "maxLength": 200}
_YES_NO = {"type": "string", "enum": ["true", "false"]}

_PATH: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "store": ("A store's slug, `loc_…` id or UUID.", _STORE),
    "order": ("An order's id, UUID or number.", {"type": "string", "examples": ["DT-001"]}),
    "item": ("A menu item's id.", {"type": "string", "examples": ["item_xxx"]}),
}
_QUERY: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "storeSlug": ("Only this store, by slug.", _STORE),
    "locationId": ("Only this store, by id.", {"type": "string", "examples": ["loc_xxx"]}),
    "search": ("Words of the store's name, address or slug.", {"type": "string"}),
    "cuisine": ("A kind of food.", {"type": "string", "examples": ["pizza"]}),
    "category": ("Only this category: its name or id.", {"type": "string"}),
    "inStock": (
        "Leave out what cannot be ordered now.",
        {"type": "string", "enum": ["true", "false", "1", "0", "yes", "no"]},
    ),
    "status": (
        "How far it is; of an order, or its tab.",
        {"type": "string", "enum": [*dict.fromkeys((*Status, *Stage))]},
    ),
    "from": ("At or after.", _TIME),
    "to": ("Before.", _TIME),
    "by": ("Which time counts.", {"type": "string", "enum": ["creation", "closing"], "default": "creation"}),
    "closedFrom": ("Closed at or after.", _TIME),
    "closedTo": ("Closed before.", _TIME),
    "table": ("At this table.", _SHORT),
    "number": ("With this number.", _SHORT),
    "ref": ("With this id at a POS or channel.", _SHORT),
    "externalId": ("With this number of the caller's own.", _SHORT),
    "guest": ("Of this guest: name, phone or email.", _SHORT),
    "held": ("Only orders under a legal hold.", _YES_NO),
    "cursor": ("The `nextCursor` of the page before.", {"type": "string"}),
    "limit": ("How many a page has.", {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": 50}),
    "state": ("Only those in this state.", {"type": "string", "enum": [*DeliveryState]}),
    "query": ("A name, phone number or email address, or a part of one.", {**_SHORT, "minLength": 1}),
    "period": ("How much time.", {"type": "string", "enum": ["daily", "weekly", "monthly"], "default": "daily"}),
    "on": ("A day of that time; today without it.", {"type": "string", "format": "date", "examples": ["2026-02-09"]}),
}
_TIME_OR_DAY = {
    "anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}],
    "examples": ["2026-02-09", "2026-02-09T12:30:00Z"],
}
_QUERY_OF: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("get_reconciliation", "from"): _TIME_OR_DAY,
    ("get_reconciliation", "to"): _TIME_OR_DAY,
    ("get_stores", "limit"): {"type": "integer", "minimum": 1, "maximum": 500, "default": 500},
    ("list_reservations", "status"): {"type": "string", "enum": [*ReservationStatus]},
}
_REQUIRED = (
    ("search_pos_customers", "query"),
    ("get_reconciliation", "from"),
    ("get_reconciliation", "to"),
)
_HEADERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "Idempotency-Key": (
        "Any text of your own: repeating the request with it never does the thing twice. Kept for 7 days.",
        {"type": "string", "pattern": "^[!-~]{1,255}$", "maxLength": 255},
    ),
    "If-Match": (
        "The version that the change is meant for, as the `ETag` said; another one by now is answered with 409.",
        {"type": "string", "pattern": '^((W/)?"?[0-9]{1,9}"?|\\*)$', "examples": ['"3"']},
    ),
    "Prefer": (
        "`wait=10` waits up to ten seconds (at most 30) for the POS before it answers (RFC 7240).",
        {"type": "string", "examples": ["wait=10"]},
    ),
}


def heeded_by(operation: Operation) -> tuple[str, ...]:
    """The request headers an operation heeds; all that change an order heed the same ones."""
    changes = operation.body is not None and issubclass(operation.body, VersionBody)
    return operation.heeds or (CHANGE_HEADERS if changes else ())


def parameters_of(operation: Operation) -> list[dict[str, Any]]:
    """The OpenAPI parameter objects of an operation."""
    return [
        *(_in_path(operation, name) for name in IN_PATH.findall(operation.path)),
        *(_in_query(operation, name) for name in operation.query),
        *(_object("header", name, *_HEADERS[name]) for name in heeded_by(operation)),
    ]


def _in_path(operation: Operation, name: str) -> dict[str, Any]:
    words, schema = _PATH.get(name, (f"The {name}'s id.", {"type": "string"}))
    if name != "store" and _AT_POS in operation.path:
        words, schema = f"The POS's id of the {name}.", {"type": "string", "pattern": ID_AT_POS}
    return {**_object("path", name, words, {"minLength": 1, **schema}), "required": True}


def _in_query(operation: Operation, name: str) -> dict[str, Any]:
    words, schema = _QUERY.get(name, (f"The {name}.", {"type": "string"}))
    described = _object("query", name, words, _QUERY_OF.get((operation.name, name), schema)) | {"allowEmptyValue": True}
    return (
        described | {"required": True, "allowEmptyValue": False} if (operation.name, name) in _REQUIRED else described
    )


def _object(place: str, name: str, words: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": place, "description": words, "schema": dict(schema)}

"""What a client calls: every tool the hub lists, with arguments that fit, on orders made for it."""

import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from msgspec import Struct

STORE, OTHER_STORE = "demo-desibits", "demo-taqueria"
"""Two demo stores whose POS together offer nearly everything."""
_AT_OTHER_STORE = {"get_pos_stock", "add_pos_stock_item", "set_pos_stock", "get_pos_sales", "get_pos_item_sales"}
_numbers = itertools.count(1)


class PlannedCall(Struct, frozen=True):
    """One tool's call. One that `must_work` has arguments of its own here; another may be refused by the POS."""

    name: str
    arguments: dict[str, Any]
    must_work: bool


class Planner:
    """Makes plans against a running demo; each has orders of its own."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._tools = http.get("/api/mcp").raise_for_status().json()["tools"]
        self._items = {store: self._plain_item(store) for store in (STORE, OTHER_STORE)}

    @property
    def names(self) -> list[str]:
        """All tools."""
        return [tool["name"] for tool in self._tools]

    def plan(self) -> list[PlannedCall]:
        """A call of every tool."""
        return [self._call(tool) for tool in self._tools]

    def _call(self, tool: Mapping[str, Any]) -> PlannedCall:
        name, schema = tool["name"], tool["inputSchema"]
        own = self._own().get(name)
        if own is not None:
            return PlannedCall(name, own(), must_work=True)
        wanted = schema.get("required", [])
        arguments = {field: _some(schema["properties"][field], schema) for field in wanted}
        if "storeSlug" in schema["properties"]:
            arguments["storeSlug"] = OTHER_STORE if name in _AT_OTHER_STORE else STORE
        if "orderId" in schema["properties"]:
            arguments["orderId"] = self._order()["id"]
        return PlannedCall(name, arguments, must_work=False)

    def _own(self) -> Mapping[str, Callable[[], dict[str, Any]]]:
        wanted = {"storeSlug": STORE, "items": [{"itemId": self._items[STORE]}], "orderType": "pickup"}
        to_order = self._about_an_order
        return {
            "get_stores": dict,
            "search_stores": lambda: {"search": "demo"},
            "get_store_info": lambda: {"storeSlug": STORE},
            "get_menu": lambda: {"storeSlug": STORE},
            "get_store_context": lambda: {"storeSlug": STORE},
            "86_item": lambda: {"storeSlug": "sample-kiosk", "itemId": self._plain_item("sample-kiosk")},
            "un86_item": lambda: {"storeSlug": "sample-kiosk", "itemId": self._plain_item("sample-kiosk")},
            "quote_order": lambda: wanted,
            "create_order": lambda: wanted,
            "get_order": to_order,
            "trace_order": to_order,
            "explain_failure": to_order,
            "cancel_order": lambda: to_order(reason="conformance"),
            "set_order_status": lambda: to_order(status="ready"),
            "add_order_items": lambda: to_order(items=wanted["items"]),
            "discount_order": lambda: to_order(type="percent", value=10, reason="conformance"),
            "record_payments": lambda: to_order(method="cash", amount=100),
            "get_payment_state": to_order,
            "get_fidelity": to_order,
            "get_drift": lambda: {"storeSlug": STORE},
            "get_pos_tables": lambda: {"storeSlug": STORE},
            "get_pos_stock": lambda: {"storeSlug": OTHER_STORE},
            "get_tables": lambda: {"storeSlug": STORE},
            "search_customers": lambda: {"query": "conformance"},
            "list_reservations": lambda: {"storeSlug": STORE},
            "create_reservation": self._reservation,
            "get_reservation": lambda: {
                "reservationId": self._made("/reservations", "reservation", self._reservation())
            },
            "list_waitlist": lambda: {"storeSlug": STORE},
            "join_waitlist": self._party,
            "notify_waitlist_entry": lambda: {"entryId": self._made("/waitlist", "entry", self._party())},
            "get_insights": lambda: {"storeSlug": STORE},
        }

    def _reservation(self) -> dict[str, Any]:
        starts_at = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        guest = {"name": "Conformance"}
        return {"storeSlug": STORE, "partySize": 1, "startsAt": starts_at, "customer": guest, "allowOverlap": True}

    def _party(self) -> dict[str, Any]:
        return {"storeSlug": STORE, "partySize": 2, "customer": {"name": "Conformance"}}

    def _made(self, path: str, what: str, body: Mapping[str, Any]) -> str:
        """The id of something that was made over REST."""
        answer = self._http.post(f"/api/v1{path}", json=body).raise_for_status()
        return str(answer.json()[what]["id"])

    def _about_an_order(self, **more: Any) -> dict[str, Any]:
        return {"orderId": self._order()["id"], **more}

    def _order(self) -> dict[str, Any]:
        body = {
            "storeSlug": STORE,
            "items": [{"itemId": self._items[STORE], "quantity": 2}],
            "orderType": "pickup",
            "externalId": f"conformance-{next(_numbers)}",
        }
        answer = self._http.post("/api/v1/orders", json=body, headers={"Prefer": "wait=10"}).raise_for_status()
        order: dict[str, Any] = answer.json()["order"]
        return order

    def _plain_item(self, store: str) -> str:
        """An item that can be ordered without choosing anything."""
        menu = self._http.get(f"/api/v1/stores/{store}/menu").raise_for_status().json()["menu"]
        items = (item for category in menu["categories"] for item in category["items"])
        return next(
            str(item["id"])
            for item in items
            if item["available"] and not any(group.get("minSelect") for group in item["modifierGroups"])
        )


def _some(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    """Any value that fits a schema of a tool's argument."""
    if "$ref" in schema:
        return _some(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return _some(schema[several][0], root)
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "object":
        return {name: _some(schema["properties"][name], root) for name in schema.get("required", [])}
    if schema.get("type") == "array":
        return [_some(schema["items"], root)]
    return {"integer": 1, "number": 1, "boolean": True}.get(schema.get("type", "string"), "1")


@contextlib.contextmanager
def planner(url: str, key: str) -> Iterator[Planner]:
    """A planner for the demo at `url`."""
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, trust_env=False, timeout=30) as http:
        yield Planner(http)

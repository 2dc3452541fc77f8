"""The order calls of the Clopos sandbox: create, list, look up, cancel."""

import hashlib
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from aiohttp import web

from connectors.clopos.sandbox import order_v1, order_v2
from connectors.clopos.sandbox.answers import (
    Dialect,
    answer,
    bad_parameter,
    exception_refused,
    iso,
    list_answer,
    missing,
    page_of,
    slug_refused,
    with_names,
)
from connectors.clopos.sandbox.auth import Caller
from connectors.clopos.sandbox.catalogue import Catalogue
from connectors.clopos.sandbox.customers import Customers
from connectors.clopos.sandbox.order_check import CheckedOrder, Shop
from connectors.clopos.sandbox.totals import cents
from hub.contract.sandbox import Clock
from hub.contract.sandbox.ledger import Ledger, LedgerOrder, to_json

SORTS = {"id": "number", "created_at": "received_at", "updated_at": "changed_at"}


class OrderStatus(StrEnum):
    """Where an order stands, in the latest copy of the documentation."""

    PENDING = "PENDING"
    RECEIVED = "RECEIVED"
    IGNORE = "IGNORE"
    DELIVERED = "DELIVERED"


class IdPlace(StrEnum):
    """Where the answer to a v1 create carries the new id; the copies of the page disagree."""

    DATA = "data"
    PAYLOAD = "payload"


class Orders:
    """Takes orders into the ledger and shows them."""

    def __init__(
        self,
        catalogue: Callable[[], Catalogue],
        customers: Customers,
        ledger: Ledger,
        clock: Clock,
        id_place: IdPlace,
    ) -> None:
        self._catalogue = catalogue
        self._customers = customers
        self._ledger = ledger
        self._clock = clock
        self._id_place = id_place

    def create(self, raw: bytes, body: Any, caller: Caller, key: str | None, headers: dict[str, str]) -> web.Response:
        """`POST /orders`; writes the order down before it answers. Raises `Refused` naming the field."""
        shop = Shop(self._catalogue(), self._customers.find, caller)
        check = order_v1.check_order if caller.dialect is Dialect.V1 else order_v2.check_order
        checked = check(body, shop)
        now = self._clock()
        number = self._ledger.accept(
            scope=caller.scope,
            status=OrderStatus.PENDING,
            at=now,
            headers=headers,
            body=raw,
            record=_record(checked, caller),
            idempotency_key=key,
        )
        if checked.accept_at_once:
            self._ledger.set_status(number, OrderStatus.RECEIVED, now)
        if caller.dialect is Dialect.V2:
            data = _head(number, caller.venue_id, OrderStatus.PENDING, now, now)
            return answer(data, now, status=201, message="Order created")
        return answer(self._created_v1(number, caller, checked, now), now, status=201)

    async def browse(self, request: web.Request, caller: Caller) -> web.Response:
        """`GET /orders`: newest first unless sorted; date range, sort and relations are read on v2 only."""
        is_v1 = caller.dialect is Dialect.V1
        page = page_of(request, caller.dialect, maximum=100 if is_v1 else 200, default=20 if is_v1 else 50)
        status = request.query.get("status")
        if status is not None and status not in list(OrderStatus):
            raise bad_parameter(caller.dialect, "status", status, ", ".join(OrderStatus))
        sort, descending = ("number", True) if is_v1 else _sort_of(request)
        orders, total = self._ledger.load_orders(
            scope=caller.scope,
            status=status,
            from_time=None if is_v1 else _day(request, "date[0]", 0),
            before_time=None if is_v1 else _day(request, "date[1]", 1),
            sort=sort,
            descending=descending,
            limit=page.limit,
            offset=page.offset,
        )
        relations = with_names(request)
        rows = [self._view(order, caller, relations) for order in orders]
        return list_answer(rows, total, page, self._clock(), paginated=is_v1)

    async def show(self, request: web.Request, caller: Caller) -> web.Response:
        """`GET /orders/{id}`, with the receipt when `with[0]` asks for it."""
        order = self._find(request, caller)
        return answer(self._view(order, caller, with_names(request)), self._clock())

    def update(self, request: web.Request, body: Any, caller: Caller) -> web.Response:
        """`PUT /orders/{id}`: `{"status": "IGNORE"}` cancels a waiting order, and nothing else is allowed.

        What happens to an order that has been received is not documented; the sandbox refuses it. A repeated
        cancellation is answered as the first.
        """
        order = self._find(request, caller)
        cancellable = order.status in (OrderStatus.PENDING, OrderStatus.IGNORE)
        if body != {"status": OrderStatus.IGNORE} or not cancellable:
            raise slug_refused(400, "validation_failed", "Status is not allowed")
        now = self._clock()
        self._ledger.set_status(order.number, OrderStatus.IGNORE, now)
        if caller.dialect is Dialect.V1:
            return answer({"id": order.number, "status": OrderStatus.IGNORE}, now)
        return answer(_head(order.number, caller.venue_id, OrderStatus.IGNORE, order.received_at, now), now)

    def _created_v1(self, number: int, caller: Caller, checked: CheckedOrder, now: datetime) -> dict[str, Any]:
        if self._id_place is IdPlace.DATA:
            return {"id": number, "status": OrderStatus.PENDING, "payload": checked.payload}
        stamps = {"id": number, "venue_id": caller.venue_id, "created_at": iso(now), "updated_at": iso(now)}
        return {"status": OrderStatus.PENDING, "payload": stamps | checked.payload}

    def _find(self, request: web.Request, caller: Caller) -> LedgerOrder:
        number = int(request.match_info["id"])
        order = self._ledger.find_order(number)
        if order is not None and order.scope == caller.scope:
            return order
        if caller.dialect is Dialect.V2:
            raise missing(caller.dialect, "Order")
        model = "App\\Models\\Client\\ServiceNotification"
        raise exception_refused(404, f"No query results for model [{model}] {number}", "NotFoundHttpException")

    def _view(self, order: LedgerOrder, caller: Caller, relations: Sequence[str]) -> dict[str, Any]:
        view = _head(order.number, caller.venue_id, order.status, order.received_at, order.changed_at)
        view["payload"] = order.record["payload"]
        if caller.dialect is Dialect.V1:
            waiting = order.status == OrderStatus.PENDING
            view |= {"receive_user_id": None if waiting else 1, "receive_terminal_id": None}
        for relation in relations:
            name, _, columns = relation.partition(":")
            if name == "receipt":
                view["receipt"] = _receipt(order, columns.split(",") if columns else [])
            if name == "customer":
                view["customer"] = self._customers.find(order.record["payload"]["customer"]["id"])
        return view


def fingerprint(body: Any) -> str:
    """Equal for bodies that say the same, whatever their order of keys."""
    return hashlib.sha256(to_json(_sorted(body))).hexdigest()


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(one) for one in value] if isinstance(value, list) else value


def _record(checked: CheckedOrder, caller: Caller) -> dict[str, Any]:
    totals = checked.totals
    return {
        "dialect": caller.dialect.name.lower(),
        "payload": checked.payload,
        "order_number": checked.order_number,
        "order_total": totals.order_total,
        "subtotal": totals.subtotal,
        "total_discount": totals.discount,
        "service_charge_value": totals.service_charge,
        "delivery_fee": totals.delivery_fee,
        "total": totals.total,
    }


def _head(number: int, venue_id: int, status: str, created: datetime, updated: datetime) -> dict[str, Any]:
    return {
        "id": number,
        "venue_id": venue_id,
        "type": "CALL_CENTER_ORDER",
        "integration": "call_center_new",
        "integration_uuid": None,
        "integration_id": None,
        "customer_ref_id": None,
        "integration_status": "CREATED",
        "status": status,
        "created_at": iso(created),
        "updated_at": iso(updated),
        "integration_response": None,
    }


def _receipt(order: LedgerOrder, columns: Sequence[str]) -> dict[str, Any] | None:
    """The receipt an order becomes once it is received: open, and closed when delivered."""
    if order.status not in (OrderStatus.RECEIVED, OrderStatus.DELIVERED):
        return None
    record = order.record
    receipt = {
        "id": order.number,
        "service_notification_id": order.number,
        "cid": str(uuid.uuid5(uuid.NAMESPACE_OID, f"receipt {order.number}")),
        "status": 1 if order.status == OrderStatus.RECEIVED else 2,
        "order_status": "NEW" if order.status == OrderStatus.RECEIVED else "COMPLETED",
        "order_number": record["order_number"],
        **{
            name: cents(Decimal(record[name]))
            for name in ("total", "subtotal", "total_discount", "service_charge_value", "delivery_fee")
        },
    }
    return {name: receipt[name] for name in columns if name in receipt} if columns else receipt


def _sort_of(request: web.Request) -> tuple[str, bool]:
    field = request.query.get("sort[0]")
    if field is None:
        return "number", True
    if field not in SORTS:
        raise bad_parameter(Dialect.V2, "sort[0]", field, ", ".join(SORTS))
    direction = request.query.get("sort[1]", "1")
    if direction not in ("1", "-1"):
        raise bad_parameter(Dialect.V2, "sort[1]", direction, "1, -1")
    return SORTS[field], direction == "-1"


def _day(request: web.Request, name: str, days_later: int) -> datetime | None:
    text = request.query.get(name)
    if text is None:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as broken:
        raise bad_parameter(Dialect.V2, name, text, "YYYY-MM-DD") from broken
    return day + timedelta(days=days_later)

"""Writes orders, tables and errors the way Mozrest's documentation shows them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, cast

from connectors.mozrest.wire import (
    MozrestCheck,
    MozrestError,
    MozrestErrorBody,
    MozrestItem,
    MozrestListedOrder,
    MozrestOpened,
    MozrestOrder,
    MozrestTable,
)
from hub.contract.inbound import InboundReply, Tab
from hub.contract.tables import VendorTables
from hub.errors import HubError, TooManyRequests, Unauthorized, Unavailable
from hub.model.check import Check, Line
from hub.model.decimals import encode_json
from hub.model.money import exponent, to_decimal
from hub.model.order import Order
from hub.model.status import Status
from hub.model.table import Table

CONNECTOR: Final = "mozrest"


@dataclass(frozen=True)
class Writing:
    """What words and amounts are written by."""

    tables: VendorTables
    currency: str

    def money(self, cents: int) -> Decimal:
        """Minor units as a JSON number with the currency's decimals, e.g. 40.00."""
        return to_decimal(cents, self.currency).quantize(Decimal(1).scaleb(-exponent(self.currency)))


def order_to_mozrest(order: Order, writing: Writing) -> MozrestOrder:
    """The order as the hub tells Mozrest of it. Raises `UnmappedValue`."""
    is_void = bool(order.checks) and all(check.status is Status.VOID for check in order.checks)
    status = Status.VOID if is_void and order.status is Status.OPEN else order.status
    body: MozrestOrder = {
        "id": order.id,
        "status": writing.tables.to_vendor("order_status", status),
        "tables": list(order.tables),
        "checks": [_check(check, order.check_number(check), status, writing) for check in order.checks],
    }
    if order.party_size is not None:
        body["partySize"] = order.party_size
    return body


def listed_order(tab: Tab, writing: Writing) -> MozrestListedOrder:
    """The order as Mozrest reads it from the hub, whether it is open or closed."""
    order = tab.order
    times = {
        "openedAt": _moment(order.created_at_ms),
        "updatedAt": _moment(order.updated_at_ms),
        "closedAt": None if order.timing.closed_at_ms is None else _moment(order.timing.closed_at_ms),
    }
    listed = cast(MozrestListedOrder, {**order_to_mozrest(order, writing), **times})
    guest = order.customer if order.origin.system == CONNECTOR else None  # who came otherwise is not Mozrest's affair
    if guest is not None and guest.name:
        listed["guestName"] = guest.name
    if guest is not None and guest.email:
        listed["guestEmail"] = guest.email
    if guest is not None and guest.phone:
        listed["guestTelephone"] = guest.phone.removeprefix("+")
    return listed


def opened_order(tab: Tab) -> MozrestOpened:
    """The answer to a guest's seating: our order id and the number of the first check."""
    order = tab.order
    return {"id": order.id, "checkNumber": order.check_number(order.checks[0])}


def table_to_mozrest(table: Table) -> MozrestTable:
    """One row of the list of tables. Orders name their tables, so a table's name is its id here."""
    return {"id": table.name, "name": table.name}


def reply(body: Any, status: int = 200) -> InboundReply:
    """A JSON answer. Success is 200 and never 201: Mozrest's monitor counts nothing else as one."""
    return InboundReply(status, encode_json(body), {"content-type": "application/json"})


def error_reply(error: HubError) -> InboundReply:
    """An error in Mozrest's shape, `{"error": {"code", "message", "details"}}`, with the hub's own word as `reason`."""
    body: MozrestErrorBody = {"code": error.status, "message": error.message}
    if error.field:
        body["message"] = "Validation failed" if error.status == 400 else error.message
        body["details"] = {error.field: [error.message]}
    if error.code:
        body["reason"] = error.code
    answer = reply(MozrestError(error=body), error.status)
    headers = dict(answer.headers)
    if isinstance(error, Unavailable | TooManyRequests):
        headers["retry-after"] = str(error.retry_after_seconds)
    if isinstance(error, Unauthorized):
        headers["www-authenticate"] = 'Bearer realm="openpos"'
    return InboundReply(answer.status, answer.body, headers)


def _check(check: Check, number: str, order_status: Status, writing: Writing) -> MozrestCheck:
    """A check. What has ended with its order has ended: an open check of a closed order is closed."""
    status = order_status if check.status is Status.OPEN else check.status
    totals, tip_cents = check.totals, _tip_cents(check)
    body: MozrestCheck = {
        "checkNumber": number,
        "status": writing.tables.to_vendor("check_status", status),
        "totalAmount": writing.money(totals.total_cents - totals.tip_cents),
        "tax": writing.money(totals.tax_cents),
        "tip": writing.money(tip_cents),
        "discount": writing.money(totals.discount_cents),
        "items": [item for line in check.lines for item in _items(line, writing)],
    }
    largest = max(check.payments, key=lambda payment: payment.cents - payment.refunded_cents, default=None)
    if largest is not None:
        body["paymentMethod"] = writing.tables.to_vendor("payment_method", largest.method)
    return body


def _tip_cents(check: Check) -> int:
    """The tip on the bill, else what was given with the payments."""
    return check.totals.tip_cents or sum(payment.tip_cents for payment in check.payments)


def _items(line: Line, writing: Writing) -> Iterator[MozrestItem]:
    """A line as one item; as two where its amount cannot be divided by its quantity, so that the sum stays exact."""
    price_cents, dearer = divmod(line.gross_cents, line.quantity or 1)
    item_id: int | str = int(line.item_id) if line.item_id.isdecimal() else line.item_id or line.uid
    for cents, quantity in ((price_cents, line.quantity - dearer), (price_cents + 1, dearer)):
        if quantity:
            yield {"id": item_id, "name": line.name, "price": writing.money(cents), "quantity": quantity}


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).isoformat().replace("+00:00", "Z")

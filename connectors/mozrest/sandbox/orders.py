"""Mozrest's own picture of every order: written when a guest is seated and when the POS reports."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import UnionType
from typing import Any

from connectors.mozrest.sandbox.answers import Refused
from connectors.mozrest.sandbox.compare import differences
from connectors.mozrest.sandbox.doubts import doubts_about
from connectors.mozrest.sandbox.fields import GUEST_FIELDS, order_of
from connectors.mozrest.sandbox.seed import Settings, Venue
from hub.contract.sandbox import Clock
from hub.contract.sandbox.ledger import Ledger, LedgerOrder, to_json


class Status(StrEnum):
    """Open and closed are Mozrest's words; the others say how the seating of an order that is neither went."""

    OPEN = "open"
    CLOSED = "closed"
    SENDING = "sending"
    REFUSED = "refused"
    UNKNOWN = "unknown"


BY_ID, BY_POS_ID, HISTORY = "order", "pos-order", "history"
SEATED_TYPES: Mapping[str, type[Any] | UnionType] = {
    "tables": list,
    "partySize": int,
    **dict.fromkeys(GUEST_FIELDS, str),
    "prepayment": int | Decimal,
    "date": str,
    "items": list,
}


class Orders:
    """Finds and changes orders in the ledger. Nothing in here waits; the caller holds the transaction."""

    def __init__(
        self, ledger: Ledger, clock: Clock, settings: Callable[[], Settings], new_id: Callable[[], str]
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._settings = settings
        self.new_id = new_id

    def load(self) -> list[LedgerOrder]:
        """Every order, oldest first."""
        return self._ledger.load_orders()[0]

    def history(self, number: int) -> list[dict[str, Any]]:
        """What was sent and received about one order, in order."""
        return self._ledger.load_documents(f"{HISTORY} {number}")

    def find(self, venue: Venue, order_id: str, kind: str = BY_ID) -> LedgerOrder | None:
        """The order with Mozrest's id, or with `BY_POS_ID` the newest one that has this id at the POS."""
        number = self._ledger.find_document(kind, f"{venue.id} {order_id}")
        return None if number is None else self._ledger.find_order(number)

    def tables(self, venue: Venue) -> list[str]:
        """The ids of the tables the POS has listed; empty if it was never asked."""
        return [table["id"] for table in self._ledger.find_document("tables", venue.id) or []]

    def forget(self) -> None:
        """Removes every order and its history; tables stay."""
        for order in self.load():
            self._ledger.forget_documents(f"{HISTORY} {order.number}")
        for kind in (BY_ID, BY_POS_ID):
            self._ledger.forget_documents(kind)
        self._ledger.forget_orders()

    def seat(self, venue: Venue, order_id: str, request: Mapping[str, Any], reservation: str | None) -> LedgerOrder:
        """Writes a guest down who is about to be seated with this request."""
        record = {
            "id": order_id,
            "origin": "reservation",
            "reservation": reservation,
            "request": dict(request),
            **_seated(request),
        }
        return self._add(venue, record, Status.SENDING, {}, to_json(request))

    def seated(self, number: int, request: Mapping[str, Any], answer: Mapping[str, Any] | None, status: Status) -> None:
        """Takes one answer to a seating in: the POS's order id and check number, or that there are none.

        The first order id stays; another one for the same guest is a warning, for then the POS has two orders.
        """
        order = self._ledger.find_order(number)
        if order is None:
            return
        record, warnings = dict(order.record), []
        if answer is not None:
            warnings = self._link(order, record, answer)
            record |= {"request": dict(request), **_seated(request)}
        waiting = order.status in (Status.SENDING, Status.REFUSED, Status.UNKNOWN)
        if answer is not None:
            status = Status.OPEN if waiting else Status(order.status)
        elif not waiting:
            status = Status(order.status)
        self._keep(order, record, status, "seat", None, warnings)

    def open(self, venue: Venue, body: Any, headers: Mapping[str, str], received: int) -> LedgerOrder:
        """A walk-in the POS reports. Without `deduplicate_open_orders` a repetition is a second order."""
        told, unknown = order_of(body, venue.money_digits)
        known = self.find(venue, told["id"], BY_POS_ID)
        if known is not None and self._settings().deduplicate_open_orders:
            return self._change(venue, known, told, unknown, "open_order", received)
        record = {"id": self.new_id(), "origin": "walk-in", "posOrderId": told["id"], **_content(told)}
        warnings = doubts_about(told, {}, unknown_fields=unknown, tables=self.tables(venue))
        if known is not None:
            warnings.append(f"the POS order {told['id']} is known already, as {known.record['id']}")
        if told["status"] != Status.OPEN:
            warnings.append("a walk-in that is not open")
        order = self._add(venue, record, Status(told["status"]), headers, to_json(body), received, warnings)
        self._ledger.put_document(BY_POS_ID, f"{venue.id} {told['id']}", order.number)
        return order

    def update(self, venue: Venue, order_id: str, body: Any, received: int) -> LedgerOrder:
        """The whole order as it is now."""
        order = self._wanted(venue, order_id)
        told, unknown = order_of(body, venue.money_digits)
        return self._change(venue, order, told, unknown, "update_order", received)

    def close(self, venue: Venue, order_id: str, body: Any, received: int) -> LedgerOrder:
        """The guest has paid: order and checks are closed, or void."""
        order = self._wanted(venue, order_id)
        told, unknown = order_of(body, venue.money_digits)
        if told["status"] != Status.CLOSED:
            raise Refused(400, "Validation failed", {"status": ["This value should be closed."]})
        left = [check["status"] == "open" for check in told["checks"]]
        if any(left):
            wrong = {"status": ["This value should be closed or void."]}
            raise Refused(400, "Validation failed", {"checks": [wrong if open_ else {} for open_ in left]})
        told["checks"] = [self._with_lines(check, order.record) for check in told["checks"]]
        return self._change(venue, order, told, unknown, "close_order", received)

    def void(self, venue: Venue, order_id: str, body: Any, received: int) -> LedgerOrder:
        """The order never was; a body is optional, for the documented one is not known."""
        order = self._wanted(venue, order_id)
        told: dict[str, Any] = {
            "id": order.record.get("posOrderId"),
            **{name: order.record[name] for name in ("tables", "partySize", "checks") if name in order.record},
        }
        unknown: list[str] = []
        warnings: list[str] = []
        if body not in (None, {}):
            told, unknown = order_of(body, venue.money_digits)
            if any(check["status"] != "void" for check in told["checks"]):
                warnings.append("a check of a void order is not void")
        told["status"] = str(Status.CLOSED)
        checks = [self._with_lines(check, order.record) for check in told.get("checks", [])]
        told["checks"] = [{**check, "status": "void"} for check in checks]
        return self._change(venue, order, told, unknown, "void_order", received, warnings)

    def _wanted(self, venue: Venue, order_id: str) -> LedgerOrder:
        order = self.find(venue, order_id, BY_POS_ID if self._settings().order_id == "pos" else BY_ID)
        if order is None:
            raise Refused(404, "Order not found")
        return order

    def _change(
        self,
        venue: Venue,
        order: LedgerOrder,
        told: Mapping[str, Any],
        unknown: Collection[str],
        operation: str,
        received: int,
        warnings: Collection[str] = (),
    ) -> LedgerOrder:
        """Puts what was told in place of what was known; saying the same again changes nothing and is fine."""
        record = {**order.record, **_content(told)}
        now = self._clock().isoformat()
        changed = bool(differences(_picture(order), {**record, "status": told["status"]}))
        found = [*warnings, *doubts_about(told, order.record, unknown_fields=unknown, tables=self.tables(venue))]
        if order.status == Status.CLOSED and changed:
            self._may_change_closed(order, operation)
            found.append("the order was closed already")
        if operation == "update_order" and told["status"] == Status.CLOSED and not _all_void(told):
            found.append("closed by an update and not by the call for it")
        if told["id"] != order.record.get("posOrderId"):
            found.append(f"the order's own id is {told['id']}, at the seating it was {order.record.get('posOrderId')}")
        if told["status"] == Status.CLOSED:
            record.setdefault("closedAt", now)
            if _all_void(told):
                record.setdefault("voidedAt", now)
        else:
            record = {name: value for name, value in record.items() if name not in ("closedAt", "voidedAt")}
        return self._keep(order, record, Status(told["status"]), operation, received, found)

    def _may_change_closed(self, order: LedgerOrder, operation: str) -> None:
        if operation == "void_order" or self._settings().reopen:
            return
        if operation == "close_order" and "voidedAt" not in order.record:
            return
        raise Refused(409, "Order is void" if "voidedAt" in order.record else "Order is closed")

    def _link(self, order: LedgerOrder, record: dict[str, Any], answer: Mapping[str, Any]) -> list[str]:
        if "posOrderId" in record:
            return [
                f"the POS answered with {name} {answer[name]}, before with {record[own]}"
                for own, name in (("posOrderId", "id"), ("checkNumber", "checkNumber"))
                if answer[name] != record[own]
            ]
        record |= {"posOrderId": answer["id"], "checkNumber": answer["checkNumber"]}
        if "checks" not in record:
            record["checks"] = [{"checkNumber": answer["checkNumber"], "status": "open"}]
        self._ledger.put_document(BY_POS_ID, f"{order.scope} {answer['id']}", order.number)
        return []

    def _add(
        self,
        venue: Venue,
        record: dict[str, Any],
        status: Status,
        headers: Mapping[str, str],
        body: bytes,
        received: int | None = None,
        warnings: Collection[str] = (),
    ) -> LedgerOrder:
        now = self._clock()
        record |= {"version": 0, "openedAt": now.isoformat()}
        number = self._ledger.accept(scope=venue.id, status=status, at=now, headers=headers, body=body, record=record)
        self._ledger.put_document(BY_ID, f"{venue.id} {record['id']}", number)
        order = LedgerOrder(number, venue.id, status, None, now, now, headers, None, {})
        operation = "seat" if received is None else "open_order"
        return self._keep(order, record, status, operation, received, warnings)

    def _keep(
        self,
        order: LedgerOrder,
        record: dict[str, Any],
        status: Status,
        operation: str,
        received: int | None,
        warnings: Collection[str],
    ) -> LedgerOrder:
        changes = differences(_picture(order), {**record, "status": status})
        now: datetime = self._clock()
        record["entries"] = record.get("entries", 0) + 1
        record["version"] += bool(changes)
        entry = {
            "version": record["version"],
            "at": now.isoformat(),
            "operation": operation,
            "received": received,
            "status": status,
            "changes": [{"field": field, "before": before, "after": after} for field, before, after in changes],
            "warnings": list(warnings),
        }
        self._ledger.put_document(f"{HISTORY} {order.number}", str(record["entries"]), entry)
        self._ledger.replace_record(order.number, record, status=status, at=now)
        kept = self._ledger.find_order(order.number)
        assert kept is not None
        return kept

    def _with_lines(self, check: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
        """A check with the lines known before if it brings none, as the documented sample of a close does."""
        if check.get("items"):
            return dict(check)
        number = check["checkNumber"]
        before = {one["checkNumber"]: one.get("items", []) for one in known.get("checks", [])}
        return {**check, "items": before.get(number, [])}


def _seated(request: Mapping[str, Any]) -> dict[str, Any]:
    """What a request says about the guest, as far as it says it in the documented way: it may be wrong on purpose."""
    fields = {name: request[name] for name, kind in SEATED_TYPES.items() if isinstance(request.get(name), kind)}
    if not all(isinstance(table, str) for table in fields.get("tables", [])):
        del fields["tables"]
    return {("preorder" if name == "items" else name): value for name, value in fields.items()}


def _content(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in ("tables", "partySize", "checks") if name in told}


def _picture(order: LedgerOrder) -> dict[str, Any]:
    return {**order.record, "status": order.status}


def _all_void(told: Mapping[str, Any]) -> bool:
    return bool(told["checks"]) and all(check["status"] == "void" for check in told["checks"])

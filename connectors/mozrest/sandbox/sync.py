"""Pulls tables and orders from the POS and says, field by field, where they differ from Mozrest's own picture."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from connectors.mozrest.sandbox.compare import differences
from connectors.mozrest.sandbox.fields import listed_order_of
from connectors.mozrest.sandbox.orders import BY_POS_ID, Orders, Status
from connectors.mozrest.sandbox.pos import Pos
from connectors.mozrest.sandbox.seed import Settings, Venue
from hub.contract.sandbox import Clock
from hub.contract.sandbox.ledger import Ledger, LedgerOrder

# Mozrest: closed orders stay readable for 45 days.
READABLE = timedelta(days=45)


class Sync:
    """The reads of the POS."""

    def __init__(self, ledger: Ledger, orders: Orders, pos: Pos, clock: Clock) -> None:
        self._ledger = ledger
        self._orders = orders
        self._pos = pos
        self._clock = clock

    async def tables(self, venue: Venue, settings: Settings) -> dict[str, Any]:
        """Asks for the tables and keeps them if they are as documented: a bare array of id and name, both text."""
        answer = await self._pos.call(venue, "list_tables", settings.paths.tables)
        problems = [*answer.problems(), *(_table_problems(answer.body) if answer.ok else ())]
        kept = answer.ok and not _table_problems(answer.body)
        if kept:
            self._ledger.put_document("tables", venue.id, answer.body)
        return {**answer.shown(), "kept": kept, "problems": problems}

    async def orders(self, venue: Venue, settings: Settings, query: Mapping[str, str], *, each: bool) -> dict[str, Any]:
        """Asks for the list, with `each` also for every order in it, and compares both with our own picture."""
        answer = await self._pos.call(venue, "list_orders", settings.paths.orders, query=query)
        result: dict[str, Any] = {**answer.shown(), "problems": answer.problems(), "differences": []}
        if not answer.ok:
            return result
        if not isinstance(answer.body, list):
            result["problems"].append("the list is no bare array")
            return result
        seen: set[str] = set()
        for row in answer.body:
            pos_id, problems, found = self._judge(venue, row)
            seen.add(pos_id)
            result["problems"] += problems
            result["differences"] += found
            if each and pos_id:
                alone = await self.order(venue, settings, pos_id)
                result["problems"] += alone["problems"]
                result["differences"] += [one for one in alone["differences"] if one not in found]
        if not {"from", "until"} & set(query):  # which of an order's times these two mean is not documented
            result["differences"] += self._missing(venue, seen, query.get("status"))
        return result

    async def order(self, venue: Venue, settings: Settings, pos_id: str) -> dict[str, Any]:
        """Asks for one order and compares it with our own picture."""
        answer = await self._pos.call(venue, "get_order", settings.paths.order, order_id=pos_id)
        problems = answer.problems()
        found: list[dict[str, Any]] = []
        if answer.ok:
            told_id, wrong, found = self._judge(venue, answer.body)
            problems += wrong
            if told_id != pos_id:
                problems.append(f"order {pos_id} was asked for, and {told_id} was given")
        return {**answer.shown(), "problems": problems, "differences": found}

    def _judge(self, venue: Venue, row: Any) -> tuple[str, list[str], list[dict[str, Any]]]:
        """The POS order id of a row, what is wrong with its fields, and where it differs from our order."""
        told, errors = listed_order_of(row, venue.money_digits)
        pos_id = str(told.get("id", ""))
        problems = [f"order {pos_id}: {name}: {wrong}" for name, wrong in errors.items()]
        missing = [name for name in ("tables", "partySize") if name not in told]
        problems += [f"order {pos_id}: {name} is missing" for name in missing if name not in errors]
        ours = self._orders.find(venue, pos_id, BY_POS_ID)
        if ours is None:
            return pos_id, problems, [_difference(None, pos_id, "order", None, told.get("status"))]
        picture = {**ours.record, "status": ours.status}
        # An order that does not say who the guest is cannot differ in it.
        known = {name: value for name, value in picture.items() if name in told or not name.startswith("guest")}
        return (
            pos_id,
            problems,
            [_difference(ours, pos_id, field, mine, theirs) for field, mine, theirs in differences(known, told)],
        )

    def _missing(self, venue: Venue, seen: Iterable[str], status: str | None) -> list[dict[str, Any]]:
        """Our orders the POS should have listed and has not."""
        forgotten = (self._clock() - READABLE).isoformat()
        return [
            _difference(order, order.record["posOrderId"], "order", order.status, None)
            for order in self._orders.load()
            if order.scope == venue.id
            and order.status in (Status.OPEN, Status.CLOSED)
            and order.status == (status or order.status)
            and order.record.get("posOrderId", "") not in ("", *seen)
            and order.record.get("closedAt", "9") > forgotten
        ]


def _difference(ours: LedgerOrder | None, pos_id: str, field: str, mine: Any, theirs: Any) -> dict[str, Any]:
    return {
        "order": ours.record["id"] if ours else None,
        "posOrder": pos_id,
        "field": field,
        "mozrest": mine,
        "pos": theirs,
    }


def _table_problems(body: Any) -> list[str]:
    if not isinstance(body, list):
        return ["the list is no bare array"]
    wrong = [
        f"table {at}: {name} is no text, or blank"
        for at, row in enumerate(body)
        for name in ("id", "name")
        if not isinstance(row, dict) or not isinstance(row.get(name), str) or not row[name].strip()
    ]
    ids = [row["id"] for row in body if isinstance(row, dict) and isinstance(row.get("id"), str)]
    return [*wrong, *(f"table {one} is listed more than once" for one in sorted(set(ids)) if ids.count(one) > 1)]

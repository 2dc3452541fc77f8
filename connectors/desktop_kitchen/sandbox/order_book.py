"""The orders of the Desktop Kitchen sandbox: numbered, written down, changed, and seen by others a moment later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from connectors.desktop_kitchen.sandbox.answers import timestamp
from hub.contract.sandbox import Clock
from hub.contract.sandbox.ledger import Ledger, LedgerOrder


class OrderStatus(StrEnum):
    """Where an order stands."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    PREPARING = "preparing"
    READY = "ready"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


# The kitchen display shows these.
ON_DISPLAY: tuple[str, ...] = (OrderStatus.PENDING, OrderStatus.CONFIRMED, OrderStatus.PREPARING)
FROM_THE_TILL = "pos"


@dataclass(frozen=True)
class _Held:
    """A change that other calls do not see yet: until when, and what they see instead (None: nothing)."""

    until: datetime
    before: LedgerOrder | None


class OrderBook:
    """Orders by tenant.

    Everything is in the ledger before the call is answered. What the vendor commits only after its answer is
    played by what `find` and `page` show: the order as it was, until the delay has passed.
    """

    def __init__(self, ledger: Ledger, clock: Clock, commit_delay_ms: int) -> None:
        self._ledger = ledger
        self._clock = clock
        self._commit_delay = timedelta(milliseconds=commit_delay_ms)
        self._held: dict[int, list[_Held]] = {}

    def add(
        self,
        tenant_id: str,
        record: Mapping[str, Any],
        *,
        status: str = OrderStatus.PENDING,
        offline_temp_id: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"null",
        at_once: bool = False,
    ) -> LedgerOrder:
        """Writes an order down with its number and the ids of its items and their modifiers."""
        now = self._clock()
        with self._ledger.unit():
            numbered = {
                **record,
                "order_number": self._order_number(tenant_id, record["source"], now),
                "items": [self._item(item) for item in record["items"]],
                "kitchen_arrivals": [timestamp(now)] if status in ON_DISPLAY else [],
            }
            number = self._ledger.accept(
                scope=tenant_id,
                status=status,
                at=now,
                headers=headers or {},
                body=body,
                record=numbered,
                idempotency_key=offline_temp_id,
            )
            if offline_temp_id is not None:
                key = _replay_key(tenant_id, offline_temp_id)
                self._ledger.put_document("offline_temp_id", key, [*self._numbers_under(key), number])
        if not at_once:
            self._hold(number, None)
        return self._written(number)

    def find(self, tenant_id: str, number: int) -> LedgerOrder | None:
        """An order as another call sees it."""
        self._let_go()
        order = self._as_seen(number)
        return order if order is not None and order.scope == tenant_id else None

    def find_replayed(self, tenant_id: str, offline_temp_id: str) -> LedgerOrder | None:
        """The first order under this key that another call can see."""
        numbers = self._numbers_under(_replay_key(tenant_id, offline_temp_id))
        return next((order for number in numbers if (order := self.find(tenant_id, number)) is not None), None)

    def page(
        self, tenant_id: str, *, status: str | None = None, day: datetime | None = None, newest: int | None = None
    ) -> list[LedgerOrder]:
        """The orders that match as another call sees them: the `newest` so many first, or all, oldest first.

        `day` is midnight (UTC) of the day an order was created on.
        """
        self._let_go()
        rows, _ = self._ledger.load_orders(
            scope=tenant_id,
            status=status,
            from_time=day,
            before_time=day + timedelta(days=1) if day else None,
            descending=newest is not None,
            limit=-1 if newest is None else newest + len(self._held),
        )
        if not self._held:
            return rows[:newest]
        seen = [self._as_seen(number) for number in {row.number for row in rows} | set(self._held)]
        kept = [
            order
            for order in seen
            if order is not None
            and order.scope == tenant_id
            and status in (None, order.status)
            and (day is None or day <= order.received_at < day + timedelta(days=1))
        ]
        return sorted(kept, key=lambda order: order.number, reverse=newest is not None)[:newest]

    def move(self, number: int, status: str, *, at_once: bool = False) -> None:
        """Gives an order a status, with the time it became ready or completed."""
        marks = {OrderStatus.READY.value: "ready_at", OrderStatus.COMPLETED.value: "completed_at"}
        fields = {marks[status]: timestamp(self._clock())} if status in marks else {}
        self.change(number, fields, status=status, at_once=at_once)

    def change(
        self, number: int, fields: Mapping[str, Any], *, status: str | None = None, at_once: bool = False
    ) -> LedgerOrder:
        """Changes fields and status of an order; `at_once` for the clerk, whose changes nobody waits for."""
        now, before = self._clock(), self._written(number)
        record = {**before.record, **fields}
        if status in ON_DISPLAY and before.status not in ON_DISPLAY:
            record["kitchen_arrivals"] = [*record["kitchen_arrivals"], timestamp(now)]
        with self._ledger.unit():
            self._ledger.set_record(number, record)
            if status is not None and status != before.status:
                self._ledger.set_status(number, status, now)
        if not at_once:
            self._hold(number, before)
        return self._written(number)

    def renumber_items(self, items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """New ids for items that take the place of others."""
        with self._ledger.unit():
            return [self._item(item) for item in items]

    def _written(self, number: int) -> LedgerOrder:
        order = self._ledger.find_order(number)
        assert order is not None, f"order {number} was forgotten while it was worked on"
        return order

    def _item(self, item: Mapping[str, Any]) -> dict[str, Any]:
        modifiers = [{**one, "id": self._next("order_item_modifiers")} for one in item["modifiers"]]
        return {**item, "id": self._next("order_items"), "modifiers": modifiers}

    def _order_number(self, tenant_id: str, source: str, now: datetime) -> str:
        """The UTC date and a counter. The till counts for itself, everything else counts the orders of the day.

        So both may give one number, as was seen: a platform's order and the next one of the till were twins.
        """
        day = now.astimezone(UTC).strftime("%Y%m%d")
        if source == FROM_THE_TILL:
            count = self._next(f"{tenant_id} {day}")
        else:
            midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
            _, today = self._ledger.load_orders(scope=tenant_id, from_time=midnight, limit=0)
            count = today + 1
        return str(int(day) * 1000 + count)

    def _next(self, counter: str) -> int:
        number = int(self._ledger.find_document("counter", counter) or 0) + 1
        self._ledger.put_document("counter", counter, number)
        return number

    def _numbers_under(self, key: str) -> list[int]:
        numbers: list[int] = self._ledger.find_document("offline_temp_id", key) or []
        return numbers

    def _hold(self, number: int, before: LedgerOrder | None) -> None:
        if self._commit_delay:
            self._held.setdefault(number, []).append(_Held(self._clock() + self._commit_delay, before))

    def _let_go(self) -> None:
        now = self._clock()
        still = {number: [one for one in held if one.until > now] for number, held in self._held.items()}
        self._held = {number: held for number, held in still.items() if held}

    def _as_seen(self, number: int) -> LedgerOrder | None:
        held = self._held.get(number)
        return held[0].before if held else self._ledger.find_order(number)


def _replay_key(tenant_id: str, offline_temp_id: str) -> str:
    return f"{tenant_id} {offline_temp_id}"

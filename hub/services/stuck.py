"""Deliveries that wait for a person: found when their deadline passes, delivered again or marked as done by hand."""

from collections.abc import Sequence

from msgspec import structs
from sqlalchemy import Connection

from hub.contract.ports import Clock
from hub.database import deliveries as stored
from hub.database import orders as stored_orders
from hub.database import outbox
from hub.database.deliveries import DeadDelivery, State
from hub.database.engine import Database
from hub.database.outbox import Completion
from hub.database.overdue import Overdue, load_overdue
from hub.errors import Conflict
from hub.model import causes
from hub.model.ids import NewId
from hub.model.order import Order
from hub.model.status import Stage

_SECOND_CHANCE_MS = 10 * 60_000
_SURELY_NOT_SENT = (causes.DEADLINE_PASSED, causes.POS_REJECTED, causes.VALUE_NOT_MAPPED, causes.POS_RATE_LIMITED)


_NOT_IN_THE_POS = (Stage.RECEIVED, Stage.REJECTED)


class Stuck:
    """Everything a person can do about a delivery."""

    def __init__(self, *, database: Database, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    async def give_up_overdue(self) -> int:
        """Hands deliveries whose deadline passed while nobody could work on them to a person; returns how many."""
        now_ms = self._clock.now_ms()

        def unit(connection: Connection) -> int:
            overdue = load_overdue(connection, now_ms)
            if overdue:
                outbox.complete(connection, [_given_up(entry, now_ms) for entry in overdue])
            return len(overdue)

        return await self._database.write(unit)

    async def load(self) -> list[DeadDelivery]:
        """All deliveries that wait for a person, oldest first."""
        return await self._database.read(stored.load_dead)

    async def deliver_again(self, order: Order, *, actor: str, force: bool = False) -> int:
        """Gives an order's waiting deliveries a new deadline of ten minutes; returns how many.

        What may have reached the POS is looked up first, unless `force` says that a person looked.
        Raises `Conflict` when nothing waits.
        """
        now_ms = self._clock.now_ms()

        def unit(connection: Connection) -> int:
            dead = self._dead(connection, order)
            for entry in dead:
                stored.revive(
                    connection,
                    entry.delivery_id,
                    now_ms=now_ms,
                    deliver_by_ms=now_ms + _SECOND_CHANCE_MS,
                    sent_before=not force and entry.cause not in _SURELY_NOT_SENT,
                )
            stage = Stage.RECEIVED if order.stage is Stage.REJECTED else order.stage
            self._note(connection, order, stage, kind="deliver_again", actor=actor, now_ms=now_ms)
            return len(dead)

        return await self._database.write(unit)

    async def mark_done(self, order: Order, *, actor: str) -> int:
        """Notes that a person brought the order into the POS by hand; returns how many deliveries that ends.

        Raises `Conflict` when nothing waits.
        """
        now_ms = self._clock.now_ms()

        def unit(connection: Connection) -> int:
            dead = self._dead(connection, order)
            for entry in dead:
                stored.finish_by_hand(connection, entry.delivery_id, now_ms=now_ms)
            brought = any(entry.operation in stored.BLOCKING_OPERATIONS for entry in dead)
            stage = Stage.ACCEPTED if brought and order.stage in _NOT_IN_THE_POS else order.stage
            self._note(connection, order, stage, kind="done_by_hand", actor=actor, now_ms=now_ms)
            return len(dead)

        return await self._database.write(unit)

    def _dead(self, connection: Connection, order: Order) -> Sequence[DeadDelivery]:
        dead = stored.load_dead(connection, order.id)
        if not dead:
            raise Conflict(f"order {order.number} has nothing that waits for a person")
        return dead

    def _note(self, connection: Connection, order: Order, stage: Stage, *, kind: str, actor: str, now_ms: int) -> None:
        after = structs.replace(order, stage=stage, updated_at_ms=now_ms)
        saved = stored_orders.save_change(
            connection, order, after, event_id=self._new_id("evt"), kind=kind, actor=actor, detail=""
        )
        if saved is None:
            raise Conflict(f"order {order.number} changed at this moment; try again")


def _given_up(entry: Overdue, now_ms: int) -> Completion:
    return Completion(
        delivery_id=entry.delivery_id,
        lane_id=entry.lane_id,
        order_id=entry.order_id,
        link_id=entry.link_id,
        epoch=entry.epoch,
        seq=entry.seq,
        state=State.DEAD,
        now_ms=now_ms,
        cause=causes.OUTCOME_UNKNOWN if entry.uncertain else causes.DEADLINE_PASSED,
        detail=entry.detail or _why_never_tried(entry),
    )


def _why_never_tried(entry: Overdue) -> str:
    cause = causes.CAUSES.get(entry.link_paused_cause)
    return "" if cause is None else f"the link was paused: {cause.title}"

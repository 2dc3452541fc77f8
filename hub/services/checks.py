"""The checks of a tab: split, joined, closed and voided one by one. A POS knows one bill; the hub keeps the checks."""

from collections.abc import Callable, Sequence

from msgspec import structs

from hub.contract.writes import Operation
from hub.errors import InvalidRequest
from hub.model import lifecycle
from hub.model.change import Change, PaymentChange, StageChange
from hub.model.check import Check
from hub.model.ids import NewId
from hub.model.order import Order
from hub.model.payment import Payment
from hub.model.status import FINAL_STAGES, Stage, Status
from hub.services import order_rules
from hub.services.asked import Asked, Changed
from hub.services.changes import Changes
from hub.services.check_split import Taken, move_lines, split_evenly, split_lines

_MOST_CHECKS = 100

Writes = tuple[tuple[Operation, Change], ...]


class Checks:
    """Every change of checks. Each takes the order's version in `asked`, as all changes do."""

    def __init__(self, *, changes: Changes, new_id: NewId) -> None:
        self._changes = changes
        self._new_id = new_id

    async def split_by_lines(self, asked: Asked, parts: Sequence[Taken], *, check_id: str = "") -> Changed:
        """Moves lines of a check to new checks, one per part.

        Raises `InvalidRequest` naming the field.
        """
        return await self._split(asked, check_id, lambda check: split_lines(check, parts, self._new_id))

    async def split_evenly(self, asked: Asked, ways: int, *, check_id: str = "") -> Changed:
        """Divides what is due on a check by so many, each with a check of their own.

        Raises `InvalidRequest` naming the field.
        """
        return await self._split(asked, check_id, lambda check: split_evenly(check, ways, self._new_id))

    async def _split(self, asked: Asked, check_id: str, split: Callable[[Check], list[Check]]) -> Changed:
        def change(order: Order, now_ms: int) -> tuple[Order, Writes]:
            check = _open_check(order, check_id)
            rest, *others = split(check)
            if len(order.checks) + len(others) > _MOST_CHECKS:
                raise InvalidRequest(f"parts: an order has at most {_MOST_CHECKS} checks", field="parts")
            wider = structs.replace(order, checks=(*order.checks, *others))
            return lifecycle.with_check(wider, rest, now_ms), ()

        return await self._changes.carry_out(asked, change, kind="check_split")

    async def move(self, asked: Asked, lines: Taken, *, check_id: str, to_check_id: str) -> Changed:
        """Moves lines from one check to another one of the order.

        Raises `InvalidRequest` naming the field.
        """

        def change(order: Order, now_ms: int) -> tuple[Order, Writes]:
            source, target = _open_check(order, check_id), _open_check(order, to_check_id, "to")
            if source.id == target.id:
                raise InvalidRequest("to: the lines are on this check already", field="to")
            rest, joined = move_lines(source, target, lines, self._new_id)
            return lifecycle.with_check(lifecycle.with_check(order, rest, now_ms), joined, now_ms), ()

        return await self._changes.carry_out(asked, change, kind="lines_moved")

    async def close(self, asked: Asked, *, check_id: str, payments: Sequence[Payment] = ()) -> Changed:
        """Closes one check, with payments taken for it if any; the order closes with the last one.

        One that is closed already stays so. Raises `InvalidRequest` when it is void, or paid too much.
        """

        def change(order: Order, now_ms: int) -> tuple[Order, Writes]:
            check = order_rules.find_check(order, check_id)
            if check.status is Status.CLOSED:
                return order, ()
            writes: Writes = ()
            if payments:
                order = order_rules.with_payments(order, check, tuple(payments), now_ms)
                check = order_rules.find_check(order, check.id)
                writes = ((Operation.RECORD_PAYMENT, PaymentChange(check_id=check.id, payments=tuple(payments))),)
            order_rules.require_open(check)
            closed = lifecycle.with_check(order, structs.replace(check, status=Status.CLOSED), now_ms)
            return _completed(closed, writes)

        return await self._changes.carry_out(asked, change, kind="check_closed")

    async def void(self, asked: Asked, *, check_id: str, reason: str) -> Changed:
        """Takes the effect from one check; when no other one counts, the whole order is cancelled.

        One that is void already stays so. Raises `InvalidRequest` when it is closed, or paid.
        """

        def change(order: Order, now_ms: int) -> tuple[Order, Writes]:
            check = order_rules.find_check(order, check_id)
            if check.status is Status.VOID:
                return order, ()
            order_rules.require_open(check)
            if check.paid_cents:
                raise InvalidRequest(
                    f"checkId: {check.paid_cents} are paid on this check; give them back first",
                    field="checkId",
                    code="CHECK_PAID",
                )
            if all(own.status is Status.VOID for own in order.checks if own.id != check.id):
                raise _NothingLeft
            voided = lifecycle.with_check(order, structs.replace(check, status=Status.VOID), now_ms)
            return _completed(voided, ())

        try:
            return await self._changes.carry_out(asked, change, kind="check_voided", detail=reason)
        except _NothingLeft:
            return await self._changes.cancel(asked, reason=reason)


class _NothingLeft(Exception):
    """The check to be voided is the last one that counts."""


def _open_check(order: Order, check_id: str, field: str = "checkId") -> Check:
    check = order_rules.find_check(order, check_id)
    if check.status is not Status.OPEN:
        raise InvalidRequest(f"{field}: check {check.id} is {check.status}", field=field, code="CHECK_CLOSED")
    return check


def _completed(order: Order, writes: Writes) -> tuple[Order, Writes]:
    """An order whose last check was just closed is completed, and its POS is told so."""
    audit = structs.replace(order.money_audit, computed_cents=order.totals.total_cents)
    order = structs.replace(order, money_audit=audit)
    if order.status is not Status.CLOSED or order.stage in FINAL_STAGES:
        return order, writes
    done = structs.replace(order, stage=Stage.COMPLETED)
    return done, (*writes, (Operation.SET_STAGE, StageChange(stage=Stage.COMPLETED)))

"""Changes an order after it was placed: stored here first, then sent to the POS that holds it, where it can."""

from collections.abc import Callable, Sequence

from msgspec import structs
from sqlalchemy import Connection

from hub.contract.ports import Clock
from hub.contract.registry import Registry
from hub.contract.writes import Operation
from hub.database import change_keys
from hub.database import orders as stored
from hub.database.deliveries import enqueue
from hub.database.engine import Database
from hub.database.order_reads import load_order
from hub.database.withdrawal import Whereabouts, has_lane, has_open_delivery, is_known_there, withdraw
from hub.errors import Conflict, InvalidRequest, NotFound
from hub.model import causes, lifecycle
from hub.model.change import (
    Change,
    DiscountChange,
    DriverChange,
    LinesChange,
    PaymentChange,
    RefundChange,
    StageChange,
)
from hub.model.ids import NewId
from hub.model.order import Order
from hub.model.payment import Payment
from hub.model.status import Stage, Status
from hub.model.venue import Link, Venue
from hub.services import order_rules
from hub.services.asked import Asked, AtPos, Changed
from hub.services.directory import Catalog, Directory
from hub.services.pricing import bill, price_lines
from hub.services.requests import DiscountRequest, LineRequest

_MINUTE_MS = 60_000
_KITCHEN_MINUTES = 10  # decisions: what the kitchen must hear of is given up after ten minutes
_BOOKKEEPING_MINUTES = 24 * 60
_SURELY_NOT_SENT = (causes.DEADLINE_PASSED, causes.POS_REJECTED, causes.VALUE_NOT_MAPPED, causes.POS_RATE_LIMITED)
_KITCHENS_BUSINESS = (
    Operation.SUBMIT_ORDER,
    Operation.SEND_TO_KITCHEN,
    Operation.CANCEL_ORDER,
    Operation.ADD_LINES,
    Operation.SET_STAGE,
)


class Changes:
    """Every change of one order. `on_queued` is told the link that has something to send."""

    def __init__(
        self,
        *,
        database: Database,
        directory: Directory,
        registry: Registry,
        clock: Clock,
        new_id: NewId,
        on_queued: Callable[[str], None],
    ) -> None:
        self._database = database
        self._directory = directory
        self._registry = registry
        self._clock = clock
        self._new_id = new_id
        self._on_queued = on_queued

    async def cancel(self, asked: Asked, *, reason: str) -> Changed:
        """Cancels an order. What the POS may have is cancelled when the POS agrees; one cancelled already is fine.

        Raises `InvalidRequest` when it is too late or the POS cannot cancel, `Conflict` on another version.
        """
        now_ms = self._clock.now_ms()

        def unit(connection: Connection) -> tuple[Changed, str]:
            order = _load(connection, asked)
            link = self._directory.link_of(order.venue_id)
            if order.stage is Stage.CANCELLED:
                return self._answer(connection, order, AtPos.APPLIED if link else AtPos.NO_POS), ""
            if order.status is not Status.OPEN:
                raise InvalidRequest(f"the order is {order.stage} already", code="ORDER_CLOSED")
            if link is None or self._is_taken_back(connection, order, link):
                after = lifecycle.cancelled(order, now_ms)
                saved = self._save(connection, asked, order, after, "cancelled", reason)
                return self._answer(connection, saved, AtPos.APPLIED if link else AtPos.NO_POS), ""
            return self._ask_to_cancel(connection, asked, order, link, reason, now_ms), link.id

        return await self._run(asked, unit)

    def _is_taken_back(self, connection: Connection, order: Order, link: Link) -> bool:
        where = withdraw(connection, order.id, link.id, surely_not_sent=_SURELY_NOT_SENT)
        if where is Whereabouts.UNCLEAR:
            raise Conflict(
                "nobody knows whether the POS has this order: look there, then settle it with "
                f"`openpos-hub deliver {order.number}` or `openpos-hub deliver {order.number} --done`",
                code="OUTCOME_UNKNOWN",
            )
        return where is Whereabouts.NOT_SENT

    def _ask_to_cancel(
        self, connection: Connection, asked: Asked, order: Order, link: Link, reason: str, now_ms: int
    ) -> Changed:
        if not self._offers(link, Operation.CANCEL_ORDER):
            raise InvalidRequest(
                f"{self._vendor(link)} cannot cancel orders for others: cancel it at the POS",
                code="NOT_SUPPORTED_BY_POS",
            )
        if not has_open_delivery(connection, order.id, link.id, Operation.CANCEL_ORDER):
            after = structs.replace(order, updated_at_ms=now_ms)
            order = self._save(connection, asked, order, after, "cancel_requested", reason)
            self._enqueue(connection, order, link, Operation.CANCEL_ORDER, None, reason=reason)
        return self._answer(connection, order, AtPos.QUEUED, applied=False)

    async def set_stage(self, asked: Asked, stage: Stage) -> Changed:
        """Moves an order on, as the kitchen or the counter says. Raises `InvalidRequest` for a step back."""
        return await self._change(
            asked,
            Operation.SET_STAGE,
            lambda order, now_ms: (order_rules.at_stage(order, stage, now_ms), StageChange(stage=stage)),
            kind=stage.value,
        )

    async def record_payments(self, asked: Asked, payments: Sequence[Payment], *, check_id: str = "") -> Changed:
        """Records payments of a check; the same reference again changes nothing.

        Raises `InvalidRequest` when they are more than what is due.
        """

        def change(order: Order, now_ms: int) -> tuple[Order, Change]:
            known = {payment.reference for check in order.checks for payment in check.payments if payment.reference}
            fresh = tuple(payment for payment in payments if payment.reference not in known)
            if not fresh:
                return order, PaymentChange(check_id=check_id, payments=())
            check = order_rules.find_check(order, check_id)
            after = order_rules.with_payments(order, check, fresh, now_ms)
            return after, PaymentChange(check_id=check.id, payments=fresh)

        words = ", ".join(f"{payment.cents} by {payment.method}" for payment in payments)
        return await self._change(asked, Operation.RECORD_PAYMENT, change, kind="paid", detail=words)

    async def refund(self, asked: Asked, payment_id: str, cents: int | None, *, reason: str) -> Changed:
        """Gives part of a payment back, or with None all that is left of it."""

        def change(order: Order, now_ms: int) -> tuple[Order, Change]:
            amount = order_rules.left_of(order, payment_id) if cents is None else cents
            after = order_rules.with_refund(order, payment_id, amount, now_ms)
            return after, RefundChange(payment_id=payment_id, cents=amount)

        return await self._change(asked, Operation.REFUND_PAYMENT, change, kind="refunded", detail=reason)

    async def discount(
        self, asked: Asked, discount: DiscountRequest, *, check_id: str = "", coupon: str = ""
    ) -> Changed:
        """Gives a check a discount in place of any it had."""
        venue, catalog = await self._venue_of(asked)

        def change(order: Order, now_ms: int) -> tuple[Order, Change]:
            check = order_rules.find_check(order, check_id)
            order_rules.require_open(check)
            bare = [structs.replace(line, discount_cents=0) for line in check.lines]
            after = bill(catalog, check, bare, policies=venue.policies, order_type=order.order_type, discount=discount)
            given = DiscountChange(check_id=check.id, discount=after.discounts[0], coupon=coupon)
            return _recomputed(lifecycle.with_check(order, after, now_ms)), given

        words = f"{discount.type} {discount.value}"
        return await self._change(asked, Operation.APPLY_DISCOUNT, change, kind="discounted", detail=words)

    async def add_lines(self, asked: Asked, lines: Sequence[LineRequest], *, check_id: str = "") -> Changed:
        """Adds a round to the tab, priced from the menu; a percentage given before counts for it too."""
        venue, catalog = await self._venue_of(asked)

        def change(order: Order, now_ms: int) -> tuple[Order, Change]:
            check = order_rules.find_check(order, check_id)
            order_rules.require_open(check)
            already = sum(len(own.lines) for own in order.checks)
            added = price_lines(catalog, lines, already=already)
            bare = [structs.replace(line, discount_cents=0) for line in (*check.lines, *added)]
            given = check.discounts[0] if check.discounts else None
            discount = None if given is None else DiscountRequest.like(given)
            after = bill(catalog, check, bare, policies=venue.policies, order_type=order.order_type, discount=discount)
            fresh = LinesChange(check_id=check.id, lines=after.lines[len(check.lines) :])
            return _recomputed(lifecycle.with_check(order, after, now_ms)), fresh

        words = ", ".join(f"{line.quantity} x {line.item_id}" for line in lines)
        return await self._change(asked, Operation.ADD_LINES, change, kind="lines_added", detail=words)

    async def assign_driver(self, asked: Asked, driver_id: str, name: str = "") -> Changed:
        """Says who brings the order; only the POS keeps that."""
        change = DriverChange(driver_id=driver_id, name=name)
        return await self._change(
            asked,
            Operation.ASSIGN_DRIVER,
            lambda order, now_ms: (order_rules.still_open(order, now_ms), change),
            kind="driver_assigned",
            detail=name or driver_id,
            pos_only=True,
        )

    async def send_to_kitchen(self, asked: Asked) -> Changed:
        """Has the POS make kitchen tickets for what has none yet."""
        return await self._change(
            asked,
            Operation.SEND_TO_KITCHEN,
            lambda order, now_ms: (order_rules.still_open(order, now_ms), None),
            kind="sent_to_kitchen",
            pos_only=True,
        )

    async def carry_out(
        self,
        asked: Asked,
        change: Callable[[Order, int], tuple[Order, Sequence[tuple[Operation, Change]]]],
        *,
        kind: str,
        detail: str = "",
    ) -> Changed:
        """A change that is the hub's own; `change` gives the order after it and what the POS may be told of it."""
        now_ms = self._clock.now_ms()

        def unit(connection: Connection) -> tuple[Changed, str]:
            order = _load(connection, asked)
            link = self._directory.link_of(order.venue_id)
            after, writes = change(order, now_ms)
            if after == order:
                return self._answer(connection, order, AtPos.APPLIED if link else AtPos.NO_POS), ""
            saved = self._save(connection, asked, order, after, kind, detail)
            if link is None:
                return self._answer(connection, saved, AtPos.NO_POS), ""
            if not _was_ever_sent(connection, saved, link):
                return self._answer(connection, saved, AtPos.APPLIED), ""
            offered = [write for write in writes if self._offers(link, write[0])]
            for operation, carried in offered:
                self._enqueue(connection, saved, link, operation, carried)
            if not offered:
                return self._answer(connection, saved, AtPos.NOT_SUPPORTED), ""
            return self._answer(connection, saved, AtPos.QUEUED), link.id

        return await self._run(asked, unit)

    async def _change(
        self,
        asked: Asked,
        operation: Operation,
        change: Callable[[Order, int], tuple[Order, Change | None]],
        *,
        kind: str,
        detail: str = "",
        pos_only: bool = False,
    ) -> Changed:
        now_ms = self._clock.now_ms()

        def unit(connection: Connection) -> tuple[Changed, str]:
            order = _load(connection, asked)
            link = self._directory.link_of(order.venue_id)
            able = link is not None and self._offers(link, operation)
            if pos_only and not able:
                raise InvalidRequest("this store's POS cannot do that", code="NOT_SUPPORTED_BY_POS")
            if pos_only and link is not None and not _was_ever_sent(connection, order, link):
                raise InvalidRequest("the POS does not have this order yet", code="NOT_AT_POS")
            after, carried = change(order, now_ms)
            if after == order:
                return self._answer(connection, order, AtPos.APPLIED if link else AtPos.NO_POS), ""
            saved = self._save(connection, asked, order, after, kind, detail)
            if link is None:
                return self._answer(connection, saved, AtPos.NO_POS), ""
            if not _was_ever_sent(connection, saved, link):
                if operation is not Operation.ADD_LINES:  # a tab on which nothing was ordered yet
                    return self._answer(connection, saved, AtPos.APPLIED), ""
                for step in self._registry.get(link.connector).pos.submission:  # the POS hears of it only now
                    self._enqueue(connection, saved, link, step, None)
            elif able:
                self._enqueue(connection, saved, link, operation, carried)
            else:
                return self._answer(connection, saved, AtPos.NOT_SUPPORTED), ""
            return self._answer(connection, saved, AtPos.QUEUED), link.id

        return await self._run(asked, unit)

    async def find_first_answer(self, asked: Asked) -> str:
        """What the same request was answered when it came first; empty when it comes now for the first time.

        Raises `KeyReused`.
        """
        once = asked.once
        if once is None:
            return ""
        now_ms = self._clock.now_ms()
        first = await self._database.read(lambda connection: change_keys.find_first(connection, once.name, now_ms))
        return "" if first is None else once.answer_of(first)

    async def _run(self, asked: Asked, unit: Callable[[Connection], tuple[Changed, str]]) -> Changed:
        once = asked.once

        def unit_once(connection: Connection) -> tuple[Changed, str]:
            if once is None:
                return unit(connection)
            first = once.take(connection, asked.order_id, self._clock.now_ms())
            if first is not None:
                answer = once.answer_of(first)
                record = load_order(connection, asked.order_id)
                assert record is not None  # a key is deleted no later than its order
                return Changed(record=record, pos=AtPos.APPLIED, first_answer=answer), ""
            changed, link_id = unit(connection)
            change_keys.keep_answer(connection, once.name, once.render(changed))
            return changed, link_id

        changed, link_id = await self._database.write(unit_once)
        if link_id:
            self._on_queued(link_id)
        return changed

    async def _venue_of(self, asked: Asked) -> tuple[Venue, Catalog]:
        record = await self._database.read(lambda connection: load_order(connection, asked.order_id))
        if record is None:
            raise NotFound(f"there is no order {asked.order_id!r}")
        venue = self._directory.venue(record.order.venue_id)
        return venue, await self._directory.catalog(venue.id)

    def _offers(self, link: Link, operation: Operation) -> bool:
        return operation.value in self._registry.get(link.connector).pos.capabilities

    def _vendor(self, link: Link) -> str:
        return self._registry.get(link.connector).manifest.name

    def _save(self, connection: Connection, asked: Asked, before: Order, after: Order, kind: str, detail: str) -> Order:
        saved = stored.save_change(
            connection, before, after, event_id=self._new_id("evt"), kind=kind, actor=asked.actor, detail=detail
        )
        if saved is None:
            raise Conflict("the order changed at this moment; read it again and repeat", code="VERSION_CONFLICT")
        return saved

    def _enqueue(
        self,
        connection: Connection,
        order: Order,
        link: Link,
        operation: Operation,
        change: Change | None,
        *,
        reason: str = "",
    ) -> None:
        minutes = _KITCHEN_MINUTES if operation in _KITCHENS_BUSINESS else _BOOKKEEPING_MINUTES
        enqueue(
            connection,
            lane_id=self._new_id("lane"),
            delivery_id=self._new_id("dlv"),
            link_id=link.id,
            order_id=order.id,
            operation=operation.value,
            reason=reason,
            change=change,
            now_ms=order.updated_at_ms,
            deliver_by_ms=self._clock.now_ms() + minutes * _MINUTE_MS,
        )

    def _answer(self, connection: Connection, order: Order, pos: AtPos, *, applied: bool = True) -> Changed:
        record = load_order(connection, order.id)
        assert record is not None  # it was read in this very transaction
        return Changed(record=record, pos=pos, applied=applied)


def _load(connection: Connection, asked: Asked) -> Order:
    record = load_order(connection, asked.order_id)
    if record is None:
        raise NotFound(f"there is no order {asked.order_id!r}")
    if asked.version is not None and record.order.version != asked.version:
        raise Conflict(
            f"version: the order is at version {record.order.version}, not {asked.version}; read it again",
            field="version",
            code="VERSION_CONFLICT",
        )
    return record.order


def _was_ever_sent(connection: Connection, order: Order, link: Link) -> bool:
    """Whether the POS has the order or will have it: also one that was opened there, for which nothing was sent."""
    return has_lane(connection, order.id, link.id) or is_known_there(connection, order.id, link.id)


def _recomputed(order: Order) -> Order:
    """The order with what its total is now in the audit."""
    audit = structs.replace(order.money_audit, computed_cents=order.totals.total_cents)
    return structs.replace(order, money_audit=audit)

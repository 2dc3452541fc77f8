"""Compares an order with what the POS tells of it: pure functions. The POS wins on status, lines and total."""

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from hub.model import lifecycle
from hub.model.check import Charge, Check, Line, payment_status_of, rebilled
from hub.model.menu import Item
from hub.model.order import Order, PosOrder
from hub.model.payment import Payment
from hub.model.status import PaymentStatus, Stage, Status


class Difference(Struct, frozen=True, kw_only=True):
    """The order as the POS has it now, and in words what is new about it."""

    order: Order
    words: tuple[str, ...]


def compare(
    order: Order,
    told: PosOrder,
    items: Mapping[str, Item],
    now_ms: int,
    *,
    seats_at_pos: bool = True,
    answered_cents: int | None = None,
) -> Difference | None:
    """What the POS changed; None when nothing differs. `items` is the venue's menu by item id.

    `answered_cents` is the total the POS named when it took the order; it may have changed since.

    Without `seats_at_pos` somebody else says where the guests sit, and what the POS says of that does not count.

    Lines are compared by item and quantity only: many vendors keep modifiers as text. Lines the hub knows stay as
    they are; what the waiter added at the POS is added here, what is gone there goes here.
    """
    words: list[str] = []
    after = _with_lines(order, told, items, words)
    after = _with_payments(after, told, words)
    after = _with_total(after, told, answered_cents, words)
    after = _with_seats(after, told, words) if seats_at_pos else after
    after = _with_status(after, told, now_ms, words)
    return Difference(order=structs.replace(after, updated_at_ms=now_ms), words=tuple(words)) if words else None


def known_line(line: Line, items: Mapping[str, Item]) -> Line:
    """A line the POS told, as the hub's own item where its menu has it: by the hub's id or by the vendor's."""
    if line.item_id in items:
        return line
    vendor_id = line.vendor.get("id")
    if vendor_id is None:
        return line
    for item in items.values():
        if str(item.vendor.get("id")) == str(vendor_id):
            return structs.replace(line, item_id=item.id, name=line.name or item.name)
    return line


def _with_lines(order: Order, told: PosOrder, items: Mapping[str, Item], words: list[str]) -> Order:
    opened = [check for check in order.checks if check.status is Status.OPEN]
    if told.summary_only or not told.checks or len(opened) != 1 or len(order.checks) != 1:
        return order  # several checks are the hub's own; a POS that knows one bill cannot say whose a line is
    check = opened[0]
    theirs = [known_line(line, items) for own in told.checks for line in own.lines]
    lines = _merged(check.lines, theirs, words)
    if lines == check.lines:
        return order
    after = lifecycle.with_check(order, rebilled(check, lines), order.updated_at_ms)
    audit = structs.replace(order.money_audit, computed_cents=after.totals.total_cents)
    return structs.replace(after, money_audit=audit)


def _merged(ours: Sequence[Line], theirs: Sequence[Line], words: list[str]) -> tuple[Line, ...]:
    left: dict[str, int] = {}
    for line in theirs:
        left[_key(line)] = left.get(_key(line), 0) + line.quantity
    merged: list[Line] = []
    for line in ours:
        kept = min(line.quantity, left.get(_key(line), 0))
        left[_key(line)] = left.get(_key(line), 0) - kept
        if kept < line.quantity:
            words.append(f"{line.quantity - kept} x {line.name} taken off at the POS")
        if kept:
            merged.append(line if kept == line.quantity else _of_quantity(line, kept))
    added: list[Line] = []
    for line in reversed(theirs):  # what was added came last
        more = min(line.quantity, left[_key(line)])
        if more > 0:
            left[_key(line)] -= more
            words.append(f"{more} x {line.name} added at the POS")
            added.append(structs.replace(_of_quantity(line, more), uid=f"pos_{line.uid}"))
    return (*merged, *reversed(added))


def _key(line: Line) -> str:
    return line.item_id or line.name


def _of_quantity(line: Line, quantity: int) -> Line:
    each = line.gross_cents // line.quantity
    share = line.discount_cents * quantity // line.quantity
    return structs.replace(line, quantity=quantity, gross_cents=each * quantity, discount_cents=share)


def _with_payments(order: Order, told: PosOrder, words: list[str]) -> Order:
    theirs = [payment for check in told.checks for payment in check.payments]
    if told.summary_only or not theirs or not order.checks:
        return _with_told_payment_status(order, told, words)
    unmatched = [payment for check in order.checks for payment in check.payments]
    fresh: list[Payment] = []
    refunded: dict[str, int] = {}
    for payment in theirs:
        own = next((known for known in unmatched if _same(known, payment)), None)
        if own is None:
            fresh.append(payment)
            continue
        unmatched.remove(own)
        if payment.refunded_cents > own.refunded_cents:
            refunded[own.id] = payment.refunded_cents
    if not fresh and not refunded:
        return _with_told_payment_status(order, told, words)
    words += [f"{payment.cents} paid by {payment.method} at the POS" for payment in fresh]
    words += [f"{cents} given back at the POS" for cents in refunded.values()]
    checks = [_refunded(check, refunded) for check in order.checks]
    first = next((index for index, check in enumerate(checks) if check.status is Status.OPEN), 0)
    checks[first] = structs.replace(checks[first], payments=(*checks[first].payments, *fresh))
    after = structs.replace(order, checks=tuple(checks), payment_status=payment_status_of(checks))
    return _with_told_payment_status(after, told, words)


def _same(ours: Payment, theirs: Payment) -> bool:
    if theirs.id == ours.id or theirs.reference in (ours.id, ours.reference or ours.id):
        return True
    return not theirs.reference and theirs.cents == ours.cents


def _refunded(check: Check, refunded: Mapping[str, int]) -> Check:
    payments = tuple(
        structs.replace(payment, refunded_cents=refunded.get(payment.id, payment.refunded_cents))
        for payment in check.payments
    )
    return structs.replace(check, payments=payments)


def _with_told_payment_status(order: Order, told: PosOrder, words: list[str]) -> Order:
    status = told.payment_status
    if status is None or status is PaymentStatus.UNKNOWN or status is order.payment_status:
        return order
    words.append(f"payment {order.payment_status} -> {status}")
    return structs.replace(order, payment_status=status)


def _with_total(order: Order, told: PosOrder, answered_cents: int | None, words: list[str]) -> Order:
    audit = order.money_audit
    if told.total_cents is None or told.total_cents == audit.pos_cents:
        return order
    known_cents = answered_cents if audit.pos_cents is None else audit.pos_cents
    if told.total_cents == order.totals.total_cents and known_cents in (None, told.total_cents):
        return order
    words.append(f"total {order.totals.total_cents} -> {told.total_cents}")
    after = structs.replace(order, money_audit=structs.replace(audit, pos_cents=told.total_cents))
    if len(after.checks) != 1:
        return after
    check = after.checks[0]
    own = tuple(charge for charge in check.charges if charge.type != "other")
    before_cents = check.totals.total_cents - sum(charge.cents for charge in check.charges if charge.type == "other")
    difference = told.total_cents - before_cents
    charges = (*own, Charge(type="other", cents=difference)) if difference else own
    totals = structs.replace(
        check.totals,
        charge_cents=sum(charge.cents for charge in charges),
        tax_cents=sum(own.totals.tax_cents for own in told.checks) or check.totals.tax_cents,
        total_cents=told.total_cents,
    )
    return structs.replace(after, checks=(structs.replace(check, charges=charges, totals=totals),))


def _with_seats(order: Order, told: PosOrder, words: list[str]) -> Order:
    after = order
    if told.tables and told.tables != order.tables:
        words.append(f"table {', '.join(order.tables) or 'none'} -> {', '.join(told.tables)}")
        after = structs.replace(after, tables=told.tables)
    if told.party_size and told.party_size != order.party_size:
        words.append(f"party of {told.party_size}")
        after = structs.replace(after, party_size=told.party_size)
    return after


def _with_status(order: Order, told: PosOrder, now_ms: int, words: list[str]) -> Order:
    if _is_no_news(order, told):
        return order
    after = structs.replace(order, raw_status=told.raw_status)
    if told.stage is not order.stage:
        words.append(f"{order.stage} -> {told.stage} ({told.raw_status})")
        after = structs.replace(after, stage=told.stage)
    if told.status is Status.UNKNOWN or told.status is order.status:
        return after
    if told.stage is order.stage:
        words.append(f"{order.status} -> {told.status} ({told.raw_status})")
    if told.status is Status.OPEN:  # the POS opened it again
        checks = tuple(structs.replace(check, status=Status.OPEN) for check in after.checks)
        timing = structs.replace(after.timing, closed_at_ms=None)
        return structs.replace(after, status=Status.OPEN, checks=checks, timing=timing)
    stage = after.stage
    ended = lifecycle.cancelled(after, now_ms) if told.status is Status.VOID else lifecycle.closed(after, now_ms)
    return structs.replace(ended, stage=stage)


def _is_no_news(order: Order, told: PosOrder) -> bool:
    """Whether the POS says what it said all along, so that a stage the hub alone knows must not be undone by it.

    Many POS systems have no word for "served", and some take no stage at all. At first an order is just received.
    """
    said_before = told.raw_status == order.raw_status if order.raw_status else told.stage is Stage.RECEIVED
    return said_before and told.status is order.status


def combined(rounds: Sequence[PosOrder]) -> PosOrder:
    """Several orders at the POS that are rounds of one order here, as one.

    What was cancelled there does not count unless all was; the slowest round gives the stage.
    """
    if len(rounds) == 1:
        return rounds[0]
    live = [entry for entry in rounds if entry.status is not Status.VOID] or list(rounds)
    slowest = min(live, key=lambda entry: _SPEED.index(entry.stage))
    totals = [entry.total_cents for entry in live]
    statuses = {entry.status for entry in live}
    return structs.replace(
        slowest,
        ref=rounds[0].ref,
        status=slowest.status if len(statuses) > 1 else live[0].status,
        checks=tuple(check for entry in live for check in entry.checks),
        total_cents=None if None in totals else sum(cents for cents in totals if cents is not None),
        summary_only=any(entry.summary_only or not entry.checks for entry in live),
    )


_SPEED = (
    Stage.UNKNOWN,
    Stage.RECEIVED,
    Stage.ACCEPTED,
    Stage.PREPARING,
    Stage.READY,
    Stage.OUT_FOR_DELIVERY,
    Stage.SERVED,
    Stage.REJECTED,
    Stage.EXPIRED,
    Stage.CANCELLED,
    Stage.COMPLETED,
)

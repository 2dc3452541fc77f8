"""An order is compared with what its POS tells; the POS wins, and every difference is named."""

from typing import Any

from msgspec import structs

from hub.model.check import Charge, Check, Line, Totals
from hub.model.menu import Item
from hub.model.order import MoneyAudit, Order, PosOrder, VendorRef
from hub.model.payment import Payment, PaymentMethod
from hub.model.status import PaymentStatus, Stage, Status
from hub.services.comparison import Difference, combined, compare
from tests.database.stored import NOW, PLOV, order_of

ORDER = order_of()
LATER = NOW + 60_000
TEA = Item(id="item_tea", name="Tea", price_cents=300, vendor={"id": 77})
ITEMS = {PLOV.id: PLOV, TEA.id: TEA}


def told(**values: Any) -> PosOrder:
    first = PosOrder(ref=VendorRef(kind="order", id="9001"), raw_status="NEW", status=Status.OPEN, stage=Stage.RECEIVED)
    return structs.replace(first, **values)


def difference(order: Order = ORDER, **values: Any) -> Difference:
    found = compare(order, told(**values), ITEMS, LATER)
    assert found is not None
    return found


def changed(order: Order = ORDER, **values: Any) -> Order:
    return difference(order, **values).order


def bill_of(*lines: Line, payments: tuple[Payment, ...] = ()) -> tuple[Check, ...]:
    total = sum(line.gross_cents for line in lines)
    totals = Totals(subtotal_cents=total, total_cents=total)
    return (Check(id="9001", lines=lines, payments=payments, totals=totals),)


def pos_line(item_id: str, quantity: int, each: int, **values: Any) -> Line:
    return Line(
        uid=f"9001-{item_id}",
        item_id=item_id,
        name=item_id or "Tea",
        quantity=quantity,
        unit_cents=each,
        gross_cents=each * quantity,
        **values,
    )


def paid(cents: int, **values: Any) -> Payment:
    return Payment(**{"id": "pay_pos", "method": PaymentMethod.CARD, "cents": cents, **values})


def test_nothing_new_is_no_change() -> None:
    assert compare(ORDER, told(), ITEMS, LATER) is None
    assert compare(ORDER, told(raw_status="other word for the same"), ITEMS, LATER) is None
    assert compare(ORDER, told(total_cents=1800), ITEMS, LATER) is None
    assert compare(ORDER, told(checks=bill_of(pos_line(PLOV.id, 1, 1800))), ITEMS, LATER) is None


def test_a_new_stage_is_taken_with_the_pos_s_own_word() -> None:
    after = changed(stage=Stage.PREPARING, raw_status="IN_KITCHEN")
    assert (after.stage, after.raw_status, after.updated_at_ms) == (Stage.PREPARING, "IN_KITCHEN", LATER)
    assert after.timing.closed_at_ms is None


def test_a_stage_the_hub_alone_knows_is_not_undone_by_what_the_pos_said_all_along() -> None:
    served = structs.replace(ORDER, stage=Stage.SERVED)
    assert compare(served, told(), ITEMS, LATER) is None  # it is received there, as it was at first
    taken = structs.replace(served, raw_status="TAKEN")
    assert compare(taken, told(stage=Stage.ACCEPTED, raw_status="TAKEN"), ITEMS, LATER) is None
    with_tip = changed(taken, stage=Stage.ACCEPTED, raw_status="TAKEN", total_cents=2000)
    assert (with_tip.stage, with_tip.totals.total_cents) == (Stage.SERVED, 2000)


def test_what_the_pos_says_for_the_first_time_counts_though_it_goes_back() -> None:
    served = structs.replace(ORDER, stage=Stage.SERVED, raw_status="NEW")
    assert changed(served, stage=Stage.ACCEPTED, raw_status="TAKEN").stage is Stage.ACCEPTED
    assert changed(served, status=Status.VOID, stage=Stage.CANCELLED).status is Status.VOID


def test_a_closed_order_and_its_checks_are_closed_from_then_on() -> None:
    after = changed(stage=Stage.COMPLETED, status=Status.CLOSED, payment_status=PaymentStatus.PAID)
    assert (after.status, after.payment_status, after.timing.closed_at_ms) == (Status.CLOSED, PaymentStatus.PAID, LATER)
    assert [check.status for check in after.checks] == [Status.CLOSED]


def test_a_cancelled_order_is_void() -> None:
    after = changed(stage=Stage.CANCELLED, status=Status.VOID)
    assert (after.status, after.stage, after.checks[0].status) == (Status.VOID, Stage.CANCELLED, Status.VOID)


def test_an_order_the_pos_opened_again_is_open_again() -> None:
    closed = changed(stage=Stage.COMPLETED, status=Status.CLOSED)
    after = changed(closed, stage=Stage.PREPARING, status=Status.OPEN)
    assert (after.status, after.checks[0].status, after.timing.closed_at_ms) == (Status.OPEN, Status.OPEN, None)


def test_what_the_pos_does_not_say_stays_as_it_was() -> None:
    settled = structs.replace(ORDER, payment_status=PaymentStatus.PAID)
    assert changed(settled, stage=Stage.READY).payment_status is PaymentStatus.PAID
    assert changed(stage=Stage.UNKNOWN, status=Status.UNKNOWN, raw_status="???").status is Status.OPEN


def test_a_word_nobody_knows_is_kept_and_marked() -> None:
    after = changed(stage=Stage.UNKNOWN, raw_status="TELEPORTED")
    assert (after.stage, after.raw_status) == (Stage.UNKNOWN, "TELEPORTED")


def test_another_total_of_the_pos_wins_and_the_difference_is_shown() -> None:
    found = difference(total_cents=1900)
    assert found.words == ("total 1800 -> 1900",)
    assert found.order.money_audit == MoneyAudit(computed_cents=1800, pos_cents=1900)
    assert found.order.totals.total_cents == 1900
    assert found.order.checks[0].charges == (Charge(type="other", cents=100),)
    again = changed(found.order, total_cents=1800)
    assert (again.totals.total_cents, again.checks[0].charges, again.money_audit.pos_cents) == (1800, (), 1800)


def test_what_the_waiter_adds_at_the_pos_is_added_here() -> None:
    added = pos_line("", 2, 300, vendor={"id": "77"})
    found = difference(checks=bill_of(pos_line(PLOV.id, 1, 1800), added), total_cents=2400)
    check = found.order.checks[0]
    assert found.words == ("2 x Tea added at the POS",)
    assert [(line.item_id, line.quantity) for line in check.lines] == [(PLOV.id, 1), ("item_tea", 2)]
    assert check.lines[0] == ORDER.checks[0].lines[0]
    assert (check.totals.total_cents, found.order.money_audit.computed_cents) == (2400, 2400)


def test_what_is_taken_off_at_the_pos_goes_here_too() -> None:
    two = ORDER.checks[0].lines[0]
    two = structs.replace(two, quantity=2, gross_cents=3600)
    order = structs.replace(ORDER, checks=(structs.replace(ORDER.checks[0], lines=(two,)),))
    found = difference(order, checks=bill_of(pos_line(PLOV.id, 1, 1800)))
    assert found.words == ("1 x Plov taken off at the POS",)
    assert [(line.uid, line.quantity, line.gross_cents) for line in found.order.checks[0].lines] == [("li_1", 1, 1800)]
    assert found.order.totals.total_cents == 1800


def test_a_summary_says_nothing_about_lines() -> None:
    assert compare(ORDER, told(summary_only=True, checks=bill_of()), ITEMS, LATER) is None


def test_split_checks_are_not_touched_by_a_pos_that_knows_one_bill() -> None:
    second = structs.replace(ORDER.checks[0], id="chk_2")
    order = structs.replace(ORDER, checks=(ORDER.checks[0], second))
    assert compare(order, told(checks=bill_of(pos_line(PLOV.id, 5, 1800))), ITEMS, LATER) is None


def test_a_payment_at_the_pos_is_taken_in_once() -> None:
    lines = (pos_line(PLOV.id, 1, 1800),)
    found = difference(checks=bill_of(*lines, payments=(paid(1000),)))
    assert found.words == ("1000 paid by card at the POS",)
    assert (found.order.payment_status, found.order.checks[0].due_cents) == (PaymentStatus.PARTIAL, 800)
    assert compare(found.order, told(checks=bill_of(*lines, payments=(paid(1000),))), ITEMS, LATER) is None
    both = (paid(1000), paid(800, id="pay_2"))
    assert changed(found.order, checks=bill_of(*lines, payments=both)).payment_status is PaymentStatus.PAID


def test_a_payment_we_sent_is_not_counted_twice() -> None:
    ours = paid(1800, id="pay_ours")
    order = structs.replace(ORDER, checks=(structs.replace(ORDER.checks[0], payments=(ours,)),))
    theirs = paid(1800, id="pay_pos", reference="pay_ours")
    after = compare(order, told(checks=bill_of(pos_line(PLOV.id, 1, 1800), payments=(theirs,))), ITEMS, LATER)
    assert after is None


def test_a_refund_at_the_pos_is_seen() -> None:
    order = changed(checks=bill_of(pos_line(PLOV.id, 1, 1800), payments=(paid(1800),)))
    back = paid(1800, refunded_cents=1800)
    found = difference(order, checks=bill_of(pos_line(PLOV.id, 1, 1800), payments=(back,)))
    assert (found.words, found.order.payment_status) == (("1800 given back at the POS",), PaymentStatus.REFUNDED)


def test_rounds_at_the_pos_count_as_one_order() -> None:
    first = told(stage=Stage.READY, total_cents=1800, checks=bill_of(pos_line(PLOV.id, 1, 1800)))
    second = told(
        ref=VendorRef(kind="order", id="9002"),
        stage=Stage.PREPARING,
        total_cents=300,
        checks=bill_of(pos_line("item_tea", 1, 300)),
    )
    one = combined([first, second])
    assert (one.stage, one.total_cents, len(one.checks)) == (Stage.PREPARING, 2100, 2)
    void = structs.replace(second, status=Status.VOID, stage=Stage.CANCELLED)
    assert (combined([first, void]).stage, combined([first, void]).total_cents) == (Stage.READY, 1800)
    assert combined([void, void]).status is Status.VOID


def test_the_tax_is_that_of_the_total_which_the_pos_says() -> None:
    [bill] = bill_of(pos_line(PLOV.id, 1, 2000))
    taxed = structs.replace(bill, totals=structs.replace(bill.totals, tax_cents=276))
    assert changed(total_cents=2000, checks=(taxed,)).totals.tax_cents == 276
    assert changed(total_cents=2000).totals.tax_cents == ORDER.totals.tax_cents


def test_a_total_that_agrees_again_is_noted_though_the_pos_answered_another_one_at_first() -> None:
    found = compare(ORDER, told(total_cents=1800), ITEMS, LATER, answered_cents=2000)
    assert found is not None
    assert (found.order.money_audit.pos_cents, found.order.totals) == (1800, ORDER.totals)
    assert compare(ORDER, told(total_cents=1800), ITEMS, LATER, answered_cents=1800) is None
    other = compare(ORDER, told(total_cents=2000), ITEMS, LATER, answered_cents=2000)
    assert other is not None and other.order.totals.total_cents == 2000

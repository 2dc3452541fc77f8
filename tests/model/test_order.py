"""Totals add up over the checks, and the money audit compares three views of one total."""

import pytest
from msgspec import structs

from hub.model.causes import CAUSES, Owner
from hub.model.check import Check, Totals
from hub.model.order import InjectionState, Loss, MoneyAudit, Order, OrderRecord, Origin, Timing
from hub.model.status import FINAL_STAGES, Injection, OrderType, Stage, Status

FIRST = Totals(subtotal_cents=1800, discount_cents=180, charge_cents=20, tax_cents=5, tip_cents=1, total_cents=1646)
SECOND = Totals(subtotal_cents=300, total_cents=300)


def order(*checks: Check, audit: MoneyAudit | None = None) -> Order:
    return Order(
        id="order_1",
        venue_id="loc_1",
        order_type=OrderType.DINE_IN,
        origin=Origin(system="web"),
        timing=Timing(timezone="Asia/Baku", business_date="2026-11-18"),
        currency="AZN",
        checks=checks,
        money_audit=audit or MoneyAudit(computed_cents=1800),
        created_at_ms=0,
        updated_at_ms=0,
    )


def state(pos_cents: int | None = None, losses: tuple[Loss, ...] = ()) -> InjectionState:
    return InjectionState(
        target="till", link_id="link_1", state=Injection.CONFIRMED, attempts=1, pos_cents=pos_cents, losses=losses
    )


def test_the_totals_of_an_order_are_those_of_its_checks() -> None:
    totals = order(Check(id="a", totals=FIRST), Check(id="b", totals=SECOND)).totals
    assert totals == Totals(
        subtotal_cents=2100, discount_cents=180, charge_cents=20, tax_cents=5, tip_cents=1, total_cents=1946
    )


def test_a_void_check_does_not_count_and_a_closed_one_does() -> None:
    void, closed = Check(id="a", totals=FIRST, status=Status.VOID), Check(id="b", totals=SECOND, status=Status.CLOSED)
    assert order(void, closed).totals == SECOND
    assert order(void).totals == Totals()


@pytest.mark.parametrize(
    ("declared", "pos", "difference"), [(None, None, 0), (1700, None, -100), (1700, 1900, 100), (None, 1800, 0)]
)
def test_the_difference_is_the_pos_s_total_less_ours_else_the_caller_s(
    declared: int | None, pos: int | None, difference: int
) -> None:
    assert MoneyAudit(computed_cents=1800, declared_cents=declared, pos_cents=pos).difference_cents == difference


def test_the_total_the_pos_named_when_it_took_the_order_counts_until_a_later_one_comes() -> None:
    told = OrderRecord(order=order(Check(id="a", totals=FIRST)), injection=(state(), state(pos_cents=1900)))
    assert told.money_audit == MoneyAudit(computed_cents=1800, pos_cents=1900)
    later = structs.replace(told, order=order(audit=MoneyAudit(computed_cents=1800, pos_cents=2000)))
    assert later.money_audit.pos_cents == 2000


def test_what_any_target_could_not_take_is_listed() -> None:
    one, two = Loss(target="till", path="tables", loss="x"), Loss(target="channel", path="note", loss="y")
    record = OrderRecord(order=order(), injection=(state(losses=(one,)), state(losses=(two,))))
    assert record.fidelity == (one, two)


def test_the_last_stages_of_an_order_are_four() -> None:
    assert {Stage.COMPLETED, Stage.REJECTED, Stage.CANCELLED, Stage.EXPIRED} == FINAL_STAGES


@pytest.mark.parametrize("cause", CAUSES.values(), ids=CAUSES)
def test_every_cause_says_who_must_act_and_what_to_do(cause: object) -> None:
    key, owner = cause.key, cause.owner  # type: ignore[attr-defined]
    assert CAUSES[key] is cause
    assert owner in set(Owner)
    for sentence in (cause.title, cause.next_action):  # type: ignore[attr-defined]
        assert sentence[0].isupper() or sentence[0] == "`"
        assert sentence.endswith(".")

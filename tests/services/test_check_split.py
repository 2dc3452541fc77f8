"""However checks are split and joined, nothing is won or lost: totals, lines, quantities and taxes add up as before."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hub.errors import InvalidRequest
from hub.model.check import Charge, Check, Discount, Line, Totals
from hub.model.menu import Item, Menu, Tax
from hub.model.payment import Payment, PaymentMethod
from hub.model.status import OrderType
from hub.model.venue import Policies
from hub.services.check_split import move_lines, split_evenly, split_lines
from hub.services.directory import Catalog
from hub.services.pricing import bill, price_check
from hub.services.requests import DiscountRequest, LineRequest

VAT = Tax(name="VAT", rate="18", inclusive=True)
SALES_TAX = Tax(name="Sales tax", rate="8.875", inclusive=False)
ITEMS = (
    Item(id="plov", name="Plov", price_cents=1799, tax=VAT),
    Item(id="tea", name="Tea", price_cents=333, tax=SALES_TAX),
    Item(id="cake", name="Cake", price_cents=1, tax=SALES_TAX),
    Item(id="water", name="Water", price_cents=0),
    Item(id="card", name="Gift card", price_cents=5000, discountable=False),
)
CATALOG = Catalog(1, Menu(items=ITEMS), frozenset())


def priced(lines: Sequence[tuple[str, int]], *, discount: DiscountRequest | None = None, service: str = "0") -> Check:
    return price_check(
        CATALOG,
        [LineRequest(item_id=item, quantity=quantity) for item, quantity in lines],
        policies=Policies(service_charge_percent=service),
        order_type=OrderType.DINE_IN,
        discount=discount,
        new_id=ids(),
    )


def ids(first: int = 1) -> "Ids":
    return Ids(first)


class Ids:
    """Identifiers that grow."""

    def __init__(self, first: int) -> None:
        self._numbers = count(first)

    def __call__(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers):032d}"


def paid(check: Check, cents: int) -> Check:
    payment = Payment(id="pay_1", method=PaymentMethod.CASH, cents=cents)
    return structs.replace(check, payments=(*check.payments, payment))


def quantities(checks: Sequence[Check]) -> Counter[str]:
    counter: Counter[str] = Counter()
    for check in checks:
        for line in check.lines:
            counter[line.item_id] += line.quantity
    return counter


def is_sound(check: Check) -> bool:
    """Whether a check's totals are what its lines and charges come to."""
    totals = check.totals
    added = sum(line.tax.cents for line in check.lines if line.tax and line.tax.type == "exclusive")
    return (
        totals.subtotal_cents == sum(line.gross_cents for line in check.lines)
        and totals.discount_cents == sum(line.discount_cents for line in check.lines)
        and totals.discount_cents == sum(discount.cents for discount in check.discounts)
        and totals.charge_cents == sum(charge.cents for charge in check.charges)
        and totals.tax_cents == sum(line.tax.cents for line in check.lines if line.tax)
        and totals.total_cents == totals.subtotal_cents - totals.discount_cents + totals.charge_cents + added
    )


LINES = st.lists(st.tuples(st.sampled_from([item.id for item in ITEMS]), st.integers(1, 9)), min_size=1, max_size=6)
DISCOUNTS = st.one_of(
    st.none(),
    st.decimals("0.01", "100", places=2).map(lambda value: DiscountRequest(type="percent", value=value)),
    st.just(DiscountRequest(type="amount", value=Decimal(1))),
)


@st.composite
def some_of(draw: st.DrawFn, check: Check) -> dict[str, int]:
    lines = draw(st.lists(st.sampled_from(check.lines), min_size=1, unique_by=lambda line: line.uid))
    return {line.uid: draw(st.integers(1, line.quantity)) for line in lines}


@given(st.data(), LINES, DISCOUNTS, st.sampled_from(["0", "10", "12.5"]))
def test_splits_moves_and_shares_conserve_everything(
    data: st.DataObject, lines: list[tuple[str, int]], discount: DiscountRequest | None, service: str
) -> None:
    if discount is not None and discount.type == "amount" and all(item in ("water", "card") for item, _ in lines):
        discount = None
    whole = priced(lines, discount=discount, service=service)
    new_id, checks = ids(100), [whole]
    for _ in range(data.draw(st.integers(1, 5))):
        filled = [check for check in checks if check.lines]
        check = data.draw(st.sampled_from(filled))
        others = [own for own in checks if own.id != check.id]
        what = data.draw(st.sampled_from(["split", "move", "share"]))
        try:
            if what == "split":
                checks = others + split_lines(check, [data.draw(some_of(check))], new_id)
            elif what == "share":
                checks = others + split_evenly(check, data.draw(st.integers(2, 5)), new_id)
            elif others:
                target = data.draw(st.sampled_from(others))
                moved = move_lines(check, target, data.draw(some_of(check)), new_id)
                checks = [own for own in others if own.id != target.id] + list(moved)
        except InvalidRequest as problem:
            assert problem.field in ("ways", "items")
    assert Totals.sum_of([check.totals for check in checks]) == whole.totals
    assert quantities(checks) == quantities([whole])
    assert all(is_sound(check) for check in checks)
    uids = [line.uid for check in checks for line in check.lines]
    assert len(uids) == len(set(uids))
    assert all(check.totals.total_cents >= 0 for check in checks)


def test_whole_lines_and_part_of_a_line_go_to_a_check_of_their_own() -> None:
    check = priced([("plov", 3), ("tea", 1)], discount=DiscountRequest(type="percent", value=Decimal(10)), service="10")
    rest, first, second = split_lines(check, [{"li_1": 1}, {"li_2": 1}], ids(100))
    assert [[(line.name, line.quantity) for line in own.lines] for own in (rest, first, second)] == [
        [("Plov", 2)],
        [("Plov", 1)],
        [("Tea", 1)],
    ]
    assert check.totals.total_cents == 5700
    assert [own.totals.total_cents for own in (rest, first, second)] == [3562, 1781, 357]
    assert [own.discounts for own in (rest, first)] == [
        (Discount(type="percent", value="10", cents=360),),
        (Discount(type="percent", value="10", cents=180),),
    ]
    assert [own.totals.tax_cents for own in (rest, first, second)] == [494, 247, 27]
    assert (rest.id, first.lines[0].uid.startswith("li_1."), rest.lines[0].uid) == (check.id, True, "li_1")


def test_an_even_share_is_an_amount_and_the_lines_stay() -> None:
    check = priced([("tea", 3)])
    assert check.totals.total_cents == 1088
    first, second, third = split_evenly(check, 3, ids(100))
    assert [own.totals.total_cents for own in (first, second, third)] == [363, 363, 362]
    assert (first.lines, second.lines) == (check.lines, ())
    assert first.charges == (Charge(type="share", cents=-725),)
    assert second.charges == (Charge(type="share", cents=363),)


def test_what_was_paid_before_is_not_shared() -> None:
    check = paid(priced([("card", 4)]), 5000)
    shares = split_evenly(check, 3, ids(100))
    assert [own.due_cents for own in shares] == [5000, 5000, 5000]
    assert (shares[0].paid_cents, shares[1].payments) == (5000, ())


def test_a_round_after_an_even_split_stays_on_its_own_check() -> None:
    first, second = split_evenly(priced([("card", 2)]), 2, ids(100))
    line = structs.replace(first.lines[0], uid="li_2")
    after = bill(
        CATALOG,
        first,
        [*first.lines, line],
        policies=Policies(),
        order_type=OrderType.DINE_IN,
        discount=None,
    )
    assert (after.totals.total_cents, second.totals.total_cents) == (15000, 5000)


def test_lines_move_with_their_discount() -> None:
    tenth = DiscountRequest(type="percent", value=Decimal(10))
    check = priced([("plov", 1), ("card", 1), ("tea", 1)], discount=tenth)
    rest, taken = split_lines(check, [{"li_2": 1}], ids(100))
    assert (taken.discounts, rest.discounts) == ((), check.discounts)
    source, target = move_lines(rest, taken, {"li_1": 1}, ids(200))
    assert [line.uid for line in target.lines] == ["li_2", "li_1"]
    assert target.discounts == (Discount(type="amount", value="180", cents=180),)
    assert source.discounts == (Discount(type="percent", value="10", cents=33),)
    back, joined = move_lines(target, source, {"li_1": 1, "li_2": 1}, ids(300))
    assert (back.lines, back.totals, back.discounts) == ((), Totals(), ())
    assert joined.totals == check.totals


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({}, "parts\\[0\\]: name at least one line"),
        ({"li_9": 1}, "parts\\[0\\]: the check has no line 'li_9'"),
        ({"li_1": 3}, "parts\\[0\\]: line 'li_1' has 2, not 3"),
        ({"li_1": 0}, "parts\\[0\\]: line 'li_1' has 2, not 0"),
    ],
)
def test_a_part_that_is_not_there_is_refused(part: dict[str, int], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        split_lines(priced([("plov", 2)]), [part], ids(100))


def test_no_more_is_taken_from_a_check_than_leaves_what_was_paid() -> None:
    check = paid(priced([("card", 2)]), 6000)
    with pytest.raises(InvalidRequest, match="6000 are paid on this check, and 5000 would be left on it") as problem:
        split_lines(check, [{"li_1": 1}], ids(100))
    assert problem.value.code == "CHECK_PAID"


@pytest.mark.parametrize("ways", [1, 0, -1, 51])
def test_a_check_is_shared_by_two_to_fifty(ways: int) -> None:
    with pytest.raises(InvalidRequest):
        split_evenly(priced([("card", 2)]), ways, ids(100))


def test_nothing_cannot_be_shared() -> None:
    with pytest.raises(InvalidRequest, match="1 cannot be shared by 2"):
        split_evenly(priced([("cake", 1)]), 2, ids(100))


def test_a_line_whose_price_does_not_divide_is_split_to_the_cent() -> None:
    line = Line(uid="1", item_id="x", name="From the POS", quantity=3, unit_cents=333, gross_cents=1000)
    check = Check(id="chk_1", lines=(line,), totals=Totals(subtotal_cents=1000, total_cents=1000))
    rest, taken = split_lines(check, [{"1": 1}], ids(100))
    assert (rest.lines[0].gross_cents, taken.lines[0].gross_cents) == (667, 333)


def test_what_the_pos_counts_otherwise_stays_with_what_stays() -> None:
    line = Line(uid="1", item_id="x", name="Soup", quantity=2, unit_cents=500, gross_cents=1000)
    totals = Totals(subtotal_cents=1000, tip_cents=70, total_cents=1100)
    rest, taken = split_lines(Check(id="chk_1", lines=(line,), totals=totals), [{"1": 1}], ids(100))
    assert (taken.totals.total_cents, rest.totals.total_cents, rest.totals.tip_cents) == (500, 600, 70)

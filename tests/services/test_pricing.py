"""Prices come from our menu, in literal amounts, and every total adds up."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from hub.errors import InvalidRequest
from hub.model.check import Charge, Discount
from hub.model.menu import Item, Tax
from hub.model.status import OrderType
from hub.model.venue import Policies
from hub.services.requests import DiscountRequest, LineRequest, ModifierChoice
from tests.services.priced import PLOV, amount, catalog, line, percent, priced, totals_of


def refused(*lines: LineRequest, **values: object) -> tuple[str | None, str | None]:
    """The field and the code of a refusal."""
    with pytest.raises(InvalidRequest) as raised:
        priced(*lines, **values)  # type: ignore[arg-type]
    assert raised.value.message.startswith(f"{raised.value.field}: ")
    return raised.value.field, raised.value.code


def test_an_item_costs_what_the_menu_says() -> None:
    check = priced(line("plov", 2), line("tea"))
    assert totals_of(check) == {"subtotal": 3900, "total": 3900}
    first, second = check.lines
    assert (first.uid, first.item_id, first.name, first.quantity) == ("li_1", "plov", "Plov", 2)
    assert (first.unit_cents, first.gross_cents, first.vendor) == (1800, 3600, {"id": 42})
    assert (second.uid, second.gross_cents, second.tax) == ("li_2", 300, None)


def test_what_was_ordered_before_keeps_its_own_place_quantity_and_note() -> None:
    menu = catalog()
    first = priced(structs.replace(line("pizza", 2, "o_large"), note="cut in two"), menu=menu).lines[0]
    again = priced(line("tea"), line("pizza", 1, "o_large"), line("pizza", 1, "o_small"), menu=menu).lines
    assert (first.uid, first.quantity, first.gross_cents, first.note) == ("li_1", 2, 2900, "cut in two")
    assert [(entry.uid, entry.quantity, entry.gross_cents, entry.note) for entry in again] == [
        ("li_1", 1, 300, ""),
        ("li_2", 1, 1450, ""),
        ("li_3", 1, 1200, ""),
    ]
    assert refused(line("pizza"), menu=menu) == ("items[0].modifiers", "MODIFIER_REQUIRED")
    assert refused(line("tea"), line("pizza"), menu=menu) == ("items[1].modifiers", "MODIFIER_REQUIRED")


def test_a_menu_remembers_at_most_five_hundred_portions() -> None:
    menu = catalog(*(structs.replace(PLOV, id=f"plov_{number}", price_cents=number) for number in range(700)))
    for number in (*range(700), 3):
        assert priced(line(f"plov_{number}", 2), menu=menu).lines[0].gross_cents == 2 * number
    assert len(menu.portions) == 201


def test_eighteen_less_ten_percent_is_sixteen_twenty() -> None:
    check = priced(line("plov"), discount=percent("10"))
    assert totals_of(check) == {"subtotal": 1800, "discount": 180, "total": 1620}
    assert check.discounts == (Discount(type="percent", value="10", cents=180, reason="regular"),)
    assert check.lines[0].discount_cents == 180


@pytest.mark.parametrize(("value", "shown"), [("10.00", "10"), ("12.50", "12.5"), ("100", "100"), ("0.25", "0.25")])
def test_a_percentage_is_kept_as_a_plain_decimal(value: str, shown: str) -> None:
    assert priced(line("plov"), discount=percent(value)).discounts[0].value == shown


def test_a_discount_is_shared_out_to_the_lines_it_may_be_taken_from() -> None:
    check = priced(line("plov"), line("tea"), line("pizza", 1, "o_small"), discount=percent("10"))
    assert [entry.discount_cents for entry in check.lines] == [180, 0, 120]
    assert totals_of(check) == {"subtotal": 3300, "discount": 300, "total": 3000}


def test_an_amount_is_shared_out_to_the_last_cent() -> None:
    check = priced(line("plov"), line("pizza", 1, "o_small"), line("tea"), discount=amount(100))
    assert [entry.discount_cents for entry in check.lines] == [60, 40, 0]
    assert check.discounts == (Discount(type="amount", value="100", cents=100),)
    odd = priced(line("plov"), line("plov"), line("plov"), discount=amount(100))
    assert [entry.discount_cents for entry in odd.lines] == [34, 33, 33]


def test_a_discount_is_never_more_than_it_can_be_taken_from() -> None:
    assert totals_of(priced(line("plov"), line("tea"), discount=amount(1800)))["total"] == 300
    assert refused(line("plov"), line("tea"), discount=amount(1801)) == ("discount.value", "DISCOUNT_TOO_LARGE")
    assert refused(line("tea"), discount=amount(1)) == ("discount.value", "DISCOUNT_TOO_LARGE")
    assert totals_of(priced(line("tea"), discount=percent("50"))) == {"subtotal": 300, "total": 300}


def test_modifiers_are_added_per_unit() -> None:
    check = priced(line("pizza", 2, "o_large", ModifierChoice(option_id="o_cheese", quantity=2)))
    assert totals_of(check) == {"subtotal": 3300, "total": 3300}  # (12.00 + 2.50 + 2 × 1.00) × 2
    large, cheese = check.lines[0].modifiers
    assert (large.modifier_id, large.group_id, large.group, large.name) == ("o_large", "g_size", "Size", "Large")
    assert (large.quantity, large.unit_cents, large.vendor) == (1, 250, {"id": 7})
    assert (cheese.quantity, cheese.unit_cents) == (2, 100)
    assert check.lines[0].unit_cents == 1200


def test_an_option_that_is_in_two_groups_is_the_one_whose_group_was_named() -> None:
    salad = ModifierChoice(option_id="o_small", group_id="g_extras")
    check = priced(line("pizza", 1, "o_small", salad))
    assert [(one.group_id, one.unit_cents) for one in check.lines[0].modifiers] == [("g_size", 0), ("g_extras", 300)]


@pytest.mark.parametrize(
    ("modifiers", "field", "code"),
    [
        ((), "items[0].modifiers", "MODIFIER_REQUIRED"),
        (("o_cheese",), "items[0].modifiers", "MODIFIER_REQUIRED"),
        (("o_small", "o_large"), "items[0].modifiers", "MODIFIER_LIMIT"),
        (("o_large", "o_large"), "items[0].modifiers[1]", "MODIFIER_LIMIT"),
        (("o_large", ModifierChoice(option_id="o_cheese", quantity=3)), "items[0].modifiers[1]", "MODIFIER_LIMIT"),
        (("o_large", "o_cheese", "o_cheese", "o_cheese"), "items[0].modifiers[3]", "MODIFIER_LIMIT"),
        (("o_large", ModifierChoice(option_id="o_egg", quantity=4)), "items[0].modifiers", "MODIFIER_LIMIT"),
        (("o_large", "o_anchovy"), "items[0].modifiers[1]", "MODIFIER_UNKNOWN"),
        ((ModifierChoice(option_id="o_large", group_id="g_extras"),), "items[0].modifiers[0]", "MODIFIER_UNKNOWN"),
        (("o_large", "o_truffle"), "items[0].modifiers[1]", "MODIFIER_SOLD_OUT"),
    ],
)
def test_a_wrong_choice_is_refused_with_its_place(
    modifiers: tuple[ModifierChoice | str, ...], field: str, code: str
) -> None:
    assert refused(line("pizza", 1, *modifiers)) == (field, code)


def test_an_option_without_a_limit_of_its_own_is_limited_by_its_group() -> None:
    check = priced(line("pizza", 1, "o_small", ModifierChoice(option_id="o_egg", quantity=3)))
    assert totals_of(check) == {"subtotal": 1440, "total": 1440}


def test_an_item_without_modifiers_takes_none() -> None:
    assert refused(line("plov", 1, "o_cheese")) == ("items[0].modifiers[0]", "MODIFIER_UNKNOWN")


@pytest.mark.parametrize(
    ("item_id", "code"),
    [("nothing", "ITEM_UNKNOWN"), ("gone", "ITEM_UNKNOWN"), ("out", "ITEM_SOLD_OUT"), ("", "ITEM_UNKNOWN")],
)
def test_what_cannot_be_ordered_is_refused(item_id: str, code: str) -> None:
    assert refused(line("plov"), line(item_id)) == ("items[1].itemId", code)


def test_the_hub_s_own_sold_out_list_stands_above_the_pos() -> None:
    assert refused(line("plov"), menu=catalog(sold_out=frozenset({"plov"}))) == ("items[0].itemId", "ITEM_SOLD_OUT")


def test_a_service_charge_is_added_where_the_venue_has_one() -> None:
    policies = Policies(service_charge_percent="12.5")
    check = priced(line("plov"), policies=policies, order_type=OrderType.DINE_IN)
    assert check.charges == (Charge(type="service", cents=225, percent="12.5"),)
    assert totals_of(check) == {"subtotal": 1800, "charge": 225, "total": 2025}
    assert priced(line("plov"), policies=policies).charges == ()
    everywhere = Policies(service_charge_percent="10", service_charge_order_types=tuple(OrderType))
    assert totals_of(priced(line("plov"), policies=everywhere))["total"] == 1980


def test_a_service_charge_is_taken_of_what_remains_after_the_discount() -> None:
    policies = Policies(service_charge_percent="10")
    check = priced(line("plov"), policies=policies, order_type=OrderType.DINE_IN, discount=percent("10"))
    assert totals_of(check) == {"subtotal": 1800, "discount": 180, "charge": 162, "total": 1782}


def test_tax_inside_the_price_is_told_and_not_added() -> None:
    check = priced(line("wine"))
    tax = check.lines[0].tax
    assert tax is not None
    assert (tax.name, tax.rate, tax.type, tax.cents) == ("VAT", "18", "inclusive", 360)
    assert totals_of(check) == {"subtotal": 2360, "tax": 360, "total": 2360}


def test_tax_on_top_is_added_per_line() -> None:
    check = priced(line("room", 3))
    tax = check.lines[0].tax
    assert tax is not None
    assert (tax.type, tax.cents) == ("exclusive", 248)  # 8.25 % of 30.00 is 2.475
    assert totals_of(check) == {"subtotal": 3000, "tax": 248, "total": 3248}


def test_tax_is_taken_of_what_remains_after_the_discount() -> None:
    assert totals_of(priced(line("room"), discount=percent("50"))) == {
        "subtotal": 1000,
        "discount": 500,
        "tax": 41,
        "total": 541,
    }
    assert totals_of(priced(line("wine"), discount=amount(1180)))["tax"] == 180


def test_an_item_without_a_tax_of_its_own_has_the_venue_s() -> None:
    policies = Policies(tax=Tax(name="VAT", rate="10", inclusive=False))
    check = priced(line("plov"), line("wine"), policies=policies)
    assert [entry.tax.cents if entry.tax else None for entry in check.lines] == [180, 360]
    assert totals_of(check) == {"subtotal": 4160, "tax": 540, "total": 4340}


def test_everything_together() -> None:
    check = priced(
        line("pizza", 2, "o_large"),
        line("tea", 2),
        line("room"),
        policies=Policies(service_charge_percent="10"),
        order_type=OrderType.DINE_IN,
        discount=percent("15"),
    )
    assert totals_of(check) == {"subtotal": 4500, "discount": 585, "charge": 392, "tax": 70, "total": 4377}


taxes = st.none() | st.builds(
    Tax, name=st.just("T"), rate=st.sampled_from(["0", "5", "8.25", "18", "20"]), inclusive=st.booleans()
)
menus = st.lists(
    st.builds(
        Item,
        id=st.uuids().map(str),
        name=st.just("x"),
        price_cents=st.integers(0, 100_000),
        tax=taxes,
        discountable=st.booleans(),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda item: item.id,
)
policies_of_venues = st.builds(
    Policies,
    service_charge_percent=st.sampled_from(["0", "10", "12.5"]),
    service_charge_order_types=st.just((OrderType.PICKUP,)),
    tax=taxes,
)


@settings(deadline=None)
@given(
    items=menus,
    quantities=st.lists(st.integers(1, 99), min_size=5, max_size=5),
    policies=policies_of_venues,
    hundredths=st.none() | st.integers(1, 10_000),
)
def test_totals_always_add_up(
    items: list[Item], quantities: list[int], policies: Policies, hundredths: int | None
) -> None:
    lines = [line(item.id, quantity) for item, quantity in zip(items, quantities, strict=False)]
    discount = None if hundredths is None else DiscountRequest(type="percent", value=Decimal(hundredths) / 100)
    check = priced(*lines, menu=catalog(*items), discount=discount, policies=policies)
    totals = check.totals
    added_tax = sum(entry.tax.cents for entry in check.lines if entry.tax and entry.tax.type == "exclusive")
    assert totals.total_cents == totals.subtotal_cents - totals.discount_cents + totals.charge_cents + added_tax
    assert totals.subtotal_cents == sum(
        item.price_cents * quantity for item, quantity in zip(items, quantities, strict=False)
    )
    assert totals.discount_cents == sum(entry.discount_cents for entry in check.lines)
    assert totals.discount_cents == sum(entry.cents for entry in check.discounts)
    assert totals.charge_cents == sum(charge.cents for charge in check.charges)
    assert totals.tax_cents == sum(entry.tax.cents for entry in check.lines if entry.tax)
    for entry in check.lines:
        assert 0 <= entry.discount_cents <= entry.gross_cents
    assert totals.total_cents >= 0


@settings(deadline=None)
@given(items=menus, cents=st.integers(1, 10**9))
def test_an_amount_is_taken_off_exactly_or_refused(items: list[Item], cents: int) -> None:
    discountable = sum(item.price_cents for item in items if item.discountable)
    lines = [line(item.id) for item in items]
    if cents > discountable:
        assert refused(*lines, menu=catalog(*items), discount=amount(cents)) == ("discount.value", "DISCOUNT_TOO_LARGE")
    else:
        assert priced(*lines, menu=catalog(*items), discount=amount(cents)).totals.discount_cents == cents


def test_a_total_beyond_what_the_hub_keeps_is_refused_at_its_item() -> None:
    dear = structs.replace(PLOV, price_cents=9_000_000_000_000_00)
    menu = catalog(dear, structs.replace(PLOV, id="dearer", price_cents=10**22))
    assert priced(line("plov"), menu=menu).totals.total_cents == 9_000_000_000_000_00
    assert refused(line("plov", 99), menu=menu) == ("items[0]", "TOTAL_TOO_LARGE")
    assert refused(line("plov"), line("plov"), menu=menu) == ("items[1]", "TOTAL_TOO_LARGE")
    assert refused(line("dearer", 99), menu=menu) == ("items[0]", "TOTAL_TOO_LARGE")


def test_a_total_that_charges_or_taxes_make_too_large_is_refused() -> None:
    charged = Policies(service_charge_percent="10", service_charge_order_types=(OrderType.PICKUP,))
    menu = catalog(structs.replace(PLOV, price_cents=9_000_000_000_000_00))
    assert refused(line("plov"), menu=menu, policies=charged) == ("items", "TOTAL_TOO_LARGE")
    taxed = catalog(structs.replace(PLOV, tax=Tax(name="VAT", rate="1e14", inclusive=False)))
    assert refused(line("plov"), menu=taxed) == ("items", "TOTAL_TOO_LARGE")


def test_an_order_that_comes_to_less_than_nothing_is_refused() -> None:
    cheaper = structs.replace(PLOV, id="back", price_cents=-1801)
    menu = catalog(PLOV, cheaper)
    assert refused(line("back"), menu=menu) == ("items", "TOTAL_NEGATIVE")
    assert refused(line("plov"), line("back"), menu=menu) == ("items", "TOTAL_NEGATIVE")
    assert priced(line("plov", 2), line("back"), menu=menu).totals.total_cents == 1799

"""What goes into a Desibits order, and what the fidelity report says of the rest."""

from decimal import Decimal
from typing import Any

import jsonschema
import msgspec
import pytest
from msgspec import structs

from connectors.desibits.translate import OrderSetup, Translated, compare_items, order_to_desibits
from hub.contract.tables import load_schema, load_tables
from hub.errors import UnmappedValue
from hub.model.check import Charge, Discount, LineTax, Modifier, Totals
from hub.model.decimals import encode_json
from hub.model.order import Customer, Delivery, LossKind, Order, Timing
from hub.model.status import Status
from tests.connectors.desibits.linked import MARK, NOW_MS, check, empty_tab, item_row, line, order, write

TEN_PERCENT = Discount(type="percent", value="10", cents=260)


def translated(of: Order, **changes: Any) -> Translated:
    setup = OrderSetup(tables=load_tables("desibits"), order_type_id=1, **changes)
    found = order_to_desibits(write(of), setup)
    jsonschema.validate(msgspec.json.decode(encode_json(found.body)), load_schema("desibits/order_create"))
    return found


def told(found: Translated) -> list[tuple[str, str]]:
    return [(loss.path, loss.kind.value) for loss in found.losses]


def test_the_documented_order_goes_out_as_documented_but_for_notes_and_mark() -> None:
    found = translated(order(line(note="No onions"), discount=TEN_PERCENT), table_id=5, customer_id=10)
    assert found.body == {
        "order_type_id": 1,
        "table_id": 5,
        "customer_id": 10,
        "items": [{"menu_item_id": 15, "quantity": 2, "price": Decimal("12.99"), "note": f"No onions {MARK}"}],
        "discount_type": "percent",
        "discount_value": 10,
        "notes": MARK,
    }
    assert found.losses == ()


def test_modifiers_are_text_and_their_price_is_in_the_lines() -> None:
    options = (
        Modifier(modifier_id="m1", group_id="g", name="Hot", unit_cents=0),
        Modifier(
            modifier_id="m2",
            group_id="g",
            name="Cheese",
            quantity=2,
            unit_cents=150,
            modifiers=(Modifier(modifier_id="m3", group_id="h", name="Aged", unit_cents=25),),
        ),
    )
    found = translated(order(line(unit_cents=1000, modifiers=options, note="Well done"), line(16, note="Plain")))
    assert found.body["items"] == [
        {
            "menu_item_id": 15,
            "quantity": 2,
            "price": Decimal("13.50"),
            "note": f"Well done | Hot, 2x Cheese (Aged) {MARK}",
        },
        {"menu_item_id": 16, "quantity": 2, "price": Decimal("12.99"), "note": "Plain"},
    ]
    assert told(found) == [("checks[0].lines[0].modifiers", "flattened")]


def test_an_option_that_is_a_menu_item_becomes_a_line_of_its_own() -> None:
    naan = Modifier(modifier_id="m1", group_id="g", name="Naan", quantity=2, unit_cents=275, vendor={"id": 18})
    found = translated(order(line(quantity=3, modifiers=(naan,))))
    assert found.body["items"] == [
        {"menu_item_id": 15, "quantity": 3, "price": Decimal("12.99"), "note": MARK},
        {"menu_item_id": 18, "quantity": 6, "price": Decimal("2.75"), "note": f"with Paneer Tikka {MARK}+"},
    ]
    assert told(found) == [("checks[0].lines[0].modifiers", "flattened")]


@pytest.mark.parametrize("vendor", [{}, {"id": None}, {"id": ""}, {"id": True}, {"product": {"id": 1}}])
def test_a_line_without_desibits_id_is_held(vendor: Any) -> None:
    with pytest.raises(UnmappedValue, match="'Paneer Tikka' has no id of Desibits' menu") as raised:
        translated(order(line(), line(vendor=vendor)))
    assert raised.value.field == "checks[0].lines[1]"


def test_what_has_no_field_stands_in_the_notes_before_the_mark() -> None:
    bill = structs.replace(
        check([line()]),
        charges=(Charge(type="service", cents=260, percent="10"), Charge(type="bag", cents=0)),
        totals=Totals(subtotal_cents=2598, charge_cents=260, tip_cents=300, total_cents=3158),
    )
    found = translated(
        order(
            checks=(bill,),
            note="Nut allergy",
            customer=Customer(name="Asha", email="a@example.com"),
            tables=("7A", "7B"),
            party_size=5,
            timing=Timing(timezone="Asia/Kolkata", business_date="2026-11-18", promised_at_ms=NOW_MS + 3_600_000),
            delivery=Delivery(address="MG Road 1", instructions="Ring twice"),
        ),
        table_id=5,
    )
    assert found.body["notes"] == (
        "Nut allergy | Asha, a@example.com | Table 7A, 7B | Party of 5 | For 2026-11-18 17:36 | To MG Road 1"
        f" | Ring twice | service charge 2.60 | tip 3.00 | {MARK}"
    )
    assert [path for path, _ in told(found)] == [
        "customer",
        "tables",
        "party_size",
        "timing.promised_at_ms",
        "delivery.address",
        "delivery.instructions",
        "checks.charges",
        "totals.tip_cents",
    ]
    assert {kind for _, kind in told(found)} == {"flattened"}


def test_a_guest_who_is_a_customer_and_one_table_leave_no_trace_in_the_notes() -> None:
    found = translated(order(customer=Customer(name="Asha", phone="1"), tables=("7A",)), table_id=5, customer_id=10)
    assert (found.body["notes"], found.losses) == (MARK, ())


def test_a_tab_without_lines_has_its_mark_in_the_notes() -> None:
    found = translated(empty_tab(), table_id=5)
    assert (found.body["items"], found.body["notes"]) == ([], MARK)


def test_several_checks_become_one_and_a_void_one_does_not_count() -> None:
    checks = (check([line()]), check([line(16)], id="chk_2"), check([line(18)], id="chk_3", status=Status.VOID))
    found = translated(order(checks=checks))
    assert [item["menu_item_id"] for item in found.body["items"]] == [15, 16]
    assert told(found) == [("checks", "flattened")]


def test_taxes_on_top_are_left_to_desibits_and_taxes_inside_the_price_are_in_it() -> None:
    for kind, expected in (("exclusive", [("checks.lines.tax", "lost")]), ("inclusive", [])):
        tax = LineTax(name="GST", rate="5", type=kind, cents=130)  # type: ignore[arg-type]
        assert told(translated(order(line(tax=tax)))) == expected


def discounted(discount: Discount, mode: Any) -> Translated:
    return translated(order(line(), line(16, 333, 3), discount=discount), amount_discount=mode)


@pytest.mark.parametrize(
    ("cents", "mode", "expected", "kind"),
    [
        (500, "percent", ("percent", Decimal("13.9")), "flattened"),
        (1, "percent", ("percent", Decimal("0.03")), "flattened"),
        (500, "fixed", ("fixed", Decimal("5.00")), None),
    ],
)
def test_an_amount_goes_as_the_link_says(cents: int, mode: str, expected: Any, kind: str | None) -> None:
    found = discounted(Discount(type="amount", value=str(cents), cents=cents), mode)
    assert (found.body["discount_type"], found.body["discount_value"]) == expected
    assert told(found) == ([("checks.discounts", kind)] if kind else [])


def test_an_amount_that_no_percentage_comes_to_says_that_it_is_rounded() -> None:
    found = translated(order(line(15, 999999, 9), discount=Discount(type="amount", value="777", cents=777)))
    assert (found.body["discount_value"], told(found)) == (Decimal("0.01"), [("checks.discounts", "rounded")])


def test_an_amount_folded_into_the_prices_leaves_no_discount() -> None:
    found = discounted(Discount(type="amount", value="500", cents=500), "fold")
    assert [item["price"] for item in found.body["items"]] == [Decimal("11.19"), Decimal("2.87")]
    assert "discount_type" not in found.body
    assert told(found) == [("checks.discounts", "rounded")]


def test_a_percentage_of_some_of_the_lines_goes_as_an_amount() -> None:
    found = discounted(Discount(type="percent", value="10", cents=260), "fixed")
    assert (found.body["discount_type"], found.body["discount_value"]) == ("fixed", Decimal("2.60"))


def test_prices_have_the_decimals_of_their_currency() -> None:
    for currency, price in (("JPY", "1299"), ("INR", "12.99"), ("KWD", "1.299")):
        found = order_to_desibits(
            write(order(currency=currency)), OrderSetup(tables=load_tables("desibits"), order_type_id=1)
        )
        assert str(found.body["items"][0]["price"]) == price


def test_an_order_that_is_shown_as_it_was_sent_has_no_losses() -> None:
    sent = translated(order(line(), line(16))).body["items"]
    shown = {"items": [item_row(16, 2, Decimal("12.99")), item_row(15, 2, "12.990", extra=1)]}
    assert compare_items(sent, shown) == ()
    assert compare_items(sent, {"id": 1}) == ()


def test_items_that_differ_are_told_one_by_one() -> None:
    sent = translated(order(line(), line(16), line(18))).body["items"]
    shown = {"items": [item_row(15, 2, "11.00"), item_row(18, 1), item_row(30, 1), item_row(31, 1)]}
    losses = compare_items(sent, shown)
    assert [(loss.path, loss.loss) for loss in losses] == [
        ("checks[0].lines[0]", "Desibits shows menu item 15: 2 at 11.00 where 2 at 12.99 were sent"),
        ("checks[0].lines[1]", "Desibits does not show menu item 16"),
        ("checks[0].lines[2]", "Desibits shows menu item 18: 1 at 12.99 where 2 at 12.99 were sent"),
        ("checks.lines", "Desibits shows 2 more items than were sent"),
    ]
    assert {loss.kind for loss in losses} == {LossKind.LOST}

"""Orders in the words of Clopos v1, against both examples of its documentation."""

import time
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from msgspec import structs

from connectors.clopos.settings import SaleType
from connectors.clopos.translate import OrderSetup
from connectors.clopos.translate_v1 import order_to_clopos
from hub.contract.tables import load_schema, load_tables
from hub.errors import UnmappedValue
from hub.model.check import Charge, Check, Discount, Modifier, Totals
from hub.model.decimals import encode_json
from hub.model.order import Customer, Delivery, Order, Timing
from hub.model.status import OrderType, Status
from tests.connectors.clopos.linked import (
    MARK,
    as_sent,
    documented,
    example_check,
    order,
    plain_line,
    product_line,
    write,
)

SETUP = OrderSetup(
    tables=load_tables("clopos"),
    venue_id=1,
    venue_name="Main",
    sale_type=SaleType(2, "Delivery"),
    customer_id=9,
    customer_discount_type=1,
    apply_service_charge=True,
    full_products=False,
)


def translated(of: Order, **changes: Any) -> Any:
    """The payload as the vendor reads it, with the customer's number in front."""
    return as_sent(order_to_clopos(write(of), structs.replace(SETUP, **changes)).body)


def lost_paths(of: Order) -> list[str]:
    return [loss.path for loss in order_to_clopos(write(of), SETUP).losses]


def test_the_documented_order_is_sent_as_documented_but_for_the_comment() -> None:
    body = translated(order())
    expected = documented("create_order_v1")
    assert expected["payload"]["meta"].pop("comment") == ""
    assert body["payload"]["meta"].pop("comment") == MARK
    assert body == expected


def test_the_documented_order_keeps_its_total_hash_and_letters_on_the_wire() -> None:
    raw = encode_json(order_to_clopos(write(order()), SETUP).body).decode()
    assert '"orderTotal":"16.2000"' in raw
    assert '"product_hash":"MTExODcsMTEyMDE="' in raw
    assert "Mega Dürüm Menü Alana Çiğ Köfte Dürüm" in raw


def test_full_products_have_the_shape_of_the_first_example() -> None:
    first = documented("create_order_v1_first")
    product = first["payload"]["products"][0]["meta"]["order_product"]["product"]
    check = structs.replace(example_check(), lines=(product_line(vendor={"product": product}),))
    body = translated(order(check=check), full_products=True)
    assert first["payload"]["meta"].pop("comment") == ""
    body["payload"]["meta"].pop("comment")
    assert body == first


@pytest.mark.parametrize("name", ["create_order_v1", "create_order_v1_first"])
def test_the_documented_examples_satisfy_the_schema(name: str) -> None:
    jsonschema.validate(documented(name), load_schema("clopos/order_create_v1"))


def test_a_product_without_modifiers_has_its_number_as_hash() -> None:
    body = translated(order([plain_line(400, 1)]))
    line = body["payload"]["products"][0]
    assert line["meta"]["order_product"]["product_hash"] == "140"
    assert line["product_modificators"] == []


def test_prices_are_exact_decimals_and_whole_ones_are_whole() -> None:
    body = translated(order([plain_line(1299, 2), plain_line(400, 1)]))
    prices = [line["meta"]["price"] for line in body["payload"]["products"]]
    catalogue = [line["meta"]["order_product"]["product"]["price"] for line in body["payload"]["products"]]
    assert prices == catalogue == [Decimal("12.99"), 4]
    assert body["payload"]["meta"]["orderTotal"] == "29.9800"


def test_an_amount_off_is_discount_type_two() -> None:
    check = Check(
        id="check_1",
        lines=(plain_line(1299, 1),),
        discounts=(Discount(type="amount", value="250", cents=250),),
        totals=Totals(subtotal_cents=1299, discount_cents=250, total_cents=1049),
    )
    body = translated(order(check=check))
    assert body["payload"]["meta"]["discount"] == {"discount_type": 2, "discount_value": Decimal("2.5")}
    assert lost_paths(order(check=check)) == []


def test_several_discounts_become_one_amount_and_say_so() -> None:
    discounts = (Discount(type="percent", value="10", cents=100), Discount(type="amount", value="50", cents=50))
    totals = Totals(subtotal_cents=1000, discount_cents=150, total_cents=850)
    check = Check(id="check_1", lines=(plain_line(1000, 1),), discounts=discounts, totals=totals)
    assert translated(order(check=check))["payload"]["meta"]["discount"] == {
        "discount_type": 2,
        "discount_value": Decimal("1.5"),
    }
    assert lost_paths(order(check=check)) == ["checks.discounts"]


def test_no_discount_is_type_zero() -> None:
    meta = translated(order([plain_line(400, 1)]))["payload"]["meta"]
    assert meta["discount"] == {"discount_type": 0, "discount_value": 0}


def test_a_service_charge_goes_out_as_percent() -> None:
    charges = (Charge(type="service", cents=100, percent="10"),)
    totals = Totals(subtotal_cents=1000, charge_cents=100, total_cents=1100)
    dinner = order(check=Check(id="check_1", lines=(plain_line(1000, 1),), charges=charges, totals=totals))
    meta = translated(dinner)["payload"]["meta"]
    assert (meta["apply_service_charge"], meta["service_charge_value"]) == (True, 10)
    switched_off = translated(dinner, apply_service_charge=False)["payload"]["meta"]
    assert (switched_off["apply_service_charge"], switched_off["service_charge_value"]) == (False, 0)


def test_what_has_no_field_stands_in_the_comment_and_in_the_losses() -> None:
    check = Check(
        id="check_1",
        lines=(plain_line(1000, 2, note="no salt"),),
        charges=(Charge(type="delivery", cents=250), Charge(type="bag", cents=10)),
        totals=Totals(subtotal_cents=2000, charge_cents=260, tip_cents=100, total_cents=2360),
    )
    dinner = order(
        check=check,
        note="Ring twice",
        tables=("7",),
        party_size=4,
        timing=Timing(timezone="Asia/Baku", business_date="2026-11-18", promised_at_ms=1_795_003_200_000),
        delivery=Delivery(address="Nizami 1", instructions="3rd floor"),
        customer=Customer(name="Rahid", phone="+994705401040", email="r@example.com"),
    )
    body = translated(dinner)
    assert body["payload"]["meta"]["comment"] == (
        "Ring twice | 2× Göbələk şorbası: no salt | Bag charge 0.10 | Delivery charge 2.50 | Tip 1.00 | 3rd floor"
        " | For 2026-11-18 16:00 | Table 7 | Party of 4 | #H7F3K9Q2"
    )
    assert body["payload"]["customer"]["address"] == "Nizami 1"
    assert lost_paths(dinner) == [
        "checks[0].lines[0].note",
        "checks.charges",
        "checks.charges",
        "totals.tip_cents",
        "delivery.instructions",
        "timing.promised_at_ms",
        "tables",
        "party_size",
        "customer.email",
    ]


def test_a_plain_order_loses_nothing() -> None:
    assert lost_paths(order()) == []


def test_modifiers_of_modifiers_move_up_and_count_for_each() -> None:
    sauce = Modifier(modifier_id="m3", group_id="g", name="Sauce", quantity=2, vendor={"id": 3})
    menu = Modifier(modifier_id="m2", group_id="g", name="Menu", quantity=2, modifiers=(sauce,), vendor={"id": 2})
    dinner = order([plain_line(400, 1, modifiers=(menu,))])
    line = translated(dinner)["payload"]["products"][0]
    assert line["product_modificators"] == [{"modificator_id": 2, "count": 2}, {"modificator_id": 3, "count": 4}]
    assert lost_paths(dinner) == ["checks[0].lines[0].modifiers[0].modifiers"]


def test_several_checks_become_one_bill_without_the_void_one() -> None:
    kept = Check(id="a", lines=(plain_line(400, 1),), totals=Totals(subtotal_cents=400, total_cents=400))
    void = structs.replace(kept, id="b", status=Status.VOID)
    dinner = structs.replace(order([plain_line(400, 1)]), checks=(kept, void, structs.replace(kept, id="c")))
    body = translated(dinner)
    assert len(body["payload"]["products"]) == 2
    assert body["payload"]["meta"]["orderTotal"] == "8.0000"
    assert lost_paths(dinner) == ["checks"]


def test_an_item_that_is_not_from_the_menu_of_clopos_stops_the_order() -> None:
    with pytest.raises(UnmappedValue) as raised:
        translated(order([plain_line(400, 1, vendor={})]))
    assert raised.value.field == "checks[0].lines[0]"


def test_a_modifier_that_is_not_from_the_menu_of_clopos_is_named_by_its_place() -> None:
    sauce = Modifier(modifier_id="m3", group_id="g", name="Sauce")
    menu = Modifier(modifier_id="m2", group_id="g", name="Menu", modifiers=(sauce,), vendor={"id": 2})
    with pytest.raises(UnmappedValue) as raised:
        translated(order([plain_line(400, 1), plain_line(400, 1, modifiers=(menu,))]))
    assert raised.value.field == "checks[0].lines[1].modifiers[0].modifiers[0]"
    assert raised.value.message == "modifier 'Sauce' (m3) is not in the menu synced from Clopos"


def test_a_guest_without_a_name_is_called_guest() -> None:
    customer = translated(order([plain_line(400, 1)], customer=None))["payload"]["customer"]
    assert (customer["name"], customer["phone"]) == ("Guest", None)


@pytest.mark.parametrize(
    ("told", "sent"),
    [("00994 (70) 540-10-40", "+994705401040"), ("+994 70 540 10 40", "+994705401040"), ("070 540", "070 540")],
)
def test_phone_numbers_are_written_as_the_documentation_does(told: str, sent: str) -> None:
    body = translated(order([plain_line(400, 1)], customer=Customer(name="Rahid", phone=told)))
    assert body["payload"]["customer"]["phone"] == sent


def test_dinars_have_three_decimals() -> None:
    body = translated(order([plain_line(1250, 1)], currency="KWD"))
    assert body["payload"]["products"][0]["meta"]["price"] == Decimal("1.250")
    assert body["payload"]["meta"]["orderTotal"] == "1.2500"


def test_a_product_that_was_renamed_and_repriced_goes_out_as_it_is_now() -> None:
    before = plain_line(400, 1)
    product = {**before.vendor["product"], "name": "Soup", "price": "4.50"}
    after = structs.replace(before, unit_cents=450, vendor={"product": product})
    sent = [translated(order([line]))["payload"]["products"][0]["meta"] for line in (before, after, before)]
    assert [(meta["price"], meta["order_product"]["product"]["name"]) for meta in sent] == [
        (4, "Göbələk şorbası"),
        (Decimal("4.5"), "Soup"),
        (4, "Göbələk şorbası"),
    ]


def test_equal_lines_differ_where_the_currency_or_the_link_differs() -> None:
    line = product_line(unit_cents=1250)
    dinars = translated(order([line], currency="KWD"))["payload"]["products"][0]["meta"]
    manats = translated(order([line]))["payload"]["products"][0]["meta"]
    assert (dinars["price"], manats["price"]) == (Decimal("1.25"), Decimal("12.5"))
    full = translated(order([line]), full_products=True)["payload"]["products"][0]["meta"]["order_product"]
    assert manats["order_product"]["product_modificators"][0] == {"modificator_id": 187, "count": 1}
    assert full["product_modificators"][0] == {"modificator": {"id": 187, "name": "yyy", "price": 3}, "count": 1}


def test_an_order_of_ten_items_is_translated_in_well_under_a_millisecond() -> None:
    request = write(order([product_line(uid=f"li_{index}") for index in range(10)], order_type=OrderType.PICKUP))
    times = []
    for _ in range(200):
        started = time.perf_counter()
        order_to_clopos(request, SETUP)
        times.append(time.perf_counter() - started)
    assert min(times) < 0.001

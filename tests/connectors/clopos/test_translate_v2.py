"""Orders in the words of Clopos v2."""

from decimal import Decimal

import jsonschema
from msgspec import structs

from connectors.clopos.translate_v2 import order_to_clopos
from hub.contract.tables import load_schema
from hub.model.check import Charge, Check, Discount, Modifier, Totals
from hub.model.order import Delivery
from tests.connectors.clopos.linked import MARK, as_sent, documented, order, plain_line, write
from tests.connectors.clopos.test_translate_v1 import SETUP


def test_the_documented_example_satisfies_the_schema() -> None:
    jsonschema.validate(documented("create_order_v2"), load_schema("clopos/order_create_v2"))


def test_an_order_like_the_documented_one_is_sent_as_documented() -> None:
    cheese = Modifier(modifier_id="m", group_id="g", name="Extra Cheese", unit_cents=50, vendor={"id": 501})
    line = plain_line(
        850,
        2,
        name="Pizza",
        note="No onions",
        modifiers=(cheese,),
        vendor={"product": {"id": 101, "name": "Pizza", "category_id": 1, "station_id": 1, "price": "8.50"}},
    )
    check = Check(
        id="check_1",
        lines=(line,),
        discounts=(Discount(type="percent", value="10", cents=180),),
        charges=(Charge(type="service", cents=81, percent="5"), Charge(type="delivery", cents=250)),
        totals=Totals(subtotal_cents=1800, discount_cents=180, charge_cents=331, total_cents=1951),
    )
    dinner = order(check=check, number="A-1024", note="Leave at the door", delivery=Delivery(address="123 Main St"))
    result = order_to_clopos(write(dinner), SETUP)
    body = as_sent(result.body)
    expected = documented("create_order_v2")
    for name in ("auto_accept_terminal", "auto_order_accept", "auto_order_sent_to_station"):
        del expected[name]
    expected["comment"] += f" | {MARK}"
    expected["products"][0].update(product_hash="MTAxMTUwMQ==", price=Decimal("8.5"))
    del expected["products"][0]["portion_size"], expected["products"][0]["modifiers"][0]["portion_size"]
    assert body == expected
    assert result.losses == ()


def test_what_the_guest_did_not_say_is_empty_text() -> None:
    body = order_to_clopos(write(order([plain_line(400, 1)], customer=None)), SETUP).body
    assert body["customer"] == {"id": 9, "phone": "", "address": "", "customer_discount_type": 1, "name": "Guest"}


def test_an_order_number_of_more_than_twenty_characters_is_left_out() -> None:
    dinner = structs.replace(order([plain_line(400, 1)]), number="A" * 21)
    assert "order_number" not in order_to_clopos(write(dinner), SETUP).body

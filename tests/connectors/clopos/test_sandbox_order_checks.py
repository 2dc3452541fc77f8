"""What the Clopos sandbox refuses in an order, and what it adds an order up to."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.connectors.clopos.conftest import V1, V2, Caller
from tests.connectors.clopos.sandbox_bodies import full_example, line_v1, order_v1, order_v2

Change = Callable[[dict[str, Any]], Any]


def set_at(path: str, value: Any) -> Change:
    """A change that puts a value at a dotted path; `...` removes the field."""

    def change(body: dict[str, Any]) -> None:
        *way, last = path.split(".")
        place: Any = body
        for step in way:
            place = place[int(step)] if step.isdigit() else place[step]
        if value is ...:
            del place[last]
        else:
            place[last] = value

    return change


def total(clopos: Caller, body: dict[str, Any]) -> str:
    answer = clopos.order(body)
    assert answer.status_code == 201, answer.text
    order_total: str = answer.json()["data"]["payload"]["meta"]["orderTotal"]
    return order_total


LINE = "payload.products.0"
COPY = f"{LINE}.meta.order_product"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("customer_id", ...),
        ("customer_id", "9"),
        ("customer_id", 404),
        ("payload.service", []),
        ("payload.service.sale_type_id", 77),
        ("payload.service.sale_type_name", ...),
        ("payload.service.venue_id", 2),
        ("payload.service.venue_id", "1"),
        ("payload.service.venue_name", ""),
        ("payload.customer.id", 1),
        ("payload.customer.phone", 705401040),
        ("payload.customer.customer_discount_type", 5),
        ("payload.products", []),
        (f"{LINE}.product_id", 999),
        (f"{LINE}.product_id", 50),
        (f"{LINE}.product_id", 10),
        (f"{LINE}.product_id", 18),
        (f"{LINE}.count", 1.5),
        (f"{LINE}.count", 1.0),
        (f"{LINE}.count", "1"),
        (f"{LINE}.count", True),
        (f"{LINE}.count", 0),
        (f"{LINE}.product_modificators", ...),
        (f"{LINE}.meta.price", "0"),
        (f"{COPY}.product.id", 2),
        (f"{COPY}.count", 2),
        (f"{COPY}.status", "new"),
        (f"{COPY}.product_modificators", []),
        (f"{COPY}.product_hash", ""),
        ("payload.meta.orderTotal", 16.2),
        ("payload.meta.orderTotal", "16.20"),
        ("payload.meta.discount.discount_type", 3),
        ("payload.meta.discount.discount_value", 101),
        ("payload.meta.apply_service_charge", 1),
        ("payload.meta.service_charge_value", "0"),
        ("payload.meta.customer_discount_type", 0),
        ("payload.meta.coment", "typing error"),
    ],
)
def test_v1_refuses_a_wrong_field_and_names_it(clopos: Caller, path: str, value: Any) -> None:
    body = full_example()
    set_at(path, value)(body)
    answer = clopos.order(body)
    assert answer.status_code == 400
    error = answer.json()
    assert (error["success"], error["error"]) == (False, "validation_failed")
    assert f" {path} " in error["message"]
    assert clopos.client.get("/_sandbox/orders").json() == []


def test_an_unknown_modifier_is_refused(clopos: Caller) -> None:
    message = clopos.order(order_v1(line_v1(1, 1, (301, 1)))).json()["message"]
    assert message == "The payload.products.0.product_modificators.0 field must be a modifier of product 1."
    assert clopos.order(order_v1(line_v1(9, 1, (187, 1)))).status_code == 400


@pytest.mark.parametrize(
    ("modifiers", "status"),
    [
        ([], 400),
        ([(302, 1)], 201),
        ([(302, 1), (303, 1)], 400),
        ([(302, 1), (311, 2), (312, 1)], 201),
        ([(302, 1), (311, 3), (312, 1)], 400),
        ([(302, 1), (311, 4)], 400),
    ],
)
def test_groups_ask_for_as_many_modifiers_as_they_say(
    clopos: Caller, modifiers: list[tuple[int, int]], status: int
) -> None:
    assert clopos.order(order_v1(line_v1(2, 1, *modifiers))).status_code == status


def test_a_stopped_product_is_refused(clopos: Caller) -> None:
    message = clopos.order(order_v1(line_v1(8, 1))).json()["message"]
    assert message == "The payload.products.0.count field must be at most 0: the product is on the stop list."


def test_a_body_that_is_no_json_is_refused(clopos: Caller) -> None:
    headers = clopos.v1 | {"Content-Type": "application/json"}
    assert clopos.client.post(f"{V1}/orders", content=b"{", headers=headers).status_code == 400
    assert clopos.client.post(f"{V1}/orders", content=b"{}", headers=clopos.v1).status_code == 400
    assert clopos.order([]).json()["message"] == "The body field must be an object."


def test_totals_come_from_the_catalogue_and_not_from_the_caller(clopos: Caller) -> None:
    body = order_v1(line_v1(5, 3))
    body["payload"]["meta"]["orderTotal"] = "1.0000"
    assert total(clopos, body) == "12.6000"


def test_discounts_take_the_modifiers_in_and_round_half_up(clopos: Caller) -> None:
    line = line_v1(2, 3, (303, 1), (311, 2))  # (6.50 + 0.20 + 2 x 1.50) x 3 = 29.10
    assert total(clopos, order_v1(line)) == "29.1000"
    assert total(clopos, order_v1(line, discount=(1, 15))) == "24.7350"
    assert total(clopos, order_v1(line, discount=(2, 4.1))) == "25.0000"
    assert total(clopos, order_v1(line, discount=(2, 500))) == "0.0000"
    assert total(clopos, order_v1(line_v1(7, 1), discount=(1, 33.334))) == "2.5000"  # 1.250025 off
    assert total(clopos, order_v1(line_v1(13, 1), discount=(1, 0.005))) == "0.9999"  # 0.00005 is rounded up


def test_the_service_charge_is_a_percentage_of_the_discounted_sum(clopos: Caller) -> None:
    line = line_v1(5, 1)  # 4.20
    assert total(clopos, order_v1(line, discount=(1, 50), service=10)) == "2.3100"
    body = order_v1(line, service=10)
    body["payload"]["meta"]["apply_service_charge"] = False
    assert total(clopos, body) == "4.2000"


def test_packaging_bears_neither_discount_nor_service_charge(clopos: Caller) -> None:
    lines = [line_v1(5, 1), line_v1(16, 2)]  # 4.20 and 2 x 0.30
    assert total(clopos, order_v1(*lines, discount=(1, 50), service=10)) == "2.9100"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("sale_type_id", ...),
        ("venue_id", 2),
        ("customer", ...),
        ("customer.id", 404),
        ("customer.phone", ...),
        ("products", {}),
        ("products.0.product_id", 999),
        ("products.0.product_name", ...),
        ("products.0.count", 1.5),
        ("products.0.price", "0"),
        ("products.0.product_hash", ...),
        ("products.0.modifiers.0", {"modifier_id": 999, "modifier_name": "?", "count": 1}),
        ("products.0.modifiers.0.modifier_name", ...),
        ("order_number", "A" * 21),
        ("discount.discount_type", 9),
        ("service_charge.enabled", "yes"),
        ("delivery_fee", -1),
        ("payload", {}),
    ],
)
def test_v2_refuses_a_wrong_field_and_names_it(clopos: Caller, path: str, value: Any) -> None:
    body = order_v2()
    if path == "products.0.modifiers.0":
        body["products"][0]["modifiers"][0] = value
    else:
        set_at(path, value)(body)
    answer = clopos.order(body, version=V2)
    assert answer.status_code == 400
    assert f" {path} " in answer.json()["message"]

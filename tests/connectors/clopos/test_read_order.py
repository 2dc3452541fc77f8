"""Reading orders in every shape the documentation shows."""

from typing import Any

import pytest

from connectors.clopos.read_order import ReadSetup, find_comment, find_order_id, order_from_clopos
from hub.contract.tables import load_tables
from hub.errors import VendorMalformed
from hub.model.order import Customer
from hub.model.status import OrderType, Stage, Status
from tests.connectors.clopos.linked import LINK_ID, documented

SETUP = ReadSetup(link_id=LINK_ID, currency="AZN", tables=load_tables("clopos"), order_types={3: OrderType.PICKUP})


def documented_order(**meta: Any) -> Any:
    row = documented("get_order_v1")["data"]
    row["payload"]["meta"].update(meta)
    return row


def test_the_documented_order_is_read() -> None:
    order = order_from_clopos(documented_order(), SETUP)
    assert (order.ref.kind, order.ref.id, order.raw_status) == ("order", "75", "PENDING")
    assert (order.status, order.stage) == (Status.OPEN, Stage.RECEIVED)
    assert order.order_type is OrderType.PICKUP
    assert order.customer == Customer(name="John Doe")
    assert (order.mark, order.note, order.total_cents) == ("", "", None)
    (line,) = order.checks[0].lines
    assert (line.name, line.quantity, line.unit_cents, line.gross_cents) == ("Göbələk şorbası", 1, 400, 400)


def test_the_id_may_stand_in_the_payload() -> None:
    assert find_order_id({"status": "PENDING", "payload": {"id": 12}}) == "12"
    assert find_order_id({"id": "ORD-12345"}) == "ORD-12345"
    assert find_order_id({"id": True}) is None
    assert find_order_id(None) is None
    assert find_order_id(documented("create_order_v1_answer")["data"]) is None


def test_an_order_without_an_id_is_malformed() -> None:
    with pytest.raises(VendorMalformed):
        order_from_clopos({"status": "PENDING"}, SETUP)


def test_the_oldest_list_row_is_read_though_it_has_no_content() -> None:
    (row,) = documented("list_orders_v1_oldest")["data"]
    order = order_from_clopos(row, SETUP)
    assert (order.ref.id, order.number, order.stage) == ("ORD-12345", "A-001", Stage.ACCEPTED)
    assert (order.total_cents, order.checks) == (None, ())
    assert find_comment(row) is None


def test_our_mark_is_found_and_taken_off_the_note() -> None:
    order = order_from_clopos(documented_order(comment="Ring #1 twice | #H7F3K9Q2"), SETUP)
    assert (order.mark, order.note) == ("#H7F3K9Q2", "Ring #1 twice")


def test_totals_are_exact() -> None:
    row = documented_order(orderTotal="3.6000", discount={"discount_type": 1, "discount_value": 10})
    order = order_from_clopos(row, SETUP)
    assert order.total_cents == 360
    assert order.checks[0].totals.discount_cents == 40


def test_a_bill_that_does_not_add_up_is_not_shown() -> None:
    order = order_from_clopos(documented_order(orderTotal="99.0000"), SETUP)
    assert (order.total_cents, order.checks) == (9900, ())


def test_the_documented_echo_shows_its_total_but_no_lines_as_its_modifiers_have_no_price() -> None:
    row = {"id": 108, **documented("create_order_v1_answer")["data"]}
    order = order_from_clopos(row, SETUP)
    assert (order.total_cents, order.checks) == (1620, ())


def test_modifiers_with_prices_are_read() -> None:
    payload = documented("create_order_v1_first")["payload"]
    order = order_from_clopos({"id": 108, "status": "RECEIVED", "payload": payload}, SETUP)
    (check,) = order.checks
    assert (check.totals.subtotal_cents, check.totals.discount_cents, check.totals.total_cents) == (1800, 180, 1620)
    assert [modifier.unit_cents for modifier in check.lines[0].modifiers] == [300, 1500]


@pytest.mark.parametrize(
    "row",
    [
        {"id": 1, "status": None, "payload": []},
        {"id": 1, "payload": {"meta": [], "customer": [], "products": {}}},
        {"id": 1, "payload": {"products": [None], "meta": {"orderTotal": "soon"}}},
        {"id": 1, "payload": {"products": [{"count": "many", "meta": {"price": "soon"}}]}},
        {"id": 1, "payload": {"products": [{"count": "1e999999999", "meta": {"price": 4}}]}},
        {"id": 1, "payload": {"service": {"sale_type_id": None}, "products": [{"product_modificators": "x"}]}},
    ],
)
def test_odd_content_never_breaks_reading(row: Any) -> None:
    order = order_from_clopos(row, SETUP)
    assert (order.status, order.checks, order.total_cents) == (Status.UNKNOWN, (), None)


@pytest.mark.parametrize(
    ("created_at", "at_ms"),
    [
        ("2026-01-08T06:28:23.000000Z", 1_767_853_703_000),
        ("2026-01-08 06:28:23", None),  # of which zone nobody says
        ("soon", None),
        (None, None),
    ],
)
def test_when_it_was_made_is_known_only_with_an_offset(created_at: Any, at_ms: int | None) -> None:
    assert order_from_clopos(documented_order() | {"created_at": created_at}, SETUP).created_at_ms == at_ms


@pytest.mark.parametrize(
    "meta",
    [
        {"orderTotal": "99999999999999999999"},
        {"orderTotal": "1e30"},
        {"orderTotal": "NaN"},
        {"discount": {"discount_type": 2, "discount_value": "1e30"}},
        {"apply_service_charge": True, "service_charge_value": "900000000000000"},
    ],
)
def test_an_amount_that_cannot_be_makes_the_order_malformed(meta: Any) -> None:
    with pytest.raises(VendorMalformed, match="no amount"):
        order_from_clopos(documented_order(**meta), SETUP)

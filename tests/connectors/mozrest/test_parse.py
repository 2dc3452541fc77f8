"""What Mozrest's calls mean."""

from typing import Any

import pytest

from hub.contract.inbound import GetTab, ListTables, ListTabs, OpenTab, WantedItem
from hub.errors import InvalidRequest, NotFound
from hub.model.order import Customer
from tests.connectors.mozrest.linked import MOZREST_ID, ORDER_ID, SEATING, LinkedMozrest, request


@pytest.fixture
def linked() -> LinkedMozrest:
    return LinkedMozrest()


def opened(linked: LinkedMozrest, **changes: Any) -> OpenTab:
    tab = linked.called("open_order", body={**SEATING, **changes})
    assert isinstance(tab, OpenTab)
    return tab


def test_the_documented_seating(linked: LinkedMozrest) -> None:
    assert opened(linked) == OpenTab(
        tables=("T12",),
        channel_order_id=MOZREST_ID,
        customer=Customer(name="John Doe", email="john.doe@mail.com", phone="+34646883377"),
        party_size=4,
        prepaid_cents=5000,
        seated_at_ms=1_739_626_200_000,  # 2025-02-15 13:30 UTC is 14:30 in Madrid
    )


def test_a_seating_needs_nothing_but_a_table(linked: LinkedMozrest) -> None:
    assert linked.called("open_order", body={"tables": ["T12"]}) == OpenTab(tables=("T12",))


def test_tables_put_together_come_in_their_order_and_once(linked: LinkedMozrest) -> None:
    assert opened(linked, tables=["T13", "T12", "T13"]).tables == ("T13", "T12")


def test_the_deprecated_table_is_read_when_there_is_no_other(linked: LinkedMozrest) -> None:
    assert linked.called("open_order", body={"tableId": "T9"}).tables == ("T9",)
    assert linked.called("open_order", body={"tableId": "T9", "tables": ["T1"]}).tables == ("T1",)


@pytest.mark.parametrize(("table", "expected"), [(12, "12"), (" T1 ", "T1")])
def test_a_table_may_be_a_number_or_have_space_around(linked: LinkedMozrest, table: Any, expected: str) -> None:
    assert opened(linked, tables=[table]).tables == (expected,)


def test_an_update_by_id_names_the_order_in_its_address(linked: LinkedMozrest) -> None:
    assert linked.called("update_order", order=ORDER_ID, body={"tables": ["T14"]}) == OpenTab(
        tables=("T14",), channel_order_id=ORDER_ID
    )


def test_an_update_that_brings_mozrests_id_goes_by_it(linked: LinkedMozrest) -> None:
    assert linked.called("update_order", order=ORDER_ID, body=SEATING).channel_order_id == MOZREST_ID


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2025-07-15 14:30:00", 1_752_582_600_000),  # summer: 12:30 UTC
        ("2025-02-15T14:30:00", 1_739_626_200_000),
        ("2025-02-15T14:30:00Z", 1_739_629_800_000),
        ("2025-02-15T14:30:00+04:00", 1_739_615_400_000),
        ("2025-02-15 14:30", 1_739_626_200_000),
    ],
)
def test_a_date_without_a_zone_is_the_venues_time(linked: LinkedMozrest, date: str, expected: int) -> None:
    assert opened(linked, date=date).seated_at_ms == expected


@pytest.mark.parametrize(
    ("currency", "prepayment", "cents"),
    [("EUR", b"12.345", 1235), ("EUR", b"50", 5000), ("EUR", b'"19.99"', 1999), ("JPY", b"500.00", 500)],
)
def test_a_prepayment_is_exact_in_the_venues_currency(currency: str, prepayment: bytes, cents: int) -> None:
    body = b'{"tables": ["T1"], "prepayment": %s}' % prepayment
    assert LinkedMozrest(currency=currency).called("open_order", body=body).prepaid_cents == cents


@pytest.mark.parametrize(
    ("given", "kept"),
    [("34646883377", "+34646883377"), ("+34 646 883 377", "+34 646 883 377"), ("0501234567", "0501234567")],
)
def test_a_telephone_number_with_a_country_code_gets_its_plus(linked: LinkedMozrest, given: str, kept: str) -> None:
    tab = opened(linked, guestTelephone=given)
    assert tab.customer is not None
    assert tab.customer.phone == kept


def test_a_guest_without_a_name_or_any_word_is_no_guest(linked: LinkedMozrest) -> None:
    assert opened(linked, guestName=None, guestEmail="", guestTelephone=" ").customer is None


def test_preordered_items_are_read_as_far_as_they_can_be(linked: LinkedMozrest) -> None:
    items = [
        {"id": 7, "name": "Set menu", "quantity": 2, "note": "no nuts"},
        {"name": "Wine", "quantity": 1.5},
        "Cake",
        {"price": 3},
        {"id": {"deep": 1}},
        None,
        {"id": "a", "quantity": "3"},
    ]
    assert opened(linked, items=items).items == (
        WantedItem(item="Set menu", quantity=2, note="no nuts"),
        WantedItem(item="Wine"),
        WantedItem(item="Cake"),
        WantedItem(item="a", quantity=3),
    )
    assert opened(linked, items="later").items == ()


@pytest.mark.parametrize(("size", "expected"), [(4, 4), ("4", 4), (4.0, 4), (0, None), (None, None)])
def test_the_size_of_a_party(linked: LinkedMozrest, size: Any, expected: int | None) -> None:
    assert opened(linked, partySize=size).party_size == expected


def test_a_wrong_field_is_named(linked: LinkedMozrest) -> None:
    with pytest.raises(InvalidRequest) as raised:
        opened(linked, partySize=2.5)
    assert (raised.value.field, raised.value.message) == (
        "partySize",
        "This value should be a whole number from 1 to 1000.",
    )


@pytest.mark.parametrize("name", ["list_tables", "open_order", "list_orders"])
def test_another_venue_is_not_here(linked: LinkedMozrest, name: str) -> None:
    with pytest.raises(NotFound):
        linked.connector.parse(request(name, venue="venue-2", body=SEATING))


def test_the_venue_may_have_another_id_in_mozrests_calls() -> None:
    linked = LinkedMozrest(pos_venue_id="our-venue")
    assert linked.connector.parse(request("list_tables", venue="our-venue")) == ListTables()
    with pytest.raises(NotFound):
        linked.connector.parse(request("list_tables"))


def test_one_order_and_the_tables(linked: LinkedMozrest) -> None:
    assert linked.called("get_order", order="x") == GetTab(order_id="x")
    assert linked.called("list_tables") == ListTables()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ListTabs()),
        ({"status": "open"}, ListTabs(is_open=True)),
        ({"status": "CLOSED"}, ListTabs(is_open=False)),
        ({"from": "2025-02-01T00:00:00Z"}, ListTabs(from_ms=1_738_368_000_000)),
        ({"from": "2025-02-01T04:00:00 04:00"}, ListTabs(from_ms=1_738_368_000_000)),  # an unescaped plus
        ({"until": "2025-02-01"}, ListTabs(until_ms=1_738_368_000_000)),
        ({"until": "2025-02-01 00:00:00"}, ListTabs(until_ms=1_738_368_000_000)),
        ({"limit": "50", "offset": "100", "page": "x"}, ListTabs(limit=50, offset=100)),
    ],
)
def test_a_list_may_be_narrowed(linked: LinkedMozrest, query: dict[str, str], expected: ListTabs) -> None:
    assert linked.called("list_orders", query=query) == expected


@pytest.mark.parametrize(
    ("field", "value"),
    [("status", "void"), ("from", "yesterday"), ("until", "9999999"), ("limit", "0"), ("limit", "-1"), ("offset", "٣")],
)
def test_a_list_that_cannot_be_understood_names_the_field(linked: LinkedMozrest, field: str, value: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        linked.called("list_orders", query={field: value})
    assert raised.value.field == field

"""Orders as lines of JSON and as rows of a spreadsheet."""

import csv
import io
import json

import pytest
from msgspec import structs

from hub.cli.order_table import jsonl, table
from hub.model.order import Customer, Delivery, InjectionState, OrderRecord, VendorRef
from hub.model.status import Injection, Status
from tests.database.stored import VENUE, order_of


def record(name: str = "Alice", phone: str = "+994705401040") -> OrderRecord:
    order = structs.replace(
        order_of(),
        number="DT-001",
        status=Status.CLOSED,
        tables=("T1", "T2"),
        customer=Customer(name=name, phone=phone),
        delivery=Delivery(address='Nizami 28, "left"\nring twice'),
    )
    order = structs.replace(order, timing=structs.replace(order.timing, closed_at_ms=order.created_at_ms + 60_000))
    ref = VendorRef(kind="order", id="4711")
    state = InjectionState(
        target="till", link_id="link_1", state=Injection.CONFIRMED, attempts=1, ref=ref, pos_cents=1790
    )
    return OrderRecord(order=order, injection=(state,))


def row(of: OrderRecord) -> dict[str, str]:
    out = io.StringIO()
    table(out)(of, VENUE)
    out.seek(0)
    [found] = csv.DictReader(out)
    return found


def test_a_row_holds_what_a_bookkeeper_compares() -> None:
    shown = row(record())
    assert (shown["number"], shown["store"], shown["tab_status"]) == ("DT-001", "demo", "closed")
    assert (shown["created_at"], shown["closed_at"]) == ("2026-11-18T11:06:40Z", "2026-11-18T11:07:40Z")
    assert (shown["currency"], shown["total"], shown["pos_total"], shown["difference"]) == (
        "AZN",
        "18.00",
        "17.90",
        "-0.10",
    )
    assert (shown["pos_ids"], shown["tables"], shown["items"]) == ("4711", "T1, T2", "1 x Plov")
    assert (shown["guest"], shown["phone"], shown["email"]) == ("Alice", "+994705401040", "")
    assert shown["delivery_address"] == 'Nizami 28, "left"\nring twice'


@pytest.mark.parametrize("typed", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1", "\r=1"])
def test_what_a_guest_typed_is_never_a_formula(typed: str) -> None:
    assert row(record(name=typed))["guest"] == "'" + typed


@pytest.mark.parametrize("typed", ["+994 50 111 22 33", "Alice = Bob", "-12.5"])
def test_numbers_and_plain_words_stay_as_they_are(typed: str) -> None:
    assert row(record(name=typed))["guest"] == typed


def test_a_line_of_json_is_the_order_as_the_api_shows_it() -> None:
    out = io.StringIO()
    write = jsonl(out)
    write(record("Gülnarə"), VENUE)
    write(record(), VENUE)
    first, second = out.getvalue().splitlines()
    assert "Gülnarə" in first
    shown = json.loads(second)
    assert (shown["orderNumber"], shown["total"]["cents"], shown["customer"]["name"]) == ("DT-001", 1800, "Alice")
    assert shown["closedAt"] == "2026-11-18T11:07:40Z"

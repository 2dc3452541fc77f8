"""Every difference between our orders and the POS's is named; what could not be asked is never "no differences"."""

from functools import partial
from typing import Any

import pytest
from msgspec import structs

from hub.database import directory as stored_directory
from hub.database.deliveries import State
from hub.database.engine import Database
from hub.database.orders import place_orders
from hub.database.vendor_refs import save_ref
from hub.errors import (
    ConnectorError,
    InvalidRequest,
    VendorAuthFailed,
    VendorMalformed,
    VendorRateLimited,
    VendorUnavailable,
)
from hub.model.ids import order_mark
from hub.model.order import Loss, VendorRef
from hub.model.payment import Payment, PaymentMethod
from hub.model.status import PaymentStatus, Status
from hub.services.reconcile import MOST_ORDERS
from tests.database import conftest as both
from tests.database.stored import (
    DAY,
    LINK,
    MINUTE,
    NOW,
    OTHER_LINK,
    OTHER_VENUE,
    PLOV,
    VENUE,
    claim_one,
    close,
    finish,
    new_order,
    place,
)
from tests.services.reconciling import HOUR, Till, change, delivered, report, rows, told

pytestmark = pytest.mark.anyio
postgres, migrated_postgres, migrated_sqlite = both.postgres, both.migrated_postgres, both.migrated_sqlite
sqlite_url, postgres_url, url = both.sqlite_url, both.postgres_url, both.url
open_database, database = both.open_database, both.database


async def test_what_agrees_is_no_difference_and_the_list_is_the_only_call(database: Database) -> None:
    for number in range(3):
        delivered(database, str(number))
    till = Till(*(told(str(number)) for number in range(3)))
    found = await report(database, till)
    assert (found.orders, found.compared, found.differences) == (3, ("till",), ())
    assert till.asked == [f"since {-HOUR - 2 * MINUTE}"]


@pytest.mark.parametrize(
    ("theirs", "row"),
    [
        ({"total_cents": 1900}, ("total", "1800", "1900")),
        ({"status": Status.CLOSED, "raw_status": "PAID"}, ("status", "open", "closed (PAID)")),
        ({"status": Status.VOID, "raw_status": "GONE"}, ("status", "open", "void (GONE)")),
        ({"status": Status.UNKNOWN, "raw_status": "ON ICE"}, ("status", "open", "unknown (ON ICE)")),
        ({"tables": ("T2", "T1")}, ("tables", "none", "T1, T2")),
        ({"payment_status": PaymentStatus.PAID}, ("payments", "unpaid", "paid")),
    ],
)
async def test_a_planted_difference_is_named_by_order_and_field(
    database: Database, theirs: dict[str, Any], row: tuple[str, str, str]
) -> None:
    delivered(database, "9001")
    delivered(database, "9002")
    assert await rows(database, Till(told("9001"), told("9002", **theirs))) == [("DT-002", *row)]


async def test_lines_differ_by_item_and_quantity_not_by_how_they_are_split(database: Database) -> None:
    delivered(database)
    [check] = told().checks
    two = structs.replace(check.lines[0], quantity=2)
    tea = structs.replace(check.lines[0], item_id="item_tea")
    assert await rows(database, Till(told(checks=(structs.replace(check, lines=(two, tea)),)))) == [
        ("DT-001", "lines", f"1 {PLOV.id}", f"2 {PLOV.id}, 1 item_tea")
    ]
    no_lines = structs.replace(check, lines=())
    assert await rows(database, Till(told(checks=(no_lines,)))) == [("DT-001", "lines", f"1 {PLOV.id}", "none")]


async def test_a_line_that_names_only_the_vendors_id_is_the_menus_item(database: Database) -> None:
    item = structs.replace(PLOV, vendor={"id": 42})
    menu = structs.replace(database.read_now(lambda c: stored_directory.load_menu(c, VENUE.id)), items=(item,))
    save = partial(stored_directory.save_menu, venue_id=VENUE.id, menu=menu, source="pos", now_ms=NOW)
    database.run_now(save)
    delivered(database, catalog_version=2)
    [check] = told().checks
    line = structs.replace(check.lines[0], item_id="", name="PLOV (lamb)", vendor={"id": "42"})
    assert await rows(database, Till(told(checks=(structs.replace(check, lines=(line,)),)))) == []


async def test_payments_are_compared_by_their_sum_where_both_name_them(database: Database) -> None:
    order = delivered(database)
    mine = Payment(id="pay_1", method=PaymentMethod.CARD, cents=1800)
    paid_check = structs.replace(order.checks[0], payments=(mine,))
    change(database, order.id, checks=(paid_check,), payment_status=PaymentStatus.PAID)
    [check] = told().checks
    cash = Payment(id="x", method=PaymentMethod.CASH, cents=1000)
    partly = told(checks=(structs.replace(check, payments=(cash,)),), payment_status=PaymentStatus.PARTIAL)
    assert await rows(database, Till(partly)) == [("DT-001", "payments", "1800", "1000")]
    unpaid = told(payment_status=PaymentStatus.UNPAID)
    assert await rows(database, Till(unpaid)) == [("DT-001", "payments", "paid", "unpaid")]


async def test_rounds_of_one_order_are_added_up(database: Database) -> None:
    order = delivered(database, "9001")
    second = VendorRef(kind="order", id="9002")
    database.run_now(lambda c: save_ref(c, LINK.id, second, order.id, now_ms=NOW))
    assert await rows(database, Till(told("9001"), told("9002"))) == [
        ("DT-001", "total", "1800", "3600"),
        ("DT-001", "lines", f"1 {PLOV.id}", f"2 {PLOV.id}"),
    ]


async def test_an_order_missing_there_is_named_whether_it_was_lost_refused_or_never_sent(database: Database) -> None:
    delivered(database, "9001")
    place(database)
    finish(database, claim_one(database), State.DEAD, cause="VENDOR_REJECTED")
    assert await rows(database, Till()) == [
        ("DT-002", "missing_there", "open", "manual_required"),
        ("DT-001", "missing_there", "9001", "till: there is no such order"),
    ]


async def test_what_was_void_before_it_was_sent_is_missing_nowhere(database: Database) -> None:
    item = place(database)
    finish(database, claim_one(database), State.DEAD, cause="WITHDRAWN")
    close(database, item.order.id, status=Status.VOID)
    assert await rows(database, Till()) == []


async def test_what_a_person_entered_by_hand_is_not_called_equal(database: Database) -> None:
    place(database)
    finish(database, claim_one(database), State.DONE_BY_HAND)
    [(order, field, _, why)] = await rows(database, Till())
    assert (order, field) == ("DT-001", "not_asked")
    assert "by hand" in why


async def test_an_order_missing_here_is_named_by_the_poss_number(database: Database) -> None:
    till = Till(
        told("1", number="A-17"),
        told("2", created_at_ms=NOW - HOUR - 1),
        told("3", created_at_ms=NOW + HOUR),
        told("4", status=Status.VOID),
        told("5", created_at_ms=None),
    )
    assert await rows(database, till) == [
        ("A-17", "missing_here", "nothing", "NEW"),
        ("5", "missing_here", "nothing", "NEW"),
    ]


async def test_what_the_staff_opened_is_theirs_where_the_link_ignores_it_but_our_mark_is_ours(
    database: Database,
) -> None:
    order = delivered(database, "9001")
    link = structs.replace(LINK, pos_orders="ignore")
    database.run_now(lambda c: stored_directory.save_link(c, link))
    twin = told("9002", mark=order_mark(order.id))
    assert await rows(database, Till(told("9001"), twin, told("9003"))) == [
        ("DT-001", "missing_here", "not known as this order's", "9002 (NEW) carries its mark")
    ]


@pytest.mark.parametrize(
    "problem",
    [VendorRateLimited("wait", retry_after_seconds=0.0), VendorAuthFailed("who are you"), VendorUnavailable("off")],
)
async def test_no_kind_of_silence_is_no_differences(database: Database, problem: ConnectorError) -> None:
    delivered(database)
    assert await rows(database, Till(told(), silent_on={"list": problem})) == [
        ("*", "not_asked", "1 orders", problem.message)
    ]


async def test_a_list_that_cannot_be_read_leaves_the_orders_to_be_read_one_by_one(database: Database) -> None:
    delivered(database)
    till = Till(told(total_cents=1700), silent_on={"list": VendorMalformed("till: no list")})
    assert await rows(database, till) == [
        ("DT-001", "total", "1800", "1700"),
        ("*", "not_asked", "1 orders", "till: no list"),
    ]


async def test_a_pos_that_falls_silent_is_asked_three_times_and_every_order_is_named(database: Database) -> None:
    silence: dict[str, ConnectorError] = {str(number): VendorUnavailable("till: away") for number in range(5)}
    for number in range(5):
        delivered(database, str(number))
    till = Till(*(told(str(number), summary_only=True) for number in range(5)), silent_on=silence)
    found = await rows(database, till)
    assert [(order, field) for order, field, _, _ in found] == [(f"DT-00{n}", "not_asked") for n in (5, 4, 3, 2, 1)]
    assert len(till.asked) == 1 + 3


async def test_calls_for_single_orders_are_bounded_but_for_a_patient_caller(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.services.pos_reading.SINGLE_READS", 2)
    for number in range(4):
        delivered(database, str(number))
    orders = [told(str(number), summary_only=True) for number in range(4)]
    hurried, patient = Till(*orders), Till(*orders)
    assert [(order, field) for order, field, _, _ in await rows(database, hurried)] == [
        ("DT-002", "not_asked"),
        ("DT-001", "not_asked"),
    ]
    assert len(hurried.asked) == 1 + 2
    assert await rows(database, patient, patient=True) == []
    assert len(patient.asked) == 1 + 4


async def test_a_window_of_too_many_orders_is_refused_before_the_pos_is_asked(database: Database) -> None:
    for _ in range(5):
        some = [new_order(link=None) for _ in range((MOST_ORDERS + 5) // 5)]
        database.run_now(lambda c, some=some: place_orders(c, some))  # type: ignore[misc]
    till = Till()
    with pytest.raises(InvalidRequest, match="more than 2000 orders"):
        await report(database, till)
    assert till.asked == []


@pytest.mark.parametrize(
    ("from_ms", "to_ms", "field"),
    [(NOW, NOW, "to"), (NOW, NOW - 1, "to"), (NOW - DAY, NOW + 46 * DAY, "to"), (NOW - 45 * DAY - 1, NOW, "from")],
)
async def test_a_window_that_means_nothing_is_refused_by_its_field(
    database: Database, from_ms: int, to_ms: int, field: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await report(database, Till(), from_ms=from_ms, to_ms=to_ms)
    assert refused.value.field == field


async def test_a_period_goes_by_creation_or_by_closing(database: Database) -> None:
    yesterday, today = NOW - DAY, NOW
    early = delivered(database, "1", at_ms=yesterday)
    delivered(database, "2", at_ms=today)
    close(database, early.id, at_ms=today + MINUTE)
    till = Till(told("1", created_at_ms=yesterday), told("2", total_cents=1))
    assert await rows(database, till) == [("DT-002", "total", "1800", "1")]
    assert await rows(database, till, by="closing") == [("DT-001", "status", "closed", "open (NEW)")]
    assert till.asked[-1] == f"since {-DAY - 2 * MINUTE}"  # the list must reach back to when it was made


async def test_the_ends_of_a_period_count_once(database: Database) -> None:
    for at_ms in (NOW - 1, NOW, NOW + HOUR - 1, NOW + HOUR):
        place(database, at_ms=at_ms, link=None)
    assert (await report(database, Till(), from_ms=NOW, to_ms=NOW + HOUR)).orders == 2


async def test_another_venues_orders_are_neither_compared_nor_known(database: Database) -> None:
    other = place(database, venue=OTHER_VENUE, link=OTHER_LINK, catalog_version=0).order
    database.run_now(lambda c: save_ref(c, OTHER_LINK.id, VendorRef(kind="order", id="9001"), other.id, now_ms=NOW))
    found = await report(database, Till(told("9001")))
    assert found.orders == 0
    assert [(one.order, one.field) for one in found.differences] == [("9001", "missing_here")]


async def test_that_a_pos_holds_one_table_was_said_when_it_took_the_order(database: Database) -> None:
    order = place(database).order
    loss = Loss(target="till", path="tables", loss="only the first table")
    finish(database, claim_one(database), State.DELIVERED, ref=VendorRef(kind="order", id="9001"), losses=(loss,))
    change(database, order.id, tables=("T1", "T2"))
    assert await rows(database, Till(told(tables=("T1",)))) == []

"""The way into the kitchen, call by call: sweep, ticket, status, paper; and further rounds."""

from typing import Any

import httpx
import jsonschema
import msgspec
import pytest

from hub.contract.tables import load_schema
from hub.contract.writes import OrderWrite, Verdict, WriteResult
from hub.errors import OutcomeUnknown, UnsupportedByVendor, VendorMalformed, VendorRejected
from hub.model.change import LinesChange
from hub.model.decimals import decode_json
from hub.model.order import VendorRef
from hub.model.status import Stage
from tests.connectors.desibits.linked import (
    CONFIG,
    MARK,
    LinkedDesibits,
    empty_tab,
    item_row,
    line,
    order_row,
    ticket_row,
    write,
)

pytestmark = pytest.mark.anyio

REF = VendorRef(kind="order", id="123")
ROUND_MARK = f"{MARK}-ba9d9d"
SENT = {"kot_number": "KOT-007", "status": "sent_to_kitchen"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def linked_with(*shown: Any, drafts: Any = (), **options: Any) -> LinkedDesibits:
    linked = LinkedDesibits(**options)
    linked.shows(*shown)
    linked.answers("GET", "/orders", list(drafts))
    linked.answers("PUT", "/orders/123/status")
    return linked


async def send(linked: LinkedDesibits, **changes: Any) -> WriteResult:
    return await linked.connector.send_to_kitchen(write(ref=REF, **changes))


def tickets(result: WriteResult) -> list[str]:
    return [ref.id for ref in result.further_refs if ref.kind == "ticket"]


async def test_a_draft_becomes_one_ticket_and_its_status_follows() -> None:
    linked = linked_with(order_row(), order_row(status="kot", kots=[ticket_row(9)]))
    linked.answers("POST", "/orders/123/kot", SENT)
    result = await send(linked)
    assert linked.sent() == ["GET /orders/123", "GET /orders", "POST /orders/123/kot", "GET /orders/123"]
    assert (tickets(result), result.losses) == (["9"], ())
    assert result.order is not None
    assert result.order.stage is Stage.PREPARING
    assert linked.router.calls[2].request.content == b""


async def test_a_ticket_that_leaves_the_order_a_draft_is_followed_by_the_status() -> None:
    linked = linked_with(order_row(), order_row(kots=[ticket_row(9)]), order_row(status="kot"))
    linked.answers("POST", "/orders/123/kot", SENT)
    await send(linked)
    assert linked.sent()[2:] == [
        "POST /orders/123/kot",
        "GET /orders/123",
        "PUT /orders/123/status",
        "GET /orders/123",
    ]
    assert decode_json(linked.router.calls[4].request.content) == {"status": "kot"}


async def test_a_status_that_fails_after_the_ticket_makes_no_second_ticket() -> None:
    linked = linked_with(order_row(), order_row())
    linked.answers("POST", "/orders/123/kot", SENT)
    linked.route("PUT", "/orders/123/status").mock(return_value=httpx.Response(500))
    result = await send(linked)
    assert [(loss.path, loss.kind.value) for loss in result.losses] == [("stage", "lost")]


async def test_a_draft_whose_lines_are_on_a_ticket_only_moves_on() -> None:
    on_paper = order_row(kots=[ticket_row(9)])
    linked = linked_with(on_paper, on_paper, order_row(status="kot"))
    found = await linked.connector.find_in_kitchen(write(ref=REF), since_ms=0)
    assert found.verdict is Verdict.ABSENT
    await send(linked)
    assert "POST /orders/123/kot" not in linked.sent()
    assert "PUT /orders/123/status" in linked.sent()


@pytest.mark.parametrize("status", ["kot", "billed", "paid", "nobody-knows"])
async def test_an_order_beyond_a_draft_is_not_sent_again(status: str) -> None:
    linked = linked_with(order_row(status=status))
    assert (await send(linked)).ref == REF
    assert linked.sent() == ["GET /orders/123"]
    assert (await linked.connector.find_in_kitchen(write(ref=REF), since_ms=0)).verdict is Verdict.FOUND


async def test_where_the_hub_has_tickets_printed_a_lost_answer_is_left_to_a_person() -> None:
    linked = linked_with(order_row(status="kot"), config={**CONFIG, "print_kot": True})
    with pytest.raises(UnsupportedByVendor, match="whether its ticket was printed"):
        await linked.connector.find_in_kitchen(write(ref=REF), since_ms=0)


async def test_an_order_cancelled_meanwhile_is_not_cooked() -> None:
    linked = linked_with(order_row(status="cancelled", notes=""))
    with pytest.raises(VendorRejected, match="was cancelled"):
        await send(linked)
    assert linked.sent() == ["GET /orders/123"]
    assert (await linked.connector.find_in_kitchen(write(ref=REF), since_ms=0)).verdict is Verdict.ABSENT


async def test_a_tab_without_lines_does_nothing() -> None:
    linked = LinkedDesibits()
    assert await linked.connector.send_to_kitchen(write(empty_tab(), ref=REF)) == WriteResult(ref=REF)
    assert linked.sent() == []


async def test_an_order_without_an_id_cannot_be_sent_yet() -> None:
    with pytest.raises(VendorRejected, match="no id yet"):
        await LinkedDesibits().connector.send_to_kitchen(write())


async def test_other_drafts_with_our_mark_are_cancelled_first_and_nothing_else() -> None:
    drafts = [
        order_row(),
        order_row(120),
        order_row(121, notes="", items=[item_row(note=f"No onions {MARK}")]),
        order_row(122, notes="#ZZZZZZZZ", items=[item_row(note="")]),
        order_row(124, "kot"),
    ]
    linked = linked_with(order_row(), order_row(status="kot", kots=[ticket_row()]), drafts=drafts)
    linked.answers("POST", r"/orders/\d+/cancel")
    linked.answers("POST", "/orders/123/kot", SENT)
    await send(linked)
    assert linked.sent()[1:5] == [
        "GET /orders",
        "POST /orders/120/cancel",
        "POST /orders/121/cancel",
        "POST /orders/123/kot",
    ]
    assert dict(linked.router.calls[1].request.url.params) == {"date": "2026-11-18", "status": "draft"}
    assert decode_json(linked.router.calls[2].request.content) == {"reason": "duplicate (hub)"}


@pytest.mark.parametrize("answer", [httpx.Response(200, text="<html>"), httpx.Response(404, json={})])
async def test_drafts_that_cannot_be_listed_do_not_keep_the_order_from_the_kitchen(answer: httpx.Response) -> None:
    linked = linked_with(order_row(), order_row(status="kot", kots=[ticket_row()]))
    linked.route("GET", "/orders").mock(return_value=answer)
    linked.answers("POST", "/orders/123/kot", SENT)
    result = await send(linked)
    assert (tickets(result), [loss.path for loss in result.losses]) == (["9"], ["stage"])


@pytest.mark.parametrize(
    ("answer", "shown", "expected"),
    [
        ({**SENT, "id": 31}, [], ["31"]),
        ({**SENT, "kot_id": "K31"}, None, ["K31"]),
        (SENT, [ticket_row(30), ticket_row(31)], ["31"]),
        (SENT, None, ["7"]),
        ({"status": "sent_to_kitchen"}, None, []),
    ],
)
async def test_the_tickets_id_is_taken_where_it_is_shown(answer: Any, shown: Any, expected: list[str]) -> None:
    before = order_row(kots=[ticket_row(30, items=[])] if shown else shown)
    linked = linked_with(before, order_row(status="kot", kots=shown))
    linked.answers("POST", "/orders/123/kot", answer)
    assert tickets(await send(linked)) == expected


async def test_new_tickets_are_printed_where_the_link_says_so_and_a_failure_is_only_told() -> None:
    linked = linked_with(
        order_row(), order_row(status="kot", kots=[ticket_row(9)]), config={**CONFIG, "print_kot": True}
    )
    linked.answers("POST", "/orders/123/kot", SENT)
    linked.route("POST", "/kot/9/print").mock(side_effect=httpx.ReadTimeout("silence"))
    result = await send(linked)
    assert linked.sent()[-1] == "POST /kot/9/print"
    assert (tickets(result), [loss.path for loss in result.losses]) == (["9"], ["tickets"])


async def test_a_ticket_without_any_id_is_not_printed() -> None:
    linked = linked_with(order_row(kots=None), order_row(status="kot", kots=None), config={**CONFIG, "print_kot": True})
    linked.answers("POST", "/orders/123/kot", {"status": "sent_to_kitchen"})
    assert [loss.path for loss in (await send(linked)).losses] == ["tickets"]


async def test_where_the_hub_prints_only_the_status_is_set() -> None:
    linked = linked_with(order_row(), order_row(status="kot"), kitchen="hub")
    result = await send(linked)
    assert linked.sent() == ["GET /orders/123", "GET /orders", "PUT /orders/123/status", "GET /orders/123"]
    assert tickets(result) == []


async def test_silence_after_the_ticket_is_a_riddle() -> None:
    linked = linked_with(order_row())
    linked.route("POST", "/orders/123/kot").mock(side_effect=httpx.ReadTimeout("silence"))
    with pytest.raises(OutcomeUnknown):
        await send(linked)


async def test_an_order_that_cannot_be_read_after_the_ticket_is_in_the_kitchen_all_the_same() -> None:
    linked = linked_with(order_row())
    answers = iter([httpx.Response(200, json={"data": order_row()})])
    linked.route("GET", "/orders/123").mock(side_effect=lambda request: next(answers, httpx.Response(404, json={})))
    linked.answers("POST", "/orders/123/kot", {**SENT, "id": 31})
    result = await send(linked)
    assert tickets(result) == ["31"]
    assert [loss.path for loss in result.losses] == ["totals.total_cents", "totals.total_cents"]


async def test_notes_that_were_lost_with_the_answer_are_set_before_the_ticket() -> None:
    linked = linked_with(order_row(notes=""), order_row(status="kot", kots=[ticket_row()]))
    put = linked.answers("PUT", "/orders/123")
    linked.answers("POST", "/orders/123/kot", SENT)
    await send(linked)
    assert decode_json(put.calls.last.request.content) == {"notes": MARK}
    assert linked.sent().index("PUT /orders/123") < linked.sent().index("POST /orders/123/kot")


async def test_notes_that_somebody_else_wrote_meanwhile_stay() -> None:
    linked = linked_with(order_row(notes="VIP"), order_row(status="kot", kots=[ticket_row()]))
    linked.answers("POST", "/orders/123/kot", SENT)
    await send(linked)
    assert "PUT /orders/123" not in linked.sent()


def adding(*lines: Any) -> OrderWrite:
    change = LinesChange(check_id="chk_1", lines=lines or (line(22, 210, 1), line(18, 275, 1)))
    return write(ref=REF, change=change)


STANDING = [item_row(15, 2, "12.99", f"No onions {MARK}", id=71), item_row(30, 1, "1.50", "", id=72)]
NEW = [item_row(22, 1, "2.10", ROUND_MARK, id=73), item_row(18, 1, "2.75", "", id=74)]


async def test_a_round_sends_everything_back_and_marks_its_first_line() -> None:
    linked = linked_with(
        order_row(status="kot", items=STANDING, kots=[ticket_row()]),
        order_row(status="kot", items=[*STANDING, *NEW], kots=[ticket_row()]),
        order_row(status="kot", items=[*STANDING, *NEW], kots=[ticket_row(), ticket_row(10)]),
    )
    put = linked.answers("PUT", "/orders/123")
    linked.answers("POST", "/orders/123/kot", SENT)
    result = await linked.connector.add_lines(adding())
    body = msgspec.json.decode(put.calls.last.request.content)
    assert body == {
        "items": [
            {"id": 71, "menu_item_id": 15, "quantity": 2, "price": 12.99, "note": f"No onions {MARK}"},
            {"id": 72, "menu_item_id": 30, "quantity": 1, "price": 1.5},
            {"menu_item_id": 22, "quantity": 1, "price": 2.1, "note": ROUND_MARK},
            {"menu_item_id": 18, "quantity": 1, "price": 2.75},
        ]
    }
    jsonschema.validate(body, load_schema("desibits/order_update"))
    assert tickets(result) == ["10"]
    assert linked.sent() == [
        "GET /orders/123",
        "PUT /orders/123",
        "GET /orders/123",
        "POST /orders/123/kot",
        "GET /orders/123",
    ]


ALL = [
    {"menu_item_id": 15, "quantity": 2},
    {"menu_item_id": 30, "quantity": 1},
    {"menu_item_id": 22, "quantity": 1},
    {"menu_item_id": 18, "quantity": 1},
]


@pytest.mark.parametrize(
    ("row", "verdict", "calls"),
    [
        (order_row(status="kot", items=STANDING, kots=[ticket_row()]), Verdict.ABSENT, None),
        (
            order_row(status="kot", items=[*STANDING, *NEW], kots=[ticket_row()]),
            Verdict.ABSENT,
            ["GET /orders/123", "POST /orders/123/kot", "GET /orders/123"],
        ),
        (
            order_row(status="kot", items=[*STANDING, *NEW], kots=[ticket_row(items=ALL)]),
            Verdict.FOUND,
            ["GET /orders/123"],
        ),
        (
            order_row(status="kot", items=[*STANDING, *NEW], kots=None),
            Verdict.AMBIGUOUS,
            ["GET /orders/123", "POST /orders/123/kot", "GET /orders/123"],
        ),
    ],
)
async def test_a_round_is_looked_up_by_its_mark_and_the_tickets(row: Any, verdict: Verdict, calls: Any) -> None:
    linked = linked_with(row)
    assert (await linked.connector.find_round(adding(), since_ms=0)).verdict is verdict
    if calls is not None:
        again = linked_with(row)
        again.answers("POST", "/orders/123/kot", SENT)
        await again.connector.add_lines(adding())
        assert again.sent() == calls


async def test_where_the_hub_prints_a_round_is_there_once_it_is_on_the_order() -> None:
    linked = linked_with(order_row(status="kot", items=[*STANDING, *NEW], kots=None), kitchen="hub")
    assert (await linked.connector.find_round(adding(), since_ms=0)).verdict is Verdict.FOUND
    await linked.connector.add_lines(adding())
    assert linked.sent() == ["GET /orders/123", "GET /orders/123"]


@pytest.mark.parametrize(
    "items",
    [None, [{"menu_item_id": 15, "quantity": 1}], [{"quantity": 1, "price": 1}], [{"menu_item_id": 1, "price": 1}]],
)
async def test_items_that_would_be_damaged_are_not_sent_back(items: Any) -> None:
    linked = linked_with(order_row(status="kot", items=items))
    with pytest.raises(VendorMalformed):
        await linked.connector.add_lines(adding())
    assert linked.sent() == ["GET /orders/123"]


async def test_a_round_for_a_cancelled_order_is_refused() -> None:
    linked = linked_with(order_row(status="cancelled"))
    with pytest.raises(VendorRejected, match="was cancelled"):
        await linked.connector.add_lines(adding())

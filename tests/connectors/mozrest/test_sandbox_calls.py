"""What Mozrest asks of a POS: tables, seating once and many times over, repetitions, and finding differences."""

from decimal import Decimal
from typing import Any

import pytest

from tests.connectors.mozrest.sandbox_play import NOON, check, later, lines, order, playing

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]

ORDERS = "/pos/venue/demo-bistro/orders"
DOWN = (503, {"error": {"code": 503, "message": "down"}})


async def test_tables_are_fetched_with_the_token_of_the_venue_and_kept() -> None:
    async with playing() as play:
        result = await play.control("POST", "tables")
        assert (result["status"], result["kept"], result["problems"]) == (200, True, [])
        assert play.pos.heard == [("GET", "/pos/venue/demo-bistro/tables", None)]
        assert play.pos.tokens == {"Bearer pos-token"}
        assert (await play.control("GET", "view"))["tables"] == {"demo-bistro": ["T12", "T13"], "demo-terrace": []}


@pytest.mark.parametrize(
    ("tables", "problems"),
    [
        ({"tables": []}, ["the list is no bare array"]),
        ([{"id": 12, "name": "Table 12"}], ["table 0: id is no text, or blank"]),
        ([{"id": "T12"}], ["table 0: name is no text, or blank"]),
        ([{"id": "T1", "name": "A"}, {"id": "T1", "name": "B"}], ["table T1 is listed more than once"]),
    ],
)
async def test_tables_that_are_not_as_documented_are_not_kept(tables: Any, problems: list[str]) -> None:
    async with playing() as play:
        play.pos.tables = tables
        result = await play.control("POST", "tables")
        assert (result["kept"], result["problems"]) == (False, problems)


async def test_a_guest_is_seated_with_everything_the_documentation_knows() -> None:
    wish = {
        "tables": ["T12", "T13"],
        "guestName": "John Doe",
        "guestEmail": "john.doe@mail.com",
        "guestTelephone": "34646883377",
        "partySize": 4,
        "prepayment": Decimal("50.00"),
        "date": "2025-02-15 14:30:00",
        "items": [{"id": 9, "name": "Tasting menu", "price": Decimal("25.10"), "quantity": 2}],
    }
    async with playing() as play:
        result = await play.control("POST", "seat", {**wish, "reservation": "R-7"})
        assert {name: result[name] for name in ("id", "status", "posOrderId", "checkNumber")} == {
            "id": "moz-1",
            "status": "open",
            "posOrderId": "1",
            "checkNumber": "C1",
        }
        assert play.pos.heard == [("POST", ORDERS, {**wish, "id": "moz-1"})]
        (seen,) = await play.view()
        assert (seen["origin"], seen["reservation"], seen["prepayment"]) == ("reservation", "R-7", Decimal("50.00"))
        assert seen["preorder"] == wish["items"]
        assert seen["checks"] == [{"checkNumber": "C1", "status": "open"}]


async def test_a_seated_guest_is_updated_and_closed_by_the_pos() -> None:
    async with playing() as play:
        await play.seated()
        assert await play.call("PUT", "/order/1", order("1", check("C1"))) == (200, {"id": "moz-1", "status": "open"})
        paid = order("1", check("C1", status="closed"), status="closed")
        assert (await play.call("PUT", "/order/1/close", paid))[0] == 200
        assert await play.warnings() == []


async def test_an_id_is_sent_as_given_or_not_at_all() -> None:
    async with playing() as play:
        assert (await play.seated(id="fd30c18b"))["id"] == "fd30c18b"
        assert (await play.seated(id=None, tables=["T13"]))["id"] == "moz-1"
        assert [body.get("id", "none") for _, _, body in play.pos.heard] == ["fd30c18b", "none"]
        again = await play.client.post("/_sandbox/seat", json={"id": "fd30c18b"})
        assert again.status_code == 409


async def test_fields_out_of_the_documentation_go_out_as_they_are() -> None:
    async with playing() as play:
        play.pos.planned = [(400, {"error": {"code": 400, "message": "Validation failed"}})]
        result = await play.control("POST", "seat", {"tables": "T12", "partySize": "four", "highChair": True})
        assert play.pos.heard[0][2] == {"tables": "T12", "partySize": "four", "highChair": True, "id": "moz-1"}
        assert (result["status"], result["answers"][0]["problems"]) == ("refused", [])


async def test_an_occupied_table_leaves_the_guest_refused() -> None:
    async with playing() as play:
        await play.seated()
        result = await play.seated()
        assert (result["status"], result["answers"][0]["status"], result["answers"][0]["attempts"]) == (
            "refused",
            409,
            1,
        )


async def test_the_same_guest_many_times_at_once_is_one_order_at_a_pos_that_knows_the_id() -> None:
    async with playing() as play:
        await play.seated(times=10)
        result = await play.control("POST", "seat-again", {"id": "moz-1", "times": 10, "tables": ["T13"]})
        assert result["distinct"] == {"id": ["1"], "checkNumber": ["C1"]}
        assert len(play.pos.heard) == 20
        assert len(play.pos.orders) == 1
        (seen,) = await play.view()
        assert (seen["tables"], seen["warnings"]) == (["T13"], [])


async def test_a_pos_that_opens_a_second_order_for_the_same_guest_is_found_out() -> None:
    async with playing() as play:
        play.pos.doubling = True
        await play.seated()
        result = await play.control("POST", "seat-again", {"id": "moz-1"})
        assert result["distinct"] == {"id": ["2"], "checkNumber": ["C2"]}
        assert result["posOrderId"] == "1"
        assert await play.warnings() == [
            "the POS answered with id 2, before with 1",
            "the POS answered with checkNumber C2, before with C1",
        ]


async def test_a_later_answer_to_a_seating_does_not_undo_what_the_order_has_become() -> None:
    async with playing() as play:
        await play.seated()
        play.pos.planned = [(409, {"error": {"code": 409, "message": "Table is occupied"}})]
        assert (await play.control("POST", "seat-again", {"id": "moz-1"}))["status"] == "open"
        await play.call("PUT", "/order/1/close", order("1", check("C1", status="closed"), status="closed"))
        assert (await play.control("POST", "seat-again", {"id": "moz-1"}))["status"] == "closed"


async def test_an_update_by_mozrest_s_id_opens_a_guest_whose_seating_is_unknown() -> None:
    async with playing(retries=0, order_id="mozrest") as play:
        play.pos.planned = [None]
        await play.seated()
        assert await play.call("PUT", "/order/moz-1", order("1")) == (200, {"id": "moz-1", "status": "open"})


async def test_an_update_by_the_pos_s_id_is_not_found_while_the_answer_to_the_seating_is_lost() -> None:
    async with playing(retries=0) as play:
        play.pos.planned = [None]
        await play.seated()
        assert (await play.call("PUT", "/order/1", order("1")))[0] == 404


async def test_an_answer_without_an_end_is_cut_off() -> None:
    async with playing(retries=0) as play:
        play.pos.planned = [(200, "x" * (8 * 1024 * 1024))]
        result = await play.control("POST", "tables")
        assert (result["status"], result["error"]) == (None, "AnswerTooLong: the answer is longer than 8388608 bytes")


async def test_a_lost_answer_is_asked_for_once_more_with_the_same_body() -> None:
    async with playing() as play:
        play.pos.planned = [None]
        result = await play.seated()
        assert (result["status"], result["posOrderId"], result["answers"][0]["attempts"]) == ("open", "1", 2)
        first, second = play.pos.heard
        assert first == second
        sent = await play.control("GET", "sent")
        assert [(one["attempt"], one["status"], one["error"] is None) for one in sent] == [
            (1, None, False),
            (2, 200, True),
        ]


async def test_how_often_a_call_is_repeated_is_a_setting_and_the_pause_doubles() -> None:
    async with playing(retries=2, retry_pause_seconds=1.5) as play:
        play.pos.planned = [DOWN, (500, {"error": {"code": 500, "message": "broken"}}), DOWN]
        result = await play.seated()
        assert (result["status"], result["answers"][0]["attempts"]) == ("unknown", 3)
        assert play.pauses == [1.5, 3.0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 502])
async def test_another_failure_is_not_repeated(status: int) -> None:
    async with playing() as play:
        play.pos.planned = [(status, {"error": {"code": status, "message": "no"}})]
        assert (await play.seated())["answers"][0]["attempts"] == 1


async def test_a_guest_whose_seating_is_unknown_can_be_seated_again() -> None:
    async with playing(retries=0) as play:
        play.pos.planned = [None]
        assert (await play.seated())["status"] == "unknown"
        result = await play.control("POST", "seat-again", {"id": "moz-1"})
        assert (result["status"], result["posOrderId"], len(play.pos.orders)) == ("open", "1", 1)


@pytest.mark.parametrize(
    ("answer", "problems"),
    [
        ((201, {"id": "9", "checkNumber": "C9"}), ["answered 201, and only 200 counts as success"]),
        ((200, {"id": 9, "checkNumber": "C9"}), ["id is no text, or blank"]),
        ((200, {"id": "9"}), ["checkNumber is no text, or blank"]),
        ((200, []), ["the answer is no JSON object"]),
        ((404, {"detail": "no"}), ["answered 404 without the documented error body"]),
    ],
)
async def test_an_answer_to_a_seating_that_is_not_as_documented_is_a_problem(
    answer: tuple[int, Any], problems: list[str]
) -> None:
    async with playing() as play:
        play.pos.planned = [answer]
        assert (await play.seated())["answers"][0]["problems"] == problems


async def test_calls_sent_are_kept_in_order_without_the_token() -> None:
    async with playing() as play:
        await play.control("POST", "tables")
        await play.seated()
        shown = await play.client.get("/_sandbox/sent")
        assert [one["operation"] for one in shown.json()] == ["list_tables", "seat"]
        assert shown.json()[1]["answer"] == {"id": "1", "checkNumber": "C1"}
        assert shown.json()[1]["at"] == NOON.isoformat()
        assert "pos-token" not in shown.text


async def test_a_pull_of_the_list_sends_its_filters_and_finds_no_difference_where_there_is_none() -> None:
    async with playing() as play:
        await play.seated()
        query = {"status": "open", "from": "2026-03-02T00:00:00Z", "until": "2026-03-03T00:00:00+02:00"}
        result = await play.control("POST", "sync", query)
        assert (result["status"], result["problems"], result["differences"]) == (200, [], [])
        assert play.pos.heard[1][1] == (
            f"{ORDERS}?status=open&from=2026-03-02T00:00:00Z&until=2026-03-03T00:00:00%2B02:00"
        )


async def test_an_order_that_does_not_say_who_the_guest_is_does_not_differ_in_it() -> None:
    async with playing() as play:
        await play.seated(guestName="John Doe")
        assert (await play.control("POST", "sync"))["differences"] == []
        play.pos.orders["1"]["guestName"] = "Jane Doe"
        (found,) = (await play.control("POST", "sync"))["differences"]
        assert (found["field"], found["mozrest"], found["pos"]) == ("guestName", "John Doe", "Jane Doe")
        del play.pos.orders["1"]["guestName"]
        assert (await play.control("POST", "sync"))["differences"] == []


async def test_a_lost_update_is_found_field_by_field_in_the_list_and_in_the_order() -> None:
    async with playing() as play:
        await play.seated()
        play.pos.orders["1"]["checks"] = [check("C1", items=lines()[:1], tip=0, tax=0, discount=0, paymentMethod="")]
        play.pos.orders["1"]["partySize"] = 3
        expected = [
            {"order": "moz-1", "posOrder": "1", "field": field, "mozrest": mine, "pos": theirs}
            for field, mine, theirs in [
                ("partySize", 2, 3),
                ("checks[C1].totalAmount", None, Decimal("150.00")),
                ("checks[C1].items[0].id", None, "1"),
                ("checks[C1].items[0].name", None, "Steak"),
                ("checks[C1].items[0].price", None, Decimal("40.00")),
                ("checks[C1].items[0].quantity", None, 2),
            ]
        ]
        assert (await play.control("POST", "sync", {"each": True}))["differences"] == expected
        assert (await play.control("POST", "order", {"id": "moz-1"}))["differences"] == expected
        assert (await play.control("POST", "order", {"id": "1"}))["differences"] == expected
        await play.call("PUT", "/order/1", play.pos.orders["1"])
        assert (await play.control("POST", "sync", {"each": True}))["differences"] == []


async def test_an_order_only_one_side_has_is_a_difference() -> None:
    async with playing() as play:
        await play.seated()
        play.pos.orders = {"7": order("7")}
        found = (await play.control("POST", "sync", {"status": "open"}))["differences"]
        assert found == [
            {"order": None, "posOrder": "7", "field": "order", "mozrest": None, "pos": "open"},
            {"order": "moz-1", "posOrder": "1", "field": "order", "mozrest": "open", "pos": None},
        ]
        closed = await play.control("POST", "sync", {"status": "closed"})
        assert closed["differences"] == []
        windowed = await play.control("POST", "sync", {"from": "2026-03-02T00:00:00Z"})
        assert [one["order"] for one in windowed["differences"]] == [None]


async def test_a_closed_order_may_be_gone_after_45_days_and_not_before() -> None:
    async with playing() as play:
        await play.walk_in(order("1"))
        await play.call("PUT", "/order/1/close", order("1", check(status="closed"), status="closed"))
        later(play, days=44, hours=23)
        assert len((await play.control("POST", "sync"))["differences"]) == 1
        later(play, hours=2)
        assert (await play.control("POST", "sync"))["differences"] == []


@pytest.mark.parametrize(
    ("answer", "problems"),
    [
        ((200, {"data": []}), ["the list is no bare array"]),
        (
            (200, [{**order("1"), "status": "paid"}]),
            ["order 1: status: ['The value you selected is not a valid choice.']"],
        ),
        (
            (200, [{name: value for name, value in order("1").items() if name != "tables"}]),
            ["order 1: tables is missing"],
        ),
        (
            (200, [order("1", check(totalAmount="150.00"))]),
            ["order 1: checks: [{'totalAmount': ['This value should be of type number.']}]"],
        ),
        ((404, {"error": {"code": 404, "message": "no venue"}}), []),
        ((500, "<html>"), ["answered 500 without the documented error body"]),
    ],
)
async def test_a_list_that_is_not_as_documented_is_a_problem(answer: tuple[int, Any], problems: list[str]) -> None:
    async with playing(retries=0) as play:
        play.pos.planned = [answer]
        assert (await play.control("POST", "sync"))["problems"] == problems


async def test_an_order_that_is_not_the_one_asked_for_is_a_problem() -> None:
    async with playing() as play:
        play.pos.planned = [(200, order("8"))]
        result = await play.control("POST", "order", {"id": "7"})
        assert result["problems"] == ["order 7 was asked for, and 8 was given"]
        assert play.pos.heard[0][1] == f"{ORDERS}/7"


async def test_the_paths_at_the_pos_are_settings() -> None:
    async with playing(paths={"order": "/venue/{venueId}/orders/{orderId}/details"}) as play:
        await play.control("POST", "order", {"id": "a/b"})
        assert play.pos.heard[0][1] == f"{ORDERS}/a%2Fb/details"


async def test_a_venue_is_moved_to_another_pos() -> None:
    async with playing() as play:
        await play.control("PUT", "venues/demo-bistro", {"hub_token": "another"})
        await play.control("POST", "tables")
        assert play.pos.tokens == {"Bearer another"}
        answer = await play.client.put("/_sandbox/venues/demo-bistro", json={"hub_url": ""})
        assert (answer.status_code, "hub_url" in answer.json()["error"]) == (400, True)
        assert (await play.client.put("/_sandbox/venues/none", json={})).status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("seat", {"venue": "none"}, 404),
        ("seat", {"times": 0}, 400),
        ("seat", {"times": 1001}, 400),
        ("seat", {"id": 7}, 400),
        ("seat", [], 400),
        ("seat-again", {"id": "none"}, 404),
        ("order", {}, 400),
    ],
)
async def test_a_control_call_that_is_unclear_is_refused_and_nothing_is_sent(path: str, body: Any, status: int) -> None:
    async with playing() as play:
        answer = await play.client.post(f"/_sandbox/{path}", json=body)
        assert (answer.status_code, list(answer.json())) == (status, ["error"])
        assert play.pos.heard == []

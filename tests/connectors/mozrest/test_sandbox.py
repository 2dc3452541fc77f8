"""What Mozrest provides to a POS, over real sockets: the doors, the four calls, refusals, faults and kill -9."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.mozrest.sandbox import MozrestSandbox, create_app, load_seed
from hub.contract.sandbox import serving
from hub.contract.sandbox.ledger import from_json, to_json
from tests.connectors.mozrest.sandbox_play import Play, check, order, playing, seed_for

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]

POS_ID = "62ebe5e7210c83a0f3adf9d1"


async def test_a_call_without_the_key_is_refused_before_anything_else() -> None:
    async with playing() as play:
        for key in (None, "wrong", "sandbox-secret2", "sandbox-secre\u00e9"):
            status, body = await play.call("POST", "/order", b"no json", key=key)
            assert (status, body) == (401, {"error": {"code": 401, "message": "Invalid API key"}})
        assert await play.view() == []


async def test_a_key_opens_its_own_venue_and_no_other() -> None:
    async with playing() as play:
        assert (await play.call("POST", "/order", order(), key="terrace-key"))[0] == 403
        answer = await play.client.post(
            "/v1/pos/nowhere/order", content=to_json(order()), headers={"Authorization": "Bearer sandbox-secret"}
        )
        assert (answer.status_code, answer.json()["error"]) == (404, {"code": 404, "message": "Venue not found"})


async def test_a_walk_in_is_updated_and_closed_by_the_id_of_the_pos() -> None:
    async with playing() as play:
        assert await play.call("POST", "/order", order()) == (200, {"id": "moz-1", "status": "open"})
        more = order(POS_ID, check(totalAmount=Decimal("160.00"), discount=0))
        assert await play.call("PUT", f"/order/{POS_ID}", more) == (200, {"id": "moz-1", "status": "open"})
        paid = order(POS_ID, check(status="closed", items=[]), status="closed")
        assert await play.call("PUT", f"/order/{POS_ID}/close", paid) == (200, {"id": "moz-1", "status": "closed"})
        (seen,) = await play.view()
        assert (seen["status"], seen["origin"], seen["version"]) == ("closed", "walk-in", 3)
        assert [item["name"] for item in seen["checks"][0]["items"]] == ["Steak", "Wine"]
        assert seen["payments"] == [
            {"checkNumber": "98766", "paymentMethod": "card", "amount": Decimal("150.00"), "tip": Decimal("20.00")}
        ]


async def test_a_void_closes_the_order_and_voids_every_check_with_or_without_a_body() -> None:
    async with playing() as play:
        await play.walk_in(order("1"))
        await play.walk_in(order("2"))
        body = order("1", check(status="void"), status="closed")
        assert await play.call("PUT", "/order/1/void", body) == (200, {"id": "moz-1", "status": "closed"})
        assert await play.call("PUT", "/order/2/void") == (200, {"id": "moz-2", "status": "closed"})
        for seen in await play.view():
            assert [one["status"] for one in seen["checks"]] == ["void"]
            assert seen["voidedAt"] == "2026-03-02T12:00:00+00:00"
            assert seen["totals"]["totalAmount"] == 0
            assert seen["warnings"] == []


async def test_the_path_and_method_of_a_void_and_the_side_of_the_id_are_settings() -> None:
    paths = {"void_order": "/{venueId}/order/{orderId}/cancel"}
    async with playing(paths=paths, void_method="POST", order_id="mozrest") as play:
        await play.walk_in()
        assert (await play.call("PUT", "/order/moz-1", order()))[0] == 200
        assert (await play.call("PUT", f"/order/{POS_ID}", order()))[0] == 404
        assert (await play.call("PUT", "/order/moz-1/void"))[0] == 404
        assert await play.call("POST", "/order/moz-1/cancel") == (200, {"id": "moz-1", "status": "closed"})


async def test_an_order_nobody_opened_is_not_found_by_either_id() -> None:
    async with playing() as play:
        await play.walk_in()
        for path in ("/order/none", "/order/none/close", "/order/none/void", "/order/moz-1"):
            assert (await play.call("PUT", path, order()))[1]["error"] == {"code": 404, "message": "Order not found"}


BLANK, NUMBER = "This value should not be blank.", "This value should be of type number."
DECIMALS = "This value should have at most 2 decimals."
WRONG_CHECKS: list[tuple[dict[str, Any], dict[str, list[str]]]] = [
    ({"checkNumber": ""}, {"checkNumber": [BLANK]}),
    ({"checkNumber": 98766}, {"checkNumber": ["This value should be of type string."]}),
    ({"status": "paid"}, {"status": ["The value you selected is not a valid choice."]}),
    ({"totalAmount": "150.00"}, {"totalAmount": [NUMBER]}),
    ({"totalAmount": True}, {"totalAmount": [NUMBER]}),
    ({"totalAmount": None}, {"totalAmount": [BLANK]}),
    ({"tax": Decimal("12.004")}, {"tax": [DECIMALS]}),
    ({"tip": Decimal("1e-30")}, {"tip": [DECIMALS]}),
    ({"discount": Decimal("1e30")}, {"discount": ["This value should be between -1000000000 and 1000000000."]}),
    ({"items": None}, {"items": [BLANK]}),
    ({"items": ["Steak"]}, {"items": ["This value should be an array of objects."]}),
]


@pytest.mark.parametrize(("changes", "wrong"), WRONG_CHECKS)
async def test_a_wrong_field_of_a_check_is_named_in_the_documented_error_body(
    changes: dict[str, Any], wrong: dict[str, list[str]]
) -> None:
    async with playing() as play:
        status, body = await play.call("POST", "/order", order(POS_ID, check("1"), check(**changes)))
        expected = {"code": 400, "message": "Validation failed", "details": {"checks": [{}, wrong]}}
        assert (status, body) == (400, {"error": expected})
        assert await play.view() == []


async def test_every_wrong_field_is_named_at_once_down_to_the_line() -> None:
    bad_line = {"id": 1, "name": " ", "price": "40.00", "quantity": 0}
    body = order("", check(items=[bad_line]), status="void", partySize=-1, tables=["T12", 13])
    async with playing() as play:
        _, answer = await play.call("POST", "/order", body)
    assert answer["error"]["details"] == {
        "id": [BLANK],
        "status": ["The value you selected is not a valid choice."],
        "tables": ["This value should be an array of strings that are not blank."],
        "partySize": ["This value should be a whole number that is not negative."],
        "checks": [{"items": [{"name": [BLANK], "price": [NUMBER], "quantity": ["This value should be positive."]}]}],
    }


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"\xff"', b"[" * 100_000, b'{"id": NaN}'])
async def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    async with playing() as play:
        await play.walk_in()
        status, answer = await play.call("PUT", f"/order/{POS_ID}", body)
        assert (status, answer["error"]["code"]) == (400, 400)


async def test_a_close_whose_order_or_check_is_open_is_refused() -> None:
    async with playing() as play:
        await play.walk_in()
        _, answer = await play.call("PUT", f"/order/{POS_ID}/close", order())
        assert answer["error"]["details"] == {"status": ["This value should be closed."]}
        mixed = order(POS_ID, check("1", status="void"), check("2"), status="closed")
        _, answer = await play.call("PUT", f"/order/{POS_ID}/close", mixed)
        assert answer["error"]["details"] == {"checks": [{}, {"status": ["This value should be closed or void."]}]}


async def test_money_keeps_every_digit() -> None:
    async with playing() as play:
        raw = to_json(order()).replace(b"150.00", b"99999999.99").replace(b"20.00", b"0.10")
        await play.call("POST", "/order", raw)
        shown = await play.client.get("/_sandbox/view")
        assert b'"totalAmount":99999999.99,"tax":12.00,"tip":0.10' in shown.content
        assert b'"totals":{"totalAmount":99999999.99,"tax":12.00,"tip":0.10,"discount":10.00}' in shown.content


async def test_every_call_is_in_the_log_in_order_with_its_answer_and_without_its_key() -> None:
    async with playing() as play:
        await play.walk_in()
        await play.call("PUT", f"/order/{POS_ID}", {"id": ""})
        await play.call("DELETE", "/somewhere")
        log = await play.control("GET", "received")
        assert [(one["number"], one["operation"], one["status"]) for one in log] == [
            (1, "open_order", 200),
            (2, "update_order", 400),
            (3, "unknown", 404),
        ]
        assert log[0]["body"] == order()
        assert log[0]["answer"] == {"id": "moz-1", "status": "open"}
        assert log[0]["at"] == "2026-03-02T12:00:00+00:00"
        assert "sandbox-secret" not in json.dumps(log, default=str)
        assert [one["number"] for one in await play.control("GET", "received?after=2")] == [3]


@pytest.mark.parametrize(
    ("operation", "path"),
    [("open_order", ""), ("update_order", "/1"), ("close_order", "/1/close"), ("void_order", "/1/void")],
)
async def test_every_call_can_fail_in_every_way(operation: str, path: str) -> None:
    bodies = {"close_order": order("1", check(status="closed"), status="closed"), "void_order": None}
    method, body = ("POST" if operation == "open_order" else "PUT"), bodies.get(operation, order("1"))
    async with playing() as play:
        await play.walk_in(order("1"))
        faults: list[tuple[dict[str, Any], tuple[int, str]]] = [
            ({"fault": "status", "status": 500}, (500, "Internal Server Error")),
            ({"fault": "status", "status": 503}, (503, "Service Unavailable")),
            ({"fault": "rate_limited", "retry_after": 3}, (429, "Too Many Requests")),
            ({"fault": "rejected"}, (200, "Bad Request")),
        ]
        for fault, expected in faults:
            await play.control("PUT", "faults", [{**fault, "operation": operation, "times": 1}])
            status, answer = await play.call(method, f"/order{path}", body)
            assert (status, answer["error"]["message"]) == expected
        for name in ("drop_before", "drop_after"):
            before = len((await play.view())[0]["history"]) + len(await play.view())
            await play.control("PUT", "faults", [{"fault": name, "operation": operation}])
            with pytest.raises(httpx.TransportError):
                await play.call(method, f"/order{path}", body)
            after = len((await play.view())[0]["history"]) + len(await play.view())
            assert after - before == (1 if name == "drop_after" else 0)
            last = (await play.control("GET", "received"))[-1]
            assert (last["operation"], last["fault"], last["status"]) == (operation, name, None)
        await play.control("PUT", "faults", [{"fault": "malformed", "operation": operation}])
        with pytest.raises(ValueError, match="malformed"):
            await play.call(method, f"/order{path}", body)
        await play.control("PUT", "faults", [{"fault": "delay", "delay_seconds": 9, "operation": operation}])
        assert (await play.call(method, f"/order{path}", body))[0] == 200
        assert play.pauses == [9.0]


async def test_a_reset_forgets_orders_and_logs_but_no_numbers() -> None:
    async with playing() as play:
        await play.walk_in()
        await play.control("DELETE", "orders")
        assert (await play.view(), await play.control("GET", "received")) == ([], [])
        assert (await play.call("PUT", f"/order/{POS_ID}", order()))[0] == 404
        await play.walk_in()
        assert [one["number"] for one in await play.control("GET", "received")] == [2, 3]
        assert [one["number"] for one in await play.view()] == [2]


async def test_a_hundred_updates_at_once_are_all_kept_in_order() -> None:
    async with playing() as play:
        await play.walk_in()
        bodies = [order(POS_ID, check(totalAmount=amount)) for amount in range(1000, 1100)]
        await asyncio.gather(*(play.call("PUT", f"/order/{POS_ID}", body) for body in bodies))
        (seen,) = await play.view()
        log = {one["number"]: one for one in await play.control("GET", "received")}
        assert (seen["version"], len(seen["history"])) == (101, 101)
        assert seen["checks"][0]["totalAmount"] == log[101]["body"]["checks"][0]["totalAmount"]
        assert [entry["received"] for entry in seen["history"]] == list(range(1, 102))


async def test_the_seed_that_ships_is_valid_and_another_may_be_planted() -> None:
    async with playing() as play:
        wrong = {"venues": [{"id": "x"}]}
        answer = await play.client.put("/_sandbox/seed", content=to_json(wrong))
        assert answer.status_code == 400
        assert "hub_url" in answer.json()["error"]
        await play.control("PUT", "seed", load_seed())
        assert await play.control("GET", "seed") == load_seed()


SERVE = """
import asyncio, sys
from pathlib import Path
from connectors.mozrest.sandbox import create_app
from hub.contract.sandbox import serving
async def main():
    app = create_app(Path(sys.argv[1]), auto_accept_seconds=5, seed_file=Path(sys.argv[2]))
    async with serving(app) as url:
        print(url, flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


def test_orders_logs_and_moved_venues_survive_kill_9(tmp_path: Path, anyio_backend: str) -> None:
    state, seed = tmp_path / "mozrest.db", tmp_path / "seed.json"
    seed.write_bytes(to_json(seed_for("http://127.0.0.1:1", retries=0)))
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, str(state), str(seed)], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        headers = {"Authorization": "Bearer sandbox-secret"}
        url = server.stdout.readline().strip()
        with httpx.Client(base_url=url, trust_env=False, headers=headers) as client:
            assert client.post("/v1/pos/demo-bistro/order", content=to_json(order())).status_code == 200
            moved = client.put("/_sandbox/venues/demo-bistro", json={"hub_url": "http://127.0.0.1:2/pos"})
            assert moved.json() == {"id": "demo-bistro", "hub_url": "http://127.0.0.1:2/pos"}
            seated = client.post("/_sandbox/seat", json={"tables": ["T13"], "id": "seat-1"}).json()
            assert (seated["status"], seated["posOrderId"]) == ("unknown", None)
        os.kill(server.pid, signal.SIGKILL)
    sandbox = MozrestSandbox(from_json(seed.read_bytes()), state=state)
    assert sandbox.seed_now().venues[0].hub_url == "http://127.0.0.1:2/pos"

    async def looked() -> tuple[Any, Any]:
        async with serving(sandbox.app()) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
            play = Play(sandbox, None, client)  # type: ignore[arg-type]
            return await play.view(), await play.control("GET", "received")

    (walk_in, guest), received = asyncio.run(looked())
    sandbox.close()
    assert (walk_in["posOrderId"], walk_in["checks"][0]["totalAmount"]) == (POS_ID, Decimal("150.00"))
    assert (guest["id"], guest["status"], guest["request"]) == (
        "seat-1",
        "unknown",
        {"tables": ["T13"], "id": "seat-1"},
    )
    assert [one["operation"] for one in received] == ["open_order"]


async def test_an_application_without_options_plays_the_seed_that_ships() -> None:
    async with serving(create_app()) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        headers = {"Authorization": "Bearer sandbox-secret"}
        answer = await client.post("/v1/pos/demo-bistro/order", content=to_json(order()), headers=headers)
        assert answer.status_code == 200

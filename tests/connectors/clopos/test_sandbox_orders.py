"""Orders at the Clopos sandbox: what it keeps and shows, repeated calls, cancelling, the clerk."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.clopos.sandbox import CloposSandbox
from connectors.clopos.sandbox.orders import IdPlace
from tests.connectors.clopos.conftest import V1, V2, Caller, FakeClock
from tests.connectors.clopos.sandbox_bodies import (
    full_example,
    line_v1,
    order_v1,
    order_v2,
    request_example,
)


@pytest.mark.parametrize("example", [request_example, full_example])
def test_both_examples_of_the_brief_are_accepted(clopos: Caller, example: Callable[[], Any]) -> None:
    answer = clopos.order(example())
    assert answer.status_code == 201
    data = answer.json()["data"]
    assert (data["id"], data["status"]) == (1, "PENDING")
    assert data["payload"]["customer"] == {"id": 9, "customer_discount_type": 1, "name": "Rahid Akhundzada"}
    assert data["payload"]["meta"]["comment"] is None
    assert data["payload"]["meta"]["orderTotal"] == "16.2000"
    assert data["payload"]["products"] == example()["payload"]["products"]


def test_the_ledger_holds_the_order_as_received_without_the_token(clopos: Caller) -> None:
    clopos.order(full_example(), Idempotency_Key="key-1")
    (order,) = clopos.client.get("/_sandbox/orders").json()
    assert order["body"] == full_example()
    assert (order["number"], order["status"], order["idempotency_key"]) == (1, "PENDING", "key-1")
    assert order["received_at"] == "2026-03-02T12:00:00Z"
    assert order["scope"] == "openapitest/1"
    names = {name.lower() for name in order["headers"]}
    assert {"x-brand", "x-venue", "idempotency-key"} <= names
    assert "x-token" not in names


def test_the_id_can_stand_inside_the_payload_alone(start: Callable[..., Caller]) -> None:
    data = start(id_place=IdPlace.PAYLOAD).order(full_example()).json()["data"]
    assert "id" not in data
    assert (data["payload"]["id"], data["payload"]["venue_id"]) == (1, 1)


def test_v2_takes_the_flat_body_and_shows_the_nested_one(clopos: Caller) -> None:
    answer = clopos.order(order_v2(), version=V2)
    assert answer.status_code == 201
    assert answer.json()["message"] == "Order created"
    data = answer.json()["data"]
    assert (data["id"], data["status"], data["type"]) == (1, "PENDING", "CALL_CENTER_ORDER")
    assert data["created_at"] == "2026-03-02T12:00:00.000000Z"
    assert "payload" not in data
    payload = clopos.get(f"{V2}/orders/1").json()["data"]["payload"]
    assert payload["service"] == {"sale_type_id": 2, "venue_id": 1}
    assert payload["products"][0]["product_modificators"] == [
        {"modificator_id": 187, "count": 1},
        {"modificator_id": 201, "count": 1},
    ]
    assert payload["meta"]["apply_service_charge"] is True
    assert payload["meta"]["service_charge_value"] == 5
    assert payload["delivery_fee"] == 2.5
    # 18 less 10 percent is 16.20, 5 percent of that is 0.81, delivery 2.50.
    assert clopos.sandbox.ledger.load_orders()[0][0].record["total"] == Decimal("19.5100")


def test_v2_applies_its_defaults(clopos: Caller) -> None:
    body = order_v2()
    for name in ("discount", "service_charge", "delivery_fee", "comment", "order_number"):
        del body[name]
    assert clopos.order(body, version=V2).status_code == 201
    meta = clopos.get(f"{V2}/orders/1").json()["data"]["payload"]["meta"]
    assert meta["discount"] == {"discount_type": 0, "discount_value": 0}
    assert (meta["apply_service_charge"], meta["comment"]) == (False, None)


def test_the_same_key_and_body_get_the_same_answer_and_one_order(clopos: Caller, clock: FakeClock) -> None:
    first = clopos.order(full_example(), Idempotency_Key="key-1")
    clock.advance(minutes=30)
    again = clopos.order(full_example(), Idempotency_Key="key-1")
    assert (again.status_code, again.text) == (first.status_code, first.text) == (201, first.text)
    assert len(clopos.client.get("/_sandbox/orders").json()) == 1
    assert clopos.order(full_example(), Idempotency_Key="key-2").json()["data"]["id"] == 2


def test_the_same_key_with_another_body_is_refused(clopos: Caller) -> None:
    clopos.order(full_example(), Idempotency_Key="key-1")
    answer = clopos.order(order_v1(line_v1(9, 1)), Idempotency_Key="key-1")
    assert answer.status_code == 409
    assert answer.json()["success"] is False


def test_a_refused_body_does_not_use_the_key_up(clopos: Caller) -> None:
    assert clopos.order(order_v1(line_v1(999, 1)), Idempotency_Key="key-1").status_code == 400
    assert clopos.order(full_example(), Idempotency_Key="key-1").status_code == 201


def test_a_key_is_forgotten_after_a_day(clopos: Caller, clock: FakeClock) -> None:
    clopos.order(full_example(), Idempotency_Key="key-1")
    clock.advance(hours=24, seconds=1)
    clopos.v1["x-token"] = clopos._token(V1, venue_id="1")
    assert clopos.order(full_example(), Idempotency_Key="key-1").json()["data"]["id"] == 2


def test_concurrent_duplicates_make_one_order(clopos: Caller) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: clopos.order(full_example(), Idempotency_Key="key-1").text, range(24)))
    assert set(answers) == {answers[0]}
    assert len(clopos.client.get("/_sandbox/orders").json()) == 1


def test_keys_are_ignored_by_v2_and_by_a_vendor_that_is_told_to(start: Callable[..., Caller]) -> None:
    clopos = start(idempotency=False)
    for _ in range(2):
        clopos.order(full_example(), Idempotency_Key="key-1")
    assert len(clopos.client.get("/_sandbox/orders").json()) == 2
    clopos = start()
    for _ in range(2):
        clopos.order(order_v2(), version=V2, Idempotency_Key="key-1")
    assert len(clopos.client.get("/_sandbox/orders").json()) == 2


def test_a_key_holds_for_customers_too(clopos: Caller) -> None:
    body = {"name": "Aysel", "phone": "+994501112233"}
    first = clopos.call("POST", f"{V1}/customers", body, Idempotency_Key="key-1")
    again = clopos.call("POST", f"{V1}/customers", body, Idempotency_Key="key-1")
    assert (first.status_code, again.text) == (201, first.text)


def test_orders_are_listed_newest_first_by_status_and_page(clopos: Caller) -> None:
    for _ in range(3):
        clopos.order(full_example())
    clopos.client.post("/_sandbox/orders/2/status", json={"status": "accept"})
    body = clopos.get(f"{V1}/orders?limit=2").json()
    assert [row["id"] for row in body["data"]] == [3, 2]
    assert body["pagination"] == {"page": 1, "per_page": 2, "total": 3, "total_pages": 2}
    assert [row["id"] for row in clopos.get(f"{V1}/orders?limit=2&offset=2").json()["data"]] == [1]
    received = clopos.get(f"{V2}/orders?status=RECEIVED").json()
    assert ([row["id"] for row in received["data"]], received["total"]) == ([2], 1)
    assert clopos.get(f"{V1}/orders?status=accepted").status_code == 400
    row = clopos.get(f"{V1}/orders?status=RECEIVED").json()["data"][0]
    assert row["payload"]["meta"]["orderTotal"] == "16.2000"
    assert row["receive_user_id"] == 1


def test_v2_lists_by_date_and_order(clopos: Caller, clock: FakeClock) -> None:
    clopos.order(order_v2(), version=V2)
    clock.advance(days=1)
    clopos.v2["x-token"] = clopos._token(V2, integrator_id="sandbox-integrator")
    clopos.order(order_v2(), version=V2)

    def found(query: str) -> list[int]:
        return [row["id"] for row in clopos.get(f"{V2}/orders?{query}").json()["data"]]

    assert found("date[0]=2026-03-02&date[1]=2026-03-02") == [1]
    assert found("date[0]=2026-03-03") == [2]
    assert found("sort[0]=created_at&sort[1]=1") == [1, 2]
    assert found("sort[0]=id&sort[1]=-1") == [2, 1]
    assert clopos.get(f"{V2}/orders?date[0]=today").status_code == 400
    assert clopos.get(f"{V2}/orders?sort[0]=status").status_code == 400


def test_only_a_waiting_order_can_be_cancelled(clopos: Caller) -> None:
    for _ in range(2):
        clopos.order(full_example())
    answer = clopos.call("PUT", f"{V1}/orders/1", {"status": "IGNORE"})
    assert (answer.status_code, answer.json()["data"]) == (200, {"id": 1, "status": "IGNORE"})
    again = clopos.call("PUT", f"{V2}/orders/1", {"status": "IGNORE"})
    assert (again.status_code, again.json()["data"]["status"]) == (200, "IGNORE")
    clopos.client.post("/_sandbox/orders/2/status", json={"status": "accept"})
    refused = {"success": False, "error": "validation_failed", "message": "Status is not allowed"}
    for body in ({"status": "IGNORE"}, {"status": "READY"}, {"status": "IGNORE", "note": "x"}, {}):
        answer = clopos.call("PUT", f"{V1}/orders/2", body)
        assert (answer.status_code, answer.json()) == (400, refused)
    assert clopos.call("PUT", f"{V2}/orders/9", {"status": "IGNORE"}).status_code == 404


def test_the_clerk_moves_an_order_and_a_receipt_appears(clopos: Caller) -> None:
    clopos.order(order_v2(), version=V2)
    path = f"{V2}/orders/1?with[0]=receipt:id,service_notification_id,status"
    assert clopos.get(path).json()["data"]["receipt"] is None
    for word, status, receipt_status in (("accept", "RECEIVED", 1), ("deliver", "DELIVERED", 2)):
        clopos.client.post("/_sandbox/orders/1/status", json={"status": word})
        data = clopos.get(path).json()["data"]
        assert data["status"] == status
        assert data["receipt"] == {"id": 1, "service_notification_id": 1, "status": receipt_status}
    whole = clopos.get(f"{V2}/orders?with[0]=receipt&with[1]=customer").json()["data"][0]
    assert (whole["receipt"]["total"], whole["receipt"]["order_number"]) == (19.51, "A-1024")
    assert whole["customer"]["name"] == "Rahid Akhundzada"


def test_the_clerk_can_set_a_status_nobody_has_heard_of(clopos: Caller) -> None:
    clopos.order(full_example())
    assert clopos.client.post("/_sandbox/orders/1/status", json={"status": "ON_HOLD"}).status_code == 200
    assert clopos.get(f"{V1}/orders/1").json()["data"]["status"] == "ON_HOLD"
    assert clopos.client.post("/_sandbox/orders/5/status", json={"status": "accept"}).status_code == 404
    assert clopos.client.post("/_sandbox/orders/1/status", json={}).status_code == 400


def test_orders_are_accepted_by_themselves_after_a_while(start: Callable[..., Caller], clock: FakeClock) -> None:
    clopos = start(auto_accept_seconds=30)
    clopos.order(full_example())
    clock.advance(seconds=29)
    assert clopos.get(f"{V1}/orders/1").json()["data"]["status"] == "PENDING"
    clock.advance(seconds=1)
    assert clopos.get(f"{V1}/orders/1").json()["data"]["status"] == "RECEIVED"
    assert clopos.client.get("/_sandbox/orders?status=RECEIVED").json()[0]["number"] == 1


def test_an_order_that_asks_for_it_is_accepted_at_once(clopos: Caller) -> None:
    body = order_v2() | {"auto_order_accept": True, "auto_accept_terminal": 1}
    assert clopos.order(body, version=V2).json()["data"]["status"] == "PENDING"
    assert clopos.get(f"{V2}/orders/1").json()["data"]["status"] == "RECEIVED"


def test_a_reset_forgets_orders_keys_and_counts_but_not_numbers(clopos: Caller) -> None:
    clopos.order(full_example(), Idempotency_Key="key-1")
    assert clopos.client.delete("/_sandbox/orders").status_code == 200
    assert clopos.client.get("/_sandbox/calls").json() == {}
    assert clopos.order(full_example(), Idempotency_Key="key-1").json()["data"]["id"] == 2


SERVE = """
import asyncio, sys
from pathlib import Path
from connectors.clopos.sandbox import create_app
from hub.contract.sandbox import serving
async def main():
    async with serving(create_app(Path(sys.argv[1]))) as url:
        print(url, flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


def test_accepted_orders_keys_and_tokens_survive_kill_9(tmp_path: Path) -> None:
    state = tmp_path / "clopos.db"
    with subprocess.Popen([sys.executable, "-c", SERVE, str(state)], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        with httpx.Client(base_url=server.stdout.readline().strip(), trust_env=False) as client:
            clopos = Caller(CloposSandbox(), str(client.base_url), client)
            first = clopos.order(full_example(), Idempotency_Key="key-1")
            assert first.status_code == 201
        os.kill(server.pid, signal.SIGKILL)
    sandbox = CloposSandbox(state=state)
    ((order,), count) = sandbox.ledger.load_orders()
    assert (order.number, count, order.idempotency_key) == (1, 1, "key-1")
    assert sandbox.ledger.find_document("token", clopos.v1["x-token"]) is not None
    sandbox.close()
    clopos.sandbox.close()

"""Every fault a sandbox can play, over real sockets, with the Clopos sandbox as the one that plays."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connectors.clopos.sandbox import CloposSandbox
from hub.contract.sandbox import serving
from hub.contract.sandbox.faults import Fault, Faults, Rule
from tests.connectors.clopos.conftest import V1, Caller
from tests.connectors.clopos.running import SandboxThread
from tests.connectors.clopos.sandbox_bodies import full_example


def put(clopos: Caller, *rules: dict[str, Any]) -> None:
    answer = clopos.client.put("/_sandbox/faults", json=list(rules))
    assert answer.status_code == 200, answer.text


def fired(clopos: Caller) -> list[int]:
    return [state["fired"] for state in clopos.client.get("/_sandbox/faults").json()]


def accepted(clopos: Caller) -> int:
    return len(clopos.client.get("/_sandbox/orders").json())


def answers(clopos: Caller, operation: str) -> dict[str, int]:
    found: dict[str, int] = clopos.client.get("/_sandbox/calls").json()[operation]["answers"]
    return found


def test_dropping_before_the_work_commits_nothing(clopos: Caller) -> None:
    put(clopos, {"fault": "drop_before", "operation": "create_order", "times": 1})
    with pytest.raises(httpx.TransportError):
        clopos.order(full_example())
    assert (fired(clopos), accepted(clopos)) == ([1], 0)
    assert clopos.order(full_example()).status_code == 201
    assert (fired(clopos), accepted(clopos)) == ([1], 1)


def test_dropping_after_the_work_has_committed_the_order(clopos: Caller) -> None:
    put(clopos, {"fault": "drop_after", "operation": "create_order", "times": 1})
    with pytest.raises(httpx.TransportError):
        clopos.order(full_example(), Idempotency_Key="key-1")
    assert (fired(clopos), accepted(clopos)) == ([1], 1)
    assert clopos.order(full_example(), Idempotency_Key="key-1").json()["data"]["id"] == 1
    assert accepted(clopos) == 1
    assert answers(clopos, "create_order") == {"none": 1, "201": 1}


def test_a_sandbox_that_is_down_drops_every_call_but_the_control(clopos: Caller) -> None:
    put(clopos, {"fault": "down"})
    for path in ("venues", "orders", "nowhere"):
        with pytest.raises(httpx.TransportError):
            clopos.get(f"{V1}/{path}")
    assert fired(clopos) == [3]
    clopos.client.delete("/_sandbox/faults")
    assert clopos.get(f"{V1}/venues").status_code == 200


def test_a_stopped_sandbox_refuses_connections_and_comes_back_with_its_orders() -> None:
    with SandboxThread(CloposSandbox()) as running, httpx.Client(base_url=running.url, trust_env=False) as client:
        clopos = Caller(running.sandbox, running.url, client)  # type: ignore[arg-type]
        clopos.order(full_example())
        running.stop()
        with pytest.raises(httpx.ConnectError):
            clopos.get(f"{V1}/orders/1")
        running.start()
        assert clopos.get(f"{V1}/orders/1").json()["data"]["id"] == 1


def test_a_status_is_worded_by_the_vendor_or_by_the_rule(clopos: Caller) -> None:
    put(
        clopos,
        {"fault": "status", "status": 500, "times": 1},
        {"fault": "status", "status": 504, "times": 1, "retry_after": 7},
        {"fault": "status", "status": 502, "times": 1, "body": "<h1>Bad Gateway</h1>"},
        {"fault": "status", "status": 503, "after_commit": True},
    )
    first, second, third, fourth = (clopos.order(full_example()) for _ in range(4))
    assert (first.status_code, first.json()["error"][0]["http_code"]) == (500, 500)
    assert (second.status_code, second.headers["Retry-After"]) == (504, "7")
    assert (third.status_code, third.text) == (502, "<h1>Bad Gateway</h1>")
    assert (fourth.status_code, accepted(clopos)) == (503, 1)
    assert fired(clopos) == [1, 1, 1, 1]


@pytest.mark.parametrize("value", [30, "Mon, 02 Mar 2026 12:05:00 GMT", "soon"])
def test_a_rate_limit_carries_the_retry_after_it_was_told(clopos: Caller, value: Any) -> None:
    put(clopos, {"fault": "rate_limited", "retry_after": value})
    answer = clopos.order(full_example())
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, str(value))
    assert answer.json()["error"] == "rate_limited"
    assert accepted(clopos) == 0


def test_a_rate_limit_without_retry_after_has_no_such_header(clopos: Caller) -> None:
    put(clopos, {"fault": "rate_limited"})
    assert "Retry-After" not in clopos.get(f"{V1}/venues").headers


def test_a_rejection_hides_inside_a_200(clopos: Caller) -> None:
    put(clopos, {"fault": "rejected", "operation": "create_order"})
    answer = clopos.order(full_example())
    assert (answer.status_code, answer.json()["success"]) == (200, False)
    assert accepted(clopos) == 0


def test_malformed_answers_are_html_or_break_off(clopos: Caller) -> None:
    put(
        clopos,
        {"fault": "malformed", "times": 1},
        {"fault": "malformed", "half_json": True, "after_commit": True},
    )
    page, half = clopos.order(full_example()), clopos.order(full_example())
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert half.headers["Content-Type"].startswith("application/json")
    with pytest.raises(ValueError, match="Unterminated"):
        half.json()
    assert accepted(clopos) == 1


def test_a_trickled_answer_arrives_whole_but_in_single_bytes(clopos: Caller) -> None:
    put(clopos, {"fault": "trickle", "operation": "list_stopped", "delay_seconds": 0.002})
    with clopos.client.stream("GET", f"{V1}/products/stop-list", headers=clopos.v1) as answer:
        chunks = list(answer.iter_raw())
    assert b"".join(chunks).startswith(b'{"success":true')
    assert len(chunks) > 20


def test_a_slow_trickle_outlasts_a_total_timeout(clopos: Caller) -> None:
    put(clopos, {"fault": "trickle", "delay_seconds": 0.05})

    async def ask() -> None:
        async with httpx.AsyncClient(base_url=clopos.url, trust_env=False) as client, asyncio.timeout(0.2):
            await client.get(f"{V1}/venues", headers=clopos.v1)

    with pytest.raises(TimeoutError):
        asyncio.run(ask())


def test_a_hanging_call_never_answers_and_may_have_committed(clopos: Caller) -> None:
    put(
        clopos,
        {"fault": "hang", "operation": "create_order", "times": 1},
        {"fault": "hang", "operation": "create_order", "after_commit": True},
    )
    clopos.client.timeout = httpx.Timeout(0.2)
    with pytest.raises(httpx.ReadTimeout):
        clopos.order(full_example())
    assert accepted(clopos) == 0
    with pytest.raises(httpx.ReadTimeout):
        clopos.order(full_example())
    assert (accepted(clopos), fired(clopos)) == (1, [1, 1])


def test_a_delay_is_waited_for_and_then_answered(clopos: Caller) -> None:
    put(clopos, {"fault": "delay", "delay_seconds": 0.15, "operation": "list_venues"})
    began = time.monotonic()
    assert clopos.get(f"{V1}/venues").status_code == 200
    assert time.monotonic() - began >= 0.15
    assert clopos.get(f"{V1}/users").status_code == 200
    assert fired(clopos) == [1]


def test_filters_choose_the_calls_and_the_first_rule_that_fires_wins(clopos: Caller) -> None:
    put(
        clopos,
        {"fault": "status", "status": 500, "method": "post", "path": "*/orders"},
        {"fault": "status", "status": 501, "path": "/open-api/orders/*"},
        {"fault": "status", "status": 502, "operation": "get_order"},
    )
    assert clopos.order(full_example()).status_code == 500
    assert clopos.get(f"{V1}/orders/1").status_code == 501
    assert clopos.get(f"{V1}/orders").status_code == 200
    assert clopos.get("/open-api/v2/orders/1").status_code == 502
    assert fired(clopos) == [1, 1, 1]


def test_a_rule_that_is_no_rule_is_refused_and_the_old_ones_stay(clopos: Caller) -> None:
    put(clopos, {"fault": "rejected"})
    no_rules: tuple[Any, ...] = (
        [{"fault": "explode"}],
        [{"fault": "delay", "dealy_seconds": 1}],
        [{"fault": "status", "status": 200}],
        {},
    )
    for wrong in no_rules:
        assert clopos.client.put("/_sandbox/faults", json=wrong).status_code == 400
    assert len(fired(clopos)) == 1


def test_probability_is_repeatable_by_its_seed() -> None:
    def run(seed: int) -> list[bool]:
        faults = Faults([Rule(fault=Fault.DOWN, probability=0.5, seed=seed)])
        return [faults.take("create_order", "POST", "/orders") is not None for _ in range(100)]

    assert run(1) == run(1) != run(2)
    assert 30 < sum(run(1)) < 70
    assert Faults([Rule(fault=Fault.DOWN, probability=0)]).take("any", "GET", "/") is None


def test_faults_can_be_set_and_counted_from_python(clopos: Caller) -> None:
    number = clopos.sandbox.faults.add(Rule(fault=Fault.DROP_AFTER, operation="create_order", times=2))
    for _ in range(2):
        with pytest.raises(httpx.TransportError):
            clopos.order(full_example())
    assert clopos.order(full_example()).status_code == 201
    assert clopos.sandbox.faults.fired(number) == 2
    assert clopos.sandbox.call_count("create_order") == 3
    clopos.sandbox.faults.clear()
    assert clopos.sandbox.faults.states() == []


def test_calls_are_counted_by_operation_and_answer(clopos: Caller) -> None:
    clopos.order(full_example())
    clopos.order({})
    clopos.get(f"{V1}/orders/1")
    clopos.get("/nowhere")
    calls = clopos.client.get("/_sandbox/calls").json()
    assert calls["create_order"] == {"total": 2, "answers": {"201": 1, "400": 1}}
    assert calls["get_order"] == {"total": 1, "answers": {"200": 1}}
    assert calls["unknown"] == {"total": 1, "answers": {"404": 1}}
    assert calls["authenticate"]["total"] == 2


def test_a_hundred_calls_at_once_are_all_kept(start: Callable[..., Caller]) -> None:
    async def send_all() -> list[int]:
        sandbox = CloposSandbox()
        async with serving(sandbox.app()) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
            token = await client.post(
                f"{V1}/auth",
                json={
                    "client_id": "sandbox-client",
                    "client_secret": "sandbox-secret",
                    "brand": "openapitest",
                    "venue_id": "1",
                },
            )
            headers = {"x-token": token.json()["token"], "x-brand": "openapitest", "x-venue": "1"}
            sent = (client.post(f"{V1}/orders", json=full_example(), headers=headers) for _ in range(100))
            numbers = [answer.json()["data"]["id"] for answer in await asyncio.gather(*sent)]
        sandbox.close()
        return numbers

    assert sorted(asyncio.run(send_all())) == list(range(1, 101))

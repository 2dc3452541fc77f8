"""Over REST: quotes, sold-out items, the context of a store, and what is wrong with an order."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from tests.journeys.agents import call, handshake, modern, short
from tests.journeys.conftest import POSTGRES, SQLITE, NewStage, Stage
from tests.journeys.crowd import post_together
from tests.journeys.running import wait_for
from tests.journeys.site import READ_KEY, Server, bearer, order_body, venue


class Counter:
    """A venue behind a sandbox."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.site = stage, stage.site
        self.vendor = stage.vendor()
        self.site.apply(venue(self.vendor.url))
        self.server: Server = self.site.serve()
        self.item = self.server.item_id()

    def post(self, path: str, body: Any, headers: Any = None) -> Any:
        return self.server.client.post(f"/api/v1{path}", json=body, headers=bearer() if headers is None else headers)

    def mark(self, available: bool, headers: Any = None, **more: str) -> Any:
        url = f"/api/v1/menu/items/{self.item}"
        headers = bearer() if headers is None else headers
        return self.server.client.patch(url, json={"available": available, **more}, headers=headers)


@pytest.fixture(scope="module", params=[SQLITE, POSTGRES])
def counter(request: pytest.FixtureRequest, new_shared_stage: NewStage) -> Iterator[Counter]:
    stage = new_shared_stage(request.param)
    yield Counter(stage)
    stage.close()


def test_a_quote_is_priced_ordered_once_and_reaches_the_pos_once(counter: Counter) -> None:
    answer = counter.post("/quotes", order_body(counter.item))
    assert answer.status_code == 201
    quote = answer.json()["quote"]
    assert (quote["total"]["cents"], quote["storeSlug"]) == (980, "demo-restaurant")
    assert quote["expiresAtLocal"].endswith("+04:00")
    before = len(counter.vendor.orders())
    answers = [counter.post("/orders", {"quoteId": quote["id"]}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201] * 3
    [order_id] = {answer.json()["order"]["id"] for answer in answers}
    assert [answer.headers.get("Idempotent-Replayed") for answer in answers] == [None, "true", "true"]
    counter.server.wait_until(order_id, "confirmed")
    assert len(counter.vendor.orders()) == before + 1


def test_many_repetitions_at_once_make_one_order(counter: Counter) -> None:
    quote = counter.post("/quotes", order_body(counter.item)).json()["quote"]
    calls = [(counter.server.url, {"quoteId": quote["id"]}, bearer())] * 30
    answers = post_together(calls)
    assert {answer.status_code for answer in answers} == {201}
    [order_id] = {answer.json()["order"]["id"] for answer in answers}
    counter.server.wait_until(order_id, "confirmed")


def test_an_agent_that_gives_up_waiting_and_repeats_itself_in_other_words_has_one_order(counter: Counter) -> None:
    server, before = counter.server, len(counter.vendor.orders())
    quote = counter.post("/quotes", order_body(counter.item)).json()["quote"]
    with httpx.Client(base_url=server.url, timeout=0.001, trust_env=False) as hasty, suppress(httpx.TimeoutException):
        body = {"method": "tools/call", "params": call("create_order", {"quoteId": quote["id"]})}
        hasty.post("/api/mcp", json=body, headers=bearer())
    found = set()
    for attempt in range(10):
        words = {"notes": f"ring {attempt} times", "customer": {"name": "Alice"[: attempt % 5 + 1]}}
        asked = call("create_order", {"quoteId": quote["id"], **(words if attempt % 4 else {})})
        answer = (short, handshake, modern)[attempt % 3](server, "tools/call", asked).json()
        found.add(answer.get("result", answer)["structuredContent"]["order"]["id"])
    [order_id] = found
    server.wait_until(order_id, "confirmed")
    assert len(counter.vendor.orders()) == before + 1


def test_a_quote_that_ended_is_refused(counter: Counter) -> None:
    quote = counter.post("/quotes", order_body(counter.item), {}).json()["quote"]
    counter.site.travel(minutes=16)
    answers = [counter.post("/orders", {"quoteId": quote["id"]}, {}) for _ in range(30)]
    assert (answers[-1].status_code, answers[-1].json()["code"]) == (400, "QUOTE_EXPIRED")


def test_a_sold_out_item_cannot_be_ordered_until_it_is_back(counter: Counter) -> None:
    for _ in range(2):
        answer = counter.mark(False).json()
        assert (answer["hub"], answer["pos"], answer["available"]) == ("applied", "not_supported", False)
        refused = counter.server.post(order_body(counter.item), bearer())
        assert (refused.status_code, refused.json()["code"]) == (400, "ITEM_SOLD_OUT")
    menu = counter.server.client.get("/api/v1/stores/demo-restaurant/context", headers=bearer()).json()["menu"]
    assert counter.item not in str(menu)
    assert counter.mark(True, storeSlug="demo-restaurant").json()["available"] is True
    placed = counter.server.placed(order_body(counter.item))
    counter.server.wait_until(placed["id"], "confirmed")


def test_who_may_mark_items(counter: Counter) -> None:
    assert counter.mark(False, {}).status_code == 401
    assert counter.mark(False, bearer(READ_KEY)).json()["code"] == "SCOPE_MISSING"
    assert counter.mark(False, storeSlug="nowhere").status_code == 404
    answer = counter.server.client.patch("/api/v1/menu/items/item_0", json={"available": True}, headers=bearer())
    assert (answer.status_code, answer.json()["code"]) == (404, "ITEM_UNKNOWN")
    assert (
        counter.server.client.patch(
            f"/api/v1/menu/items/{counter.item}", json={"available": "no"}, headers=bearer()
        ).json()["field"]
        == "available"
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [("search=DEMO", 1), ("search=nowhere", 0), ("cuisine=pizza", 0), ("limit=1", 1), ("search=demo%20restaurant", 1)],
)
def test_stores_are_found(counter: Counter, query: str, found: int) -> None:
    answer = counter.server.client.get(f"/api/v1/stores?{query}")
    assert len(answer.json()["stores"]) == found


@pytest.mark.parametrize("limit", ["0", "-1", "x", "501", "1" * 5000, "१"])
def test_a_limit_that_makes_no_sense_is_refused(counter: Counter, limit: str) -> None:
    answer = counter.server.client.get("/api/v1/stores", params={"limit": limit})
    assert (answer.status_code, answer.json()["field"]) == (400, "limit")


def test_an_order_that_failed_is_explained_and_traced_without_personal_data(counter: Counter) -> None:
    counter.vendor.fail({"operation": "create_order", "fault": "status", "status": 400, "times": 1})
    placed = counter.server.placed(order_body(counter.item, "ring twice"))
    counter.server.wait_until(placed["id"], "failed")
    explained = counter.server.client.get(f"/api/v1/orders/{placed['id']}/failure", headers=bearer()).json()
    [failure] = explained["failures"]
    assert (explained["failed"], failure["code"], failure["owner"]) == (True, "POS_REJECTED", "venue")
    assert failure["retryHelps"] is False
    assert failure["nextAction"] in explained["failures"][0]["nextAction"]
    traced = counter.server.client.get(f"/api/v1/orders/{placed['orderNumber']}/trace", headers=bearer())
    kinds = [entry["kind"] for entry in traced.json()["entries"]]
    assert kinds[0] == "order.placed"
    assert "Alice" not in traced.text and "ring twice" not in traced.text
    assert counter.server.client.get(f"/api/v1/orders/{placed['id']}/trace").status_code == 401


def test_an_order_is_cancelled_here_and_at_the_pos(counter: Counter) -> None:
    placed = counter.server.placed(order_body(counter.item))
    counter.server.wait_until(placed["id"], "confirmed")
    assert counter.post(f"/orders/{placed['id']}/cancel", {}, {}).status_code == 401
    assert counter.post(f"/orders/{placed['id']}/cancel", {}, bearer(READ_KEY)).status_code == 403
    conflict = counter.post(f"/orders/{placed['id']}/cancel", {"version": 99})
    assert (conflict.status_code, conflict.json()["code"]) == (409, "VERSION_CONFLICT")
    asked = counter.post(f"/orders/{placed['orderNumber']}/cancel", {"reason": "guest left"})
    assert (asked.status_code, asked.json()["pos"]) == (200, "queued"), asked.text
    assert asked.json()["hub"] == "requested"
    wait_for(lambda: counter.server.order(placed["id"])["status"] == "cancelled", "the order is cancelled")
    again = counter.post(f"/orders/{placed['id']}/cancel", {})
    assert (again.json()["hub"], again.json()["order"]["status"]) == ("applied", "cancelled")

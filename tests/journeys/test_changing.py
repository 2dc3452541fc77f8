"""Orders are changed after they were placed, at a real sandbox: what it takes travels, what it refuses is told."""

import json
from typing import Any

import pytest

from hub.model.ids import order_mark
from tests.journeys.conftest import POSTGRES, NewStage
from tests.journeys.running import wait_for
from tests.journeys.site import bearer
from tests.journeys.test_poll import V1, V2, Restaurant


@pytest.fixture(scope="module")
def restaurant(new_shared_stage: NewStage) -> Restaurant:
    return Restaurant(new_shared_stage())


def test_a_pending_order_is_cancelled_at_the_pos(restaurant: Restaurant) -> None:
    check_cancelling(restaurant)


def test_a_pending_order_is_cancelled_at_the_pos_on_postgresql(new_stage: NewStage) -> None:
    check_cancelling(Restaurant(new_stage(POSTGRES)))


def check_cancelling(restaurant: Restaurant) -> None:
    """A cancellation travels as IGNORE and ends cancelled, in both dialects; asking again changes nothing."""
    for slug in (V1, V2):
        order_id, _ = restaurant.place(slug)
        asked = ask(restaurant, order_id, "cancel", {"reason": "guest left"})
        assert (asked["hub"], asked["pos"], asked["order"]["status"]) == ("requested", "queued", "received")
        order = restaurant.wait_for_status(order_id, "cancelled")
        assert (order["tabStatus"], order["injection"][0]["state"]) == ("void", "confirmed")
        assert at_vendor(restaurant, order_id)["status"] == "IGNORE"
        again = ask(restaurant, order_id, "cancel", {"reason": "guest left"})
        assert (again["hub"], again["pos"]) == ("applied", "applied")


def test_an_order_the_clerk_has_taken_is_not_cancelled_and_says_why(restaurant: Restaurant) -> None:
    for slug in (V1, V2):
        order_id, number = restaurant.place(slug)
        restaurant.vendor.play_clerk(number, "accept")
        restaurant.wait_for_status(order_id, "accepted")
        asked = ask(restaurant, order_id, "cancel", {"reason": "too late"}, prefer="wait=20")
        assert (asked["hub"], asked["pos"], asked["order"]["status"]) == ("requested", "refused", "accepted")
        [way] = asked["order"]["injection"]
        assert way["state"] == "confirmed_with_open_items"
        [left] = way["openItems"]
        assert (left["operation"], left["cause"]) == ("cancel_order", "POS_REJECTED")
        assert "the restaurant has already taken it" in left["detail"]
        assert at_vendor(restaurant, order_id)["status"] == "RECEIVED"
        waiting = restaurant.site.run("stuck").stdout
        assert asked["order"]["orderNumber"] in waiting
        settled = restaurant.site.run("deliver", order_id, "--done")
        assert settled.returncode == 0, settled.stderr
        order = restaurant.server.order(order_id)
        assert (order["status"], order["injection"][0]["openItems"]) == ("accepted", [])


def test_the_terminal_cancels_what_the_server_delivers(restaurant: Restaurant) -> None:
    order_id, _ = restaurant.place(V1)
    done = restaurant.site.run("cancel", order_id, "--reason", "guest left")
    assert done.returncode == 0, done.stderr
    assert "the POS is asked to cancel it" in done.stdout
    restaurant.wait_for_status(order_id, "cancelled")
    again = restaurant.site.run("cancel", order_id, "--reason", "guest left")
    assert (again.returncode, "cancelled (the POS has it so)" in again.stdout) == (0, True)
    closed = restaurant.site.run("status", order_id, "ready")
    assert closed.returncode == 1
    assert "the order is cancelled already" in closed.stderr


def test_what_the_pos_cannot_take_stays_in_the_hub_and_is_told(restaurant: Restaurant) -> None:
    order_id, _ = restaurant.place(V1)
    for path, body in (
        ("status", {"status": "preparing"}),
        ("payments", {"method": "card", "amount": 100, "reference": "tx-1"}),
    ):
        assert (ask(restaurant, order_id, path, body)["pos"]) == "not_supported"
    answer = restaurant.server.client.get(f"/api/v1/stores/{V1}/pos/tables", headers=bearer())
    assert (answer.status_code, answer.json()["code"]) == (400, "NOT_SUPPORTED_BY_POS")
    report = json.loads(restaurant.site.run("fidelity", order_id, "--json").stdout)
    lost = [entry["part"]["name"] for entry in report[0]["parts"] if entry["fate"] == "lost"]
    assert lost == ["payment by card"]


def test_a_menu_that_was_synced_has_not_drifted(restaurant: Restaurant) -> None:
    done = restaurant.site.run("drift", V1)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{V1} (clopos): 0 errors, 0 warnings; compared: menu, set-up, payment methods, codes\n"
    report = restaurant.server.client.get(f"/api/v1/stores/{V2}/drift", headers=bearer()).json()
    assert (report["errors"], report["rows"]) == (0, [])


def ask(restaurant: Restaurant, order_id: str, what: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    """The answer to a change that must be understood."""
    answer = restaurant.server.client.post(
        f"/api/v1/orders/{order_id}/{what}", json=body, headers=bearer(**headers), timeout=40
    )
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def at_vendor(restaurant: Restaurant, order_id: str) -> dict[str, Any]:
    """The one order that arrived with our mark."""
    mark = order_mark(order_id)
    found = wait_for(
        lambda: [entry for entry in restaurant.vendor.orders() if mark in json.dumps(entry["body"])], "it arrived"
    )
    assert len(found) == 1
    return found[0]

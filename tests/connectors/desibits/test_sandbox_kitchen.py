"""The kitchen of the Desibits sandbox and the people at its till."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.connectors.desibits.sandbox_calling import DINE_IN, Till, chai, naan, page_example, playing


@pytest.fixture
def pos() -> Iterator[Till]:
    with playing() as till:
        yield till


def kot_states(pos: Till, number: int = 1) -> list[str]:
    return [kot["status"] for kot in pos.data("GET", f"orders/{number}")["kots"]]


def test_a_new_ticket_is_answered_as_the_page_shows_without_an_id(pos: Till) -> None:
    pos.order(chai())
    assert pos.call("POST", "orders/1/kot").json() == {
        "success": True,
        "data": {"kot_number": "KOT-001", "status": "sent_to_kitchen"},
    }
    assert pos.data("GET", "orders/1")["status"] == "kot"


def test_a_new_ticket_is_answered_with_its_id_when_told() -> None:
    with playing(kot_id=True) as pos:
        pos.order(chai())
        assert pos.data("POST", "orders/1/kot") == {"id": 301, "kot_number": "KOT-001", "status": "sent_to_kitchen"}


def test_an_order_that_is_read_shows_its_tickets_unless_told_otherwise(pos: Till) -> None:
    pos.order(chai(2, note="hot"))
    pos.call("POST", "orders/1/kot")
    assert pos.data("GET", "orders/1")["kots"] == [
        {
            "id": 301,
            "kot_number": "KOT-001",
            "status": "sent_to_kitchen",
            "items": [{"menu_item_id": 22, "name": "Masala Chai", "note": "hot", "quantity": 2}],
            "created_at": "2026-03-02T12:00:00.000000Z",
        }
    ]
    with playing(kots_in_order=False) as silent:
        silent.order(chai())
        silent.call("POST", "orders/1/kot")
        assert "kots" not in silent.data("GET", "orders/1")
        assert "kots" not in silent.data("GET", "orders")[0]


def test_the_kitchen_hears_of_an_order_with_its_ticket_and_never_of_a_draft(pos: Till) -> None:
    pos.data("POST", "orders", page_example())
    pos.order(chai())
    assert pos.cooked() == []
    pos.data("PUT", "orders/2/status", {"status": "kot"})
    assert pos.cooked() == []
    pos.call("POST", "orders/1/kot")
    assert pos.control("GET", "kitchen") == [
        {
            "id": 301,
            "kot_number": "KOT-001",
            "status": "sent_to_kitchen",
            "order": 1,
            "order_number": "ORD-001-001",
            "order_status": "kot",
            "table_id": 5,
            "notes": None,
            "items": [{"menu_item_id": 15, "name": "Butter Chicken", "note": "No onions", "quantity": 2}],
            "printed": 0,
            "reprinted": 0,
            "created_at": "2026-03-02T12:00:00.000000Z",
        }
    ]


def test_new_items_reach_the_kitchen_with_a_further_ticket_and_alone(pos: Till) -> None:
    pos.order(chai(2), naan())
    pos.call("POST", "orders/1/kot")
    pos.data("PUT", "orders/1", {"items": [chai(3), naan(), chai(1, note="no sugar")]})
    assert pos.cooked() == [(1, [("Masala Chai", 2), ("Garlic Naan", 1)])]
    pos.call("POST", "orders/1/kot")
    assert pos.cooked()[1:] == [(1, [("Masala Chai", 1), ("Masala Chai", 1)])]
    assert [line["id"] for line in pos.data("GET", "orders/1")["items"]] == [1, 2, 3]


def test_a_further_ticket_without_new_items_cooks_everything_again(pos: Till) -> None:
    pos.order(chai(2))
    assert [pos.data("POST", "orders/1/kot")["kot_number"] for _ in range(2)] == ["KOT-001", "KOT-002"]
    assert pos.cooked() == [(1, [("Masala Chai", 2)]), (1, [("Masala Chai", 2)])]


def test_a_further_ticket_without_new_items_is_refused_when_told() -> None:
    with playing(second_kot="refuse") as pos:
        pos.order(chai())
        pos.data("POST", "orders/1/kot")
        assert pos.refused("POST", "orders/1/kot") == (409, "There are no new items for the kitchen")
        pos.data("PUT", "orders/1", {"items": [chai(), naan()]})
        pos.data("POST", "orders/1/kot")
        assert pos.cooked() == [(1, [("Masala Chai", 1)]), (1, [("Garlic Naan", 1)])]


def test_what_the_kitchen_has_got_cannot_be_taken_out_again(pos: Till) -> None:
    pos.order(chai(2), naan())
    pos.call("POST", "orders/1/kot")
    for items in ([chai(2)], [chai(1), naan()], [chai(2, note="other"), naan()]):
        assert pos.refused("PUT", "orders/1", {"items": items})[0] == 409
    pos.call("PUT", "orders/1/status", {"status": "billed"})
    refused = pos.refused("PUT", "orders/1", {"items": [chai(2), naan(2)]})
    assert refused == (409, "Items of an order that is billed cannot be changed")
    assert pos.refused("POST", "orders/1/kot") == (409, "Order status cannot be changed from billed to kot")


def test_an_empty_order_has_no_ticket(pos: Till) -> None:
    pos.data("POST", "orders", {"order_type_id": DINE_IN, "table_id": 5, "items": []})
    assert pos.refused("POST", "orders/1/kot") == (400, "Order has no items")
    pos.data("PUT", "orders/1", {"items": [chai()]})
    pos.data("POST", "orders/1/kot")
    assert pos.cooked() == [(1, [("Masala Chai", 1)])]


def test_printing_is_counted_and_is_not_the_ticket(pos: Till) -> None:
    pos.order(chai())
    pos.call("POST", "orders/1/kot")
    for path in ("print", "reprint", "reprint"):
        assert pos.data("POST", f"kot/301/{path}") == {
            "id": 301,
            "kot_number": "KOT-001",
            "status": "sent_to_kitchen",
        }
    (kot,) = pos.control("GET", "kitchen")
    assert (kot["printed"], kot["reprinted"]) == (1, 2)
    assert pos.refused("POST", "kot/1/print") == (404, "KOT not found")
    pos.call("POST", "orders/1/cancel", {"reason": "x"})
    assert pos.refused("POST", "kot/301/reprint") == (409, "KOT is cancelled")


def test_a_ticket_moves_forward_only(pos: Till) -> None:
    pos.order(chai())
    pos.call("POST", "orders/1/kot")
    for word in ("in_kitchen", "in_kitchen", "served", "served"):
        assert pos.data("PUT", "kot/301/status", {"status": word})["status"] == word
        assert kot_states(pos) == [word]
    back = pos.refused("PUT", "kot/301/status", {"status": "food_ready"})
    assert back == (409, "KOT status cannot be changed from served to food_ready")
    for wrong in ("sent_to_kitchen", "burnt"):
        assert pos.call("PUT", "kot/301/status", {"status": wrong}).status_code == 422
    assert pos.refused("PUT", "kot/7/status", {"status": "served"}) == (404, "KOT not found")


def test_a_paid_order_may_still_be_cooking(pos: Till) -> None:
    pos.order(chai())
    pos.call("POST", "orders/1/kot")
    pos.data("POST", "orders/1/payment", {"payment_method": "card", "amount": 2.10})
    assert (pos.data("GET", "orders/1")["status"], kot_states(pos)) == ("paid", ["sent_to_kitchen"])
    assert pos.data("PUT", "kot/301/status", {"status": "food_ready"})["status"] == "food_ready"


def test_the_clerk_sends_bills_takes_the_rest_and_reopens(pos: Till) -> None:
    pos.order(chai(), naan())
    for word, status in (
        ("accept", "kot"),
        ("bill", "billed"),
        ("pay", "paid"),
        ("reopen", "draft"),
        ("ready?", "ready?"),
    ):
        pos.control("POST", "orders/1/status", {"status": word})
        assert pos.data("GET", "orders/1")["status"] == status
    assert pos.cooked() == [(1, [("Masala Chai", 1), ("Garlic Naan", 1)])]
    data = pos.data("GET", "orders/1")
    assert (data["payment_status"], data["amount_paid"]) == ("paid", 4.85)
    assert [payment["payment_method"] for payment in data["payments"]] == ["cash"]
    pos.control("POST", "orders/1/status", {"status": "cancel"})
    assert (pos.data("GET", "orders/1")["status"], kot_states(pos)) == ("cancelled", ["cancelled"])
    assert pos.client.post("/_sandbox/orders/9/status", json={"status": "accept"}).status_code == 404


def test_the_clerk_sends_an_order_once_and_then_only_what_is_new(pos: Till) -> None:
    pos.order(chai())
    for _ in range(2):
        pos.control("POST", "orders/1/status", {"status": "accept"})
    assert pos.cooked() == [(1, [("Masala Chai", 1)])]
    pos.control("POST", "orders/1/items", {"items": [naan(2)]})
    assert [line["name"] for line in pos.data("GET", "orders/1")["items"]] == ["Garlic Naan"]
    pos.control("POST", "orders/1/status", {"status": "accept"})
    assert pos.cooked()[1:] == [(1, [("Garlic Naan", 2)])]


def test_the_clerk_opens_an_order_in_the_pos_itself(pos: Till) -> None:
    body = {"order_type_id": DINE_IN, "table_id": 4, "items": [chai()], "notes": "walk-in"}
    data = pos.control("POST", "orders", body)["data"]
    assert (data["id"], data["status"], data["notes"]) == (1, "draft", "walk-in")
    assert [row["id"] for row in pos.data("GET", "orders?table_id=4")] == [1]
    assert pos.control("GET", "orders")[0]["record"]["source"] == "till"
    assert "create_order" not in pos.control("GET", "calls")
    assert pos.client.post("/_sandbox/orders", json={}).status_code == 422


def test_the_clerk_takes_payments_of_any_amount_in_any_state(pos: Till) -> None:
    pos.order(chai())
    data = pos.control("POST", "orders/1/payment", {"amount": 1, "payment_method": "upi"})["data"]
    assert (data["status"], data["payment_status"], data["amount_paid"]) == ("draft", "partial", 1)
    data = pos.control("POST", "orders/1/payment", {})["data"]
    assert (data["status"], data["payment_status"], data["amount_paid"]) == ("paid", "paid", 2.1)
    data = pos.control("POST", "orders/1/payment", {"amount": 5})["data"]
    assert (data["status"], data["amount_paid"]) == ("paid", 7.1)


def test_a_cook_moves_a_ticket_to_any_word(pos: Till) -> None:
    pos.order(chai())
    pos.call("POST", "orders/1/kot")
    for word in ("served", "in_kitchen", "half_done"):
        pos.control("POST", "kots/301/status", {"status": word})
        assert kot_states(pos) == [word]
    assert pos.client.post("/_sandbox/kots/9/status", json={"status": "served"}).status_code == 404
    assert pos.client.post("/_sandbox/kots/301/status", json={}).status_code == 422


def test_cooks_begin_by_themselves_after_a_while_and_drafts_stay() -> None:
    with playing(auto_accept_seconds=5) as kitchen:
        kitchen.order(chai())
        kitchen.order(chai())
        kitchen.call("POST", "orders/1/kot")
        kitchen.clock.advance(seconds=4)
        assert kot_states(kitchen) == ["sent_to_kitchen"]
        kitchen.clock.advance(seconds=1)
        assert kot_states(kitchen) == ["in_kitchen"]
        assert kitchen.data("GET", "orders/2")["status"] == "draft"


def test_cooks_begin_with_a_ticket_from_before_a_restart(tmp_path: Path) -> None:
    with playing(state=tmp_path / "state.db") as before:
        before.order(chai())
        before.call("POST", "orders/1/kot")
    with playing(state=tmp_path / "state.db", auto_accept_seconds=5) as after:
        after.clock.advance(seconds=5)
        assert kot_states(after) == ["in_kitchen"]


def test_a_reset_forgets_orders_and_tickets_but_not_numbers(pos: Till) -> None:
    pos.order(chai())
    pos.call("POST", "orders/1/kot")
    pos.control("DELETE", "orders")
    assert (pos.cooked(), pos.data("GET", "orders")) == ([], [])
    assert pos.refused("POST", "kot/301/print") == (404, "KOT not found")
    number = pos.order(chai())
    pos.call("POST", f"orders/{number}/kot")
    assert [(kot["id"], kot["order"]) for kot in pos.control("GET", "kitchen")] == [(302, 2)]


def test_a_refused_call_leaves_nothing_behind_not_even_a_number(pos: Till) -> None:
    pos.order(chai())
    pos.call("POST", "orders/1/kot")
    assert pos.refused("PUT", "orders/1", {"items": [naan()]})[0] == 409
    assert [line["name"] for line in pos.data("GET", "orders/1")["items"]] == ["Masala Chai"]
    assert pos.data("GET", f"orders/{pos.order(chai())}")["items"][0]["id"] == 2

"""Every status of every POS, and words nobody knows, in both directions: the till moves orders, and the hub does."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.journeys.conftest import POSTGRES, NewStage
from tests.journeys.running import wait_for
from tests.journeys.trio import CLOPOS, DESIBITS, DESKTOP_KITCHEN, Pos, Trio

DISHES = {CLOPOS: "Lülə kabab", DESIBITS: "Samosa Chaat", DESKTOP_KITCHEN: "Flan de Cajeta"}
UNKNOWN = ["on_the_moon", "gözləyir ⏳"]

# What the clerk makes of an order: the word, then the hub's status, whether the tab is open, and the raw word.
AT_CLOPOS = [
    ("RECEIVED", "accepted", "open", "RECEIVED"),
    ("ACCEPTED", "accepted", "open", "ACCEPTED"),
    ("CONFIRMED", "accepted", "open", "CONFIRMED"),
    ("DELIVERED", "completed", "closed", "DELIVERED"),
    ("COMPLETED", "completed", "closed", "COMPLETED"),
    ("IGNORE", "cancelled", "void", "IGNORE"),
    ("CANCELLED", "cancelled", "void", "CANCELLED"),
    *((word, "unknown", "open", word) for word in UNKNOWN),
]
AT_DESKTOP_KITCHEN = [
    ("confirmed", "accepted", "open", "confirmed"),
    ("preparing", "preparing", "open", "preparing"),
    ("ready", "ready", "open", "ready"),
    ("completed", "completed", "closed", "completed"),
    ("cancelled", "cancelled", "void", "cancelled"),
    *((word, "unknown", "open", word) for word in UNKNOWN),
]
# Beyond a draft the ticket says how far an order is; it was sent to the kitchen when the order came.
AT_DESIBITS = [
    ("billed", "preparing", "open", "billed / sent_to_kitchen"),
    ("paid", "preparing", "open", "paid / sent_to_kitchen"),
    ("cancelled", "cancelled", "void", "cancelled / cancelled"),
    *((word, "unknown", "open", f"{word} / sent_to_kitchen") for word in UNKNOWN),
]
TICKETS_AT_DESIBITS = [
    ("in_kitchen", "preparing", "open", "kot / in_kitchen"),
    ("food_ready", "ready", "open", "kot / food_ready"),
    ("served", "served", "open", "kot / served"),
    *((word, "accepted", "open", f"kot / {word}") for word in UNKNOWN),
]


@pytest.fixture(scope="module")
def trio(new_shared_stage: NewStage) -> Trio:
    return Trio(new_shared_stage(), configs={DESIBITS: {"send_delivery": True}})


def test_what_the_clerk_does_at_clopos_comes_here(trio: Trio) -> None:
    check_told(trio, CLOPOS, AT_CLOPOS, play_clerk)


def test_what_the_clerk_does_at_desktop_kitchen_comes_here(trio: Trio) -> None:
    check_told(trio, DESKTOP_KITCHEN, AT_DESKTOP_KITCHEN, play_clerk)


def test_what_the_cashier_does_at_desibits_comes_here(trio: Trio) -> None:
    check_told(trio, DESIBITS, AT_DESIBITS, play_clerk)


def test_what_the_cooks_do_at_desibits_comes_here(trio: Trio) -> None:
    check_told(trio, DESIBITS, TICKETS_AT_DESIBITS, move_ticket)


def test_the_other_spelling_of_cancelled_comes_here(trio: Trio) -> None:
    trio.pos[DESIBITS].set_options(cancelled_word="canceled")
    try:
        check_told(trio, DESIBITS, [("cancelled", "cancelled", "void", "canceled / canceled")], play_clerk)
    finally:
        trio.pos[DESIBITS].set_options()


def test_a_desibits_server_whose_list_says_little_is_followed_order_by_order(trio: Trio) -> None:
    trio.pos[DESIBITS].set_options(brief_lists=True)
    try:
        check_told(trio, DESIBITS, TICKETS_AT_DESIBITS, move_ticket)
        check_told(trio, DESIBITS, AT_DESIBITS, play_clerk)
    finally:
        trio.pos[DESIBITS].set_options()


def test_without_tickets_in_its_orders_desibits_own_word_is_all_there_is(trio: Trio) -> None:
    trio.pos[DESIBITS].set_options(kots_in_order=False)
    told = [
        ("billed", "accepted", "open", "billed"),
        ("paid", "completed", "closed", "paid"),
        ("cancelled", "cancelled", "void", "cancelled"),
    ]
    try:
        check_told(trio, DESIBITS, told, play_clerk)
        check_told(trio, DESIBITS, told[1:], play_clerk)
    finally:
        trio.pos[DESIBITS].set_options()


@pytest.mark.long
def test_the_statuses_come_here_on_postgresql(new_stage: NewStage) -> None:
    trio = Trio(new_stage(POSTGRES), [DESKTOP_KITCHEN])
    check_told(trio, DESKTOP_KITCHEN, AT_DESKTOP_KITCHEN, play_clerk)


def check_told(
    trio: Trio,
    connector: str,
    told: Sequence[tuple[str, str, str, str]],
    play: Callable[[Pos, int, str, dict[str, Any]], None],
) -> None:
    """Places one order per word, has the word played, and looks what becomes of each order."""
    placed = [trio.place(connector, DISHES[connector]) for _ in told]
    for order_id, (word, *_) in zip(placed, told, strict=True):
        arrived = trio.pos[connector].order(order_id)
        play(trio.pos[connector], arrived["number"], word, arrived["record"])
    for order_id, (word, status, tab, raw) in zip(placed, told, strict=True):
        order = trio.wait_for(order_id, status=status, tabStatus=tab)
        wait_for(lambda own=order_id, raw=raw: trio.stored(own).get("raw_status") == raw, f"{word} is kept as {raw}")
        assert (order["closedAt"] is None) == (tab == "open")


def play_clerk(pos: Pos, number: int, word: str, record: dict[str, Any]) -> None:
    """The order gets this status."""
    pos.play_clerk(number, word)


def move_ticket(pos: Pos, number: int, word: str, record: dict[str, Any]) -> None:
    """Its only kitchen ticket does."""
    [ticket] = record["kots"]
    pos.play("POST", f"kots/{ticket['id']}/status", {"status": word})


def test_an_order_that_the_pos_moves_back_is_shown_as_it_is_and_moved_on_again(trio: Trio) -> None:
    order_id = trio.place(DESKTOP_KITCHEN, "Flan de Cajeta")
    pos = trio.pos[DESKTOP_KITCHEN]
    number = pos.order(order_id)["number"]
    pos.play_clerk(number, "ready")
    trio.wait_for(order_id, status="ready")
    pos.play("POST", f"orders/{number}/payment", {"payment_method": "cash"})  # its payment screen moves it back
    order = trio.wait_for(order_id, status="preparing", paymentStatus="paid")
    assert order["tabStatus"] == "open"
    pos.play_clerk(number, "pending")
    trio.wait_for(order_id, status="received")
    told = trio.ask(order_id, "status", {"status": "ready"})
    assert (told["hub"], told["order"]["status"]) == ("applied", "ready")
    assert pos.order(order_id)["status"] == "ready"


def test_an_order_that_is_paid_is_open_until_the_kitchen_is_done_with_it(trio: Trio) -> None:
    order_id = trio.place(DESIBITS, "Samosa Chaat")
    pos = trio.pos[DESIBITS]
    arrived = pos.order(order_id)
    pos.play_clerk(arrived["number"], "pay")
    order = trio.wait_for(order_id, paymentStatus="paid", status="preparing", tabStatus="open")
    assert (order["due"]["cents"], order["checks"][0]["payments"][0]["amount"]["cents"]) == (0, 650)
    for word, status, tab in (
        ("in_kitchen", "preparing", "open"),
        ("food_ready", "ready", "open"),
        ("served", "completed", "closed"),
    ):
        move_ticket(pos, arrived["number"], word, arrived["record"])
        trio.wait_for(order_id, status=status, tabStatus=tab, paymentStatus="paid")


def test_a_draft_that_was_opened_again_is_received(trio: Trio) -> None:
    order_id = trio.place(DESIBITS, "Samosa Chaat")
    arrived = trio.pos[DESIBITS].order(order_id)
    trio.wait_for(order_id, status="preparing")
    move_ticket(trio.pos[DESIBITS], arrived["number"], "cancelled", arrived["record"])
    trio.pos[DESIBITS].play_clerk(arrived["number"], "reopen")
    trio.wait_for(order_id, status="received", tabStatus="open")


@pytest.mark.parametrize(
    ("stage", "at_pos"),
    [
        ("accepted", "confirmed"),
        ("preparing", "preparing"),
        ("ready", "ready"),
        ("served", "pending"),  # Desktop Kitchen has no such status, nor the next one
        ("out_for_delivery", "pending"),
        ("completed", "completed"),
    ],
)
def test_the_hub_moves_an_order_at_desktop_kitchen(trio: Trio, stage: str, at_pos: str) -> None:
    away = {"orderType": "delivery", "deliveryAddress": "Av. Álvaro Obregón 1"} if stage == "out_for_delivery" else {}
    order_id = trio.place(DESKTOP_KITCHEN, "Flan de Cajeta", **away)
    told = trio.ask(order_id, "status", {"status": stage})
    assert (told["hub"], told["pos"], told["order"]["status"]) == ("applied", "applied", stage)
    assert trio.pos[DESKTOP_KITCHEN].order(order_id)["status"] == at_pos
    lost = [other["loss"] for other in trio.fidelity(order_id)["others"]]
    words = {"served": "served", "out_for_delivery": "out_for_delivery"}
    assert lost == (
        [f"Desktop Kitchen has no status for {words[stage]}; the hub alone knows"] if stage in words else []
    )
    wait_for_polls(trio, DESKTOP_KITCHEN)
    assert trio.server.order(order_id)["status"] == stage


@pytest.mark.parametrize(
    ("stage", "order_at_pos", "ticket"),
    [
        ("accepted", "kot", "sent_to_kitchen"),
        ("preparing", "kot", "in_kitchen"),
        ("ready", "kot", "food_ready"),
        ("served", "kot", "served"),
        ("completed", "billed", "served"),
    ],
)
def test_the_hub_moves_an_order_at_desibits(trio: Trio, stage: str, order_at_pos: str, ticket: str) -> None:
    order_id = trio.place(DESIBITS, "Samosa Chaat")
    told = trio.ask(order_id, "status", {"status": stage})
    assert (told["hub"], told["pos"]) == ("applied", "applied")
    arrived = trio.pos[DESIBITS].order(order_id)
    assert (arrived["status"], [kot["status"] for kot in arrived["record"]["kots"]]) == (order_at_pos, [ticket])


def test_desibits_is_told_of_deliveries_where_the_link_says_so(trio: Trio) -> None:
    order_id = trio.place(DESIBITS, "Samosa Chaat", orderType="delivery", deliveryAddress="14 MG Road")
    assert trio.ask(order_id, "driver", {"driverId": "1", "name": "Ravi Kumar"})["pos"] == "applied"
    assert trio.pos[DESIBITS].order(order_id)["record"]["delivery_driver_id"] == 1
    for stage, word in (("out_for_delivery", "out_for_delivery"), ("completed", "delivered")):
        told = trio.ask(order_id, "status", {"status": stage})
        assert (told["hub"], told["pos"], told["order"]["status"]) == ("applied", "applied", stage)
        assert trio.pos[DESIBITS].order(order_id)["record"]["delivery_status"] == word


def test_clopos_orders_are_not_moved_by_the_hub_and_it_says_so(trio: Trio) -> None:
    order_id = trio.place(CLOPOS, "Lülə kabab")
    for stage in ("accepted", "preparing", "ready", "served", "completed"):
        told = trio.ask(order_id, "status", {"status": stage})
        assert (told["hub"], told["pos"], told["order"]["status"]) == ("applied", "not_supported", stage)
    assert trio.pos[CLOPOS].order(order_id)["status"] == "PENDING"
    closed = trio.server.order(order_id)
    assert (closed["status"], closed["tabStatus"]) == ("completed", "closed")


@pytest.mark.parametrize("connector", [CLOPOS, DESKTOP_KITCHEN])
def test_what_the_hub_alone_knows_is_not_undone_by_what_the_pos_said_all_along(trio: Trio, connector: str) -> None:
    order_id = trio.place(connector, DISHES[connector])
    trio.ask(order_id, "status", {"status": "served"})
    wait_for_polls(trio, connector)
    assert trio.server.order(order_id)["status"] == "served"
    pos = trio.pos[connector]
    pos.play_clerk(pos.order(order_id)["number"], "accept")
    trio.wait_for(order_id, status="accepted")  # that is news


def wait_for_polls(trio: Trio, connector: str) -> None:
    """Returns when the open orders were read twice more."""
    pos = trio.pos[connector]

    def polls() -> int:
        return pos.calls("list_orders") + pos.calls("get_order")

    before = polls()
    wait_for(lambda: polls() >= before + 3, "the POS is polled")


@pytest.mark.parametrize(
    ("connector", "word"), [(CLOPOS, "IGNORE"), (DESIBITS, "cancelled"), (DESKTOP_KITCHEN, "cancelled")]
)
def test_the_hub_cancels_an_order_at_every_pos(trio: Trio, connector: str, word: str) -> None:
    order_id = trio.place(connector, DISHES[connector])
    trio.ask(order_id, "cancel", {"reason": "guest left"})
    order = trio.wait_for(order_id, status="cancelled", tabStatus="void")
    assert (order["injection"][0]["state"], trio.pos[connector].order(order_id)["status"]) == ("confirmed", word)


@pytest.mark.parametrize("word", ["completed", "on_the_moon"])
def test_what_desktop_kitchen_does_not_allow_is_told(trio: Trio, word: str) -> None:
    order_id = trio.place(DESKTOP_KITCHEN, "Flan de Cajeta")
    pos = trio.pos[DESKTOP_KITCHEN]
    pos.play_clerk(pos.order(order_id)["number"], word)
    told = trio.server.client.post(f"/api/v1/orders/{order_id}/cancel", json={"reason": "late"}, headers=trio.headers)
    assert told.status_code == 200 or told.json()["code"] == "ORDER_CLOSED", told.text
    trio.wait_for(order_id, status="completed" if word == "completed" else "unknown")
    assert pos.order(order_id)["status"] == word

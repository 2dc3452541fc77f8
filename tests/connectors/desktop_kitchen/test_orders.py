"""Orders: what is sent, what the answer shows to be missing, look-ups, stages, rounds."""

from typing import Any

import httpx
import jsonschema
import pytest
from msgspec import structs

from hub.contract.tables import load_schema
from hub.contract.writes import LookUp, Operation, Replay, Verdict
from hub.errors import OutcomeUnknown, UnmappedValue, VendorMalformed, VendorRejected
from hub.model.change import LinesChange, StageChange
from hub.model.check import Charge, Check, Discount, Modifier, Totals
from hub.model.order import Customer, Delivery, LossKind, MoneyAudit, Timing, VendorRef
from hub.model.status import OrderType, PaymentStatus, Stage, Status
from tests.connectors.desktop_kitchen.linked import (
    CONFIG,
    KEY,
    MARK,
    NOW_MS,
    LinkedKitchen,
    flan,
    in_kitchen,
    listed,
    order,
    read_back,
    refused,
    sent,
    torta,
    write,
)

pytestmark = pytest.mark.anyio
REF = VendorRef(kind="order", id="108")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_an_order_goes_out_with_its_mark_in_the_first_note_and_its_id_as_key() -> None:
    linked = LinkedKitchen()
    orders = linked.takes_orders()
    result = await linked.connector.submit_order(write(order([torta(note="sin cebolla"), flan(note="tibio")])))
    assert sent(orders) == {
        "employee_id": 7,
        "items": [
            {
                "menu_item_id": 4,
                "quantity": 2,
                "modifiers": [1],
                "notes": "[#H7F3K9Q2 PICKUP Ana 555-1234] sin cebolla",
            },
            {"menu_item_id": 19, "quantity": 1, "notes": "tibio"},
        ],
        "offline_temp_id": "hub:order_019a",
    }
    jsonschema.validate(sent(orders), load_schema("desktop_kitchen/order_create"))
    assert result.ref == REF
    assert result.order is not None
    assert (result.order.total_cents, result.order.number) == (34000, "20261118001")
    assert result.order.checks[0].totals == Totals(subtotal_cents=34000, tax_cents=4690, total_cents=34000)


async def test_what_has_no_field_stands_in_the_note_and_is_reported() -> None:
    linked = LinkedKitchen()
    orders = linked.takes_orders()
    full = order(
        [torta()],
        order_type=OrderType.DELIVERY,
        customer=Customer(name="Ana [VIP]", phone="555-1234", email="ana@example.com"),
        delivery=Delivery(address="Calle 5 #12,\nRoma", instructions="timbre roto"),
        timing=Timing(timezone="America/Mexico_City", business_date="2026-11-18", promised_at_ms=NOW_MS + 30 * 60_000),
        tables=("7A",),
        party_size=4,
        note="todo junto",
    )
    result = await linked.connector.submit_order(write(full))
    assert sent(orders)["items"][0]["notes"] == (
        "[#H7F3K9Q2 DELIVERY TABLE 7A 4 GUESTS Ana (VIP) 555-1234 05:36 Calle 5 #12, Roma timbre roto] todo junto"
    )
    kinds = {loss.path: loss.kind for loss in result.losses}
    assert kinds == {
        "order_type": LossKind.FLATTENED,
        "tables": LossKind.FLATTENED,
        "party_size": LossKind.FLATTENED,
        "customer.name": LossKind.FLATTENED,
        "customer.phone": LossKind.FLATTENED,
        "timing.promised_at_ms": LossKind.FLATTENED,
        "delivery.address": LossKind.FLATTENED,
        "delivery.instructions": LossKind.FLATTENED,
        "note": LossKind.FLATTENED,
        "customer.email": LossKind.LOST,
    }


async def test_an_order_for_tomorrow_names_the_day() -> None:
    linked = LinkedKitchen()
    orders = linked.takes_orders()
    timing = Timing(timezone="America/Mexico_City", business_date="x", promised_at_ms=NOW_MS + 86_400_000)
    await linked.connector.submit_order(write(order(timing=timing, customer=None)))
    assert sent(orders)["items"][0]["notes"] == "[#H7F3K9Q2 PICKUP 2026-11-19 05:06]"


async def test_amounts_without_a_field_are_lost_by_name_and_the_pos_total_is_kept_beside_ours() -> None:
    linked = LinkedKitchen()
    linked.takes_orders()
    check = Check(
        id="chk_1",
        lines=(torta(),),
        discounts=(Discount(type="percent", value="10", cents=2900),),
        charges=(Charge(type="delivery", cents=3500),),
        totals=Totals(subtotal_cents=29000, discount_cents=2900, charge_cents=3500, tip_cents=2000, total_cents=31600),
    )
    result = await linked.connector.submit_order(write(order(checks=(check,), customer=None)))
    told = [(loss.path, loss.kind) for loss in result.losses if loss.path != "order_type"]
    assert told == [
        ("checks.discounts", LossKind.LOST),
        ("checks.charges", LossKind.LOST),
        ("totals.tip_cents", LossKind.LOST),
    ]
    assert "MX$29.00" in result.losses[1].loss
    assert result.order is not None
    assert MoneyAudit(computed_cents=31600, pos_cents=result.order.total_cents).difference_cents == -2600


async def test_modifiers_that_vanish_under_a_201_are_reported_with_the_total() -> None:
    linked = LinkedKitchen()
    linked.takes_orders()
    gone = Modifier(modifier_id="mod_77", group_id="g", name="Trufa", unit_cents=9000, vendor={"id": 77})
    line = torta(modifiers=(*torta().modifiers, gone), gross_cents=47000)
    result = await linked.connector.submit_order(write(order([line], customer=None)))
    told = {loss.path: loss for loss in result.losses}
    assert told["checks[0].lines[0].modifiers"].kind is LossKind.LOST
    assert "'Trufa' of 'Torta Cubana'" in told["checks[0].lines[0].modifiers"].loss
    assert "MX$290.00 instead of MX$470.00" in told["totals.total_cents"].loss
    assert result.order is not None and result.order.total_cents == 29000


async def test_another_quantity_or_item_in_the_answer_is_reported() -> None:
    linked = LinkedKitchen()
    answer = read_back()
    answer["items"][0] |= {"quantity": "1", "menu_item_id": 5}
    linked.answers("POST", "/orders", answer, status=201)
    result = await linked.connector.submit_order(write(order([torta(), flan()], customer=None)))
    assert {loss.path for loss in result.losses} >= {
        "checks.lines",
        "checks[0].lines[0]",
        "checks[0].lines[0].quantity",
    }


async def test_a_repeated_order_is_answered_in_texts_without_modifiers_and_reports_nothing_missing() -> None:
    linked = LinkedKitchen()
    answer = read_back("108", total="290.00")
    del answer["items"][0]["modifiers"]
    linked.answers("POST", "/orders", answer)
    result = await linked.connector.submit_order(write(order(customer=None)))
    assert result.ref == REF
    assert [loss.path for loss in result.losses] == ["order_type"]


async def test_modifiers_of_modifiers_move_up_and_several_checks_become_one() -> None:
    linked = LinkedKitchen()
    orders = linked.takes_orders()
    inner = Modifier(modifier_id="m2", group_id="g", name="Aguacate", unit_cents=2000, vendor={"id": 2})
    outer = structs.replace(torta().modifiers[0], modifiers=(inner,))
    one = Check(id="a", lines=(torta(modifiers=(outer,)),), totals=Totals())
    other = Check(id="b", lines=(flan(),), totals=Totals())
    void = Check(id="c", lines=(flan(),), status=Status.VOID, totals=Totals())
    result = await linked.connector.submit_order(write(order(checks=(one, other, void))))
    assert [item.get("modifiers") for item in sent(orders)["items"]] == [[1, 2], None]
    assert {"checks", "checks[0].lines[0].modifiers[0].modifiers"} <= {loss.path for loss in result.losses}


async def test_an_item_or_modifier_from_another_menu_is_held() -> None:
    linked = LinkedKitchen()
    orders = linked.takes_orders()
    strange = Modifier(modifier_id="m", group_id="g", name="Trufa")
    for line in (torta(vendor={}), torta(modifiers=(strange,))):
        with pytest.raises(UnmappedValue, match="not in the menu synced"):
            await linked.connector.submit_order(write(order([line])))
    assert orders.call_count == 0


async def test_an_order_is_one_at_a_time_under_a_key_that_never_expires() -> None:
    for operation, look_up in ((Operation.SUBMIT_ORDER, "find_order"), (Operation.ADD_LINES, "find_round")):
        rule = LinkedKitchen().connector.write_rule(operation)
        assert (rule.replay, rule.look_up, rule.key_retention) == (Replay.KEYED, look_up, None)
        assert rule.one_at_a_time


async def test_an_order_is_confirmed_on_arrival_only_if_the_link_says_so() -> None:
    for config, statuses in ((CONFIG, []), ({**CONFIG, "confirm_on_arrival": True}, ["confirmed"])):
        linked = LinkedKitchen(config)
        linked.takes_orders()
        linked.answers("GET", "/orders/108", read_back())
        put = linked.answers("PUT", "/orders/108/status", {"id": "108", "status": "confirmed"})
        await linked.connector.submit_order(write())
        assert [sent(put)["status"] for _ in put.calls] == statuses


async def test_an_order_that_arrived_stays_arrived_when_it_could_not_be_confirmed() -> None:
    linked = LinkedKitchen({**CONFIG, "confirm_on_arrival": True})
    linked.takes_orders()
    linked.answers("GET", "/orders/108", read_back())
    linked.answers("PUT", "/orders/108/status", httpx.Response(500))
    result = await linked.connector.submit_order(write(order(customer=None)))
    assert result.ref == REF
    assert [loss.path for loss in result.losses] == ["order_type", "stage"]


async def look_up(kitchen: list[Any], rows: list[Any], *shown: Any, since_ms: int = NOW_MS) -> LookUp:
    linked = LinkedKitchen()
    linked.answers("GET", "/orders/kitchen/active", kitchen)
    linked.answers("GET", "/orders", rows)
    for row in shown:
        linked.answers("GET", f"/orders/{row['id']}", row)
    return await linked.connector.find_order(write(), since_ms=since_ms)


NOTE = f"[{MARK} PICKUP Ana] x"


async def test_an_order_in_the_kitchen_is_found_with_one_call() -> None:
    found = await look_up([in_kitchen(5, notes="x"), in_kitchen("6", notes=NOTE)], [])
    assert (found.verdict, found.ref) == (Verdict.FOUND, VendorRef(kind="order", id="6"))


async def test_an_order_that_has_left_the_kitchen_is_found_among_those_of_its_time() -> None:
    rows = [listed(9), listed(8, source="rappi"), listed(7, created_at="2026-11-18T10:00:00Z")]
    found = await look_up([in_kitchen(5)], [*rows, listed(5)], read_back(9, notes=NOTE, status="ready"))
    assert (found.verdict, found.ref) == (Verdict.FOUND, VendorRef(kind="order", id="9"))
    assert found.order is not None and found.order.stage is Stage.READY


async def test_a_later_round_with_our_mark_is_not_the_order_itself() -> None:
    found = await look_up([in_kitchen(5, notes=f"[{MARK}/3FA9C1 PICKUP] x")], [listed(5)])
    assert found.verdict is Verdict.ABSENT


async def test_a_list_cut_at_a_hundred_is_continued_by_status_and_may_stay_ambiguous() -> None:
    full = [listed(1000 + n, created_at="2026-11-18T11:06:41Z") for n in range(100)]
    linked = LinkedKitchen()
    linked.answers("GET", "/orders/kitchen/active", [in_kitchen(row["id"]) for row in full])
    lists = linked.answers("GET", "/orders", full, [], [], [])
    assert (await linked.connector.find_order(write(), since_ms=NOW_MS)).verdict is Verdict.ABSENT
    assert [call.request.url.params.get("status") for call in lists.calls] == [None, "ready", "completed", "cancelled"]
    linked.answers("GET", "/orders", full)
    assert (await linked.connector.find_order(write(), since_ms=NOW_MS)).verdict is Verdict.AMBIGUOUS


async def test_too_many_orders_to_read_one_by_one_are_ambiguous() -> None:
    found = await look_up([], [listed(1000 + n) for n in range(26)])
    assert (found.verdict, found.candidates) == (Verdict.AMBIGUOUS, ())


async def test_orders_are_listed_as_summaries_and_the_kitchen_fills_up_a_list_cut_short() -> None:
    linked = LinkedKitchen()
    full = [listed(1000 - n, status="completed", created_at="2026-11-18T11:06:41Z") for n in range(100)]
    linked.answers("GET", "/orders", full)
    linked.answers("GET", "/orders/kitchen/active", [in_kitchen(5, notes=NOTE), in_kitchen(1000)])
    rows = {row.ref.id: row for row in await linked.connector.list_orders(since_ms=NOW_MS)}
    assert len(rows) == 101
    assert all(row.summary_only for row in rows.values())
    assert (rows["5"].mark, rows["5"].order_type, rows["1000"].total_cents) == (MARK, OrderType.PICKUP, 29000)


async def test_a_short_list_of_orders_costs_one_call() -> None:
    linked = LinkedKitchen()
    kitchen = linked.answers("GET", "/orders/kitchen/active", [])
    linked.answers("GET", "/orders", [listed(5), listed(4, created_at="2026-11-18T11:00:00Z")])
    assert [row.ref.id for row in await linked.connector.list_orders(since_ms=NOW_MS)] == ["5"]
    assert kitchen.call_count == 0


async def test_an_order_made_a_moment_ago_is_asked_for_twice_and_no_more() -> None:
    linked = LinkedKitchen()
    shown = linked.answers("GET", "/orders/108", refused(404, "Order not found"), read_back())
    assert (await linked.connector.fetch_order(REF)).ref == REF
    assert shown.call_count == 2
    gone = linked.answers("GET", "/orders/109", refused(404, "Order not found"))
    with pytest.raises(VendorRejected):
        await linked.connector.fetch_order(VendorRef(kind="order", id="109"))
    assert gone.call_count == 2


async def test_an_answer_with_another_order_is_malformed_and_a_strange_id_is_never_asked_for() -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/orders/108", read_back(107))
    with pytest.raises(VendorMalformed):
        await linked.connector.fetch_order(REF)
    with pytest.raises(VendorRejected, match="not an id"):
        await linked.connector.fetch_order(VendorRef(kind="order", id="1/../2"))


@pytest.mark.parametrize("total", [290, 290.0, "290", "290.00"])
@pytest.mark.parametrize("order_id", [108, "108"])
async def test_ids_and_amounts_may_be_numbers_or_texts(order_id: Any, total: Any) -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/orders/108", read_back(order_id, total=total, payment_status="paid"))
    told = await linked.connector.fetch_order(REF)
    assert (told.ref, told.total_cents, told.payment_status) == (REF, 29000, PaymentStatus.PAID)
    assert told.checks[0].lines[0].unit_cents == 13000
    assert told.created_at_ms == NOW_MS + 835


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"source": "rappi"}, OrderType.DELIVERY),
        ({"source": "qr_order", "table_number": "4"}, OrderType.DINE_IN),
        ({"source": "qr_order", "table_number": None}, OrderType.PICKUP),
        ({"source": "pos"}, None),
    ],
)
async def test_an_order_that_is_not_ours_tells_its_type_by_its_source(changes: Any, expected: Any) -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/orders/108", read_back(**changes))
    assert (await linked.connector.fetch_order(REF)).order_type is expected


def moving(stage: Stage) -> Any:
    return write(ref=REF, change=StageChange(stage=stage))


@pytest.mark.parametrize(
    ("current", "stage", "steps"),
    [
        ("pending", Stage.ACCEPTED, ["confirmed"]),
        ("pending", Stage.PREPARING, ["preparing"]),
        ("pending", Stage.READY, ["preparing", "ready"]),
        ("pending", Stage.COMPLETED, ["preparing", "ready", "completed"]),
        ("confirmed", Stage.COMPLETED, ["preparing", "ready", "completed"]),
        ("ready", Stage.COMPLETED, ["completed"]),
        ("ready", Stage.REJECTED, ["cancelled"]),
        ("READY", Stage.READY, []),
        ("completed", Stage.PREPARING, []),
        ("ready", Stage.ACCEPTED, []),
        ("on_hold", Stage.READY, ["ready"]),
    ],
)
async def test_missing_steps_are_walked_and_no_step_goes_back(current: str, stage: Stage, steps: list[str]) -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/orders/108", read_back(status=current))
    put = linked.answers("PUT", "/orders/108/status", {"id": "108", "status": "x"})
    await linked.connector.set_stage(moving(stage))
    bodies = [httpx.Response(200, content=call.request.content).json() for call in put.calls]
    assert [body["status"] for body in bodies] == steps
    for body in bodies:
        jsonschema.validate(body, load_schema("desktop_kitchen/order_status"))


@pytest.mark.parametrize("stage", [Stage.OUT_FOR_DELIVERY, Stage.SERVED])
async def test_a_stage_without_a_status_is_not_sent_and_reported(stage: Stage) -> None:
    result = await LinkedKitchen().connector.set_stage(moving(stage))
    assert [(loss.path, loss.kind) for loss in result.losses] == [("stage", LossKind.LOST)]


async def test_a_stage_nobody_can_send_is_held() -> None:
    with pytest.raises(UnmappedValue):
        await LinkedKitchen().connector.set_stage(moving(Stage.EXPIRED))


async def test_an_order_moved_by_somebody_else_at_the_same_moment_is_read_again() -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/orders/108", read_back(), read_back(status="ready"))
    linked.answers("PUT", "/orders/108/status", refused(400, "Cannot transition from 'ready' to 'preparing'"))
    await linked.connector.set_stage(moving(Stage.READY))


async def test_a_refused_step_that_no_reading_explains_is_refused_in_the_end() -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/orders/108", read_back())
    put = linked.answers("PUT", "/orders/108/status", refused(400, "Cannot transition from 'x' to 'ready'"))
    with pytest.raises(VendorRejected, match="Cannot transition"):
        await linked.connector.set_stage(moving(Stage.READY))
    assert put.call_count == 3


async def test_an_order_is_cancelled_until_it_is_completed_and_twice_is_once() -> None:
    for current, steps in (("ready", 1), ("cancelled", 0)):
        linked = LinkedKitchen()
        linked.answers("GET", "/orders/108", read_back(status=current))
        put = linked.answers("PUT", "/orders/108/status", {"id": "108", "status": "cancelled"})
        result = await linked.connector.cancel_order(write(ref=REF, reason="sin gas"))
        assert (put.call_count, [loss.path for loss in result.losses]) == (steps, ["reason"])
    linked.answers("GET", "/orders/108", read_back(status="completed"))
    with pytest.raises(VendorRejected, match="completed at the POS and cannot become cancelled"):
        await linked.connector.cancel_order(write(ref=REF))
    with pytest.raises(VendorRejected, match="no id yet"):
        await linked.connector.cancel_order(write())


ROUND = write(ref=REF, change=LinesChange(check_id="chk_1", lines=(flan(note="dos cucharas"),)))


async def test_a_round_is_a_further_order_with_the_same_mark_and_moves_with_the_first() -> None:
    linked = LinkedKitchen()
    orders = linked.takes_orders(id=109)
    result = await linked.connector.add_lines(ROUND)
    body = sent(orders)
    assert body["offline_temp_id"] == f"hub:order_019a:{KEY}"
    assert body["items"][0]["notes"] == "[#H7F3K9Q2/0C22CC PICKUP Ana 555-1234] dos cucharas"
    assert (result.ref, result.further_refs) == (REF, (VendorRef(kind="order", id="109"),))
    assert "the new lines are a further order" in {loss.path: loss.loss for loss in result.losses}["checks.lines"]
    puts = []
    for order_id in ("108", "109"):
        linked.answers("GET", f"/orders/{order_id}", read_back(order_id))
        puts.append(linked.answers("PUT", f"/orders/{order_id}/status", {"id": order_id, "status": "cancelled"}))
    await linked.connector.cancel_order(write(ref=VendorRef(kind="order", id="109")))
    assert [put.call_count for put in puts] == [1, 1]


async def test_a_round_whose_answer_was_lost_is_found_and_belongs_to_the_order() -> None:
    linked = LinkedKitchen()
    linked.answers("POST", "/orders", httpx.ReadTimeout("silence"))
    with pytest.raises(OutcomeUnknown):
        await linked.connector.add_lines(ROUND)
    rows = [in_kitchen(108, notes=f"[{MARK} PICKUP] x"), in_kitchen(111, notes=f"[{MARK}/0C22CC PICKUP] x")]
    linked.answers("GET", "/orders/kitchen/active", rows)
    found = await linked.connector.find_round(ROUND, since_ms=NOW_MS)
    assert (found.verdict, found.ref) == (Verdict.FOUND, VendorRef(kind="order", id="111"))
    assert await linked.connector._rounds.order_ids(ROUND) == ("108", "111")

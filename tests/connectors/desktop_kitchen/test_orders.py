"""New orders: what is sent, and what the answer shows to be missing."""

import httpx
import jsonschema
import pytest
from msgspec import structs

from hub.contract.tables import load_schema
from hub.contract.writes import Operation, Replay
from hub.errors import UnmappedValue
from hub.model.check import Charge, Check, Discount, Modifier, Totals
from hub.model.order import Customer, Delivery, LossKind, MoneyAudit, Timing, VendorRef
from hub.model.status import OrderType, Status
from tests.connectors.desktop_kitchen.linked import (
    CONFIG,
    NOW_MS,
    LinkedKitchen,
    flan,
    order,
    read_back,
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


async def test_the_very_line_that_the_pos_did_not_take_is_named() -> None:
    linked = LinkedKitchen()
    answer = read_back()  # the torta alone
    linked.answers("POST", "/orders", answer, status=201)
    result = await linked.connector.submit_order(write(order([flan(), torta(), flan(quantity=3)], customer=None)))
    told = {loss.path: loss.loss for loss in result.losses if loss.path.startswith("checks")}
    assert told == {
        "checks[0].lines[0]": "the POS did not take 1 × 'Flan'",
        "checks[0].lines[2]": "the POS did not take 3 × 'Flan'",
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


async def test_a_total_that_cannot_be_leaves_the_new_order_confirmed_and_its_total_not_told() -> None:
    linked = LinkedKitchen()
    linked.takes_orders(total="99999999999999999999")
    result = await linked.connector.submit_order(write())
    assert (result.ref, result.order) == (REF, None)

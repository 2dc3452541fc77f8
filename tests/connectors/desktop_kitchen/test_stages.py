"""Moving orders along, cancelling them, and the further orders that are later rounds."""

from typing import Any

import httpx
import jsonschema
import pytest

from hub.contract.tables import load_schema
from hub.contract.writes import Verdict
from hub.errors import OutcomeUnknown, UnmappedValue, VendorRejected
from hub.model.change import LinesChange, StageChange
from hub.model.order import LossKind, VendorRef
from hub.model.status import Stage
from tests.connectors.desktop_kitchen.linked import (
    KEY,
    MARK,
    NOW_MS,
    LinkedKitchen,
    flan,
    in_kitchen,
    read_back,
    refused,
    sent,
    write,
)

pytestmark = pytest.mark.anyio
REF = VendorRef(kind="order", id="108")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


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
    await linked.connector.cancel_order(write(ref=REF, further_refs=result.further_refs))
    assert [put.call_count for put in puts] == [1, 1]


async def test_a_round_whose_answer_was_lost_is_found_by_its_own_mark() -> None:
    linked = LinkedKitchen()
    linked.answers("POST", "/orders", httpx.ReadTimeout("silence"))
    with pytest.raises(OutcomeUnknown):
        await linked.connector.add_lines(ROUND)
    rows = [in_kitchen(108, notes=f"[{MARK} PICKUP] x"), in_kitchen(111, notes=f"[{MARK}/0C22CC PICKUP] x")]
    linked.answers("GET", "/orders/kitchen/active", rows)
    found = await linked.connector.find_round(ROUND, since_ms=NOW_MS)
    assert (found.verdict, found.ref) == (Verdict.FOUND, VendorRef(kind="order", id="111"))

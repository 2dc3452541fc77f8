"""Moves orders to the stage the POS's answer means, in the transaction that records the answer."""

from msgspec import structs
from sqlalchemy import Connection

from hub.database.order_reads import load_order
from hub.database.orders import save_change
from hub.model.lifecycle import cancelled
from hub.model.order import Order
from hub.model.status import Stage


def move_order(connection: Connection, order_id: str, stage: Stage, *, reason: str, event_id: str, now_ms: int) -> None:
    """Sets the order's stage to rejected or cancelled, with the reason in its audit row. Repeating it does nothing."""
    record = load_order(connection, order_id)
    if record is None or record.order.stage is stage:
        return
    after = cancelled(record.order, now_ms) if stage is Stage.CANCELLED else _at(record.order, stage, now_ms)
    save_change(connection, record.order, after, event_id=event_id, kind=stage.value, actor="pos", detail=reason)


def _at(order: Order, stage: Stage, now_ms: int) -> Order:
    return structs.replace(order, stage=stage, updated_at_ms=now_ms)

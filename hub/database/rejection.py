"""Marks orders as rejected in the transaction that records the POS's refusal."""

from msgspec import structs
from sqlalchemy import Connection

from hub.database.order_reads import load_order
from hub.database.orders import save_change
from hub.model.status import Stage


def reject_order(connection: Connection, order_id: str, *, reason: str, event_id: str, now_ms: int) -> None:
    """Sets the order's stage to rejected, with the POS's reason in its audit row."""
    record = load_order(connection, order_id)
    if record is None:
        return
    after = structs.replace(record.order, stage=Stage.REJECTED, updated_at_ms=now_ms)
    save_change(connection, record.order, after, event_id=event_id, kind="rejected", actor="pos", detail=reason)

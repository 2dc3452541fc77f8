"""Marks an order as rejected once its POS said no."""

from msgspec import structs
from sqlalchemy import Connection

from hub.database import orders as stored
from hub.database.engine import Database
from hub.database.order_reads import load_order
from hub.database.outbox import Completion
from hub.model.status import Stage


async def reject_order(database: Database, order_id: str, completion: Completion, event_id: str) -> None:
    """Sets the order's stage to rejected, with the POS's reason in its audit row."""

    def unit(connection: Connection) -> None:
        record = load_order(connection, order_id)
        if record is None:
            return
        before = record.order
        after = structs.replace(before, stage=Stage.REJECTED, updated_at_ms=completion.now_ms)
        stored.save_change(
            connection, before, after, event_id=event_id, kind="rejected", actor="pos", detail=completion.detail
        )

    await database.write(unit)

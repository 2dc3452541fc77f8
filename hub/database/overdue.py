"""Deliveries whose deadline passed while nobody worked on them."""

from msgspec import Struct
from sqlalchemy import Connection, or_, select

from hub.database.deliveries import OPEN_STATES
from hub.database.outbox import is_uncertain
from hub.database.tables import deliveries, lanes, links


class Overdue(Struct, frozen=True, kw_only=True):
    """A delivery whose deadline passed while nobody could work on it."""

    delivery_id: str
    lane_id: str
    order_id: str
    link_id: str
    epoch: int
    seq: int
    uncertain: bool
    detail: str
    """What the last attempt said; empty when there was none."""
    link_paused_cause: str


def load_overdue(connection: Connection, now_ms: int, limit: int = 500) -> list[Overdue]:
    """Deliveries past their deadline whose lane nobody holds, oldest deadline first."""
    query = (
        select(deliveries, lanes.c.lease_epoch, links.c.paused_cause)
        .join(lanes, lanes.c.id == deliveries.c.lane_id)
        .join(links, links.c.id == deliveries.c.link_id)
        .where(
            deliveries.c.state.in_(OPEN_STATES),
            deliveries.c.deliver_by_ms <= now_ms,
            or_(lanes.c.lease_owner.is_(None), lanes.c.due_at_ms <= now_ms),
        )
        .order_by(deliveries.c.deliver_by_ms)
        .limit(limit)
    )
    return [
        Overdue(
            delivery_id=row.id,
            lane_id=row.lane_id,
            order_id=row.order_id,
            link_id=row.link_id,
            epoch=row.lease_epoch,
            seq=row.seq,
            uncertain=is_uncertain(row),
            detail=row.detail,
            link_paused_cause=row.paused_cause,
        )
        for row in connection.execute(query)
    ]

"""The statements that claim lanes and record outcomes, one batch at a time; what they are for is in `outbox`."""

from typing import Any

from sqlalchemy import BindParameter, ColumnElement, bindparam, case, func, select, update

from hub.database.deliveries import OPEN_STATES, State
from hub.database.prepared import BulkInsert, Prepared
from hub.database.tables import deliveries, lanes, links, order_refs, orders


def _due(*order: ColumnElement[Any]) -> Prepared:
    """The due lanes of a link that may be called, locked."""
    now_ms: BindParameter[int] = bindparam("now_ms")
    link_id: BindParameter[str] = bindparam("link_id")
    allowed = select(links.c.id).where(
        links.c.id == link_id, links.c.paused_cause == "", links.c.not_before_ms <= now_ms
    )
    return Prepared(
        lambda _: (
            select(lanes.c.id)
            .where(lanes.c.link_id == link_id, lanes.c.due_at_ms <= now_ms, allowed.exists())
            .order_by(*order)
            .limit(bindparam("limit"))
            .with_for_update(skip_locked=True)
        ),
        "link_id",
        "now_ms",
        "limit",
    )


DUE = _due(lanes.c.due_at_ms, lanes.c.order_id)
DUE_OLDEST_ORDER_FIRST = _due(lanes.c.order_id)
LEASE = Prepared(
    lambda listed: (
        update(lanes)
        .where(listed(lanes.c.id, "lane_ids"))
        .values(
            lease_owner=bindparam("owner"),
            lease_epoch=lanes.c.lease_epoch + 1,
            due_at_ms=bindparam("lease_until_ms"),
        )
        .returning(lanes.c.id, lanes.c.lease_epoch)
    ),
    "lane_ids",
    "owner",
    "lease_until_ms",
)
HEADS = Prepared(
    lambda listed: (
        select(deliveries, orders.c.document)
        .join(orders, orders.c.id == deliveries.c.order_id)
        .where(listed(deliveries.c.lane_id, "lane_ids"), deliveries.c.state.in_(OPEN_STATES))
        .order_by(deliveries.c.lane_id, deliveries.c.seq.desc())
    ),
    "lane_ids",
)
NOTE_SENT = Prepared(
    lambda listed: (
        update(deliveries)
        .where(listed(deliveries.c.id, "delivery_ids"))
        .values(
            state=State.INFLIGHT,
            attempts=deliveries.c.attempts + 1,
            sent_at_ms=bindparam("now_ms"),
            first_sent_at_ms=func.coalesce(deliveries.c.first_sent_at_ms, bindparam("now_ms")),
        )
    ),
    "delivery_ids",
    "now_ms",
)
NOTE_CLAIMED = Prepared(
    lambda listed: (
        update(deliveries)
        .where(listed(deliveries.c.id, "delivery_ids"))
        .values(state=State.INFLIGHT, attempts=deliveries.c.attempts + 1, sent_at_ms=None)
    ),
    "delivery_ids",
)
LOCK_LANES = Prepared(
    lambda listed: (
        select(lanes.c.id, lanes.c.lease_epoch, lanes.c.next_seq)
        .where(listed(lanes.c.id, "lane_ids"))
        .order_by(lanes.c.id)
        .with_for_update()
    ),
    "lane_ids",
)
SET_DELIVERY = Prepared(
    lambda _: (
        update(deliveries)
        .where(deliveries.c.id == bindparam("b_id"), deliveries.c.done_at_ms.is_(None))
        .values(
            state=bindparam("b_state"),
            attempts=deliveries.c.attempts - bindparam("b_uncounted"),
            absent_since_ms=bindparam("b_absent_since_ms"),
            cause=bindparam("b_cause"),
            detail=bindparam("b_detail"),
            losses=bindparam("b_losses"),
            pos_cents=bindparam("b_pos_cents"),
            done_at_ms=bindparam("b_done_at_ms"),
        )
    ),
    "b_id",
    "b_state",
    "b_uncounted",
    "b_absent_since_ms",
    "b_cause",
    "b_detail",
    "b_losses",
    "b_pos_cents",
    "b_done_at_ms",
)
SET_LANE = Prepared(
    lambda _: (
        update(lanes)
        .where(lanes.c.id == bindparam("b_id"))
        .values(
            lease_owner=None,
            due_at_ms=bindparam("b_due_at_ms"),
            operation=case((bindparam("b_operation") == "", lanes.c.operation), else_=bindparam("b_operation")),
        )
    ),
    "b_id",
    "b_due_at_ms",
    "b_operation",
)
INSERT_REFS = BulkInsert(order_refs, "link_id", "kind", "vendor_id", "order_id", "noted_at_ms", or_leave=True)

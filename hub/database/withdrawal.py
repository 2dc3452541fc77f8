"""Taking an order back before its POS has it: what was not sent yet is never sent."""

from enum import StrEnum

from sqlalchemy import Connection, select, update

from hub.database.deliveries import BLOCKING_OPERATIONS, OPEN_STATES, State
from hub.database.tables import deliveries, lanes, order_refs


class Whereabouts(StrEnum):
    """Where an order is on its way into a POS."""

    NOT_SENT = "not_sent"
    """Nothing of it reached the POS, and now nothing will."""
    AT_POS = "at_pos"
    """The POS has it, or has it for all we know while it is being sent."""
    UNCLEAR = "unclear"
    """Given up without knowing whether the POS has it: a person must look."""


def withdraw(connection: Connection, order_id: str, link_id: str, *, surely_not_sent: tuple[str, ...]) -> Whereabouts:
    """Cancels an order's deliveries to a link unless something may have reached its POS.

    `surely_not_sent` are the causes of dead deliveries that never got there. The lane is locked, so nobody begins to
    send in between.
    """
    mine = lanes.c.order_id == order_id, lanes.c.link_id == link_id
    lane = connection.execute(select(lanes).where(*mine).with_for_update()).one_or_none()
    if lane is None:
        return Whereabouts.AT_POS if is_known_there(connection, order_id, link_id) else Whereabouts.NOT_SENT
    rows = list(connection.execute(select(deliveries).where(deliveries.c.lane_id == lane.id)))
    if any(row.state in (State.DELIVERED, State.DONE_BY_HAND) for row in rows):
        return Whereabouts.AT_POS
    dead = [row for row in rows if row.state == State.DEAD and row.operation in BLOCKING_OPERATIONS]
    if any(row.cause not in surely_not_sent for row in dead):
        return Whereabouts.UNCLEAR
    waiting = [row for row in rows if row.state in OPEN_STATES]
    if lane.lease_owner is not None or any(row.state != State.PENDING for row in waiting):
        return Whereabouts.AT_POS
    ids = [row.id for row in (*waiting, *dead)]
    connection.execute(update(deliveries).where(deliveries.c.id.in_(ids)).values(state=State.CANCELLED, cause=""))
    connection.execute(update(lanes).where(lanes.c.id == lane.id).values(due_at_ms=None))
    return Whereabouts.NOT_SENT


def is_known_there(connection: Connection, order_id: str, link_id: str) -> bool:
    """Whether the POS gave an id to the order, also when it was opened there and nothing was ever sent."""
    query = select(order_refs.c.vendor_id).where(
        order_refs.c.order_id == order_id, order_refs.c.link_id == link_id, order_refs.c.kind == "order"
    )
    return connection.execute(query.limit(1)).first() is not None


def has_lane(connection: Connection, order_id: str, link_id: str) -> bool:
    """Whether anything of an order was ever to be sent to this link."""
    query = select(lanes.c.id).where(lanes.c.order_id == order_id, lanes.c.link_id == link_id)
    return connection.execute(query).first() is not None


def has_open_delivery(connection: Connection, order_id: str, link_id: str, operation: str) -> bool:
    """Whether such a write is on its way already."""
    query = select(deliveries.c.id).where(
        deliveries.c.order_id == order_id,
        deliveries.c.link_id == link_id,
        deliveries.c.operation == operation,
        deliveries.c.state.in_(OPEN_STATES),
    )
    return connection.execute(query.limit(1)).first() is not None

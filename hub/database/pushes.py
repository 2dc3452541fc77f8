"""What channels were told of orders and took, from the outbox."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from hub.database.deliveries import State, decode_change
from hub.database.tables import deliveries, lanes, order_refs
from hub.model.change import OrderSnapshot
from hub.model.order import Order


def last_told(connection: Connection, link_id: str, order_ids: Sequence[str]) -> dict[str, Order | None]:
    """The order as the channel last took it, by order id: None when something is to be told and nothing was taken.

    An order that the channel was never to be told of is left out.
    """
    query = (
        select(deliveries.c.order_id, deliveries.c.state, deliveries.c.change)
        .where(deliveries.c.link_id == link_id, deliveries.c.order_id.in_(order_ids))
        .order_by(deliveries.c.order_id, deliveries.c.seq)
    )
    told: dict[str, Order | None] = {}
    for row in connection.execute(query) if order_ids else ():
        told.setdefault(row.order_id, None)
        change = decode_change(row.change) if row.state in (State.DELIVERED, State.DONE_BY_HAND) else None
        if isinstance(change, OrderSnapshot):
            told[row.order_id] = change.order
    return told


def stop_following(connection: Connection, link_id: str, order_id: str) -> None:
    """Lets a channel hear nothing more of an order of which it was told nothing yet."""
    untold = (lanes.c.link_id == link_id, lanes.c.order_id == order_id, lanes.c.next_seq == 1)
    connection.execute(delete(lanes).where(*untold))
    mine = (order_refs.c.link_id == link_id, order_refs.c.order_id == order_id)
    connection.execute(delete(order_refs).where(*mine))

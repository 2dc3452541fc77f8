"""What channels were told of orders and took, from the outbox."""

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection, delete, select

from hub.database.deliveries import State, decode_change
from hub.database.tables import deliveries, lanes, order_refs
from hub.model.change import OrderSnapshot
from hub.model.order import Order


class Told(Struct, frozen=True, kw_only=True):
    """The order as a channel last took it, None when it took nothing; and whether there is more that it did not take.

    What changed since and is not waiting to be told came from the channel itself.
    """

    order: Order | None = None
    is_behind: bool = False


def last_told(connection: Connection, link_id: str, order_ids: Sequence[str]) -> dict[str, Told]:
    """What a channel was told, by order id.

    An order that the channel was never to be told of is left out.
    """
    query = (
        select(deliveries.c.order_id, deliveries.c.state, deliveries.c.change)
        .where(deliveries.c.link_id == link_id, deliveries.c.order_id.in_(order_ids))
        .order_by(deliveries.c.order_id, deliveries.c.seq)
    )
    told: dict[str, Told] = {}
    for row in connection.execute(query) if order_ids else ():
        before = told.get(row.order_id, Told())
        change = decode_change(row.change) if row.state in (State.DELIVERED, State.DONE_BY_HAND) else None
        if isinstance(change, OrderSnapshot):
            told[row.order_id] = Told(order=change.order)
        else:
            told[row.order_id] = Told(order=before.order, is_behind=True)
    return told


def known_to(connection: Connection, link_id: str, order_ids: Sequence[str]) -> set[str]:
    """Which of these orders the channel has an id of its own for."""
    if not order_ids:
        return set()
    mine = order_refs.c.link_id.concat("") == link_id  # not by the link's index, which holds its closed orders too
    query = select(order_refs.c.order_id).where(
        mine, order_refs.c.kind == "order", order_refs.c.order_id.in_(order_ids)
    )
    return set(connection.execute(query).scalars())


def stop_following(connection: Connection, link_id: str, order_id: str) -> None:
    """Lets a channel hear nothing more of an order of which it was told nothing yet."""
    untold = (lanes.c.link_id == link_id, lanes.c.order_id == order_id, lanes.c.next_seq == 1)
    connection.execute(delete(lanes).where(*untold))
    mine = (order_refs.c.link_id == link_id, order_refs.c.order_id == order_id)
    connection.execute(delete(order_refs).where(*mine))

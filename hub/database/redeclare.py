"""What stands in the way of changing a declared venue or link, and what must be forgotten when one changes."""

from sqlalchemy import Connection, delete, or_, select

from hub.database.deliveries import OPEN_STATES
from hub.database.tables import breakers, deliveries, link_codes, link_refs, link_tokens, order_refs, orders


def has_orders_numbered(connection: Connection, order_prefix: str, *, besides_venue_id: str) -> bool:
    """Whether another venue has orders whose numbers begin with this prefix: numbers are never given twice."""
    query = select(orders.c.id).where(orders.c.number.like(f"{order_prefix}-%"), orders.c.venue_id != besides_venue_id)
    return connection.execute(query.limit(1)).first() is not None


def load_numbers_in_flight(connection: Connection, venue_id: str, link_id: str, limit: int = 5) -> list[str]:
    """Numbers of the venue's orders that are open, or that still have something to tell this link's vendor."""
    waiting = select(deliveries.c.id).where(
        deliveries.c.order_id == orders.c.id, deliveries.c.link_id == link_id, deliveries.c.state.in_(OPEN_STATES)
    )
    query = select(orders.c.number).where(orders.c.venue_id == venue_id, or_(orders.c.is_open, waiting.exists()))
    return list(connection.execute(query.order_by(orders.c.id).limit(limit)).scalars())


def forget_account(connection: Connection, link_id: str) -> None:
    """Forgets what belongs to the account a link used until now: its token, and the customers it learnt there."""
    for table in (link_tokens, link_refs):
        connection.execute(delete(table).where(table.c.link_id == link_id))


def forget_vendor(connection: Connection, link_id: str) -> None:
    """Forgets all of a link's former vendor, whose ids may mean something else at the next one."""
    forget_account(connection, link_id)
    for table in (link_codes, breakers, order_refs):
        connection.execute(delete(table).where(table.c.link_id == link_id))

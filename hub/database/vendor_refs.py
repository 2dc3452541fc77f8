"""The ids vendors gave our orders, and what each vendor last said of them."""

from sqlalchemy import Connection, update

from hub.database.tables import order_refs
from hub.database.upsert import upsert
from hub.model.order import VendorRef


def save_ref(connection: Connection, link_id: str, ref: VendorRef, order_id: str, *, now_ms: int) -> None:
    """Remembers a vendor's id for an order; one that is known already stays as it is."""
    row = {"link_id": link_id, "kind": ref.kind, "vendor_id": ref.id, "order_id": order_id, "noted_at_ms": now_ms}
    upsert(connection, order_refs, [row])


def note_told(connection: Connection, link_id: str, ref: VendorRef, told: str) -> None:
    """Remembers what a vendor last said of one of our orders."""
    mine = (order_refs.c.link_id == link_id, order_refs.c.kind == ref.kind, order_refs.c.vendor_id == ref.id)
    connection.execute(update(order_refs).where(*mine).values(last_told=told))

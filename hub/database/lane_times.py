"""When lanes may be worked: given back, held back behind a breaker, made due together, put off."""

from sqlalchemy import Connection, update

from hub.database.tables import lanes


def release_leases(connection: Connection, now_ms: int, owner: str | None = None) -> None:
    """Makes leased lanes due now: those of `owner`, or all (a single process that starts holds none)."""
    condition = lanes.c.lease_owner.is_not(None) if owner is None else lanes.c.lease_owner == owner
    connection.execute(
        update(lanes)
        .where(condition, lanes.c.due_at_ms.is_not(None))
        .values(due_at_ms=now_ms, lease_owner=None, lease_epoch=lanes.c.lease_epoch + 1)
    )


def hold_back(connection: Connection, link_id: str, operation: str, until_ms: int) -> None:
    """Holds back what became due since a breaker opened; touches only that, however long the queue is."""
    connection.execute(
        update(lanes)
        .where(
            lanes.c.link_id == link_id,
            lanes.c.due_at_ms < until_ms,
            lanes.c.operation == operation,
            lanes.c.lease_owner.is_(None),
        )
        .values(due_at_ms=until_ms)
    )


def align(connection: Connection, link_id: str, operation: str, due_at_ms: int) -> None:
    """Makes every waiting lane of a link whose head is this operation due at one time.

    An open breaker holds them back so; when the vendor answers again they are all due at once and go by age.
    """
    connection.execute(
        update(lanes)
        .where(
            lanes.c.link_id == link_id,
            lanes.c.operation == operation,
            lanes.c.lease_owner.is_(None),
            lanes.c.due_at_ms.is_not(None),
            lanes.c.due_at_ms != due_at_ms,
        )
        .values(due_at_ms=due_at_ms)
    )


def postpone(connection: Connection, lane_id: str, due_at_ms: int) -> None:
    """Makes a waiting lane due later than it was."""
    waits = lanes.c.lease_owner.is_(None) & (lanes.c.due_at_ms < due_at_ms)
    connection.execute(update(lanes).where(lanes.c.id == lane_id, waits).values(due_at_ms=due_at_ms))

"""The outbox of webhooks: due events are claimed under a lease, subject by subject, and outcomes recorded."""

from msgspec import Struct
from sqlalchemy import Connection, and_, or_, select, update

from hub.database.tables import breakers
from hub.database.webhook_tables import webhook_deliveries, webhook_endpoints, webhook_events
from hub.model.webhook import DeliveryState, Event, EventType

_OUTAGE_MS = 60_000  # an endpoint that failed for so long was down
_STATUSES_OF_OUTAGES = (502, 503, 504)  # said by what stands before the receiver


class Claimed(Struct, frozen=True, kw_only=True):
    """An event this process may send to an endpoint, until its lease ends."""

    endpoint_id: str
    event: Event
    attempts: int
    """Leases so far, this one included: by it a late outcome is recognised."""
    tries: int
    """Tries since it was queued or replayed, this one included."""


def endpoints_with_work(connection: Connection, now_ms: int) -> list[str]:
    """The endpoints to which something is due, and which no breaker holds back. Costs two index probes for each."""
    mine = webhook_deliveries.c.endpoint_id == webhook_endpoints.c.id
    due = select(webhook_deliveries.c.event_id).where(mine, webhook_deliveries.c.due_at_ms <= now_ms).exists()
    held = select(breakers.c.link_id).where(
        breakers.c.link_id == webhook_endpoints.c.id, breakers.c.open_until_ms > now_ms
    )
    return list(connection.execute(select(webhook_endpoints.c.id).where(due, ~held.exists())).scalars())


def claim(
    connection: Connection, endpoint_id: str, *, now_ms: int, lease_ms: int, limit: int, holding_tries: int
) -> list[Claimed]:
    """Leases due events of an endpoint: of each subject only the first that is open, the longest due first.

    An event that failed `holding_tries` times holds back nothing any more: others of its subject overtake it.
    """
    own, earlier = webhook_deliveries.c, webhook_deliveries.alias("earlier")
    ahead = (
        select(earlier.c.event_id)
        .where(
            earlier.c.endpoint_id == own.endpoint_id,
            earlier.c.subject == own.subject,
            earlier.c.due_at_ms.is_not(None),
            or_(earlier.c.tries < holding_tries, earlier.c.leased),
            or_(earlier.c.seq < own.seq, and_(earlier.c.seq == own.seq, earlier.c.event_id < own.event_id)),
        )
        .exists()
    )
    due = (
        select(own.event_id, own.attempts, own.tries)
        .where(own.endpoint_id == endpoint_id, own.due_at_ms <= now_ms, ~ahead)
        .order_by(own.due_at_ms, own.event_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(due).all()
    if not rows:
        return []
    ids = [row.event_id for row in rows]
    leased = {"due_at_ms": now_ms + lease_ms, "leased": True, "attempts": own.attempts + 1, "tries": own.tries + 1}
    mine = update(webhook_deliveries).where(own.endpoint_id == endpoint_id, own.event_id.in_(ids))
    connection.execute(mine.values(leased))
    events = {
        row.id: Event(
            id=row.id,
            venue_id=row.venue_id,
            order_id=row.order_id,
            type=EventType(row.type),
            subject=row.subject,
            seq=row.seq,
            at_ms=row.at_ms,
            document=row.document,
        )
        for row in connection.execute(select(webhook_events).where(webhook_events.c.id.in_(ids)))
    }
    return [
        Claimed(endpoint_id=endpoint_id, event=events[row.event_id], attempts=row.attempts + 1, tries=row.tries + 1)
        for row in rows
    ]


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of a try. PENDING is tried again at `due_at_ms`."""

    state: DeliveryState
    now_ms: int
    status: int | None
    detail: str
    due_at_ms: int | None = None


def complete(connection: Connection, claimed: Claimed, outcome: Outcome) -> bool:
    """Records an outcome; False when the lease was lost meanwhile. A late success is still a fact and is kept."""
    own = webhook_deliveries.c
    mine = [own.endpoint_id == claimed.endpoint_id, own.event_id == claimed.event.id]
    if outcome.state is not DeliveryState.DELIVERED:
        mine += [own.attempts == claimed.attempts, own.leased]
    values = {
        "state": outcome.state,
        "due_at_ms": outcome.due_at_ms,
        "leased": False,
        "status": outcome.status,
        "detail": outcome.detail[:1000].replace("\x00", "�"),
        "done_at_ms": None if outcome.state is DeliveryState.PENDING else outcome.now_ms,
    }
    return connection.execute(update(webhook_deliveries).where(*mine).values(values)).rowcount == 1


def note_health(connection: Connection, endpoint_id: str, *, well: bool, now_ms: int) -> int | None:
    """Notes whether a try succeeded; gives since when none has, None while all is well.

    After the first success since an outage, what waits for its next try because of the outage is due at once. What
    the endpoint refused itself is not: it would use up its tries with every success of another event.
    """
    endpoint = webhook_endpoints.c
    since: int | None = connection.execute(
        select(endpoint.failing_since_ms).where(endpoint.id == endpoint_id)
    ).scalar_one_or_none()
    if well == (since is None):
        return since
    mine = update(webhook_endpoints).where(endpoint.id == endpoint_id)
    connection.execute(mine.values(failing_since_ms=None if well else now_ms))
    if since is not None and now_ms - since >= _OUTAGE_MS:
        own = webhook_deliveries.c
        unheard = or_(own.status.is_(None), own.status.in_(_STATUSES_OF_OUTAGES))
        waiting = (own.endpoint_id == endpoint_id, own.due_at_ms > now_ms, own.leased.is_(False), unheard)
        connection.execute(update(webhook_deliveries).where(*waiting).values(due_at_ms=now_ms))
    return None if well else now_ms

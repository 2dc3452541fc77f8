"""Endpoints of webhooks for tests, stored without the services above."""

from typing import Any

from sqlalchemy import Connection, select

from hub.database import directory, webhook_outbox, webhooks
from hub.database.directory import StoredKey
from hub.database.engine import Database
from hub.database.webhook_outbox import Claimed
from hub.database.webhook_tables import webhook_events
from hub.model.webhook import DeliveryState, Endpoint, EventType
from tests.database.stored import NOW, VENUE

KEY = StoredKey(
    id="key_partner",
    name="partner",
    hash=b"\x07" * 32,
    shown="sk_",
    scopes=("read", "write"),
    venue_id=None,
    created_at_ms=NOW,
)


def endpoint(number: int = 1, **values: Any) -> Endpoint:
    """An endpoint of the one venue's orders and menu; `venue_id=""` listens everywhere."""
    usual: dict[str, Any] = {
        "id": f"hook_{number}",
        "key_id": KEY.id,
        "venue_id": VENUE.id,
        "url": "https://partner.example.com/hook",
        "description": "",
        "events": (),
        "secret": "",
        "old_secret": "",
        "old_secret_until_ms": 0,
        "enabled": True,
        "disabled_reason": "",
        "failing_since_ms": None,
        "created_at_ms": NOW,
    }
    return Endpoint(**usual | values)


def listen(database: Database, number: int = 1, **values: Any) -> Endpoint:
    """Stores an endpoint, and its key before the first one."""
    made = endpoint(number, **values)

    def unit(connection: Connection) -> None:
        if not directory.load_keys(connection):
            directory.insert_key(connection, KEY)
        assert webhooks.insert_endpoint(connection, made, most=100)

    database.run_now(unit)
    return made


def told(database: Database) -> list[tuple[EventType, str]]:
    """What was written down: kind and subject, in the order of the events' ids."""

    def unit(connection: Connection) -> list[tuple[EventType, str]]:
        query = select(webhook_events).order_by(webhook_events.c.seq, webhook_events.c.id)
        return [(EventType(row.type), row.subject) for row in connection.execute(query)]

    return database.read_now(unit)


def take(database: Database, hook: Endpoint, *, now_ms: int = NOW, limit: int = 10) -> list[Claimed]:
    """Claims what is due, under a lease of a minute."""
    return database.run_now(
        lambda connection: webhook_outbox.claim(
            connection, hook.id, now_ms=now_ms, lease_ms=60_000, limit=limit, holding_tries=3
        )
    )


def states(database: Database, hook: Endpoint) -> list[DeliveryState]:
    """Where each event of an endpoint stands, the newest first."""
    entries = database.read_now(lambda c: webhooks.load_log(c, hook.id, state=None, before="", limit=100))
    return [entry.state for entry in entries]

"""The part of the schema that holds webhooks: who is told, what happened, and what was sent."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, text

from hub.database.tables import metadata

# `venue_id` is empty for all venues, `events` for all events. Secrets are sealed. A row is the lock of its queue.
webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("key_id", String(64), ForeignKey("api_keys.id"), nullable=False),
    Column("venue_id", String(64), nullable=False, server_default=""),
    Column("url", Text, nullable=False),
    Column("description", String(200), nullable=False, server_default=""),
    Column("events", Text, nullable=False, server_default=""),
    Column("secret", Text, nullable=False),
    Column("old_secret", Text, nullable=False, server_default=""),
    Column("old_secret_until_ms", BigInteger, nullable=False, server_default=text("0")),
    Column("enabled", Boolean, nullable=False),
    # Why it was switched off by itself; empty when a person did it, or it is on.
    Column("disabled_reason", Text, nullable=False, server_default=""),
    # Since when no delivery succeeded, although some were tried; NULL while all is well.
    Column("failing_since_ms", BigInteger),
    Column("created_at_ms", BigInteger, nullable=False),
    Index("ix_webhook_endpoints_venue_id", "venue_id"),
    Index("ix_webhook_endpoints_key_id", "key_id"),
)

# What happened, stored with the change itself; `document` is the order as it was then, or the item.
webhook_events = Table(
    "webhook_events",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("venue_id", String(64), nullable=False),
    Column("order_id", String(64)),
    Column("type", String(40), nullable=False),
    # What it is about: events of one subject are told in the order of `seq`, then `id`.
    Column("subject", String(64), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
    Index("ix_webhook_events_venue_id", "venue_id", "at_ms"),
    Index("ix_webhook_events_at_ms", "at_ms"),
    Index(
        "ix_webhook_events_order_id",
        "order_id",
        sqlite_where=text("order_id IS NOT NULL"),
        postgresql_where=text("order_id IS NOT NULL"),
    ),
)

# An event on its way to an endpoint. `due_at_ms` is when it may be tried; while it is leased, the end of the lease;
# NULL when nothing is left to do. `attempts` is raised with every lease, so that a late outcome is recognised.
webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("endpoint_id", String(64), ForeignKey("webhook_endpoints.id"), primary_key=True),
    Column("event_id", String(64), ForeignKey("webhook_events.id"), primary_key=True),
    Column("order_id", String(64)),
    Column("subject", String(64), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("state", String(12), nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("due_at_ms", BigInteger),
    Column("leased", Boolean, nullable=False, server_default=text("false")),
    Column("status", Integer),
    Column("detail", Text, nullable=False, server_default=""),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("done_at_ms", BigInteger),
    Index(
        "ix_webhook_deliveries_due",
        "endpoint_id",
        "due_at_ms",
        sqlite_where=text("due_at_ms IS NOT NULL"),
        postgresql_where=text("due_at_ms IS NOT NULL"),
    ),
    Index(
        "ix_webhook_deliveries_open",
        "endpoint_id",
        "subject",
        "seq",
        sqlite_where=text("due_at_ms IS NOT NULL"),
        postgresql_where=text("due_at_ms IS NOT NULL"),
    ),
    Index("ix_webhook_deliveries_event_id", "event_id"),
    Index(
        "ix_webhook_deliveries_order_id",
        "order_id",
        sqlite_where=text("order_id IS NOT NULL"),
        postgresql_where=text("order_id IS NOT NULL"),
    ),
)

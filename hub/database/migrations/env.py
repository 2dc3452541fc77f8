"""Alembic's entry point: runs the migrations on the connection that `hub.database.migrate` gives it."""

from alembic import context

from hub.database.guest_tables import guests
from hub.database.webhook_tables import webhook_events

connection = context.config.attributes["connection"]
assert guests.metadata is webhook_events.metadata  # both parts of the schema are declared by now
context.configure(
    connection=connection, target_metadata=guests.metadata, render_as_batch=True, transaction_per_migration=False
)
context.run_migrations()

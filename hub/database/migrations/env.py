"""Alembic's entry point: runs the migrations on the connection that `hub.database.migrate` gives it."""

from alembic import context

from hub.database import access_tables, guest_tables, repetition_tables, webhook_tables  # noqa: F401 - each adds its tables
from hub.database.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=metadata, render_as_batch=True, transaction_per_migration=False
)
context.run_migrations()

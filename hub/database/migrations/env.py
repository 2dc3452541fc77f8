"""Alembic's entry point: runs the migrations on the connection that `hub.database.migrate` gives it."""

from alembic import context

from hub.database.guest_tables import guests

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=guests.metadata, render_as_batch=True, transaction_per_migration=False
)
context.run_migrations()

"""Brings a database to the newest schema, with Alembic."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

_SCRIPTS = str(Path(__file__).parent / "migrations")
_LOCK = 7021400  # any number, the same in every process


def migrate(connection: Connection) -> list[str]:
    """Applies the missing migrations in this transaction and returns them; waits for another process doing the same."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    config = _config(connection)
    scripts = ScriptDirectory.from_config(config)
    current = MigrationContext.configure(connection).get_current_revision()
    missing = [script.revision for script in scripts.iterate_revisions("head", current)]
    if missing:
        command.upgrade(config, "head")
    return missing[::-1]


def is_current(connection: Connection) -> bool:
    """Whether the database has the newest schema."""
    return MigrationContext.configure(connection).get_current_revision() == _head()


@cache
def _head() -> str | None:
    """The newest revision this program knows; to read all migrations for it takes longer than to take an order."""
    return ScriptDirectory(_SCRIPTS).get_current_head()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", _SCRIPTS)
    config.attributes["connection"] = connection
    return config

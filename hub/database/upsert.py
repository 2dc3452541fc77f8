"""Insert-or-change in one statement, the same on both databases."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Executable, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]], changed: Sequence[str] = ()) -> int:
    """Inserts rows; where the primary key exists, sets the `changed` columns, or leaves the row when there are none.

    Returns how many rows were written (for a single row; unreliable for several).
    """
    statement = _statement(connection.dialect.name == "sqlite", table, tuple(changed))
    return connection.execute(statement, list(rows) if len(rows) > 1 else rows[0]).rowcount


@lru_cache(maxsize=64)
def _statement(is_sqlite: bool, table: Table, changed: tuple[str, ...]) -> Executable:
    """Kept, because putting it together costs ten times what the database does for it."""
    statement: Any = (sqlite.insert if is_sqlite else postgresql.insert)(table)
    if changed:
        values = {name: statement.excluded[name] for name in changed}
        statement = statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=values)
    else:
        statement = statement.on_conflict_do_nothing()
    kept: Executable = statement.execution_options(preserve_rowcount=True)  # psycopg's is gone with the result
    return kept

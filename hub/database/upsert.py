"""Insert-or-change in one statement, the same on both databases."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]], changed: Sequence[str] = ()) -> int:
    """Inserts rows; where the primary key exists, sets the `changed` columns, or leaves the row when there are none.

    Returns how many rows were written (for a single row; unreliable for several).
    """
    new_insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement: Any = new_insert(table)
    if changed:
        values = {name: statement.excluded[name] for name in changed}
        statement = statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=values)
    else:
        statement = statement.on_conflict_do_nothing()
    statement = statement.execution_options(preserve_rowcount=True)  # psycopg's is gone once the result is closed
    return connection.execute(statement, list(rows) if len(rows) > 1 else rows[0]).rowcount

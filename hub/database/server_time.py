"""The database server's clock."""

from sqlalchemy import Connection, text


def load_server_time_ms(connection: Connection) -> int:
    """Milliseconds since 1970 by the server's clock (PostgreSQL)."""
    now: int = connection.execute(text("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")).scalar_one()
    return now

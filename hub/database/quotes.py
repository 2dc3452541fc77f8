"""Price quotes: told, kept for a while, and forgotten."""

from msgspec import Struct
from sqlalchemy import Connection, delete, insert, select

from hub.database.tables import quotes


class StoredQuote(Struct, frozen=True, kw_only=True):
    """A quote as kept. `order_document` is the order it is for; only `principal` may order from it."""

    id: str
    venue_id: str
    principal: str
    order_document: str
    answer: str
    expires_at_ms: int
    forget_at_ms: int


def insert_quote(connection: Connection, quote: StoredQuote) -> None:
    """Stores a new quote."""
    connection.execute(insert(quotes), [{name: getattr(quote, name) for name in StoredQuote.__struct_fields__}])


def find_quote(connection: Connection, quote_id: str) -> StoredQuote | None:
    """A quote by its id, ended ones too until they are forgotten."""
    row = connection.execute(select(quotes).where(quotes.c.id == quote_id)).one_or_none()
    return None if row is None else StoredQuote(**row._mapping)


def forget_quotes(connection: Connection, now_ms: int, limit: int = 1000) -> int:
    """Deletes up to `limit` quotes whose time to be kept is over; returns how many."""
    ended = select(quotes.c.id).where(quotes.c.forget_at_ms <= now_ms).limit(limit)
    return connection.execute(delete(quotes).where(quotes.c.id.in_(ended))).rowcount

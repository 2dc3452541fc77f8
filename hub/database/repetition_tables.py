"""What a repeated request is recognised by, and answered from."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, String, Table, Text

from hub.database.tables import metadata

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    # "principal key": one column, because SQLite does not use an index for pairs in a list.
    Column("name", String(400), primary_key=True),
    Column("fingerprint", LargeBinary(32), nullable=False),
    Column("order_id", String(64), nullable=False),
    # Of a change, word for word. Empty for a new order: its answer is written again from its first version and
    # `injection`, for kept beside every order it would take as much room as all the rest of it.
    Column("answer", Text, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
    Column("injection", Text, nullable=False, server_default=""),
    Index("ix_idempotency_keys_expires_at_ms", "expires_at_ms"),
)

# How an order was when it was placed, from its first change on and for as long as keys are kept.
first_versions = Table(
    "first_versions",
    metadata,
    Column("order_id", String(64), ForeignKey("orders.id"), primary_key=True),
    Column("document", Text, nullable=False),
)

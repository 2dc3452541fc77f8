"""The archive: when an order was closed, legal holds, and when a learnt vendor id was last used."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_CLOSED_AT = {
    "sqlite": "json_extract(document, '$.timing.closed_at_ms')",
    "postgresql": "(document::json -> 'timing' ->> 'closed_at_ms')::bigint",
}


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        op.execute("SET LOCAL statement_timeout = 0")  # every closed order is written once
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("closed_at_ms", sa.BigInteger(), nullable=True))
    op.execute(f"UPDATE orders SET closed_at_ms = coalesce({_CLOSED_AT[dialect]}, updated_at_ms) WHERE NOT is_open")
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.create_index(
            "ix_orders_closed",
            ["closed_at_ms", "id"],
            unique=False,
            sqlite_where=sa.text("closed_at_ms IS NOT NULL"),
            postgresql_where=sa.text("closed_at_ms IS NOT NULL"),
        )

    if dialect == "sqlite":  # the old condition, `is_open`, was in no query as SQLAlchemy writes them
        op.drop_index("ix_orders_open", "orders")
        op.create_index("ix_orders_open", "orders", ["is_open", "venue_id", "id"], sqlite_where=sa.text("is_open = 1"))
    op.create_table(
        "order_holds",
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_holds_order_id")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_order_holds")),
    )
    with op.batch_alter_table("link_refs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("used_at_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
        batch_op.create_index("ix_link_refs_used_at_ms", ["used_at_ms"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_link_refs_used_at_ms", "link_refs")
    op.execute("ALTER TABLE link_refs DROP COLUMN used_at_ms")
    op.drop_table("order_holds")
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index("ix_orders_open", "orders")
        op.create_index("ix_orders_open", "orders", ["venue_id", "id"], sqlite_where=sa.text("is_open"))
    op.drop_index("ix_orders_closed", "orders")
    op.execute("ALTER TABLE orders DROP COLUMN closed_at_ms")

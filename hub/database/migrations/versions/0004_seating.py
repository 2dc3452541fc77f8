"""The tables of a venue, the names they go by, and orders by when they last changed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "venue_tables",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("venue_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=True),
        sa.Column("area", sa.String(length=100), server_default="", nullable=False),
        sa.Column("declared", sa.Boolean(), nullable=False),
        sa.Column("vendor_id", sa.String(length=200), server_default="", nullable=False),
        sa.Column("told_status", sa.String(length=16), server_default="", nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.id"], name=op.f("fk_venue_tables_venue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_venue_tables")),
    )
    op.create_index("ix_venue_tables_venue_id", "venue_tables", ["venue_id"])
    op.create_table(
        "table_names",
        sa.Column("venue_id", sa.String(length=64), nullable=False),
        sa.Column("name_key", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("table_id", sa.String(length=64), nullable=True),
        sa.Column("told_by", sa.String(length=120), server_default="", nullable=False),
        sa.Column("order_id", sa.String(length=64), server_default="", nullable=False),
        sa.Column("seen_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.id"], name=op.f("fk_table_names_venue_id")),
        sa.ForeignKeyConstraint(["table_id"], ["venue_tables.id"], name=op.f("fk_table_names_table_id")),
        sa.PrimaryKeyConstraint("venue_id", "name_key", name=op.f("pk_table_names")),
    )
    op.create_index("ix_orders_changed", "orders", ["venue_id", "updated_at_ms", "id"])


def downgrade() -> None:
    op.drop_index("ix_orders_changed", table_name="orders")
    op.drop_table("table_names")
    op.drop_table("venue_tables")

"""Limits and last use of keys, counted requests, price quotes, and what a POS has yet to be told about items."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.add_column(sa.Column("requests_per_minute", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("requests_per_day", sa.Integer(), nullable=True))

    op.create_table(
        "key_uses",
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("last_used_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name=op.f("fk_key_uses_key_id")),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_key_uses")),
    )
    op.create_table(
        "request_use",
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("window_seconds", sa.Integer(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "window_seconds", "slot", name=op.f("pk_request_use")),
    )
    op.create_index("ix_request_use_window_seconds_slot", "request_use", ["window_seconds", "slot"])
    op.create_table(
        "quotes",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("venue_id", sa.String(length=64), nullable=False),
        sa.Column("principal", sa.String(length=120), nullable=False),
        sa.Column("order_document", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("forget_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.id"], name=op.f("fk_quotes_venue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quotes")),
    )
    op.create_index("ix_quotes_forget_at_ms", "quotes", ["forget_at_ms"])
    op.create_table(
        "availability_pushes",
        sa.Column("link_id", sa.String(length=64), nullable=False),
        sa.Column("item_id", sa.String(length=64), nullable=False),
        sa.Column("available", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("due_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("leased_until_ms", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(length=40), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name=op.f("fk_availability_pushes_link_id")),
        sa.PrimaryKeyConstraint("link_id", "item_id", name=op.f("pk_availability_pushes")),
    )
    op.create_index(
        "ix_availability_pushes_due",
        "availability_pushes",
        ["due_at_ms"],
        sqlite_where=sa.text("due_at_ms IS NOT NULL"),
        postgresql_where=sa.text("due_at_ms IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_table("availability_pushes")
    op.drop_table("quotes")
    op.drop_table("request_use")
    op.drop_table("key_uses")
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.drop_column("requests_per_day")
        batch_op.drop_column("requests_per_minute")

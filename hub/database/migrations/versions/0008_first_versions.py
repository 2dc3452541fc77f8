"""A new order's answer is no longer stored with its idempotency key, but written again from its first version."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "first_versions",
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_first_versions_order_id")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_first_versions")),
    )
    op.add_column("idempotency_keys", sa.Column("injection", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("idempotency_keys", "injection")
    op.drop_table("first_versions")

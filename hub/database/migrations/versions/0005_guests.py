"""Guests and their visits, reservations, the waitlist, segments and campaigns."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("venue_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("segment", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("starts_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ends_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("cancelled_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.id"], name=op.f("fk_campaigns_venue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
    )
    op.create_index("ix_campaigns_venue_id", "campaigns", ["venue_id", "id"])
    op.create_table(
        "guest_books",
        sa.Column("venue_id", sa.String(length=64), nullable=False),
        sa.Column("read_until_ms", sa.BigInteger(), nullable=False),
        sa.Column("read_until_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.id"], name=op.f("fk_guest_books_venue_id")),
        sa.PrimaryKeyConstraint("venue_id", name=op.f("pk_guest_books")),
    )
    op.create_table(
        "guests",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("venue_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("marketing_consent", sa.Boolean(), nullable=False),
        sa.Column("consent_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("consent_by", sa.String(length=120), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("spend_cents", sa.BigInteger(), nullable=False),
        sa.Column("first_order_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("last_order_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("told_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.id"], name=op.f("fk_guests_venue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guests")),
    )
    op.create_index("ix_guests_venue_id", "guests", ["venue_id", "id"])
    op.create_table(
        "segments",
        sa.Column("venue_id", sa.String(length=64), nullable=False),
        sa.Column("segment", sa.String(length=40), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("reachable", sa.Integer(), nullable=False),
        sa.Column("computed_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.id"], name=op.f("fk_segments_venue_id")),
        sa.PrimaryKeyConstraint("venue_id", "segment", name=op.f("pk_segments")),
    )
    op.create_table(
        "campaign_results",
        sa.Column("campaign_id", sa.String(length=64), nullable=False),
        sa.Column("guest_id", sa.String(length=64), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_results_campaign_id")),
        sa.PrimaryKeyConstraint("campaign_id", "guest_id", "result", name=op.f("pk_campaign_results")),
    )
    op.create_table(
        "guest_keys",
        sa.Column("venue_id", sa.String(length=64), nullable=False),
        sa.Column("lookup", sa.String(length=300), nullable=False),
        sa.Column("guest_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["guest_id"], ["guests.id"], name=op.f("fk_guest_keys_guest_id")),
        sa.PrimaryKeyConstraint("venue_id", "lookup", "guest_id", name=op.f("pk_guest_keys")),
    )
    op.create_index("ix_guest_keys_guest_id", "guest_keys", ["guest_id"])
    op.create_index("ix_guest_keys_lookup", "guest_keys", ["lookup"])
    op.create_table(
        "guest_visits",
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("guest_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("spend_cents", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["guest_id"], ["guests.id"], name=op.f("fk_guest_visits_guest_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_guest_visits_order_id")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_guest_visits")),
    )
    op.create_index("ix_guest_visits_guest_id", "guest_visits", ["guest_id"])
    op.create_table(
        "reservations",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("venue_id", sa.String(length=64), nullable=False),
        sa.Column("guest_id", sa.String(length=64), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("party_size", sa.Integer(), nullable=False),
        sa.Column("starts_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ends_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("table_names", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("order_id", sa.String(length=64), nullable=True),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["guest_id"], ["guests.id"], name=op.f("fk_reservations_guest_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_reservations_order_id")),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.id"], name=op.f("fk_reservations_venue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservations")),
    )
    op.create_index("ix_reservations_ends_at_ms", "reservations", ["ends_at_ms"])
    op.create_index("ix_reservations_guest_id", "reservations", ["guest_id"])
    op.create_index("ix_reservations_order_id", "reservations", ["order_id"])
    op.create_index("ix_reservations_venue_id", "reservations", ["venue_id", "starts_at_ms", "id"])
    op.create_table(
        "segment_members",
        sa.Column("venue_id", sa.String(length=64), nullable=False),
        sa.Column("segment", sa.String(length=40), nullable=False),
        sa.Column("guest_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["guest_id"], ["guests.id"], name=op.f("fk_segment_members_guest_id")),
        sa.PrimaryKeyConstraint("venue_id", "segment", "guest_id", name=op.f("pk_segment_members")),
    )
    op.create_index("ix_segment_members_guest_id", "segment_members", ["guest_id"])
    op.create_table(
        "waitlist",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("venue_id", sa.String(length=64), nullable=False),
        sa.Column("guest_id", sa.String(length=64), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("party_size", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("quoted_minutes", sa.Integer(), nullable=True),
        sa.Column("table_names", sa.Text(), nullable=False),
        sa.Column("order_id", sa.String(length=64), nullable=True),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("joined_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("notified_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["guest_id"], ["guests.id"], name=op.f("fk_waitlist_guest_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_waitlist_order_id")),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.id"], name=op.f("fk_waitlist_venue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waitlist")),
    )
    op.create_index("ix_waitlist_guest_id", "waitlist", ["guest_id"])
    op.create_index("ix_waitlist_joined_at_ms", "waitlist", ["joined_at_ms"])
    op.create_index("ix_waitlist_order_id", "waitlist", ["order_id"])
    op.create_index(
        "ix_waitlist_queue",
        "waitlist",
        ["venue_id", "joined_at_ms"],
        unique=False,
        sqlite_where=sa.text("ended_at_ms IS NULL"),
        postgresql_where=sa.text("ended_at_ms IS NULL"),
    )
    op.create_index("ix_waitlist_venue_id", "waitlist", ["venue_id", "id"])


def downgrade() -> None:
    op.drop_table("campaign_results")
    op.drop_table("campaigns")
    op.drop_table("segment_members")
    op.drop_table("segments")
    op.drop_table("waitlist")
    op.drop_table("reservations")
    op.drop_table("guest_books")
    op.drop_table("guest_visits")
    op.drop_table("guest_keys")
    op.drop_table("guests")

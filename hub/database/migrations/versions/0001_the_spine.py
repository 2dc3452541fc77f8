"""The spine: venues, links, orders, idempotency keys, the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "breakers",
        sa.Column("link_id", sa.String(length=64), nullable=False),
        sa.Column("operation", sa.String(length=40), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("trips", sa.Integer(), nullable=False),
        sa.Column("open_until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("link_id", "operation", name=op.f("pk_breakers")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_idempotency_keys")),
    )
    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.create_index("ix_idempotency_keys_expires_at_ms", ["expires_at_ms"], unique=False)

    op.create_table(
        "rate_use",
        sa.Column("budget", sa.String(length=120), nullable=False),
        sa.Column("window_seconds", sa.Integer(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("budget", "window_seconds", "slot", name=op.f("pk_rate_use")),
    )
    op.create_table(
        "revision",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revision")),
    )
    op.create_table(
        "scheduled_runs",
        sa.Column("job", sa.String(length=80), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("started_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job", "slot", name=op.f("pk_scheduled_runs")),
    )
    op.create_table(
        "venues",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("order_prefix", sa.String(length=12), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("next_number", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("catalog_version", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_venues")),
        sa.UniqueConstraint("order_prefix", name=op.f("uq_venues_order_prefix")),
        sa.UniqueConstraint("slug", name=op.f("uq_venues_slug")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("shown", sa.String(length=16), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("venue_id", sa.String(length=64), nullable=True),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.id"], name=op.f("fk_api_keys_venue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("hash", name=op.f("uq_api_keys_hash")),
        sa.UniqueConstraint("name", name=op.f("uq_api_keys_name")),
    )
    op.create_table(
        "links",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("venue_id", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=8), server_default="pos", nullable=False),
        sa.Column("connector", sa.String(length=64), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("paused_cause", sa.String(length=40), server_default="", nullable=False),
        sa.Column("not_before_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.id"], name=op.f("fk_links_venue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
    )
    op.create_index(
        "uq_links_pos",
        "links",
        ["venue_id"],
        unique=True,
        sqlite_where=sa.text("role = 'pos'"),
        postgresql_where=sa.text("role = 'pos'"),
    )
    op.create_index("ix_links_venue_id", "links", ["venue_id"])
    op.create_table(
        "menus",
        sa.Column("venue_id", sa.String(length=64), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.id"], name=op.f("fk_menus_venue_id")),
        sa.PrimaryKeyConstraint("venue_id", name=op.f("pk_menus")),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("venue_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("origin", sa.String(length=400), nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.id"], name=op.f("fk_orders_venue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("number", name=op.f("uq_orders_number")),
        sa.UniqueConstraint("origin", name=op.f("uq_orders_origin")),
    )
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.create_index(
            "ix_orders_open",
            ["is_open", "venue_id", "id"],
            unique=False,
            sqlite_where=sa.text("is_open"),
            postgresql_where=sa.text("is_open"),
        )
        batch_op.create_index("ix_orders_venue_id", ["venue_id", "id"], unique=False)

    op.create_table(
        "sold_out",
        sa.Column("venue_id", sa.String(length=64), nullable=False),
        sa.Column("item_id", sa.String(length=64), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.id"], name=op.f("fk_sold_out_venue_id")),
        sa.PrimaryKeyConstraint("venue_id", "item_id", name=op.f("pk_sold_out")),
    )
    op.create_table(
        "lanes",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("link_id", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("next_seq", sa.Integer(), nullable=False),
        sa.Column("operation", sa.String(length=40), nullable=False),
        sa.Column("due_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_epoch", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name=op.f("fk_lanes_link_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_lanes_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lanes")),
        sa.UniqueConstraint("order_id", "link_id", name=op.f("uq_lanes_order_id_link_id")),
    )
    with op.batch_alter_table("lanes", schema=None) as batch_op:
        batch_op.create_index(
            "ix_lanes_due",
            ["link_id", "due_at_ms", "id"],
            unique=False,
            sqlite_where=sa.text("due_at_ms IS NOT NULL"),
            postgresql_where=sa.text("due_at_ms IS NOT NULL"),
        )

    op.create_table(
        "link_codes",
        sa.Column("link_id", sa.String(length=64), nullable=False),
        sa.Column("code_table", sa.String(length=40), nullable=False),
        sa.Column("code_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.String(length=200), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name=op.f("fk_link_codes_link_id")),
        sa.PrimaryKeyConstraint("link_id", "code_table", "code_id", name=op.f("pk_link_codes")),
    )
    op.create_table(
        "link_refs",
        sa.Column("link_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("ref_key", sa.String(length=200), nullable=False),
        sa.Column("vendor_id", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name=op.f("fk_link_refs_link_id")),
        sa.PrimaryKeyConstraint("link_id", "kind", "ref_key", name=op.f("pk_link_refs")),
    )
    op.create_table(
        "link_tokens",
        sa.Column("link_id", sa.String(length=64), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name=op.f("fk_link_tokens_link_id")),
        sa.PrimaryKeyConstraint("link_id", name=op.f("pk_link_tokens")),
    )
    op.create_table(
        "order_events",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_events_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_events")),
    )
    with op.batch_alter_table("order_events", schema=None) as batch_op:
        batch_op.create_index("ix_order_events_order_id", ["order_id", "id"], unique=False)

    op.create_table(
        "order_refs",
        sa.Column("link_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("vendor_id", sa.String(length=200), nullable=False),
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("noted_at_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_told", sa.String(length=200), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_refs_order_id")),
        sa.PrimaryKeyConstraint("link_id", "kind", "vendor_id", name=op.f("pk_order_refs")),
    )
    with op.batch_alter_table("order_refs", schema=None) as batch_op:
        batch_op.create_index("ix_order_refs_order_id", ["order_id"], unique=False)

    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("lane_id", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("link_id", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("operation", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("change", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("deliver_by_ms", sa.BigInteger(), nullable=False),
        sa.Column("first_sent_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("sent_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("absent_since_ms", sa.BigInteger(), nullable=True),
        sa.Column("cause", sa.String(length=40), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("losses", sa.Text(), server_default="", nullable=False),
        sa.Column("pos_cents", sa.BigInteger(), nullable=True),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("done_at_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["lane_id"], ["lanes.id"], name=op.f("fk_deliveries_lane_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_deliveries_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("lane_id", "seq", name=op.f("uq_deliveries_lane_id_seq")),
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index(
            "ix_deliveries_open",
            ["deliver_by_ms"],
            unique=False,
            sqlite_where=sa.text("state IN ('pending', 'inflight', 'unknown')"),
            postgresql_where=sa.text("state IN ('pending', 'inflight', 'unknown')"),
        )
        batch_op.create_index("ix_deliveries_order_id", ["order_id"], unique=False)
        batch_op.create_index(
            "ix_deliveries_stuck",
            ["link_id", "created_at_ms"],
            unique=False,
            sqlite_where=sa.text("state = 'dead'"),
            postgresql_where=sa.text("state = 'dead'"),
        )

    op.execute("INSERT INTO revision (id, value) VALUES (1, 1)")


def downgrade() -> None:
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_deliveries_stuck", sqlite_where=sa.text("state = 'dead'"), postgresql_where=sa.text("state = 'dead'")
        )
        batch_op.drop_index("ix_deliveries_order_id")
        batch_op.drop_index(
            "ix_deliveries_open",
            sqlite_where=sa.text("state IN ('pending', 'inflight', 'unknown')"),
            postgresql_where=sa.text("state IN ('pending', 'inflight', 'unknown')"),
        )

    op.drop_table("deliveries")
    with op.batch_alter_table("order_refs", schema=None) as batch_op:
        batch_op.drop_index("ix_order_refs_order_id")

    op.drop_table("order_refs")
    with op.batch_alter_table("order_events", schema=None) as batch_op:
        batch_op.drop_index("ix_order_events_order_id")

    op.drop_table("order_events")
    op.drop_table("link_tokens")
    op.drop_table("link_refs")
    op.drop_table("link_codes")
    with op.batch_alter_table("lanes", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_lanes_due",
            sqlite_where=sa.text("due_at_ms IS NOT NULL"),
            postgresql_where=sa.text("due_at_ms IS NOT NULL"),
        )

    op.drop_table("lanes")
    op.drop_table("sold_out")
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_index("ix_orders_venue_id")
        batch_op.drop_index("ix_orders_open", sqlite_where=sa.text("is_open"), postgresql_where=sa.text("is_open"))

    op.drop_table("orders")
    op.drop_table("menus")
    op.drop_table("links")
    op.drop_table("api_keys")
    op.drop_table("venues")
    op.drop_table("scheduled_runs")
    op.drop_table("revision")
    op.drop_table("rate_use")
    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.drop_index("ix_idempotency_keys_expires_at_ms")

    op.drop_table("idempotency_keys")
    op.drop_table("breakers")

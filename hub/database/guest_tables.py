"""The part of the schema that holds guests: who they are, their visits, bookings, segments and campaigns."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, text

from hub.database.tables import metadata

# A guest belongs to one venue: what one venue learns, no other sees. `search_text` is folded, see `model.guest`.
guests = Table(
    "guests",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("venue_id", String(64), ForeignKey("venues.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("phone", String(40), nullable=False),
    Column("email", String(254), nullable=False),
    Column("search_text", Text, nullable=False),
    Column("marketing_consent", Boolean, nullable=False),
    Column("consent_at_ms", BigInteger),
    Column("consent_by", String(120), nullable=False),
    Column("version", Integer, nullable=False),
    Column("orders", Integer, nullable=False),
    Column("spend_cents", BigInteger, nullable=False),
    Column("first_order_at_ms", BigInteger),
    Column("last_order_at_ms", BigInteger),
    Column("told_at_ms", BigInteger, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("updated_at_ms", BigInteger, nullable=False),
    Index("ix_guests_venue_id", "venue_id", "id"),
)

# Normalised phone numbers and e-mail addresses. Several guests may have a guess (`tel~`) in common.
guest_keys = Table(
    "guest_keys",
    metadata,
    Column("venue_id", String(64), primary_key=True),
    Column("lookup", String(300), primary_key=True),
    Column("guest_id", String(64), ForeignKey("guests.id"), primary_key=True),
    Index("ix_guest_keys_guest_id", "guest_id"),
    Index("ix_guest_keys_lookup", "lookup"),
)

# One row per order of a known guest: what it added to the guest's figures, in which version.
guest_visits = Table(
    "guest_visits",
    metadata,
    Column("order_id", String(64), ForeignKey("orders.id"), primary_key=True),
    Column("guest_id", String(64), ForeignKey("guests.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("counts", Boolean, nullable=False),
    Column("spend_cents", BigInteger, nullable=False),
    Index("ix_guest_visits_guest_id", "guest_id"),
)

# How far a venue's orders were read. The row is also the lock under which a venue's guests and bookings change.
guest_books = Table(
    "guest_books",
    metadata,
    Column("venue_id", String(64), ForeignKey("venues.id"), primary_key=True),
    Column("read_until_ms", BigInteger, nullable=False),
    Column("read_until_id", String(64), nullable=False),
)

reservations = Table(
    "reservations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("venue_id", String(64), ForeignKey("venues.id"), nullable=False),
    Column("guest_id", String(64), ForeignKey("guests.id")),
    Column("name", String(200), nullable=False),
    Column("phone", String(40), nullable=False),
    Column("email", String(254), nullable=False),
    Column("party_size", Integer, nullable=False),
    Column("starts_at_ms", BigInteger, nullable=False),
    Column("ends_at_ms", BigInteger, nullable=False),
    Column("table_names", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("source", String(120), nullable=False),
    Column("order_id", String(64), ForeignKey("orders.id")),
    Column("external_id", String(200), nullable=False),
    Column("note", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("updated_at_ms", BigInteger, nullable=False),
    Index("ix_reservations_venue_id", "venue_id", "starts_at_ms", "id"),
    Index("ix_reservations_ends_at_ms", "ends_at_ms"),
    Index("ix_reservations_guest_id", "guest_id"),
    Index("ix_reservations_order_id", "order_id"),
)

waitlist = Table(
    "waitlist",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("venue_id", String(64), ForeignKey("venues.id"), nullable=False),
    Column("guest_id", String(64), ForeignKey("guests.id")),
    Column("name", String(200), nullable=False),
    Column("phone", String(40), nullable=False),
    Column("email", String(254), nullable=False),
    Column("party_size", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("quoted_minutes", Integer),
    Column("table_names", Text, nullable=False),
    Column("order_id", String(64), ForeignKey("orders.id")),
    Column("source", String(120), nullable=False),
    Column("note", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("joined_at_ms", BigInteger, nullable=False),
    Column("notified_at_ms", BigInteger),
    Column("ended_at_ms", BigInteger),
    Column("updated_at_ms", BigInteger, nullable=False),
    Index("ix_waitlist_venue_id", "venue_id", "id"),
    Index(
        "ix_waitlist_queue",
        "venue_id",
        "joined_at_ms",
        sqlite_where=text("ended_at_ms IS NULL"),
        postgresql_where=text("ended_at_ms IS NULL"),
    ),
    Index("ix_waitlist_joined_at_ms", "joined_at_ms"),
    Index("ix_waitlist_guest_id", "guest_id"),
    Index("ix_waitlist_order_id", "order_id"),
)

segments = Table(
    "segments",
    metadata,
    Column("venue_id", String(64), ForeignKey("venues.id"), primary_key=True),
    Column("segment", String(40), primary_key=True),
    Column("rule", Text, nullable=False),
    Column("members", Integer, nullable=False),
    Column("reachable", Integer, nullable=False),
    Column("computed_at_ms", BigInteger, nullable=False),
)

segment_members = Table(
    "segment_members",
    metadata,
    Column("venue_id", String(64), primary_key=True),
    Column("segment", String(40), primary_key=True),
    Column("guest_id", String(64), ForeignKey("guests.id"), primary_key=True),
    Index("ix_segment_members_guest_id", "guest_id"),
)

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("venue_id", String(64), ForeignKey("venues.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("segment", String(40), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("message", Text, nullable=False),
    Column("starts_at_ms", BigInteger, nullable=False),
    Column("ends_at_ms", BigInteger),
    Column("cancelled_at_ms", BigInteger),
    Column("created_by", String(120), nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("updated_at_ms", BigInteger, nullable=False),
    Index("ix_campaigns_venue_id", "venue_id", "id"),
)

# What became of a message to a guest, as whoever sent it said. No foreign key to the guest: the id of one who was
# forgotten names nobody any more, and the campaign's figures stay.
campaign_results = Table(
    "campaign_results",
    metadata,
    Column("campaign_id", String(64), ForeignKey("campaigns.id"), primary_key=True),
    Column("guest_id", String(64), primary_key=True),
    Column("result", String(16), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("detail", String(200), nullable=False),
)

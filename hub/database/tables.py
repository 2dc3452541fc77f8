"""The schema, the same on SQLite and PostgreSQL. Times are milliseconds since 1970, UTC; documents are JSON text."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

venues = Table(
    "venues",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("slug", String(64), nullable=False, unique=True),
    Column("order_prefix", String(12), nullable=False, unique=True),
    Column("document", Text, nullable=False),
    Column("next_number", Integer, nullable=False, server_default=text("1")),
    Column("catalog_version", Integer, nullable=False, server_default=text("0")),
)

menus = Table(
    "menus",
    metadata,
    Column("venue_id", String(64), ForeignKey("venues.id"), primary_key=True),
    Column("document", Text, nullable=False),
    Column("source", String(16), nullable=False),
    Column("updated_at_ms", BigInteger, nullable=False),
)

# The hub's own 86 list: a row says that an item is sold out here, whatever the POS thinks.
sold_out = Table(
    "sold_out",
    metadata,
    Column("venue_id", String(64), ForeignKey("venues.id"), primary_key=True),
    Column("item_id", String(64), primary_key=True),
    Column("since_ms", BigInteger, nullable=False),
)

# `id` is what channels are given and stays, whatever the table is called. NULL seats: nobody said.
venue_tables = Table(
    "venue_tables",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("venue_id", String(64), ForeignKey("venues.id"), nullable=False),
    Column("name", String(100), nullable=False),
    Column("seats", Integer),
    Column("area", String(100), nullable=False, server_default=""),
    # By the operator's file; else only the POS tells of it.
    Column("declared", Boolean, nullable=False),
    Column("vendor_id", String(200), nullable=False, server_default=""),
    Column("told_status", String(16), nullable=False, server_default=""),
    Column("retired", Boolean, nullable=False),
    Index("ix_venue_tables_venue_id", "venue_id"),
)

# Other names for tables; one without a table waits for a person to say which it is.
table_names = Table(
    "table_names",
    metadata,
    Column("venue_id", String(64), ForeignKey("venues.id"), primary_key=True),
    Column("name_key", String(100), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("table_id", String(64), ForeignKey("venue_tables.id")),
    Column("told_by", String(120), nullable=False, server_default=""),
    Column("order_id", String(64), nullable=False, server_default=""),
    Column("seen_at_ms", BigInteger, nullable=False),
)

links = Table(
    "links",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("venue_id", String(64), ForeignKey("venues.id"), nullable=False),
    Column("role", String(8), nullable=False, server_default="pos"),
    Column("connector", String(64), nullable=False),
    Column("document", Text, nullable=False),
    Column("paused_cause", String(40), nullable=False, server_default=""),
    Column("not_before_ms", BigInteger, nullable=False, server_default=text("0")),
    # A venue has at most one POS, and any number of channels.
    Index(
        "uq_links_pos",
        "venue_id",
        unique=True,
        sqlite_where=text("role = 'pos'"),
        postgresql_where=text("role = 'pos'"),
    ),
    Index("ix_links_venue_id", "venue_id"),
)

link_codes = Table(
    "link_codes",
    metadata,
    Column("link_id", String(64), ForeignKey("links.id"), primary_key=True),
    Column("code_table", String(40), primary_key=True),
    Column("code_id", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("detail", String(200), nullable=False, server_default=""),
)

link_refs = Table(
    "link_refs",
    metadata,
    Column("link_id", String(64), ForeignKey("links.id"), primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("ref_key", String(200), primary_key=True),
    Column("vendor_id", String(200), nullable=False),
    # By day: what nobody used for as long as an order is kept is forgotten, for the key may be a guest's phone number.
    Column("used_at_ms", BigInteger, nullable=False, server_default=text("0")),
    Index("ix_link_refs_used_at_ms", "used_at_ms"),
)

link_tokens = Table(
    "link_tokens",
    metadata,
    Column("link_id", String(64), ForeignKey("links.id"), primary_key=True),
    Column("token", Text, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("hash", LargeBinary(32), nullable=False, unique=True),
    Column("shown", String(16), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("venue_id", String(64), ForeignKey("venues.id")),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("revoked_at_ms", BigInteger),
    # NULL: the hub's own limits.
    Column("requests_per_minute", Integer),
    Column("requests_per_day", Integer),
)

# Apart from the keys, so that noting a use does not make every process reload them.
key_uses = Table(
    "key_uses",
    metadata,
    Column("key_id", String(64), ForeignKey("api_keys.id"), primary_key=True),
    Column("last_used_at_ms", BigInteger, nullable=False),
)

# Requests by caller and window. Several processes lease parts of a window here; a single one saves the day's count.
request_use = Table(
    "request_use",
    metadata,
    Column("subject", String(120), primary_key=True),
    Column("window_seconds", Integer, primary_key=True),
    Column("slot", BigInteger, primary_key=True),
    Column("used", BigInteger, nullable=False),
    Index("ix_request_use_window_seconds_slot", "window_seconds", "slot"),
)

# A price that was told, and the order it is for. `order_document` is what will be ordered, `answer` what was told.
quotes = Table(
    "quotes",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("venue_id", String(64), ForeignKey("venues.id"), nullable=False),
    Column("principal", String(120), nullable=False),
    Column("order_document", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
    Column("forget_at_ms", BigInteger, nullable=False),
    Index("ix_quotes_forget_at_ms", "forget_at_ms"),
)

# What a POS has yet to be told about an item: the wanted state, not a list of changes. `due_at_ms` is NULL when only
# a person can help; `leased_until_ms` keeps two processes from telling at once.
availability_pushes = Table(
    "availability_pushes",
    metadata,
    Column("link_id", String(64), ForeignKey("links.id"), primary_key=True),
    Column("item_id", String(64), primary_key=True),
    Column("available", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("due_at_ms", BigInteger),
    Column("leased_until_ms", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("cause", String(40), nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    Index(
        "ix_availability_pushes_due",
        "due_at_ms",
        sqlite_where=text("due_at_ms IS NOT NULL"),
        postgresql_where=text("due_at_ms IS NOT NULL"),
    ),
)

orders = Table(
    "orders",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("venue_id", String(64), ForeignKey("venues.id"), nullable=False),
    Column("number", String(24), nullable=False, unique=True),
    # The natural key, "venue system order-id": holds for as long as the order exists. NULL when the caller gave none.
    Column("origin", String(400), unique=True),
    Column("fingerprint", LargeBinary(32), nullable=False),
    Column("version", Integer, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("updated_at_ms", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
    # NULL while the order is open; its time in the archive counts from here.
    Column("closed_at_ms", BigInteger),
    # SQLite uses it only for queries that hold its very words, and SQLAlchemy asks for `is_open = 1` there.
    # `is_open` stands in the index too, so that SQLite prefers it to the other indexes that begin with the venue.
    Index(
        "ix_orders_open",
        "is_open",
        "venue_id",
        "id",
        sqlite_where=text("is_open = 1"),
        postgresql_where=text("is_open"),
    ),
    Index("ix_orders_venue_id", "venue_id", "id"),
    Index("ix_orders_changed", "venue_id", "updated_at_ms", "id"),
    Index(
        "ix_orders_closed",
        "closed_at_ms",
        "id",
        sqlite_where=text("closed_at_ms IS NOT NULL"),
        postgresql_where=text("closed_at_ms IS NOT NULL"),
    ),
)

# A held order is not deleted when its time is over, whoever asks; a person releases it.
order_holds = Table(
    "order_holds",
    metadata,
    Column("order_id", String(64), ForeignKey("orders.id"), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("actor", String(120), nullable=False),
    Column("since_ms", BigInteger, nullable=False),
)

order_events = Table(
    "order_events",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("order_id", String(64), ForeignKey("orders.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("actor", String(120), nullable=False),
    Column("detail", Text, nullable=False),
    Index("ix_order_events_order_id", "order_id", "id"),
)

# One lane per link and order: mutex, first-in-first-out counter and wake-up in one row. `due_at_ms` is when the
# lane's head may be worked; while it is leased it is the end of the lease; NULL means nothing is waiting.
# `operation` is the head's, so that a breaker can hold back one kind of call.
lanes = Table(
    "lanes",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("link_id", String(64), ForeignKey("links.id"), nullable=False),
    Column("order_id", String(64), ForeignKey("orders.id"), nullable=False),
    Column("next_seq", Integer, nullable=False),
    Column("operation", String(40), nullable=False),
    Column("due_at_ms", BigInteger),
    Column("lease_owner", String(64)),
    Column("lease_epoch", Integer, nullable=False),
    UniqueConstraint("order_id", "link_id"),
    Index(
        "ix_lanes_due",
        "link_id",
        "due_at_ms",
        "id",
        sqlite_where=text("due_at_ms IS NOT NULL"),
        postgresql_where=text("due_at_ms IS NOT NULL"),
    ),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("lane_id", String(64), ForeignKey("lanes.id"), nullable=False),
    Column("order_id", String(64), ForeignKey("orders.id"), nullable=False),
    Column("link_id", String(64), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("operation", String(40), nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    # The change it carries to the vendor, as JSON; empty for operations that carry none.
    Column("change", Text, nullable=False, server_default=""),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("deliver_by_ms", BigInteger, nullable=False),
    Column("first_sent_at_ms", BigInteger),
    Column("sent_at_ms", BigInteger),
    Column("absent_since_ms", BigInteger),
    Column("cause", String(40), nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    Column("losses", Text, nullable=False, server_default=""),
    Column("pos_cents", BigInteger),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("done_at_ms", BigInteger),
    UniqueConstraint("lane_id", "seq"),
    Index("ix_deliveries_order_id", "order_id"),
    Index(
        "ix_deliveries_open",
        "deliver_by_ms",
        sqlite_where=text("state IN ('pending', 'inflight', 'unknown')"),
        postgresql_where=text("state IN ('pending', 'inflight', 'unknown')"),
    ),
    Index(
        "ix_deliveries_stuck",
        "link_id",
        "created_at_ms",
        sqlite_where=text("state = 'dead'"),
        postgresql_where=text("state = 'dead'"),
    ),
)

order_refs = Table(
    "order_refs",
    metadata,
    Column("link_id", String(64), primary_key=True),
    Column("kind", String(24), primary_key=True),
    Column("vendor_id", String(200), primary_key=True),
    Column("order_id", String(64), ForeignKey("orders.id"), nullable=False),
    Column("noted_at_ms", BigInteger, nullable=False, server_default=text("0")),
    # What the vendor last said of it, in short, so that a poll reads only the orders that changed.
    Column("last_told", String(200), nullable=False, server_default=""),
    Index("ix_order_refs_order_id", "order_id"),
)

breakers = Table(
    "breakers",
    metadata,
    Column("link_id", String(64), primary_key=True),
    Column("operation", String(40), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("trips", Integer, nullable=False),
    Column("open_until_ms", BigInteger, nullable=False),
)

rate_use = Table(
    "rate_use",
    metadata,
    Column("budget", String(120), primary_key=True),
    Column("window_seconds", Integer, primary_key=True),
    Column("slot", BigInteger, primary_key=True),
    Column("used", Integer, nullable=False),
)

scheduled_runs = Table(
    "scheduled_runs",
    metadata,
    Column("job", String(80), primary_key=True),
    Column("slot", BigInteger, primary_key=True),
    Column("started_at_ms", BigInteger, nullable=False),
)

# One row, raised whenever venues, links, menus, sold-out lists or keys change, so that every process reloads.
revision = Table(
    "revision",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("value", BigInteger, nullable=False),
)

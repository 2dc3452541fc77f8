"""The tables of OAuth (which programs may use which API key) and of encrypted secrets."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, String, Table, Text, text

from hub.database.tables import metadata

# Programs that registered themselves. Those described by a document at their own address are not kept.
oauth_clients = Table(
    "oauth_clients",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("redirect_uris", Text, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("used_at_ms", BigInteger),
    Index("ix_oauth_clients_created_at_ms", "created_at_ms"),
)

# What somebody allowed a program: to act with the key of this SHA-256, for one purpose. Ends when the key is revoked or
# gets another value, or when it is misused.
oauth_grants = Table(
    "oauth_grants",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("client_id", String(500), nullable=False),
    Column("key_hash", LargeBinary(32), nullable=False),
    Column("scopes", String(200), nullable=False),
    Column("resource", String(500), nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
    Column("ended_at_ms", BigInteger),
    Index("ix_oauth_grants_expires_at_ms", "expires_at_ms"),
    Index("ix_oauth_grants_client_id", "client_id"),
)

# Codes, access tokens and refresh tokens, as SHA-256. `bound_to`: see `oauth.StoredToken`.
oauth_tokens = Table(
    "oauth_tokens",
    metadata,
    Column("hash", LargeBinary(32), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("grant_id", String(64), ForeignKey("oauth_grants.id"), nullable=False),
    Column("bound_to", Text, nullable=False, server_default=text("''")),
    Column("expires_at_ms", BigInteger, nullable=False),
    Column("used_at_ms", BigInteger),
    Index("ix_oauth_tokens_expires_at_ms", "expires_at_ms"),
    Index("ix_oauth_tokens_grant_id", "grant_id"),
)

# What `env:NAME` means where the environment does not say it; encrypted.
secrets = Table(
    "secrets",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("sealed", Text, nullable=False),
    Column("updated_at_ms", BigInteger, nullable=False),
)

"""Programs and what they were allowed: found by hash, used once, forgotten when their time is over."""

from sqlalchemy import select

from hub.database import oauth
from hub.database.access_tables import oauth_clients, oauth_grants, oauth_tokens
from hub.database.engine import Database
from hub.database.oauth import Grant, StoredToken, TokenKind
from hub.model.oauth import OAuthClient
from tests.database.stored import NOW

DAY = 86_400_000
GRANT = Grant(
    id="grant_1",
    client_id="client_1",
    key_hash=b"k" * 32,
    scopes=("read", "orders:write"),
    resource="https://pos.example.com/api/mcp",
    created_at_ms=NOW,
    expires_at_ms=NOW + DAY,
)
TOKEN = StoredToken(hash=b"h" * 32, kind=TokenKind.REFRESH, grant_id="grant_1", expires_at_ms=NOW + DAY)


def client(number: int, used_at_ms: int | None = None) -> OAuthClient:
    return OAuthClient(
        id=f"client_{number}",
        name="Agent",
        redirect_uris=("https://a.example/cb", "http://localhost/cb"),
        created_at_ms=NOW + number,
        used_at_ms=used_at_ms,
    )


def allow(database: Database, grant: Grant = GRANT, token: StoredToken = TOKEN) -> None:
    database.run_now(lambda c: oauth.insert_grant(c, grant))
    database.run_now(lambda c: oauth.insert_token(c, token))


def clients(database: Database) -> list[str]:
    query = select(oauth_clients.c.id).order_by(oauth_clients.c.created_at_ms)
    return list(database.read_now(lambda c: c.execute(query).scalars().all()))


def test_a_client_a_grant_and_a_token_come_back_as_they_went_in(database: Database) -> None:
    allow(database)
    database.run_now(lambda c: oauth.insert_client(c, client(1)))
    assert database.read_now(lambda c: oauth.find_client(c, "client_1")) == client(1)
    assert database.read_now(lambda c: oauth.find_client(c, "client_2")) is None
    assert database.read_now(lambda c: oauth.find_token(c, b"h" * 32, TokenKind.REFRESH)) == (TOKEN, GRANT)
    assert database.read_now(lambda c: oauth.find_token(c, b"h" * 32, TokenKind.ACCESS)) is None


def test_a_token_is_used_once(database: Database) -> None:
    allow(database)
    assert database.run_now(lambda c: oauth.use_token(c, TOKEN.hash, NOW)) is True
    assert database.run_now(lambda c: oauth.use_token(c, TOKEN.hash, NOW)) is False


def test_of_programs_nobody_used_the_oldest_go_when_there_are_too_many(database: Database) -> None:
    for number in range(5):
        database.run_now(lambda c, n=number: oauth.insert_client(c, client(n, used_at_ms=NOW if n == 0 else None)))
    database.run_now(lambda c: oauth.delete_oldest_unused(c, 4))
    assert clients(database) == ["client_0", "client_1", "client_2", "client_3", "client_4"]
    database.run_now(lambda c: oauth.delete_oldest_unused(c, 2))
    assert clients(database) == ["client_0", "client_3", "client_4"]


def test_what_is_over_is_forgotten_and_nothing_else(database: Database) -> None:
    allow(database)
    for number, used_at_ms in ((1, NOW), (2, NOW), (3, None)):
        database.run_now(lambda c, n=number, u=used_at_ms: oauth.insert_client(c, client(n, u)))

    def forget(now_ms: int) -> None:
        database.run_now(
            lambda c: oauth.delete_expired(c, now_ms=now_ms, unused_since_ms=now_ms - DAY, idle_since_ms=now_ms - DAY)
        )

    forget(NOW + DAY - 1)
    assert clients(database) == ["client_1", "client_2", "client_3"]
    assert database.read_now(lambda c: oauth.find_token(c, TOKEN.hash, TokenKind.REFRESH)) is not None
    database.run_now(lambda c: oauth.prolong_grant(c, "grant_1", NOW + 2 * DAY))
    forget(NOW + DAY + 10)
    assert clients(database) == ["client_1"]  # its grant lives on
    forget(NOW + 2 * DAY)
    assert clients(database) == []
    for table in (oauth_grants, oauth_tokens):
        assert database.read_now(lambda c, t=table: c.execute(select(t)).all()) == []

"""API keys are shown once, kept as a hash, and allow what their scopes say."""

import hashlib

import pytest
from msgspec import structs
from sqlalchemy import create_engine

from hub.database import directory as stored
from hub.database.tables import metadata, revision
from hub.errors import Forbidden, InvalidRequest, NotFound, Unauthorized
from hub.services.directory import Directory
from hub.services.keys import (
    SCOPES,
    Access,
    OwnLimits,
    allows,
    authenticate,
    create_key,
    hash_of,
    require,
    require_venue,
    revoke_key,
)
from hub.services.requests import Caller
from tests.database.stored import NOW, VENUE, counting_ids

WANTED = ("orders:read", "orders:write", "menu:read", "menu:write", "customers:read", "customers:write")

# Which of WANTED each scope allows, as the OpenPOS page has them.
TABLE = {
    "read": {"orders:read", "menu:read", "customers:read"},
    "write": {"orders:write", "menu:write", "customers:write"},
    "orders:read": {"orders:read"},
    "orders:write": {"orders:write"},
    "menu:read": {"menu:read"},
    "menu:write": {"menu:write"},
    "customers:read": {"customers:read"},
}


class Keys:
    """A directory that knows some keys."""

    def __init__(self, *keys: stored.StoredKey) -> None:
        self._keys = {key.hash: key for key in keys}

    def key(self, key_hash: bytes) -> stored.StoredKey | None:
        return self._keys.get(key_hash)


KEY = stored.StoredKey(
    id="key_1",
    name="till",
    hash=hashlib.sha256(b"sk_abc").digest(),
    shown="sk_abc…",
    scopes=("orders:read",),
    venue_id="loc_1",
    created_at_ms=NOW,
)


def who(authorization: str | None) -> Caller:
    keys: Directory = Keys(KEY)  # type: ignore[assignment]
    return authenticate(keys, authorization, "203.0.113.5")


def test_the_scopes_are_those_of_the_openpos_page() -> None:
    assert set(SCOPES) == set(TABLE)


@pytest.mark.parametrize("scope", TABLE)
@pytest.mark.parametrize("wanted", WANTED)
def test_a_scope_allows_what_the_table_says(scope: str, wanted: str) -> None:
    assert allows([scope], wanted) is (wanted in TABLE[scope])


def test_no_scope_allows_nothing_and_several_add_up() -> None:
    assert not allows([], "orders:read")
    assert allows(["menu:read", "orders:write"], "orders:write")


def test_a_key_is_recognised_by_its_hash() -> None:
    caller = who("Bearer sk_abc")
    assert caller == Caller(id="key_1", name="till", scopes=frozenset({"orders:read"}), venue_id="loc_1")
    assert not caller.is_anonymous
    assert who("bearer  sk_abc ").id == "key_1"


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "Bearer sk_abd", "sk_abc", "Basic sk_abc"])
def test_anything_else_in_the_header_is_refused_as_the_openpos_page_words_it(authorization: str) -> None:
    with pytest.raises(Unauthorized, match=r"^Missing or invalid API key$"):
        who(authorization)


def test_without_the_header_a_caller_is_anonymous_and_told_apart_by_address() -> None:
    caller = who(None)
    assert (caller.id, caller.name, caller.scopes, caller.venue_id) == (
        "anonymous:203.0.113.5",
        "web",
        frozenset(),
        None,
    )
    assert caller.is_anonymous


def test_a_scope_is_required_of_whoever_calls() -> None:
    require(who("Bearer sk_abc"), "orders:read")
    with pytest.raises(Forbidden, match="orders:write") as raised:
        require(who("Bearer sk_abc"), "orders:write")
    assert (raised.value.status, raised.value.code) == (403, "SCOPE_MISSING")
    with pytest.raises(Unauthorized) as refused:
        require(who(None), "orders:read")
    assert refused.value.status == 401


def test_a_key_that_is_bound_to_a_venue_sees_no_other() -> None:
    require_venue(who("Bearer sk_abc"), "loc_1")
    require_venue(who(None), "loc_2")
    with pytest.raises(Forbidden) as raised:
        require_venue(who("Bearer sk_abc"), "loc_2")
    assert raised.value.code == "LOCATION_FORBIDDEN"


def test_a_key_is_shown_once_and_kept_as_its_sha_256() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        metadata.create_all(connection)
        connection.execute(revision.insert(), [{"id": 1, "value": 0}])
        stored.save_venue(connection, VENUE)
        made = {"venue_id": VENUE.id, "secret": "s" * 40, "new_id": counting_ids(), "now_ms": NOW}
        key = create_key(connection, name="till", scopes=("orders:write",), **made)  # type: ignore[arg-type]
        assert key == "sk_" + "s" * 40
        [kept] = stored.load_keys(connection)
        assert kept.hash == hash_of(key) == hashlib.sha256(key.encode()).digest()
        assert (kept.scopes, kept.venue_id, kept.shown) == (("orders:write",), VENUE.id, "sk_sssss…")
        with pytest.raises(InvalidRequest, match="there is a key 'till' already"):
            create_key(connection, name="till", scopes=("read",), **made)  # type: ignore[arg-type]
        with pytest.raises(InvalidRequest, match="'admin' is none of read, write"):
            create_key(connection, name="other", scopes=("read", "admin"), **made)  # type: ignore[arg-type]
        revoke_key(connection, "till", NOW)
        with pytest.raises(NotFound):
            revoke_key(connection, "till", NOW)
    engine.dispose()


def test_a_key_without_scopes_may_read() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        metadata.create_all(connection)
        connection.execute(revision.insert(), [{"id": 1, "value": 0}])
        create_key(connection, name="n", scopes=(), venue_id=None, secret="x", new_id=counting_ids(), now_ms=NOW)
        assert stored.load_keys(connection)[0].scopes == ("read",)
    engine.dispose()


@pytest.mark.parametrize("limits", [OwnLimits(0, None), OwnLimits(None, -1), OwnLimits(10**10, None)])
def test_a_limit_below_one_or_beyond_reason_is_refused(limits: OwnLimits) -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        metadata.create_all(connection)
        made = {"scopes": ("read",), "venue_id": None, "secret": "x", "new_id": counting_ids(), "now_ms": NOW}
        with pytest.raises(InvalidRequest, match="must be from 1 to"):
            create_key(connection, name="n", limits=limits, **made)  # type: ignore[arg-type]
        with pytest.raises(InvalidRequest, match="name: must be"):
            create_key(connection, name="a\nb", **made)  # type: ignore[arg-type]
    engine.dispose()


def test_the_levels_of_access_are_those_of_the_openpos_page() -> None:
    assert {level: list(level.scopes) for level in Access} == {"read-only": ["read"], "read-write": ["read", "write"]}


def test_a_caller_brings_the_limits_of_its_key() -> None:
    keys: Directory = Keys(structs.replace(KEY, requests_per_minute=7))  # type: ignore[assignment]
    caller = authenticate(keys, "Bearer sk_abc", "203.0.113.5")
    assert (caller.requests_per_minute, caller.requests_per_day) == (7, None)

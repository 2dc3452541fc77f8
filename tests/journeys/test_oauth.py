"""OAuth, as hosts use it that cannot send a key: found, asked for, allowed, used, renewed and ended."""

import asyncio
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx2
import pytest
from mcp.client import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from tests.journeys.agents import MODES
from tests.journeys.conftest import POSTGRES, SQLITE, NewStage
from tests.journeys.oauth_site import BACK, PublicHub, told
from tests.journeys.running import wait_for
from tests.journeys.site import KEY, READ_KEY, bearer, key
from tests.journeys.test_limits import KIOSK, OTHER


@pytest.fixture(scope="module", params=[SQLITE, POSTGRES])
def hub(request: pytest.FixtureRequest, new_shared_stage: NewStage) -> Iterator[PublicHub]:
    hub = PublicHub(new_shared_stage(request.param).site)
    yield hub
    hub.close()
    assert "Traceback" not in hub.site.logs()


class Storage:
    """What a program remembers."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


def connect(hub: PublicHub, mode: str, storage: Storage, key: str = KEY) -> list[str]:
    """The official Python client finds its way in by itself; a person allows it. Gives the tools it sees."""
    sent_to: list[str] = []

    async def send_person(address: str) -> None:
        sent_to.append(address)

    async def come_back() -> AuthorizationCodeResult:
        answer = await asyncio.to_thread(hub.person().allow, sent_to[-1], key)
        return AuthorizationCodeResult(code=answer["code"], state=answer["state"], iss=answer["iss"])

    async def session() -> list[str]:
        metadata = OAuthClientMetadata(redirect_uris=[BACK], client_name="Python Agent")  # type: ignore[list-item]
        auth = OAuthClientProvider(hub.resource, metadata, storage, send_person, come_back)
        async with (
            httpx2.AsyncClient(auth=auth, trust_env=False) as http,
            Client(streamable_http_client(hub.resource, http_client=http), mode=mode) as client,
        ):
            assert not (await client.call_tool("get_stores", {})).is_error
            return [tool.name for tool in (await client.list_tools()).tools]

    return asyncio.run(session())


@pytest.mark.parametrize("mode", MODES)
def test_the_official_client_connects_by_itself_and_somebody_allows_it(hub: PublicHub, mode: str) -> None:
    storage = Storage()
    assert connect(hub, mode, storage) == [tool["name"] for tool in hub.client.get("/api/mcp").json()["tools"]]
    assert storage.tokens is not None
    assert storage.tokens.scope == "read write"
    assert storage.tokens.expires_in == 3600


def test_the_documents_are_where_programs_look_and_name_each_other(hub: PublicHub) -> None:
    refused = hub.client.post("/api/mcp", json={"method": "tools/list"})
    challenge = refused.headers["WWW-Authenticate"]
    assert refused.status_code == 401
    metadata = f"{hub.url}/.well-known/oauth-protected-resource/api/mcp"
    assert challenge == f'Bearer realm="openpos", resource_metadata="{metadata}", scope="read write"'
    wrong = hub.client.post("/api/mcp", json={"method": "tools/list"}, headers=bearer("oat_wrong"))
    assert wrong.headers["WWW-Authenticate"].endswith(', error="invalid_token"')
    for path in ("/.well-known/oauth-protected-resource/api/mcp", "/.well-known/oauth-protected-resource"):
        document = hub.client.get(path).raise_for_status().json()
        assert (document["resource"], document["authorization_servers"]) == (hub.resource, [hub.url])
    for path in ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"):
        document = hub.client.get(path).raise_for_status().json()
        assert document["issuer"] == hub.url
        assert document["code_challenge_methods_supported"] == ["S256"]
        assert document["token_endpoint_auth_methods_supported"] == ["none"]
        assert document["authorization_response_iss_parameter_supported"] is True
        assert all(document[f"{name}_endpoint"].startswith(hub.url + "/oauth/") for name in ("token", "registration"))


def test_a_program_may_do_what_was_asked_for_and_what_the_key_may_and_no_more(hub: PublicHub) -> None:
    client_id = hub.register()
    given = hub.tokens(client_id, READ_KEY, scope="read write")
    assert (given["token_type"], given["expires_in"], given["scope"]) == ("Bearer", 3600, "read")
    assert hub.use(given["access_token"]).status_code == 200
    refused = hub.use(given["access_token"], "86_item", {"storeSlug": "kiosk", "itemId": "item_x"})
    assert (refused.status_code, refused.json()["code"]) == (403, "SCOPE_MISSING")
    narrow = hub.tokens(client_id, KEY, scope="orders:read")
    assert narrow["scope"] == "orders:read"
    assert hub.use(narrow["access_token"]).json()["code"] == "SCOPE_MISSING"
    assert hub.tokens(client_id, KEY)["scope"] == "read write"


def test_a_token_works_at_the_agents_endpoint_only_and_only_in_the_header(hub: PublicHub) -> None:
    token = hub.tokens(hub.register())["access_token"]
    assert hub.client.get("/api/v1/stores", headers=bearer(token)).status_code == 401
    asked = hub.client.post(f"/api/mcp?access_token={token}", json={"method": "tools/list"})
    assert asked.status_code == 401


def test_requests_with_a_token_count_as_those_of_the_key(hub: PublicHub) -> None:
    token = hub.tokens(hub.register(), READ_KEY)["access_token"]
    before = int(hub.client.get("/api/v1/stores", headers=bearer(READ_KEY)).headers["X-RateLimit-Remaining"])
    after = int(hub.use(token).headers["X-RateLimit-Remaining"])
    assert after == before - 1


def test_revoking_the_key_ends_its_tokens_at_once(hub: PublicHub) -> None:
    made = hub.site.run("keys", "create", "short-lived", "--access", "read-only")
    key = made.stdout.split()[0]
    wait_for(lambda: hub.client.get("/api/v1/stores", headers=bearer(key)).status_code == 200, "the hub knows the key")
    client_id = hub.register()
    given = hub.tokens(client_id, key)
    assert hub.use(given["access_token"]).status_code == 200
    assert hub.site.run("keys", "revoke", "short-lived").returncode == 0
    wait_for(lambda: hub.use(given["access_token"]).status_code == 401, "the token has ended")
    again = hub.refresh(client_id, given["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


def test_a_key_of_one_store_opens_no_other_and_its_tokens_end_when_it_gets_another_value(hub: PublicHub) -> None:
    def declare(value: str) -> None:
        hub.site.environment_more["KIOSK_KEY"] = value
        hub.site.apply(KIOSK, OTHER, key("of-the-kiosk", "KIOSK_KEY", ["read", "write"], "kiosk"))
        wait_for(lambda: hub.client.get("/api/v1/stores", headers=bearer(value)).status_code == 200, "the key works")

    before, after = "sk_" + "b" * 30, "sk_" + "a" * 30
    declare(before)
    client_id = hub.register()
    given = hub.tokens(client_id, before, scope="read write")
    menus = {slug: hub.client.get(f"/api/v1/stores/{slug}/menu").json()["menu"] for slug in ("kiosk", "other")}
    orders = {
        slug: {"storeSlug": slug, "orderType": "pickup", "items": [{"itemId": _first_item(menu), "quantity": 1}]}
        for slug, menu in menus.items()
    }
    assert hub.use(given["access_token"], "create_order", orders["kiosk"]).status_code == 200
    refused = hub.use(given["access_token"], "create_order", orders["other"])
    assert (refused.status_code, refused.json()["code"]) == (403, "LOCATION_FORBIDDEN")
    declare(after)
    assert hub.use(given["access_token"]).status_code == 401
    assert hub.refresh(client_id, given["refresh_token"]).json()["error"] == "invalid_grant"
    assert hub.use(hub.tokens(client_id, after)["access_token"]).status_code == 200


def _first_item(menu: dict[str, Any]) -> str:
    item_id: str = menu["categories"][0]["items"][0]["id"]
    return item_id


def test_a_program_can_give_its_tokens_back(hub: PublicHub) -> None:
    client_id = hub.register()
    given = hub.tokens(client_id)
    form = {"token": given["access_token"], "client_id": client_id}
    assert hub.client.post("/oauth/revoke", data={**form, "client_id": hub.register()}).status_code == 200
    assert hub.use(given["access_token"]).status_code == 200
    assert hub.client.post("/oauth/revoke", data=form).status_code == 200
    assert hub.use(given["access_token"]).status_code == 401
    newer = hub.refresh(client_id, given["refresh_token"]).json()
    form = {"token": newer["refresh_token"], "client_id": client_id}
    assert hub.client.post("/oauth/revoke", data=form).status_code == 200
    assert hub.use(newer["access_token"]).status_code == 401
    assert hub.client.post("/oauth/revoke", data={"token": "nonsense", "client_id": "x"}).status_code == 200


def test_somebody_may_say_no(hub: PublicHub) -> None:
    person = hub.person()
    page = person.open(hub.asking(hub.register()))
    answer = person.decide(person.fields(page), decision="deny")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(BACK + "?")
    assert told(answer) == {"error": "access_denied", "state": "a state & more", "iss": hub.url}


def test_a_wrong_key_asks_again_and_says_so(hub: PublicHub) -> None:
    person = hub.person()
    page = person.open(hub.asking(hub.register()))
    answer = person.decide(person.fields(page), decision="allow", api_key="sk_wrong")
    assert answer.status_code == 403
    assert "That is not a working API key." in answer.text
    assert "sk_wrong" not in answer.text
    assert person.decide(person.fields(answer), decision="allow", api_key=KEY).status_code == 303


def test_the_page_says_who_asks_where_it_leads_and_for_what_and_loads_nothing(hub: PublicHub) -> None:
    name = '"><script>alert(1)</script>Evil & Sons'
    client_id = hub.register("https://agent.example:8443/cb?x=1", name=name)
    page = hub.person().open(hub.asking(client_id, redirect_uri="https://agent.example:8443/cb?x=1", scope="menu:read"))
    assert page.status_code == 200
    assert "<script" not in page.text
    assert "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;Evil &amp; Sons" in page.text
    assert "<strong>agent.example:8443</strong>" in page.text
    assert "see menus (menu:read)" in page.text
    assert 'name="viewport"' in page.text
    assert re.search(r"""(src|href|action)\s*=|url\(|@import""", page.text) is None
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'; style-src 'sha256-" in policy
    assert "form-action 'self' https://agent.example:8443; frame-ancestors 'none'; base-uri 'none'" in policy
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "same-origin"
    cookie = page.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie
    assert "script" not in policy


def test_nothing_secret_is_recorded(hub: PublicHub) -> None:
    client_id = hub.register()
    state = "state-that-nobody-records"
    code = hub.code(client_id, state=state)
    given = hub.redeem(client_id, code).json()
    hub.use(given["access_token"])
    hub.refresh(client_id, given["refresh_token"])
    secrets = (code, given["access_token"], given["refresh_token"], KEY, state)

    def recorded() -> str:
        return _recorded(hub)

    wait_for(lambda: recorded().count("oauth.token") >= 2, "the calls are recorded")
    text = recorded() + hub.site.logs()
    assert [secret for secret in secrets if secret in text] == []
    stored = json.dumps(
        [hub.site.rows(f"SELECT * FROM {name}") for name in ("oauth_tokens", "oauth_grants")], default=str
    )
    assert [secret for secret in secrets if secret in stored] == []


def _recorded(hub: PublicHub) -> str:
    """All recorded calls as text."""
    if hub.site.database_url:
        names = [row[0] for row in hub.site.rows("SELECT tablename FROM pg_tables WHERE tablename LIKE 'calls%'")]
        return "".join(str(hub.site.rows(f"SELECT * FROM {name}")) for name in names)
    with closing(sqlite3.connect(hub.site.data / "calls.sqlite")) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return "".join(str(connection.execute(f"SELECT * FROM {name}").fetchall()) for name in names)


def test_without_a_public_address_there_is_no_oauth(new_stage: NewStage) -> None:
    site = new_stage().site
    site.apply()
    server = site.serve()
    for path in ("/.well-known/oauth-protected-resource/api/mcp", "/.well-known/oauth-authorization-server"):
        assert server.client.get(path).status_code == 404
    assert server.client.post("/oauth/register", json={"redirect_uris": [BACK]}).status_code == 404
    refused = server.client.post("/api/mcp", json={"method": "tools/list"}, headers=bearer("oat_x"))
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="openpos"'

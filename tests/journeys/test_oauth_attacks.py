"""OAuth against those who want in: stolen codes and tokens, other people's addresses, forged forms."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.journeys.conftest import NewStage
from tests.journeys.oauth_site import BACK, PublicHub, challenge_of, told
from tests.journeys.site import KEY

OTHER_BACK = "http://127.0.0.1:33418/other"


@pytest.fixture(scope="module")
def hub(new_shared_stage: NewStage) -> Iterator[PublicHub]:
    hub = PublicHub(new_shared_stage().site)
    yield hub
    hub.close()
    assert "Traceback" not in hub.site.logs()


def test_a_code_works_once_and_a_second_use_ends_what_the_first_one_gave(hub: PublicHub) -> None:
    client_id = hub.register()
    code = hub.code(client_id)
    given = hub.redeem(client_id, code).json()
    assert hub.use(given["access_token"]).status_code == 200
    again = hub.redeem(client_id, code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert hub.use(given["access_token"]).status_code == 401
    assert hub.refresh(client_id, given["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_refresh_token_works_once_and_a_second_use_ends_everything(hub: PublicHub) -> None:
    client_id = hub.register()
    first = hub.tokens(client_id)
    second = hub.refresh(client_id, first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert hub.use(second["access_token"]).status_code == 200
    stolen = hub.refresh(client_id, first["refresh_token"])
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")
    assert hub.use(first["access_token"]).status_code == 401
    assert hub.use(second["access_token"]).status_code == 401
    assert hub.refresh(client_id, second["refresh_token"]).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_verifier": "another-verifier-that-is-long-enough-0123456789"}, "invalid_grant"),
        ({"code_verifier": "short"}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"redirect_uri": OTHER_BACK}, "invalid_grant"),
        ({"redirect_uri": ""}, "invalid_request"),
        ({"resource": "https://other.example/api/mcp"}, "invalid_target"),
        ({"client_id": "client_00000000000000000000000000000000"}, "invalid_grant"),
        ({"client_id": ""}, "invalid_request"),
        ({"code": "oac_guessed"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
    ],
)
def test_a_code_gives_nothing_with_anything_else_than_it_was_made_for(
    hub: PublicHub, changed: dict[str, str], error: str
) -> None:
    client_id = hub.register(BACK, OTHER_BACK)
    answer = hub.redeem(client_id, hub.code(client_id), **changed)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert "access_token" not in answer.json()
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_wrong_guess_uses_the_code_up(hub: PublicHub) -> None:
    client_id = hub.register()
    code = hub.code(client_id)
    assert hub.redeem(client_id, code, code_verifier="another-verifier-0123456789-0123456789-0123").status_code == 400
    assert hub.redeem(client_id, code).json()["error"] == "invalid_grant"


def test_another_program_gets_nothing_for_a_code_or_a_refresh_token(hub: PublicHub) -> None:
    mine, theirs = hub.register(), hub.register()
    assert hub.redeem(theirs, hub.code(mine)).json()["error"] == "invalid_grant"
    given = hub.tokens(mine)
    assert hub.refresh(theirs, given["refresh_token"]).json()["error"] == "invalid_grant"
    assert hub.refresh(mine, given["refresh_token"]).status_code == 200


def test_a_refresh_token_is_no_access_token_and_the_other_way_round(hub: PublicHub) -> None:
    client_id = hub.register()
    given = hub.tokens(client_id)
    assert hub.use(given["refresh_token"]).status_code == 401
    assert hub.refresh(client_id, given["access_token"]).json()["error"] == "invalid_grant"
    assert hub.redeem(client_id, given["refresh_token"]).json()["error"] == "invalid_grant"


def test_refreshing_can_ask_for_less_but_not_for_more_or_for_elsewhere(hub: PublicHub) -> None:
    client_id = hub.register()
    given = hub.tokens(client_id, scope="read")
    fewer = hub.refresh(client_id, given["refresh_token"], scope="menu:read").json()
    assert fewer["scope"] == "menu:read"
    assert hub.use(fewer["access_token"], "get_order", {"orderId": "KI-001"}).json()["code"] == "SCOPE_MISSING"
    more = hub.refresh(client_id, fewer["refresh_token"], scope="write")
    assert more.json()["error"] == "invalid_scope"
    given = hub.tokens(client_id)
    elsewhere = hub.refresh(client_id, given["refresh_token"], resource="https://other.example/")
    assert elsewhere.json()["error"] == "invalid_target"


def test_codes_and_tokens_end_with_their_time(hub: PublicHub) -> None:
    client_id = hub.register()
    code = hub.code(client_id)
    hub.site.travel(seconds=61)
    assert hub.redeem(client_id, code).json()["error"] == "invalid_grant"
    given = hub.tokens(client_id)
    hub.site.travel(minutes=61)
    assert hub.use(given["access_token"]).status_code == 401
    given = hub.refresh(client_id, given["refresh_token"]).json()
    assert hub.use(given["access_token"]).status_code == 200
    hub.site.travel(days=31)
    assert hub.refresh(client_id, given["refresh_token"]).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "https://evil.example/callback",
        BACK + "/",
        BACK + "?x=1",
        BACK + "#x",
        "http://127.0.0.1:33418/callback/../x",
        "http://127.0.0.1:33418.evil.example/callback",
        "http://127.0.0.1:33418@evil.example/callback",
        "//evil.example/callback",
        "javascript:alert(1)",
        "",
    ],
)
@pytest.mark.parametrize("decision", ["allow", "deny"])
def test_nobody_is_sent_to_an_address_the_program_has_not_registered(
    hub: PublicHub, redirect_uri: str, decision: str
) -> None:
    client_id = hub.register()
    person = hub.person()
    page = person.open(hub.asking(client_id, redirect_uri=redirect_uri))
    assert page.status_code == 400
    assert "Location" not in page.headers
    assert "<form" not in page.text
    good = person.fields(person.open(hub.asking(client_id)))
    answer = person.decide({**good, "redirect_uri": redirect_uri}, decision=decision, api_key=KEY)
    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_a_program_on_the_person_s_machine_may_listen_on_any_port(hub: PublicHub) -> None:
    client_id = hub.register("http://localhost/callback")
    elsewhere = "http://localhost:51234/callback"
    code = hub.person().allow(hub.asking(client_id, redirect_uri=elsewhere), KEY)["code"]
    assert hub.redeem(client_id, code, redirect_uri=elsewhere).status_code == 200
    assert hub.person().open(hub.asking(client_id, redirect_uri="http://localhost:1/other")).status_code == 400
    assert hub.person().open(hub.asking(client_id, redirect_uri="http://127.0.0.1:1/callback")).status_code == 400


@pytest.mark.parametrize(
    "changed",
    [
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": ""},
        {"code_challenge": challenge_of("x") + "="},
        {"response_type": "token"},
        {"response_mode": "fragment"},
        {"resource": "https://other.example/api/mcp"},
        {"scope": "admin"},
        {"client_id": "client_unknown"},
        {"client_id": ""},
    ],
)
def test_what_is_asked_for_wrongly_is_said_on_the_page_and_leads_nowhere(
    hub: PublicHub, changed: dict[str, str]
) -> None:
    page = hub.person().open(hub.asking(hub.register(), **changed))
    assert page.status_code == 400
    assert "Location" not in page.headers
    assert "<form" not in page.text


def test_a_parameter_that_comes_twice_is_refused(hub: PublicHub) -> None:
    client_id = hub.register()
    page = hub.person().open(hub.asking(client_id) + "&client_id=" + client_id)
    assert page.status_code == 400
    content = f"grant_type=refresh_token&client_id={client_id}&client_id=x&refresh_token=ort_x"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = hub.client.post("/oauth/token", content=content, headers=headers)
    assert answer.json()["error"] == "invalid_request"


def test_a_form_without_the_page_s_cookie_is_not_taken(hub: PublicHub) -> None:
    address = hub.asking(hub.register())
    attacker, victim = hub.person(), hub.person()
    form = attacker.fields(attacker.open(address))
    forged = victim.decide(form, decision="allow", api_key=KEY)
    assert forged.status_code == 403
    assert "Location" not in forged.headers
    victim.open(address)
    assert victim.decide(form, decision="allow", api_key=KEY).status_code == 403
    assert victim.decide({**form, "proof": ""}, decision="deny").status_code == 403


def test_another_site_s_page_cannot_send_the_form(hub: PublicHub) -> None:
    person = hub.person()
    form = person.fields(person.open(hub.asking(hub.register())))
    for origin in ("https://evil.example", "null"):
        answer = person.http.post(
            "/oauth/authorize", data={**form, "decision": "allow", "api_key": KEY}, headers={"Origin": origin}
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "ORIGIN_FORBIDDEN")


def test_what_was_shown_and_what_is_sent_must_not_differ_in_more_than_the_form_can_say(hub: PublicHub) -> None:
    mine, theirs = hub.register(), hub.register("https://evil.example/cb", name="Evil")
    person = hub.person()
    form = person.fields(person.open(hub.asking(mine)))
    answer = person.decide({**form, "client_id": theirs}, decision="allow", api_key=KEY)
    assert answer.status_code == 400
    told_to = person.decide(form, decision="allow", api_key=KEY)
    assert told_to.headers["Location"].startswith(BACK + "?")
    assert told(told_to)["iss"] == hub.url


@pytest.mark.parametrize(
    "redirect",
    [
        "http://agent.example/cb",
        "https://agent.example/cb#x",
        "https://user@agent.example/cb",
        "javascript://agent.example/%0aalert(1)",
        "data:text/html,x",
        "agent.example/cb",
        "https://agent.example;form-action *",
        "https://agent.example:99999/cb",
        "https:///cb",
        "https://agent.example/" + "x" * 2000,
    ],
)
def test_a_program_cannot_register_an_address_that_is_not_safe(hub: PublicHub, redirect: str) -> None:
    body = {"redirect_uris": [redirect]}
    answer = hub.client.post("/oauth/register", json=body, headers=hub.from_elsewhere())
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_redirect_uri")


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"redirect_uris": "x"}', b'{"redirect_uris": []}'])
def test_a_registration_that_is_none_is_refused(hub: PublicHub, body: bytes) -> None:
    headers = {"Content-Type": "application/json"} | hub.from_elsewhere()
    answer = hub.client.post("/oauth/register", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"] in ("invalid_client_metadata", "invalid_redirect_uri")


def until_refused(ask: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """Ten are let in; a few more where a minute ends meanwhile, but never twice as many."""
    answers = [ask(0)]
    while answers[-1].status_code != 429:
        assert len(answers) <= 20
        answers.append(ask(len(answers)))
    return answers


def test_registering_and_guessing_keys_are_limited_by_address(hub: PublicHub) -> None:
    here = hub.from_elsewhere()
    answers = until_refused(lambda _: hub.client.post("/oauth/register", json={"redirect_uris": [BACK]}, headers=here))
    assert {answer.status_code for answer in answers[:-1]} == {201} and len(answers) >= 11
    assert int(answers[-1].headers["Retry-After"]) > 0
    person = hub.person()
    form = person.fields(person.open(hub.asking(hub.register())))
    answers = until_refused(lambda n: person.decide(form, decision="allow", api_key=f"sk_guess{n}"))
    assert {answer.status_code for answer in answers[:-1]} == {403} and len(answers) >= 11
    assert person.decide(form, decision="allow", api_key=KEY).status_code == 429


@pytest.mark.parametrize("client_id", ["https://127.0.0.1/client.json", "https://localhost/c", "https://a.example:8/c"])
def test_a_program_cannot_make_the_hub_look_into_its_own_network(hub: PublicHub, client_id: str) -> None:
    page = hub.person().open(hub.asking(client_id))
    assert page.status_code == 400
    assert "it must be at a public name" in page.text


def test_pages_may_be_framed_by_nobody_whatever_they_say(hub: PublicHub) -> None:
    for address in (hub.asking(hub.register()), "/oauth/authorize", hub.asking("client_unknown")):
        page = hub.person().open(address)
        assert page.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
        assert page.headers["Content-Type"].startswith("text/html")


def test_a_strange_host_name_is_refused(hub: PublicHub) -> None:
    for path in ("/oauth/authorize", "/.well-known/oauth-authorization-server"):
        answer = hub.client.get(path, headers={"Host": "evil.example"})
        assert (answer.status_code, answer.json()["code"]) == (403, "HOST_FORBIDDEN")

"""Programs described by a document at their own address."""

from collections.abc import Callable

import httpx
import pytest

from hub.services.oauth.client_documents import ClientDocuments
from hub.services.oauth.refusal import OAuthRefused
from tests.contract.ports import StandingClock

pytestmark = pytest.mark.anyio
ADDRESS = "https://agent.example/client.json"
DOCUMENT = {"client_id": ADDRESS, "client_name": "Agent\n\x07", "redirect_uris": ["https://agent.example/cb"]}
NOW = 1_795_000_000_000


def documents(answer: Callable[[httpx.Request], httpx.Response], clock: StandingClock | None = None) -> ClientDocuments:
    return ClientDocuments(httpx.MockTransport(answer), clock or StandingClock(NOW))


async def test_a_document_says_who_a_program_is_and_is_remembered_for_ten_minutes() -> None:
    asked: list[str] = []
    clock = StandingClock(NOW)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, json=DOCUMENT)

    found = documents(answer, clock)
    client = await found.find(ADDRESS)
    assert (client.id, client.name, client.redirect_uris) == (ADDRESS, "Agent", ("https://agent.example/cb",))
    await found.find(ADDRESS)
    assert asked == [ADDRESS]
    clock.advance(600)
    await found.find(ADDRESS)
    assert asked == [ADDRESS, ADDRESS]
    await found.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx.Response(302, headers={"Location": "http://10.0.0.1/"}), "its address answers 302"),
        (httpx.Response(404), "its address answers 404"),
        (httpx.Response(200, content=b"{" + b" " * 9000 + b"}"), "its document is too long"),
        (httpx.Response(200, content=b"<html>"), "its document cannot be understood"),
        (httpx.Response(200, json={"client_id": ADDRESS}), "its document cannot be understood"),
        (httpx.Response(200, json=DOCUMENT | {"client_id": ADDRESS + "/x"}), "its document is about another client_id"),
        (httpx.Response(200, json=DOCUMENT | {"token_endpoint_auth_method": "private_key_jwt"}), "prove who it is"),
        (httpx.Response(200, json=DOCUMENT | {"redirect_uris": ["http://agent.example/cb"]}), "must be https"),
    ],
)
async def test_a_document_that_does_not_fit_is_refused(answer: httpx.Response, words: str) -> None:
    with pytest.raises(OAuthRefused, match=words):
        await documents(lambda _request: answer).find(ADDRESS)


async def test_an_address_that_does_not_answer_is_refused() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("agent.example is not on the public internet")

    with pytest.raises(OAuthRefused, match="its address cannot be reached"):
        await documents(answer).find(ADDRESS)


@pytest.mark.parametrize(
    "address",
    [
        "https://agent.example",
        "https://agent.example/",
        "https://agent.example/a/../b",
        "https://agent.example/c#x",
        "https://user@agent.example/c",
        "https://agent.example:8443/c",
        "https://localhost/c",
        "https://10.0.0.1/c",
        "https://[::1]/c",
        "https://127.1/c",
        "https://agent.example/" + "x" * 500,
        "https://[x/c",
    ],
)
async def test_an_address_that_is_none_is_not_even_asked(address: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise AssertionError("it was asked")

    with pytest.raises(OAuthRefused):
        await documents(answer).find(address)

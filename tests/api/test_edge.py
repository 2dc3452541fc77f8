"""The outermost layer: limits and headers on every answer, host names, browsers' pages, slow bodies."""

import asyncio
from typing import Any

import httpx
import pytest
from litestar import Litestar, Request, get, post

from hub.api import edge as edge_module
from hub.api.admission import admission_of
from hub.api.edge import Edge
from hub.api.replies import framework_error
from hub.database.directory import StoredKey
from hub.services.keys import hash_of
from hub.services.limits import RequestRules
from tests.api.edges import NOW, Uses, edge
from tests.contract.ports import StandingClock

pytestmark = pytest.mark.anyio

SAFE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Keys:
    """Knows one key with a limit of its own."""

    def key(self, key_hash: bytes) -> StoredKey | None:
        if key_hash != hash_of("sk_three"):
            return None
        return StoredKey(
            id="key_1",
            name="k",
            hash=key_hash,
            shown="sk_",
            scopes=("read",),
            venue_id=None,
            created_at_ms=0,
            requests_per_minute=3,
        )


@get("/api/v1/stores")
async def stores(request: Request[Any, Any, Any]) -> str:
    return admission_of(request.scope).caller.id


@get("/framed", response_headers={"Content-Security-Policy": "default-src 'self'"})
async def framed() -> str:
    return ""


@get("/health")
async def health() -> str:
    return "ok"


@get("/broken")
async def broken() -> str:
    raise ValueError("sk_secret-detail-of-a-key-1234567890")


@post("/api/v1/orders")
async def order(request: Request[Any, Any, Any]) -> bytes:
    return await request.body()


class Door:
    """An application behind its edge, and callers at it."""

    def __init__(self, **values: Any) -> None:
        self.clock = StandingClock(NOW)
        self.uses = Uses()
        web = Litestar(
            [stores, framed, health, broken, order],
            exception_handlers={Exception: framework_error},
            openapi_config=None,
            logging_config=None,
        )
        values.setdefault("rules", RequestRules(per_minute=5))
        self.edge: Edge = edge(web, Keys(), clock=self.clock, uses=self.uses, uncounted=("/health",), **values)

    async def call(
        self,
        path: str = "/api/v1/stores",
        *,
        method: str = "GET",
        peer: str = "203.0.113.5",
        base: str = "http://hub",
        **headers: str,
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self.edge, raise_app_exceptions=False, client=(peer, 1))
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return await client.request(method, path, headers=named)


def limits(answer: httpx.Response) -> tuple[str | None, ...]:
    names = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after")
    return tuple(answer.headers.get(name) for name in names)


RESET = str(NOW // 60_000 * 60 + 60)


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/api/v1/stores", "GET", 200), ("/nothing", "GET", 404), ("/api/v1/stores", "PUT", 404), ("/broken", "GET", 500)],
)
async def test_every_answer_says_where_the_caller_stands(path: str, method: str, status: int) -> None:
    answer = await Door().call(path, method=method)
    assert (answer.status_code, limits(answer)) == (status, ("5", "4", RESET, None))
    assert {name: answer.headers[name] for name in SAFE} == SAFE
    assert "secret-detail" not in answer.text


async def test_over_the_limit_it_is_429_with_retry_after_until_the_window_ends() -> None:
    door = Door()
    answers = [await door.call() for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert limits(answers[5]) == ("5", "0", RESET, "20")
    assert answers[5].json() == {
        "error": "Too many requests: the limit of 5 is used up; wait 20 s",
        "code": "TOO_MANY_REQUESTS",
    }
    door.clock.advance(20)
    assert limits(await door.call()) == ("5", "4", str(int(RESET) + 60), None)


async def test_a_key_has_its_own_limit_and_its_use_is_noted() -> None:
    door = Door()
    answers = [await door.call(authorization="Bearer sk_three", peer=f"203.0.113.{n}") for n in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert limits(answers[0])[:2] == ("3", "2")
    assert door.uses.noted == ["key_1"] * 4


async def test_who_tries_keys_is_counted_by_address() -> None:
    door = Door()
    answers = [await door.call(authorization=f"Bearer sk_{n}") for n in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[0].json()["error"] == "Missing or invalid API key"
    assert answers[0].headers["www-authenticate"] == 'Bearer realm="openpos"'
    assert (await door.call(peer="203.0.113.6")).status_code == 200
    assert door.uses.noted == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:203.0.113.5", "203.0.113.5", True),
        ("203.0.113.5", "203.0.113.6", False),
    ],
)
async def test_an_ipv6_network_is_one_caller(one: str, other: str, same: bool) -> None:
    door = Door()
    await door.call(peer=one)
    assert limits(await door.call(peer=other))[1] == ("3" if same else "4")


async def test_a_forwarded_address_counts_only_behind_a_trusted_proxy() -> None:
    for trusted, expected in (((), "3"), (("203.0.113.0/24",), "4")):
        door = Door(trusted_proxies=trusted)
        await door.call(x_forwarded_for="198.51.100.1")
        assert limits(await door.call(x_forwarded_for="198.51.100.2"))[1] == expected


async def test_the_health_check_is_not_counted() -> None:
    door = Door()
    for _ in range(9):
        answer = await door.call("/health")
    assert (answer.status_code, limits(answer)) == (200, (None,) * 4)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://hub"}, 200),
        ({"origin": "http://hub:81"}, 403),
        ({"origin": "https://shop.example"}, 200),
        ({"origin": "http://evil.example", "host": "evil.example"}, 403),
        ({"sec_fetch_site": "same-origin", "host": "evil.example"}, 403),
        ({"sec_fetch_site": "same-origin", "host": "HUB:8000"}, 200),
        ({"host": "anything.example"}, 200),
        ({"origin": "http://192.0.2.1:8000", "host": "192.0.2.1:8000"}, 200),
        ({"origin": "http://[::1]:8000", "host": "[::1]:8000"}, 200),
        ({"origin": "http://localhost:8000", "host": "localhost:8000"}, 200),
    ],
)
async def test_only_our_own_and_named_pages_may_call(headers: dict[str, str], status: int) -> None:
    answer = await Door(origins=("https://shop.example",)).call(**headers)
    assert answer.status_code == status
    assert limits(answer)[1] == "4"


async def test_some_paths_are_for_known_host_names_only() -> None:
    door = Door(known_hosts_only=("/api/v1/stores",))
    answer = await door.call(host="anything.example")
    assert (answer.status_code, answer.json()["code"]) == (403, "HOST_FORBIDDEN")
    assert (await door.call(host="127.0.0.1:8000")).status_code == 200


async def test_a_named_page_may_read_the_answer_and_asks_first() -> None:
    door = Door(origins=("https://shop.example",))
    answer = await door.call(origin="https://shop.example")
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert "X-RateLimit-Remaining" in answer.headers["access-control-expose-headers"]
    assert answer.headers["vary"] == "Origin"
    asked = await door.call(
        method="OPTIONS", origin="https://shop.example", access_control_request_method="POST", path="/api/v1/orders"
    )
    assert asked.status_code == 204
    assert "Idempotency-Key" in asked.headers["access-control-allow-headers"]
    assert "POST" in asked.headers["access-control-allow-methods"]
    assert limits(asked)[1] == "4"
    refused = await door.call(method="OPTIONS", origin="https://evil.example", access_control_request_method="POST")
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in (await door.call(origin="http://hub")).headers


async def test_with_a_star_every_page_may_call() -> None:
    answer = await Door(origins=("*",)).call(origin="https://any.example")
    assert answer.headers["access-control-allow-origin"] == "https://any.example"


async def test_a_header_of_the_answer_s_own_stays() -> None:
    assert (await Door().call("/framed")).headers["content-security-policy"] == "default-src 'self'"


async def test_over_tls_browsers_are_told_to_stay_there() -> None:
    door = Door()
    assert "strict-transport-security" not in (await door.call()).headers
    assert (await door.call(base="https://hub")).headers["strict-transport-security"] == "max-age=31536000"


def posting() -> Any:
    """The scope of a request whose body comes in parts."""
    return {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/orders",
        "raw_path": b"/api/v1/orders",
        "query_string": b"",
        "headers": [(b"host", b"hub"), (b"transfer-encoding", b"chunked")],
        "client": ("203.0.113.5", 1),
        "server": ("hub", 80),
        "scheme": "http",
        "http_version": "1.1",
        "root_path": "",
        "state": {},
        "extensions": {},
    }


async def test_a_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_module, "_BODY_SECONDS", 0.01)
    sent: list[Any] = []
    parts = iter([{"type": "http.request", "body": b"{", "more_body": True}])

    async def receive() -> Any:
        part = next(parts, None)
        return part if part is not None else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    await Door().edge(posting(), receive, send)
    assert sent[0]["status"] == 400
    assert b"BODY_TOO_SLOW" in sent[1]["body"]
    assert (b"connection", b"close") in sent[0]["headers"]


async def test_a_body_is_taken_whole_whether_its_parts_are_there_or_come_later() -> None:
    sent: list[Any] = []
    parts = asyncio.Queue[bytes]()
    parts.put_nowait(b"there ")

    async def receive() -> Any:
        part = await parts.get()
        return {"type": "http.request", "body": part, "more_body": part != b"end"}

    async def send(message: Any) -> None:
        sent.append(message)

    answering = asyncio.create_task(Door().edge(posting(), receive, send))
    for part in (b"later ", b"end"):
        await asyncio.sleep(0)
        parts.put_nowait(part)
    await answering
    assert sent[1]["body"] == b"there later end"


async def test_who_waits_for_a_body_stops_waiting_when_the_request_is_given_up() -> None:
    ended: list[str] = []

    async def receive() -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("receive")

    async def send(message: Any) -> None: ...

    answering = asyncio.create_task(Door().edge(posting(), receive, send))
    await asyncio.sleep(0)
    answering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answering
    assert ended == ["receive"]

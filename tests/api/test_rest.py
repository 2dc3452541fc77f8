"""REST answers every request with JSON, in the codes of the OpenPOS page, and records it."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar

from hub.api.operation import Operation, Reply, Request
from hub.api.replies import framework_error
from hub.api.rest import Rest
from hub.database.directory import StoredKey
from hub.errors import (
    ConfigurationError,
    Conflict,
    Forbidden,
    HubError,
    InvalidRequest,
    KeyReused,
    NotFound,
    Unavailable,
)
from hub.services.keys import hash_of
from hub.trace.inbound import InboundTrace
from tests.api.edges import edge
from tests.contract.ports import CallList

pytestmark = pytest.mark.anyio


class Body(msgspec.Struct):
    name: str


class Keys:
    """Knows one key for reading."""

    def key(self, key_hash: bytes) -> StoredKey | None:
        if key_hash != hash_of("sk_reader"):
            return None
        return StoredKey(
            id="key_1", name="r", hash=key_hash, shown="sk_", scopes=("read",), venue_id=None, created_at_ms=0
        )


class House:
    """The services an operation may call."""

    directory = Keys()

    def now_ms(self) -> int:
        return 1_795_000_000_000


Handler = Callable[[Any, Request], Awaitable[Reply]]


class Face:
    """A hub's outside with one operation to write and one to read."""

    def __init__(
        self,
        handler: Handler,
        *,
        anonymous: bool = True,
        trusted_proxies: tuple[str, ...] = (),
        of_many: bool = False,
    ) -> None:
        self.sink = CallList()
        self.requests: list[Request] = []

        async def seen(services: Any, request: Request) -> Reply:
            self.requests.append(request)
            return await handler(services, request)

        operations = (
            Operation("put_thing", "POST", "/things", "", "orders:write", anonymous, seen, body=Body),
            Operation(
                "get_thing",
                "GET",
                "/things/{thing:str}",
                "",
                "orders:read",
                anonymous,
                seen,
                query=("page",),
                of_many=of_many,
            ),
            Operation("end_thing", "DELETE", "/things/{thing:str}", "", "orders:read", anonymous, seen),
        )
        rest = Rest(
            House(),  # type: ignore[arg-type]
            InboundTrace(self.sink),
            max_body_bytes=1000,
        )
        web = Litestar(
            route_handlers=rest.routes(operations),
            exception_handlers={Exception: framework_error},
            openapi_config=None,
            logging_config=None,
        )
        self._app = edge(web, Keys(), trusted_proxies=trusted_proxies)

    async def call(self, method: str, path: str, content: bytes = b"", **headers: str) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False, client=("203.0.113.5", 1))
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
            return await client.request(method, path, content=content, headers=named)

    async def post(self, content: bytes = b'{"name": "x"}', **headers: str) -> httpx.Response:
        return await self.call("POST", "/api/v1/things", content, **headers)


async def well(services: Any, request: Request) -> Reply:
    return Reply('{"ok":true}', status=201, headers={"Location": "/x"}, order_id="order_1")


def failing(problem: Exception) -> Handler:
    async def handler(services: Any, request: Request) -> Reply:
        raise problem

    return handler


async def test_a_request_is_understood_answered_and_recorded() -> None:
    face = Face(well)
    answer = await face.post(content_type="application/json", idempotency_key="k1")
    assert (answer.status_code, answer.json()) == (201, {"ok": True})
    assert answer.headers["content-type"] == "application/json"
    assert (answer.headers["location"], answer.headers["cache-control"]) == ("/x", "no-store")
    [request] = face.requests
    assert (request.body, request.idempotency_key) == (Body("x"), "k1")
    assert request.caller.id == "anonymous:203.0.113.5"
    [call] = face.sink.calls
    assert (call.direction, call.operation, call.status, call.order_id) == ("in", "put_thing", 201, "order_1")
    assert (call.request_body, call.response_body, call.error) == ('{"name": "x"}', '{"ok":true}', "")


async def test_a_thing_that_is_ended_is_answered_with_a_body() -> None:
    face = Face(well)
    answer = await face.call("DELETE", "/api/v1/things/1")
    assert (answer.status_code, answer.json()) == (201, {"ok": True})


async def test_path_and_known_query_parameters_are_given_and_others_left_out() -> None:
    face = Face(well)
    await face.call("GET", "/api/v1/things/DT-001?page=2&other=3")
    assert (dict(face.requests[0].path), dict(face.requests[0].query)) == ({"thing": "DT-001"}, {"page": "2"})
    await face.call("GET", "/api/v1/things/DT-001")
    assert dict(face.requests[1].query) == {"page": ""}


@pytest.mark.parametrize(
    ("problem", "status"),
    [
        (InvalidRequest("x: wrong", field="x", code="WRONG"), 400),
        (Forbidden("no"), 403),
        (NotFound("none"), 404),
        (Conflict("again"), 409),
        (KeyReused("new key"), 422),
        (Unavailable("away", retry_after_seconds=7), 503),
    ],
)
async def test_an_error_says_what_is_wrong_in_its_code(problem: HubError, status: int) -> None:
    face = Face(failing(problem))
    answer = await face.post()
    assert answer.status_code == status
    assert answer.json()["error"] == problem.message
    assert answer.json().get("field") == problem.field
    assert answer.json().get("code") == problem.code
    assert answer.headers.get("retry-after") == ("7" if status == 503 else None)
    assert face.sink.calls[0].error == f"{type(problem).__name__}: {problem.message}"


@pytest.mark.parametrize("problem", [ValueError("secret detail"), ConfigurationError("secret detail")])
async def test_an_error_of_ours_tells_the_outside_nothing_else(
    problem: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await Face(failing(problem)).post()
    assert (answer.status_code, answer.json()) == (500, {"error": "Server error, please retry"})
    assert "secret detail" in caplog.text


@pytest.mark.parametrize(
    ("anonymous", "authorization", "status"),
    [
        (True, None, 201),
        (False, None, 401),
        (True, "Bearer sk_wrong", 401),
        (True, "Bearer sk_reader", 403),
        (False, "Bearer sk_reader", 403),
    ],
)
async def test_who_shows_a_key_needs_its_scope_also_where_anybody_may_call(
    anonymous: bool, authorization: str | None, status: int
) -> None:
    face = Face(well, anonymous=anonymous)
    answer = await face.post(**({} if authorization is None else {"authorization": authorization}))
    assert answer.status_code == status
    assert len(face.requests) == (status == 201)
    shown = face.sink.calls[0].request_headers
    assert "sk_" not in shown


async def test_a_key_with_the_scope_is_let_in() -> None:
    face = Face(well, anonymous=False)
    answer = await face.call("GET", "/api/v1/things/1", authorization="Bearer sk_reader")
    assert answer.status_code == 201
    assert face.requests[0].caller.name == "r"


async def test_the_caller_behind_a_trusted_proxy_is_known_by_its_own_address() -> None:
    face = Face(well, trusted_proxies=("203.0.113.0/24",))
    await face.post(x_forwarded_for="198.51.100.1")
    assert face.requests[0].caller.id == "anonymous:198.51.100.1"


@pytest.mark.parametrize(
    ("content", "headers", "status", "field"),
    [
        (b"{", {}, 400, "body"),
        (b"", {}, 400, "body"),
        (b'{"name": 1}', {}, 400, "name"),
        (b'{"name": "' + b"x" * 1000 + b'"}', {}, 413, "body"),
        (b"name=x", {"content_type": "application/x-www-form-urlencoded"}, 415, "Content-Type"),
        (b"\x1f\x8b", {"content_encoding": "gzip"}, 415, "Content-Encoding"),
        (b'{"name": "x"}', {"content_encoding": "identity, br"}, 415, "Content-Encoding"),
        (b'{"name": "x"}', {"idempotency_key": "k" * 256}, 400, "Idempotency-Key"),
        (b'{"name": "x"}', {"idempotency_key": "two words"}, 400, "Idempotency-Key"),
        (b'{"name": "x"}', {"idempotency_key": ""}, 400, "Idempotency-Key"),
        (b'{"name": "x"}', {"idempotency_key": '""'}, 400, "Idempotency-Key"),
    ],
)
async def test_a_request_that_cannot_be_taken_is_refused_with_the_field(
    content: bytes, headers: dict[str, str], status: int, field: str
) -> None:
    face = Face(well)
    answer = await face.post(content, **headers)
    assert (answer.status_code, answer.json()["field"]) == (status, field)
    assert face.requests == []
    assert face.sink.calls[0].status == status


@pytest.mark.parametrize(
    ("sent", "understood"), [("k1", "k1"), ('"k1"', "k1"), ("k" * 255, "k" * 255), ('"', '"'), ("a:b/c~!", "a:b/c~!")]
)
async def test_an_idempotency_key_comes_bare_or_in_quotes(sent: str, understood: str) -> None:
    face = Face(well)
    await face.post(idempotency_key=sent)
    assert face.requests[0].idempotency_key == understood


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "application/x+json"])
async def test_json_is_taken_under_all_its_names(content_type: str) -> None:
    assert (await Face(well).post(content_type=content_type, content_encoding="Identity")).status_code == 201


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/v1/nothing"), ("GET", "/"), ("PUT", "/api/v1/things"), ("GET", "/api/v1/things")]
)
async def test_what_is_not_there_is_not_found_in_json(method: str, path: str) -> None:
    answer = await Face(well).call(method, path)
    assert answer.status_code == 404
    assert answer.json() == {"error": f"there is no {method} {path}", "code": "NOT_FOUND"}

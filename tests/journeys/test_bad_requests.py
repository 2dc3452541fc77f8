"""Keys, paths, queries and methods that make no sense are refused; never a 500, and nothing is kept of them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.journeys.counter import Counter, counter, nothing_is_kept
from tests.journeys.raw_http import exchange, post

JSON = "Content-Type: application/json"
MEGABYTE = 1_000_000
Change = Callable[[dict[str, Any]], Any]


__all__ = ["counter", "nothing_is_kept"]


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "x" * 300, "with space", "tab\there", "ключ", '""'])
def test_an_idempotency_key_that_is_none_is_refused(counter: Counter, key: str) -> None:
    body = json.dumps(counter.body()).encode()
    line = b"Idempotency-Key: " + key.encode("utf-8")
    head = post(b"", JSON, f"Content-Length: {len(body)}").removesuffix(b"\r\n")
    status, answer = exchange(counter.server.port, [head + line + b"\r\n\r\n" + body])
    assert status == 400, answer[:500]
    assert "Idempotency-Key" in answer


PATHS = [
    "/api/v1/orders/..%2f",
    "/api/v1/orders/..%2f..%2fetc%2fpasswd",
    "/api/v1/orders/%2e%2e/%2e%2e/health",
    "/api/v1/orders/%00",
    "/api/v1/orders/DT-001%00",
    "/api/v1/orders/order_%00",
    "/api/v1/orders/%ff%fe",
    "/api/v1/orders/%ed%a0%80",
    "/api/v1/orders/%F0%9F%8D%95",
    "/api/v1/orders/'%20OR%20'1'='1",
    "/api/v1/orders/DT-001;DROP%20TABLE%20orders",
    "/api/v1/orders/" + "9" * 5000,
    "/api/v1/orders/order_" + "f" * 32,
    "/api/v1/orders/00000000-0000-0000-0000-000000000000",
    "/api/v1/orders/%25s%25n",
    "/api/v1/orders//nothing",
    "/api/v1/stores/%00",
    "/api/v1/stores/%00/menu",
    "/api/v1/stores/%ff/menu",
    "/api/v1/stores/..%2f/menu",
    "/api/v1/stores/demo-restaurant%00/menu",
    "/api/v1/stores//menu",
    "/api/v1/nothing",
    "/api/v2/stores",
    "/%00",
    "/%ff",
]


@pytest.mark.parametrize("path", PATHS)
def test_a_path_to_nothing_is_not_found(counter: Counter, path: str) -> None:
    status, answer = exchange(counter.server.port, [post(b"", method=b"GET", path=path.encode())])
    assert status in (400, 404), answer[:500]
    assert '"error":"' in answer
    assert "\0" not in answer


@pytest.mark.parametrize("query", ["inStock=maybe", "inStock=%00", "inStock=2"])
def test_a_query_that_makes_no_sense_is_refused(counter: Counter, query: str) -> None:
    answer = counter.server.client.get(f"/api/v1/stores/demo-restaurant/menu?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.json()["field"] == "inStock"


@pytest.mark.parametrize(
    "query", ["category=%00", "category=%ff", "category=" + "x" * 5000, "a=%00", "category=%ed%a0%80"]
)
def test_a_category_that_is_not_there_is_not_found_or_empty(counter: Counter, query: str) -> None:
    status, answer = exchange(
        counter.server.port,
        [post(b"", method=b"GET", path=f"/api/v1/stores/demo-restaurant/menu?{query}".encode())],
    )
    assert status in (200, 400, 404), answer[:500]


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer sk_wrong", "Basic YTpi", "sk_wrong", "Bearer " + "x" * 5000, "ключ"],
)
def test_a_key_that_is_none_is_unauthorized(counter: Counter, authorization: str) -> None:
    body = json.dumps(counter.body()).encode()
    head = post(b"", JSON, f"Content-Length: {len(body)}").removesuffix(b"\r\n")
    line = b"Authorization: " + authorization.encode("utf-8")
    status, answer = exchange(counter.server.port, [head + line + b"\r\n\r\n" + body])
    assert status == 401, answer[:500]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "BREW"])
def test_another_method_is_refused(counter: Counter, method: str) -> None:
    status, answer = exchange(counter.server.port, [post(b"", method=method.encode())])
    assert status in (400, 404, 405), answer[:500]


def test_two_hundred_kilobytes_of_headers_are_refused(counter: Counter) -> None:
    flood = [f"X-{number}: {'x' * 1000}" for number in range(200)]
    status, answer = exchange(counter.server.port, [post(b"", *flood, method=b"GET", path=b"/api/v1/stores")])
    assert status in (0, 200, 400, 431), answer[:500]

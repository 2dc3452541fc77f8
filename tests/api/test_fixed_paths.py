"""An operation whose path is always the same is found without a search, and is otherwise one like all others."""

from typing import Any

import pytest

from tests.api.house import House

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["/stores", "/stores/", "//stores"])
async def test_a_path_is_found_in_every_spelling(house: House, path: str) -> None:
    answer = await house.get(path)
    assert answer.status_code == 200
    assert answer.headers["x-frame-options"] == "DENY"
    assert "stores" in answer.json()


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS"])
async def test_a_method_that_a_path_has_not_is_not_there(house: House, method: str) -> None:
    answer = await house.ask(method, "/stores")
    assert answer.status_code == 404
    if method != "HEAD":
        assert answer.json()["error"] == f"there is no {method} /api/v1/stores"


@pytest.mark.parametrize("host", ["hub/evil", "hub evil", 'hub"'])
async def test_a_host_name_that_cannot_be_one_is_refused(house: House, host: str) -> None:
    answer = await house.get("/stores", Host=host)
    assert answer.status_code == 400
    assert answer.json()["error"] == "the request could not be understood"


async def test_a_call_is_recorded_once_under_its_operation(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(house.hub.recorder, "record", calls.append)
    await house.get("/stores")
    assert [(call.operation, call.method, call.url, call.status) for call in calls] == [
        ("get_stores", "GET", "/api/v1/stores", 200)
    ]

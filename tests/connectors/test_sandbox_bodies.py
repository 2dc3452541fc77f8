"""No body breaks a sandbox: what is no JSON is refused, at the vendor's own paths and at the control paths."""

import re
from importlib import import_module

import httpx
import pytest

from hub.contract.sandbox import serving

pytestmark = pytest.mark.anyio
NO_JSON = [b"\xff", b"[" * 100_000, b'{"a": "\xff"}', b"{", b"NaN"]
NOT_WHAT_IS_EXPECTED = [b"null", b"[]", b"[null]", b"7", b'"text"', b'{"status": 7}', b'{"status": {}}']
BAD_RULES = [b'[{"fault": "down", "body": "\xff"}]', b'[{"fault": "down", "more": ' + b"[" * 100_000]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("vendor", ["clopos", "desibits", "desktop_kitchen", "mozrest"])
async def test_a_body_that_is_no_json_is_never_an_error_of_the_sandbox(vendor: str) -> None:
    app = import_module(f"connectors.{vendor}.sandbox").create_app(None)
    routes = {(route.method, route.resource.canonical) for route in app.router.routes() if route.resource is not None}
    writes = sorted(route for route in routes if route[0] in ("POST", "PUT", "PATCH"))
    assert ("PUT", "/_sandbox/faults") in writes
    broken = []
    async with serving(app) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        for method, template in writes:
            path = re.sub(r"{[^}]+}", "1", template)
            for body in (*NO_JSON, *BAD_RULES, *NOT_WHAT_IS_EXPECTED):
                answer = await client.request(method, path, content=body, headers={"Content-Type": "application/json"})
                is_control = path.startswith("/_sandbox/")
                refused = 400 <= answer.status_code < 500
                if answer.status_code >= 500 or (is_control and body in (*NO_JSON, *BAD_RULES) and not refused):
                    broken.append((method, path, body[:12], answer.status_code))
        assert broken == []
        assert (await client.get("/_sandbox/calls")).status_code == 200  # and it plays on


async def test_an_order_number_that_no_ledger_can_hold_is_unknown() -> None:
    app = import_module("connectors.clopos.sandbox").create_app(None)
    async with serving(app) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        answer = await client.post(f"/_sandbox/orders/{'9' * 30}/status", json={"status": "accept"})
        assert answer.status_code == 404

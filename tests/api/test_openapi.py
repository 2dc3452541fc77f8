"""The OpenAPI document and the page made from it."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hub.api.openapi import document, statuses_of
from hub.api.operations import OPERATIONS
from hub.api.reference_page import POLICY, STYLE, page
from tests.api.house import House

pytestmark = pytest.mark.anyio
DOCUMENT = document(OPERATIONS, version="1", prefix="/api/v1")
BY_NAME = {operation.name: operation for operation in OPERATIONS}


def described(name: str) -> dict[str, Any]:
    path = BY_NAME[name].path.replace(":str", "")
    found: dict[str, Any] = DOCUMENT["paths"][path][BY_NAME[name].method.lower()]
    return found


def test_every_operation_is_in_the_document_under_its_name() -> None:
    names = [entry["operationId"] for path in DOCUMENT["paths"].values() for entry in path.values()]
    assert sorted(names) == sorted(BY_NAME)


def test_every_operation_says_what_it_answers() -> None:
    assert [operation.name for operation in OPERATIONS if operation.answer is None] == []


def test_every_schema_of_the_document_is_one_and_every_reference_leads_to_something() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(DOCUMENT))):
        place: Any = DOCUMENT
        for name in reference.split("/"):
            place = place[name]


def test_placing_an_order_is_described_with_the_example_of_the_openpos_page() -> None:
    order = described("create_order")
    assert order["security"] == [{}, {"key": ["orders:write"]}]
    assert [parameter["name"] for parameter in order["parameters"]] == ["Idempotency-Key", "Prefer"]
    assert order["requestBody"]["content"]["application/json"]["example"] == {
        "storeSlug": "demo-restaurant",
        "items": [{"itemId": "item_xxx", "quantity": 2}],
        "orderType": "pickup",
        "customer": {"name": "Alice", "phone": "555-1234"},
    }
    assert sorted(order["responses"]) == [
        *("201", "400", "401", "403", "404", "409", "413", "415", "422", "429", "500", "503"),
    ]
    assert set(order["responses"]["201"]["headers"]) == {
        *("Location", "Idempotent-Replayed", "Preference-Applied"),
        *("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"),
    }


def test_a_change_of_an_order_says_how_to_name_the_version_it_is_meant_for() -> None:
    change = described("add_order_items")
    assert [parameter["name"] for parameter in change["parameters"]] == [
        *("order", "Idempotency-Key", "If-Match", "Prefer"),
    ]
    assert "ETag" in change["responses"]["200"]["headers"]
    assert "version" in DOCUMENT["components"]["schemas"]["RoundBody"]["properties"]


def test_what_only_reads_has_no_conflict_and_no_body_to_refuse() -> None:
    assert statuses_of(BY_NAME["get_stores"]) == [200, 400, 401, 403, 429, 500, 503]
    assert statuses_of(BY_NAME["get_order"]) == [200, 400, 401, 403, 404, 429, 500, 503]


def test_waiting_is_asked_for_where_a_limit_is_used_up() -> None:
    answer = DOCUMENT["components"]["responses"]["TooManyRequests"]
    assert answer["headers"]["Retry-After"]["required"] is True


def test_amounts_are_numbers() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert schemas["MoneyView"]["properties"]["dollars"] == {"type": "number"}
    assert '"format": "decimal"' not in json.dumps(schemas)


def test_what_may_be_left_out_of_a_body_may_be_null_but_not_what_a_change_leaves_alone() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert schemas["ItemBody"]["properties"]["notes"] == {
        "anyOf": [{"type": "string", "maxLength": 1000}, {"type": "null"}],
        "default": "",
    }
    assert {"type": "null"} in schemas["OrderBody"]["properties"]["items"]["anyOf"]
    assert {"type": "null"} in schemas["ItemBody"]["properties"]["modifiers"]["anyOf"]
    assert schemas["ItemBody"]["properties"]["itemId"] == {"type": "string", "minLength": 1, "maxLength": 200}
    assert schemas["ReservationChangeBody"]["properties"]["notes"] == {"type": "string", "maxLength": 1000}


async def test_the_document_and_the_page_are_served_to_anyone(house: House) -> None:
    answer = await house.client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.json()["info"]["title"] == "OpenPOS API"
    assert answer.json()["paths"] == json.loads(json.dumps(DOCUMENT["paths"]))
    shown = await house.client.get("/api/docs")
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert shown.headers["content-security-policy"] == POLICY
    assert shown.headers["x-frame-options"] == "DENY"
    assert '<details id="create_order">' in shown.text


class _Seen(HTMLParser):
    """The tags and links of a page; fails where they do not nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links |= {given["href"] or ""} if "href" in given else set()
        assert not [name for name in given if name.startswith("on") or name in ("src", "style")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_loads_and_runs_nothing_and_its_links_lead_somewhere() -> None:
    text = page(DOCUMENT, address="/api/v1/openapi.json")
    seen = _Seen()
    seen.feed(text)
    assert seen.open == []
    assert not seen.tags & {"script", "link", "img", "iframe", "form"}
    assert len(seen.ids) == len(set(seen.ids))
    assert {link for link in seen.links if not link.startswith("#")} == {"/api/v1/openapi.json"}
    assert {link[1:] for link in seen.links if link.startswith("#")} <= set(seen.ids)
    assert f"<style>{STYLE}</style>" in text
    assert 'name="viewport"' in text


def test_words_of_the_document_cannot_become_part_of_the_page() -> None:
    hostile = json.loads(json.dumps(DOCUMENT))
    hostile["info"]["title"] = "<script>alert(1)</script>"
    hostile["components"]["schemas"]["Error"]["description"] = '"><img src=x>'
    text = page(hostile, address="/x")
    assert "<script>" not in text
    assert "<img" not in text

"""How the Desktop Kitchen sandbox words an answer: one error text without a code, and HTML for what it lacks."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from typing import Any

import msgspec
from aiohttp import web

from hub.contract.sandbox import json_answer
from hub.contract.sandbox.ledger import from_json

WEB_APP = (
    '<!doctype html>\n<html lang="es"><head><meta charset="UTF-8"><title>Desktop Kitchen</title></head>'
    '<body><div id="root"></div><script type="module" src="/assets/index.js"></script></body></html>'
)
# The largest id a column of type integer holds; PostgreSQL raises for anything beyond.
LARGEST_ID = 2**31 - 1


class Refused(Exception):
    """The call is answered with this error."""

    def __init__(
        self, status: int, error: str, more: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, error)
        self.status = status
        self.body = {"error": error, **(more or {})}
        self.headers = headers

    def answer(self) -> web.Response:
        """The error as an HTTP answer."""
        return json_answer(self.body, self.status, self.headers)


def web_app() -> web.Response:
    """The page of the web app, which the server gives for every GET it does not know, with status 200."""
    return web.Response(text=WEB_APP, content_type="text/html")


def no_such_call(request: web.Request) -> web.Response:
    """The page for any other method that has no route."""
    line = escape(f"Cannot {request.method} {request.path}")
    page = f'<!DOCTYPE html>\n<html lang="en"><head><title>Error</title></head><body><pre>{line}</pre></body></html>'
    return web.Response(text=page, status=404, content_type="text/html")


async def body_of(request: web.Request) -> dict[str, Any]:
    """The object in a body; empty when the body is no JSON object or is not called JSON. Refuses broken JSON."""
    raw = await request.read()
    if request.content_type != "application/json" or not raw:
        return {}
    try:
        value = from_json(raw)
    except msgspec.DecodeError as broken:
        raise Refused(400, str(broken)) from broken
    return value if isinstance(value, dict) else {}


def id_in_path(request: web.Request, failure: str, name: str = "id") -> int:
    """The id in the path; anything but an integer is a failure of the server (500), not a 404."""
    number = as_id(request.match_info[name])
    if number is None:
        raise Refused(500, failure)
    return number


def as_id(value: Any) -> int | None:
    """An id as the database takes it: an integer, or its text."""
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,10}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > LARGEST_ID:
        return None
    return value


def timestamp(moment: datetime) -> str:
    """A time as records show it: `2026-11-21T02:38:09.835Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"

"""How the Desibits sandbox words an answer: the success envelope, refusals, validation errors, pages.

The page shows `{"success": true, "data": ...}` and no error at all. The errors are those of the framework such
an API is most likely built with: `message` alone for a missing token or route, `message` and `errors` for
fields, and the envelope with `success: false` for what the restaurant's rules forbid.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from connectors.desibits.sandbox.fields import Fields
from connectors.desibits.sandbox.options import Options
from connectors.desibits.sandbox.refused import Refused
from hub.contract.sandbox import json_answer


@dataclass(frozen=True)
class Asked:
    """One call, its body read."""

    request: web.Request
    raw: bytes
    fields: Fields
    headers: Mapping[str, str]
    """Those that hold no token."""

    @property
    def id(self) -> int:
        """The number in the path."""
        return int(self.request.match_info["id"])

    def query(self, name: str) -> str | None:
        """A value of the query; an empty one counts as none."""
        return self.request.query.get(name) or None


Answering = Callable[[Asked], web.Response]


def answer(data: Any = None, message: str | None = None, status: int = 200) -> web.Response:
    """The success envelope, with what is given of message and data."""
    body: dict[str, Any] = {"success": True}
    if message is not None:
        body["message"] = message
    return json_answer(body if data is None else body | {"data": data}, status)


def listing(rows: Sequence[Any], asked: Asked, options: Options) -> web.Response:
    """A list: whole, or the page asked for when the sandbox pages."""
    if options.per_page is None:
        return answer(list(rows))
    size = min(_positive(asked.query("per_page"), options.per_page), 100)
    page = _positive(asked.query("page"), 1)
    meta = {
        "current_page": page,
        "last_page": max(1, -(-len(rows) // size)),
        "per_page": size,
        "total": len(rows),
    }
    return json_answer({"success": True, "data": list(rows[(page - 1) * size : page * size]), "meta": meta})


def refuse(status: int, message: str) -> Refused:
    """A refusal by the rules of the restaurant: `{"success": false, "message": ...}`."""
    return Refused(status, {"success": False, "message": message}, by_rule=True)


def error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Refused:
    """A refusal by the framework: `{"message": ...}`."""
    return Refused(status, {"message": message}, headers)


def as_answer(refused: Refused, options: Options) -> web.Response:
    """A refusal as an HTTP answer."""
    hidden = refused.by_rule and options.refusals_in_200
    return json_answer(refused.body, 200 if hidden else refused.status, refused.headers)


def iso(moment: datetime) -> str:
    """A timestamp as records show it: `2026-01-08T06:28:23.000000Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _positive(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 9 and int(text) > 0 else default

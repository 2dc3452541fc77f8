"""How the Clopos sandbox words an answer: the envelope, the four shapes of an error, and pages."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from aiohttp import web

from hub.contract.sandbox import json_answer


class Dialect(StrEnum):
    """The two generations of the API; the value is the path each is mounted at."""

    V1 = "/open-api"
    V2 = "/open-api/v2"


class Refused(Exception):
    """The call is answered with this error."""

    def __init__(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = headers

    def answer(self) -> web.Response:
        """The error as an HTTP answer."""
        return json_answer(self.body, self.status, self.headers)


def parameter_refused(parameter: str, provided: Any, valid: str) -> Refused:
    """Shape a, of the v1 overview page: no `success`, the parameter in `details`."""
    details = {"parameter": parameter, "provided_value": provided, "valid_range": valid}
    message = f"The {parameter} parameter must be within {valid}"
    return Refused(400, {"error": "invalid_parameter", "message": message, "details": details})


def slug_refused(status: int, slug: str, message: str) -> Refused:
    """Shape b, of the endpoint pages: a slug in `error`, a sentence in `message`."""
    return Refused(status, {"success": False, "error": slug, "message": message})


def sentence_refused(status: int, message: str, sentence: str | None = None) -> Refused:
    """Shape c, of the v2 errors page: a summary in `message`, the cause as a sentence in `error`."""
    body: dict[str, Any] = {"success": False, "message": message}
    return Refused(status, body if sentence is None else body | {"error": sentence})


def exception_refused(status: int, message: str, exception: str) -> Refused:
    """Shape d, seen on v1: `error` is a list with the exception of the server."""
    error = {"message": message, "type": "server_side", "exception": exception, "http_code": status}
    return Refused(status, {"success": False, "error": [error]})


def field_refused(path: str, rule: str) -> Refused:
    """A body whose field breaks a rule: `The payload.products.0.count field must be an integer.`"""
    return slug_refused(400, "validation_failed", f"The {path} field {rule}.")


def bad_parameter(dialect: Dialect, parameter: str, provided: Any, valid: str) -> Refused:
    """A query parameter out of range: shape a on v1, shape b on v2."""
    if dialect is Dialect.V1:
        return parameter_refused(parameter, provided, valid)
    return slug_refused(400, "invalid_parameter", f"{parameter} must be within {valid}")


def missing(dialect: Dialect, what: str) -> Refused:
    """A record that does not exist, on pages that show shape b; the slug differs by generation."""
    slug = "not_found" if dialect is Dialect.V1 else "resource_not_found"
    return slug_refused(404, slug, f"{what} not found")


def answer(data: Any, now: datetime, *, status: int = 200, **more: Any) -> web.Response:
    """The success envelope around `data`."""
    return json_answer({"success": True, "data": data, **more, **_clock_fields(now)}, status)


@dataclass(frozen=True)
class Page:
    """Which part of a list is asked for."""

    limit: int
    offset: int

    def envelope(self, total: int) -> dict[str, int]:
        """The `pagination` object of those lists that have one."""
        return {
            "page": self.offset // self.limit + 1,
            "per_page": self.limit,
            "total": total,
            "total_pages": -(-total // self.limit),
        }


def page_of(request: web.Request, dialect: Dialect, *, maximum: int, default: int = 50) -> Page:
    """Reads `page` and `limit`, on v1 also `limit` and `offset`; refuses what is out of range."""
    limit = _integer(request, dialect, "limit", default, 1, maximum)
    if dialect is Dialect.V1 and "offset" in request.query and "page" not in request.query:
        return Page(limit, _integer(request, dialect, "offset", 0, 0, None))
    return Page(limit, (_integer(request, dialect, "page", 1, 1, None) - 1) * limit)


def list_answer(rows: Sequence[Any], total: int, page: Page, now: datetime, *, paginated: bool) -> web.Response:
    """A page of a list, with `pagination{}` or with `total`."""
    if paginated:
        return answer(rows, now, pagination=page.envelope(total))
    return answer(rows, now, total=total, sorts=["id", "name", "created_at", "updated_at"])


def with_names(request: web.Request) -> list[str]:
    """The relations asked for by `with[]=...` or `with[0]=...`."""
    return [value for name, value in request.query.items() if re.fullmatch(r"with\[\d*\]", name)]


def filters_of(request: web.Request, dialect: Dialect) -> dict[str, list[str]]:
    """The filters of a list by field.

    Both generations read bracket tuples, `filters[0][0]=type&filters[0][1][0]=DISH`; v1 also one JSON object,
    `filters={"type":["DISH"]}`, as its products page says.
    """
    if dialect is Dialect.V1 and "filters" in request.query:
        return _json_filters(request.query["filters"])
    names: dict[str, str] = {}
    values: dict[str, list[str]] = {}
    for key, value in request.query.items():
        if match := re.fullmatch(r"filters\[(\d+)\]\[0\]", key):
            names[match[1]] = value
        elif match := re.fullmatch(r"filters\[(\d+)\]\[1\](\[\d*\])?", key):
            values.setdefault(match[1], []).append(value)
    return {name: values[index] for index, name in names.items() if index in values}


def passes(row: Mapping[str, Any], filters: Mapping[str, list[str]]) -> bool:
    """True when a row has one of the wanted values in every filtered field it has."""
    return all(field not in row or _plain(row[field]) in wanted for field, wanted in filters.items())


def iso(moment: datetime) -> str:
    """A timestamp as records show it: `2026-01-08T06:28:23.000000Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _json_filters(text: str) -> dict[str, list[str]]:
    try:
        wanted = json.loads(text)
    except ValueError as broken:
        raise bad_parameter(Dialect.V1, "filters", text, "a JSON object") from broken
    if not isinstance(wanted, dict):
        raise bad_parameter(Dialect.V1, "filters", text, "a JSON object")
    return {
        field: [_plain(one) for one in (value if isinstance(value, list) else [value])]
        for field, value in wanted.items()
    }


def _plain(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _integer(request: web.Request, dialect: Dialect, name: str, default: int, least: int, most: int | None) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    number = int(text) if re.fullmatch(r"-?\d{1,9}", text) else None
    if number is None or number < least or (most is not None and number > most):
        valid = f"{least}-{most}" if most is not None else f"{least} or more"
        raise bad_parameter(dialect, name, text if number is None else number, valid)
    return number


def _clock_fields(now: datetime) -> dict[str, Any]:
    utc = now.astimezone(UTC)
    return {"time": 0, "timestamp": utc.strftime("%Y-%m-%d %H:%M:%S"), "unix": int(utc.timestamp())}

"""The OpenAPI 3.1 document of the API, made from the list of operations."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from hub.api.nulls import allow_null, nullable_fields
from hub.api.operation import Operation
from hub.api.parameters import IN_PATH, heeded_by, parameters_of
from hub.api.schemas import schemas_of
from hub.api.webhook_view import described_events

_JSON = "application/json"
_SCHEMAS = "#/components/schemas/"
_INTRODUCTION = (
    "Menus, orders, sold-out items and reports of restaurants. Amounts are whole cents of the store's currency; times "
    "are ISO 8601 with an offset; every answer is JSON, and every error has the form of `Error`.\n\n"
    "AI agents find the same operations as tools at `POST /api/mcp`."
)
_LIMIT = {
    "X-RateLimit-Limit": "Requests allowed in the window that is nearest to being used up.",
    "X-RateLimit-Remaining": "Requests left in it.",
    "X-RateLimit-Reset": "When it ends: seconds since 1970.",
}
_OF_ANSWERS = {
    "Location": "The address of what was made.",
    "ETag": "The version, for `If-Match`.",
    "Idempotent-Replayed": "`true` when this is the answer to an earlier request with the same key.",
    "Preference-Applied": "What of `Prefer` was heeded.",
}
_BROUGHT_BY = {"If-Match": "ETag", "Idempotency-Key": "Idempotent-Replayed", "Prefer": "Preference-Applied"}

_ERRORS: Mapping[int, tuple[str, str, Mapping[str, str]]] = {
    400: (
        "BadRequest",
        "Something is missing or wrong; `field` names it. Also what the store or its POS does not allow.",
        {"error": "storeSlug: name the store by storeSlug or locationId", "code": "INVALID_REQUEST"},
    ),
    401: ("Unauthorized", "No key, or one that is none.", {"error": "Missing or invalid API key"}),
    403: (
        "Forbidden",
        "The key lacks the scope, or is bound to another store; or a page of a stranger's site asked.",
        {"error": "Insufficient scope: this API key lacks orders:write", "code": "SCOPE_MISSING"},
    ),
    404: ("NotFound", "There is no such thing.", {"error": "there is no store 'nowhere'", "code": "NOT_FOUND"}),
    409: (
        "Conflict",
        "It changed at this moment, or the same request is still running; or nobody knows whether the POS did it. "
        "Read again, then decide.",
        {"error": "version: the order is at 4 by now", "code": "VERSION_CONFLICT"},
    ),
    413: ("BodyTooLarge", "The body is longer than this hub accepts.", {"error": "body: larger than the 262144 bytes"}),
    415: (
        "MediaTypeUnsupported",
        "The body is not announced as JSON, or is announced as compressed.",
        {"error": "Content-Type: send application/json"},
    ),
    422: (
        "KeyReused",
        "The idempotency key, or the number of your own, came with other content before.",
        {"error": "Idempotency-Key: was used for another request", "code": "KEY_REUSED"},
    ),
    429: ("TooManyRequests", "The limit is used up. Wait for `Retry-After` seconds.", {"error": "Too many requests"}),
    500: ("ServerError", "An error of the hub. Repeat the request.", {"error": "Server error, please retry"}),
    503: (
        "Unavailable",
        "The hub's database, or the POS that was asked, cannot be reached. Nothing was done; repeat after "
        "`Retry-After` seconds.",
        {"error": "the database cannot be written at the moment; nothing was stored", "code": "UNAVAILABLE"},
    ),
}


def document(operations: Sequence[Operation], *, version: str, prefix: str) -> dict[str, Any]:
    """The whole document. `prefix` stands before every path; `version` is the hub's."""
    kinds = [kind for operation in operations for kind in (operation.body, operation.answer) if kind is not None]
    schemas, components = _schemas(operations, kinds)
    events, of_events = described_events(f"{_SCHEMAS}{{name}}")
    schema_of = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        path = IN_PATH.sub(r"{\1}", operation.path)
        paths.setdefault(path, {})[operation.method.lower()] = _described(operation, schema_of)
    return {
        "openapi": "3.1.1",
        "info": {"title": "OpenPOS API", "version": version, "description": _INTRODUCTION},
        "servers": [{"url": prefix}],
        "tags": [{"name": name} for name in dict.fromkeys(_tag(operation) for operation in operations)],
        "paths": paths,
        "webhooks": events,
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key, `sk_…`, with its scopes."}
            },
            "responses": {name: _error(status) for status, (name, _, _) in _ERRORS.items()},
            "schemas": {"Error": _ERROR_SCHEMA, **dict(sorted((components | of_events).items()))},
        },
    }


def statuses_of(operation: Operation) -> list[int]:
    """Every HTTP status an operation can answer with."""
    statuses = [operation.success, 400, 401, 403, 429, 500, 503]
    names_something = "{" in operation.path or "storeSlug" in operation.query or operation.body is not None
    statuses += [404] if names_something else []
    statuses += [] if operation.method == "GET" else [409]
    statuses += [] if operation.body is None else [413, 415]
    statuses += [422] if "Idempotency-Key" in heeded_by(operation) else []
    return sorted(statuses)


_ERROR_SCHEMA = {
    "title": "Error",
    "type": "object",
    "description": "`error` is for people; `code` and `field` are for programs.",
    "properties": {"error": {"type": "string"}, "code": {"type": "string"}, "field": {"type": "string"}},
    "required": ["error"],
}


def _schemas(
    operations: Sequence[Operation], kinds: Sequence[type]
) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """What `schemas_of` gives, with null where a body may have it."""
    nullable = nullable_fields(operation.body for operation in operations if operation.body is not None)
    schemas, components = schemas_of([*kinds, *nullable], f"{_SCHEMAS}{{name}}")
    for reference, members in zip(schemas[len(kinds) :], nullable.values(), strict=True):
        properties = components[reference["$ref"].removeprefix(_SCHEMAS)]["properties"]
        properties |= {member: allow_null(properties[member]) for member in members}
    return schemas[: len(kinds)], components


def _described(operation: Operation, schema_of: Mapping[type, dict[str, Any]]) -> dict[str, Any]:
    needs = f"Needs a key with the scope `{operation.scope}`"
    if operation.anonymous:
        needs = f"Needs no key; a key that is sent needs the scope `{operation.scope}`"
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [_tag(operation)],
        "summary": operation.summary,
        "description": f"{inspect.getdoc(operation.handler) or operation.summary}\n\n{needs}.",
        "security": [{}] * operation.anonymous + [{"key": [operation.scope]}],
        "parameters": parameters_of(operation),
        "responses": {
            str(status): _answer(operation, schema_of)
            if status == operation.success
            else {"$ref": f"#/components/responses/{_ERRORS[status][0]}"}
            for status in statuses_of(operation)
        },
    }
    if operation.body is not None:
        content: dict[str, Any] = {"schema": schema_of[operation.body]}
        if operation.example is not None:
            content["example"] = operation.example
        described["requestBody"] = {"required": True, "content": {_JSON: content}}
    return described


def _answer(operation: Operation, schema_of: Mapping[type, dict[str, Any]]) -> dict[str, Any]:
    schema = {"type": "object"} if operation.answer is None else schema_of[operation.answer]
    names = [*operation.gives, *(_BROUGHT_BY[name] for name in heeded_by(operation))]
    headers = {name: _header(_OF_ANSWERS[name]) for name in names}
    limits = {name: {**_header(words, "integer"), "required": True} for name, words in _LIMIT.items()}
    return {"description": operation.summary, "headers": headers | limits, "content": {_JSON: {"schema": schema}}}


def _error(status: int) -> dict[str, Any]:
    _, words, example = _ERRORS[status]
    headers = {name: _header(meaning, "integer") for name, meaning in _LIMIT.items()}
    if status in (429, 503):
        headers["Retry-After"] = {**_header("Seconds to wait.", "integer"), "required": True}
    if status == 401:
        headers["WWW-Authenticate"] = _header("How to authenticate.")
    content = {"schema": {"$ref": f"{_SCHEMAS}Error"}, "example": dict(example)}
    return {"description": words, "headers": headers, "content": {_JSON: content}}


def _header(words: str, kind: str = "string") -> dict[str, Any]:
    return {"description": words, "schema": {"type": kind}}


def _tag(operation: Operation) -> str:
    """What an operation is about: the first word of its path, but a store's POS apart."""
    if "/pos/" in operation.path:
        return "pos"
    return operation.path.split("/")[1]

"""JSON Schemas of the API's types, as agents' tools and the OpenAPI document show them."""

from collections.abc import Sequence
from typing import Any

import msgspec


def schemas_of(kinds: Sequence[type], template: str) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """The schema of each type, and those they refer to by name; `template` is where `{name}` will stand.

    msgspec calls a `Decimal` a text, but the API writes and takes numbers.
    """
    schemas, components = msgspec.json.schema_components(kinds, ref_template=template)
    return [_with_numbers(schema) for schema in schemas], {name: _with_numbers(s) for name, s in components.items()}


def _with_numbers(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_with_numbers(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "decimal":
        schema = {**{name: value for name, value in schema.items() if name != "format"}, "type": "number"}
        if isinstance(schema.get("default"), str):
            schema["default"] = float(schema["default"])
    fewest = max(schema.get("minItems", 0), schema.get("minLength", 0))
    if isinstance(schema.get("default"), list | str) and len(schema["default"]) < fewest:
        schema = {name: value for name, value in schema.items() if name != "default"}  # it stands for "left out"
    return {name: _with_numbers(entry) for name, entry in schema.items()}

"""What null means in a request: programs often write it for what is not there, so it counts as left out.

Not so in a change, where it could as well mean "empty it": a field that is left alone when it is not sent (its default
is `UNSET`) refuses null. Nor among the elements of a list.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import inspect

_DECODER = msgspec.json.Decoder(float_hook=msgspec.Raw)
"""Numbers with a point or exponent stay as they were written: they are only passed on."""


def leave_out_nulls(content: bytes, type_: type) -> bytes:
    """A request body for `type_` without its members that are null. Raises `msgspec.DecodeError`, `RecursionError`."""
    return msgspec.json.encode(_without_nulls(_DECODER.decode(content), _described(type_)))


def nullable_fields(types: Iterable[type]) -> Mapping[type, Sequence[str]]:
    """The members that may be null, of each struct that is found in these types."""
    found: dict[type, Sequence[str]] = {}
    waiting = [struct for type_ in types for struct in _structs(_described(type_))]
    while waiting:
        struct = waiting.pop()
        if struct.cls not in found:
            found[struct.cls] = [
                field.encode_name for field in struct.fields if not field.required and not _is_left_alone(field)
            ]
            waiting += [inner for field in struct.fields for inner in _structs(field.type)]
    return found


def allow_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON Schema of a member, and null."""
    if {"type": "null"} in schema.get("anyOf", ()):
        return dict(schema)
    if "anyOf" in schema:
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    about = {name: schema[name] for name in ("default", "description") if name in schema}
    rest = {name: value for name, value in schema.items() if name not in about}
    return {**about, "anyOf": [rest, {"type": "null"}]}


@lru_cache(maxsize=64)
def _described(type_: type) -> inspect.Type:
    return inspect.type_info(type_)


def _without_nulls(value: Any, kind: inspect.Type) -> Any:
    if isinstance(value, list):
        elements = [part.item_type for part in _parts(kind) if isinstance(part, inspect.ListType)]
        return [_without_nulls(entry, elements[0]) for entry in value] if elements else value
    if isinstance(value, dict):
        fields = {field.encode_name: field for struct in _structs(kind) for field in struct.fields}
        return {
            name: _without_nulls(entry, fields[name].type) if name in fields else entry
            for name, entry in value.items()
            if entry is not None or name not in fields or _is_left_alone(fields[name])
        }
    return value


def _structs(kind: inspect.Type) -> Iterator[inspect.StructType]:
    """The structs that a value of this type, or an element of it, can be."""
    for part in _parts(kind):
        if isinstance(part, inspect.StructType):
            yield part
        elif isinstance(part, inspect.ListType):
            yield from _structs(part.item_type)


def _parts(kind: inspect.Type) -> Iterator[inspect.Type]:
    if isinstance(kind, inspect.Metadata):
        yield from _parts(kind.type)
    elif isinstance(kind, inspect.UnionType):
        for part in kind.types:
            yield from _parts(part)
    else:
        yield kind


def _is_left_alone(field: inspect.Field) -> bool:
    """Whether it is `UNSET` when it is not sent: msgspec tells that as optional without a default."""
    return not field.required and field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT

"""Makes the tool of an operation from its path, query and body, for operations that need no words of their own."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any

import msgspec
from msgspec import NODEFAULT, Meta, Struct, structs

from hub.api.operation import Call, Operation, StoreArguments, Tool

_PARAMETER = re.compile(r"{(\w+):str}")
_Id = Annotated[str, Meta(min_length=1, max_length=100)]
_ORDER = Annotated[str, Meta(description='Order ID or number (e.g., "DT-001")', min_length=1, max_length=100)]
_KEY = Annotated[
    str, Meta(description="Any text of your own: repeating the call with it never does the thing twice", max_length=255)
]
_VERSION = Annotated[
    int, Meta(description="The version that you read: refused with VERSION_CONFLICT when it changed", ge=1, le=10**9)
]
_TIME = Annotated[str, Meta(description="ISO 8601 with offset", max_length=60)]
_QUERY: Mapping[str, tuple[Any, Any]] = {
    "storeSlug": (Annotated[str, Meta(description="Store slug, from get_stores", max_length=100)], ""),
    "locationId": (Annotated[str, Meta(description="In place of storeSlug", max_length=100)], ""),
    "from": (_TIME, ""),
    "to": (_TIME, ""),
    "cursor": (Annotated[str, Meta(description="nextCursor of the page before", max_length=200)], ""),
    "limit": (Annotated[int, Meta(ge=1, le=200)] | None, None),
}
"""What a query's parameters are to a tool; any other one is a text."""


def with_tool(
    operation: Operation, description: str, *, name: str = "", destructive: bool = False, repeatable: bool = False
) -> Operation:
    """The operation with a tool, of the same name unless it has a better one. `repeatable`: doing it twice is the
    same as once.
    """
    arguments = _arguments(operation)
    tool = Tool(
        name=name or operation.name,
        title=operation.summary.rstrip("."),
        description=description,
        arguments=arguments,
        call=_call(operation),
        destructive=destructive,
        idempotent=repeatable,
    )
    return replace(operation, tools=(tool,))


def answer_of(name: str, **fields: Any) -> type[Struct]:
    """The shape of an answer with these fields."""
    return msgspec.defstruct(name, list(fields.items()), frozen=True, rename="camel")


def _arguments(operation: Operation) -> type[Struct]:
    names = _PARAMETER.findall(operation.path)
    fields: list[Any] = [(_own(name), _ORDER if name == "order" else _Id) for name in names if name != "store"]
    fields += [(name, *_QUERY.get(name, (Annotated[str, Meta(max_length=200)], ""))) for name in operation.query]
    body = operation.body
    if body is not None:
        fields += [_copied(entry) for entry in structs.fields(body)]
    if (operation.method == "POST" and "order" in names) or "Idempotency-Key" in operation.heeds:
        fields.append(("idempotency_key", _KEY, ""))
    if "If-Match" in operation.heeds:
        fields.append(("version", _VERSION | None, None))
    return msgspec.defstruct(
        "".join(word.title() for word in operation.name.split("_")) + "Arguments",
        fields,
        bases=(StoreArguments,) if "store" in names else None,
        rename="camel",
        forbid_unknown_fields=True,
        kw_only=True,
        frozen=True,
    )


def _own(parameter: str) -> str:
    return f"{parameter}_id"


def _copied(entry: structs.FieldInfo) -> Any:
    if entry.default is not NODEFAULT:
        return (entry.name, entry.type, entry.default)
    if entry.default_factory is not NODEFAULT:
        return (entry.name, entry.type, msgspec.field(default_factory=entry.default_factory))
    return (entry.name, entry.type)


def _call(operation: Operation) -> Callable[[Any], Call]:
    names = _PARAMETER.findall(operation.path)
    body = operation.body

    def call(arguments: Any) -> Call:
        path = {name: arguments.store if name == "store" else getattr(arguments, _own(name)) for name in names}
        asked = {name: getattr(arguments, name) for name in operation.query}
        query = {name: "" if value is None else str(value) for name, value in asked.items()}
        content = None
        if body is not None:
            content = body(**{entry.name: getattr(arguments, entry.name) for entry in structs.fields(body)})
        return Call(
            path=path,
            query=query,
            body=content,
            idempotency_key=getattr(arguments, "idempotency_key", ""),
            if_match=getattr(arguments, "version", None) if "If-Match" in operation.heeds else None,
        )

    return call

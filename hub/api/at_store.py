"""What all operations that ask a store's POS share: which store, which of the POS's ids, and the answer."""

import re
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from hub.api.derived import with_tool
from hub.api.json import encode
from hub.api.operation import Handler, Operation, Reply, Request, Services
from hub.errors import InvalidRequest, NotFound
from hub.model.venue import Venue
from hub.services.keys import require_venue

ID_AT_POS = r"^(?!\.+$)[A-Za-z0-9_.:~-]{1,100}$"
"""What an id at a POS is made of; connectors put it into addresses, so nothing else may come in."""
_ID_AT_POS = re.compile(ID_AT_POS)
_LONGEST_QUERY = 200

View = TypeVar("View", bound=Struct)


def venue_of(services: Services, request: Request) -> Venue:
    """The store in the path, if the caller may reach it. Raises `NotFound`, `Forbidden`."""
    venue = services.directory.venue(request.path["store"])
    require_venue(request.caller, venue.id)
    return venue


def id_at_pos(request: Request, name: str) -> str:
    """An id of the POS in the path. Raises `NotFound` for one that cannot be any."""
    value = request.path[name]
    if not _ID_AT_POS.fullmatch(value):
        raise NotFound(f"there is no {name} {value[:100]!r}")
    return value


def query_text(request: Request, name: str) -> str:
    """A text of the query that must be there. Raises `InvalidRequest`."""
    text = request.query.get(name, "").strip()
    if not text or len(text) > _LONGEST_QUERY or not text.isprintable():
        raise InvalidRequest(f"{name}: 1 to {_LONGEST_QUERY} visible characters", field=name)
    return text


def shown(value: Any, view: type[View]) -> View:
    """A value of the services as the API shows it: the fields that the view names."""
    return msgspec.convert(value, view, from_attributes=True)


def listed(name: str, values: Iterable[Any], view: type[Struct]) -> Reply:
    """The answer with a list of things."""
    return Reply(encode({name: [shown(value, view) for value in values]}))


def single(name: str, value: Any, view: type[Struct]) -> Reply:
    """The answer with one thing."""
    return Reply(encode({name: shown(value, view)}))


class DoneAnswer(Struct, frozen=True):
    """The POS did it."""

    pos: str


def done() -> Reply:
    """The answer to something that the POS did."""
    return Reply(encode({"pos": "applied"}))


def reading(
    name: str,
    path: str,
    summary: str,
    handler: Handler,
    answer: type[Struct],
    *,
    scope: str = "orders:read",
    query: tuple[str, ...] = (),
) -> Operation:
    """An operation that reads something at a store's POS, with its tool."""
    operation = Operation(
        name=name,
        method="GET",
        path=f"/stores/{{store:str}}/pos/{path}",
        summary=summary,
        scope=scope,
        anonymous=False,
        handler=handler,
        query=query,
        answer=answer,
    )
    return with_tool(operation, f"{summary} Asked of the store's POS, which may not offer it.")


def writing(
    name: str,
    path: str,
    summary: str,
    handler: Handler,
    body: type,
    answer: type[Struct],
    *,
    method: str = "POST",
    scope: str = "orders:write",
    repeatable: bool = False,
) -> Operation:
    """An operation with a body, most of which change something at a store's POS, with its tool."""
    operation = Operation(
        name=name,
        method=method,
        path=f"/stores/{{store:str}}/pos/{path}",
        summary=summary,
        scope=scope,
        anonymous=False,
        handler=handler,
        body=body,
        answer=answer,
    )
    words = f"{summary} Done at the store's POS at once, which may not offer it; nothing is kept for later."
    return with_tool(operation, words, repeatable=repeatable)

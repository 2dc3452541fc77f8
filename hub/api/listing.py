"""What all lists of the API share: which store, which page, and how a thing is made once."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from hub.api.operation import Reply, Request, Services
from hub.errors import InvalidRequest, NotFound
from hub.model.venue import Venue
from hub.services.create_once import Created, Creation
from hub.services.keys import require_venue

LONGEST_TEXT = 200
USUAL_PAGE = 50
STORE = ("storeSlug", "locationId")
PAGE = ("cursor", "limit")


def venue_id_of(services: Services, request: Request) -> str:
    """The venue to search: the one that is named, else the one the key is bound to, else all (empty)."""
    store_slug, location_id = request.query["storeSlug"], request.query["locationId"]
    if not (store_slug or location_id):
        return request.caller.venue_id or ""
    venue = venue_by(services, store_slug, location_id)
    require_venue(request.caller, venue.id)
    return venue.id


def one_venue_of(services: Services, request: Request) -> Venue:
    """The one venue that is asked about. Raises `InvalidRequest` when it is not clear which."""
    return named_venue(services, request, request.query["storeSlug"], request.query["locationId"])


def named_venue(services: Services, request: Request, store_slug: str, location_id: str) -> Venue:
    """The venue of this slug or id, else the one the key is bound to, else the only one. Raises `InvalidRequest`."""
    if not (store_slug or location_id):
        known = services.directory.venues()
        location_id = request.caller.venue_id or (known[0].id if len(known) == 1 else "")
    venue = venue_by(services, store_slug, location_id)
    require_venue(request.caller, venue.id)
    return venue


def venue_by(services: Services, store_slug: str, location_id: str) -> Venue:
    """The venue of this slug, or else of this id. Raises `InvalidRequest` when neither is given, and `NotFound` that
    says in which field an unknown one stood.
    """
    named = store_slug or location_id
    if not named:
        raise InvalidRequest("storeSlug: name the store by storeSlug or locationId", field="storeSlug")
    try:
        return services.directory.venue(named)
    except NotFound as problem:
        raise NotFound(problem.message, field="storeSlug" if store_slug else "locationId") from problem


def text_of(query: Mapping[str, str], name: str) -> str:
    """A text to search for. Raises `InvalidRequest` naming the parameter."""
    text = query[name].strip()
    if len(text) > LONGEST_TEXT or "\x00" in text:
        raise InvalidRequest(f"{name}: must have at most {LONGEST_TEXT} characters, none of them null", field=name)
    return text


def limit_of(query: Mapping[str, str]) -> int:
    """How many a page shall have. Raises `InvalidRequest`."""
    text = query["limit"]
    if not text:
        return USUAL_PAGE
    if not (text.isascii() and text.isdecimal() and len(text) <= 4):
        raise InvalidRequest("limit: must be a whole number", field="limit")
    return int(text)


def creation_of(request: Request, what: str, render: Callable[[Any], str]) -> Creation:
    """How the thing in the body is made once. `what` tells operations apart under one key."""
    content = b"\0".join((what.encode(), msgspec.json.encode(request.body)))
    return Creation(
        principal=request.caller.id,
        actor=request.caller.name,
        key=request.idempotency_key,
        fingerprint=hashlib.sha256(content).digest(),
        render=render,
    )


def created_reply(created: Created) -> Reply:
    """201, and whether this is the answer of an earlier request with the same key."""
    return Reply(created.answer, status=201, headers={"Idempotent-Replayed": "true"} if created.replayed else {})


def changed_reply(content: str, version: int) -> Reply:
    """The thing as it is now, with its version for the next `If-Match`."""
    return Reply(content, headers={"ETag": f'"{version}"'})

"""Who is told of events by webhooks: endpoints are made, changed and switched off; their log is read and replayed."""

from collections.abc import Callable, Sequence
from functools import partial

import httpx
from msgspec import Struct, structs
from sqlalchemy import Connection

from hub.contract.ports import Clock
from hub.contract.public_http import is_address, is_public
from hub.database import link_state
from hub.database import webhooks as stored
from hub.database.engine import Database
from hub.errors import InvalidRequest, NotFound, Unavailable
from hub.model.ids import NewId
from hub.model.webhook import DeliveryEntry, DeliveryState, Endpoint, Event, EventType, Period
from hub.services.requests import Caller
from hub.services.secrets import place_of_webhook
from hub.services.vault import Vault
from hub.services.webhook_signing import SECRET_BYTES, new_secret

MOST_ENDPOINTS = 20
MOST_REPLAYED = 10_000
LARGEST_PAGE = 200
EVENTS_KEPT_DAYS = 30
BOTH_SECRETS_HOURS = 24
OPERATION = "webhook"
"""The breaker of an endpoint stands under this name."""
_DAY_MS = 86_400_000
_LONGEST_URL = 2_000
_AT_ONCE = 500


class EndpointChange(Struct, frozen=True, kw_only=True):
    """What to change; None stays."""

    url: str | None = None
    events: tuple[EventType, ...] | None = None
    description: str | None = None
    enabled: bool | None = None


class Replayed(Struct, frozen=True):
    """How many events go out once more; `next_from_ms` is where to go on when there are further ones."""

    events: int
    next_from_ms: int | None


class LogPage(Struct, frozen=True):
    """A page of an endpoint's log; `next` leads to the next one, empty at the end."""

    entries: list[DeliveryEntry]
    next: str


class Webhooks:
    """Endpoints belong to the key that made them; nobody else sees them but the operator."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        vault: Vault,
        networks: Sequence[str],
        new_id: NewId,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._database = database
        self._clock = clock
        self._vault = vault
        self._networks = networks
        self._new_id = new_id
        self._random_bytes = random_bytes

    async def create(
        self, caller: Caller, *, url: str, venue_id: str, events: tuple[EventType, ...], description: str
    ) -> tuple[Endpoint, str]:
        """Makes an endpoint; gives it with its secret, which is shown this once. An empty `venue_id` means all venues
        of the key. Raises `InvalidRequest`, or `Unavailable` where the hub cannot keep secrets."""
        endpoint_id, secret = self._new_id("hook"), self._new_secret()
        endpoint = Endpoint(
            id=endpoint_id,
            key_id=caller.id,
            venue_id=venue_id or caller.venue_id or "",
            url=self.checked_url(url),
            description=description,
            events=events,
            secret=self._vault.seal(secret, place=place_of_webhook(endpoint_id)),
            old_secret="",
            old_secret_until_ms=0,
            enabled=True,
            disabled_reason="",
            failing_since_ms=None,
            created_at_ms=self._clock.now_ms(),
        )
        if not await self._database.write(partial(stored.insert_endpoint, endpoint=endpoint, most=MOST_ENDPOINTS)):
            raise InvalidRequest(f"this key has {MOST_ENDPOINTS} webhooks already", code="TOO_MANY_WEBHOOKS")
        return endpoint, secret

    async def list(self, caller: Caller | None = None) -> list[Endpoint]:
        """The endpoints of a caller's key, or all of them."""
        return await self._database.read(partial(stored.load_endpoints, key_id=None if caller is None else caller.id))

    async def load(self, endpoint_id: str, caller: Caller | None = None) -> Endpoint:
        """An endpoint of the caller's key, or of any. Raises `NotFound`."""
        return _seen(await self._database.read(partial(stored.find_endpoint, endpoint_id=endpoint_id)), caller)

    async def change(self, endpoint: Endpoint, change: EndpointChange) -> Endpoint:
        """Changes an endpoint; switching it on forgets why it was off. Raises `InvalidRequest`, `NotFound`."""
        url = None if change.url is None else self.checked_url(change.url)
        now_ms = self._clock.now_ms()

        def unit(connection: Connection) -> Endpoint:
            current = _seen(stored.find_endpoint(connection, endpoint.id, lock=True))
            after = structs.replace(
                current,
                url=current.url if url is None else url,
                events=current.events if change.events is None else change.events,
                description=current.description if change.description is None else change.description,
            )
            if change.enabled is not None:
                after = structs.replace(after, enabled=change.enabled, disabled_reason="", failing_since_ms=None)
            if change.enabled is False:
                stored.stop_deliveries(connection, endpoint.id, detail="the webhook was switched off", now_ms=now_ms)
            link_state.reset_breaker(connection, endpoint.id, OPERATION)
            stored.save_endpoint(connection, after)
            return after

        return await self._database.write(unit)

    async def delete(self, endpoint: Endpoint) -> None:
        """Deletes an endpoint with its log."""

        def unit(connection: Connection) -> None:
            link_state.reset_breaker(connection, endpoint.id, OPERATION)
            stored.delete_endpoint(connection, endpoint.id)

        await self._database.write(unit)

    async def rotate(self, endpoint: Endpoint) -> tuple[Endpoint, str]:
        """A new secret, shown this once; for 24 hours the old one signs as well, unless no key opens it any more.
        Raises `NotFound`, and `Unavailable` where the hub cannot keep secrets."""
        secret, now_ms = self._new_secret(), self._clock.now_ms()
        place = place_of_webhook(endpoint.id)
        sealed = self._vault.seal(secret, place=place)

        def unit(connection: Connection) -> Endpoint:
            current = _seen(stored.find_endpoint(connection, endpoint.id, lock=True))
            old = current.secret if self._vault.opens(current.secret, place=place) else ""
            until_ms = now_ms + BOTH_SECRETS_HOURS * 3_600_000 if old else 0
            after = structs.replace(current, secret=sealed, old_secret=old, old_secret_until_ms=until_ms)
            stored.save_endpoint(connection, after)
            return after

        return await self._database.write(unit), secret

    async def replay(self, endpoint: Endpoint, wanted: Period, *, venue_id: str | None, dry_run: bool) -> Replayed:
        """Sends events once more, under the ids they had. `dry_run` only counts. Raises `InvalidRequest` for an
        endpoint that is switched off, `NotFound` for an event that is not there."""
        if not endpoint.enabled:
            raise InvalidRequest("the webhook is switched off; switch it on first", code="WEBHOOK_DISABLED")
        run = self._database.read if dry_run else self._database.write
        now_ms = self._clock.now_ms()

        def some(connection: Connection, after: Event | None) -> tuple[Sequence[Event], int]:
            events = stored.select_events(connection, endpoint, wanted, venue_id=venue_id, limit=_AT_ONCE, after=after)
            return events, len(events) if dry_run else stored.requeue(connection, endpoint.id, events, now_ms)

        count, last = 0, None
        for _ in range(MOST_REPLAYED // _AT_ONCE):
            events, queued = await run(partial(some, after=last))
            count += queued
            last = events[-1] if len(events) == _AT_ONCE else None
            if last is None:
                break
        replayed = Replayed(count, None if last is None else last.at_ms)
        if wanted.event_id and not replayed.events:
            raise NotFound(f"there is no event {wanted.event_id[:100]!r} that is not on its way already")
        return replayed

    async def log(self, endpoint: Endpoint, *, state: DeliveryState | None, after: str, limit: int) -> LogPage:
        """A page of what was sent, newest first. Raises `InvalidRequest`."""
        if not 1 <= limit <= LARGEST_PAGE:
            raise InvalidRequest(f"limit: must be from 1 to {LARGEST_PAGE}", field="limit")
        read = partial(stored.load_log, endpoint_id=endpoint.id, state=state, before=after, limit=limit + 1)
        entries = await self._database.read(read)
        return LogPage(entries[:limit], entries[limit - 1].event_id if len(entries) > limit else "")

    async def forget(self) -> int:
        """Deletes events older than 30 days with their log; a job. Orders take theirs along earlier."""
        before_ms, gone = self._clock.now_ms() - EVENTS_KEPT_DAYS * _DAY_MS, 0
        while some := await self._database.write(partial(stored.forget_events, before_ms=before_ms, limit=_AT_ONCE)):
            gone += some
        return gone

    def checked_url(self, text: str) -> str:
        """The address of an endpoint. Raises `InvalidRequest` for one that the hub does not call.

        A name is looked up when it is called, not here: by then it may point elsewhere.
        """
        try:
            url = httpx.URL(text)
        except (httpx.InvalidURL, ValueError) as problem:
            raise _bad_url("is not an address") from problem
        if len(text) > _LONGEST_URL or not url.host or not text.isascii() or not text.isprintable() or " " in text:
            raise _bad_url(f"must be an address of at most {_LONGEST_URL} visible ASCII characters")
        if url.userinfo or url.fragment:
            raise _bad_url("must have no user, password or fragment")
        allowed = is_public(url.host, self._networks)
        is_inside = url.host == "localhost" or (allowed and not is_public(url.host))
        if url.scheme != "https" and not (url.scheme == "http" and is_inside):
            raise _bad_url("must begin with https://")
        if is_address(url.host) and not allowed:
            raise _bad_url("is not on the public internet; the operator may allow it with OPENPOS_WEBHOOK_NETWORKS")
        return str(url)

    def _new_secret(self) -> str:
        if not self._vault.can_seal:
            raise Unavailable("webhooks need OPENPOS_SECRET_KEY, which the operator sets", retry_after_seconds=3600)
        return new_secret(self._random_bytes(SECRET_BYTES))


def _seen(endpoint: Endpoint | None, caller: Caller | None = None) -> Endpoint:
    if endpoint is None or (caller is not None and endpoint.key_id != caller.id):
        raise NotFound("there is no such webhook")
    return endpoint


def _bad_url(words: str) -> InvalidRequest:
    return InvalidRequest(f"url: {words}", field="url", code="WEBHOOK_URL_REFUSED")

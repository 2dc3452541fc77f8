"""Sends events to endpoints: signed, in order per order, again and again for three days, and says how it went."""

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from functools import partial

import httpx
import msgspec
from msgspec import structs
from sqlalchemy import Connection

from hub.contract.context import working_for
from hub.contract.http import HttpProfile, VendorHttp
from hub.contract.ports import CallSink, Clock, RateLimiter
from hub.contract.redact import Redactor
from hub.database import link_state, webhook_outbox
from hub.database import webhooks as stored
from hub.database.engine import Database
from hub.database.link_state import Breaker
from hub.database.order_reads import decode_order, load_order
from hub.database.webhook_outbox import Claimed, Outcome
from hub.database.webhooks import Owner
from hub.errors import ConnectorError, HubError, VendorRateLimited
from hub.model.order import OrderRecord
from hub.model.webhook import DeliveryState, Endpoint, Event, ItemState
from hub.services import breaker as breakers
from hub.services.secrets import place_of_webhook
from hub.services.vault import Vault
from hub.services.webhook_signing import signed_headers
from hub.services.webhooks import OPERATION

Render = Callable[[Event, OrderRecord | ItemState | None, Sequence[str]], bytes]
"""Makes the body of an event, its subject as it was, and the scopes of the key it is for."""

QUICK_TRIES = 6
"""So many fall into the first three minutes, the shortest time in which a delivery platform wants an order accepted."""
# Seconds from one try to the next. After the quick ones as Standard Webhooks advises; three days in all.
RETRY_SECONDS = (5, 10, 20, 40, 80, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
DISABLED_AFTER_DAYS = 5
"""An endpoint to which nothing could be delivered for so long is switched off."""
TOTAL_TIMEOUT_SECONDS = 15.0
_CONNECT_TIMEOUT_SECONDS = 5.0
_MAX_ANSWER_BYTES = 64 * 1024
_LEASE_MS = 60_000
_AT_ONCE_PER_ENDPOINT = 4
_ENDPOINTS_AT_ONCE = 16
AT_ONCE = _AT_ONCE_PER_ENDPOINT * _ENDPOINTS_AT_ONCE
"""So many connections at most."""
_DAY_MS = 86_400_000
_GONE = "410"
_log = logging.getLogger(__name__)


class WebhookSender:
    """One per process; a job calls `send_due` every second. Leases keep processes from sending the same twice."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        vault: Vault,
        render: Render,
        transport: httpx.AsyncBaseTransport,
        sink: CallSink,
        limiter: RateLimiter,
        jitter: Callable[[], float],
    ) -> None:
        self._database = database
        self._clock = clock
        self._vault = vault
        self._render = render
        self._transport = transport
        self._sink = sink
        self._limiter = limiter
        self._jitter = jitter
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(_ENDPOINTS_AT_ONCE)
        self._stopping = False

    async def send_due(self) -> None:
        """Begins to send what is due, endpoint by endpoint, so that a slow one holds up no other."""
        now_ms = self._clock.now_ms()
        for endpoint_id in await self._database.read(partial(webhook_outbox.endpoints_with_work, now_ms=now_ms)):
            if endpoint_id not in self._busy and not self._stopping:
                task = asyncio.create_task(self._serve(endpoint_id))
                self._busy[endpoint_id] = task
                task.add_done_callback(partial(self._done, endpoint_id))

    def _done(self, endpoint_id: str, _task: asyncio.Task[None]) -> None:
        del self._busy[endpoint_id]

    async def stop(self) -> None:
        """Begins nothing more and lets what is under way finish."""
        self._stopping = True
        await self.wait()

    async def wait(self) -> None:
        """Until what was begun is done."""
        await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def _serve(self, endpoint_id: str) -> None:
        try:
            goes_on = True
            while goes_on:
                async with self._places:  # given back after every round: many slow endpoints must not keep all places
                    goes_on = not self._stopping and await self._send_some(endpoint_id)
        except HubError as problem:
            _log.error("webhook %s: %s", endpoint_id, problem.message)
        except Exception:  # the edge of a job: the next second tries again
            _log.exception("webhook %s failed in the hub", endpoint_id)

    async def _send_some(self, endpoint_id: str) -> bool:
        """Claims some events and sends them; False when nothing (more) may be sent now."""
        now_ms = self._clock.now_ms()

        def take(connection: Connection) -> tuple[Endpoint | None, Owner | None, Breaker | None, list[Claimed]]:
            endpoint = stored.find_endpoint(connection, endpoint_id)
            if endpoint is None:
                return None, None, None, []
            breaker = link_state.load_breakers(connection, endpoint_id).get(OPERATION)
            if breaker is not None and breakers.is_open(breaker, now_ms):
                return endpoint, None, breaker, []
            limit = 1 if breaker is not None and breakers.is_trying(breaker, now_ms) else _AT_ONCE_PER_ENDPOINT
            claimed = webhook_outbox.claim(
                connection, endpoint_id, now_ms=now_ms, lease_ms=_LEASE_MS, limit=limit, holding_tries=QUICK_TRIES
            )
            return endpoint, stored.load_owner(connection, endpoint.key_id), breaker, claimed

        endpoint, owner, breaker, claimed = await self._database.write(take)
        if endpoint is None or owner is None or not claimed:
            return False
        if owner.is_revoked or not endpoint.enabled:
            await self._switch_off(endpoint, f"the API key {owner.name!r} was revoked" if owner.is_revoked else "")
            return False
        results = await asyncio.gather(*(self._send(endpoint, owner, one) for one in claimed))
        tried = [problem for problem in results if problem is not _NOT_SENT]
        return await self._note_health(endpoint, breaker, tried) if tried else False

    async def _send(self, endpoint: Endpoint, owner: Owner, claimed: Claimed) -> ConnectorError | None:
        """One try; gives the problem if there was one."""
        event = claimed.event
        if owner.venue_id not in (None, event.venue_id):  # the key was bound to one venue after it asked for all
            now_ms, words = self._clock.now_ms(), f"the API key {owner.name!r} may not read this store"
            await self._record(claimed, Outcome(state=DeliveryState.FAILED, now_ms=now_ms, status=None, detail=words))
            return _NOT_SENT
        try:
            body = self._render(event, await self._subject(event), owner.scopes)
            secrets = self._secrets(endpoint)
        except (HubError, msgspec.DecodeError) as problem:  # nothing of the partner's doing: say so and try later
            _log.error("webhook %s: event %s cannot be sent: %s", endpoint.id, event.id, problem)
            await self._record(claimed, self._failed(claimed, None, f"the hub cannot send it: {problem}"))
            return _NOT_SENT
        at_seconds = self._clock.now_ms() // 1000
        headers = {**signed_headers(event.id, at_seconds, body, secrets), "user-agent": "OpenPOS-hub"}
        try:
            with working_for(event.order_id or "", claimed.tries):
                answer = await self._http(endpoint, secrets).send(
                    f"{OPERATION}.{event.type}", "POST", "", headers=headers, content=body, safe=True
                )
        except ConnectorError as problem:
            status, words = _in_short(problem)
            await self._record(claimed, self._failed(claimed, status, words, problem))
            return problem
        done = Outcome(state=DeliveryState.DELIVERED, now_ms=self._clock.now_ms(), status=answer.status, detail="")
        await self._record(claimed, done)
        return None

    def _failed(
        self, claimed: Claimed, status: int | None, words: str, problem: ConnectorError | None = None
    ) -> Outcome:
        now_ms = self._clock.now_ms()
        if claimed.tries > len(RETRY_SECONDS):
            return Outcome(state=DeliveryState.FAILED, now_ms=now_ms, status=status, detail=words)
        pause_seconds = RETRY_SECONDS[claimed.tries - 1] * (0.9 + self._jitter() / 5)
        if isinstance(problem, VendorRateLimited):
            pause_seconds = max(pause_seconds, problem.retry_after_seconds)
        due_at_ms = now_ms + int(pause_seconds * 1000)
        return Outcome(state=DeliveryState.PENDING, now_ms=now_ms, status=status, detail=words, due_at_ms=due_at_ms)

    async def _record(self, claimed: Claimed, outcome: Outcome) -> None:
        await self._database.write(lambda connection: webhook_outbox.complete(connection, claimed, outcome))

    async def _subject(self, event: Event) -> OrderRecord | ItemState | None:
        """The order as it was then, with its way into the POS as it is now; or the item."""
        if event.order_id is None:
            return msgspec.json.decode(event.document, type=ItemState) if event.document else None
        order_id = event.order_id
        record = await self._database.read(lambda connection: load_order(connection, order_id))
        order = decode_order(event.document)
        return OrderRecord(order=order) if record is None else structs.replace(record, order=order)

    def _secrets(self, endpoint: Endpoint) -> list[str]:
        """Those that sign now, the newest first."""
        sealed = [endpoint.secret]
        if endpoint.old_secret and self._clock.now_ms() < endpoint.old_secret_until_ms:
            sealed.append(endpoint.old_secret)
        return [self._vault.unseal(one, place=place_of_webhook(endpoint.id)) for one in sealed]

    def _http(self, endpoint: Endpoint, secrets: Sequence[str]) -> VendorHttp:
        query = httpx.URL(endpoint.url).query.decode("ascii")
        return VendorHttp(
            HttpProfile(
                connector="webhook",
                link_id=endpoint.id,
                base_url=endpoint.url,
                connect_timeout_seconds=_CONNECT_TIMEOUT_SECONDS,
                total_timeout_seconds=TOTAL_TIMEOUT_SECONDS,
                rate_limits=(),
                max_answer_bytes=_MAX_ANSWER_BYTES,
                answers_json=False,
            ),
            transport=self._transport,
            sink=self._sink,
            limiter=self._limiter,
            clock=self._clock,
            redactor=Redactor(("webhook-signature",), (), [*secrets, *([query] if query else [])]),
        )

    async def _note_health(
        self, endpoint: Endpoint, breaker: Breaker | None, results: Sequence[ConnectorError | None]
    ) -> bool:
        """What the tries say about the endpoint; False when it should be left alone for now."""
        problems = [one for one in results if one is not None]
        well = len(problems) < len(results)
        now_ms, jitter = self._clock.now_ms(), self._jitter()

        def unit(connection: Connection) -> int | None:
            if problems:
                current = link_state.load_breakers(connection, endpoint.id).get(OPERATION)
                after = _after_problems(current or Breaker(endpoint.id, OPERATION), problems, well, now_ms, jitter)
                link_state.save_breaker(connection, after)
            elif breaker is not None:
                link_state.reset_breaker(connection, endpoint.id, OPERATION)
            return webhook_outbox.note_health(connection, endpoint.id, well=well, now_ms=now_ms)

        failing_since_ms = await self._database.write(unit)
        if any(problem.code == _GONE for problem in problems):
            await self._switch_off(endpoint, "the endpoint answered 410 Gone")
            return False
        if failing_since_ms is not None and now_ms - failing_since_ms >= DISABLED_AFTER_DAYS * _DAY_MS:
            last = _in_short(problems[-1])[1]
            await self._switch_off(
                endpoint, f"nothing could be delivered for {DISABLED_AFTER_DAYS} days; the last time: {last}"
            )
            return False
        return well

    async def _switch_off(self, endpoint: Endpoint, reason: str) -> None:
        now_ms = self._clock.now_ms()

        def unit(connection: Connection) -> None:
            current = stored.find_endpoint(connection, endpoint.id, lock=True)
            if current is not None:
                words = reason or current.disabled_reason
                stored.save_endpoint(connection, structs.replace(current, enabled=False, disabled_reason=words))
                detail = f"the webhook was switched off: {words}" if words else "the webhook was switched off"
                stored.stop_deliveries(connection, endpoint.id, detail=detail, now_ms=now_ms)

        await self._database.write(unit)
        _log.warning("webhook %s is switched off: %s", endpoint.id, reason or "by a person")


def _after_problems(
    breaker: Breaker, problems: Sequence[ConnectorError], well: bool, now_ms: int, jitter: float
) -> Breaker:
    """The breaker after a round with failures; `well` says that something was delivered in it, too. Who asks for
    a pause (HTTP 429, or 503 with `Retry-After`) gets it for everything that waits."""
    if well:
        after = Breaker(breaker.link_id, breaker.operation)
    else:
        after = breakers.after_failure(
            breaker,
            reached=problems[-1].reached,
            now_ms=now_ms,
            remaining_seconds=3 * _DAY_MS / 1000,
            jitter=jitter,
        )
    asked = [problem.retry_after_seconds for problem in problems if isinstance(problem, VendorRateLimited)]
    if not asked:
        return after
    until_ms = max(after.open_until_ms, now_ms + int(max(asked) * 1000))
    return structs.replace(after, trips=max(after.trips, 1), open_until_ms=until_ms)


def _in_short(problem: ConnectorError) -> tuple[int | None, str]:
    """The status of a refusal and what to say about it; of silence, only words."""
    found = _STATUS.search(problem.message)
    if found is None:
        return None, problem.message.partition(": ")[2]
    status = int(found["status"])
    return status, f"HTTP {status}" + (", redirects are not followed" if 300 <= status < 400 else "")


_STATUS = re.compile(r": HTTP (?P<status>\d{3})")
_NOT_SENT = ConnectorError("not sent")

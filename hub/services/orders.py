"""Takes an order in: checks it against the venue's rules, prices it, stores it once, and wakes its delivery."""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct, structs

from hub.contract.base import PosConnector
from hub.contract.ports import Clock
from hub.contract.registry import Registry
from hub.database import orders as stored
from hub.database.engine import Database
from hub.database.order_reads import load_order
from hub.database.orders import NewOrder, Placement, PlacementKind, Submission
from hub.errors import Conflict, Forbidden, InvalidRequest, KeyReused, NotFound
from hub.model.ids import NewId, companion_id, parse_id
from hub.model.money import Money, display
from hub.model.order import InjectionState, MoneyAudit, Order, OrderRecord, Origin, Timing
from hub.model.status import Injection, OrderType
from hub.model.venue import Link, Venue, is_open
from hub.services.directory import Catalog, Directory
from hub.services.pricing import price_check
from hub.services.requests import Caller, OrderRequest

IDEMPOTENCY_DAYS = 7  # decisions: keys are kept for seven days; the natural key as long as the order
_KEY_LIFETIME_MS = IDEMPOTENCY_DAYS * 86_400_000
_SPEAKABLE = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what an id or a number is made of
_FURTHEST_AHEAD_MS = 366 * 86_400_000
_TRIES_WHILE_MENU_CHANGES = 5


Render = Callable[[OrderRecord], str]
"""Writes an order as the caller will read it."""


class Placed(Struct, frozen=True, kw_only=True):
    """The outcome for the caller. `answer` is the first answer to this key, word for word."""

    order_id: str
    answer: str
    replayed: bool


class Orders:
    """Places and reads orders. `on_placed` is told the link of every order that has deliveries to make."""

    def __init__(
        self,
        *,
        database: Database,
        directory: Directory,
        registry: Registry,
        clock: Clock,
        new_id: NewId,
        on_placed: Callable[[str], None],
    ) -> None:
        self._database = database
        self._directory = directory
        self._registry = registry
        self._clock = clock
        self._new_id = new_id
        self._on_placed = on_placed

    async def place(self, request: OrderRequest, caller: Caller, *, idempotency_key: str, render: Render) -> Placed:
        """Stores an order once and returns after the commit.

        Raises `InvalidRequest`, `Forbidden`, `KeyReused` (same key or origin id, other content) or `Unavailable`.
        """
        fingerprint = _fingerprint(request)
        for _ in range(_TRIES_WHILE_MENU_CHANGES):
            try:
                new = await self._price(request, caller, fingerprint, idempotency_key, render)
            except (InvalidRequest, Forbidden):
                # What was taken before stays taken, though by now an item is sold out or the store closed.
                earlier = await self._find_earlier(request, caller, fingerprint, idempotency_key)
                if earlier is None:
                    raise
                return await self._answer(earlier, request, idempotency_key, render)
            placement = await self._database.write_each(stored.place_orders, new)
            if placement.kind is not PlacementKind.MENU_CHANGED:
                if placement.kind is PlacementKind.PLACED and new.submission is not None:
                    self._on_placed(new.submission.link_id)
                return await self._answer(placement, request, idempotency_key, render)
            await self._directory.refresh()
        raise Conflict("the store's menu is changing at this moment; repeat the request")

    async def load(self, id_or_number: str) -> OrderRecord:
        """An order by `order_…` id, UUID or number; raises `NotFound`."""
        wanted = parse_id("order", id_or_number) or id_or_number
        if not _SPEAKABLE.fullmatch(wanted):
            raise NotFound("there is no such order")
        record = await self._database.read(lambda connection: load_order(connection, wanted))
        if record is None:
            raise NotFound(f"there is no order {id_or_number!r}")
        return record

    async def _find_earlier(
        self, request: OrderRequest, caller: Caller, fingerprint: bytes, idempotency_key: str
    ) -> Placement | None:
        """The order that came under the same key or origin before, whatever the rules say today."""
        key, now_ms = stored.key_name(caller.id, idempotency_key), self._clock.now_ms()
        origin = stored.origin_name(request.venue_id, origin_of(request, caller))
        return await self._database.read(
            lambda connection: stored.find_placement(
                connection, key=key, origin=origin, fingerprint=fingerprint, now_ms=now_ms
            )
        )

    async def _answer(
        self, placement: Placement, request: OrderRequest, idempotency_key: str, render: Render
    ) -> Placed:
        if placement.kind is PlacementKind.KEY_REUSED:
            raise KeyReused(
                f"Idempotency-Key {idempotency_key!r} was used for another order; use a new key",
                field="Idempotency-Key",
            )
        if placement.kind is PlacementKind.ORIGIN_REUSED:
            raise KeyReused(
                f"externalId {request.origin_order_id!r} was used for another order",
                field="externalId",
                code="ORIGIN_REUSED",
            )
        answer = placement.answer or render(placement.first or await self.load(placement.order_id))
        replayed = placement.kind is PlacementKind.REPLAYED
        return Placed(order_id=placement.order_id, answer=answer, replayed=replayed)

    async def _price(
        self,
        request: OrderRequest,
        caller: Caller,
        fingerprint: bytes,
        idempotency_key: str,
        render: Render,
    ) -> NewOrder:
        venue = self._directory.venue(request.venue_id)
        catalog = await self._directory.catalog(venue.id)
        order = new_order(request, caller, venue, catalog, now_ms=self._clock.now_ms(), new_id=self._new_id)
        submission, queued = self._submission(venue, order)
        return NewOrder(
            order=order,
            order_prefix=venue.order_prefix,
            catalog_version=catalog.version,
            fingerprint=fingerprint,
            principal=caller.id,
            idempotency_key=idempotency_key,
            key_expires_at_ms=order.created_at_ms + _KEY_LIFETIME_MS,
            event_id=companion_id("evt", order.id),
            actor=caller.name,
            submission=submission,
            injection=queued,
            answer=render,
        )

    def _submission(self, venue: Venue, order: Order) -> tuple[Submission | None, tuple[InjectionState, ...]]:
        """The deliveries into the venue's POS, and how that looks to the caller at first."""
        link = self._directory.link_of(venue.id)
        if link is None:
            return None, ()
        submission = new_submission(link, self._registry.get(link.connector).pos, venue, order, self._new_id)
        queued = InjectionState(
            target=link.connector,
            link_id=link.id,
            state=Injection.QUEUED,
            attempts=0,
            cause=link.paused_cause,
            deadline_at_ms=submission.deliver_by_ms,
        )
        return submission, (queued,)


def _fingerprint(request: OrderRequest) -> bytes:
    """What tells an order from another one under the same key. With a quote that is the quote alone: who repeats it in
    other words (another note, the guest's name spelt otherwise) means the order that was taken."""
    if request.quoted_until_ms is not None:
        request = structs.replace(request, customer=None, delivery=None, tables=(), party_size=None, note="")
    return hashlib.sha256(msgspec.json.encode(request)).digest()


def new_submission(link: Link, pos: type[PosConnector], venue: Venue, order: Order, new_id: NewId) -> Submission:
    """The deliveries that bring a new order into its venue's POS."""
    return Submission(
        link_id=link.id,
        lane_id=companion_id("lane", order.id),
        steps=tuple(
            (new_id("dlv") if index else companion_id("dlv", order.id), step.value)
            for index, step in enumerate(pos.submission)
        ),
        deliver_by_ms=deliver_by_ms(venue, order.created_at_ms, order.timing.promised_at_ms),
    )


def new_order(
    request: OrderRequest, caller: Caller, venue: Venue, catalog: Catalog, *, now_ms: int, new_id: NewId
) -> Order:
    """Checks a request against the venue's rules and prices it from the menu; nothing is stored.

    Raises `InvalidRequest` naming the field, or `Forbidden`.
    """
    local = datetime.fromtimestamp(now_ms / 1000, ZoneInfo(venue.timezone))
    check_rules(request, venue, caller, now_ms, local)
    check = price_check(
        catalog,
        request.lines,
        policies=venue.policies,
        order_type=request.order_type,
        discount=request.discount,
        new_id=new_id,
    )
    total_cents = check.totals.total_cents
    check_quote(request, total_cents, venue, now_ms)
    check_amount(total_cents, venue, caller)
    return Order(
        id=new_id("order"),
        venue_id=venue.id,
        order_type=request.order_type,
        origin=origin_of(request, caller),
        timing=Timing(
            timezone=venue.timezone, business_date=local.date().isoformat(), promised_at_ms=request.promised_at_ms
        ),
        currency=venue.currency,
        checks=(check,),
        tables=request.tables,
        party_size=request.party_size,
        customer=request.customer,
        delivery=request.delivery,
        note=request.note,
        money_audit=MoneyAudit(computed_cents=total_cents, declared_cents=request.declared_total_cents),
        created_at_ms=now_ms,
        updated_at_ms=now_ms,
    )


def origin_of(request: OrderRequest, caller: Caller) -> Origin:
    """Who sent an order, and its number there."""
    system = request.origin_system or ("web" if caller.is_anonymous else caller.name)
    return Origin(system=system, order_id=request.origin_order_id)


def deliver_by_ms(venue: Venue, placed_at_ms: int, promised_at_ms: int | None) -> int:
    """Until when the hub tries by itself: the venue's deadline, or the promised time less preparation if later."""
    deadline = placed_at_ms + venue.policies.delivery_deadline_minutes * 60_000
    if promised_at_ms is None:
        return deadline
    return max(deadline, promised_at_ms - venue.policies.preparation_minutes * 60_000)


def check_rules(request: OrderRequest, venue: Venue, caller: Caller, now_ms: int, local: datetime) -> None:
    """Refuses what the venue does not do, with the reason. Raises `InvalidRequest` or `Forbidden`."""
    if caller.is_anonymous and not venue.policies.anonymous_orders:
        raise Forbidden(f"{venue.name} takes orders only with an API key", code="KEY_REQUIRED")
    if caller.is_anonymous and request.discount is not None:
        raise Forbidden("discount: only a key with orders:write may give one", field="discount", code="KEY_REQUIRED")
    if request.order_type not in venue.order_types:
        offered = ", ".join(venue.order_types)
        raise InvalidRequest(
            f"orderType: {venue.name} offers {offered}", field="orderType", code="ORDER_TYPE_NOT_OFFERED"
        )
    if request.promised_at_ms is None and not is_open(venue, local):
        raise InvalidRequest(f"{venue.name} is closed now", code="STORE_CLOSED")
    if request.promised_at_ms is not None:
        _check_promised(request.promised_at_ms, venue, now_ms)
    needs_address = venue.policies.delivery_address_required and request.order_type is OrderType.DELIVERY
    if needs_address and request.delivery is None:
        raise InvalidRequest(
            "deliveryAddress: a delivery needs an address", field="deliveryAddress", code="ADDRESS_REQUIRED"
        )


def _check_promised(promised_at_ms: int, venue: Venue, now_ms: int) -> None:
    if promised_at_ms > now_ms + _FURTHEST_AHEAD_MS:
        raise InvalidRequest("scheduledFor: more than a year ahead", field="scheduledFor", code="TIME_TOO_FAR")
    if promised_at_ms <= now_ms:
        raise InvalidRequest("scheduledFor: this time is past", field="scheduledFor", code="TIME_PAST")
    local = datetime.fromtimestamp(promised_at_ms / 1000, ZoneInfo(venue.timezone))
    if not is_open(venue, local):
        raise InvalidRequest(f"scheduledFor: {venue.name} is closed then", field="scheduledFor", code="STORE_CLOSED")


def check_quote(request: OrderRequest, total_cents: int, venue: Venue, now_ms: int) -> None:
    """Refuses an order from a quote that ended, or whose price no longer holds. Raises `InvalidRequest`."""
    quoted = request.quoted_total_cents
    if request.quoted_until_ms is not None and now_ms > request.quoted_until_ms:
        raise InvalidRequest("quoteId: this quote has ended; ask for a new one", field="quoteId", code="QUOTE_EXPIRED")
    if quoted is not None and quoted != total_cents:
        was, now = (display(Money(cents, venue.currency)) for cents in (quoted, total_cents))
        raise InvalidRequest(
            f"quoteId: the price changed from {was} to {now}; ask for a new quote",
            field="quoteId",
            code="QUOTE_OUTDATED",
        )


def check_amount(total_cents: int, venue: Venue, caller: Caller) -> None:
    """Refuses an anonymous order above the venue's limit. Raises `InvalidRequest`."""
    limit = venue.policies.anonymous_max_cents
    if caller.is_anonymous and limit is not None and total_cents > limit:
        raise InvalidRequest(
            f"items: an order without an API key may come to at most {display(Money(limit, venue.currency))}",
            field="items",
            code="ORDER_TOO_LARGE",
        )

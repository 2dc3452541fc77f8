"""Orders are stored once, with their outbox entries and audit row, and changed version by version."""

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct, structs
from sqlalchemy import Connection, bindparam, delete, select, update

from hub.database.announcements import announce
from hub.database.deliveries import INSERT_LANES
from hub.database.first_versions import keep_first, load_first
from hub.database.order_numbers import OrderNumbers
from hub.database.prepared import BulkInsert, Prepared, text_list
from hub.database.repetition_tables import idempotency_keys
from hub.database.tables import deliveries, order_events, orders
from hub.database.webhook_events import is_told, note_changed_order, note_new_orders
from hub.model.order import InjectionState, Order, OrderRecord, Origin
from hub.model.status import Status


class Submission(Struct, frozen=True, kw_only=True):
    """The deliveries that bring a new order into its POS, one per step, in this order."""

    link_id: str
    lane_id: str
    steps: tuple[tuple[str, str], ...]
    """(delivery id, operation) per step."""
    deliver_by_ms: int


class NewOrder(Struct, frozen=True, kw_only=True):
    """An order to be stored, with everything that must be stored with it or not at all."""

    order: Order
    order_prefix: str
    catalog_version: int
    """The menu version it was priced with; if the venue's has moved on, nothing is stored."""
    fingerprint: bytes
    principal: str
    idempotency_key: str
    """Empty when the caller gave none."""
    key_expires_at_ms: int
    event_id: str
    actor: str
    submission: Submission | None
    injection: tuple[InjectionState, ...] = ()
    """How the submission looks to the caller at first."""
    answer: Callable[[OrderRecord], str]
    """Writes the answer to the caller once the number is known."""


class PlacementKind(StrEnum):
    """What became of a `NewOrder`."""

    PLACED = "placed"
    REPLAYED = "replayed"
    KEY_REUSED = "key_reused"
    ORIGIN_REUSED = "origin_reused"
    MENU_CHANGED = "menu_changed"


class Placement(Struct, frozen=True, kw_only=True):
    """The outcome of placing an order.

    A repetition of an idempotency key is to be answered with `answer` or, where that is empty, from `first`: the order
    as it was placed. One that is known by its origin alone has neither.
    """

    kind: PlacementKind
    order_id: str = ""
    answer: str = ""
    first: OrderRecord | None = None


_KEYS = Prepared(
    lambda listed: select(
        idempotency_keys.c.name,
        idempotency_keys.c.fingerprint,
        idempotency_keys.c.order_id,
        idempotency_keys.c.answer,
        idempotency_keys.c.injection,
        idempotency_keys.c.expires_at_ms,
    ).where(listed(idempotency_keys.c.name, "names")),
    "names",
)
_FORGET_KEYS = Prepared(
    lambda listed: delete(idempotency_keys).where(listed(idempotency_keys.c.name, "names")), "names"
)
_ORIGINS = Prepared(
    lambda listed: select(orders.c.origin, orders.c.fingerprint, orders.c.id).where(listed(orders.c.origin, "names")),
    "names",
)
_INSERT_KEYS = BulkInsert(idempotency_keys, "name", "fingerprint", "order_id", "answer", "expires_at_ms", "injection")
_INJECTION = msgspec.json.Decoder(tuple[InjectionState, ...])
_INSERT_ORDERS = BulkInsert(
    orders,
    "id",
    "venue_id",
    "number",
    "origin",
    "fingerprint",
    "version",
    "is_open",
    "created_at_ms",
    "updated_at_ms",
    "document",
    "closed_at_ms",
)
_INSERT_DELIVERIES = BulkInsert(
    deliveries,
    "id",
    "lane_id",
    "order_id",
    "link_id",
    "seq",
    "operation",
    "state",
    "deliver_by_ms",
    "created_at_ms",
)
_CHANGE_ORDER = Prepared(
    lambda _: (
        update(orders)
        .where(orders.c.id == bindparam("order_id"), orders.c.version == bindparam("old_version"))
        .values(
            version=bindparam("new_version"),
            is_open=bindparam("still_open"),
            closed_at_ms=bindparam("closed_ms"),
            updated_at_ms=bindparam("updated_ms"),
            document=bindparam("content"),
        )
        .returning(is_told(bindparam("of_venue")).label("is_told"))
    ),
    "order_id",
    "old_version",
    "of_venue",
    "new_version",
    "still_open",
    "closed_ms",
    "updated_ms",
    "content",
)
_INSERT_EVENTS = BulkInsert(order_events, "id", "order_id", "version", "at_ms", "kind", "actor", "detail")


def place_orders(connection: Connection, items: Sequence[NewOrder]) -> list[Placement]:
    """Stores orders, each once per idempotency key and per origin; a repetition gets the first one's outcome.

    A twin that another process stores at another venue at the same moment violates a unique key; the writer then
    repeats the unit, which finds it.
    """
    numbers = OrderNumbers(connection, [(item.order.venue_id, item.catalog_version) for item in items])
    ended: list[str] = []
    names = [_names(item) for item in items]
    known = _known(connection, [name for several in names for name in several], _latest_ms(items), ended)
    if ended:  # a key may come anew once its time is over
        _FORGET_KEYS.run(connection, text_list(connection, ended))
    outcomes: list[Placement | None] = []
    fresh: list[tuple[NewOrder, Order]] = []
    for item, own_names in zip(items, names, strict=True):
        outcome = _repeated(connection, own_names, item.fingerprint, known)
        if outcome is None:
            number = numbers.take(item.order.venue_id, item.catalog_version)
            if number is None:
                outcome = Placement(kind=PlacementKind.MENU_CHANGED)
            else:
                fresh.append((item, structs.replace(item.order, number=f"{item.order_prefix}-{number:03d}")))
                for name in own_names:
                    known[name] = _Known(item.fingerprint, item.order.id)
        outcomes.append(outcome)
    numbers.give_back()
    answers = _insert(connection, fresh)
    if numbers.told:
        told = [(order, item.event_id) for item, order in fresh if order.venue_id in numbers.told]
        note_new_orders(connection, told)
    return [
        Placement(kind=PlacementKind.PLACED, order_id=item.order.id, answer=answers[item.order.id])
        if outcome is None
        else _resolved(outcome, answers)
        for item, outcome in zip(items, outcomes, strict=True)
    ]


def _latest_ms(items: Sequence[NewOrder]) -> int:
    return max(item.order.created_at_ms for item in items)


class _Known(Struct, frozen=True):
    """An order that already has this key or origin."""

    fingerprint: bytes
    order_id: str
    answer: str = ""
    injection: str = ""


def key_name(principal: str, idempotency_key: str) -> str | None:
    """A caller's idempotency key as it is stored; None when there is none."""
    return f"{principal} {idempotency_key}" if idempotency_key else None


def origin_name(venue_id: str, origin: Origin) -> str | None:
    """An order's natural key as it is stored; None when its sender gave no number of its own."""
    if not origin.order_id:
        return None
    return f"{venue_id} {len(origin.system)} {origin.system} {origin.order_id}"  # the length keeps them apart


_Name = tuple[PlacementKind, str]
"""What makes an order unique besides its id, under what it is called when other content comes with it."""


def _named(key: str | None, origin: str | None) -> list[_Name]:
    names = ((PlacementKind.KEY_REUSED, key), (PlacementKind.ORIGIN_REUSED, origin))
    return [(kind, name) for kind, name in names if name is not None]


def _names(item: NewOrder) -> list[_Name]:
    key = key_name(item.principal, item.idempotency_key)
    return _named(key, origin_name(item.order.venue_id, item.order.origin))


def find_placement(
    connection: Connection, *, key: str | None, origin: str | None, fingerprint: bytes, now_ms: int
) -> Placement | None:
    """What became of an order that came under this key or origin before; None when none did."""
    names = _named(key, origin)
    return _repeated(connection, names, fingerprint, _known(connection, names, now_ms))


def _repeated(
    connection: Connection, names: Sequence[_Name], fingerprint: bytes, known: dict[_Name, _Known]
) -> Placement | None:
    for kind, name in names:
        found = known.get((kind, name))
        if found is None:
            continue
        if found.fingerprint != fingerprint:
            return Placement(kind=kind, order_id=found.order_id)
        first = _first_record(connection, found)
        return Placement(kind=PlacementKind.REPLAYED, order_id=found.order_id, answer=found.answer, first=first)
    return None


def _first_record(connection: Connection, found: _Known) -> OrderRecord | None:
    """The order as it was placed under an idempotency key, and how it stood with its delivery then."""
    if not found.injection:
        return None
    order = load_first(connection, found.order_id)
    return None if order is None else OrderRecord(order=order, injection=_INJECTION.decode(found.injection))


def _resolved(outcome: Placement, answers: dict[str, str]) -> Placement:
    """Completes a repetition whose first order was placed in this very batch."""
    if outcome.kind is not PlacementKind.REPLAYED or outcome.order_id not in answers:
        return outcome
    return structs.replace(outcome, answer=answers[outcome.order_id])


def _known(
    connection: Connection, names: Sequence[_Name], now_ms: int, ended: list[str] | None = None
) -> dict[_Name, _Known]:
    """The orders that have these names already; keys that ended do not count and are put into `ended`."""
    known: dict[_Name, _Known] = {}
    keys = [name for kind, name in names if kind is PlacementKind.KEY_REUSED]
    if keys:
        for row in _KEYS.run(connection, text_list(connection, keys)):
            if row.expires_at_ms > now_ms:
                first = _Known(row.fingerprint, row.order_id, row.answer, row.injection)
                known[PlacementKind.KEY_REUSED, row.name] = first
            elif ended is not None:
                ended.append(row.name)
    origins = [name for kind, name in names if kind is PlacementKind.ORIGIN_REUSED]
    if origins:
        for origin, fingerprint, order_id in _ORIGINS.run(connection, text_list(connection, origins)):
            known[PlacementKind.ORIGIN_REUSED, origin] = _Known(fingerprint, order_id)
    return known


def _insert(connection: Connection, stored: Sequence[tuple[NewOrder, Order]]) -> dict[str, str]:
    """Stores orders that are new, and returns their answers by id. Keys are inserted in one order everywhere, so
    that no two processes wait for each other."""
    _INSERT_KEYS.run(connection, sorted([_key_row(item) for item, _ in stored if item.idempotency_key]))
    _INSERT_ORDERS.run(connection, [_order_row(item, order) for item, order in stored])
    _INSERT_EVENTS.run(connection, [_event_row(item, order) for item, order in stored])
    submissions = [(item.submission, order) for item, order in stored if item.submission is not None]
    INSERT_LANES.run(connection, [_lane_row(submission, order) for submission, order in submissions])
    rows = [row for submission, order in submissions for row in _delivery_rows(submission, order)]
    _INSERT_DELIVERIES.run(connection, rows)
    for item, order in stored:
        if order.tables:
            announce(connection, None, order, item.event_id)
    return {order.id: item.answer(OrderRecord(order=order, injection=item.injection)) for item, order in stored}


def _key_row(item: NewOrder) -> tuple[Any, ...]:
    name = key_name(item.principal, item.idempotency_key)
    injection = msgspec.json.encode(item.injection).decode()
    return (name, item.fingerprint, item.order.id, "", item.key_expires_at_ms, injection)


def _order_row(item: NewOrder, order: Order) -> tuple[Any, ...]:
    return (
        order.id,
        order.venue_id,
        order.number,
        origin_name(order.venue_id, order.origin),
        item.fingerprint,
        order.version,
        order.status is Status.OPEN,
        order.created_at_ms,
        order.updated_at_ms,
        msgspec.json.encode(order).decode(),
        _closed_at_ms(order),
    )


def _event_row(item: NewOrder, order: Order) -> tuple[Any, ...]:
    return (item.event_id, order.id, order.version, order.created_at_ms, "placed", item.actor, "")


def _lane_row(submission: Submission, order: Order) -> tuple[Any, ...]:
    next_seq, first = len(submission.steps) + 1, submission.steps[0][1]
    return (submission.lane_id, submission.link_id, order.id, next_seq, first, order.created_at_ms, 0)


def _delivery_rows(submission: Submission, order: Order) -> Iterable[tuple[Any, ...]]:
    for seq, (delivery_id, operation) in enumerate(submission.steps, start=1):
        yield (
            delivery_id,
            submission.lane_id,
            order.id,
            submission.link_id,
            seq,
            operation,
            "pending",
            submission.deliver_by_ms,
            order.created_at_ms,
        )


def save_change(
    connection: Connection,
    before: Order,
    after: Order,
    *,
    event_id: str,
    kind: str,
    actor: str,
    detail: str,
    told_by_link_id: str = "",
) -> Order | None:
    """Stores a changed order under the next version, with its audit row and what its channels must hear.

    A channel is not told what it told us itself: `told_by_link_id`. None when someone else was faster.
    """
    changed = _since_when_closed(structs.replace(after, version=before.version + 1))
    saved = _CHANGE_ORDER.run(
        connection,
        before.id,
        before.version,
        before.venue_id,
        changed.version,
        changed.status is Status.OPEN,
        changed.timing.closed_at_ms,
        changed.updated_at_ms,
        msgspec.json.encode(changed).decode(),
    )
    if not saved:
        return None
    if before.version == 1:
        keep_first(connection, before)
    event = (event_id, changed.id, changed.version, changed.updated_at_ms, kind, actor, detail)
    _INSERT_EVENTS.run(connection, [event])
    announce(connection, before, changed, event_id, told_by_link_id=told_by_link_id)
    if saved[0].is_told:
        note_changed_order(connection, before, changed, event_id)
    return changed


def _closed_at_ms(order: Order) -> int | None:
    """Whoever closed it: a closed order says since when, for its time in the archive counts from there."""
    return None if order.status is Status.OPEN else order.timing.closed_at_ms or order.updated_at_ms


def _since_when_closed(order: Order) -> Order:
    closed_at_ms = _closed_at_ms(order)
    if closed_at_ms == order.timing.closed_at_ms:
        return order
    return structs.replace(order, timing=structs.replace(order.timing, closed_at_ms=closed_at_ms))

"""Orders are stored once, with their outbox entries and audit row, and changed version by version."""

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from operator import itemgetter
from typing import Any

import msgspec
from msgspec import Struct, structs
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from hub.database.tables import (
    deliveries,
    idempotency_keys,
    lanes,
    order_events,
    order_refs,
    orders,
    venues,
)
from hub.database.upsert import upsert
from hub.model.order import Order, Origin, VendorRef
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
    answer: Callable[[Order], str]
    """Renders the answer to the caller once the number is known; stored for repetitions of the same key."""


class PlacementKind(StrEnum):
    """What became of a `NewOrder`."""

    PLACED = "placed"
    REPLAYED = "replayed"
    KEY_REUSED = "key_reused"
    ORIGIN_REUSED = "origin_reused"
    MENU_CHANGED = "menu_changed"


class Placement(Struct, frozen=True, kw_only=True):
    """The outcome of placing an order. `answer` is empty when the first answer was not kept."""

    kind: PlacementKind
    order_id: str = ""
    answer: str = ""


_LOCK_VENUES = (
    select(venues.c.id)
    .where(venues.c.id.in_(bindparam("venue_ids", expanding=True)))
    .order_by(venues.c.id)
    .with_for_update()
)
_KEYS = select(idempotency_keys).where(idempotency_keys.c.name.in_(bindparam("names", expanding=True)))
_FORGET_ENDED = delete(idempotency_keys).where(
    idempotency_keys.c.name.in_(bindparam("names", expanding=True)),
    idempotency_keys.c.expires_at_ms <= bindparam("now_ms"),
)
_ORIGINS = select(orders.c.origin, orders.c.fingerprint, orders.c.id).where(
    orders.c.origin.in_(bindparam("names", expanding=True))
)
_NEXT_NUMBERS = (
    update(venues)
    .where(venues.c.id == bindparam("venue_id"), venues.c.catalog_version == bindparam("priced_with"))
    .values(next_number=venues.c.next_number + bindparam("count"))
    .returning(venues.c.next_number)
)
_INSERT_KEY = insert(idempotency_keys)
_INSERT_ORDER = insert(orders)
_INSERT_LANE = insert(lanes)
_INSERT_DELIVERY = insert(deliveries)
_INSERT_EVENT = insert(order_events)


def place_orders(connection: Connection, items: Sequence[NewOrder]) -> list[Placement]:
    """Stores orders, each once per idempotency key and per origin; a repetition gets the first one's outcome.

    A twin that another process stores at another venue at the same moment violates a unique key; the writer then
    repeats the unit, which finds it.
    """
    _wait_for_others(connection, items)
    now_ms = max(item.order.created_at_ms for item in items)
    known = _known(connection, [name for item in items for name in _names(item)], now_ms)
    outcomes: list[Placement | None] = []
    fresh: list[NewOrder] = []
    for item in items:
        outcome = _repeated(_names(item), item.fingerprint, known)
        outcomes.append(outcome)
        if outcome is None:
            fresh.append(item)
            known |= {name: _Known(item.fingerprint, item.order.id, "") for name in _names(item)}
    placed = {item.order.id: placement for item, placement in zip(fresh, _insert(connection, fresh), strict=True)}
    return [
        placed[item.order.id] if outcome is None else _resolved(outcome, placed)
        for item, outcome in zip(items, outcomes, strict=True)
    ]


def _wait_for_others(connection: Connection, items: Sequence[NewOrder]) -> None:
    """Takes turns with other processes that place orders at the same venues, so that what they stored is seen."""
    if connection.dialect.name != "sqlite":
        connection.execute(_LOCK_VENUES, {"venue_ids": list({item.order.venue_id for item in items})})


class _Known(Struct, frozen=True):
    """An order that already has this key or origin."""

    fingerprint: bytes
    order_id: str
    answer: str


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
    return _repeated(names, fingerprint, _known(connection, names, now_ms))


def _repeated(names: Sequence[_Name], fingerprint: bytes, known: dict[_Name, _Known]) -> Placement | None:
    for kind, name in names:
        first = known.get((kind, name))
        if first is None:
            continue
        if first.fingerprint != fingerprint:
            return Placement(kind=kind, order_id=first.order_id)
        return Placement(kind=PlacementKind.REPLAYED, order_id=first.order_id, answer=first.answer)
    return None


def _resolved(outcome: Placement, firsts: dict[str, Placement]) -> Placement:
    """Completes a repetition whose first order was placed in this very batch."""
    first = firsts.get(outcome.order_id)
    if first is None or outcome.kind is not PlacementKind.REPLAYED:
        return outcome
    if first.kind is not PlacementKind.PLACED:
        return first
    return structs.replace(outcome, answer=first.answer)


def _known(connection: Connection, names: Sequence[_Name], now_ms: int) -> dict[_Name, _Known]:
    """The orders that have these names already; keys that ended do not count."""
    known: dict[_Name, _Known] = {}
    keys = [name for kind, name in names if kind is PlacementKind.KEY_REUSED]
    if keys:
        for row in connection.execute(_KEYS, {"names": keys}):
            if row.expires_at_ms > now_ms:
                known[PlacementKind.KEY_REUSED, row.name] = _Known(row.fingerprint, row.order_id, row.answer)
    origins = [name for kind, name in names if kind is PlacementKind.ORIGIN_REUSED]
    if origins:
        for row in connection.execute(_ORIGINS, {"names": origins}):
            known[PlacementKind.ORIGIN_REUSED, row.origin] = _Known(row.fingerprint, row.id, "")
    return known


def _insert(connection: Connection, items: Sequence[NewOrder]) -> list[Placement]:
    """Numbers and stores orders that are new. Keys are inserted in one order everywhere, so that no two
    processes wait for each other."""
    numbered = _number(connection, items)
    stored = [(item, order) for item, order in zip(items, numbered, strict=True) if order is not None]
    if stored:
        answers = {item.order.id: item.answer(order) for item, order in stored}
        key_rows = [_key_row(item, answers) for item, _ in stored if item.idempotency_key]
        if key_rows:  # a key may come anew once its time is over
            now_ms = max(order.created_at_ms for _, order in stored)
            connection.execute(_FORGET_ENDED, {"names": [row["name"] for row in key_rows], "now_ms": now_ms})
            connection.execute(_INSERT_KEY, sorted(key_rows, key=itemgetter("name")))
        connection.execute(_INSERT_ORDER, [_order_row(item, order) for item, order in stored])
        connection.execute(_INSERT_EVENT, [_event_row(item, order) for item, order in stored])
        submissions = [(item.submission, order) for item, order in stored if item.submission is not None]
        if submissions:
            connection.execute(_INSERT_LANE, [_lane_row(submission, order) for submission, order in submissions])
            rows = [row for submission, order in submissions for row in _delivery_rows(submission, order)]
            connection.execute(_INSERT_DELIVERY, rows)
    return [
        Placement(kind=PlacementKind.MENU_CHANGED)
        if order is None
        else Placement(kind=PlacementKind.PLACED, order_id=order.id, answer=answers[order.id])
        for order in numbered
    ]


def _number(connection: Connection, items: Sequence[NewOrder]) -> list[Order | None]:
    """Gives each order its venue's next number; None where the menu changed since it was priced."""
    groups: dict[tuple[str, int], list[int]] = {}
    for index, item in enumerate(items):
        groups.setdefault((item.order.venue_id, item.catalog_version), []).append(index)
    numbered: list[Order | None] = [None] * len(items)
    for (venue_id, catalog_version), indexes in sorted(groups.items()):
        wanted = {"venue_id": venue_id, "priced_with": catalog_version, "count": len(indexes)}
        after = connection.execute(_NEXT_NUMBERS, wanted).scalar_one_or_none()
        if after is None:
            continue
        for offset, index in enumerate(indexes):
            item = items[index]
            number = f"{item.order_prefix}-{after - len(indexes) + offset:03d}"
            numbered[index] = structs.replace(item.order, number=number)
    return numbered


def _key_row(item: NewOrder, answers: dict[str, str]) -> dict[str, Any]:
    return {
        "name": key_name(item.principal, item.idempotency_key),
        "fingerprint": item.fingerprint,
        "order_id": item.order.id,
        "answer": answers[item.order.id],
        "expires_at_ms": item.key_expires_at_ms,
    }


def _order_row(item: NewOrder, order: Order) -> dict[str, Any]:
    return {
        "id": order.id,
        "venue_id": order.venue_id,
        "number": order.number,
        "origin": origin_name(order.venue_id, order.origin),
        "fingerprint": item.fingerprint,
        "version": order.version,
        "is_open": order.status is Status.OPEN,
        "created_at_ms": order.created_at_ms,
        "updated_at_ms": order.updated_at_ms,
        "document": msgspec.json.encode(order).decode(),
    }


def _event_row(item: NewOrder, order: Order) -> dict[str, Any]:
    return {
        "id": item.event_id,
        "order_id": order.id,
        "version": order.version,
        "at_ms": order.created_at_ms,
        "kind": "placed",
        "actor": item.actor,
        "detail": "",
    }


def _lane_row(submission: Submission, order: Order) -> dict[str, Any]:
    return {
        "id": submission.lane_id,
        "link_id": submission.link_id,
        "order_id": order.id,
        "next_seq": len(submission.steps) + 1,
        "operation": submission.steps[0][1],
        "due_at_ms": order.created_at_ms,
        "lease_epoch": 0,
    }


def _delivery_rows(submission: Submission, order: Order) -> Iterable[dict[str, Any]]:
    for seq, (delivery_id, operation) in enumerate(submission.steps, start=1):
        yield {
            "id": delivery_id,
            "lane_id": submission.lane_id,
            "order_id": order.id,
            "link_id": submission.link_id,
            "seq": seq,
            "operation": operation,
            "state": "pending",
            "deliver_by_ms": submission.deliver_by_ms,
            "created_at_ms": order.created_at_ms,
        }


def save_change(
    connection: Connection, before: Order, after: Order, *, event_id: str, kind: str, actor: str, detail: str
) -> Order | None:
    """Stores a changed order under the next version, with its audit row; None when someone else was faster."""
    changed = structs.replace(after, version=before.version + 1)
    statement = (
        update(orders)
        .where(orders.c.id == before.id, orders.c.version == before.version)
        .values(
            version=changed.version,
            is_open=changed.status is Status.OPEN,
            updated_at_ms=changed.updated_at_ms,
            document=msgspec.json.encode(changed).decode(),
        )
    )
    if connection.execute(statement).rowcount != 1:
        return None
    event = {
        "id": event_id,
        "order_id": changed.id,
        "version": changed.version,
        "at_ms": changed.updated_at_ms,
        "kind": kind,
        "actor": actor,
        "detail": detail,
    }
    connection.execute(_INSERT_EVENT, [event])
    return changed


def save_ref(connection: Connection, link_id: str, ref: VendorRef, order_id: str) -> None:
    """Remembers a vendor's id for an order; one that is known already stays as it is."""
    row = {"link_id": link_id, "kind": ref.kind, "vendor_id": ref.id, "order_id": order_id}
    upsert(connection, order_refs, [row])


def note_told(connection: Connection, link_id: str, ref: VendorRef, told: str) -> None:
    """Remembers what a vendor last said of one of our orders."""
    mine = (order_refs.c.link_id == link_id, order_refs.c.kind == ref.kind, order_refs.c.vendor_id == ref.id)
    connection.execute(update(order_refs).where(*mine).values(last_told=told))


def delete_expired_keys(connection: Connection, now_ms: int, limit: int = 1000) -> int:
    """Deletes up to `limit` idempotency keys that ended; returns how many."""
    table = idempotency_keys.c
    ended = select(table.name).where(table.expires_at_ms <= now_ms).limit(limit)
    return connection.execute(delete(idempotency_keys).where(table.name.in_(ended))).rowcount

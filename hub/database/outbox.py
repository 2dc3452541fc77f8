"""The outbox: lanes are claimed under a lease, their head deliveries worked, and outcomes recorded once."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, func, select, update

from hub.database.deliveries import BLOCKING_OPERATIONS, OPEN_STATES, State, decode_change
from hub.database.outbox_statements import (
    DUE,
    DUE_OLDEST_ORDER_FIRST,
    HEADS,
    INSERT_REFS,
    LEASE,
    LOCK_LANES,
    NOTE_CLAIMED,
    NOTE_SENT,
    SET_DELIVERY,
    SET_LANE,
)
from hub.database.prepared import text_list
from hub.database.stage import move_order
from hub.database.tables import deliveries, lanes, links, order_refs
from hub.database.webhook_events import note_failed_deliveries
from hub.model.change import Change, LinesChange
from hub.model.order import Loss, VendorRef
from hub.model.status import Stage


class Claimed(Struct, frozen=True, kw_only=True):
    """A delivery this process may work on until `lease_until_ms`."""

    delivery_id: str
    lane_id: str
    epoch: int
    link_id: str
    order_id: str
    document: str
    """The order, as JSON."""
    seq: int
    operation: str
    reason: str
    change: Change | None = None
    attempts: int
    """Attempts including this one."""
    uncertain: bool
    """An earlier attempt may have reached the vendor."""
    first_sent_at_ms: int | None
    sent_at_ms: int | None
    """When the last attempt that may have reached the vendor was sent."""
    absent_since_ms: int | None
    deliver_by_ms: int
    noted: bool
    """The claim itself noted that an attempt begins; otherwise `mark_sent` must before anything is sent."""
    last_words: str
    """What the last attempt said."""
    ref: VendorRef | None
    further_refs: tuple[VendorRef, ...] = ()
    """Other ids the vendor has for this order: of later rounds, of kitchen tickets."""
    later_lines: frozenset[str] = frozenset()
    """Lines that were added since: a delivery of their own, waiting behind this one, brings them."""


_FIRST = "submit_order"  # before it, the vendor has given no id
_FURTHER_ROUND = "add_lines"


def links_with_work(connection: Connection, now_ms: int) -> list[str]:
    """The links that have something due and may be called now. Costs one index probe per link."""
    due = select(lanes.c.id).where(lanes.c.link_id == links.c.id, lanes.c.due_at_ms <= now_ms).exists()
    query = select(links.c.id).where(links.c.paused_cause == "", links.c.not_before_ms <= now_ms, due)
    return list(connection.execute(query).scalars())


def claim(
    connection: Connection,
    *,
    link_id: str,
    owner: str,
    now_ms: int,
    lease_ms: int,
    limit: int,
    marked_on_claim: Collection[str],
    oldest_order_first: bool = False,
) -> list[Claimed]:
    """Leases up to `limit` due lanes of a link and returns their head deliveries.

    Lanes come by due time, or, where a backlog is worked off, by the age of their orders.

    The lane rows are locked first and the heads read by a later statement: a head read by the same statement
    could be one that another process just finished. `marked_on_claim` are the operations whose attempt may be
    noted with the claim; for the others `mark_sent` notes it right before the first byte.
    """
    due = DUE_OLDEST_ORDER_FIRST if oldest_order_first else DUE
    lane_ids = [row.id for row in due.run(connection, link_id, now_ms, limit)]
    if not lane_ids:
        return []
    leased = LEASE.run(connection, text_list(connection, lane_ids), owner, now_ms + lease_ms)
    epochs = {row.id: row.lease_epoch for row in leased}
    rows = HEADS.run(connection, text_list(connection, lane_ids))
    heads = {row.lane_id: row for row in rows}  # the lowest seq comes last and stays
    later_lines = _later_lines(rows, heads)
    _settle_idle(connection, [lane_id for lane_id in lane_ids if lane_id not in heads])
    _note_attempts(connection, heads.values(), now_ms, marked_on_claim)
    refs = _refs(connection, link_id, [row.order_id for row in heads.values() if row.operation != _FIRST])
    return [
        _claimed(heads[lane_id], epochs[lane_id], now_ms, marked_on_claim, refs, later_lines.get(lane_id, frozenset()))
        for lane_id in lane_ids
        if lane_id in heads
    ]


def _later_lines(rows: Sequence[Any], heads: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """The lines of further rounds that wait behind a lane's head, by lane."""
    later: dict[str, frozenset[str]] = {}
    for row in rows:
        if row.operation == _FURTHER_ROUND and row.id != heads[row.lane_id].id:
            change = decode_change(row.change)
            if isinstance(change, LinesChange):
                uids = frozenset(line.uid for line in change.lines)
                later[row.lane_id] = later.get(row.lane_id, frozenset()) | uids
    return later


def _settle_idle(connection: Connection, lane_ids: Sequence[str]) -> None:
    """Puts lanes to sleep that turned out to have nothing open."""
    if lane_ids:
        connection.execute(update(lanes).where(lanes.c.id.in_(lane_ids)).values(due_at_ms=None, lease_owner=None))


def is_uncertain(row: Any) -> bool:
    """Unknown, or left in flight by a process that died after it began to send."""
    return row.state == State.UNKNOWN or (row.state == State.INFLIGHT and row.sent_at_ms is not None)


def _note_attempts(connection: Connection, heads: Iterable[Any], now_ms: int, marked_on_claim: Collection[str]) -> None:
    certain = [row for row in heads if not is_uncertain(row)]
    marked = [row.id for row in certain if row.operation in marked_on_claim]
    unmarked = [row.id for row in certain if row.operation not in marked_on_claim]
    if marked:
        NOTE_SENT.run(connection, text_list(connection, marked), now_ms)
    if unmarked:
        NOTE_CLAIMED.run(connection, text_list(connection, unmarked))


def _refs(connection: Connection, link_id: str, order_ids: Sequence[str]) -> dict[str, list[VendorRef]]:
    """The vendor's ids of these orders; the order's own, oldest one comes first."""
    if not order_ids:
        return {}
    query = (
        select(order_refs)
        .where(order_refs.c.link_id == link_id, order_refs.c.order_id.in_(order_ids))
        .order_by(order_refs.c.kind != "order", order_refs.c.noted_at_ms, order_refs.c.vendor_id)
    )
    found: dict[str, list[VendorRef]] = {}
    for row in connection.execute(query):
        found.setdefault(row.order_id, []).append(VendorRef(kind=row.kind, id=row.vendor_id))
    return found


def _claimed(
    row: Any,
    epoch: int,
    now_ms: int,
    marked_on_claim: Collection[str],
    refs: Mapping[str, Sequence[VendorRef]],
    later_lines: frozenset[str],
) -> Claimed:
    uncertain = is_uncertain(row)
    marked = not uncertain and row.operation in marked_on_claim
    return Claimed(
        delivery_id=row.id,
        lane_id=row.lane_id,
        epoch=epoch,
        link_id=row.link_id,
        order_id=row.order_id,
        document=row.document,
        seq=row.seq,
        operation=row.operation,
        reason=row.reason,
        change=decode_change(row.change),
        attempts=row.attempts if uncertain else row.attempts + 1,
        uncertain=uncertain,
        first_sent_at_ms=row.first_sent_at_ms or (now_ms if marked else None),
        sent_at_ms=now_ms if marked else row.sent_at_ms,
        absent_since_ms=row.absent_since_ms,
        deliver_by_ms=row.deliver_by_ms,
        noted=marked,
        last_words=row.detail,
        ref=next(iter(refs.get(row.order_id, ())), None),
        further_refs=tuple(refs.get(row.order_id, ())[1:]),
        later_lines=later_lines,
    )


def mark_sent(connection: Connection, claimed: Claimed, now_ms: int) -> bool:
    """Notes, in a commit of its own, that an attempt is about to be sent; False when the lease is gone."""
    mine = select(lanes.c.id).where(lanes.c.id == claimed.lane_id, lanes.c.lease_epoch == claimed.epoch)
    if connection.execute(mine.with_for_update()).one_or_none() is None:
        return False
    connection.execute(
        update(deliveries)
        .where(deliveries.c.id == claimed.delivery_id)
        .values(
            state=State.INFLIGHT,
            attempts=deliveries.c.attempts + (1 if claimed.uncertain else 0),
            sent_at_ms=now_ms,
            first_sent_at_ms=func.coalesce(deliveries.c.first_sent_at_ms, now_ms),
            absent_since_ms=None,
        )
    )
    return True


class Completion(Struct, frozen=True, kw_only=True):
    """What became of a claimed delivery."""

    delivery_id: str
    lane_id: str
    order_id: str
    link_id: str
    epoch: int
    seq: int
    state: State
    """DELIVERED, DEAD, or PENDING / UNKNOWN to be taken up again at `due_at_ms`."""
    now_ms: int
    due_at_ms: int | None = None
    count_attempt: bool = True
    absent_since_ms: int | None = None
    cause: str = ""
    detail: str = ""
    ref: VendorRef | None = None
    further_refs: tuple[VendorRef, ...] = ()
    losses: tuple[Loss, ...] = ()
    pos_cents: int | None = None
    stage: Stage | None = None
    """The stage the order has reached by this outcome: rejected or cancelled by the POS."""
    stage_event_id: str = ""
    """The id of the audit row that says so."""


_ONLY_ONE = 2  # a lane's `next_seq` while it has had a single delivery


def complete(connection: Connection, items: Sequence[Completion]) -> list[bool]:
    """Records outcomes and gives the lanes back; False where the lease was lost.

    A late success is still a fact and is kept; a late failure is not. The lane row is locked before the rest is
    read, so a delivery that is added meanwhile is not overlooked.
    """
    lane_ids = text_list(connection, [item.lane_id for item in items])
    locked = {row.id: row for row in LOCK_LANES.run(connection, lane_ids)}
    held = [item.lane_id in locked and locked[item.lane_id].lease_epoch == item.epoch for item in items]
    kept = [item for item, mine in zip(items, held, strict=True) if mine or item.state is State.DELIVERED]
    SET_DELIVERY.run_each(connection, [_delivery_values(item) for item in kept])
    failed = [(item.delivery_id, item.order_id) for item in kept if item.state is State.DEAD]
    if failed:
        note_failed_deliveries(connection, failed, kept[0].now_ms)
    _insert_refs(connection, [item for item in kept if item.ref is not None])
    for item in kept:
        if item.stage is not None:
            event_id, reason = item.stage_event_id, item.detail
            move_order(connection, item.order_id, item.stage, reason=reason, event_id=event_id, now_ms=item.now_ms)
    mine = [item for item, is_held in zip(items, held, strict=True) if is_held]
    finished = _with_more_behind(connection, mine, {lane_id: row.next_seq for lane_id, row in locked.items()})
    following = _heads_operations(connection, finished)
    SET_LANE.run_each(connection, [_lane_values(item, following) for item in mine])
    return held


def _with_more_behind(connection: Connection, items: Sequence[Completion], next_seqs: dict[str, int]) -> list[str]:
    """The lanes whose worked delivery is through and that had several.

    A delivery that is given up may be through all the same: an earlier holder's late success was kept. One that
    is dead holds up the others only where the POS does not have the order.
    """
    more = [item for item in items if item.state not in OPEN_STATES and next_seqs[item.lane_id] > _ONLY_ONE]
    given_up = [item.delivery_id for item in more if item.state is State.DEAD]
    dead: set[str] = set()
    if given_up:
        query = select(deliveries.c.id).where(
            deliveries.c.id.in_(given_up),
            deliveries.c.state == State.DEAD,
            deliveries.c.operation.in_(BLOCKING_OPERATIONS),
        )
        dead = set(connection.execute(query).scalars())
    return [item.lane_id for item in more if item.delivery_id not in dead]


def _delivery_values(item: Completion) -> tuple[Any, ...]:
    return (
        item.delivery_id,
        item.state.value,
        0 if item.count_attempt else 1,
        item.absent_since_ms,
        item.cause,
        item.detail[:2000].replace("\x00", "�"),
        msgspec.json.encode(item.losses).decode() if item.losses else "",
        item.pos_cents,
        None if item.state in OPEN_STATES else item.now_ms,
    )


def _lane_values(item: Completion, following: dict[str, str]) -> tuple[Any, ...]:
    """Wakes the lane for a retry or for its next delivery; behind a dead one it waits for a person."""
    due_at_ms = item.now_ms if item.lane_id in following else item.due_at_ms
    return (item.lane_id, due_at_ms, following.get(item.lane_id, ""))


def _heads_operations(connection: Connection, lane_ids: Sequence[str]) -> dict[str, str]:
    if not lane_ids:
        return {}
    query = (
        select(deliveries.c.lane_id, deliveries.c.operation)
        .where(deliveries.c.lane_id.in_(lane_ids), deliveries.c.state.in_(OPEN_STATES))
        .order_by(deliveries.c.lane_id, deliveries.c.seq.desc())
    )
    return {row.lane_id: row.operation for row in connection.execute(query)}


def _insert_refs(connection: Connection, items: Sequence[Completion]) -> None:
    """Stores vendor ids; one that is known already (the same order found twice) is left as it is."""
    rows = {
        (item.link_id, ref.kind, ref.id): (item.order_id, item.now_ms)
        for item in items
        for ref in (item.ref, *item.further_refs)
        if ref is not None
    }
    INSERT_REFS.run(
        connection, [(*key, order_id, noted_at_ms) for key, (order_id, noted_at_ms) in sorted(rows.items())]
    )

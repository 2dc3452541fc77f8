"""One party sits down, in one transaction that takes turns per venue: a new tab, its own again, or the POS's."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from msgspec import structs
from sqlalchemy import Connection

from hub.contract.inbound import OpenTab
from hub.database import orders as stored
from hub.database.floor import load_floor, lock_venue, note_unknown
from hub.database.order_reads import load_open_orders, load_order
from hub.database.orders import NewOrder, PlacementKind, Submission
from hub.database.tabs import find_tab, follow, has_channel, is_live, is_our_id, lock_order
from hub.database.vendor_refs import save_ref
from hub.model.floor import Floor
from hub.model.ids import NewId, companion_id
from hub.model.order import Order, VendorRef
from hub.model.status import Status
from hub.model.venue import Link, Venue
from hub.services.new_tab import in_words, with_prepayment


class Outcome(StrEnum):
    """What became of a party that wanted to sit down."""

    OPENED = "opened"
    KNOWN = "known"
    """It sits there already; what was new about it is stored."""
    LINKED = "linked"
    """The staff had opened the table at the POS: that order is the party's."""
    OCCUPIED = "occupied"
    NOT_YOURS = "not_yours"
    """Somebody else says where guests sit."""
    MENU_CHANGED = "menu_changed"


@dataclass(frozen=True)
class Seated:
    """The outcome with the order: the party's own, or the one that is in the way at `table`."""

    outcome: Outcome
    order: Order | None = None
    table: str = ""


@dataclass(frozen=True)
class Party:
    """What the transaction needs. `build` makes a new order of table names, `submit` its way into the POS if any;
    `may_open` is whether this channel says where guests sit."""

    link: Link
    venue: Venue
    wanted: OpenTab
    catalog_version: int
    build: Callable[[tuple[str, ...]], Order]
    submit: Callable[[Order], Submission | None]
    may_open: bool
    new_id: NewId
    now_ms: int

    @property
    def actor(self) -> str:
        """Who asks, for the order's history."""
        return self.link.label


def sit_down(connection: Connection, party: Party) -> Seated:
    """Seats a party. Nothing is changed unless the outcome says so."""
    lock_venue(connection, party.venue.id)
    floor = load_floor(connection, party.venue.id)
    tables = floor.named(party.wanted.tables)
    known = find_tab(connection, party.link, party.wanted.channel_order_id)
    known = None if known is None else lock_order(connection, known.id)
    if known is not None and known.status is not Status.OPEN:
        return Seated(Outcome.KNOWN, known)
    fresh = floor.spots(tables) - (frozenset() if known is None else floor.spots(known.tables))
    sitting = [
        order
        for order in load_open_orders(connection, party.venue.id)
        if is_live(order) and floor.spots(order.tables) & fresh and (known is None or order.id != known.id)
    ]
    if known is None and len(sitting) == 1 and _was_opened_at_the_pos(connection, sitting[0]):
        theirs = lock_order(connection, sitting[0].id)
        if is_live(theirs):
            return Seated(Outcome.LINKED, _link(connection, party, theirs))
        sitting = []
    if sitting:
        return Seated(Outcome.OCCUPIED, sitting[0], _common(floor, sitting[0].tables, tables))
    moves = known is None or floor.spots(tables) != floor.spots(known.tables)
    if moves and not party.may_open:
        return Seated(Outcome.NOT_YOURS)
    if known is not None:
        order = _correct(connection, party, known, tables if moves else known.tables)
        seated = Seated(Outcome.KNOWN, order)
    else:
        seated = _open(connection, party, tables)
    if seated.order is not None:
        _queue_unknown(connection, party, floor, seated.order.id)
    return seated


def _was_opened_at_the_pos(connection: Connection, order: Order) -> bool:
    return order.origin.system.startswith("pos:") and not has_channel(connection, order)


def _common(floor: Floor, theirs: tuple[str, ...], ours: tuple[str, ...]) -> str:
    return next(name for name in ours if floor.spots([name]) & floor.spots(theirs))


def _open(connection: Connection, party: Party, tables: tuple[str, ...]) -> Seated:
    order = party.build(tables)
    named = f"{party.link.id} {party.wanted.channel_order_id}"
    new = NewOrder(
        order=order,
        order_prefix=party.venue.order_prefix,
        catalog_version=party.catalog_version,
        fingerprint=hashlib.sha256(named.encode()).digest(),
        principal=f"channel:{party.link.id}",
        idempotency_key="",
        key_expires_at_ms=0,
        event_id=companion_id("evt", order.id),
        actor=party.actor,
        submission=party.submit(order),
        answer=lambda _: "",
    )
    [placement] = stored.place_orders(connection, [new])
    if placement.kind is PlacementKind.MENU_CHANGED:
        return Seated(Outcome.MENU_CHANGED)
    _remember(connection, party, order)
    record = load_order(connection, order.id)
    return Seated(Outcome.OPENED, None if record is None else record.order)


def _correct(connection: Connection, party: Party, known: Order, tables: tuple[str, ...]) -> Order:
    """The tab with what the channel says now; the channel itself is not told of it."""
    wanted = party.wanted
    after = structs.replace(
        known,
        tables=tables,
        party_size=wanted.party_size or known.party_size,
        customer=wanted.customer or known.customer,
    )
    _remember(connection, party, known)
    if after == known:
        return known
    words = [f"table {', '.join(known.tables)} -> {', '.join(tables)}"] if tables != known.tables else []
    words += [f"party of {after.party_size}"] if after.party_size != known.party_size else []
    words += ["guest"] if after.customer != known.customer else []
    return _save(connection, party, known, after, "reseated", "; ".join(words), told_by_link_id=party.link.id)


def _link(connection: Connection, party: Party, order: Order) -> Order:
    """The POS's order as the party's: guest, size and what was ordered and paid before are taken over."""
    wanted = party.wanted
    before = f"Ordered before: {'; '.join(in_words(item) for item in wanted.items)}" if wanted.items else ""
    timing = structs.replace(order.timing, seated_at_ms=wanted.seated_at_ms or order.created_at_ms)
    after = structs.replace(
        order,
        party_size=wanted.party_size or order.party_size,
        customer=wanted.customer or order.customer,
        note="\n".join(text for text in (order.note, before) if text),
        timing=timing,
    )
    after = with_prepayment(after, wanted.prepaid_cents, party.new_id, party.now_ms)
    _remember(connection, party, order)
    return _save(connection, party, order, after, "seated", f"{party.actor} seats its guest at the table opened there")


def _save(
    connection: Connection, party: Party, before: Order, after: Order, kind: str, detail: str, told_by_link_id: str = ""
) -> Order:
    after = structs.replace(after, updated_at_ms=max(party.now_ms, before.updated_at_ms))
    saved = stored.save_change(
        connection,
        before,
        after,
        event_id=party.new_id("evt"),
        kind=kind,
        actor=party.actor,
        detail=detail,
        told_by_link_id=told_by_link_id,
    )
    assert saved is not None  # nobody else can change it: its row is locked
    return saved


def _remember(connection: Connection, party: Party, order: Order) -> None:
    """The channel's id of the order, and that it wants to hear of it; the hub itself needs neither."""
    if not party.link.id:
        return
    channel_id = party.wanted.channel_order_id
    if channel_id and not is_our_id(channel_id):
        ref = VendorRef(kind="order", id=channel_id)
        save_ref(connection, party.link.id, ref, order.id, now_ms=party.now_ms)
    follow(connection, party.link.id, order, lane_id=party.new_id("lane"))


def _queue_unknown(connection: Connection, party: Party, floor: Floor, order_id: str) -> None:
    note_unknown(
        connection,
        party.venue.id,
        floor.unknown(party.wanted.tables),
        told_by=party.actor,
        order_id=order_id,
        now_ms=party.now_ms,
    )

"""Orders change by version, are found by a vendor's id, and can be asked for by what is open and old."""

from msgspec import structs

from hub.database import order_reads
from hub.database import orders as stored
from hub.database.deliveries import State
from hub.database.engine import Database
from hub.model.order import Order, VendorRef
from hub.model.status import Injection, Stage, Status
from tests.database.stored import LINK, MINUTE, NOW, OTHER_LINK, claim_one, finish, new_id, place

REF = VendorRef(kind="order", id="9001")


def delivered(database: Database, ref: VendorRef = REF, pos_cents: int | None = None) -> Order:
    """An order the vendor has."""
    item = place(database)
    assert finish(database, claim_one(database), State.DELIVERED, ref=ref, pos_cents=pos_cents)
    return load(database, item.order.id)


def load(database: Database, order_id: str) -> Order:
    record = database.read_now(lambda c: order_reads.load_order(c, order_id))
    assert record is not None
    return record.order


def save(database: Database, before: Order, after: Order) -> Order | None:
    return database.run_now(
        lambda c: stored.save_change(
            c, before, after, event_id=new_id("evt"), kind="pos_changed", actor="pos", detail="x"
        )
    )


def test_a_change_raises_the_version_and_leaves_an_audit_row(database: Database) -> None:
    before = load(database, place(database).order.id)
    after = structs.replace(before, stage=Stage.PREPARING, updated_at_ms=NOW + 5)
    saved = save(database, before, after)
    assert saved == structs.replace(after, version=2)
    assert load(database, before.id) == saved
    events = database.read_now(lambda c: order_reads.load_events(c, before.id))
    assert [(row.version, row.kind, row.at_ms) for row in events] == [(1, "placed", NOW), (2, "pos_changed", NOW + 5)]


def test_of_two_changes_to_one_version_only_the_first_is_stored(database: Database) -> None:
    before = load(database, place(database).order.id)
    first = save(database, before, structs.replace(before, stage=Stage.PREPARING))
    second = save(database, before, structs.replace(before, stage=Stage.READY))
    assert first is not None
    assert second is None
    assert load(database, before.id).stage is Stage.PREPARING
    assert len(database.read_now(lambda c: order_reads.load_events(c, before.id))) == 2


def test_an_order_is_found_by_the_vendors_id_at_that_link_only(database: Database) -> None:
    order = delivered(database)
    assert database.read_now(lambda c: order_reads.find_order_by_ref(c, LINK.id, REF)) == order
    assert database.read_now(lambda c: order_reads.find_order_by_ref(c, OTHER_LINK.id, REF)) is None
    assert (
        database.read_now(lambda c: order_reads.find_order_by_ref(c, LINK.id, VendorRef(kind="check", id="9001")))
        is None
    )


def test_a_delivered_order_shows_the_vendors_id_and_total(database: Database) -> None:
    order = delivered(database, pos_cents=1900)
    record = database.read_now(lambda c: order_reads.load_order(c, order.number))
    assert record is not None
    [state] = record.injection
    assert (state.state, state.ref, state.attempts) == (Injection.CONFIRMED, REF, 1)
    assert record.money_audit.pos_cents == 1900
    assert record.money_audit.difference_cents == 100


def test_only_open_orders_that_the_vendor_has_are_polled(database: Database) -> None:
    first = delivered(database)
    second = delivered(database, VendorRef(kind="order", id="9002"))
    place(database)  # the vendor does not have this one
    closed = save(database, second, structs.replace(second, status=Status.CLOSED))
    assert closed is not None
    [entry] = database.read_now(lambda c: order_reads.open_orders_at_link(c, LINK.id))
    assert (entry.ref, entry.order_id, entry.created_at_ms) == (REF, first.id, NOW)
    assert database.read_now(lambda c: order_reads.open_orders_at_link(c, OTHER_LINK.id)) == []
    assert database.read_now(order_reads.links_with_open_orders) == [LINK.id]


def test_orders_that_did_not_change_since_are_found(database: Database) -> None:
    old = load(database, place(database, at_ms=NOW - 60 * MINUTE).order.id)
    place(database)
    assert database.read_now(lambda c: order_reads.load_unchanged(c, NOW - 30 * MINUTE, after_id="")) == [old]
    save(database, old, structs.replace(old, status=Status.CLOSED))
    assert database.read_now(lambda c: order_reads.load_unchanged(c, NOW - 30 * MINUTE, after_id="")) == []

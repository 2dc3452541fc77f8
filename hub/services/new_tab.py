"""A tab as a channel opens it: checked, its pre-ordered items priced where the menu has them, nothing stored."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from msgspec import structs

from hub.contract.inbound import OpenTab, WantedItem
from hub.errors import InvalidRequest
from hub.model import lifecycle
from hub.model.check import Check, Line, Totals
from hub.model.ids import NewId
from hub.model.menu import Item
from hub.model.order import MoneyAudit, Order, Origin, Timing
from hub.model.payment import Payment, PaymentMethod
from hub.model.status import OrderType, Status
from hub.model.venue import Link, Venue
from hub.services.directory import Catalog
from hub.services.pricing import bill, price_lines
from hub.services.requests import LineRequest

_LONGEST_NAME, _LONGEST_ID = 100, 200
_MOST_TABLES, _MOST_ITEMS, _MOST_GUESTS, _MOST_OF_ONE = 20, 200, 1000, 999
_MOST_CENTS = 10**12
_LONGEST_TEXTS = {"name": 200, "phone": 40, "email": 254}


def check_wanted(wanted: OpenTab) -> None:
    """Refuses what cannot be kept. Raises `InvalidRequest` naming the field."""
    if not 1 <= len(wanted.tables) <= _MOST_TABLES:
        raise InvalidRequest(f"tables: name 1 to {_MOST_TABLES}", field="tables")
    for name in wanted.tables:
        if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
            raise InvalidRequest(f"tables: a name has 1 to {_LONGEST_NAME} visible characters", field="tables")
    if len(wanted.channel_order_id) > _LONGEST_ID or not wanted.channel_order_id.isprintable():
        raise InvalidRequest(f"id: at most {_LONGEST_ID} visible characters", field="id")
    if wanted.party_size is not None and not 0 <= wanted.party_size <= _MOST_GUESTS:
        raise InvalidRequest(f"partySize: 0 to {_MOST_GUESTS}", field="partySize")
    if not 0 <= wanted.prepaid_cents <= _MOST_CENTS:
        raise InvalidRequest(f"prepayment: 0 to {_MOST_CENTS}", field="prepayment")
    for name, longest in _LONGEST_TEXTS.items():
        if wanted.customer is not None and len(getattr(wanted.customer, name)) > longest:
            raise InvalidRequest(f"guest: {name} has at most {longest} characters", field="guest")
    if len(wanted.items) > _MOST_ITEMS or any(not 1 <= item.quantity <= _MOST_OF_ONE for item in wanted.items):
        raise InvalidRequest(f"items: {_MOST_ITEMS} at most, each 1 to {_MOST_OF_ONE} times", field="items")


def new_tab(
    wanted: OpenTab,
    tables: tuple[str, ...],
    *,
    link: Link,
    venue: Venue,
    catalog: Catalog,
    now_ms: int,
    new_id: NewId,
) -> Order:
    """The order of guests who sit down: one open check, with what they ordered and paid before."""
    lines, rest = preordered(wanted.items, catalog)
    check = bill(
        catalog,
        Check(id=new_id("chk"), totals=Totals()),
        lines,
        policies=venue.policies,
        order_type=OrderType.DINE_IN,
        discount=None,
    )
    local = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(ZoneInfo(venue.timezone))
    order = Order(
        id=new_id("order"),
        venue_id=venue.id,
        order_type=OrderType.DINE_IN,
        origin=Origin(system=link.connector, order_id=wanted.channel_order_id),
        timing=Timing(
            timezone=venue.timezone,
            business_date=local.date().isoformat(),
            seated_at_ms=now_ms if wanted.seated_at_ms is None else wanted.seated_at_ms,
        ),
        currency=venue.currency,
        checks=(check,),
        tables=tables,
        party_size=wanted.party_size or None,
        customer=wanted.customer,
        note=rest,
        money_audit=MoneyAudit(computed_cents=check.totals.total_cents),
        created_at_ms=now_ms,
        updated_at_ms=now_ms,
    )
    return with_prepayment(order, wanted.prepaid_cents, new_id, now_ms)


def with_prepayment(order: Order, cents: int, new_id: NewId, now_ms: int) -> Order:
    """The order with what was paid before, as a payment of its first open check."""
    check = next((own for own in order.checks if own.status is Status.OPEN), None)
    if not cents or check is None:
        return order
    payment = Payment(id=new_id("pay"), method=PaymentMethod.PREPAID, cents=cents, taken_at_ms=now_ms)
    paid = structs.replace(check, payments=(*check.payments, payment))
    return lifecycle.with_check(order, paid, now_ms)


def preordered(items: Sequence[WantedItem], catalog: Catalog) -> tuple[list[Line], str]:
    """What was ordered before: as lines where the menu can price it, all the rest in words for the order's note."""
    requests: list[LineRequest] = []
    rest: list[str] = []
    for wanted in items:
        item = _on_the_menu(wanted.item, catalog)
        request = None if item is None else _orderable(item, wanted, catalog)
        if request is None:
            rest.append(in_words(wanted))
        else:
            requests.append(request)
    return price_lines(catalog, requests), f"Ordered before: {'; '.join(rest)}" if rest else ""


def in_words(wanted: WantedItem) -> str:
    """A pre-ordered item as the staff reads it."""
    words = f"{wanted.quantity} x {wanted.item}"
    return f"{words} ({wanted.note})" if wanted.note else words


def _on_the_menu(name: str, catalog: Catalog) -> Item | None:
    """The item of this id, vendor's id or exact name; None when there is none, or more than one."""
    if name in catalog.items:
        return catalog.items[name]
    offered = [item for item in catalog.items.values() if not item.retired]
    by_vendor = [item for item in offered if str(item.vendor.get("id", "")) == name]
    found = by_vendor or [item for item in offered if item.name == name]
    return found[0] if len(found) == 1 else None


def _orderable(item: Item, wanted: WantedItem, catalog: Catalog) -> LineRequest | None:
    """The line to price; None when it is sold out, or needs a choice that nobody made."""
    request = LineRequest(item_id=item.id, quantity=wanted.quantity, note=wanted.note)
    try:
        price_lines(catalog, [request])
    except InvalidRequest:
        return None
    return request

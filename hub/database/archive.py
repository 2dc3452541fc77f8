"""Searching all orders there are, open and closed, newest first, in pages whose cost does not depend on how many."""

import re
from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct, field
from sqlalchemy import Connection, Select, and_, or_, select

from hub.database.deliveries import injection_states_of
from hub.database.order_reads import decode_order, open_ids
from hub.database.tables import links, order_holds, order_refs, orders
from hub.model.archive import Search
from hub.model.guest import fold
from hub.model.order import Order, OrderRecord
from hub.model.status import Stage, Status

_REF_KINDS = ("order", "receipt", "check", "ticket")
_EXAMINED_AT_MOST = 2_000
"""Orders one page looks at; a search that no index answers goes on from there with the page's cursor."""
_FIRST_SLICE, _LARGEST_SLICE = 64, 512
_CLOCKS_DIFFER_MS = 60_000  # an id is made a moment before or after the time in the order, maybe by another process
_TAKEN_IN_LATE_MS = 2 * 86_400_000  # an order made at the POS gets its id when the hub hears of it
_FEWEST_DIGITS = 4
_CURSOR = re.compile(r"(?:(?P<closed_at_ms>\d{1,15})\.)?(?P<order_id>order_[0-9a-f]{32})")


class Position(Struct, frozen=True):
    """Where a page ended; the next begins behind it."""

    order_id: str
    closed_at_ms: int | None = None

    def __str__(self) -> str:
        return self.order_id if self.closed_at_ms is None else f"{self.closed_at_ms}.{self.order_id}"


def parse_position(text: str) -> Position | None:
    """A position from what `str` made of it; None when it is no such text."""
    match = _CURSOR.fullmatch(text)
    if match is None:
        return None
    closed_at_ms = match["closed_at_ms"]
    return Position(match["order_id"], None if closed_at_ms is None else int(closed_at_ms))


class Page(Struct, frozen=True, kw_only=True):
    """One page. `next` is None at the end; a page may be short, or empty, and still not be the last."""

    records: Sequence[OrderRecord]
    next: Position | None
    examined: int


def load_page(
    connection: Connection,
    search: Search,
    *,
    after: Position | None = None,
    limit: int = 50,
    examine: int = _EXAMINED_AT_MOST,
) -> Page:
    """The next page of a search. Reads at most about `examine` orders, however many there are."""
    begin, fits = _candidates(search), _test(search)
    found: list[Order] = []
    size, examined, position = max(limit + 1, _FIRST_SLICE) if _filters(search) else limit + 1, 0, after
    while True:
        rows = connection.execute(_behind(begin, search, position).limit(size)).all()
        for row in rows:
            if len(found) == limit:
                return _page(connection, found, position, examined)
            examined += 1
            position = Position(row.id, row.closed_at_ms if search.by_closing else None)
            if fits(row.document):
                found.append(decode_order(row.document))
        if len(rows) < size:
            return _page(connection, found, None, examined)
        if examined >= examine:
            return _page(connection, found, position, examined)
        size = min(2 * size, _LARGEST_SLICE)


def _page(connection: Connection, found: Sequence[Order], position: Position | None, examined: int) -> Page:
    states = injection_states_of(connection, [order.id for order in found])
    records = [OrderRecord(order=order, injection=tuple(states.get(order.id, ()))) for order in found]
    return Page(records=records, next=position, examined=examined)


_Rows = Select[tuple[str, int | None, str]]


def _candidates(search: Search) -> _Rows:
    """All orders the search may find, through the index that leaves the fewest; the rest is up to `_test`."""
    query = select(orders.c.id, orders.c.closed_at_ms, orders.c.document)
    few = _few(search)
    if few is not None:
        query = query.where(orders.c.id.in_(few))
    elif search.number:
        query = query.where(orders.c.number == search.number)
    if search.venue_id:
        query = query.where((orders.c.venue_id.concat("") if few is not None else orders.c.venue_id) == search.venue_id)
    return query


def _few(search: Search) -> Select[tuple[str]] | None:
    """The ids, where an index of their own has the few that may be found; None for other searches."""
    if search.ref:
        return _ids_by_ref(search.ref)
    if search.held:
        return select(order_holds.c.order_id)
    return open_ids() if search.status is Status.OPEN else None


def _ids_by_ref(ref: str) -> Select[tuple[str]]:
    return select(order_refs.c.order_id).where(
        order_refs.c.link_id.in_(select(links.c.id)),
        order_refs.c.kind.in_(_REF_KINDS),
        order_refs.c.vendor_id == ref,
    )


def _behind(query: _Rows, search: Search, position: Position | None) -> _Rows:
    """The part of a query behind a position, in the search's order and within its times."""
    if search.by_closing:
        return _behind_closing(query, search, position)
    # Few are sorted, lest a database walks through all orders to find those few in order.
    key = orders.c.id if _few(search) is None else orders.c.id.concat("")
    since_ms, before_ms = search.created_from_ms, search.created_before_ms
    if since_ms is not None:
        query = query.where(key >= first_id_at(since_ms - _CLOCKS_DIFFER_MS), orders.c.created_at_ms >= since_ms)
    if before_ms is not None:
        query = query.where(key < first_id_at(before_ms + _TAKEN_IN_LATE_MS), orders.c.created_at_ms < before_ms)
    if position is not None:
        query = query.where(key < position.order_id)
    return query.order_by(key.desc())


def _behind_closing(query: _Rows, search: Search, position: Position | None) -> _Rows:
    closed_at_ms = orders.c.closed_at_ms
    query = query.where(closed_at_ms.is_not(None))
    if search.closed_from_ms is not None:
        query = query.where(closed_at_ms >= search.closed_from_ms)
    if search.closed_before_ms is not None:
        query = query.where(closed_at_ms < search.closed_before_ms)
    if position is not None and position.closed_at_ms is not None:
        same = and_(closed_at_ms == position.closed_at_ms, orders.c.id < position.order_id)
        query = query.where(closed_at_ms <= position.closed_at_ms, or_(closed_at_ms < position.closed_at_ms, same))
    return query.order_by(closed_at_ms.desc(), orders.c.id.desc())


def first_id_at(at_ms: int) -> str:
    """The lowest order id that can be made at a time."""
    return f"order_{max(at_ms, 0):012x}{'0' * 20}"


class _Timing(Struct, frozen=True):
    closed_at_ms: int | None = None


class _Origin(Struct, frozen=True):
    order_id: str = ""


class _Guest(Struct, frozen=True):
    name: str
    phone: str = ""
    email: str = ""


class _Looked(Struct, frozen=True):
    """The part of a stored order that searches look at."""

    created_at_ms: int
    origin: _Origin
    status: Status = Status.OPEN
    stage: Stage = Stage.RECEIVED
    timing: _Timing = field(default_factory=_Timing)
    tables: tuple[str, ...] = ()
    customer: _Guest | None = None


_LOOKED = msgspec.json.Decoder(_Looked)


def _filters(search: Search) -> bool:
    """Whether some orders of a slice may not fit."""
    return search != Search(venue_id=search.venue_id)


def _test(search: Search) -> Callable[[str], bool]:
    """Whether a stored order is what is looked for."""
    if not _filters(search):
        return lambda _document: True
    tests = _tests(search)

    def fits(document: str) -> bool:
        order = _LOOKED.decode(document)
        return all(test(order) for test in tests)

    return fits


def _tests(search: Search) -> list[Callable[[_Looked], bool]]:
    tests: list[Callable[[_Looked], bool]] = []
    if search.status is not None:
        tests.append(lambda order: order.status is search.status)
    if search.stage is not None:
        tests.append(lambda order: order.stage is search.stage)
    for since_ms, before_ms, read in (
        (search.created_from_ms, search.created_before_ms, lambda order: order.created_at_ms),
        (search.closed_from_ms, search.closed_before_ms, lambda order: order.timing.closed_at_ms),
    ):
        if since_ms is not None or before_ms is not None:
            tests.append(_between(since_ms, before_ms, read))
    if search.external_id:
        tests.append(lambda order: order.origin.order_id == search.external_id)
    if search.table:
        table = fold(search.table)
        tests.append(lambda order: any(fold(name) == table for name in order.tables))
    if search.guest:
        tests.append(_is_guest(search.guest))
    return tests


def _between(
    since_ms: int | None, before_ms: int | None, read: Callable[[_Looked], int | None]
) -> Callable[[_Looked], bool]:
    def is_between(order: _Looked) -> bool:
        at_ms = read(order)
        if at_ms is None:
            return False
        return (since_ms is None or at_ms >= since_ms) and (before_ms is None or at_ms < before_ms)

    return is_between


def _is_guest(wanted: str) -> Callable[[_Looked], bool]:
    folded, digits = fold(wanted), _digits(wanted).lstrip("0")  # 050 … at home is +994 50 … abroad
    by_phone = len(digits) >= _FEWEST_DIGITS and not any(letter.isalpha() for letter in wanted)

    def is_guest(order: _Looked) -> bool:
        guest = order.customer
        if guest is None:
            return False
        if by_phone:
            return digits in _digits(guest.phone)
        return folded in fold(guest.name) or folded in fold(guest.email)

    return is_guest


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isdecimal())

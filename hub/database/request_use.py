"""How many requests callers made in a window, and when each key was last used."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from sqlalchemy import Connection, bindparam, delete, or_, select, update

from hub.database.tables import key_uses, request_use
from hub.database.upsert import upsert


class Window(Struct, frozen=True):
    """One caller's requests in one stretch of time: the `slot`-th of `seconds` since 1970."""

    subject: str
    seconds: int
    slot: int


class Lease(Struct, frozen=True):
    """A wish for `want` requests of a window that may hold `limit`."""

    window: Window
    limit: int
    want: int


class Leased(Struct, frozen=True):
    """How many requests were granted, and how many of the window all processes have taken by now."""

    granted: int
    used: int


_MINE = (
    request_use.c.subject == bindparam("a_subject"),
    request_use.c.window_seconds == bindparam("a_seconds"),
    request_use.c.slot == bindparam("a_slot"),
)
_TAKE = update(request_use).where(*_MINE).values(used=request_use.c.used + bindparam("taken"))
_GIVE_BACK = update(request_use).where(*_MINE).values(used=request_use.c.used - bindparam("returned"))
_LOOK = select(request_use.c.used).where(*_MINE).with_for_update()


def lease(connection: Connection, wishes: Sequence[Lease]) -> list[Leased]:
    """Takes from each window what is wished for, or what is left of it; never more than its limit in all.

    Windows are locked in one order everywhere, so that no two processes wait for each other.
    """
    order = sorted(range(len(wishes)), key=lambda index: _sort_key(wishes[index].window))
    granted: dict[int, Leased] = {}
    for index in order:
        upsert(connection, request_use, [{**_columns(wishes[index].window), "used": 0}])
        granted[index] = _take(connection, wishes[index])
    return [granted[index] for index in range(len(wishes))]


def _take(connection: Connection, wish: Lease) -> Leased:
    name = _parameters(wish.window)
    used: int = connection.execute(_LOOK, name).scalar_one()
    granted = max(0, min(wish.want, wish.limit - used))
    if granted:
        connection.execute(_TAKE, {**name, "taken": granted})
    return Leased(granted, used + granted)


def give_back(connection: Connection, unspent: Mapping[Window, int]) -> None:
    """Returns what was leased and not spent."""
    for window in sorted(unspent, key=_sort_key):
        connection.execute(_GIVE_BACK, {**_parameters(window), "returned": unspent[window]})


def save_used(connection: Connection, used: Mapping[Window, int]) -> None:
    """Sets the count of windows that only this process counts."""
    rows = [{**_columns(window), "used": count} for window, count in used.items()]
    if rows:
        upsert(connection, request_use, rows, ["used"])


def load_used(connection: Connection, seconds: int, slot: int) -> dict[str, int]:
    """What was counted in this window, by caller."""
    query = select(request_use.c.subject, request_use.c.used)
    rows = connection.execute(query.where(request_use.c.window_seconds == seconds, request_use.c.slot == slot))
    return {row.subject: row.used for row in rows}


def forget_windows(connection: Connection, before: Mapping[int, int]) -> int:
    """Deletes windows before a slot, by their length in seconds; returns how many."""
    table = request_use.c
    ended = [(table.window_seconds == seconds) & (table.slot < slot) for seconds, slot in before.items()]
    return connection.execute(delete(request_use).where(or_(*ended))).rowcount


def save_key_uses(connection: Connection, uses: Iterable[tuple[str, int]], at_least_ms: int) -> None:
    """Notes when keys were last used, unless a time that is not `at_least_ms` older is noted already."""
    for key_id, at_ms in sorted(uses):
        row = {"key_id": key_id, "last_used_at_ms": at_ms}
        if upsert(connection, key_uses, [row]) != 1:
            older = (key_uses.c.key_id == key_id, key_uses.c.last_used_at_ms <= at_ms - at_least_ms)
            connection.execute(update(key_uses).where(*older).values(last_used_at_ms=at_ms))


def load_key_uses(connection: Connection) -> dict[str, int]:
    """When each key was last used, by key id; unused keys are not in it."""
    return {row.key_id: row.last_used_at_ms for row in connection.execute(select(key_uses))}


def _sort_key(window: Window) -> tuple[str, int, int]:
    return window.subject, window.seconds, window.slot


def _columns(window: Window) -> dict[str, str | int]:
    return {"subject": window.subject, "window_seconds": window.seconds, "slot": window.slot}


def _parameters(window: Window) -> dict[str, str | int]:
    return {"a_subject": window.subject, "a_seconds": window.seconds, "a_slot": window.slot}

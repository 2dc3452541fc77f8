"""What the hub knows about each link's vendor at the moment: codes, learnt ids, tokens, breakers, budgets."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from hub.database.prepared import Prepared
from hub.database.tables import breakers, link_codes, link_refs, link_tokens, links, rate_use, scheduled_runs
from hub.database.upsert import upsert


class CodeRow(Struct, frozen=True, kw_only=True):
    """One of a venue's own codes at its vendor."""

    code_table: str
    code_id: str
    name: str
    detail: str = ""


def replace_codes(connection: Connection, link_id: str, rows: Sequence[CodeRow]) -> None:
    """Replaces the codes of a link."""
    connection.execute(delete(link_codes).where(link_codes.c.link_id == link_id))
    if rows:
        values = [
            {"link_id": link_id, "code_table": r.code_table, "code_id": r.code_id, "name": r.name, "detail": r.detail}
            for r in rows
        ]
        connection.execute(insert(link_codes), values)


def load_codes(connection: Connection, link_id: str) -> list[CodeRow]:
    """The codes of a link by table and id."""
    query = select(link_codes).where(link_codes.c.link_id == link_id)
    query = query.order_by(link_codes.c.code_table, link_codes.c.code_id)
    return [
        CodeRow(code_table=row.code_table, code_id=row.code_id, name=row.name, detail=row.detail)
        for row in connection.execute(query)
    ]


def load_ref(connection: Connection, link_id: str, kind: str, key: str) -> str | None:
    """The vendor id learnt for a key, e.g. a customer's id by phone."""
    found = _REF.run(connection, link_id, kind, key)
    return found[0].vendor_id if found else None


_REF = Prepared(
    lambda _: select(link_refs.c.vendor_id).where(
        link_refs.c.link_id == bindparam("link_id"),
        link_refs.c.kind == bindparam("kind"),
        link_refs.c.ref_key == bindparam("key"),
    ),
    "link_id",
    "kind",
    "key",
)


def save_ref(connection: Connection, link_id: str, kind: str, key: str, vendor_id: str, now_ms: int) -> None:
    """Remembers a vendor id, as used now."""
    row = {"link_id": link_id, "kind": kind, "ref_key": key, "vendor_id": vendor_id, "used_at_ms": now_ms}
    upsert(connection, link_refs, [row], ["vendor_id", "used_at_ms"])


def note_ref_used(connection: Connection, link_id: str, kind: str, key: str, now_ms: int) -> None:
    """Keeps a vendor id from being forgotten as unused."""
    mine = (link_refs.c.link_id == link_id, link_refs.c.kind == kind, link_refs.c.ref_key == key)
    connection.execute(update(link_refs).where(*mine, link_refs.c.used_at_ms < now_ms).values(used_at_ms=now_ms))


def load_token(connection: Connection, link_id: str) -> tuple[str, int] | None:
    """The link's access token and its end."""
    query = select(link_tokens.c.token, link_tokens.c.expires_at_ms).where(link_tokens.c.link_id == link_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.token, row.expires_at_ms)


def save_token(connection: Connection, link_id: str, token: str, expires_at_ms: int) -> None:
    """Replaces the link's access token."""
    row = {"link_id": link_id, "token": token, "expires_at_ms": expires_at_ms}
    upsert(connection, link_tokens, [row], ["token", "expires_at_ms"])


def hold_link(connection: Connection, link_id: str, until_ms: int) -> None:
    """Calls nothing at this link before `until_ms` (the vendor's `Retry-After`, or our own pacing)."""
    connection.execute(
        update(links).where(links.c.id == link_id, links.c.not_before_ms < until_ms).values(not_before_ms=until_ms)
    )


class Breaker(Struct, frozen=True):
    """The circuit breaker of one operation at one link. `trips` counts how often it opened without a success since."""

    link_id: str
    operation: str
    failures: int = 0
    trips: int = 0
    open_until_ms: int = 0


def load_breakers(connection: Connection, link_id: str) -> dict[str, Breaker]:
    """The breakers of a link by operation; only those that are not at rest."""
    return {row.operation: Breaker(*row) for row in _BREAKERS.run(connection, link_id)}


_BREAKERS = Prepared(
    lambda _: select(*(breakers.c[name] for name in Breaker.__struct_fields__)).where(
        breakers.c.link_id == bindparam("link_id")
    ),
    "link_id",
)


def save_breaker(connection: Connection, breaker: Breaker) -> None:
    """Stores a breaker's state."""
    row = {name: getattr(breaker, name) for name in Breaker.__struct_fields__}
    upsert(connection, breakers, [row], ["failures", "trips", "open_until_ms"])


def reset_breaker(connection: Connection, link_id: str, operation: str) -> None:
    """Puts a breaker to rest."""
    connection.execute(delete(breakers).where(breakers.c.link_id == link_id, breakers.c.operation == operation))


_SLOTS_PER_WINDOW = 10


class Budget(Struct, frozen=True):
    """At most `requests` calls in any `seconds`, counted under `name`."""

    name: str
    requests: int
    seconds: int

    @property
    def slot_ms(self) -> float:
        """The length of one counting slot."""
        return self.seconds * 1000 / _SLOTS_PER_WINDOW


def take_from_budgets(
    connection: Connection, budgets: Sequence[Budget], *, want: int, now_ms: int
) -> tuple[int, float]:
    """Takes up to `want` calls from all budgets: how many were granted, and the seconds to wait when none was.

    Use is counted in tenths of a window, so that no window of that length, wherever it starts, holds more.
    """
    granted, wait_seconds = want, 0.0
    for budget in budgets:
        oldest = int(now_ms // budget.slot_ms) - _SLOTS_PER_WINDOW
        counted = select(func.sum(rate_use.c.used), func.min(rate_use.c.slot))
        used, first = connection.execute(counted.where(*_of(budget), rate_use.c.slot >= oldest)).one()
        free = budget.requests - (used or 0)
        granted = min(granted, max(free, 0))
        if free <= 0:
            wait_seconds = max(wait_seconds, ((first + _SLOTS_PER_WINDOW + 1) * budget.slot_ms - now_ms) / 1000)
    if granted <= 0:
        return 0, max(wait_seconds, 0.05)
    for budget in budgets:
        _count_use(connection, budget, int(now_ms // budget.slot_ms), granted)
    return granted, 0.0


def _of(budget: Budget) -> tuple[Any, ...]:
    return rate_use.c.budget == budget.name, rate_use.c.window_seconds == budget.seconds


def _count_use(connection: Connection, budget: Budget, slot: int, count: int) -> None:
    add = update(rate_use).where(*_of(budget), rate_use.c.slot == slot).values(used=rate_use.c.used + count)
    if not connection.execute(add).rowcount:
        connection.execute(delete(rate_use).where(*_of(budget), rate_use.c.slot < slot - 2 * _SLOTS_PER_WINDOW))
        row = {"budget": budget.name, "window_seconds": budget.seconds, "slot": slot, "used": count}
        connection.execute(insert(rate_use), [row])


def lock_budgets(connection: Connection, budgets: Sequence[Budget]) -> None:
    """Makes other processes wait until this transaction ends (PostgreSQL; SQLite has one writer anyway)."""
    if connection.dialect.name == "postgresql":
        for name in sorted({budget.name for budget in budgets}):
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(name))))


def start_run(connection: Connection, job: str, slot: int, now_ms: int) -> bool:
    """Whether this process is the one to run a job's slot; each slot is given once, whatever the process."""
    row = {"job": job, "slot": slot, "started_at_ms": now_ms}
    inserted = upsert(connection, scheduled_runs, [row]) == 1
    if inserted:
        connection.execute(delete(scheduled_runs).where(scheduled_runs.c.job == job, scheduled_runs.c.slot < slot - 9))
    return inserted

"""What each POS has yet to be told about its items: the state that is wanted, retried until it is known there."""

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, delete, select, update

from hub.database.tables import availability_pushes as pushes
from hub.database.upsert import upsert


class Push(Struct, frozen=True, kw_only=True):
    """A state that a POS shall take over. `version` grows when somebody wants another one meanwhile."""

    link_id: str
    item_id: str
    available: bool
    version: int
    attempts: int


def want(connection: Connection, link_id: str, item_id: str, *, available: bool, now_ms: int) -> None:
    """Notes the state a POS shall take over; a lease of the one before stays, so that they arrive in order."""
    row = {"link_id": link_id, "item_id": item_id, "available": available, "version": 1, "due_at_ms": now_ms}
    if upsert(connection, pushes, [{**row, "leased_until_ms": 0, "attempts": 0}]) == 1:
        return
    changed = {"available": available, "version": pushes.c.version + 1, "due_at_ms": now_ms, "attempts": 0}
    connection.execute(update(pushes).where(*_of(link_id, item_id)).values(**changed, cause="", detail=""))


def claim(
    connection: Connection, *, now_ms: int, until_ms: int, one: tuple[str, str] | None = None, limit: int = 20
) -> list[Push]:
    """Leases pushes that are due (or `one` of them, by link and item), so that no other process takes them."""
    due = select(pushes).where(pushes.c.due_at_ms <= now_ms, pushes.c.leased_until_ms <= now_ms)
    if one is not None:
        due = due.where(*_of(*one))
    rows = connection.execute(due.order_by(pushes.c.due_at_ms).limit(limit).with_for_update(skip_locked=True)).all()
    for row in rows:
        connection.execute(update(pushes).where(*_of(row.link_id, row.item_id)).values(leased_until_ms=until_ms))
    return [Push(**{name: row._mapping[name] for name in Push.__struct_fields__}) for row in rows]


def finish(connection: Connection, push: Push) -> None:
    """The POS knows, or never will: nothing is left to tell, unless another state is wanted by now."""
    mine = _of(push.link_id, push.item_id)
    if not connection.execute(delete(pushes).where(*mine, pushes.c.version == push.version)).rowcount:
        connection.execute(update(pushes).where(*mine).values(leased_until_ms=0))


def postpone(connection: Connection, push: Push, *, due_at_ms: int | None, cause: str, detail: str) -> None:
    """It did not work: again at `due_at_ms`, or never by itself with None; another wanted state is tried at once."""
    mine = _of(push.link_id, push.item_id)
    connection.execute(update(pushes).where(*mine).values(leased_until_ms=0))
    noted = {"due_at_ms": due_at_ms, "attempts": push.attempts + 1, "cause": cause, "detail": detail}
    connection.execute(update(pushes).where(*mine, pushes.c.version == push.version).values(**noted))


class Refused(Struct, frozen=True, kw_only=True):
    """A state that a POS did not take and is not told again by itself."""

    link_id: str
    item_id: str
    available: bool
    attempts: int
    cause: str
    detail: str


def load_refused(connection: Connection, limit: int = 200) -> list[Refused]:
    """What waits for a person, by link and item."""
    query = select(pushes).where(pushes.c.due_at_ms.is_(None)).order_by(pushes.c.link_id, pushes.c.item_id)
    rows = connection.execute(query.limit(limit)).all()
    return [Refused(**{name: row._mapping[name] for name in Refused.__struct_fields__}) for row in rows]


def try_again(connection: Connection, link_id: str, item_id: str, *, now_ms: int) -> bool:
    """Makes a refused push due now; False when nothing was refused."""
    refused = (*_of(link_id, item_id), pushes.c.due_at_ms.is_(None))
    return bool(connection.execute(update(pushes).where(*refused).values(due_at_ms=now_ms, attempts=0)).rowcount)


def dismiss(connection: Connection, link_id: str, item_id: str) -> bool:
    """Forgets a refused push; False when nothing was refused."""
    refused = (*_of(link_id, item_id), pushes.c.due_at_ms.is_(None))
    return bool(connection.execute(delete(pushes).where(*refused)).rowcount)


def is_wanted(connection: Connection, link_id: str, item_id: str) -> bool:
    """Whether a POS has yet to be told about this item."""
    return connection.execute(select(pushes.c.version).where(*_of(link_id, item_id))).first() is not None


def _of(link_id: str, item_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return pushes.c.link_id == link_id, pushes.c.item_id == item_id

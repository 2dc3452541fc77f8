"""Which guests are in which segment of a venue, and how many."""

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, delete, select

from hub.database.guest_tables import guests, segment_members, segments
from hub.database.guests import load_guests
from hub.database.upsert import upsert
from hub.model.guest import Guest
from hub.model.segment import NAMES, Segment

_PAGE = 500


def walk_guests(connection: Connection, venue_id: str) -> Iterator[Guest]:
    """All guests of a venue, a page at a time."""
    after = ""
    while True:
        query = select(guests.c.id).where(guests.c.venue_id == venue_id, guests.c.id > after)
        ids = list(connection.execute(query.order_by(guests.c.id).limit(_PAGE)).scalars())
        yield from load_guests(connection, ids).values()
        if len(ids) < _PAGE:
            return
        after = ids[-1]


def load_members(connection: Connection, venue_id: str) -> set[tuple[str, str]]:
    """(segment, guest) of all members at a venue."""
    query = select(segment_members.c.segment, segment_members.c.guest_id)
    return {
        (row.segment, row.guest_id) for row in connection.execute(query.where(segment_members.c.venue_id == venue_id))
    }


def change_members(
    connection: Connection, venue_id: str, joined: Iterable[tuple[str, str]], left: Iterable[tuple[str, str]]
) -> None:
    """Puts guests into segments and takes others out; those who were forgotten meanwhile stay out."""
    for segment, guest_id in left:
        mine = segment_members.c
        gone = (mine.venue_id == venue_id, mine.segment == segment, mine.guest_id == guest_id)
        connection.execute(delete(segment_members).where(*gone))
    wanted = list(joined)
    there = select(guests.c.id).where(guests.c.id.in_({guest_id for _, guest_id in wanted}))
    known = set(connection.execute(there.with_for_update(read=True, key_share=True)).scalars()) if wanted else set()
    rows = [{"venue_id": venue_id, "segment": key, "guest_id": who} for key, who in wanted if who in known]
    if rows:
        upsert(connection, segment_members, rows)


def load_segments(connection: Connection, venue_id: str) -> list[Segment]:
    """The segments of a venue as they were last computed."""
    rows = connection.execute(select(segments).where(segments.c.venue_id == venue_id, segments.c.segment.in_(NAMES)))
    return [
        Segment(
            key=row.segment,
            name=NAMES[row.segment],
            rule=row.rule,
            members=row.members,
            reachable=row.reachable,
            computed_at_ms=row.computed_at_ms,
        )
        for row in rows
    ]


def save_segments(connection: Connection, venue_id: str, computed: Iterable[Segment]) -> None:
    """Stores what was computed of each segment."""
    for segment in computed:
        row = {"venue_id": venue_id, "segment": segment.key, "rule": segment.rule, "members": segment.members}
        row |= {"reachable": segment.reachable, "computed_at_ms": segment.computed_at_ms}
        upsert(connection, segments, [row], ["rule", "members", "reachable", "computed_at_ms"])

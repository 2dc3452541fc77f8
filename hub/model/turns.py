"""How long a party will wait, from how long parties sat at these tables lately: pure functions."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from statistics import median, quantiles

from msgspec import Struct

from hub.model.table import Table, TableStatus

TURN_DAYS = 28
FEWEST_TURNS = 5
_SIMILAR_AT_LEAST = 10
_SIZES = (2, 4)  # parties of up to two, up to four, and larger ones
_MINUTE_MS = 60_000
_ROUND_TO = 5


class Sureness(StrEnum):
    """How much a figure can be relied on, by how much it rests on."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NONE = "none"
    """Not enough data: there is no figure."""


class Turn(Struct, frozen=True):
    """How long one party sat."""

    party_size: int | None
    minutes: float


class Estimate(Struct, frozen=True, kw_only=True):
    """How long a party will wait, in minutes; None when there is not enough to tell. `rule` says why so sure."""

    minutes: int | None
    from_minutes: int | None
    to_minutes: int | None
    sureness: Sureness
    turns: int
    median_turn_minutes: int | None
    rule: str


def sureness_of(sample: int) -> Sureness:
    """By the number of measured cases: 50 high, 15 medium, 5 low."""
    if sample >= 50:
        return Sureness.HIGH
    if sample >= 15:
        return Sureness.MEDIUM
    return Sureness.LOW if sample >= FEWEST_TURNS else Sureness.NONE


def estimate_waits(
    parties: Sequence[int],
    tables: Sequence[Table],
    *,
    seated_at_ms: Mapping[str, int],
    booked: Mapping[str, Sequence[tuple[int, int]]],
    turns: Sequence[Turn],
    now_ms: int,
) -> list[Estimate]:
    """For each party, in the order of the queue. Each takes the first table that has seats enough and gets free; a
    table gets free when its party sat as long as parties usually do. `seated_at_ms` and `booked` are by table id."""
    sureness = sureness_of(len(turns))
    if sureness is Sureness.NONE or not tables:
        return [_unknown(len(turns), has_tables=bool(tables)) for _ in parties]
    minutes = sorted(turn.minutes for turn in turns)
    low, _, high = quantiles(minutes, n=4)
    floor = _Floor(tables, seated_at_ms, booked, now_ms)
    usual = floor.waits(parties, [_usual_minutes(turns, party) for party in parties], median(minutes))
    short = floor.waits(parties, [low] * len(parties), low)
    long = floor.waits(parties, [high] * len(parties), high)
    rule = f"{len(turns)} parties measured in the last {TURN_DAYS} days: {sureness} (50 high, 15 medium, 5 low)"
    return [
        Estimate(
            minutes=wait,
            from_minutes=None if wait is None else min(wait, least or 0),
            to_minutes=None if wait is None else max(wait, most or 0),
            sureness=Sureness.NONE if wait is None else sureness,
            turns=len(turns),
            median_turn_minutes=round(median(minutes)),
            rule=f"no table has {party} seats" if wait is None else rule,
        )
        for party, wait, least, most in zip(parties, usual, short, long, strict=True)
    ]


def _unknown(turns: int, *, has_tables: bool) -> Estimate:
    rule = f"not enough data: {turns} measured parties in {TURN_DAYS} days, {FEWEST_TURNS} needed"
    return Estimate(
        minutes=None,
        from_minutes=None,
        to_minutes=None,
        sureness=Sureness.NONE,
        turns=turns,
        median_turn_minutes=None,
        rule=rule if has_tables else "not enough data: the store's tables are not known",
    )


def _usual_minutes(turns: Sequence[Turn], party: int) -> float:
    """The median of parties of a similar size if there are some, else of all."""
    similar = [turn.minutes for turn in turns if turn.party_size and _size(turn.party_size) == _size(party)]
    return median(similar if len(similar) >= _SIMILAR_AT_LEAST else [turn.minutes for turn in turns])


def _size(party: int) -> int:
    return sum(party > limit for limit in _SIZES)


class _Floor:
    """The tables as they get free."""

    def __init__(
        self,
        tables: Sequence[Table],
        seated_at_ms: Mapping[str, int],
        booked: Mapping[str, Sequence[tuple[int, int]]],
        now_ms: int,
    ) -> None:
        self._tables = [table for table in tables if table.status is not TableStatus.BLOCKED]
        self._seated_at_ms = seated_at_ms
        self._booked = booked
        self._now_ms = now_ms

    def waits(self, parties: Sequence[int], stays: Sequence[float], sitting_stay: float) -> list[int | None]:
        """The minutes each party waits, when each stays as long as given and those who sit `sitting_stay`."""
        free_at = {
            table.id: max(self._seated_at_ms[table.id] + int(sitting_stay * _MINUTE_MS), self._now_ms)
            if table.id in self._seated_at_ms
            else self._now_ms
            for table in self._tables
        }
        waits: list[int | None] = []
        for party, stay in zip(parties, stays, strict=True):
            stay_ms = int(stay * _MINUTE_MS)
            fitting = [table for table in self._tables if table.seats is None or table.seats >= party]
            if not fitting:
                waits.append(None)
                continue
            starts = {table.id: self._start(table.id, free_at[table.id], stay_ms) for table in fitting}
            chosen = min(fitting, key=lambda table: (starts[table.id], table.seats or 0, table.name))
            begins = starts[chosen.id]
            free_at[chosen.id] = begins + stay_ms
            waits.append(_rounded((begins - self._now_ms) / _MINUTE_MS))
        return waits

    def _start(self, table_id: str, free_at_ms: int, stay_ms: int) -> int:
        """When a party can sit down at a table, not in the way of who booked it."""
        begins = free_at_ms
        for booked_from_ms, booked_to_ms in sorted(self._booked.get(table_id, ())):
            if begins < booked_to_ms and booked_from_ms < begins + stay_ms:
                begins = booked_to_ms
        return begins


def _rounded(minutes: float) -> int:
    """To five minutes, up: nobody is told an exact minute."""
    return -(-round(minutes) // _ROUND_TO) * _ROUND_TO

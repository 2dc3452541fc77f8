"""Insights into a venue's own orders: two periods compared, each statement with its figures and how sure it is."""

from itertools import islice

from msgspec import Struct
from sqlalchemy import Connection

from hub.contract.ports import Clock
from hub.database.engine import Database
from hub.database.insight_reads import walk_facts
from hub.errors import InvalidRequest
from hub.model.insight import Figures, Insight, figures_of, insights_of
from hub.model.venue import Venue
from hub.services.directory import Directory
from hub.services.insight_text import InsightText, InsightWriter

_DAY_MS = 86_400_000
_USUAL_DAYS = 7
_MOST_DAYS = 45
MOST_ORDERS = 20_000


class Report(Struct, frozen=True, kw_only=True):
    """The insights of [from, to), compared with the period of the same length before it."""

    from_ms: int
    to_ms: int
    insights: list[Insight]
    complete: bool
    """False when a period has more orders than are read; the figures are of the first ones."""
    text: InsightText | None

    @property
    def before_from_ms(self) -> int:
        """Where the period it is compared with begins; it ends where this one begins."""
        return 2 * self.from_ms - self.to_ms


class Insights:
    """Computed when somebody asks, from the orders alone. `writer` is None without a model."""

    def __init__(self, *, database: Database, directory: Directory, clock: Clock, writer: InsightWriter | None) -> None:
        self._database = database
        self._directory = directory
        self._clock = clock
        self._writer = writer

    async def report(self, venue: Venue, *, from_ms: int | None, to_ms: int | None) -> Report:
        """The last seven days unless said otherwise, 45 at most. Raises `InvalidRequest` naming the field."""
        until_ms = self._clock.now_ms() if to_ms is None else to_ms
        since_ms = until_ms - _USUAL_DAYS * _DAY_MS if from_ms is None else from_ms
        if not 0 < until_ms - since_ms <= _MOST_DAYS * _DAY_MS:
            raise InvalidRequest(f"from: must be before to, by {_MOST_DAYS} days at most", field="from")
        now, all_now = await self._figures(venue, since_ms, until_ms)
        before, all_before = await self._figures(venue, 2 * since_ms - until_ms, since_ms)
        catalog = await self._directory.catalog(venue.id)
        menu = [item.name for item in catalog.menu.items if not item.retired]
        insights = insights_of(now, before, menu)
        text = None if self._writer is None else await self._writer.write(insights, venue.currency)
        return Report(from_ms=since_ms, to_ms=until_ms, insights=insights, complete=all_now and all_before, text=text)

    async def _figures(self, venue: Venue, from_ms: int, before_ms: int) -> tuple[Figures, bool]:
        def read(connection: Connection) -> tuple[Figures, bool]:
            facts = walk_facts(
                connection,
                venue.id,
                from_ms=from_ms,
                before_ms=before_ms,
                preparation_minutes=venue.policies.preparation_minutes,
            )
            figures = figures_of(islice(facts, MOST_ORDERS), venue.timezone)
            return figures, next(facts, None) is None

        return await self._database.read(read)

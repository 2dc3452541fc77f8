"""The numbers of new orders, and the lock under which a venue's orders are placed."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, update

from hub.database.prepared import Prepared
from hub.database.tables import venues
from hub.database.webhook_events import is_told

_NEXT_NUMBERS = Prepared(
    lambda _: (
        update(venues)
        .where(venues.c.id == bindparam("venue_id"), venues.c.catalog_version == bindparam("priced_with"))
        .values(next_number=venues.c.next_number + bindparam("count"))
        .returning(venues.c.next_number, is_told(bindparam("venue_id")).label("is_told"))
    ),
    "venue_id",
    "priced_with",
    "count",
)


class OrderNumbers:
    """The order numbers of a batch, drawn before anything is looked up.

    Drawing them locks the venues, in one order everywhere, so that other processes that place orders there wait, and
    what they stored before is seen. Numbers that were not taken are given back, so none is missing.
    """

    def __init__(self, connection: Connection, orders: Sequence[tuple[str, int]]) -> None:
        """`orders` are the venue and the menu version of each order."""
        self._connection = connection
        wanted: dict[tuple[str, int], int] = {}
        for group in orders:
            wanted[group] = wanted.get(group, 0) + 1
        self._next: dict[tuple[str, int], int] = {}
        self._end: dict[tuple[str, int], int] = {}
        self.told: set[str] = set()
        """The venues where somebody listens to events."""
        for group, count in sorted(wanted.items()):
            for row in _NEXT_NUMBERS.run(connection, *group, count):
                self._next[group], self._end[group] = row.next_number - count, row.next_number
                self.told |= {group[0]} if row.is_told else set()

    def take(self, venue_id: str, catalog_version: int) -> int | None:
        """The next number; None where the menu changed since the order was priced."""
        number = self._next.get((venue_id, catalog_version))
        if number is not None:
            self._next[venue_id, catalog_version] = number + 1
        return number

    def give_back(self) -> None:
        """Returns what repetitions did not need."""
        for group, unused in self._next.items():
            if unused < self._end[group]:
                _NEXT_NUMBERS.run(self._connection, *group, unused - self._end[group])

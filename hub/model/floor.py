"""A venue's tables with the names they go by: what a channel or a waiter says is found, and compared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from hub.model.table import Table, table_key


@dataclass(frozen=True)
class Floor:
    """The tables of one venue. `aliases` are other names, as `table_key` writes them, by which a table is known."""

    tables: tuple[Table, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def _by_id(self) -> Mapping[str, Table]:
        return {table.id: table for table in self.tables}

    @cached_property
    def _by_key(self) -> Mapping[str, Table]:
        known = {key: self._by_id[table_id] for key, table_id in self.aliases.items() if table_id in self._by_id}
        return known | {table_key(table.name): table for table in self.tables}

    def find(self, name_or_id: str) -> Table | None:
        """The table of this id, name or other name."""
        return self._by_id.get(name_or_id) or self._by_key.get(table_key(name_or_id))

    def named(self, wanted: Iterable[str]) -> tuple[str, ...]:
        """These tables as the venue calls them, each once; a name nobody knows stays as it is."""
        names = (_name(self.find(word), word) for word in wanted)
        return tuple(dict.fromkeys(name for name in names if name))

    def spots(self, wanted: Iterable[str]) -> frozenset[str]:
        """What tells tables apart: two parties sit at one table when their spots have something in common."""
        found = ((self.find(word), word) for word in wanted)
        return frozenset(table_key(word) if table is None else table.id for table, word in found)

    def unknown(self, wanted: Iterable[str]) -> tuple[str, ...]:
        """The names nobody knows; none at a venue that keeps no list of its tables."""
        return tuple(word for word in wanted if self.find(word) is None) if self.tables else ()


def _name(table: Table | None, word: str) -> str:
    return word.strip() if table is None else table.name

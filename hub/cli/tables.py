"""`openpos-hub tables …`: a venue's tables, and the names for them that nobody knows."""

import argparse

from hub.api.views import timestamp
from hub.app import Hub
from hub.cli.commands import with_hub

_CLI = "command line"


def list_tables(options: argparse.Namespace) -> int:
    """`tables list`"""

    async def run(hub: Hub) -> int:
        venue = hub.directory.venue(options.venue)
        seen = await hub.tables.seen(venue.id)
        for entry in seen:
            table = entry.table
            seats = "" if table.seats is None else f"{table.seats} seats"
            number = "" if entry.order is None else entry.order.number
            print(f"{table.name:16} {table.area:16} {seats:9} {table.status:9} {number}".rstrip())
        if not seen:
            print(f"{venue.slug} has no list of tables: its POS tells none, and its file declares none")
        return 0

    return with_hub(run)


def unmatched(options: argparse.Namespace) -> int:
    """`tables unmatched`"""

    async def run(hub: Hub) -> int:
        venue = None if options.venue is None else hub.directory.venue(options.venue)
        waiting = await hub.tables.unknown(None if venue is None else venue.id)
        for entry in waiting:
            slug = hub.directory.venue(entry.venue_id).slug
            print(f"{slug:16} {entry.name:24} from {entry.told_by}, {timestamp(entry.seen_at_ms)}")
        if waiting:
            print("say which table a name means: openpos-hub tables map VENUE NAME TABLE")
        else:
            print("every table is known")
        return 0

    return with_hub(run)


def map_name(options: argparse.Namespace) -> int:
    """`tables map`"""

    async def run(hub: Hub) -> int:
        venue = hub.directory.venue(options.venue)
        table = await hub.tables.map(venue.id, options.name, options.table, actor=_CLI)
        print(f"{venue.slug}: {options.name!r} means table {table.name}")
        return 0

    return with_hub(run)

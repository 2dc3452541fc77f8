"""`openpos-hub apply`: makes the hub as a file declares it, then reads the menus from the POS."""

import secrets
import sys
from pathlib import Path

from hub.app import Hub
from hub.errors import ConfigurationError, ConnectorError, HubError, NextStep, UnsupportedByVendor
from hub.model.venue import Link
from hub.services.declaration import Declaration, read_declaration
from hub.services.declare import Change, declare


async def apply(hub: Hub, path: Path, *, sync: bool = True) -> int:
    """Applies a file, all of it or nothing, and prints what changed; with `sync` it then reads menus and codes.

    Gives the exit status: 0, also when a POS is away for the moment (the hub reads its menu by itself later);
    1 when the file was refused or a POS needs a person, with the reason on standard error. The caller stops the hub.
    """
    try:
        if not hub.settings.embedded or hub.settings.database_file.exists():
            await hub.prepare()  # secrets that the file refers to may be stored there
        declaration = read_declaration(path, registry=hub.registry, secrets=hub.secrets)
        await hub.prepare()
        changes = await _declare(hub, declaration)
    except HubError as problem:
        print(problem.message, file=sys.stderr)
        return 1
    for change in changes:
        print(_line(change))
    for channel in (channel for declared in declaration.venues for channel in declared.channels):
        slug = hub.directory.venue(channel.venue_id).slug
        print(f"{slug}: {channel.connector} calls this hub at {hub.channels.path(channel)}")
    links = [declared.link for declared in declaration.venues if declared.link is not None]
    fine = [await _read_menu(hub, link) for link in links] if sync else []
    return 0 if all(fine) else 1


async def _declare(hub: Hub, declaration: Declaration) -> list[Change]:
    changes = await hub.database.write(
        lambda connection: declare(
            connection,
            declaration,
            now_ms=hub.now_ms(),
            new_id=hub.new_id,
            new_secret=lambda: secrets.token_urlsafe(32),
        )
    )
    await hub.directory.refresh()
    return changes


def _line(change: Change) -> str:
    words = f"{change.outcome:10} {change.thing}" + (f" ({change.detail})" if change.detail else "")
    if not change.new_key:
        return words
    return f"{words}\n{'':10} {change.new_key}\n{'':10} Copy it now: it is shown only once."


async def _read_menu(hub: Hub, link: Link) -> bool:
    """Reads a link's menu and codes; whether nothing needs a person."""
    slug = hub.directory.venue(link.venue_id).slug
    try:
        changed = await hub.catalogs.sync(link.id, progress=lambda words: print(f"{slug}: {words}", flush=True))
    except UnsupportedByVendor:
        print(f"{slug}: {link.connector} has no menu to read; declare one under [venues.menu]")
        return True
    except (ConnectorError, ConfigurationError) as problem:
        later = isinstance(problem, ConnectorError) and problem.next_step is NextStep.LATER
        reason = "cannot be reached now" if later else "did not give its menu"
        print(
            f"{slug}: {link.connector} {reason}: {problem.message}\n"
            f"{slug}: what the file declares is stored; a running hub tries again every 15 minutes",
            file=sys.stderr,
        )
        return later
    catalog = await hub.directory.catalog(link.venue_id)
    count = sum(not item.retired for item in catalog.menu.items)
    print(f"{slug}: {count} items, " + ("the menu changed" if changed else "the menu is as it was"))
    return True

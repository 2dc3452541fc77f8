"""What each command does: opens a hub, calls one service, prints."""

import argparse
import asyncio
import secrets as random_secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from hub.app import Hub
from hub.cli import apply as apply_command
from hub.cli import backup as backup_command
from hub.cli import changes, comparing, delivering, report, running
from hub.cli import demo as demo_command
from hub.database import directory as stored
from hub.database.migrate import migrate
from hub.database.request_use import load_key_uses
from hub.errors import ConfigurationError, Conflict
from hub.services import keys
from hub.settings import Settings, read_settings

_CLI = "command line"


def serve(options: argparse.Namespace) -> int:
    """`serve`"""
    return running.serve(
        read_settings(),
        host=options.host,
        port=options.port,
        deliver=not options.no_delivery,
        tls=(options.tls_cert, options.tls_key),
    )


def worker(_options: argparse.Namespace) -> int:
    """`worker`"""
    return running.work(read_settings())


def demo(options: argparse.Namespace) -> int:
    """`demo`"""
    return demo_command.run(read_settings(), host=options.host, port=options.port)


def migrate_database(_options: argparse.Namespace) -> int:
    """`migrate`"""

    async def run(hub: Hub) -> int:
        applied = await hub.database.write(migrate)
        print(f"applied {', '.join(applied)}" if applied else "the schema is up to date")
        return 0

    return with_hub(run, prepared=False)


def apply_file(options: argparse.Namespace) -> int:
    """`apply`"""
    return with_hub(lambda hub: apply_command.apply(hub, Path(options.file), sync=not options.no_sync), prepared=False)


def doctor(_options: argparse.Namespace) -> int:
    """`doctor`"""
    return with_hub(report.doctor, prepared=False)


def trace(options: argparse.Namespace) -> int:
    """`trace`"""
    return with_hub(
        lambda hub: report.trace(hub, options.order, bodies=options.bodies, reads=options.reads, as_json=options.json)
    )


def stuck(_options: argparse.Namespace) -> int:
    """`stuck`"""
    return with_hub(report.stuck)


def deliver(options: argparse.Namespace) -> int:
    """`deliver`"""

    return with_hub(lambda hub: delivering.deliver(hub, options.order, done=options.done, force=options.force))


def cancel(options: argparse.Namespace) -> int:
    """`cancel`"""
    return with_hub(lambda hub: changes.cancel(hub, options.order, reason=options.reason))


def set_status(options: argparse.Namespace) -> int:
    """`status`"""
    return with_hub(lambda hub: changes.set_status(hub, options.order, options.status))


def sold_out(options: argparse.Namespace) -> int:
    """`86`"""
    return with_hub(lambda hub: changes.set_available(hub, options.venue, options.item, available=False))


def back_in_stock(options: argparse.Namespace) -> int:
    """`un86`"""
    return with_hub(lambda hub: changes.set_available(hub, options.venue, options.item, available=True))


def fidelity(options: argparse.Namespace) -> int:
    """`fidelity`"""
    return with_hub(lambda hub: comparing.fidelity(hub, options.order, as_json=options.json))


def drift(options: argparse.Namespace) -> int:
    """`drift`"""
    return with_hub(lambda hub: comparing.drift(hub, options.venue, as_json=options.json))


def create_key(options: argparse.Namespace) -> int:
    """`keys create`"""

    async def run(hub: Hub) -> int:
        venue = hub.directory.venue(options.venue) if options.venue else None
        secret = random_secrets.token_urlsafe(32)
        key = await hub.database.write(
            lambda connection: keys.create_key(
                connection,
                name=options.name,
                scopes=options.scope or keys.Access(options.access or keys.Access.READ_ONLY).scopes,
                venue_id=None if venue is None else venue.id,
                secret=secret,
                new_id=hub.new_id,
                now_ms=hub.now_ms(),
                limits=keys.OwnLimits(options.per_minute, options.per_day),
            )
        )
        print(f"{key}\nCopy it now: it is shown only once.")
        return 0

    return with_hub(run)


def list_keys(_options: argparse.Namespace) -> int:
    """`keys list`"""

    async def run(hub: Hub) -> int:
        uses = await hub.database.read(load_key_uses)
        for key in await hub.database.read(stored.load_keys):
            bound_to = hub.directory.venue(key.venue_id).slug if key.venue_id else "all venues"
            state = "revoked" if key.revoked_at_ms else bound_to
            used = _minute(uses[key.id]) if key.id in uses else "never"
            print(f"{key.shown}  {key.name:24} {' '.join(key.scopes):32} made {_minute(key.created_at_ms)}  {state}")
            print(f"           last used {used}, {_limits(key, hub.settings)}")
        return 0

    return with_hub(run)


def _minute(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _limits(key: stored.StoredKey, settings: Settings) -> str:
    per_minute = key.requests_per_minute or settings.requests_per_minute
    return f"{per_minute} requests a minute, {key.requests_per_day or settings.requests_per_day} a day"


def revoke_key(options: argparse.Namespace) -> int:
    """`keys revoke`"""

    async def run(hub: Hub) -> int:
        await hub.database.write(lambda connection: keys.revoke_key(connection, options.name, hub.now_ms()))
        print(f"{options.name}: revoked")
        return 0

    return with_hub(run)


def link(options: argparse.Namespace) -> int:
    """`link sync|pause|resume`"""

    async def run(hub: Hub) -> int:
        channel, _, place = options.link.partition("/")
        chosen = hub.channels.find_link(channel, place) if place else hub.directory.link(options.link)
        if options.action == "sync":
            changed = await hub.catalogs.sync(chosen.id, progress=print)
            print("the menu changed" if changed else "the menu is as it was")
            return 0
        if options.action == "resume" and not chosen.paused_cause:
            raise Conflict(f"link {options.link} is not paused")
        await hub.health.set_paused(chosen.id, "LINK_PAUSED" if options.action == "pause" else "")
        print(f"{options.link}: {options.action}d")
        return 0

    return with_hub(run)


def backup(options: argparse.Namespace) -> int:
    """`backup`"""
    settings = read_settings()
    for path in backup_command.copy_data(settings, Path(options.folder)):
        print(path)
    return 0


def with_hub(run: Callable[[Hub], Awaitable[int]], *, prepared: bool = True) -> int:
    """Opens the hub of this environment for one short command, beside a running one if there is one.

    With `prepared` there must be one already: a mistyped data folder shall not become a new hub.
    """
    settings = read_settings()
    if prepared and settings.embedded and not settings.database_file.exists():
        raise ConfigurationError(f"there is no hub in {settings.data}; is OPENPOS_DATA right?")

    async def session() -> int:
        hub = Hub(settings)
        try:
            if prepared:
                await hub.prepare()
            return await run(hub)
        finally:
            await hub.stop()

    return asyncio.run(session())

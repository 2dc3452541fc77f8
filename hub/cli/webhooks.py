"""`openpos-hub webhooks …`: who is told what happens, what was sent to them, and sending it once more."""

import argparse
from collections.abc import Callable

from hub.api.times import parse_timestamp
from hub.api.views import timestamp
from hub.app import Hub
from hub.cli.commands import with_hub
from hub.database import webhooks as stored
from hub.errors import InvalidRequest
from hub.model.webhook import DeliveryState, Endpoint, Period


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Adds the actions."""
    add = parser.add_subparsers(dest="action", required=True, metavar="ACTION").add_parser
    add("list", help="list the webhooks of all keys").set_defaults(run=list_webhooks)
    log = _of_one(add, "log", "list what was sent to a webhook, the newest events first")
    log.add_argument("--state", choices=list(DeliveryState), help="only events in this state")
    log.add_argument("--limit", type=int, default=50, metavar="N", help="show at most N (default %(default)s)")
    log.set_defaults(run=show_log)
    replay = _of_one(add, "replay", "send events once more, under the ids they had")
    which = replay.add_mutually_exclusive_group(required=True)
    which.add_argument("--event", metavar="ID", help="one event, by its webhook-id")
    which.add_argument("--from", dest="begins", metavar="TIME", help="what happened since then, e.g. 2026-02-09T12:00Z")
    replay.add_argument("--to", dest="ends", metavar="TIME", help="and before then (default: now)")
    replay.add_argument("--dry-run", action="store_true", help="only count")
    replay.set_defaults(run=send_again)
    _of_one(add, "rotate", "make a new secret; the old one signs as well for a day").set_defaults(run=rotate)


def list_webhooks(_options: argparse.Namespace) -> int:
    """`webhooks list`"""

    async def run(hub: Hub) -> int:
        for endpoint in await hub.webhooks.list():
            owner = await hub.database.read(lambda c, key_id=endpoint.key_id: stored.load_owner(c, key_id))
            where = hub.directory.venue(endpoint.venue_id).slug if endpoint.venue_id else "all stores"
            print(f"{endpoint.id}  {endpoint.url}")
            print(f"  key {owner.name}, {where}, {', '.join(endpoint.events) or 'all events'}: {_state(endpoint)}")
        return 0

    return with_hub(run)


def show_log(options: argparse.Namespace) -> int:
    """`webhooks log`"""

    async def run(hub: Hub) -> int:
        endpoint = await hub.webhooks.load(options.webhook)
        state = DeliveryState(options.state) if options.state else None
        page = await hub.webhooks.log(endpoint, state=state, after="", limit=options.limit)
        for entry in page.entries:
            status = "no answer" if entry.status is None else f"HTTP {entry.status}"
            words = f"{entry.attempts} tries, {status}" if entry.attempts else "not tried yet"
            if entry.state is DeliveryState.PENDING and entry.due_at_ms is not None:
                words += f", next {timestamp(entry.due_at_ms)}"
            print(f"{timestamp(entry.at_ms)}  {entry.type:26} {entry.state:9} {words}")
            print(f"  {entry.event_id}" + (f"  {entry.detail}" if entry.detail else ""))
        return 0

    return with_hub(run)


def send_again(options: argparse.Namespace) -> int:
    """`webhooks replay`"""

    async def run(hub: Hub) -> int:
        endpoint = await hub.webhooks.load(options.webhook)
        wanted = Period(event_id=options.event) if options.event else _period(options, hub.now_ms())
        replayed = await hub.webhooks.replay(endpoint, wanted, venue_id=None, dry_run=options.dry_run)
        words = "would be sent" if options.dry_run else "are on their way"
        more = "; there are more: go on from a later time" if replayed.more else ""
        print(f"{replayed.events} events {words}{more}")
        return 0

    return with_hub(run)


def rotate(options: argparse.Namespace) -> int:
    """`webhooks rotate`"""

    async def run(hub: Hub) -> int:
        endpoint, secret = await hub.webhooks.rotate(await hub.webhooks.load(options.webhook))
        print(secret)
        print(f"Copy it now: it is shown only once. The old one signs as well until "
              f"{timestamp(endpoint.old_secret_until_ms)}.")
        return 0

    return with_hub(run)


def _of_one(add: Callable[..., argparse.ArgumentParser], name: str, words: str) -> argparse.ArgumentParser:
    command = add(name, help=words)
    command.add_argument("webhook", metavar="WEBHOOK", help="its id, see `webhooks list`")
    return command


def _period(options: argparse.Namespace, now_ms: int) -> Period:
    from_ms, before_ms = parse_timestamp(options.begins, "--from"), parse_timestamp(options.ends, "--to")
    if from_ms is None:
        raise InvalidRequest("--from: say from when", field="--from")
    return Period(from_ms=from_ms, before_ms=now_ms + 1 if before_ms is None else before_ms)


def _state(endpoint: Endpoint) -> str:
    if not endpoint.enabled:
        return f"off, {endpoint.disabled_reason}" if endpoint.disabled_reason else "off"
    if endpoint.failing_since_ms is not None:
        return f"on, failing since {timestamp(endpoint.failing_since_ms)}"
    return "on"

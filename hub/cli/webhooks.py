"""`openpos-hub webhooks …`: who is told what happens, what was sent to them, and sending it once more."""

import argparse
from functools import partial

from hub.api.times import parse_timestamp
from hub.api.views import timestamp
from hub.app import Hub
from hub.cli.commands import with_hub
from hub.database import webhooks as stored
from hub.errors import InvalidRequest
from hub.model.webhook import DeliveryState, Endpoint, EventType, Period
from hub.services import keys
from hub.services.webhooks import EndpointChange

_SHOWN_ONCE = "Copy it now: it is shown only once."


def list_webhooks(_options: argparse.Namespace) -> int:
    """`webhooks list`"""

    async def run(hub: Hub) -> int:
        for endpoint in await hub.webhooks.list():
            owner = await hub.database.read(partial(stored.load_owner, key_id=endpoint.key_id))
            where = hub.directory.venue(endpoint.venue_id).slug if endpoint.venue_id else "all venues of the key"
            print(f"{endpoint.id}  {endpoint.url}")
            print(f"  key {owner.name}, {where}, {', '.join(endpoint.events) or 'all events'}: {_state(endpoint)}")
        return 0

    return with_hub(run)


def create_webhook(options: argparse.Namespace) -> int:
    """`webhooks create`"""

    async def run(hub: Hub) -> int:
        owner = await hub.database.read(partial(keys.find_owner, name=options.key))
        venue_id = hub.directory.venue(options.venue).id if options.venue else ""
        if venue_id:
            keys.require_venue(owner, venue_id)
        events = tuple(dict.fromkeys(EventType(word) for word in options.event))
        endpoint, secret = await hub.webhooks.create(
            owner, url=options.url, venue_id=venue_id, events=events, description=""
        )
        print(f"{endpoint.id}\n{secret}\n{_SHOWN_ONCE}")
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
        words = "would be sent" if options.dry_run else "will be sent"
        more = f"; there are more: go on with --from {timestamp(replayed.next_from_ms)}"
        print(f"{replayed.events} events {words}{more if replayed.next_from_ms is not None else ''}")
        return 0

    return with_hub(run)


def rotate(options: argparse.Namespace) -> int:
    """`webhooks rotate`"""

    async def run(hub: Hub) -> int:
        endpoint, secret = await hub.webhooks.rotate(await hub.webhooks.load(options.webhook))
        until = timestamp(endpoint.old_secret_until_ms)
        print(f"{secret}\n{_SHOWN_ONCE} The old one signs as well until {until}.")
        return 0

    return with_hub(run)


def switch(options: argparse.Namespace) -> int:
    """`webhooks enable` and `webhooks disable`"""

    async def run(hub: Hub) -> int:
        change = EndpointChange(enabled=options.action == "enable")
        endpoint = await hub.webhooks.change(await hub.webhooks.load(options.webhook), change)
        print(f"{endpoint.id}: {_state(endpoint)}")
        return 0

    return with_hub(run)


def delete(options: argparse.Namespace) -> int:
    """`webhooks delete`"""

    async def run(hub: Hub) -> int:
        endpoint = await hub.webhooks.load(options.webhook)
        await hub.webhooks.delete(endpoint)
        print(f"{endpoint.id}: deleted")
        return 0

    return with_hub(run)


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

"""What a person at the terminal wants to know: is everything well, what happened to an order, what waits."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from hub.app import Hub
from hub.database import calls as stored_calls
from hub.database import order_reads
from hub.database.deliveries import MOST_LISTED
from hub.errors import HubError
from hub.model.call import Call
from hub.model.causes import CAUSES
from hub.model.ids import order_mark
from hub.model.money import Money, display
from hub.model.order import OrderRecord
from hub.services.availability import RefusedItem
from hub.services.secrets import count_closed

_FAR_CLOCKS_MS = 2_000


async def doctor(hub: Hub) -> int:
    """Tries everything; prints one line each; returns 1 when something is wrong."""
    failed = 0

    def line(ok: bool, name: str, detail: str = "") -> None:
        nonlocal failed
        failed += not ok
        print(f"{'ok    ' if ok else 'FAILED'} {name:34} {detail}")

    kind = "SQLite" if hub.settings.embedded else "PostgreSQL"
    try:
        current = await hub.database_is_current()
        line(current, f"database ({kind})", "" if current else "run `openpos-hub migrate`")
    except HubError as problem:
        line(False, f"database ({kind})", problem.for_operator)
        return 1
    if not current:
        return 1
    await hub.agree_on_time()
    await hub.directory.refresh()
    drift_ms = abs(hub.now_ms() - int(datetime.now(UTC).timestamp() * 1000))
    line(drift_ms < _FAR_CLOCKS_MS, "clock", f"{drift_ms} ms from the database's")
    count, closed = await hub.database.read(lambda connection: count_closed(connection, hub.vault))
    unreadable = f", cannot be decrypted: {', '.join(closed)}" if closed else ""
    line(not closed, "stored secrets", f"{count}, {hub.vault.description}{unreadable}")
    venues = hub.directory.venues()
    line(bool(venues), "venues", f"{len(venues)} declared" if venues else "none: `openpos-hub apply FILE.toml`")
    for link in hub.directory.links():
        report = await hub.health.probe(link.id)
        for step in report.steps:
            line(step.ok, f"{report.venue_slug} ({report.connector}): {step.name}", step.detail)
        if link.role == "channel":
            line(True, f"{report.venue_slug} ({report.connector}): calls us at", hub.channels.path(link))
        if report.paused_cause:
            line(False, f"{report.venue_slug}: link", f"paused: {CAUSES[report.paused_cause].next_action}")
    waiting = await hub.stuck.load()
    line(not waiting, "deliveries", f"{len(waiting)} wait for a person: `openpos-hub stuck`" if waiting else "")
    refused = await hub.availability.load_refused()
    line(not refused, "items", f"{len(refused)} refused by a POS: `openpos-hub stuck`" if refused else "")
    return 1 if failed else 0


async def stuck(hub: Hub) -> int:
    """Lists what waits for a person, with the reason and what to do."""
    waiting = await hub.stuck.load()
    for entry in waiting:
        cause = CAUSES.get(entry.cause)
        since = datetime.fromtimestamp(entry.created_at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        print(f"{entry.order_number}  mark {order_mark(entry.order_id)}  {entry.operation}  [{entry.cause}]")
        print(f"    since {since}")
        if cause is not None:
            print(f"    {cause.title}\n    -> {cause.next_action}")
        if entry.detail:
            print(f"    {entry.detail}")
    refused = await hub.availability.load_refused()
    for item in refused:
        _print_refused(item)
    more = " (the oldest; there are more)" if len(waiting) >= MOST_LISTED else ""
    print(f"{len(waiting) + len(refused)} waiting{more}" if waiting or refused else "nothing waits for a person")
    return 0


def _print_refused(item: RefusedItem) -> None:
    place = f"{item.venue.slug}/{item.item_id}"
    print(f"{place}  {item.item_name}  {'on sale' if item.available else 'sold out'}  [{item.cause}]")
    print("    The POS did not take over whether this item can be ordered; the hub itself has it so.")
    print(f"    -> Mark it there by hand, then `openpos-hub deliver {place} --done`; without --done it is tried again.")
    if item.detail:
        print(f"    {item.detail}")


async def trace(hub: Hub, id_or_number: str, *, bodies: bool, reads: bool, as_json: bool) -> int:
    """Shows an order's whole life: changes, deliveries and every call, in the order they happened."""
    record = await hub.orders.load(id_or_number)
    order = record.order
    await hub.recorder.flush()
    events = await hub.database.read(lambda connection: order_reads.load_events(connection, order.id))
    calls = await hub.calls_database.read(
        lambda connection: stored_calls.load_calls(connection, order.id, from_ms=order.created_at_ms)
    )
    if as_json:
        rows = [dict(event._mapping) for event in events]
        document = {
            "order": msgspec.to_builtins(record),
            "events": rows,
            "calls": msgspec.to_builtins(calls),
        }
        print(json.dumps(document, ensure_ascii=False, indent=2))
        return 0
    _print_order(record)
    zone = ZoneInfo(order.timing.timezone)
    lines = [
        (event.at_ms, f"{event.kind} by {event.actor} (version {event.version}) {event.detail}") for event in events
    ]
    shown = [call for call in calls if reads or not _only_read(call)]
    lines += [(call.at_ms, _call_line(call, bodies=bodies)) for call in shown]
    for at_ms, words in sorted(lines):
        print(f"  {datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).strftime('%H:%M:%S.%f')[:-3]}  {words}")
    if len(shown) < len(calls):
        print(f"  ({len(calls) - len(shown)} calls that only read the order are not shown; --reads shows them)")
    return 0


def _only_read(call: Call) -> bool:
    return call.direction == "in" and call.method == "GET"


def _print_order(record: OrderRecord) -> None:
    order = record.order
    total = display(Money(order.totals.total_cents, order.currency))
    print(f"{order.number}  {order.id}  mark {order_mark(order.id)}")
    print(f"  {order.order_type}, {order.stage}, {order.payment_status}, {total}")
    for state in record.injection:
        cause = CAUSES.get(state.cause)
        ref = f", there {state.ref.kind} {state.ref.id}" if state.ref else ""
        print(f"  {state.target}: {state.state} after {state.attempts} attempt(s){ref}")
        if cause is not None:
            print(f"    {cause.title}\n    -> {cause.next_action}")
        if state.detail:
            print(f"    {state.detail}")
    for loss in record.fidelity:
        print(f"  not kept at {loss.target}: {loss.path}: {loss.loss}")
    if record.money_audit.difference_cents:
        print(f"  totals differ by {display(Money(record.money_audit.difference_cents, order.currency))}")


def _call_line(call: Call, *, bodies: bool) -> str:
    arrow = "->" if call.direction == "out" else "<-"
    answer = "no answer" if call.status is None else str(call.status)
    words = f"{arrow} {call.method} {call.url}  {answer}  {call.milliseconds:.0f} ms"
    if call.attempt > 1:
        words += f"  (attempt {call.attempt})"
    if call.error:
        words += f"\n                {call.error}"
    if bodies:
        words += f"\n                sent: {call.request_body}\n                got:  {call.response_body}"
    return words

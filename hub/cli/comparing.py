"""Comparisons at the terminal: what arrived of an order, and where stores and their POS drift apart."""

import json
from collections.abc import Iterable

import msgspec

from hub.app import Hub
from hub.model.fidelity import Fate
from hub.model.venue import Venue
from hub.services.menu_drift import DriftRow


async def fidelity(hub: Hub, id_or_number: str, *, as_json: bool) -> int:
    """Prints what arrived of an order at each target."""
    record = await hub.orders.load(id_or_number)
    reports = await hub.fidelity.load(record)
    if as_json:
        print(json.dumps(msgspec.to_builtins(reports), ensure_ascii=False, indent=2))
        return 0
    if not reports:
        print(f"{record.order.number}: only the hub has it; this store has no POS")
    for report in reports:
        counts = ", ".join(f"{count} {fate}" for fate, count in report.counts.items() if count)
        print(f"{record.order.number} at {report.target} ({report.state}): {counts}")
        for entry in report.parts:
            why = f"  {'; '.join(entry.why)}" if entry.why else ""
            mark = " " if entry.fate is Fate.KEPT else "!"
            print(f"{mark} {entry.fate:9} {entry.part.name}: {entry.part.value}{why}")
        for loss in report.others:
            print(f"! {loss.kind:9} {loss.path}  {loss.loss}")
    return 0


async def drift(hub: Hub, store: str | None, *, as_json: bool) -> int:
    """Prints what differs between stores and their POS; 1 when something of it will fail."""
    venues: Iterable[Venue] = [hub.directory.venue(store)] if store else hub.directory.venues()
    reports = [await hub.drift.check(venue) for venue in venues]
    if as_json:
        print(json.dumps(msgspec.to_builtins(reports), ensure_ascii=False, indent=2))
    else:
        for report in reports:
            if not report.pos:
                print(f"{report.venue_slug}: no POS, nothing to compare")
                continue
            compared = ", ".join(report.compared) or "nothing"
            warnings = len(report.rows) - report.errors
            print(
                f"{report.venue_slug} ({report.pos}): {report.errors} errors, {warnings} warnings; compared: {compared}"
            )
            for row in report.rows:
                _print_row(row)
    return 1 if any(report.errors for report in reports) else 0


def _print_row(row: DriftRow) -> None:
    print(f"{row.severity.upper():7} {row.kind}  {row.subject}: {row.found}")
    print(f"        what happens: {row.effect}")
    print(f"        what to do:   {row.action}")
